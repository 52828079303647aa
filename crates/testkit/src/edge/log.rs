//! The edge's log: what it writes to standard error, line by line.

use serde_json::Value;
use std::fmt;
use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A line of the log.
#[derive(Debug, Clone)]
pub struct Line {
    text: String,
    json: Option<Value>,
}

impl Line {
    fn new(text: String) -> Self {
        let json = serde_json::from_str(&text).ok();
        Self { text, json }
    }

    /// The line as it came.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it says, without its fields.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.value("message")?.as_str()
    }

    /// A field of the event or of a span around it, as text; numbers and booleans too. Where the log isn't JSON, one without
    /// blanks.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        if self.json.is_none() {
            let mut words = self.text.split_whitespace();
            return words.find_map(|word| Some(word.strip_prefix(name)?.strip_prefix('=')?.to_owned()));
        }
        let value = self.value(name)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    /// How loud it is, such as `WARN`.
    #[must_use]
    pub fn level(&self) -> Option<&str> {
        self.json.as_ref()?.get("level")?.as_str()
    }

    fn value(&self, name: &str) -> Option<&Value> {
        let json = self.json.as_ref()?;
        let places = [json.get("fields"), Some(json), json.get("span")];
        let inner = places.into_iter().flatten().find_map(|place| place.get(name));
        inner.or_else(|| json.get("spans")?.as_array()?.iter().rev().find_map(|span| span.get(name)))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// All lines so far, and more to come.
#[derive(Debug, Default)]
pub(super) struct Log {
    so_far: Mutex<SoFar>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct SoFar {
    lines: Vec<Line>,
    ended: bool,
}

impl Log {
    /// Reads lines until their source ends.
    pub(super) fn follow(source: impl Read + Send + 'static) -> Arc<Self> {
        let log = Arc::new(Self::default());
        let followed = Arc::clone(&log);
        std::thread::spawn(move || {
            let mut source = BufReader::new(source);
            let mut bytes = Vec::new();
            while source.read_until(b'\n', &mut bytes).is_ok_and(|size| size > 0) {
                let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
                bytes.clear();
                followed.so_far().lines.push(Line::new(text));
                followed.more.notify_all();
            }
            followed.so_far().ended = true;
            followed.more.notify_all();
        });
        log
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        self.so_far().lines.clone()
    }

    /// The first line that `is` recognises; `None` when there is none by the deadline, or the source has ended.
    pub(super) fn wait_for(&self, patience: Duration, is: impl Fn(&Line) -> bool) -> Option<Line> {
        let deadline = Instant::now() + patience;
        let mut looked_at = 0;
        let mut so_far = self.so_far();
        loop {
            if let Some(line) = so_far.lines[looked_at..].iter().find(|line| is(line)) {
                return Some(line.clone());
            }
            looked_at = so_far.lines.len();
            let left = deadline.saturating_duration_since(Instant::now());
            if so_far.ended || left.is_zero() {
                return None;
            }
            so_far = self.more.wait_timeout(so_far, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn so_far(&self) -> MutexGuard<'_, SoFar> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last lines, as they came.
impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 200;
        let so_far = self.so_far();
        let hidden = so_far.lines.len().saturating_sub(SHOWN);
        if hidden > 0 {
            writeln!(f, "({hidden} lines before)")?;
        }
        so_far.lines[hidden..].iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_event_and_spans() {
        let log = Log::follow(
            br#"{"level":"INFO","fields":{"message":"listening","address":"127.0.0.1:1"},"spans":[{"client":"x","port":1}]}"#
                .as_slice(),
        );
        let line = log.wait_for(Duration::from_secs(5), |line| line.message() == Some("listening")).unwrap();
        assert_eq!(line.field("address").as_deref(), Some("127.0.0.1:1"));
        assert_eq!(line.field("port").as_deref(), Some("1"));
        assert_eq!(line.level(), Some("INFO"));
        assert!(log.wait_for(Duration::from_secs(5), |line| line.message() == Some("gone")).is_none());
        let pretty = Line::new("2026-01-01T00:00:00Z  INFO listening address=127.0.0.1:1".to_owned());
        assert_eq!(pretty.field("address").as_deref(), Some("127.0.0.1:1"));
        assert_eq!(pretty.field("port"), None);
    }
}
