//! The instruments. Those that a ping uses are bound to their labels beforehand, since to look them up costs ten times what counting does.

use super::pairs::{Pairs, Routes};
use super::{Answer, Cookie, Limit, Outcome, Phase, STATE, StatusCache};
use crate::health;
use drawbridge_model::Refusal;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, BoundHistogram, Counter, Histogram, Meter, UpDownCounter};
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::runtime::Handle;

/// Bounds of what takes a while, in seconds: from what the network between two machines of a rack takes to when clients give up.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// How many outcomes there are: well, left, and each refusal.
const OUTCOMES: usize = 2 + Refusal::ALL.len();
const PHASES: usize = Phase::ALL.len();

/// Bound to labels as soon as they are first used: what never happened has no line.
type Bound<T, const COUNT: usize> = [OnceLock<T>; COUNT];

const fn unbound<T, const COUNT: usize>() -> Bound<T, COUNT> {
    [const { OnceLock::new() }; COUNT]
}

/// A counter whose only label has a few known values, all of which are shown from the start.
#[derive(Debug)]
pub(super) struct Choice<const COUNT: usize>([BoundCounter<u64>; COUNT]);

impl<const COUNT: usize> Choice<COUNT> {
    fn new(counter: &Counter<u64>, label: &'static str, values: [&'static str; COUNT]) -> Self {
        Self(values.map(|value| {
            let bound = counter.bind(&[KeyValue::new(label, value)]);
            bound.add(0);
            bound
        }))
    }

    pub(super) fn add(&self, index: usize) {
        if let Some(bound) = self.0.get(index) {
            bound.add(1);
        }
    }
}

/// All that are told; the others observe.
pub(super) struct Instruments {
    pub(super) accepted: BoundCounter<u64>,
    ended: Counter<u64>,
    ended_bound: Bound<BoundCounter<u64>, { PHASES * OUTCOMES }>,
    phases: Histogram<f64>,
    phases_bound: Bound<BoundHistogram<f64>, { PHASES * 3 }>,
    adapters: Histogram<f64>,
    breakers: Counter<u64>,
    pub(super) status_cache: Choice<3>,
    pub(super) cookies: Choice<3>,
    pub(super) limited: Choice<6>,
    pub(super) reloads: Choice<2>,
    pub(super) transfers: Pairs,
    routes: Routes,
    carried: UpDownCounter<i64>,
    carried_ended: Counter<u64>,
    carried_bytes: Counter<u64>,
    stale: Counter<u64>,
    pub(super) bans_unread: BoundCounter<u64>,
    orphaned: Counter<u64>,
    controlled: Counter<u64>,
}

impl fmt::Debug for Instruments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instruments").finish_non_exhaustive()
    }
}

impl Instruments {
    pub(super) fn new(meter: &Meter, runtime: &Handle) -> Self {
        observe_edge(meter);
        super::carried::observe(meter);
        observe_program(meter, runtime);
        #[cfg(target_os = "linux")]
        super::process::observe(meter);
        let counter = |name, description| meter.u64_counter(name).with_description(description).build();
        let seconds = |name, description| {
            let histogram = meter.f64_histogram(name).with_unit("s").with_description(description);
            histogram.with_boundaries(SECONDS.to_vec()).build()
        };
        let accepted = counter("drawbridge.connections.accepted", "Connections accepted").bind(&[]);
        accepted.add(0);
        let bans_unread = counter("drawbridge.bans.unread", "Times that the bans couldn't be read").bind(&[]);
        bans_unread.add(0);
        let status = counter("drawbridge.status.cache", "Looks at a status that is kept");
        let cookies = counter("drawbridge.cookies", "Returning players asked for cookies");
        let limited = counter("drawbridge.limited", "Clients turned away by a limit");
        let reloads = counter("drawbridge.reloads", "Reloads of the configuration");
        Self {
            accepted,
            ended: counter("drawbridge.connections.ended", "Connections ended, by phase and outcome"),
            ended_bound: unbound(),
            phases: seconds("drawbridge.phase.duration", "Time that a phase of a connection took"),
            phases_bound: unbound(),
            adapters: seconds("drawbridge.adapter.duration", "Time that an adapter took to answer"),
            breakers: counter(
                "drawbridge.adapter.breaker.opened",
                "Times that an adapter failed so often that it isn't asked for a while",
            ),
            status_cache: Choice::new(&status, "result", StatusCache::ALL.map(StatusCache::label)),
            cookies: Choice::new(&cookies, "result", Cookie::ALL.map(Cookie::label)),
            limited: Choice::new(&limited, "limit", Limit::ALL.map(Limit::label)),
            reloads: Choice::new(&reloads, "outcome", ["ok", "failed"]),
            bans_unread,
            transfers: Pairs::new(counter("drawbridge.transfers", "Players handed over")),
            routes: Routes::default(),
            carried: meter
                .i64_up_down_counter("drawbridge.players.carried")
                .with_description("Players whose connection is carried")
                .build(),
            carried_ended: counter("drawbridge.carried.ended", "Relays and sessions ended, by why"),
            carried_bytes: meter
                .u64_counter("drawbridge.carried")
                .with_unit("By")
                .with_description("Bytes carried")
                .build(),
            stale: counter(
                "drawbridge.discovery.stale",
                "Answers of a discovery that were too old, but the best to be had",
            ),
            orphaned: counter(
                "drawbridge.orphaned_allocations",
                "Servers allocated for players who then left",
            ),
            controlled: counter("drawbridge.control.requests", "What operators asked of the edge"),
        }
    }

