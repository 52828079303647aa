//! Which versions a route takes, as written in the configuration: `">=766"`, `"1.20.5..=1.21.4"`, `"1.21.1, 1.21.4"`.
//!
//! Ends are kept as numbers, inclusive; the alternatives are sorted and share nothing.

use std::{fmt, str::FromStr};

use super::ProtocolVersion;

/// A set of versions: one or more alternatives, separated by commas, each of them one of
///
/// | written | means |
/// |---|---|
/// | `1.21.4`, `=1.21.4`, `769` | that one |
/// | `>=766`, `>766`, `766..` | it and newer, or only newer |
/// | `<=769`, `<769`, `..=769`, `..769` | it and older, or only older |
/// | `766..=769`, `766..769` | from the first to the second, with the second or without it |
///
/// where a version is a protocol number or the name of a release. Alternatives must not overlap: `>=766, <770` would be
/// everything, and is almost surely meant as `766..770`.
///
/// A snapshot is in no open range, since its number says nothing about its age; it can be named by its number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VersionRange {
    parts: Vec<Part>,
}

/// From `first` to `last`, both included; `i32::MIN` and `i32::MAX` stand for an open end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Part {
    first: i32,
    last: i32,
}

/// Why a text is no [`VersionRange`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionRangeError {
    /// Nothing stands before or after a comma, or in the whole text.
    #[error("expected a version, found nothing")]
    Empty,
    /// Neither a number nor a known release.
    #[error("unknown version {0:?}: expected a protocol number such as 766, or a release such as 1.20.5")]
    UnknownVersion(String),
    /// No version is in the range.
    #[error("no version is in {0:?}")]
    NothingInside(String),
    /// Two alternatives share versions.
    #[error(
        "{0:?} and {1:?} overlap: a comma means \"or\"; write a range with both ends as in 1.20.5..=1.21.4"
    )]
    Overlap(String, String),
}

impl VersionRange {
    /// Whether a client of this version is taken.
    pub fn contains(&self, version: ProtocolVersion) -> bool {
        self.parts.iter().any(|part| part.contains(version))
    }
}

impl Part {
    const fn single(number: i32) -> Self {
        Self { first: number, last: number }
    }

    fn contains(&self, version: ProtocolVersion) -> bool {
        let open = self.first == i32::MIN || self.last == i32::MAX;
        (self.first..=self.last).contains(&version.number()) && !(open && version.is_snapshot())
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// The name of the first release with the number, or the number.
fn release_of(number: i32) -> String {
    ProtocolVersion(number).release().map_or_else(|| number.to_string(), |release| release.first.to_owned())
}

impl FromStr for VersionRange {
    type Err = VersionRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts: Vec<(Part, &str)> = Vec::new();
        for text in text.split(',').map(str::trim) {
            let part = parse_part(text)?;
            if let Some((_, other)) = parts.iter().find(|(other, _)| other.overlaps(&part) && *other != part)
            {
                return Err(VersionRangeError::Overlap((*other).to_owned(), text.to_owned()));
            }
            parts.push((part, text));
        }
        let mut parts: Vec<Part> = parts.into_iter().map(|(part, _)| part).collect();
        parts.sort_unstable();
        parts.dedup();
        Ok(Self { parts })
    }
}

fn parse_part(text: &str) -> Result<Part, VersionRangeError> {
    if text.is_empty() {
        return Err(VersionRangeError::Empty);
    }
    let part = if let Some((first, last)) = text.split_once("..") {
        let first = if first.is_empty() { Some(i32::MIN) } else { parse_version(first).map(Some)? };
        let last = match last.strip_prefix('=') {
            Some(last) => Some(parse_version(last)?),
            None if last.is_empty() => Some(i32::MAX),
            None => before(parse_version(last)?),
        };
        first.zip(last)
    } else if let Some(version) = text.strip_prefix(">=") {
        Some((parse_version(version)?, i32::MAX))
    } else if let Some(version) = text.strip_prefix('>') {
        after(parse_version(version)?).map(|first| (first, i32::MAX))
    } else if let Some(version) = text.strip_prefix("<=") {
        Some((i32::MIN, parse_version(version)?))
    } else if let Some(version) = text.strip_prefix('<') {
        before(parse_version(version)?).map(|last| (i32::MIN, last))
    } else {
        return parse_version(text.strip_prefix('=').unwrap_or(text)).map(Part::single);
    };
    // There are no negative versions; the greatest number is no version either.
    part.filter(|&(first, last)| first <= last && last >= 0 && first < i32::MAX)
        .map(|(first, last)| Part { first, last })
        .ok_or_else(|| VersionRangeError::NothingInside(text.to_owned()))
}

fn before(number: i32) -> Option<i32> {
    number.checked_sub(1)
}

fn after(number: i32) -> Option<i32> {
    number.checked_add(1)
}

/// A protocol number, never negative, or a release's.
fn parse_version(text: &str) -> Result<i32, VersionRangeError> {
    let text = text.trim();
    let number = if text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().ok()
    } else {
        ProtocolVersion::of_release(text).map(ProtocolVersion::number)
    };
    // The greatest number stands for an open end and is no version of anything.
    number.filter(|&number| number < i32::MAX).ok_or_else(|| match text {
        "" => VersionRangeError::Empty,
        text => VersionRangeError::UnknownVersion(text.to_owned()),
    })
}

