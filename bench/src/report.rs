//! What was measured, and how it is shown: a table in the terminal, or JSON.
//!
//! Quantities are kept in base units (seconds, bytes, bytes a second) and scaled when they are shown; JSON holds base units.

use serde_json::{Value, json};
use std::fmt::Write as _;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Seconds of CPU time, or of time passed where the line says so.
    Seconds,
    /// Bytes of memory.
    Bytes,
    /// Bytes a second of CPU time.
    BytesPerSecond,
    /// Anything else.
    Number,
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Bytes => "B",
            Self::BytesPerSecond => "B/s",
            Self::Number => "1",
        }
    }

    /// `value` in the scale that reads best, with three significant digits or a little more.
    pub(crate) fn show(self, value: f64) -> String {
        let scales: &[(f64, &str)] = match self {
            Self::Seconds => &[(1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s")],
            Self::Bytes => &[(1.0, "B"), (1024.0, "KiB"), (1024.0 * 1024.0, "MiB")],
            Self::BytesPerSecond => &[(1e3, "kB/s"), (1e6, "MB/s"), (1e9, "GB/s")],
            Self::Number => &[(1.0, "")],
        };
        let scale = scales.iter().rev().find(|(scale, _)| value >= *scale).unwrap_or(&scales[0]);
        let scaled = value / scale.0;
        let digits = if scaled < 10.0 {
            2
        } else if scaled < 100.0 {
            1
        } else {
            0
        };
        format!("{scaled:.digits$} {}", scale.1).trim_end().to_owned()
    }
}

/// What a line is held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// The value, in its base unit.
    AtMost(f64),
    /// Value over reference.
    RatioAtMost(f64),
    /// Value over reference.
    RatioAtLeast(f64),
}

/// Something else measured in the same run, for comparison.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reference {
    /// What it is.
    pub(crate) label: String,
    /// Median of the rounds, in the line's unit.
    pub(crate) value: f64,
    /// Value over reference, round by round.
    pub(crate) ratio: Spread,
}

/// One measured thing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    /// What was measured, under what circumstances.
    pub(crate) label: String,
    /// What the value counts.
    pub(crate) unit: Unit,
    /// Over the rounds.
    pub(crate) value: Spread,
    /// What it is compared with.
    pub(crate) reference: Option<Reference>,
    /// What it should reach.
    pub(crate) goal: Option<Goal>,
}

impl Line {
    /// A line without reference or goal.
    pub(crate) fn new(label: impl Into<String>, unit: Unit, rounds: &[f64]) -> Self {
        Self { label: label.into(), unit, value: Spread::of(rounds), reference: None, goal: None }
    }

    /// Compares round by round; both were measured in the same rounds.
    pub(crate) fn against(mut self, label: impl Into<String>, rounds: &[f64], references: &[f64]) -> Self {
        let ratios: Vec<f64> = rounds.iter().zip(references).map(|(value, other)| value / other).collect();
        self.reference = Some(Reference {
            label: label.into(),
            value: Spread::of(references).median,
            ratio: Spread::of(&ratios),
        });
        self
    }

    /// Sets the goal.
    pub(crate) fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    /// Whether the goal is reached, where there is one; the median decides.
    pub(crate) fn hit(&self) -> Option<bool> {
        let ratio = self.reference.as_ref().map(|reference| reference.ratio.median);
        match self.goal? {
            Goal::AtMost(bound) => Some(self.value.median <= bound),
            Goal::RatioAtMost(bound) => Some(ratio? <= bound),
            Goal::RatioAtLeast(bound) => Some(ratio? >= bound),
        }
    }

    fn show_goal(&self) -> String {
        let text = match self.goal {
            None => return String::new(),
            Some(Goal::AtMost(bound)) => format!("≤ {}", self.unit.show(bound)),
            Some(Goal::RatioAtMost(bound)) => format!("≤ {}×", (bound * 1e3).round() / 1e3),
            Some(Goal::RatioAtLeast(bound)) => format!("≥ {bound}×"),
        };
        let verdict = if self.hit() == Some(true) { "hit" } else { "MISSED" };
        format!("{text} {verdict}")
    }

    /// What was measured, the value, the reference, the ratio and the goal.
    pub(crate) fn cells(&self) -> [String; 5] {
        let (reference, ratio) = self.reference.as_ref().map_or_else(Default::default, |reference| {
            let Spread { low, median, high } = reference.ratio;
            (
                format!("{} {}", reference.label, self.unit.show(reference.value)),
                format!("{median:.2}× ({low:.2}–{high:.2})"),
            )
        });
        [self.label.clone(), self.unit.show(self.value.median), reference, ratio, self.show_goal()]
    }

    fn json(&self) -> Value {
        json!({
            "label": self.label,
            "unit": self.unit.name(),
            "value": self.value.json(),
            "reference": self.reference.as_ref().map(|reference| json!({
                "label": reference.label,
                "value": reference.value,
                "ratio": reference.ratio.json(),
            })),
            "goal": self.goal.map(|goal| match goal {
                Goal::AtMost(bound) => json!({ "value_at_most": bound }),
                Goal::RatioAtMost(bound) => json!({ "ratio_at_most": bound }),
                Goal::RatioAtLeast(bound) => json!({ "ratio_at_least": bound }),
            }),
            "hit": self.hit(),
        })
    }
}

