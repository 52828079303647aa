//! What was measured, written into the manual: for each section a table and a figure.
//!
//! What must stay true: what people wrote between the sections stays; a section that wasn't measured stays as it was, with the machine that it was
//! measured on.

mod figure;

use crate::report::{Line, Report, Section};
use anyhow::{Context as _, Result};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The page, in the manual's folder.
const PAGE: &str = "benchmarks.md";

/// The folder of the figures beside it.
const FIGURES: &str = "benchmarks";

/// Replaces the sections that were measured in the page of the manual in `docs`, and draws their figures anew.
///
/// # Errors
/// When the page has no place for a section, or a file can't be written.
pub(crate) fn publish(report: &Report, machine: &str, docs: &Path) -> Result<()> {
    let page = docs.join(PAGE);
    let mut text = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
    let figures = docs.join(FIGURES);
    fs::create_dir_all(&figures).with_context(|| figures.display().to_string())?;
    for section in report.sections() {
        let figure = figure::draw(section);
        if let Some(figure) = &figure {
            let file = figures.join(format!("{}.svg", section.key));
            fs::write(&file, figure).with_context(|| file.display().to_string())?;
        }
        text = replace(&text, section.key, &written(section, machine, figure.is_some()))
            .with_context(|| format!("{} has no place for the section {:?}", page.display(), section.key))?;
    }
    fs::write(&page, text).with_context(|| page.display().to_string())
}

/// The page with another text between a section's marks.
fn replace(page: &str, key: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- measured: {key} -->\n"), format!("<!-- end: {key} -->"));
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}{text}{end}{after}"))
}

/// A section as the page has it.
fn written(section: &Section, machine: &str, has_figure: bool) -> String {
    let mut text = format!("\n**{}**\n\n", section.title);
    text.push_str("| what | measured | reference | ratio (quartiles) | goal |\n|---|---|---|---|---|\n");
    for line in &section.lines {
        let cells = Line::cells(line).map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    if has_figure {
        let _ =
            write!(text, "\n![{}: ratios to the reference]({FIGURES}/{}.svg)\n", section.title, section.key);
    }
    let _ = write!(text, "\n{machine}. To repeat: `cargo xtask bench --only {}`\n\n", section.key);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Goal, Unit};

    fn report() -> Report {
        let ping = Line::new("ping | one segment", Unit::Seconds, &[2e-5; 3]);
        let ping = ping.against("bare", &[2e-5; 3], &[1.6e-5; 3]).goal(Goal::RatioAtMost(1.3));
        let mut report = Report::default();
        report.add("ping", "Status ping", vec![ping]);
        report
    }

    #[test]
    fn sections_are_replaced_and_all_else_stays() {
        let docs = std::env::temp_dir().join(format!("drawbridge-bench-{}", std::process::id()));
        fs::create_dir_all(&docs).unwrap();
        let page = docs.join(PAGE);
        let begun = "# Benchmarks\n<!-- measured: ping -->\nold\n<!-- end: ping -->\nwhy\n<!-- measured: login -->\nkept\n<!-- end: login -->\n";
        fs::write(&page, begun).unwrap();
        publish(&report(), "a machine", &docs).unwrap();
        publish(&report(), "another machine", &docs).unwrap();
        let text = fs::read_to_string(&page).unwrap();
        let figure = fs::read_to_string(docs.join("benchmarks/ping.svg")).unwrap();
        fs::remove_dir_all(&docs).unwrap();
        assert!(text.starts_with("# Benchmarks\n<!-- measured: ping -->\n\n**Status ping**\n"), "{text}");
        assert!(
            text.contains(
                "| ping \\| one segment | 20.0 µs | bare 16.0 µs | 1.25× (1.25–1.25) | ≤ 1.3× hit |"
            ),
            "{text}"
        );
        assert!(text.contains("another machine. To repeat: `cargo xtask bench --only ping`"), "{text}");
        assert!(!text.contains("old") && !text.contains("a machine"), "{text}");
        assert!(text.ends_with("why\n<!-- measured: login -->\nkept\n<!-- end: login -->\n"), "{text}");
        assert!(figure.contains(">1.25×<") && figure.contains("ping | one segment"), "{figure}");
    }

    #[test]
    fn a_page_without_a_place_is_a_mistake() {
        assert_eq!(replace("<!-- measured: ping -->\n", "ping", ""), None);
    }
}
