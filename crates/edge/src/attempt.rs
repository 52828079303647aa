//! A target that is tried for a player, and what is remembered of how that went.

use drawbridge_model::Target;
use drawbridge_routing::Route;
use std::fmt;
use std::io;
use std::time::{Duration, Instant};

/// The most targets that are tried for a player.
pub(crate) const TRIED: usize = 8;

/// A target that is asked.
pub(crate) struct Attempt<'a> {
    route: &'a Route,
    target: &'a Target,
    /// How long players may wait for it whose leaving says nothing about it.
    long: Duration,
    /// How long it took until now, and since when it takes longer, as long as it isn't known what came of it.
    took: Duration,
    since: Option<Instant>,
}

impl<'a> Attempt<'a> {
    /// It may take so long to answer.
    pub(crate) fn begin(route: &'a Route, target: &'a Target, answer: Duration) -> Self {
        Self { route, target, long: answer / 2, took: Duration::ZERO, since: Some(Instant::now()) }
    }

    /// From here on it is waited for by nobody: it is the client's turn.
    pub(crate) fn pause(&mut self) {
        self.took += self.since.take().map(|since| since.elapsed()).unwrap_or_default();
    }

    /// It is its turn again.
    pub(crate) fn resume(&mut self) {
        self.since = Some(Instant::now());
    }

    /// It has answered.
    pub(crate) fn answered(mut self) {
        self.since = None;
        self.route.health.answered(&self.target.address);
    }

    /// It hasn't, for this reason; whether that says something about it.
    pub(crate) fn failed(mut self, why: &dyn fmt::Display, is_its_fault: bool) {
        self.since = None;
        if is_its_fault {
            self.note(why);
        }
    }

    fn note(&self, why: &dyn fmt::Display) {
        let Target { identifier, address, .. } = self.target;
        if self.route.health.failed(address, Instant::now()) {
            tracing::warn!(route = self.route.name, target = identifier, %address, error = %why, "a target can't be reached");
        }
    }
}

/// Players don't wait to the end for one that hangs: the next ones had better begin elsewhere.
impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.since.is_some_and(|since| self.took + since.elapsed() >= self.long) {
            self.note(&"the player had enough of waiting for it");
        }
    }
}

/// Whether an error says something about the target. That it closes without a word may be the client's doing: what it is told are the
/// client's bytes. And nobody here may be at fault but this system.
pub(crate) fn is_targets_fault(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionRefused | Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::TimedOut
    )
}
