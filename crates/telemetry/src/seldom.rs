//! What is worth a line of the log only once in a while, however often it happens: who brings it about may choose how often.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Permits something once every ten seconds.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<Asked>);

#[derive(Debug, Default)]
struct Asked {
    /// When it was permitted the last time.
    last: Option<Instant>,
    /// How often it wasn't since.
    since: u64,
}

impl Seldom {
    /// Whether it is time again.
    pub fn permits_now(&self) -> bool {
        self.due().is_some()
    }

    /// Whether it is time again at `now`.
    pub fn permits(&self, now: Instant) -> bool {
        self.due_at(now).is_some()
    }

    /// How often it has happened since it was permitted, and now, if it is time again.
    pub fn due(&self) -> Option<u64> {
        self.due_at(Instant::now())
    }

    fn due_at(&self, now: Instant) -> Option<u64> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.since = asked.since.saturating_add(1);
        let last = asked.last.filter(|last| now.saturating_duration_since(*last) < Duration::from_secs(10));
        if last.is_some() {
            return None;
        }
        asked.last = Some(now);
        Some(std::mem::take(&mut asked.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_permitted_again_is_told_how_often_it_happened() {
        let (seldom, begin) = (Seldom::default(), Instant::now());
        let after = |milliseconds| seldom.due_at(begin + Duration::from_millis(milliseconds));
        assert_eq!([0, 1, 9_999, 10_000, 10_001].map(after), [Some(1), None, None, Some(3), None]);
        assert_eq!([20_000, 60_000].map(after), [Some(2), Some(1)]);
    }

    #[test]
    fn it_permits_at_once_and_then_every_ten_seconds_however_often_it_is_asked() {
        let (seldom, start) = (Seldom::default(), Instant::now());
        let permitted: Vec<_> =
            (0..300).filter(|tenths| seldom.permits(start + Duration::from_millis(100 * tenths))).collect();
        assert_eq!(permitted, [0, 100, 200]);
        // What wasn't asked for meanwhile isn't saved up, and a moment before the last isn't a new one.
        assert!(seldom.permits(start + Duration::from_secs(100)));
        assert!(!seldom.permits(start + Duration::from_secs(100)));
        assert!(!seldom.permits(start));
    }
}
