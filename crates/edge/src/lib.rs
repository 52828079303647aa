//! The phases of a connection, from accepted socket to delivery.
//!
//! Their order, and the values that they hand on, stand in docs/architecture.md ("The way of a connection").
//!
//! One task a connection, on a reactor of `drawbridge-net`.
//! Adapters are polled there too, on what they have of the runtime; key exchanges have threads of their own.
//!
//! What must stay true: every wait on a peer has a deadline, every refusal a reason, and a connection keeps the snapshot that
//! it started with.

#![forbid(unsafe_code)]

mod admission;
mod attempt;
mod authentication;
mod carriage;
mod conversation;
pub mod cookie;
mod delivery;
mod dial;
mod ended;
mod front;
#[cfg(fuzzing)]
pub mod fuzzing;
mod greeting;
mod handle;
mod journey;
mod keys;
mod login;
mod maintenance;
mod news;
mod passenger;
mod placement;
mod places;
mod players;
mod refuse;
mod relay;
mod report;
pub mod rights;
mod rules;
mod session;
mod shared;
pub mod snapshot;
mod status;
pub mod ticket;

use crate::shared::Shared;
use drawbridge_model::Bans;
use drawbridge_net::{Bound, Pulse, Serving};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

pub use cookie::Cookies;
pub use handle::{EdgeHandle, TargetState};
pub use places::Whereabouts;
pub use players::{Player, Stage, Who, Whom, would_ban};
pub use rights::{CommandsSection, Permissions, PermissionsFile};
pub use snapshot::{Patience, Shutdown, Snapshot, UnknownHost, UnknownHostAction};
pub use ticket::Tickets;

/// How long connections that aren't logins yet may take to become some once the listeners are closed, or to be answered.
const GREETING: Duration = Duration::from_secs(1);

/// Why an edge can't start.
#[derive(Debug, Error)]
pub enum EdgeError {
    /// A thread or a poller can't be had.
    #[error("the edge's threads can't be started")]
    Start(#[source] io::Error),
}

/// How many threads do what; at least one each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads {
    /// Accept connections and speak with clients.
    pub reactors: usize,
    /// Compute key exchanges.
    pub keys: usize,
}

/// A running edge.
#[derive(Debug)]
pub struct Edge {
    shared: Arc<Shared>,
    serving: Serving,
    addresses: Vec<SocketAddr>,
    /// Has whoever is carried ask again when there are other bans.
    _asking: AbortOnDropHandle<()>,
}

async fn tell_of_bans(shared: Arc<Shared>) {
    let mut changes = shared.bans.changes();
    while changes.changed().await.is_ok() {
        shared.news.tell();
    }
}

impl Edge {
    /// Starts to serve whoever comes to `bound`, which is made for as many reactors, and whom none of the `bans` keeps out. What
    /// adapters wait for is on `runtime`.
    ///
    /// # Errors
    /// When the system gives no thread or poller.
    pub fn start(
        bound: Bound,
        threads: Threads,
        snapshot: Snapshot,
        bans: Arc<dyn Bans>,
        runtime: &Handle,
    ) -> Result<Self, EdgeError> {
        let addresses = bound.local_addresses().to_vec();
        let shared = Shared::new(snapshot, bans, threads.keys).map_err(EdgeError::Start)?;
        let shared = Arc::new(shared);
        let asking = AbortOnDropHandle::new(runtime.spawn(tell_of_bans(Arc::clone(&shared))));
        let house = Arc::clone(&shared);
        let serving = bound
            .serve(move |socket| front::receive(Arc::clone(&house), socket), runtime)
            .map_err(EdgeError::Start)?;
        Ok(Self { shared, serving, addresses, _asking: asking })
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What operators see of it and tell it, from wherever.
    #[must_use]
    pub fn handle(&self) -> EdgeHandle {
        EdgeHandle::new(Arc::clone(&self.shared), self.addresses.clone())
    }

    /// Tells whether the threads that serve players live.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        self.serving.pulse()
    }

    /// Goes by another snapshot from the next connection on.
    pub fn replace(&self, snapshot: Snapshot) {
        self.shared.gate.replace(&snapshot.limits);
        self.shared.snapshot.store(Arc::new(snapshot));
        self.shared.reloads.fetch_add(1, Ordering::Release);
        self.shared.news.tell();
    }

    /// Stops: for `delay` everything goes on, then the listeners close, logins under way have `grace` to finish, and
    /// those that don't are told. Returns when nothing is left. As soon as `hurry` is cancelled, nothing more is waited for
    /// but the telling.
    pub async fn drain(mut self, shutdown: &Shutdown, hurry: &CancellationToken) {
        hurry.run_until_cancelled(sleep(shutdown.delay)).await;
        self.serving.stop_accepting();
        tracing::info!(logins = self.shared.logins.len(), "listeners closed");
        let finished = async {
            // Whoever has said nothing by then may never do so; logins are waited for.
            if timeout(GREETING, self.serving.finished()).await.is_err() {
                self.shared.logins.close();
                self.shared.logins.wait().await;
            }
        };
        let in_time = hurry.run_until_cancelled(timeout(shutdown.grace, finished)).await;
        if !matches!(in_time, Some(Ok(()))) {
            tracing::info!(logins = self.shared.logins.len(), "logins that take too long are told");
            self.shared.grace_over.cancel();
            self.shared.logins.close();
            self.shared.logins.wait().await;
        }
        self.move_sessions().await;
        self.end_relays(shutdown.relays, hurry).await;
        self.serving.abort();
        self.serving.finished().await;
        // What adapters do in the background ends with the last snapshot, and operators may hold on to the edge.
        self.shared.snapshot.store(Arc::new(Snapshot::empty()));
    }

    /// Has players whose version can be handed over come back by themselves, to whatever listens at the address by then, and tells all
    /// others.
    async fn move_sessions(&self) {
        let sessions = &self.shared.sessions;
        sessions.close();
        if sessions.is_empty() {
            return;
        }
        tracing::info!(sessions = sessions.len(), "sessions are moved or told");
        self.shared.sessions_over.cancel();
        self.shared.news.tell();
        sessions.wait().await;
    }

    /// Lets players who are relayed go on for a while.
    async fn end_relays(&self, patience: Patience, hurry: &CancellationToken) {
        let relays = &self.shared.relays;
        relays.close();
        if relays.is_empty() {
            return;
        }
        tracing::info!(relays = relays.len(), "players who are relayed go on for now");
        let longest = patience.0.unwrap_or(Duration::MAX);
        let in_time = hurry.run_until_cancelled(timeout(longest, relays.wait())).await;
        if !matches!(in_time, Some(Ok(()))) {
            tracing::info!(relays = relays.len(), "relays are cut");
            self.shared.relays_over.cancel();
            self.shared.news.tell();
            relays.wait().await;
        }
    }
}
