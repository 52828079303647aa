//! How often each prefix knocks, in a fixed amount of memory.
//!
//! The rule is GCRA (ITU-T I.371, the "virtual scheduling algorithm"), a token bucket that needs a single number: the time at which
//! the bucket will be full again, here called the *debt's end*. A knock is worth `per / burst`; it is permitted when, with
//! it, the debt doesn't reach further than `per` into the future.
//! Worked example, `{ burst = 5, per = "10s" }`, so 2 s a knock: at t = 0 five knocks move the debt's end to 2, 4, 6, 8, 10 s; a sixth would move it to 12 and is
//! refused. At t = 3 s one more is permitted (12 ≤ 3 + 10), the next isn't (14 > 13).
//!
//! Debts are kept in a set-associative table like a processor's cache: the keyed hash of the prefix names one set of [`WAYS`]
//! slots and the tag within. An unknown prefix takes the slot whose debt ends first. So
//! - memory is bounded, and each knock costs the same, however many addresses come;
//! - a debt that has ended is as good as none: pruning is for free;
//! - the table full, a new prefix is still permitted its burst: nobody is refused for what others did;
//! - what is forgotten is always the smallest debt of a set. Somebody who wants a large debt forgotten, their own or another's
//!   (forgetting is only ever in the favour of the forgotten), needs larger debts in all other slots of its set, and since they can't know which
//!   prefixes share a set, about as many addresses in as deep debt as the table has slots: 65,536. With these they'd have as many bursts anyway.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use drawbridge_config::Rate;

/// What a client wants, each kind with a rate of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Knock {
    /// The server list.
    Status,
    /// A login.
    Login,
    /// A login of somebody handed over from another server (intent 3).
    Transfer,
}

impl Knock {
    pub(super) const COUNT: usize = 3;

    pub(super) fn index(self) -> usize {
        match self {
            Self::Status => 0,
            Self::Login => 1,
            Self::Transfer => 2,
        }
    }
}

/// Slots per set.
const WAYS: usize = 8;

/// Sets per lock.
const SETS: usize = 128;

/// Locks per kind of knock.
const SHARDS: usize = 64;

/// A slot: the tag of its prefix, and the end of its debt in nanoseconds since the table was made; 0 in a free one.
type Slot = [u64; 2];

/// A [`Rate`] in nanoseconds. A burst of 0 permits nothing, a `per` of 0 everything; the configuration has neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// What a knock is worth.
    knock: u64,
    /// How far the debt may reach into the future; less than `knock` when nothing is permitted.
    reach: u64,
}

impl From<Rate> for Pace {
    fn from(rate: Rate) -> Self {
        let per = nanoseconds(rate.per);
        match per.checked_div(u64::from(rate.burst)) {
            Some(knock) => Self { knock, reach: knock * u64::from(rate.burst) },
            None => Self { knock: 1, reach: 0 },
        }
    }
}

/// Bounded to a century, so that sums of them don't overflow.
fn nanoseconds(duration: Duration) -> u64 {
    const CENTURY: u64 = 100 * 366 * 24 * 3600 * 1_000_000_000;
    u64::try_from(duration.as_nanos()).unwrap_or(CENTURY).min(CENTURY)
}

/// The debts of all prefixes, for each kind of knock.
#[derive(Debug)]
pub(super) struct Knocks {
    start: Instant,
    tables: [[Mutex<Shard>; SHARDS]; Knock::COUNT],
}

/// Empty until it is first used.
#[derive(Debug, Default)]
struct Shard(Vec<[Slot; WAYS]>);

impl Knocks {
    pub(super) fn new(start: Instant) -> Self {
        Self { start, tables: std::array::from_fn(|_| std::array::from_fn(|_| Mutex::default())) }
    }

    /// Whether whoever has this hash, which must be keyed, may knock; if so, the knock is counted.
    pub(super) fn permits(&self, knock: Knock, pace: Pace, hash: u64, now: Instant) -> bool {
        // From 1 on, so that a free slot's debt has ended.
        let now = nanoseconds(now.saturating_duration_since(self.start)) + 1;
        let shard = index(hash, SHARDS);
        let set = index(hash / SHARDS as u64, SETS);
        let mut shard = self.tables[knock.index()][shard].lock().unwrap_or_else(PoisonError::into_inner);
        if shard.0.is_empty() {
            shard.0 = vec![[[0; 2]; WAYS]; SETS];
        }
        let slot = slot(&mut shard.0[set], hash);
        // After a reload a debt may reach further than the pace allows; it is cut, so that nobody waits longer than `per`.
        let debt = slot[1].clamp(now, now + pace.reach);
        let permitted = debt + pace.knock <= now + pace.reach;
        *slot = [hash, if permitted { debt + pace.knock } else { debt }];
        permitted
    }
}

