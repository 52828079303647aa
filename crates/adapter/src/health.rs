//! What is known of how targets are: those that failed players of late, and those that a route's checks found down, are tried last, so that
//! not every player waits for them.
//!
//! Worked example: a target fails a player at 0 s and is tried last until 10 s; it fails again at 12 s, and is until 32 s; at 40 s, until 80 s;
//! and so on, up to five minutes each. One answer, and all is forgotten. A target that checks found down is tried last until checks find it
//! up, or are long overdue.
//!
//! What must stay true: nobody is kept from a target that is the only one; what is known outlives reloads, and is no more than what discovery
//! named of late. How a target fares with players is the same for all routes; what checks find is their route's own, since each asks in its
//! own way.

mod checks;

pub use checks::{CheckKind, Checked, Checks, HealthSection};

use drawbridge_model::{Target, TargetAddress};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a target that failed once is tried last, and how long at most.
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(300);
/// How often what counts no more is forgotten.
const TIDIED: Duration = Duration::from_secs(1);

/// How all targets are; every clone is the same.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<Known>>);

/// How targets are to one route.
#[derive(Debug, Clone)]
pub struct RouteHealth {
    health: Health,
    route: Arc<str>,
}

/// How a target is, as far as anybody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It didn't fail of late, and checks, if there are any, haven't found out yet.
    Unknown,
    /// Checks find it up.
    Up,
    /// It failed a player of late.
    Failing,
    /// Checks find it down.
    Down,
}

impl Condition {
    /// The word for logs and answers.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Failing => "failing",
            Self::Down => "down",
        }
    }

    const fn is_tried_last(self) -> bool {
        matches!(self, Self::Failing | Self::Down)
    }
}

#[derive(Debug, Default)]
struct Known {
    /// The targets that failed players.
    failed: HashMap<TargetAddress, Failures>,
    /// By route.
    checked: HashMap<Arc<str>, Findings>,
    tidied: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    last: Instant,
    /// How long it is tried last, from then on.
    wait: Duration,
}

/// What a route's checks have found.
#[derive(Debug)]
struct Findings {
    /// When they began to ask all targets last.
    round: Instant,
    targets: HashMap<TargetAddress, Finding>,
    /// Until when any of it counts, if nobody looks again.
    until: Instant,
}

/// What they have found of a target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Finding {
    /// Unknown until there were answers enough in a row.
    up: Option<bool>,
    /// How many answers in a row said something else than that: so many went well, or failed.
    against: (bool, u32),
}

/// After how many answers in a row a target is another.
#[derive(Debug, Clone, Copy)]
struct Thresholds {
    down_after: u32,
    up_after: u32,
}

impl Finding {
    /// After another answer; whether it is another thing now than it was.
    fn after(self, up: bool, thresholds: Thresholds) -> (Self, bool) {
        if self.up == Some(up) {
            return (Self { up: self.up, against: (up, 0) }, false);
        }
        let count = if self.against.0 == up { self.against.1 + 1 } else { 1 };
        // Of one that nobody knows yet the first answer is enough to trust it.
        let needed = match (up, self.up) {
            (true, None) => 1,
            (true, Some(_)) => thresholds.up_after,
            (false, _) => thresholds.down_after,
        };
        if count >= needed {
            (Self { up: Some(up), against: (up, 0) }, true)
        } else {
            (Self { up: self.up, against: (up, count) }, false)
        }
    }
}

impl Failures {
    fn count(self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) < self.wait
    }

    /// A failure after this long is the first one again.
    fn are_forgotten(self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) >= 2 * self.wait
    }
}

