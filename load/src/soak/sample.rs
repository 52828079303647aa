//! What an edge looks like at a moment.

use super::town::Town;
use crate::figures::mebibytes;
use drawbridge_testkit::{Edge, Scrape, SessionServer, thread_times};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What stands above the cells of [`Sample::cells`].
pub const HEADS: [&str; 10] =
    ["after", "PSS", "RSS", "descriptors", "threads", "tasks", "connections", "carried", "reloads", "cores"];

/// An edge at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Since it was first looked at.
    pub at: Duration,
    /// Proportional set size, in bytes.
    pub pss: u64,
    /// Resident set, in bytes.
    pub rss: u64,
    /// Open descriptors.
    pub descriptors: usize,
    /// Those of them that are kept for later: pipes of reactors, and connections to the session server (to which players have some too).
    pub kept: usize,
    /// Threads of its process.
    pub threads: usize,
    /// Those of them that serve players.
    pub reactors: usize,
    /// Tasks of adapters and of the program.
    pub tasks: u64,
    /// Clients of whom nothing is decided yet.
    pub connections: u64,
    /// Players in relays and sessions.
    pub carried: u64,
    /// Reloads that were taken over.
    pub reloads: u64,
    /// Reloads that failed.
    pub failed_reloads: u64,
    /// Seconds that its threads have had of a core so far. Threads that have ended don't count.
    pub core: f64,
}

impl Sample {
    /// Whether nobody is there, and nothing is kept for anybody that wasn't at `start`, but for so many bytes.
    #[must_use]
    pub const fn is_no_more_than(&self, start: &Self, kept: u64) -> bool {
        self.connections == 0
            && self.carried == 0
            && self.in_use() <= start.in_use()
            && self.threads <= start.threads
            && self.tasks <= start.tasks
            && self.pss <= start.pss + kept
    }

    /// Descriptors that aren't kept for later.
    #[must_use]
    pub const fn in_use(&self) -> usize {
        self.descriptors.saturating_sub(self.kept)
    }

    /// The row of a table.
    #[must_use]
    pub fn cells(&self) -> Vec<String> {
        let used = self.core / self.at.as_secs_f64().max(1e-9);
        vec![
            format!("{:.0} s", self.at.as_secs_f64()),
            mebibytes(self.pss),
            mebibytes(self.rss),
            self.descriptors.to_string(),
            self.threads.to_string(),
            self.tasks.to_string(),
            self.connections.to_string(),
            self.carried.to_string(),
            self.reloads.to_string(),
            format!("{used:.2}"),
        ]
    }
}

/// Looks at an edge.
pub(super) struct Looking<'a> {
    edge: &'a Edge,
    session: &'a SessionServer,
    metrics: SocketAddr,
    begun: Instant,
    /// What its threads had had of a core by then.
    core: f64,
}

impl<'a> Looking<'a> {
    pub(super) fn begin(town: &'a Town) -> Self {
        let (edge, metrics) = (&town.edge, town.edge.metrics_address());
        // What is allocated for the first who ask isn't anybody's leak.
        let _ = Scrape::of(metrics);
        Self { edge, session: &town.session, metrics, begun: Instant::now(), core: threads(edge).core }
    }

    pub(super) fn look(&self) -> Sample {
        let scrape = Scrape::of(self.metrics);
        let count = |name| scrape.sum(name, &[]) as u64;
        let memory = self.edge.memory();
        let Threads { threads, reactors, core } = threads(self.edge);
        let (descriptors, pipes) = descriptors(self.edge);
        Sample {
            at: self.begun.elapsed(),
            pss: memory.pss,
            rss: memory.rss,
            descriptors,
            kept: pipes + self.session.open(),
            threads,
            reactors,
            tasks: count("drawbridge_runtime_tasks"),
            connections: count("drawbridge_connections_undecided"),
            carried: count("drawbridge_players_carried"),
            reloads: scrape.sum("drawbridge_reloads_total", &["outcome=\"ok\""]) as u64,
            failed_reloads: scrape.sum("drawbridge_reloads_total", &["outcome=\"failed\""]) as u64,
            core: core - self.core,
        }
    }
}

/// How many descriptors there are, and how many of them are pipes.
fn descriptors(edge: &Edge) -> (usize, usize) {
    let folder = std::fs::read_dir(format!("/proc/{}/fd", edge.pid().as_raw_pid()));
    let folder = folder.unwrap_or_else(|error| panic!("the edge's descriptors can't be told: {error}"));
    // What was closed meanwhile is none.
    let open: Vec<_> = folder.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok()).collect();
    (open.len(), open.iter().filter(|link| link.to_string_lossy().starts_with("pipe:")).count())
}

/// How many threads there are, how many of them are reactors, and how many seconds they have had of a core.
struct Threads {
    threads: usize,
    reactors: usize,
    core: f64,
}

fn threads(edge: &Edge) -> Threads {
    let times = thread_times(edge.pid().as_raw_pid().unsigned_abs());
    let times = times.unwrap_or_else(|error| panic!("the edge's threads can't be told: {error}"));
    Threads {
        threads: times.len(),
        reactors: times.iter().filter(|(name, _)| name.starts_with("reactor-")).count(),
        core: times.iter().map(|(_, time)| time.as_secs_f64()).sum(),
    }
}
