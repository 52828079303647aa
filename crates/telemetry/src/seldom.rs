//! What is worth a line of the log only once in a while, however often it happens: who brings it about may choose how often.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Permits something once every ten seconds.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<Option<Instant>>);

impl Seldom {
    /// Whether it is time again.
    pub fn permits_now(&self) -> bool {
        self.permits(Instant::now())
    }

    /// Whether it is time again at `now`.
    pub fn permits(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let permits = last.is_none_or(|last| now.saturating_duration_since(last) >= Duration::from_secs(10));
        if permits {
            *last = Some(now);
        }
        permits
    }
}
