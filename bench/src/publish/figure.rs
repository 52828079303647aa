//! A section's ratios as a figure: for each line that has a reference the median, the quartiles and the goal, on a logarithmic scale, since half as
//! much is as far from one as twice as much.

use crate::report::{Goal, Line, Reference, Section};
use std::fmt::Write as _;

/// In pixels: how wide the labels are, the scale, the numbers behind it, and how high a line is.
const LABELS: f64 = 420.0;
const SCALE: f64 = 420.0;
const NUMBERS: f64 = 80.0;
const HEIGHT: f64 = 26.0;
/// Above the first line.
const HEAD: f64 = 34.0;

/// So many letters of a label are shown.
const LETTERS: usize = 62;

const STYLE: &str = ".line{stroke:#5b6b7f}.faint{stroke:#5b6b7f;stroke-opacity:.25}.bar{fill:#3b6ea5;fill-opacity:.35}.dot{fill:#3b6ea5}\
.goal{stroke:#b07d2b;stroke-width:2}.word{fill:#1d2733}.soft{fill:#526071}\
@media (prefers-color-scheme:dark){.line,.faint{stroke:#8fa3ba}.bar,.dot{fill:#7fb0e6}.goal{stroke:#d6a650}.word{fill:#e8eef5}.soft{fill:#b3c0cf}}";

/// The figure; none where nothing is compared.
pub(super) fn draw(section: &Section) -> Option<String> {
    let compared = section.lines.iter().filter_map(|line| Some((line, line.reference.as_ref()?)));
    let compared: Vec<(&Line, &Reference)> = compared.collect();
    let axis = Axis::over(&compared)?;
    let height = HEAD + HEIGHT * compared.len() as f64 + 8.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0} {height:.0}\" role=\"img\" aria-label=\"{}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<style>{STYLE}</style>\n",
        LABELS + SCALE + NUMBERS,
        escaped(section.title)
    );
    for tick in axis.ticks() {
        let (x, class) = (axis.at(tick), if tick == 1.0 { "line" } else { "faint" });
        let _ = writeln!(svg, "<path class=\"{class}\" d=\"M{x:.1} {HEAD}V{height:.0}\"/>");
        let _ =
            writeln!(svg, "<text class=\"soft\" x=\"{x:.1}\" y=\"22\" text-anchor=\"middle\">{tick}×</text>");
    }
    for (row, (line, reference)) in compared.iter().enumerate() {
        let y = HEAD + HEIGHT * (row as f64 + 0.5);
        let ratio = reference.ratio;
        let (low, median, high) = (axis.at(ratio.low), axis.at(ratio.median), axis.at(ratio.high));
        let label = shortened(&format!("{} : {}", line.label, reference.label));
        let text = y + 4.0;
        let _ = writeln!(svg, "<text class=\"word\" x=\"4\" y=\"{text:.1}\">{}</text>", escaped(&label));
        let (top, width) = (y - 5.0, (high - low).max(1.0));
        let _ = writeln!(
            svg,
            "<rect class=\"bar\" x=\"{low:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"10\"/>"
        );
        let _ = writeln!(svg, "<circle class=\"dot\" cx=\"{median:.1}\" cy=\"{y:.1}\" r=\"4\"/>");
        if let Some(Goal::RatioAtMost(goal) | Goal::RatioAtLeast(goal)) = line.goal {
            let (x, from, to) = (axis.at(goal), y - 9.0, y + 9.0);
            let _ = writeln!(svg, "<path class=\"goal\" d=\"M{x:.1} {from:.1}V{to:.1}\"/>");
        }
        let (x, ratio) = (LABELS + SCALE + 12.0, ratio.median);
        let _ = writeln!(svg, "<text class=\"word\" x=\"{x:.0}\" y=\"{text:.1}\">{ratio:.2}×</text>");
    }
    svg.push_str("</svg>\n");
    Some(svg)
}

/// From where to where the scale goes, as powers of two.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// A scale that has room for all of these, and for one; none for nothing.
    fn over(compared: &[(&Line, &Reference)]) -> Option<Self> {
        let of = |(line, reference): &(&Line, &Reference)| {
            let goal = match line.goal {
                Some(Goal::RatioAtMost(goal) | Goal::RatioAtLeast(goal)) => goal,
                _ => 1.0,
            };
            [reference.ratio.low, reference.ratio.high, goal]
        };
        let all: Vec<f64> =
            compared.iter().flat_map(of).filter(|ratio| ratio.is_finite() && *ratio > 0.0).collect();
        let low = all.iter().copied().reduce(f64::min)?.min(1.0).log2().floor();
        let high = all.iter().copied().reduce(f64::max)?.max(1.0).log2().ceil();
        // At least from a half to twice.
        Some(Self { low: low.min(-1.0), high: high.max(1.0) })
    }

    fn at(&self, ratio: f64) -> f64 {
        let part = (ratio.max(f64::MIN_POSITIVE).log2() - self.low) / (self.high - self.low);
        LABELS + SCALE * part.clamp(0.0, 1.0)
    }

    /// Where lines are drawn: not at every power where there are many.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        let step = ((self.high - self.low) / 6.0).ceil().max(1.0);
        let (low, high) = ((self.low / step).ceil() as i32, (self.high / step).floor() as i32);
        (low..=high).map(move |power| (f64::from(power) * step).exp2())
    }
}

fn shortened(label: &str) -> String {
    if label.chars().count() <= LETTERS {
        return label.to_owned();
    }
    label.chars().take(LETTERS - 1).chain(['…']).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
