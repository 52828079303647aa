//! Durations as other programs write them: `5s`, `1m30s`, `1.5h`, `2m 30s`, or numbers in a unit of their own.

/// What a number without unit counts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unit {
    Milliseconds,
    Seconds,
}

/// The longest duration that Drawbridge takes, in milliseconds: a hundred years.
const LONGEST: f64 = 36_500.0 * 86_400_000.0;

impl Unit {
    /// So many of the unit in milliseconds; nothing for what is negative or too long.
    pub(super) fn milliseconds(self, number: f64) -> Option<u64> {
        let milliseconds = match self {
            Self::Milliseconds => number,
            Self::Seconds => number * 1_000.0,
        };
        // Within these bounds no digit before the point is lost.
        (0.0..=LONGEST).contains(&milliseconds).then_some(milliseconds.round() as u64)
    }
}

/// A text in milliseconds: numbers, each with a unit, one after the other.
pub(super) fn parse(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let (number, behind) = rest.split_at(digits);
        let behind = behind.trim_start();
        let letters = behind.find(|character: char| !character.is_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        total += number.parse::<f64>().ok()? * length(unit)?;
        rest = behind.trim_start();
    }
    Unit::Milliseconds.milliseconds(total)
}

/// The length of a unit in milliseconds.
fn length(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" | "nsec" => 1e-6,
        "us" | "µs" | "usec" => 1e-3,
        "ms" | "msec" | "millis" => 1.0,
        "s" | "sec" | "secs" | "second" | "seconds" => 1e3,
        "m" | "min" | "mins" | "minute" | "minutes" => 6e4,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3.6e6,
        "d" | "day" | "days" => 8.64e7,
        _ => return None,
    })
}

/// Milliseconds as Drawbridge writes them, in the largest unit that leaves nothing over.
pub(super) fn written(milliseconds: u64) -> String {
    let units = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    let fitting =
        units.into_iter().find(|(_, length)| milliseconds != 0 && milliseconds.is_multiple_of(*length));
    fitting.map_or_else(|| "0s".to_owned(), |(unit, length)| format!("{}{unit}", milliseconds / length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, out) in [
            ("5s", "5s"),
            ("1m30s", "90s"),
            ("2m 30s", "150s"),
            ("1.5h", "90m"),
            ("250ms", "250ms"),
            ("7200s", "2h"),
            ("0s", "0s"),
            ("2 days", "48h"),
        ] {
            assert_eq!(parse(text).map(written).as_deref(), Some(out), "{text}");
        }
        for text in ["", "5", "-1s", "s", "5x", "1e9s", "99999999999999h", "1..5s", "5s5", "∞"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
