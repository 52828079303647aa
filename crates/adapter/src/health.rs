//! What is known of how targets are, by their addresses: those that failed of late, and those that checks found down, are tried last, so that
//! not every player waits for them.
//!
//! Worked example: a target fails a player at 0 s and is tried last until 10 s; it fails again at 12 s, and is until 32 s; at 40 s, until 80 s;
//! and so on, up to five minutes each. One answer, and all is forgotten. A target that a check found down is tried last until a check finds it
//! up, or is long overdue.
//!
//! What must stay true: nobody is kept from a target that is the only one; what is known is no more than what discovery named of late.

mod checks;

pub use checks::{CheckKind, Checked, Checks, HealthSection};

use drawbridge_model::TargetAddress;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a target that failed once is tried last, and how long at most.
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(300);
/// How often what counts no more is forgotten.
const TIDIED: Duration = Duration::from_secs(1);

/// How all targets are; every clone is the same.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<Known>>);

/// How a target is, as far as anybody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It didn't fail of late, and isn't checked.
    Unknown,
    /// Checks find it up.
    Up,
    /// It failed a player of late.
    Failing,
    /// Checks find it down.
    Down,
}

impl Condition {
    /// The word for logs and answers.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Failing => "failing",
            Self::Down => "down",
        }
    }

    const fn is_tried_last(self) -> bool {
        matches!(self, Self::Failing | Self::Down)
    }
}

#[derive(Debug, Default)]
struct Known {
    targets: HashMap<TargetAddress, Of>,
    tidied: Option<Instant>,
}

/// What is known of one target.
#[derive(Debug, Clone, Copy, Default)]
struct Of {
    failures: Option<Failures>,
    checked: Option<Finding>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    last: Instant,
    /// How long it is tried last, from then on.
    wait: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Finding {
    up: bool,
    /// Until when that counts, if nobody looks again.
    until: Instant,
}

impl Failures {
    fn count(self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) < self.wait
    }

    /// A failure after this long is the first one again.
    fn are_forgotten(self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) >= 2 * self.wait
    }
}

impl Of {
    fn condition(self, now: Instant) -> Condition {
        let checked = self.checked.filter(|checked| now < checked.until).map(|checked| checked.up);
        match (checked, self.failures.is_some_and(|failures| failures.count(now))) {
            (Some(false), _) => Condition::Down,
            (_, true) => Condition::Failing,
            (Some(true), false) => Condition::Up,
            (None, false) => Condition::Unknown,
        }
    }

    fn is_forgotten(self, now: Instant) -> bool {
        self.failures.is_none_or(|failures| failures.are_forgotten(now))
            && self.checked.is_none_or(|checked| checked.until <= now)
    }
}

impl Health {
    /// How the target is.
    #[must_use]
    pub fn of(&self, address: &TargetAddress, now: Instant) -> Condition {
        self.known().targets.get(address).map_or(Condition::Unknown, |of| of.condition(now))
    }

    /// The same targets, those last that had better not be tried; `address` says where each is.
    pub fn last<T>(
        &self,
        targets: impl IntoIterator<Item = T>,
        address: impl Fn(&T) -> &TargetAddress,
    ) -> impl Iterator<Item = T> {
        let now = Instant::now();
        let (bad, good): (Vec<_>, Vec<_>) =
            targets.into_iter().partition(|target| self.of(address(target), now).is_tried_last());
        good.into_iter().chain(bad)
    }

    /// Notes that a target failed; whether that is news.
    #[must_use]
    pub fn failed(&self, address: &TargetAddress, now: Instant) -> bool {
        let mut known = self.known();
        known.tidy(now);
        let failures = &mut known.targets.entry(address.clone()).or_default().failures;
        let Some(failures) = failures.as_mut().filter(|failures| !failures.are_forgotten(now)) else {
            *failures = Some(Failures { last: now, wait: FIRST });
            return true;
        };
        let news = !failures.count(now);
        if news {
            failures.wait = (2 * failures.wait).min(LONGEST);
        }
        // While it counts, further failures are those of players who were on their way.
        failures.last = now;
        news
    }

    /// Notes that a target is there.
    pub fn answered(&self, address: &TargetAddress) {
        let mut known = self.known();
        let Some(of) = known.targets.get_mut(address) else { return };
        of.failures = None;
        if of.checked.is_none() {
            known.targets.remove(address);
        }
    }

    /// Notes what checks found, which counts for `long`.
    fn checked(&self, address: &TargetAddress, up: bool, now: Instant, long: Duration) {
        let mut known = self.known();
        known.tidy(now);
        let of = known.targets.entry(address.clone()).or_default();
        let was_down =
            of.checked.replace(Finding { up, until: now + long }).is_some_and(|checked| !checked.up);
        if up && was_down {
            // What failed while it was down says nothing of how it is now.
            of.failures = None;
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Each change is whole, so that what a panic elsewhere left behind is sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Whatever discovery names from day to day, no more is kept than what counts.
    fn tidy(&mut self, now: Instant) {
        if self.tidied.is_none_or(|tidied| now.saturating_duration_since(tidied) >= TIDIED) {
            self.tidied = Some(now);
            self.targets.retain(|_, of| !of.is_forgotten(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses() -> [TargetAddress; 2] {
        ["a.example.com:1", "b.example.com:1"].map(|address| address.parse().unwrap())
    }

    #[test]
    fn a_target_that_fails_is_tried_last_for_longer_each_time() {
        let health = Health::default();
        let [dead, other] = addresses();
        let mut now = Instant::now();
        for wait in [10, 20, 40, 80, 160, 300, 300].map(Duration::from_secs) {
            assert!(health.failed(&dead, now), "it fails again after a while");
            assert_eq!(health.of(&dead, now + wait.mul_f64(0.9)), Condition::Failing);
            assert_eq!(health.of(&other, now), Condition::Unknown);
            assert_eq!(health.of(&dead, now + wait), Condition::Unknown);
            assert!(!health.failed(&dead, now + wait / 2), "no news");
            now += wait / 2 + wait;
        }
        assert!(health.failed(&dead, now + 2 * LONGEST), "long ago");
        assert_eq!(
            health.of(&dead, now + 2 * LONGEST + FIRST),
            Condition::Unknown,
            "as if for the first time"
        );
        let _ = health.failed(&other, now + 10 * LONGEST);
        assert_eq!(health.known().targets.len(), 1);
        health.answered(&other);
        assert!(health.known().targets.is_empty());
    }

    #[test]
    fn what_a_check_finds_counts_until_the_next_is_overdue() {
        let health = Health::default();
        let ([one, other], now, long) = (addresses(), Instant::now(), Duration::from_secs(30));
        health.checked(&one, false, now, long);
        assert_eq!(health.of(&one, now + long / 2), Condition::Down);
        assert_eq!(health.of(&one, now + long), Condition::Unknown);
        let order: Vec<_> = health.last([one.clone(), other.clone()], |address| address).collect();
        assert_eq!(order, [other.clone(), one.clone()]);
        health.answered(&one);
        assert_eq!(health.of(&one, now), Condition::Down, "a player got in; the checks will see it");
        assert!(health.failed(&one, now));
        health.checked(&one, true, now, long);
        assert_eq!(health.of(&one, now), Condition::Up, "what failed while it was down is forgotten");
        assert!(health.failed(&one, now));
        health.checked(&one, true, now, long);
        assert_eq!(health.of(&one, now), Condition::Failing, "it accepts connections, but served nobody");
        let _ = health.failed(&other, now + 10 * long);
        assert_eq!(health.known().targets.len(), 1, "what is overdue takes no room");
    }
}
