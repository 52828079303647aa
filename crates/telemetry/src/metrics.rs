//! What is counted and measured. Whoever has something to count calls a function of this module; nobody else makes instruments.
//!
//! What must stay true: no label holds what a player supplied, and none grows without bound; while nobody asked for metrics, a call
//! costs a look at one variable.

mod carried;
mod families;
mod instruments;
mod labels;
mod pairs;
#[cfg(target_os = "linux")]
mod process;

pub use carried::CountedPassenger;
pub use families::{FAMILIES, Family, Kind};
pub use labels::{Answer, CarriedEnd, Cookie, Limit, Outcome, Phase, StatusCache};

use crate::metrics::instruments::Instruments;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{MeterProviderBuilder, SdkMeterProvider};
use prometheus::{Encoder as _, Registry, TextEncoder};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::runtime::Handle;

static INSTRUMENTS: OnceLock<Instruments> = OnceLock::new();
/// What observers read; kept whether or not anybody asked for metrics, where that costs nothing to speak of.
static STATE: State = State {
    open: AtomicI64::new(0),
    keys: AtomicI64::new(0),
    routes: AtomicU64::new(0),
    reloaded: AtomicU64::new(0),
    lines_lost: AtomicU64::new(0),
    bans: AtomicU64::new(0),
};

#[derive(Debug)]
struct State {
    /// Connections.
    open: AtomicI64,
    /// Key exchanges that wait for a thread.
    keys: AtomicI64,
    routes: AtomicU64,
    /// When a configuration was taken over, in seconds since 1970.
    reloaded: AtomicU64,
    lines_lost: AtomicU64,
    bans: AtomicU64,
}

/// Whether anybody asked for metrics.
#[must_use]
pub fn is_on() -> bool {
    INSTRUMENTS.get().is_some()
}

/// The time, where somebody asked for metrics, which alone make use of it.
#[must_use]
pub fn now() -> Option<Instant> {
    is_on().then(Instant::now)
}

/// A connection was accepted.
pub fn connection_accepted() {
    if let Some(instruments) = INSTRUMENTS.get() {
        STATE.open.fetch_add(1, Relaxed);
        instruments.accepted.add(1);
    }
}

/// A connection that was accepted is closed.
pub fn connection_closed() {
    if is_on() {
        STATE.open.fetch_sub(1, Relaxed);
    }
}

/// A connection came to its end, in this phase.
pub fn connection_ended(phase: Phase, outcome: Outcome) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.ended(phase, outcome);
    }
}

/// A phase took so long, and ended so.
pub fn phase_ended(phase: Phase, outcome: Outcome, took: Duration) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.phase(phase, outcome, took);
    }
}

/// A question to an adapter under way: what it is asked for (`discovery`), and its `type`. Ends when it is dropped, as abandoned where
/// nobody has said how.
#[derive(Debug)]
pub struct Asking {
    asked: &'static str,
    kind: &'static str,
    since: Option<Instant>,
}

impl Asking {
    /// The question begins.
    #[must_use]
    pub fn begin(asked: &'static str, kind: &'static str) -> Self {
        Self { asked, kind, since: now() }
    }

    /// The question ended so.
    pub fn end(mut self, answer: Answer) {
        self.tell(answer);
    }

    fn tell(&mut self, answer: Answer) {
        if let (Some(instruments), Some(since)) = (INSTRUMENTS.get(), self.since.take()) {
            instruments.adapter(self.asked, self.kind, answer, since.elapsed());
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.tell(Answer::Abandoned);
    }
}

/// An adapter failed so often that it isn't asked for a while; each further wait counts too.
pub fn breaker_opened(asked: &'static str, kind: &'static str) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.breaker(asked, kind);
    }
}

/// A status was looked for among those that are kept.
pub fn status_looked_up(found: StatusCache) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.status_cache.add(found as usize);
    }
}

/// A returning player was asked for cookies.
pub fn cookie_asked(found: Cookie) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.cookies.add(found as usize);
    }
}

/// Somebody was turned away by a bound.
pub fn limited(limit: Limit) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.limited.add(limit as usize);
    }
}

/// A player was handed over.
pub fn transferred(route: &str, target: &str) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.transfers.add(route, target);
    }
}