/// The slot of the prefix with this tag: its own, or the one whose debt ends first, cleared.
fn slot(set: &mut [Slot; WAYS], tag: u64) -> &mut Slot {
    let own = set.iter().position(|slot| slot[0] == tag);
    let index = own.unwrap_or_else(|| {
        let first = (0..WAYS).min_by_key(|way| set[*way][1]).unwrap_or(0);
        set[first] = [tag, 0];
        first
    });
    &mut set[index]
}

fn index(hash: u64, among: usize) -> usize {
    usize::try_from(hash % among as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pace(burst: u32, per: Duration) -> Pace {
        Pace::from(Rate::new(burst, per))
    }

    /// The example in the module's documentation.
    #[test]
    fn the_worked_example() {
        let start = Instant::now();
        let knocks = Knocks::new(start);
        let permits = |second| knocks.permits(Knock::Login, pace(5, 10 * SECOND), 1, start + second * SECOND);
        for _ in 0..5 {
            assert!(permits(0));
        }
        assert!(!permits(0));
        assert!(permits(3));
        assert!(!permits(3));
    }

    #[test]
    fn the_extremes_of_a_rate() {
        let start = Instant::now();
        let knocks = Knocks::new(start);
        let often =
            |pace, hash| (0..1000).filter(|_| knocks.permits(Knock::Status, pace, hash, start)).count();
        assert_eq!(often(pace(0, SECOND), 1), 0);
        assert_eq!(often(pace(1, Duration::ZERO), 2), 1000);
        assert_eq!(often(pace(1, Duration::MAX), 3), 1);
        assert_eq!(often(pace(u32::MAX, Duration::MAX), 4), 1000);
        assert!(!knocks.permits(Knock::Status, pace(1, Duration::MAX), 3, start + 3600 * SECOND));
    }

    #[test]
    fn a_clock_that_steps_back_is_harmless() {
        let start = Instant::now() + 60 * SECOND;
        let knocks = Knocks::new(start);
        assert!(knocks.permits(Knock::Status, pace(1, SECOND), 1, start));
        assert!(!knocks.permits(Knock::Status, pace(1, SECOND), 1, start - 30 * SECOND));
        assert!(knocks.permits(Knock::Status, pace(1, SECOND), 1, start + SECOND));
    }

    /// A flood of new addresses, many more than there are slots: all get in, and whoever is in debt stays so.
    #[test]
    fn a_flood_of_addresses_resets_nobody() {
        let start = Instant::now();
        let knocks = Knocks::new(start);
        let hasher = std::hash::RandomState::new();
        let login = pace(5, 10 * SECOND);
        let indebted: Vec<u64> = (0..100u64).map(|prefix| hasher.hash_one(prefix)).collect();
        for hash in &indebted {
            assert_eq!((0..6).filter(|_| knocks.permits(Knock::Login, login, *hash, start)).count(), 5);
        }
        for prefix in 1000..300_000u64 {
            assert!(
                knocks.permits(Knock::Login, login, hasher.hash_one(prefix), start),
                "newcomers are let in"
            );
        }
        let still =
            indebted.iter().filter(|hash| !knocks.permits(Knock::Login, login, **hash, start)).count();
        assert_eq!(still, 100);
    }

    #[test]
    fn memory_is_bounded() {
        assert_eq!(size_of::<Slot>() * WAYS * SETS * SHARDS, 1 << 20);
        assert_eq!(WAYS * SETS * SHARDS, 65_536);
    }

    proptest! {
        /// In any span of time no more than the burst and what the span itself is worth; and whoever keeps the pace is never refused.
        #[test]
        fn keeps_to_the_rate(burst in 1u32..20, per in 1u64..20_000, gaps in proptest::collection::vec(0u64..5_000, 1..200)) {
            let start = Instant::now();
            let knocks = Knocks::new(start);
            let pace = pace(burst, Duration::from_millis(per));
            let mut at = 0;
            let mut permitted = Vec::new();
            for gap in gaps {
                at += gap;
                if knocks.permits(Knock::Login, pace, 7, start + Duration::from_millis(at)) {
                    permitted.push(at * 1_000_000);
                }
            }
            for (first, from) in permitted.iter().enumerate() {
                for (count, to) in permitted[first..].iter().enumerate() {
                    let worth = u64::from(burst) + (to - from) / pace.knock;
                    prop_assert!((count as u64) < worth);
                }
            }
            let steady = Duration::from_nanos(pace.knock);
            let later = start + Duration::from_millis(at + per);
            for step in 0..100 {
                prop_assert!(knocks.permits(Knock::Login, pace, 7, later + step * steady));
            }
        }
    }
}
