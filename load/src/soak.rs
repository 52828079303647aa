//! All that comes by an edge, at once and for as long as wanted: players in sessions who switch under chunks, players who come and go, relays,
//! hand-overs, pings of all kinds, floods, reloads. It is looked at every few seconds, and [`judge`] says whether anything is left behind.
//!
//! What must stay true: rates are fixed, so that the load at the end is that of the beginning, and what grows grows by itself; the one load and
//! the one judge serve `cargo xtask soak` and the suite.

pub mod judge;
mod sample;
mod town;
mod visitors;

pub use judge::{Finding, Verdict};
pub use sample::{HEADS, Sample};

use drawbridge_testkit::eventually;
use judge::{Rule, Seen};
use sample::Looking;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use town::Town;
use visitors::Visitors;

/// How long the edge may take to be as it was when everybody has left: longer than it keeps a connection to the session server that nobody uses.
const AFTERWARDS: Duration = Duration::from_secs(90);

/// How much comes by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// For how long.
    pub length: Duration,
    /// How often the edge is looked at.
    pub every: Duration,
    /// How many strangers come: 1 for an optimised edge, less for one that isn't.
    pub strangers: f64,
    /// Players who stay, of each kind.
    pub players: usize,
}

impl Plan {
    /// So many minutes of an optimised edge, at which it has about a quarter of a core.
    #[must_use]
    pub const fn minutes(minutes: u64) -> Self {
        Self {
            length: Duration::from_secs(60 * minutes),
            every: Duration::from_secs(5),
            strangers: 2.0,
            players: 12,
        }
    }

    /// The least that shows a leak, of an edge that isn't optimised, on a machine that is busy with other things.
    pub const SHORT: Self = Self {
        length: Duration::from_secs(45),
        every: Duration::from_millis(500),
        strangers: 0.05,
        players: 6,
    };
}

/// Puts the load on the program, tells what it looks like the while, and judges.
///
/// # Panics
/// When nobody can come at all: the edge doesn't start, a port or a thread isn't to be had.
#[must_use]
pub fn run(program: &Path, plan: Plan, mut tell: impl FnMut(&Sample)) -> Verdict {
    let town = Town::start(program);
    let looking = Looking::begin(&town);
    let (start, rule) = (looking.look(), Rule::default());
    let mut samples = Vec::new();
    let visitors = Visitors::default();
    let mut faults = thread::scope(|scope| {
        let staying = visitors.come(scope, &town, plan);
        let begun = Instant::now();
        while let Some(left) = plan.length.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) {
            thread::park_timeout(left.min(plan.every));
            let sample = looking.look();
            tell(&sample);
            samples.push(sample);
        }
        visitors.leave(staying)
    });
    let end = eventually(AFTERWARDS, || {
        let end = looking.look();
        if end.is_no_more_than(&start, rule.kept) {
            return Some(end);
        }
        visitors::ask_once_more(&town);
        thread::park_timeout(plan.every);
        None
    });
    let end = end.unwrap_or_else(|| looking.look());
    tell(&end);
    faults.extend(visitors.faults());
    faults.extend(town.faults());
    let seen = Seen { start: &start, samples: &samples, end: &end };
    Verdict::of(&rule, &seen, &faults, visitors.told())
}
