//! What the log says of a configuration: what is wrong with it, and what wasn't taken over.
//!
//! Whoever changes a file or orders a reload is told all of it. What providers have changes by itself, many times an hour where containers
//! come and go: then only what is new is told, or what hasn't been so for a while.
//!
//! What must stay true: reloads that nobody asked for tell all that is new, and nothing again that is so still.

use crate::provided::Provided;
use crate::settings::Broken;
use drawbridge_config::{Diagnostic, Diagnostics, Error, Severity};
use drawbridge_telemetry::in_full;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How long something that isn't so any more is remembered, lest whoever comes and goes is told of each time.
const REMEMBERED: Duration = Duration::from_secs(600);
/// The most that is remembered of what isn't so any more.
const MOST: usize = 10_000;

/// Why a configuration is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// Somebody has written a file, started the edge or ordered a reload.
    Asked,
    /// A provider has other documents.
    Provided,
}

/// What has been told of.
#[derive(Debug)]
pub(crate) struct Told {
    /// When each line was true last.
    lines: HashMap<String, Seen>,
    reading: u64,
    occasion: Occasion,
    now: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    reading: u64,
    at: Instant,
}

impl Told {
    /// Nothing.
    pub(crate) fn nothing() -> Self {
        Self { lines: HashMap::new(), reading: 0, occasion: Occasion::Asked, now: Instant::now() }
    }

    /// A configuration is read: what is told from now on is about this one.
    pub(crate) fn begin(&mut self, occasion: Occasion) {
        self.begin_at(occasion, Instant::now());
    }

    /// Somebody has written a file that comes along: they are told all of it.
    pub(crate) const fn ask(&mut self) {
        self.occasion = Occasion::Asked;
    }

    fn begin_at(&mut self, occasion: Occasion, now: Instant) {
        let last = self.reading;
        self.lines.retain(|_, seen| seen.reading == last || now.duration_since(seen.at) < REMEMBERED);
        if self.lines.len() > MOST {
            self.lines.retain(|_, seen| seen.reading == last);
        }
        (self.reading, self.occasion, self.now) = (last + 1, occasion, now);
    }

    /// Whether this is to be told.
    fn is_due(&mut self, line: String) -> bool {
        let seen = Seen { reading: self.reading, at: self.now };
        let before = self.lines.insert(line, seen);
        self.occasion == Occasion::Asked || before.is_none()
    }

    /// What is unwise about it.
    pub(crate) fn warnings(&mut self, diagnostics: &Diagnostics) {
        for warning in self.due(diagnostics, Severity::Warning) {
            let (reason, help) = (warning.reason(), warning.advice());
            tracing::warn!(at = %warning.origin(), reason, help, "{}", warning.message());
        }
    }

    /// What is wrong with it.
    pub(crate) fn mistakes(&mut self, diagnostics: &Diagnostics) {
        for mistake in self.due(diagnostics, Severity::Error) {
            let (reason, help) = (mistake.reason(), mistake.advice());
            tracing::error!(at = %mistake.origin(), reason, help, "{}", mistake.message());
        }
    }

    fn due<'d>(&mut self, diagnostics: &'d Diagnostics, severity: Severity) -> Vec<&'d Diagnostic> {
        let these = diagnostics.iter().filter(|diagnostic| diagnostic.severity() == severity);
        these.filter(|diagnostic| self.is_due(diagnostic.to_string())).collect()
    }

    /// Why it can't be used.
    pub(crate) fn failure(&mut self, error: &Error) {
        match error {
            Error::Invalid(diagnostics) => self.mistakes(diagnostics),
            error => {
                let error = in_full(error);
                if self.is_due(error.clone()) {
                    tracing::error!("{error}");
                }
            }
        }
    }

    /// It was to take the place of another one, and can't be used.
    pub(crate) fn not_reloaded(&mut self, error: &Error) {
        self.failure(error);
        if self.is_due("not reloaded".to_owned()) {
            tracing::error!("the configuration was not reloaded: what ran goes on running");
        }
    }

    /// It has no route.
    pub(crate) fn no_route(&mut self) {
        if self.is_due("no route".to_owned()) {
            tracing::warn!("there is no route: the built-in one takes all hosts and has no target");
        }
    }

    /// Route files, and documents of providers, that weren't taken over.
    pub(crate) fn left_out(&mut self, broken: &Broken, provided: &Provided) {
        broken.mistakes.iter().for_each(|mistakes| self.mistakes(mistakes));
        let names = provided.names();
        for file in broken.stand_ins.files() {
            if !self.is_due(format!("{file} was left out")) {
                continue;
            }
            if names.contains(file) {
                tracing::error!(
                    document = file,
                    "what a provider has was not taken over: its routes stay as they last held, if they did"
                );
            } else {
                tracing::error!(file, "a route file was not reloaded: its routes stay as they were");
            }
        }
    }

    /// Keys that were changed and count from the next start on.
    pub(crate) fn read_at_start(&mut self, key: &str) {
        if self.is_due(format!("{key} is read at start")) {
            tracing::warn!("{key} is read at start: restart the edge to change it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_providers_change_tells_only_of_news() {
        let mut told = Told::nothing();
        let start = Instant::now();
        told.begin_at(Occasion::Asked, start);
        assert!(told.is_due("file".to_owned()));
        for number in 1..1_000 {
            told.begin_at(Occasion::Provided, start + number * REMEMBERED);
            assert!(!told.is_due("file".to_owned()), "it was told, and is so still");
            assert!(told.is_due(format!("container {number}")));
        }
        assert!(told.lines.len() < 4, "what isn't so any more is forgotten");
        told.begin_at(Occasion::Asked, start + 1_000 * REMEMBERED);
        assert!(told.is_due("file".to_owned()), "whoever asks is told");
    }

    #[test]
    fn what_comes_and_goes_is_told_once_in_a_while() {
        let mut told = Told::nothing();
        let start = Instant::now();
        let mut times = 0;
        for second in 0..600 {
            told.begin_at(Occasion::Provided, start + Duration::from_secs(second));
            if second % 2 == 0 {
                times += u32::from(told.is_due("it restarts all the time".to_owned()));
            }
        }
        assert_eq!(times, 1);
        told.begin_at(Occasion::Provided, start + Duration::from_secs(600) + REMEMBERED);
        assert!(told.is_due("it restarts all the time".to_owned()));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let mut told = Told::nothing();
        let now = Instant::now();
        told.begin_at(Occasion::Provided, now);
        for number in 0..=MOST {
            assert!(told.is_due(number.to_string()));
        }
        told.begin_at(Occasion::Provided, now);
        assert!(!told.is_due("0".to_owned()), "what was so a moment ago is remembered");
        told.begin_at(Occasion::Provided, now);
        assert_eq!(told.lines.len(), 1);
    }
}
