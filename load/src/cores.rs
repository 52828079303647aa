//! Who has had the cores: threads of the edge, of this process, and everybody.

use drawbridge_testkit::{Edge, thread_times};
use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

/// The edge's threads by what they do, and the flood's of this process.
const GROUPS: [(&str, &str); 4] =
    [("reactor", "reactor-"), ("runtime", "runtime"), ("keys", "keys-"), ("flood", "flood")];

/// What was had of the cores so far.
#[derive(Debug, Clone)]
pub struct Cores {
    at: Instant,
    threads: BTreeMap<&'static str, Duration>,
    edge: Duration,
    own: Duration,
    /// Of all cores, in ticks: idle, and in all.
    machine: (u64, u64),
}

/// What was had of the cores between two looks: parts of one core, but for `idle`.
#[derive(Debug, Clone, Default)]
pub struct Shares {
    /// The edge's threads and the flood's, by what they do.
    pub threads: BTreeMap<&'static str, f64>,
    /// The edge in all.
    pub edge: f64,
    /// This process in all: strangers, players and servers.
    pub own: f64,
    /// The part of all cores that nobody had.
    pub idle: f64,
}

impl Cores {
    /// Looks.
    ///
    /// # Errors
    /// When the edge is gone, or the system doesn't tell.
    pub fn look(edge: &Edge) -> io::Result<Self> {
        let pid = edge.pid().as_raw_pid().unsigned_abs();
        let (of_edge, of_own) = (thread_times(pid)?, thread_times(std::process::id())?);
        let mut threads = BTreeMap::new();
        for (name, time) in of_edge.iter().chain(of_own.iter().filter(|(name, _)| name == "flood")) {
            if let Some((group, _)) = GROUPS.iter().find(|(_, prefix)| name.starts_with(prefix)) {
                *threads.entry(*group).or_default() += *time;
            }
        }
        let sum = |times: &[(String, Duration)]| times.iter().map(|(_, time)| *time).sum();
        let machine = machine().ok_or_else(|| io::Error::other("/proc/stat doesn't tell of the cores"))?;
        Ok(Self { at: Instant::now(), threads, edge: sum(&of_edge), own: sum(&of_own), machine })
    }

    /// What was had since then. Threads that have ended meanwhile aren't counted.
    #[must_use]
    pub fn since(&self, before: &Self) -> Shares {
        let passed = self.at.duration_since(before.at).as_secs_f64().max(1e-9);
        let share = |now: Duration, then: Duration| now.saturating_sub(then).as_secs_f64() / passed;
        let then = |group| before.threads.get(group).copied().unwrap_or_default();
        let threads = self.threads.iter().map(|(group, now)| (*group, share(*now, then(*group)))).collect();
        let all = self.machine.1.saturating_sub(before.machine.1).max(1) as f64;
        Shares {
            threads,
            edge: share(self.edge, before.edge),
            own: share(self.own, before.own),
            idle: self.machine.0.saturating_sub(before.machine.0) as f64 / all,
        }
    }
}

impl Shares {
    /// What a group of threads had.
    #[must_use]
    pub fn of(&self, group: &str) -> f64 {
        self.threads.get(group).copied().unwrap_or_default()
    }
}

/// Ticks that the cores were idle, and in all: the first line of `/proc/stat` (proc(5)).
fn machine() -> Option<(u64, u64)> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let ticks: Vec<u64> =
        text.lines().next()?.split_whitespace().skip(1).map_while(|word| word.parse().ok()).collect();
    Some((ticks.get(3)? + ticks.get(4)?, ticks.iter().take(8).sum()))
}

/// Processor, cores and kernel, in one line.
#[must_use]
pub fn described() -> String {
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{model}, {cores} cores, Linux {}", kernel.trim())
}