impl Health {
    /// How targets are to the route of this name.
    #[must_use]
    pub fn of_route(&self, route: &str) -> RouteHealth {
        RouteHealth { health: self.clone(), route: route.into() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Each change is whole, so that what a panic elsewhere left behind is sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RouteHealth {
    /// How the target is.
    #[must_use]
    pub fn of(&self, address: &TargetAddress, now: Instant) -> Condition {
        self.health.known().condition(&self.route, address, now)
    }

    /// The same targets, those last that had better not be tried; `address` says where each is.
    pub fn last<T>(
        &self,
        targets: impl IntoIterator<Item = T>,
        address: impl Fn(&T) -> &TargetAddress,
    ) -> impl Iterator<Item = T> {
        let (known, now) = (self.health.known(), Instant::now());
        let condition = |target: &T| known.condition(&self.route, address(target), now);
        let (bad, good): (Vec<_>, Vec<_>) =
            targets.into_iter().partition(|target| condition(target).is_tried_last());
        good.into_iter().chain(bad)
    }

    /// Notes that a target failed; whether that is news.
    #[must_use]
    pub fn failed(&self, address: &TargetAddress, now: Instant) -> bool {
        let mut known = self.health.known();
        known.tidy(now);
        let Some(failures) = known.failed.get_mut(address).filter(|failures| !failures.are_forgotten(now))
        else {
            known.failed.insert(address.clone(), Failures { last: now, wait: FIRST });
            return true;
        };
        let news = !failures.count(now);
        if news {
            failures.wait = (2 * failures.wait).min(LONGEST);
        }
        // While it counts, further failures are those of players who were on their way.
        failures.last = now;
        news
    }

    /// Notes that a target is there.
    pub fn answered(&self, address: &TargetAddress) {
        self.health.known().failed.remove(address);
    }

    /// When the route's checks are due again that are to come every `interval`.
    fn next_round(&self, interval: Duration, now: Instant) -> Instant {
        self.health.known().checked.get(&self.route).map_or(now, |checked| checked.round + interval).max(now)
    }

    /// A round of checks begins, of these targets where somebody can say which there are; what they find counts for `long`.
    fn round_begins(&self, targets: Option<&[Target]>, now: Instant, long: Duration) {
        let mut known = self.health.known();
        known.tidy(now);
        let checked = known.checked.entry(Arc::clone(&self.route)).or_insert_with(|| Findings {
            round: now,
            targets: HashMap::new(),
            until: now,
        });
        if checked.until <= now {
            checked.targets.clear();
        }
        (checked.round, checked.until) = (now, now + long);
        if let Some(targets) = targets {
            let named: HashSet<_> = targets.iter().map(|target| &target.address).collect();
            checked.targets.retain(|address, _| named.contains(address));
        }
    }

    /// Notes what a check came to; whether the target is another thing than it was.
    fn found(&self, address: &TargetAddress, up: bool, thresholds: Thresholds) -> Option<Change> {
        let mut known = self.health.known();
        // A round has begun.
        let checked = known.checked.get_mut(&self.route)?;
        let finding = checked.targets.entry(address.clone()).or_default();
        let before = finding.up;
        let (after, changed) = finding.after(up, thresholds);
        *finding = after;
        if !changed {
            return None;
        }
        if up {
            // What failed while it was down says nothing of how it is now.
            if before == Some(false) {
                known.failed.remove(address);
            }
            return before.map(|_| Change::Up);
        }
        Some(Change::Down)
    }
}

/// What is told of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Up,
    Down,
}

impl Known {
    /// How the target is to the route.
    fn condition(&self, route: &str, address: &TargetAddress, now: Instant) -> Condition {
        let checked = self.checked.get(route).filter(|checked| now < checked.until);
        let up = checked.and_then(|checked| checked.targets.get(address)?.up);
        match (up, self.failed.get(address).is_some_and(|failures| failures.count(now))) {
            (Some(false), _) => Condition::Down,
            (_, true) => Condition::Failing,
            (Some(true), false) => Condition::Up,
            (None, false) => Condition::Unknown,
        }
    }

    /// Whatever discovery names from day to day, no more is kept than what counts.
    fn tidy(&mut self, now: Instant) {
        if self.tidied.is_none_or(|tidied| now.saturating_duration_since(tidied) >= TIDIED) {
            self.tidied = Some(now);
            self.failed.retain(|_, failures| !failures.are_forgotten(now));
            self.checked.retain(|_, checked| now < checked.until);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THRESHOLDS: Thresholds = Thresholds { down_after: 3, up_after: 2 };
    const LONG: Duration = Duration::from_secs(30);

    fn addresses() -> [TargetAddress; 2] {
        ["a.example.com:1", "b.example.com:1"].map(|address| address.parse().unwrap())
    }

    fn target(address: &TargetAddress) -> Target {
        let (identifier, address) = (address.to_string(), address.clone());
        Target { identifier, address, priority: 0, meta: Arc::default(), lease: None }
    }

    #[test]
    fn a_target_that_fails_is_tried_last_for_longer_each_time() {
        let all = Health::default();
        let health = all.of_route("world");
        let [dead, other] = addresses();
        let mut now = Instant::now();
        for wait in [10, 20, 40, 80, 160, 300, 300].map(Duration::from_secs) {
            assert!(health.failed(&dead, now), "it fails again after a while");
            assert_eq!(health.of(&dead, now + wait.mul_f64(0.9)), Condition::Failing);
            assert_eq!(all.of_route("another").of(&dead, now), Condition::Failing);
            assert_eq!(health.of(&other, now), Condition::Unknown);
            assert_eq!(health.of(&dead, now + wait), Condition::Unknown);
            assert!(!health.failed(&dead, now + wait / 2), "no news");
            now += wait / 2 + wait;
        }
        assert!(health.failed(&dead, now + 2 * LONGEST), "long ago");
        assert_eq!(
            health.of(&dead, now + 2 * LONGEST + FIRST),
            Condition::Unknown,
            "as if for the first time"
        );
        let _ = health.failed(&other, now + 10 * LONGEST);
        assert_eq!(all.known().failed.len(), 1);
        health.answered(&other);
        assert!(all.known().failed.is_empty());
    }

    #[test]
    fn so_many_answers_in_a_row_make_a_target_another() {
        let mut finding = Finding::default();
        let mut told = Vec::new();
        // Well, two failures, well, three failures, one well, one failure, two well.
        for up in [true, false, false, true, false, false, false, true, false, true, true] {
            let (after, changed) = finding.after(up, THRESHOLDS);
            finding = after;
            told.push((finding.up, changed));
        }
        let (up, down) = (Some(true), Some(false));
        let expected = [
            (up, true),
            (up, false),
            (up, false),
            (up, false),
            (up, false),
            (up, false),
            (down, true),
            (down, false),
            (down, false),
            (down, false),
            (up, true),
        ];
        assert_eq!(told, expected);
        let mut dead = Finding::default();
        for _ in 0..2 {
            dead = dead.after(false, THRESHOLDS).0;
            assert_eq!(dead.up, None, "nobody knows yet");
        }
        assert_eq!(dead.after(false, THRESHOLDS).0.up, Some(false));
    }

    #[test]
    fn what_checks_find_is_their_routes_own_and_counts_until_they_are_overdue() {
        let all = Health::default();
        let (health, another) = (all.of_route("world"), all.of_route("another"));
        let ([one, other], now) = (addresses(), Instant::now());
        let targets = [target(&one), target(&other)];
        health.round_begins(Some(&targets), now, LONG);
        another.round_begins(Some(&targets), now, LONG);
        assert_eq!(another.found(&one, true, THRESHOLDS), None, "it is up from the start");
        let changes = [(); 3].map(|()| health.found(&one, false, THRESHOLDS));
        assert_eq!(changes, [None, None, Some(Change::Down)]);
        assert_eq!(health.of(&one, now + LONG / 2), Condition::Down);
        assert_eq!(another.of(&one, now + LONG / 2), Condition::Up);
        assert_eq!(health.of(&one, now + LONG), Condition::Unknown);
        let order: Vec<_> = health.last([one.clone(), other.clone()], |address| address).collect();
        assert_eq!(order, [other.clone(), one.clone()]);
        health.answered(&one);
        assert_eq!(health.of(&one, now), Condition::Down, "a player got in; the checks will see it");
        assert!(health.failed(&one, now));
        // Over a reload all of it stays, and nobody is asked the sooner for it.
        let health = all.of_route("world");
        assert_eq!(health.next_round(LONG, now + LONG / 3), now + LONG);
        assert_eq!([(); 2].map(|()| health.found(&one, true, THRESHOLDS)), [None, Some(Change::Up)]);
        assert_eq!(health.of(&one, now), Condition::Up, "what failed while it was down is forgotten");
        assert!(health.failed(&one, now));
        assert_eq!(health.found(&one, true, THRESHOLDS), None);
        assert_eq!(health.of(&one, now), Condition::Failing, "it accepts connections, but served nobody");
        health.round_begins(Some(&targets[1..]), now, LONG);
        assert_eq!(health.of(&one, now + FIRST), Condition::Unknown, "discovery names it no more");
        let _ = health.failed(&other, now + 100 * LONG);
        let known = all.known();
        assert_eq!((known.failed.len(), known.checked.len()), (1, 0), "what is overdue takes no room");
    }
}