/// In the form of the configuration, with names where there are any: `>=1.20.5`.
impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            let (first, last) = (release_of(part.first), release_of(part.last));
            match (part.first, part.last) {
                (i32::MIN, i32::MAX) => f.write_str("..")?,
                (i32::MIN, _) => write!(f, "<={last}")?,
                (_, i32::MAX) => write!(f, ">={first}")?,
                _ if part.first == part.last => f.write_str(&first)?,
                _ => write!(f, "{first}..={last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn contained(text: &str) -> Vec<i32> {
        let range: VersionRange = text.parse().unwrap();
        super::super::RELEASES
            .iter()
            .map(|release| release.version.number())
            .filter(|&number| number >= 764 && range.contains(ProtocolVersion(number)))
            .collect()
    }

    #[test]
    fn every_form_means_what_it_says() {
        assert_eq!(contained(">=775"), [775, 776, 777]);
        assert_eq!(contained(">26.1"), [776, 777]);
        assert_eq!(contained("<=1.20.4"), [764, 765]);
        assert_eq!(contained("< 766"), [764, 765]);
        assert_eq!(contained("766..=768"), [766, 767, 768]);
        assert_eq!(contained("1.20.5 .. 1.21.4"), [766, 767, 768]);
        assert_eq!(contained("26.2.."), [776, 777]);
        assert_eq!(contained("..766"), [764, 765]);
        assert_eq!(contained("..=766"), [764, 765, 766]);
        assert_eq!(contained("=1.21.1, 1.21.4"), [767, 769]);
        assert_eq!(contained("1.20.5, 1.20.6"), [766]);
        assert_eq!(contained("..").len(), 14);
    }

    #[test]
    fn mistakes_are_told_apart() {
        let error = |text: &str| text.parse::<VersionRange>().unwrap_err();
        assert_eq!(error(""), VersionRangeError::Empty);
        assert_eq!(error(">="), VersionRangeError::Empty);
        assert_eq!(error("766,"), VersionRangeError::Empty);
        assert_eq!(error("1.99"), VersionRangeError::UnknownVersion("1.99".to_owned()));
        assert_eq!(error("-5"), VersionRangeError::UnknownVersion("-5".to_owned()));
        assert_eq!(error(">>5"), VersionRangeError::UnknownVersion(">5".to_owned()));
        assert_eq!(error("99999999999"), VersionRangeError::UnknownVersion("99999999999".to_owned()));
        for text in ["770..766", "766..766", "<0", "..0", ">2147483646"] {
            assert_eq!(error(text), VersionRangeError::NothingInside(text.to_owned()));
        }
        assert!(matches!(error(">=766, <770"), VersionRangeError::Overlap(..)));
    }

    #[test]
    fn snapshots_are_only_in_closed_ranges() {
        let snapshot = ProtocolVersion(0x4000_0000 | 300);
        let contains = |text: &str| text.parse::<VersionRange>().unwrap().contains(snapshot);
        assert!(!contains(">=766"));
        assert!(!contains(".."));
        assert!(contains(&snapshot.number().to_string()));
        assert!("766..".parse::<VersionRange>().unwrap().contains(ProtocolVersion(1_000)));
    }

    #[test]
    fn it_is_shown_with_names() {
        let range: VersionRange = "47, 766..=769, >=775".parse().unwrap();
        assert_eq!(range.to_string(), "1.8, 1.20.5..=1.21.4, >=26.1");
        assert_eq!("=1000".parse::<VersionRange>().unwrap().to_string(), "1000");
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(parts in prop::collection::vec((0i32..900, 0i32..30), 1..5), open: bool) {
            let mut texts = Vec::new();
            let mut end = 0;
            for (gap, length) in parts {
                let first = end + gap;
                end = first + length + 1;
                texts.push(format!("{first}..{end}"));
            }
            if open {
                texts.push(format!(">={}", end + 1));
            }
            let range: VersionRange = texts.join(",").parse().unwrap();
            prop_assert_eq!(range.to_string().parse::<VersionRange>().unwrap(), range);
        }

        #[test]
        fn no_text_panics(text in "[0-9.,<>= a]{0,24}|[<>=.]{0,3}(0|214748364[5-8]|1\\.8)[<>=.]{0,3}") {
            if let Ok(range) = text.parse::<VersionRange>() {
                prop_assert_eq!(range.to_string().parse::<VersionRange>().unwrap(), range);
            }
        }
    }
}
