//! What all connections of an edge share.

use crate::ended::Ended;
use crate::keys::Keys;
use crate::maintenance::Switches;
use crate::news::News;
use crate::places;
use crate::players::{Player, Players, Summons};
use crate::snapshot::Snapshot;
use arc_swap::ArcSwap;
use drawbridge_model::{Bans, Client, Operator, PlaceName, Refusal, TraceContext};
use drawbridge_net::limits::raise_descriptor_limit;
use drawbridge_net::{Crowds, Gate};
use drawbridge_telemetry::Seldom;
use drawbridge_telemetry::span;
use std::collections::BTreeSet;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
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
    /// Tells whoever is carried to ask whether they may go on.
    pub(crate) news: News,
    /// How often there has been another snapshot.
    pub(crate) reloads: AtomicU64,
    /// Whoever operates the edge, once it is known.
    pub(crate) operator: OnceLock<Arc<dyn Operator>>,
}

impl Shared {
    /// What it is at first. `keys` threads compute key exchanges.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn new(snapshot: Snapshot, bans: Arc<dyn Bans>, keys: usize) -> io::Result<Self> {
        Ok(Self {
            gate: Gate::new(&snapshot.limits, raise_descriptor_limit()),
            snapshot: ArcSwap::from_pointee(snapshot),
            bans,
            keys: Keys::generate(keys)?,
            full: Seldom::default(),
            bad_headers: Seldom::default(),
            switches: Switches::default(),
            players: Arc::default(),
            logins: TaskTracker::new(),
            grace_over: CancellationToken::new(),
            crowds: Crowds::default(),
            relays: TaskTracker::new(),
            relays_over: CancellationToken::new(),
            sessions: TaskTracker::new(),
            sessions_over: CancellationToken::new(),
            news: News::default(),
            reloads: AtomicU64::new(0),
            operator: OnceLock::new(),
        })
    }

    /// How often there has been another snapshot.
    pub(crate) fn reloads(&self) -> u64 {
        self.reloads.load(Ordering::Acquire)
    }

    /// The routes by which those came whom `is` means and who are carried by sessions.
    pub(crate) fn came_by(&self, is: impl Fn(&Player) -> bool) -> BTreeSet<String> {
        let meant = self.players.all().into_iter().filter(|player| player.at.is_some() && is(player));
        let mut routes: BTreeSet<_> = meant.map(|player| player.route).collect();
        let snapshot = self.snapshot.load();
        routes.retain(|route| snapshot.routes.named(route).is_some_and(|route| route.is_session()));
        routes
    }

    /// Whether anybody who came by one of these routes can know a place by this name.
    pub(crate) async fn is_place(&self, routes: &BTreeSet<String>, client: &Client, name: &str) -> bool {
        let snapshot = self.snapshot.load_full();
        places::is_known(PlaceName(name), &snapshot.routes, routes, client).await
    }

    /// Has all go to the place of this name whom `is` means and who are carried by sessions, and gives them. Who can't stays where they are,
    /// and is told.
    pub(crate) fn send_to(&self, is: impl Fn(&Player) -> bool, place: &str) -> Vec<Player> {
        let routes = self.came_by(&is);
        let meant = |player: &Player| player.at.is_some() && routes.contains(&player.route) && is(player);
        let sent = self.players.send_to(meant, place);
        if !sent.is_empty() {
            self.news.tell();
        }
        sent
    }

    /// Has a login work until it is done, somebody has its player go, or the edge waits for logins no longer.
    ///
    /// The caller has the work pinned, so that it is in the task once: what an `async fn` is given and moves on is there twice.
    pub(crate) async fn in_grace<T, E: From<Ended>>(
        &self,
        summons: &Summons,
        work: Pin<&mut impl Future<Output = Result<T, E>>>,
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