    pub(super) fn ended(&self, phase: Phase, outcome: Outcome) {
        let (column, refusal) = match outcome {
            Outcome::Ok => (0, ""),
            Outcome::Left => (1, ""),
            Outcome::Refused(refusal) => (2 + refusal as usize, refusal.label()),
        };
        let Some(cell) = self.ended_bound.get(phase as usize * OUTCOMES + column) else { return };
        let labels = || {
            let labels = [("phase", phase.label()), ("outcome", outcome.label()), ("refusal", refusal)];
            self.ended.bind(&labels.map(|(key, value)| KeyValue::new(key, value)))
        };
        cell.get_or_init(labels).add(1);
    }

    pub(super) fn phase(&self, phase: Phase, outcome: Outcome, took: Duration) {
        let column = match outcome {
            Outcome::Ok => 0,
            Outcome::Left => 1,
            Outcome::Refused(_) => 2,
        };
        let Some(cell) = self.phases_bound.get(phase as usize * 3 + column) else { return };
        let labels = || {
            let labels = [("phase", phase.label()), ("outcome", outcome.label())];
            self.phases.bind(&labels.map(|(key, value)| KeyValue::new(key, value)))
        };
        cell.get_or_init(labels).record(took.as_secs_f64());
    }

    pub(super) fn adapter(&self, asked: &'static str, kind: &'static str, answer: Answer, took: Duration) {
        let labels = [("asked", asked), ("kind", kind), ("outcome", answer.label())];
        self.adapters.record(took.as_secs_f64(), &labels.map(|(key, value)| KeyValue::new(key, value)));
    }

    pub(super) fn breaker(&self, asked: &'static str, kind: &'static str) {
        self.breakers.add(1, &[KeyValue::new("asked", asked), KeyValue::new("kind", kind)]);
    }

    pub(super) fn stale(&self, kind: &'static str) {
        self.stale.add(1, &[KeyValue::new("kind", kind)]);
    }

    pub(super) fn passenger_boarded(&self, route: &str) {
        self.carried.add(1, &[self.routes.label(route)]);
    }

    pub(super) fn passenger_left(&self, route: &str, end: &'static str) {
        let route = self.routes.label(route);
        self.carried.add(-1, std::slice::from_ref(&route));
        self.carried_ended.add(1, &[route, KeyValue::new("end", end)]);
    }

    pub(super) fn carried(&self, route: &str, to_target: u64, to_client: u64) {
        let route = self.routes.label(route);
        for (direction, bytes) in [("to_target", to_target), ("to_client", to_client)] {
            self.carried_bytes.add(bytes, &[route.clone(), KeyValue::new("direction", direction)]);
        }
    }

    pub(super) fn orphaned(&self, outcome: &'static str) {
        self.orphaned.add(1, &[KeyValue::new("outcome", outcome)]);
    }

    pub(super) fn controlled(&self, request: &'static str, done: bool) {
        let outcome = if done { "ok" } else { "failed" };
        self.controlled.add(1, &[KeyValue::new("request", request), KeyValue::new("outcome", outcome)]);
    }
}

/// What the edge knows anyway.
fn observe_edge(meter: &Meter) {
    let _ = meter
        .i64_observable_gauge("drawbridge.connections.undecided")
        .with_description("Connections of which nothing is decided yet")
        .with_callback(|seen| seen.observe(STATE.open.load(Relaxed), &[]))
        .build();
    let _ = meter
        .i64_observable_gauge("drawbridge.key_exchanges.waiting")
        .with_description("Key exchanges that wait for a thread")
        .with_callback(|seen| seen.observe(STATE.keys.load(Relaxed), &[]))
        .build();
    let _ = meter
        .u64_observable_gauge("drawbridge.routes")
        .with_description("Routes in the configuration that counts")
        .with_callback(|seen| seen.observe(STATE.routes.load(Relaxed), &[]))
        .build();
    let _ = meter
        .u64_observable_gauge("drawbridge.last_reload.timestamp")
        .with_unit("s")
        .with_description("When the configuration that counts was taken over")
        .with_callback(|seen| seen.observe(STATE.reloaded.load(Relaxed), &[]))
        .build();
    let _ = meter
        .u64_observable_gauge("drawbridge.bans")
        .with_description("Bans that were read, with those that have ended of late")
        .with_callback(|seen| seen.observe(STATE.bans.load(Relaxed), &[]))
        .build();
    let _ = meter
        .u64_observable_gauge("drawbridge.ready")
        .with_description("Whether the edge takes players")
        .with_callback(|seen| seen.observe(u64::from(health::is_ready()), &[]))
        .build();
}

/// The program around it.
fn observe_program(meter: &Meter, runtime: &Handle) {
    let _ = meter
        .u64_observable_counter("drawbridge.log_lines_lost")
        .with_description("Lines of the log that were lost because it was read too slowly")
        .with_callback(|seen| seen.observe(STATE.lines_lost.load(Relaxed), &[]))
        .build();
    let _ = meter
        .u64_observable_gauge("drawbridge.build_info")
        .with_description("Which version this is")
        .with_callback(|seen| seen.observe(1, &[KeyValue::new("version", env!("CARGO_PKG_VERSION"))]))
        .build();
    let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let _ = meter
        .f64_observable_gauge("process.start_time")
        .with_unit("s")
        .with_description("When the process started")
        .with_callback(move |seen| seen.observe(start, &[]))
        .build();
    let tasks = runtime.metrics();
    let _ = meter
        .u64_observable_gauge("drawbridge.runtime.tasks")
        .with_description("Tasks of adapters and of the program")
        .with_callback(move |seen| seen.observe(tasks.num_alive_tasks() as u64, &[]))
        .build();
    let queue = runtime.metrics();
    let _ = meter
        .u64_observable_gauge("drawbridge.runtime.queue")
        .with_description("Tasks that wait for a thread of the runtime")
        .with_callback(move |seen| seen.observe(queue.global_queue_depth() as u64, &[]))
        .build();
}
