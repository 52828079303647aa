//! What a route's `hosts` may be.

use crate::host;
use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;
use thiserror::Error;

/// The longest pattern, in bytes.
const LONGEST: usize = 512;
/// The most memory that one pattern's program may take, in bytes.
const PROGRAM: usize = 64 * 1024;

/// One entry of a route's `hosts`. Two are equal when they stand for the same hosts as far as their text shows it.
///
/// | written | stands for |
/// |---|---|
/// | `play.example.com` | that host |
/// | `*.example.com` | one or more whole labels before `.example.com`; of several, the longest suffix wins |
/// | `eu-*.example.com`, `mc?.example.com` | `*`: any characters, dots too, or none; `?`: any one character |
/// | `~^lobby-\d+\.example\.com$` | what the regular expression behind `~` finds, in any case |
/// | `*` | every host: the default route |
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPattern {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Kind {
    Exact,
    Wildcard,
    Glob { program: String },
    Regex,
    Any,
}

/// A [`HostPattern`] as the table sorts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matching<'a> {
    /// This very host.
    Exact(&'a str),
    /// One or more labels and a dot before this suffix.
    Wildcard(&'a str),
    /// A pattern with `*` or `?`, as a regular expression.
    Glob(&'a str),
    /// A regular expression.
    Regex(&'a str),
    /// Every host.
    Any,
}

/// Why a text is no [`HostPattern`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HostPatternError {
    /// Nothing there.
    #[error("expected a host name, found nothing")]
    Empty,
    /// Longer than any host.
    #[error("longer than {LONGEST} characters")]
    TooLong,
    /// Letters that no client sends.
    #[error("clients send {0:?} in Punycode: write the xn--… form of it")]
    NotAscii(String),
    /// A port, which hosts don't have.
    #[error("a host has no port: write {0:?}")]
    Port(String),
    /// Not the name of a host.
    #[error(
        "{0:?} is no host name: expected labels of letters, digits, hyphens and underscores between dots"
    )]
    NotAHost(String),
    /// A regular expression that can't be read, or is too large.
    #[error("{0}")]
    Regex(String),
}

impl HostPattern {
    /// Every host: `*`.
    #[must_use]
    pub fn any() -> Self {
        Self { text: "*".to_owned(), kind: Kind::Any }
    }

    /// What it stands for.
    #[must_use]
    pub fn matching(&self) -> Matching<'_> {
        match &self.kind {
            Kind::Exact => Matching::Exact(&self.text),
            Kind::Wildcard => Matching::Wildcard(self.text.get(2..).unwrap_or_default()),
            Kind::Glob { program } => Matching::Glob(program),
            Kind::Regex => Matching::Regex(self.text.get(1..).unwrap_or_default()),
            Kind::Any => Matching::Any,
        }
    }
}

impl FromStr for HostPattern {
    type Err = HostPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > LONGEST {
            return Err(HostPatternError::TooLong);
        }
        if let Some(expression) = text.strip_prefix('~') {
            compile(&[expression]).map_err(|error| HostPatternError::Regex(reason(&error)))?;
            return Ok(Self { text: text.to_owned(), kind: Kind::Regex });
        }
        if !text.is_ascii() {
            return Err(HostPatternError::NotAscii(text.to_owned()));
        }
        let cleaned = text.trim_end_matches('.').to_ascii_lowercase();
        if cleaned.is_empty() {
            return Err(HostPatternError::Empty);
        }
        if cleaned == "*" {
            return Ok(Self::any());
        }
        read_name(cleaned)
    }
}

fn read_name(name: String) -> Result<HostPattern, HostPatternError> {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&name);
    if let Ok(address) = bare.parse::<Ipv6Addr>() {
        return Ok(HostPattern { text: address.to_string(), kind: Kind::Exact });
    }
    if let Some((before, port)) = name.rsplit_once(':')
        && port.parse::<u16>().is_ok()
    {
        return Err(HostPatternError::Port(before.to_owned()));
    }
    let suffix = name.strip_prefix("*.").filter(|suffix| !suffix.contains(['*', '?']));
    // A wildcard stands for at least one character.
    let sample = name.replace(['*', '?'], "x");
    if name.contains(':') || !host::is_sane(&sample) {
        return Err(HostPatternError::NotAHost(name));
    }
    let kind = if suffix.is_some() {
        Kind::Wildcard
    } else if name.contains(['*', '?']) {
        Kind::Glob { program: glob_program(&name) }
    } else {
        Kind::Exact
    };
    Ok(HostPattern { text: name, kind })
}

/// The regular expression that means the same.
fn glob_program(glob: &str) -> String {
    let mut program = String::from("^");
    for character in glob.chars() {
        match character {
            '*' => program.push_str(".*"),
            '?' => program.push('.'),
            other => program.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    program.push('$');
    program
}

/// One set of several expressions, bounded in memory by their number.
pub(crate) fn compile(expressions: &[&str]) -> Result<regex::RegexSet, regex::Error> {
    regex::RegexSetBuilder::new(expressions)
        .case_insensitive(true)
        .size_limit(PROGRAM * expressions.len().max(1))
        .dfa_size_limit(PROGRAM * expressions.len().max(1))
        .build()
}

fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "the regular expression is too large".to_owned(),
        other => {
            // The parser draws the expression and a caret on lines of their own; the last line says what is wrong.
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            format!("the regular expression can't be read: {}", last.trim_start_matches("error: "))
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<HostPattern, HostPatternError> {
        text.parse()
    }

    #[test]
    fn kinds_are_told_by_their_form() {
        assert_eq!(read("Play.Example.COM.").unwrap().matching(), Matching::Exact("play.example.com"));
        assert_eq!(read("*.Example.com").unwrap().matching(), Matching::Wildcard("example.com"));
        assert_eq!(read("mc?.example.com").unwrap().matching(), Matching::Glob(r"^mc.\.example\.com$"));
        assert_eq!(read("*.*.com").unwrap().matching(), Matching::Glob(r"^.*\..*\.com$"));
        assert_eq!(read(r"~^Lobby-\d+$").unwrap().matching(), Matching::Regex(r"^Lobby-\d+$"));
        assert_eq!(read("*").unwrap().matching(), Matching::Any);
        assert_eq!(read("*.").unwrap(), HostPattern::any());
        assert_eq!(read("[2001:DB8::0:1]").unwrap().matching(), Matching::Exact("2001:db8::1"));
        assert_eq!(read("127.0.0.1").unwrap().matching(), Matching::Exact("127.0.0.1"));
        assert_eq!(read("EXAMPLE.com.").unwrap(), read("example.com").unwrap());
    }

    #[test]
    fn mistakes_say_what_to_write() {
        let wrong = |text: &str| read(text).unwrap_err().to_string();
        assert!(wrong("").contains("found nothing"));
        assert!(wrong("münchen.de").contains("xn--"));
        assert!(wrong("example.com:25565").contains("write \"example.com\""));
        assert!(wrong("exam ple.com").contains("no host name"));
        assert!(wrong("a..b").contains("no host name"));
        assert!(wrong("~(").contains("unclosed group"));
        assert!(wrong(r"~\w{1000}").contains("too large"));
        assert!(wrong(&"a".repeat(600)).contains("longer than"));
    }
}
