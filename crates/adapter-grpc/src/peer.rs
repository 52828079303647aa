//! One of those that offer a service: connects, sees how it is doing, and connects again.
//!
//! Worked example of the waits: connecting fails at 0.0 s, about 0.1 s, 0.3 s, 0.7 s, 1.5 s, 3.1 s, and every 5 s from then on. A
//! connection that served is made again at once when it is lost.

use crate::endpoint::{PeerUri, Tls};
use crate::health;
use crate::line::{Line, Tasks};
use crate::peers::{State, States};
use drawbridge_adapter::backoff;
use drawbridge_telemetry::in_full;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long is waited after the first failure; twice as long after each further one.
const SHORTEST: Duration = Duration::from_millis(100);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(5);
/// A connection that lasted so long was one.
const STEADY: Duration = Duration::from_secs(10);

/// One peer.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) uri: PeerUri,
    pub(crate) tls: Arc<Tls>,
    pub(crate) keep_alive: Duration,
    /// Its place among the states.
    pub(crate) index: usize,
    pub(crate) states: States,
}

/// Why there is no connection any more.
enum Ended {
    /// It served, and can be made again at once.
    Lost(String),
    /// It served nobody.
    Failed(String),
}

impl Peer {
    /// Keeps a connection from the time when somebody wants it.
    pub(crate) async fn run(self, mut wanted: watch::Receiver<bool>) {
        // An error says that nobody can want it any more.
        if wanted.wait_for(|wanted| *wanted).await.is_err() {
            return;
        }
        let token = CancellationToken::new();
        let _ends_with_this = token.clone().drop_guard();
        let mut failures = 0_u32;
        loop {
            match self.connection(Tasks(token.clone())).await {
                Ended::Lost(reason) => {
                    tracing::info!(peer = %self.uri, reason, "a connection to a service was lost");
                    failures = 0;
                    self.put(State::Connecting);
                }
                Ended::Failed(reason) => {
                    if failures == 0 {
                        tracing::warn!(peer = %self.uri, reason, "a service can't be reached");
                    }
                    self.put(State::Down(reason));
                    sleep(wait(failures)).await;
                    failures = failures.saturating_add(1);
                }
            }
        }
    }

    /// Makes a connection and stays with it until it ends.
    async fn connection(&self, tasks: Tasks) -> Ended {
        let opening = Line::open(&self.uri, &self.tls, self.keep_alive, tasks);
        let (line, driver) = match timeout(CONNECT, opening).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(reason)) => return Ended::Failed(reason),
            Err(_) => return Ended::Failed(format!("no connection within {CONNECT:?}")),
        };
        let since = Instant::now();
        let reason = tokio::select! {
            ended = driver => match ended {
                Ok(()) => "the connection was closed".to_owned(),
                Err(error) => in_full(&error),
            },
            () = line.suspected() => return Ended::Failed("it doesn't answer any more".to_owned()),
            never = health::follow(&line, |serving| self.serves(&line, serving)) => match never {},
        };
        if line.has_answered() || since.elapsed() >= STEADY {
            Ended::Lost(reason)
        } else {
            Ended::Failed(reason)
        }
    }

    /// Puts down whether the peer serves.
    fn serves(&self, line: &Line, serving: bool) {
        let state = if serving { State::Up(line.clone()) } else { State::NotServing };
        let before = self.put(state);
        match (before, serving) {
            (State::Up(_), true) | (State::NotServing, false) => {}
            (_, true) => tracing::info!(peer = %self.uri, "a service is there"),
            (_, false) => tracing::warn!(peer = %self.uri, "a service says that it isn't serving"),
        }
    }

    /// Puts down a state; what was there before.
    fn put(&self, state: State) -> State {
        let mut before = State::Connecting;
        self.states.send_modify(|states| {
            if let Some(place) = states.get_mut(self.index) {
                before = std::mem::replace(place, state);
            }
        });
        before
    }
}

/// How long to wait after so many failures before this one; a quarter more or less, so that edges don't come all at once.
fn wait(failures: u32) -> Duration {
    backoff::spread(backoff::doubled(SHORTEST, failures, LONGEST), backoff::chance())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_whatever_the_chance() {
        for failures in [0, 1, 5, 6, 31, u32::MAX] {
            let about = SHORTEST.saturating_mul(1 << failures.min(10)).min(LONGEST);
            for _ in 0..100 {
                let wait = wait(failures);
                assert!(wait >= about * 3 / 4 && wait <= about * 5 / 4, "{failures}: {wait:?}");
            }
        }
    }
}
