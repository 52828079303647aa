//! Waiting for what can only be looked at, not listened to.

use std::time::{Duration, Instant};

/// How often it is looked.
const INTERVAL: Duration = Duration::from_millis(5);

/// Looks until `look` finds something, or `patience` is over: then `None`.
pub fn eventually<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        let found = look();
        if found.is_some() || Instant::now() >= deadline {
            return found;
        }
        std::thread::park_timeout(INTERVAL);
    }
}
