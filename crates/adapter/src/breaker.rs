//! A circuit breaker: whoever fails several times in a row isn't asked for a while; see [`Backoff`].

use crate::backoff::{Backoff, Leave, chance};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How somebody who is asked is doing.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<Backoff>);

/// A question under way. When it is dropped without an outcome, nobody waited for it.
#[derive(Debug)]
#[must_use = "its outcome is to be told"]
pub struct Asking<'a> {
    breaker: &'a Breaker,
    leave: Option<Leave>,
}

impl Breaker {
    /// How long nobody will be asked, while that is known.
    #[must_use]
    pub fn waiting(&self) -> Option<Duration> {
        self.backoff().waiting(Instant::now())
    }

    /// Leave to ask now.
    ///
    /// # Errors
    /// How long nobody will be asked.
    pub fn ask(&self) -> Result<Asking<'_>, Duration> {
        let leave = self.backoff().leave(Instant::now())?;
        Ok(Asking { breaker: self, leave: Some(leave) })
    }

    fn backoff(&self) -> MutexGuard<'_, Backoff> {
        // Each change is whole, so that what a panic elsewhere left behind is sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asking<'_> {
    /// It answered.
    pub fn succeeded(mut self) {
        if let Some(leave) = self.leave.take() {
            self.breaker.backoff().succeeded(leave);
        }
    }

    /// It failed, and perhaps asks not to be asked for a while. The wait that this failure begins, if it does.
    pub fn failed(mut self, asked: Option<Duration>) -> Option<Duration> {
        let leave = self.leave.take()?;
        self.breaker.backoff().failed(leave, Instant::now(), asked, chance())
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(leave) = self.leave.take() {
            self.breaker.backoff().abandoned(leave, Instant::now());
        }
    }
}
