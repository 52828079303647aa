//! Which targets didn't accept a connection of late: they are tried last for a while, so that not every player waits for them.

use drawbridge_model::TargetAddress;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a target that failed is remembered.
const MEMORY: Duration = Duration::from_secs(10);

/// The targets that failed, and when they did.
#[derive(Debug, Default)]
pub(crate) struct Unreachable(Mutex<HashMap<TargetAddress, Instant>>);

impl Unreachable {
    /// Whether the target failed of late.
    pub(crate) fn has(&self, address: &TargetAddress, now: Instant) -> bool {
        self.targets().get(address).is_some_and(|failed| now.duration_since(*failed) < MEMORY)
    }

    /// Notes that a target failed; whether that is news.
    pub(crate) fn add(&self, address: &TargetAddress, now: Instant) -> bool {
        let mut targets = self.targets();
        // Whatever discovery names from day to day, no more is kept than what failed just now.
        targets.retain(|_, failed| now.duration_since(*failed) < MEMORY);
        targets.insert(address.clone(), now).is_none()
    }

    /// Notes that a target accepts connections.
    pub(crate) fn remove(&self, address: &TargetAddress) {
        self.targets().remove(address);
    }

    fn targets(&self) -> MutexGuard<'_, HashMap<TargetAddress, Instant>> {
        // Each change is whole, so that what a panic elsewhere left behind is sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_failed_is_remembered_for_a_while() {
        let unreachable = Unreachable::default();
        let [dead, other] = ["a.example.com:1", "b.example.com:1"].map(|address| address.parse().unwrap());
        let now = Instant::now();
        assert!(unreachable.add(&dead, now));
        assert!(unreachable.has(&dead, now + MEMORY / 2));
        assert!(!unreachable.has(&other, now));
        assert!(!unreachable.add(&dead, now + MEMORY / 2), "no news");
        assert!(unreachable.has(&dead, now + MEMORY), "it failed again meanwhile");
        assert!(!unreachable.has(&dead, now + 2 * MEMORY));
        assert!(unreachable.add(&other, now + 2 * MEMORY));
        assert_eq!(unreachable.targets().len(), 1);
        unreachable.remove(&other);
        assert!(!unreachable.has(&other, now + 2 * MEMORY));
    }
}