/// A player of this route is carried from here on.
pub fn passenger_boarded(route: &str, target: &str) -> CountedPassenger {
    match INSTRUMENTS.get() {
        Some(instruments) => {
            instruments.passenger_boarded(route);
            CountedPassenger::new(route, target)
        }
        None => CountedPassenger::nowhere(),
    }
}

/// A player of this route is carried to another target from here on: what was counted for the one before ends.
pub fn passenger_moved(route: &str, target: &str) -> CountedPassenger {
    if INSTRUMENTS.get().is_some() {
        CountedPassenger::new(route, target)
    } else {
        CountedPassenger::nowhere()
    }
}

/// Another so many bytes were carried for players of this route: to targets, and to clients.
pub fn carried(route: &str, to_target: u64, to_client: u64) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.carried(route, to_target, to_client);
    }
}

/// A player of this route is no longer carried.
pub fn passenger_left(route: &str, end: CarriedEnd) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.passenger_left(route, end.label());
    }
}

/// A discovery of this `type` gave an answer that is older than it may be, since nobody could be asked.
pub fn discovery_stale(kind: &'static str) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.stale(kind);
    }
}

/// A server was allocated for a player who then left. `outcome` says what became of it: `reported`, `deleted`, `relabelled`, `failed`, `unknown` or `lost`.
pub fn allocation_orphaned(outcome: &'static str) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.orphaned(outcome);
    }
}

/// A configuration with so many routes was taken over, at start or by a reload.
pub fn configured(routes: usize) {
    STATE.routes.store(routes as u64, Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    STATE.reloaded.store(now.as_secs(), Relaxed);
}

/// A reload was taken over, or not.
pub fn reloaded(taken: bool) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.reloads.add(usize::from(!taken));
    }
}

/// An operator asked for something, which was done or not.
pub fn controlled(request: &'static str, done: bool) {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.controlled(request, done);
    }
}

/// So many bans were read.
pub fn banned(bans: usize) {
    STATE.bans.store(bans as u64, Relaxed);
}

/// The bans couldn't be read, so that those that were read last go on counting.
pub fn bans_unread() {
    if let Some(instruments) = INSTRUMENTS.get() {
        instruments.bans_unread.add(1);
    }
}

/// Lines of the log were lost.
pub(crate) fn log_lines_lost(count: u64) {
    STATE.lines_lost.fetch_add(count, Relaxed);
}

/// A key exchange that waits for a thread, for as long as this is there.
#[derive(Debug)]
pub struct KeyExchange(());

impl KeyExchange {
    /// It begins to wait.
    #[must_use]
    pub fn waits() -> Self {
        STATE.keys.fetch_add(1, Relaxed);
        Self(())
    }
}

impl Drop for KeyExchange {
    fn drop(&mut self) {
        STATE.keys.fetch_sub(1, Relaxed);
    }
}

/// The running metrics.
#[derive(Debug)]
pub(crate) struct Metrics {
    provider: SdkMeterProvider,
    registry: Registry,
}

impl Metrics {
    /// Begins to count, for whoever reads `text` and for the readers that `builder` has. Once in a process.
    pub(crate) fn start(builder: MeterProviderBuilder, resource: Resource, runtime: &Handle) -> Self {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .without_target_info()
            .build();
        let builder = match exporter {
            Ok(exporter) => builder.with_reader(exporter),
            Err(error) => {
                tracing::error!(%error, "metrics can't be shown");
                builder
            }
        };
        let provider = builder.with_resource(resource).build();
        let instruments = Instruments::new(&provider.meter("drawbridge"), runtime);
        // A second start in the same process, which only tests see, counts nowhere.
        let _ = INSTRUMENTS.set(instruments);
        Self { provider, registry }
    }

    /// All, in the text format of Prometheus.
    pub(crate) fn text(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(16 * 1024);
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::warn!(%error, "metrics can't be written");
        }
        text
    }

    /// Ends the readers; whoever pushes pushes for the last time.
    pub(crate) fn shutdown(&self) {
        // Whoever pushes tells of its failures itself.
        let _ = self.provider.shutdown();
    }
}

#[cfg(test)]
mod tests;
