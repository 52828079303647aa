//! How long each target has run, over all runs there have been.

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};
use std::fs;
use std::io;
use std::path::Path;
use std::time::Instant;

/// Ticks of the clock in which Linux counts CPU time, each second.
const TICKS: f64 = 100.0;

/// What runs have taken.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    /// Of CPU time.
    pub(super) seconds: f64,
    pub(super) executions: u64,
}

/// Measures one run.
pub(super) struct Clock {
    start: Instant,
    children: Option<f64>,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { start: Instant::now(), children: children() }
    }

    pub(super) fn spent(&self, executions: u64) -> Spent {
        let seconds = match (children(), self.children) {
            (Some(now), Some(before)) => now - before,
            _ => self.start.elapsed().as_secs_f64(),
        };
        Spent { seconds, executions }
    }
}

/// The CPU time of all programs that were waited for, in seconds; `None` where the system isn't Linux.
fn children() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name, which may hold anything, the first field is the third.
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
    Some((ticks(16)? + ticks(17)?) / TICKS)
}

impl Spent {
    /// Adds to what a file says of a target.
    ///
    /// # Errors
    /// When the file can't be read or written.
    pub(super) fn add(file: &Path, target: &str, more: Self) -> Result<()> {
        let mut all = read(file)?;
        let before = Self::of(&all, target);
        let seconds = (before.seconds + more.seconds).round();
        let executions = before.executions + more.executions;
        all.insert(target.to_owned(), json!({ "seconds": seconds, "executions": executions }));
        write(file, all)
    }

    /// Moves what one file says of a target to another.
    ///
    /// # Errors
    /// When a file can't be read or written.
    pub(super) fn bring_home(from: &Path, to: &Path, target: &str) -> Result<()> {
        let mut away = read(from)?;
        let more = Self::of(&away, target);
        Self::add(to, target, more)?;
        away.remove(target);
        write(from, away)
    }

    fn of(all: &Map<String, Value>, target: &str) -> Self {
        let field = |name: &str| all.get(target).and_then(|spent| spent.get(name));
        Self {
            seconds: field("seconds").and_then(Value::as_f64).unwrap_or(0.0),
            executions: field("executions").and_then(Value::as_u64).unwrap_or(0),
        }
    }
}

fn read(file: &Path) -> Result<Map<String, Value>> {
    match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Map::new()),
        text => {
            let text = text.with_context(|| format!("reading {}", file.display()))?;
            serde_json::from_slice(&text).with_context(|| format!("reading {}", file.display()))
        }
    }
}

fn write(file: &Path, mut all: Map<String, Value>) -> Result<()> {
    all.sort_keys();
    let text = serde_json::to_string_pretty(&all)? + "\n";
    fs::write(file, text).with_context(|| format!("writing {}", file.display()))
}
