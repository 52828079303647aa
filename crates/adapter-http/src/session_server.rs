//! A session server: its connections, how many calls are under way, and how it is doing. One for each URL, whatever
//! routes and snapshots name it.

use crate::client::{Answer, Client};
use crate::location::BaseUrl;
use crate::tls::Tls;
use drawbridge_adapter::backoff;
use drawbridge_adapter::breaker::{Asking, Breaker};
use drawbridge_model::{AdapterError, TraceContext};
use drawbridge_telemetry::metrics;
use hyper::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout_at;

/// The most calls under way; more wait.
const CALLS: usize = 256;
/// The most bytes of an answer; a profile with its textures has some 2,000.
pub(crate) const LARGEST: usize = 64 * 1024;

/// A session server.
#[derive(Debug)]
pub(crate) struct SessionServer {
    client: Client,
    url: BaseUrl,
    calls: Semaphore,
    breaker: Breaker,
}

/// A call under way.
struct Call<'a> {
    server: &'a SessionServer,
    asking: Asking<'a>,
}

impl SessionServer {
    /// The server at `url`. Nothing is opened yet.
    pub(crate) fn new(url: BaseUrl, tls: Arc<Tls>) -> Self {
        Self::with_bound(url, tls, CALLS)
    }

    fn with_bound(url: BaseUrl, tls: Arc<Tls>, calls: usize) -> Self {
        let client = Client::new(url.location(), LARGEST, tls);
        Self { client, url, calls: Semaphore::new(calls), breaker: Breaker::default() }
    }

    /// Asks whether somebody has joined; `query` is encoded. Waiting for other calls counts into the `timeout`.
    pub(crate) async fn has_joined(
        &self,
        query: &str,
        trace: &TraceContext,
        timeout: Duration,
    ) -> Result<Answer, AdapterError> {
        let deadline = tokio::time::Instant::now() + timeout;
        // Asked before and after waiting: a server that fails is known at once, and not asked by those who waited.
        if let Some(wait) = self.breaker.waiting() {
            return Err(AdapterError::BackingOff(wait));
        }
        let Ok(permit) = timeout_at(deadline, self.calls.acquire()).await else {
            return Err(AdapterError::TimedOut(timeout));
        };
        // With little time left an answer would come too late, which would say nothing of the server.
        let enough = timeout / 2;
        if deadline.saturating_duration_since(tokio::time::Instant::now()) < enough {
            return Err(AdapterError::TimedOut(timeout));
        }
        let call = self.call()?;
        let path = format!("{}/session/minecraft/hasJoined?{query}", self.url.location().path);
        let answer = timeout_at(deadline, self.client.get(&path, Some(trace))).await;
        drop(permit);
        match answer {
            Err(_) => {
                call.failed(None);
                Err(AdapterError::TimedOut(timeout))
            }
            Ok(Err(error)) => {
                if error.is_answer() {
                    call.succeeded();
                } else {
                    call.failed(None);
                }
                Err(error.into())
            }
            Ok(Ok(answer)) => call.answered(answer),
        }
    }

    fn call(&self) -> Result<Call<'_>, AdapterError> {
        let asking = self.breaker.ask().map_err(AdapterError::BackingOff)?;
        Ok(Call { server: self, asking })
    }
}

impl Call<'_> {
    fn answered(self, answer: Answer) -> Result<Answer, AdapterError> {
        match answer.status {
            StatusCode::TOO_MANY_REQUESTS => {
                let asked = answer.retry_after.unwrap_or_default();
                let wait = self.failed(Some(asked)).unwrap_or(asked.min(backoff::LONGEST));
                Err(AdapterError::BackingOff(wait))
            }
            status if status.is_server_error() => {
                self.failed(answer.retry_after);
                Err(AdapterError::Unreachable(format!("it answers {status}")))
            }
            _ => {
                self.succeeded();
                Ok(answer)
            }
        }
    }

    fn succeeded(self) {
        self.asking.succeeded();
    }

    /// The wait that this failure begins, if it does.
    fn failed(self, asked: Option<Duration>) -> Option<Duration> {
        let wait = self.asking.failed(asked)?;
        metrics::breaker_opened("authentication", "mojang");
        tracing::warn!(url = %self.server.url, ?wait, "the session server fails and isn't asked for a while");
        Some(wait)
    }
}

#[cfg(test)]
mod tests;