/// The middle of some numbers, and the quartiles around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// First quartile.
    pub(crate) low: f64,
    /// The middle one, or the mean of the two in the middle.
    pub(crate) median: f64,
    /// Third quartile.
    pub(crate) high: f64,
}

impl Spread {
    /// Of at least one number; all NaN for none.
    pub(crate) fn of(numbers: &[f64]) -> Self {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
            let position = part * last as f64;
            let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
            below + (above - below) * position.fract()
        };
        Self { low: at(0.25), median: at(0.5), high: at(0.75) }
    }

    fn json(self) -> Value {
        json!({ "median": self.median, "first_quartile": self.low, "third_quartile": self.high })
    }
}

/// What was measured of one thing.
#[derive(Debug)]
pub(crate) struct Section {
    /// Its name on the command line.
    pub(crate) key: &'static str,
    /// Its name for people.
    pub(crate) title: &'static str,
    /// What was measured.
    pub(crate) lines: Vec<Line>,
}

/// Everything measured in one run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    sections: Vec<Section>,
}

impl Report {
    /// Appends a section.
    pub(crate) fn add(&mut self, key: &'static str, title: &'static str, lines: Vec<Line>) {
        self.sections.push(Section { key, title, lines });
    }

    /// In the order in which they were measured.
    pub(crate) fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// Whether no goal was missed.
    pub(crate) fn all_hit(&self) -> bool {
        self.lines().all(|line| line.hit() != Some(false))
    }

    fn lines(&self) -> impl Iterator<Item = &Line> {
        self.sections.iter().flat_map(|section| &section.lines)
    }

    /// All sections as one table with columns of the same width.
    pub(crate) fn table(&self) -> String {
        let heads = ["", "measured", "reference", "ratio (quartiles)", "goal"].map(str::to_owned);
        let rows: Vec<[String; 5]> = self.lines().map(Line::cells).collect();
        let width = |column: usize| {
            rows.iter().chain([&heads]).map(|row| row[column].chars().count()).max().unwrap_or_default()
        };
        let widths: [usize; 5] = std::array::from_fn(width);
        let mut text = show_row(&heads, &widths);
        let mut rows = rows.iter();
        for Section { title, lines, .. } in &self.sections {
            let _ = writeln!(text, "\n{title}");
            for row in rows.by_ref().take(lines.len()) {
                text.push_str(&show_row(row, &widths));
            }
        }
        text
    }

    /// The same as an object, with what the machine is.
    pub(crate) fn json(&self, machine: &str) -> Value {
        let sections: Vec<Value> = self
            .sections
            .iter()
            .map(|Section { title, lines, .. }| json!({ "title": title, "lines": lines.iter().map(Line::json).collect::<Vec<_>>() }))
            .collect();
        json!({ "machine": machine, "sections": sections, "all_hit": self.all_hit() })
    }
}

fn show_row(cells: &[String; 5], widths: &[usize; 5]) -> String {
    let mut row = String::from(" ");
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        // The labels start at the left, numbers end at the right.
        let padding = " ".repeat(width - cell.chars().count());
        let _ = if column == 0 || column == 4 {
            write!(row, " {cell}{padding} ")
        } else {
            write!(row, " {padding}{cell} ")
        };
    }
    format!("{}\n", row.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_scaled() {
        assert_eq!(Unit::Seconds.show(27.31e-6), "27.3 µs");
        assert_eq!(Unit::Seconds.show(3.2e-10), "0.32 ns");
        assert_eq!(Unit::Bytes.show(12.0 * 1024.0 * 1024.0), "12.0 MiB");
        assert_eq!(Unit::BytesPerSecond.show(341e6), "341 MB/s");
    }

    #[test]
    fn spreads_have_their_quartiles() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0, 5.0]);
        assert_eq!(spread, Spread { low: 2.0, median: 3.0, high: 4.0 });
        assert!((Spread::of(&[1.0, 2.0]).median - 1.5).abs() < 1e-9);
        assert!(Spread::of(&[]).median.is_nan());
    }

    #[test]
    fn goals_are_judged_by_the_median_of_the_ratios() {
        let (values, references) = ([10.0, 12.0, 100.0], [10.0, 10.0, 10.0]);
        let line = Line::new("x", Unit::Seconds, &values).against("y", &values, &references);
        assert_eq!(line.hit(), None);
        assert_eq!(line.clone().goal(Goal::RatioAtMost(1.3)).hit(), Some(true));
        assert_eq!(line.clone().goal(Goal::RatioAtLeast(1.3)).hit(), Some(false));
        assert_eq!(line.goal(Goal::AtMost(11.0)).hit(), Some(false));
    }

    #[test]
    fn columns_line_up() {
        let mut report = Report::default();
        report.add(
            "ping",
            "Ping",
            vec![Line::new("µ", Unit::Seconds, &[1e-6]), Line::new("long", Unit::Bytes, &[1.0])],
        );
        let table = report.table();
        let ends: Vec<usize> =
            table.lines().filter(|line| line.contains("1.00")).map(|line| line.chars().count()).collect();
        assert_eq!(ends[0], ends[1]);
    }
}
