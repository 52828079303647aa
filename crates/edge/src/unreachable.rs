//! Which targets failed of late: they are tried last for a while, so that not every player waits for them.
//!
//! Worked example: a target fails at 0 s and is tried last until 10 s; it fails again at 12 s, and is until 32 s; at 40 s, until 80 s; and so
//! on, up to five minutes each. One answer, and all is forgotten.

use drawbridge_model::TargetAddress;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a target that failed once is tried last, and how long at most.
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(300);

/// The targets that failed.
#[derive(Debug, Default)]
pub(crate) struct Unreachable(Mutex<HashMap<TargetAddress, Failures>>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    last: Instant,
    /// How long it is tried last, from then on.
    wait: Duration,
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

impl Unreachable {
    /// Whether the target failed of late.
    fn has(&self, address: &TargetAddress, now: Instant) -> bool {
        self.targets().get(address).is_some_and(|failures| failures.count(now))
    }

    /// The same targets, those last that failed of late; `address` says where each is.
    pub(crate) fn last<T>(
        &self,
        targets: impl IntoIterator<Item = T>,
        address: impl Fn(&T) -> &TargetAddress,
    ) -> impl Iterator<Item = T> {
        let now = Instant::now();
        let (failed, fresh): (Vec<_>, Vec<_>) =
            targets.into_iter().partition(|target| self.has(address(target), now));
        fresh.into_iter().chain(failed)
    }

    /// Notes that a target failed; whether that is news.
    pub(crate) fn add(&self, address: &TargetAddress, now: Instant) -> bool {
        let mut targets = self.targets();
        // Whatever discovery names from day to day, no more is kept than what failed of late.
        targets.retain(|_, failures| !failures.are_forgotten(now));
        let Some(failures) = targets.get_mut(address) else {
            targets.insert(address.clone(), Failures { last: now, wait: FIRST });
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
    pub(crate) fn remove(&self, address: &TargetAddress) {
        self.targets().remove(address);
    }

    fn targets(&self) -> MutexGuard<'_, HashMap<TargetAddress, Failures>> {
        // Each change is whole, so that what a panic elsewhere left behind is sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_fails_is_tried_last_for_longer_each_time() {
        let unreachable = Unreachable::default();
        let [dead, other] = ["a.example.com:1", "b.example.com:1"].map(|address| address.parse().unwrap());
        let mut now = Instant::now();
        for wait in [10, 20, 40, 80, 160, 300, 300].map(Duration::from_secs) {
            assert!(unreachable.add(&dead, now), "it fails again after a while");
            assert!(unreachable.has(&dead, now + wait.mul_f64(0.9)) && !unreachable.has(&other, now));
            assert!(!unreachable.has(&dead, now + wait));
            assert!(!unreachable.add(&dead, now + wait / 2), "no news");
            now += wait / 2 + wait;
        }
        assert!(unreachable.add(&dead, now + 2 * LONGEST), "long ago");
        assert!(!unreachable.has(&dead, now + 2 * LONGEST + FIRST), "as if for the first time");
        unreachable.add(&other, now + 10 * LONGEST);
        assert_eq!(unreachable.targets().len(), 1);
        unreachable.remove(&other);
        assert!(unreachable.targets().is_empty());
    }
}
