//! A report as text for people and as JSON for programs.

use super::report::{Outcome, Report};
use anstyle::{AnsiColor, Style};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// The column in which details begin.
const DETAIL: usize = 33;

/// The characters of a line of what is said below a detail.
const WIDTH: usize = 78;

/// The report as aligned text with ANSI colours, which the stream that it goes to takes out where they don't belong.
pub(super) fn text(report: &Report) -> String {
    let bold = Style::new().bold();
    let mut out = format!("{bold}{}{bold:#}\n\n", report.address);
    for entry in &report.entries {
        let style = style(entry.outcome);
        let outcome = entry.outcome.name();
        let elapsed = entry.elapsed.map(milliseconds).unwrap_or_default();
        let step = entry.step.name();
        let line = format!("{style}{outcome:<8}{style:#}{step:<14}{elapsed:>9}  {}", entry.detail);
        out.push_str(line.trim_end());
        out.push('\n');
        for line in wrap(&entry.meaning) {
            let _ = writeln!(out, "{:DETAIL$}{line}", "");
        }
        let yellow = AnsiColor::Yellow.on_default();
        for warning in &entry.warnings {
            for (index, line) in wrap(&format!("warning: {warning}")).iter().enumerate() {
                let rest = if index == 0 { line.strip_prefix("warning:") } else { None };
                let _ = match rest {
                    Some(rest) => writeln!(out, "{:DETAIL$}{yellow}warning:{yellow:#}{rest}", ""),
                    None => writeln!(out, "{:DETAIL$}{line}", ""),
                };
            }
        }
    }
    let _ = writeln!(out, "\n{}", summary(report));
    out
}

/// Breaks a text between words into lines of at most [`WIDTH`] characters, where its words allow.
fn wrap(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        let longer = word.chars().count();
        match lines.last_mut() {
            Some(line) if width + 1 + longer <= WIDTH => {
                line.push(' ');
                line.push_str(word);
                width += 1 + longer;
            }
            _ => {
                lines.push(word.to_owned());
                width = longer;
            }
        }
    }
    lines
}

fn style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Ok => AnsiColor::Green.on_default(),
        Outcome::Failed => AnsiColor::Red.on_default().bold(),
        Outcome::Skipped => Style::new().dimmed(),
    }
}

fn summary(report: &Report) -> String {
    let failed: Vec<_> = report
        .entries
        .iter()
        .filter(|entry| entry.outcome == Outcome::Failed)
        .map(|entry| entry.step.name())
        .collect();
    let warnings: usize = report.entries.iter().map(|entry| entry.warnings.len()).sum();
    let verdict = if failed.is_empty() {
        "Every step went well".into()
    } else {
        format!("Failed: {}", failed.join(", "))
    };
    match warnings {
        0 => format!("{verdict}."),
        1 => format!("{verdict}; 1 warning."),
        count => format!("{verdict}; {count} warnings."),
    }
}

fn milliseconds(elapsed: Duration) -> String {
    let milliseconds = elapsed.as_secs_f64() * 1_000.0;
    if milliseconds < 10.0 { format!("{milliseconds:.1} ms") } else { format!("{milliseconds:.0} ms") }
}

/// The report as one JSON object. Times are in milliseconds, null for what was skipped.
pub(super) fn json(report: &Report) -> Value {
    let steps: Vec<Value> = report
        .entries
        .iter()
        .map(|entry| {
            let mut step = Map::new();
            step.insert("name".into(), entry.step.name().into());
            step.insert("outcome".into(), entry.outcome.name().into());
            let elapsed = entry.elapsed.map(|elapsed| elapsed.as_micros() as f64 / 1_000.0);
            step.insert("milliseconds".into(), elapsed.into());
            step.insert("detail".into(), entry.detail.clone().into());
            if !entry.meaning.is_empty() {
                step.insert("meaning".into(), entry.meaning.clone().into());
            }
            step.insert("warnings".into(), entry.warnings.clone().into());
            step.insert("facts".into(), entry.facts.clone());
            Value::Object(step)
        })
        .collect();
    json!({
        "host": report.address.host,
        "port": report.address.port,
        "ok": report.is_ok(),
        "steps": steps,
    })
}
