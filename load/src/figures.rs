//! Figures: quantiles, medians, and tables of them.

use std::fmt::Write as _;
use std::time::Duration;

/// The value below which this part of them lies, of 0 to 1; zero of none.
#[must_use]
pub fn quantile(sorted: &[Duration], part: f64) -> Duration {
    let at = (sorted.len() as f64 * part) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// The middle one, or the mean of the two in the middle; not a number of none.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => f64::NAN,
        (odd, middle) if odd % 2 == 1 => sorted[middle],
        (_, middle) => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// In milliseconds.
#[must_use]
pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A time as it reads best.
#[must_use]
pub fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        short if short < 1e-3 => format!("{:.0} µs", short * 1e6),
        short if short < 10e-3 => format!("{:.2} ms", short * 1e3),
        short if short < 1.0 => format!("{:.0} ms", short * 1e3),
        long => format!("{long:.1} s"),
    }
}

/// Mebibytes.
#[must_use]
pub fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// Rows under heads, in columns of the same width; the first begins at the left.
#[must_use]
pub fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([heads[column].chars().count()]).max().unwrap_or_default()
    };
    let heads: Vec<String> = heads.iter().map(ToString::to_string).collect();
    let mut text = String::new();
    for row in std::iter::once(&heads).chain(rows) {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let padding = " ".repeat(width(column).saturating_sub(cell.chars().count()));
            let _ = if column == 0 {
                write!(line, "  {cell}{padding}")
            } else {
                write!(line, "  {padding}{cell}")
            };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_medians_are_in_their_places() {
        let hundred: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(quantile(&hundred, 0.5), Duration::from_millis(51));
        assert_eq!(quantile(&hundred, 0.99), Duration::from_millis(100));
        assert_eq!(quantile(&[], 0.99), Duration::ZERO);
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn columns_end_in_one_line() {
        let text = table(&["a", "b"], &[vec!["long".into(), "1".into()], vec!["x".into(), "100".into()]]);
        let ends: Vec<_> = text.lines().map(|line| line.chars().count()).collect();
        assert_eq!(ends, [11, 11, 11]);
    }
}
