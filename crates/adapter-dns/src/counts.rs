//! What is counted for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// What became of all questions of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Answers that came, those that there is nothing included.
    pub answered: u64,
    /// Questions that no name server answered.
    pub failed: u64,
    /// Players who were given targets of an answer that should have been renewed by then.
    pub stale: u64,
    /// Hosts of SRV records that were left out because they have no address.
    pub left_out: u64,
}

/// Counts.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    pub(crate) answered: Count,
    pub(crate) failed: Count,
    pub(crate) stale: Count,
    pub(crate) left_out: Count,
}

/// One number.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counting {
    pub(crate) fn counts(&self) -> Counts {
        let Self { answered, failed, stale, left_out } = self;
        Counts {
            answered: answered.now(),
            failed: failed.now(),
            stale: stale.now(),
            left_out: left_out.now(),
        }
    }
}
