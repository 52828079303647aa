//! What stands between a route and an adapter that asks somebody else: a deadline for every question, and mostly a [`Breaker`].
//!
//! What must stay true: whoever waits behind a guard gets an answer or an error within its time, whatever the other side does.

use crate::breaker::Breaker;
use drawbridge_model::{ActionError, AdapterError, AuthenticationError};
use drawbridge_telemetry::Seldom;
use drawbridge_telemetry::metrics::{self, Answer, Asking};
use std::time::Duration;
use tokio::time::timeout;

/// How much longer a guard waits than what it stands before where that has a deadline of its own, and knows better why there is no answer.
pub const MARGIN: Duration = Duration::from_millis(100);

/// Where an adapter stands, as the log names it.
#[derive(Debug, Clone, Default)]
pub struct Post {
    /// Its route.
    pub route: String,
    /// Its action, where it is one.
    pub action: Option<String>,
}

/// Stands before one adapter.
#[derive(Debug)]
pub struct Guard {
    post: Post,
    /// How often the log says that the adapter fails.
    failing: Seldom,
    /// What it is asked: `discovery`, say.
    asked: &'static str,
    /// Its `type`.
    kind: &'static str,
    timeout: Duration,
    breaker: Option<Breaker>,
}

/// An error that may be an adapter's giving no answer.
pub trait Failure: From<AdapterError> {
    /// Why there is no answer; `None`: it is one.
    fn failure(&self) -> Option<&AdapterError>;
}

impl Failure for AdapterError {
    fn failure(&self) -> Option<&AdapterError> {
        Some(self)
    }
}

impl Failure for ActionError {
    fn failure(&self) -> Option<&AdapterError> {
        match self {
            Self::Refused(_) => None,
            Self::Unavailable(error) => Some(error),
        }
    }
}

impl Failure for AuthenticationError {
    fn failure(&self) -> Option<&AdapterError> {
        match self {
            Self::Denied | Self::Refused(_) => None,
            Self::Unavailable(error) => Some(error),
        }
    }
}

impl Guard {
    /// Before an adapter at this post that is asked for `asked`, is of this `kind`, and has `timeout` for each answer.
    #[must_use]
    pub fn new(post: Post, asked: &'static str, kind: &'static str, timeout: Duration) -> Self {
        let breaker = Some(Breaker::default());
        Self { breaker, ..Self::without_breaker(post, asked, kind, timeout) }
    }

    /// Before one that answers from what it has asked by itself: it is asked however often it failed, as that costs nobody
    /// anything, and is back as soon as it has an answer.
    #[must_use]
    pub fn without_breaker(post: Post, asked: &'static str, kind: &'static str, timeout: Duration) -> Self {
        Self { post, failing: Seldom::default(), asked, kind, timeout, breaker: None }
    }

    /// The `type` of the adapter behind it.
    pub(crate) const fn kind(&self) -> &'static str {
        self.kind
    }

    /// Says in the log, once in a while, that the adapter fails and what becomes of that.
    pub fn tell(&self, error: &AdapterError, consequence: &str) {
        if self.failing.permits_now() {
            let Self { post: Post { route, action }, asked, kind, .. } = self;
            tracing::warn!(route, action, asked, kind, %error, "{consequence}");
        }
    }

    /// Asks, unless the adapter failed of late. Dropping the future drops the question.
    ///
    /// # Errors
    /// Those of the question, and when there is no answer in time.
    pub async fn ask<T, E: Failure>(&self, question: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let measured = Asking::begin(self.asked, self.kind);
        let answer = self.ask_breaker(question).await;
        measured.end(Answer::of(&answer, E::failure));
        answer
    }

    async fn ask_breaker<T, E: Failure>(&self, question: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let asking = match &self.breaker {
            Some(breaker) => Some(breaker.ask().map_err(AdapterError::BackingOff)?),
            None => None,
        };
        let answer = timeout(self.timeout, question).await;
        let answer = answer.unwrap_or_else(|_| Err(AdapterError::TimedOut(self.timeout).into()));
        let Some(asking) = asking else { return answer };
        let wait = match answer.as_ref().err().and_then(Failure::failure) {
            Some(AdapterError::Unreachable(_) | AdapterError::TimedOut(_)) => asking.failed(None),
            Some(AdapterError::BackingOff(wait)) => asking.failed(Some(*wait)),
            None | Some(AdapterError::Answer(_)) => {
                asking.succeeded();
                None
            }
        };
        if let Some(wait) = wait {
            let Self { post: Post { route, action }, asked, kind, .. } = self;
            metrics::breaker_opened(asked, kind);
            tracing::warn!(
                route,
                action,
                asked,
                kind,
                ?wait,
                "the adapter fails and isn't asked for a while"
            );
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    async fn outcome(guard: &Guard, answer: Result<u8, AdapterError>) -> Result<u8, AdapterError> {
        guard.ask(ready(answer)).await
    }

    #[tokio::test]
    async fn who_says_nothing_is_not_waited_for_and_then_not_asked() {
        let guard = Guard::new(Post::default(), "discovery", "test", Duration::from_millis(10));
        for _ in 0..3 {
            let silent = guard.ask::<u8, AdapterError>(pending()).await;
            assert_eq!(silent, Err(AdapterError::TimedOut(Duration::from_millis(10))));
        }
        assert!(matches!(outcome(&guard, Ok(1)).await, Err(AdapterError::BackingOff(_))));
    }

    #[tokio::test]
    async fn without_a_breaker_failing_changes_nothing() {
        let guard = Guard::without_breaker(Post::default(), "discovery", "test", Duration::from_millis(10));
        for _ in 0..10 {
            let silent = guard.ask::<u8, AdapterError>(pending()).await;
            assert_eq!(silent, Err(AdapterError::TimedOut(Duration::from_millis(10))));
        }
        assert_eq!(outcome(&guard, Ok(1)).await, Ok(1));
    }

    #[tokio::test]
    async fn nonsense_is_an_answer_and_a_question_dropped_is_none() {
        let guard = Guard::new(Post::default(), "action", "test", Duration::from_secs(5));
        let nonsense = AdapterError::Answer("what".into());
        let gone = AdapterError::Unreachable("gone".into());
        for _ in 0..10 {
            assert_eq!(outcome(&guard, Err(nonsense.clone())).await, Err(nonsense.clone()));
            drop(guard.ask::<u8, AdapterError>(pending()));
            assert_eq!(outcome(&guard, Err(gone.clone())).await, Err(gone.clone()));
            assert_eq!(outcome(&guard, Ok(1)).await, Ok(1));
        }
    }
}
