//! How long to wait between attempts: each time twice as long, up to a bound, and spread by chance so that many who fail at
//! once don't come again at once.
//!
//! Worked example with 100 ms and 2 s: about 100, 200, 400, 800 and 1,600 ms, then about 2 s each time; "about" is a quarter
//! more or less, and never more than 2 s.

use crate::backoff;
use std::time::Duration;

/// The waits between attempts.
#[derive(Debug)]
pub struct Waits {
    next: Duration,
    longest: Duration,
}

impl Waits {
    /// From `first` to `longest`.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { next: first, longest }
    }

    /// The next wait, at least what was `asked` for.
    pub fn next(&mut self, asked: Option<Duration>) -> Duration {
        let wait = backoff::spread(self.next, backoff::chance()).min(self.longest);
        self.next = self.next.saturating_mul(2).min(self.longest);
        wait.max(asked.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_are_never_shorter_than_asked() {
        let mut waits = Waits::new(Duration::from_millis(100), Duration::from_secs(2));
        for about in [100, 200, 400, 800, 1_600, 2_000, 2_000] {
            let wait = waits.next(None);
            let about = Duration::from_millis(about);
            assert!(wait >= about.mul_f64(0.75) && wait <= about.mul_f64(1.25), "{wait:?}");
            assert!(wait <= Duration::from_secs(2), "{wait:?}");
        }
        assert_eq!(waits.next(Some(Duration::from_secs(7))), Duration::from_secs(7));
    }
}
