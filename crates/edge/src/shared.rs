//! What all connections of an edge share.

use crate::ended::Ended;
use crate::keys::Keys;
use crate::maintenance::Switches;
use crate::news::News;
use crate::players::{Players, Summons};
use crate::snapshot::Snapshot;
use arc_swap::ArcSwap;
use drawbridge_model::{Bans, Refusal, TraceContext};
use drawbridge_net::{Crowds, Gate};
use drawbridge_telemetry::Seldom;
use drawbridge_telemetry::span;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// One for each edge.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Taken once by each connection, which then keeps the one it took.
    pub(crate) snapshot: ArcSwap<Snapshot>,
    pub(crate) gate: Gate,
    pub(crate) bans: Arc<dyn Bans>,
    pub(crate) keys: Keys,
    /// How often the log says that the edge is full.
    pub(crate) full: Seldom,
    /// How often the log says that a trusted proxy sends no header.
    pub(crate) bad_headers: Seldom,
    /// Which routes are under maintenance though their configuration doesn't say so, or the other way round.
    pub(crate) switches: Switches,
    /// Who is there.
    pub(crate) players: Arc<Players>,
    /// Counts logins under way.
    pub(crate) logins: TaskTracker,
    /// Cancelled when logins under way have had their time.
    pub(crate) grace_over: CancellationToken,
    /// The players that routes carry.
    pub(crate) crowds: Crowds,
    /// Counts relays.
    pub(crate) relays: TaskTracker,
    /// Cancelled when relays have had their time.
    pub(crate) relays_over: CancellationToken,
    /// Counts sessions.
    pub(crate) sessions: TaskTracker,
    /// Cancelled when sessions are to be moved elsewhere, or told.
    pub(crate) sessions_over: CancellationToken,
    /// Tells relays to ask whether they may go on.
    pub(crate) news: News,
}

impl Shared {
    /// Has a login work until it is done, somebody has its player go, or the edge waits for logins no longer.
    pub(crate) async fn in_grace<T, E: From<Ended>>(
        &self,
        summons: &Summons,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        tokio::select! {
            done = work => done,
            why = summons.comes() => Err(Ended::from(why).into()),
            () = self.grace_over.cancelled() => Err(Ended::Refused(Refusal::ShuttingDown).into()),
        }
    }
}

/// A trace of its own for a connection.
pub(crate) fn new_trace() -> TraceContext {
    // Zero is no valid id.
    let trace_id = rand::random::<u128>() | 1;
    TraceContext { trace_id, span_id: rand::random::<u64>() | 1, flags: span::flags(trace_id) }
}
