//! When to look at which slot again, without a system call per deadline.
//!
//! Time is cut into ticks and a deadline rounded up to the next. The heap holds *reminders*, not deadlines: a deadline moved
//! later leaves its reminder where it is, and when that is due it is put back at the later time. A reminder belongs to the slot
//! and not to the task, so the slot's next task takes it over. A server of short connections thus hardly touches the heap.
//!
//! What must stay true: a slot with a deadline has a live reminder no later than it, and the heap holds at most
//! `2 × slots + SLACK` reminders, however often deadlines move.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// How much later than asked a deadline may pass, beside what the poller adds.
pub(super) const TICK: Duration = Duration::from_nanos(TICK_NANOSECONDS);
const TICK_NANOSECONDS: u64 = 16_000_000;

/// Reminders tolerated beyond two per slot before the dead ones are swept out.
const SLACK: usize = 64;

/// Ticks since the reactor started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tick(u64);

impl Tick {
    pub(super) const NEVER: Self = Self(u64::MAX);
}

/// The reactor's clock: read once a turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    start: Instant,
    now: Instant,
}

impl Clock {
    pub(super) fn new(now: Instant) -> Self {
        Self { start: now, now }
    }

    pub(super) fn advance(&mut self, now: Instant) {
        self.now = now;
    }

    pub(super) fn now(&self) -> Instant {
        self.now
    }

    /// The last tick that has passed entirely.
    pub(super) fn tick(&self) -> Tick {
        Tick(whole_ticks(self.now.saturating_duration_since(self.start)))
    }

    /// The first tick that is not before `instant`.
    pub(super) fn tick_of(&self, instant: Instant) -> Tick {
        let since = instant.saturating_duration_since(self.start);
        Tick(whole_ticks(since.saturating_add(TICK - Duration::from_nanos(1))))
    }

    /// How long from this turn until `tick`.
    pub(super) fn until(&self, tick: Tick) -> Duration {
        let since = u64::try_from(TICK.as_millis()).unwrap_or(u64::MAX).saturating_mul(tick.0);
        Duration::from_millis(since).saturating_sub(self.now.saturating_duration_since(self.start))
    }
}

/// In 64 bits, which are nanoseconds enough for five centuries.
fn whole_ticks(since: Duration) -> u64 {
    let nanoseconds =
        since.as_secs().saturating_mul(1_000_000_000).saturating_add(since.subsec_nanos().into());
    nanoseconds / TICK_NANOSECONDS
}

/// A slot's deadline and its earliest reminder; both [`Tick::NEVER`] when there is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) deadline: Tick,
    reminder: Tick,
}

impl Due {
    pub(super) const NEVER: Self = Self { deadline: Tick::NEVER, reminder: Tick::NEVER };
}

/// The reminders of all slots.
#[derive(Debug, Default)]
pub(super) struct Reminders {
    heap: BinaryHeap<Reverse<(Tick, u32)>>,
}

impl Reminders {
    /// Sets the deadline of a slot.
    pub(super) fn set(&mut self, slot: u32, due: &mut Due, deadline: Tick) {
        due.deadline = deadline;
        if deadline < due.reminder {
            due.reminder = deadline;
            self.heap.push(Reverse((deadline, slot)));
        }
    }

    /// When to wake up at the latest.
    pub(super) fn next(&self) -> Option<Tick> {
        self.heap.peek().map(|Reverse((tick, _))| *tick)
    }

    /// Takes a reminder that is due, if there is one; [`Reminders::reached`] says what to do about it.
    pub(super) fn pop(&mut self, now: Tick) -> Option<(Tick, u32)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    /// Whether the slot's deadline has passed, now that its reminder set for `tick` was taken; puts it back where it is early.
    pub(super) fn reached(&mut self, (tick, slot): (Tick, u32), due: &mut Due, now: Tick) -> bool {
        if due.reminder != tick {
            return false;
        }
        due.reminder = Tick::NEVER;
        if due.deadline <= now {
            return true;
        }
        if due.deadline != Tick::NEVER {
            self.set(slot, due, due.deadline);
        }
        false
    }

    /// Drops the reminders that an earlier one has overtaken, once they are too many. `live` gives a slot's deadlines.
    pub(super) fn sweep(&mut self, slots: usize, live: impl Fn(u32) -> Due) {
        if self.heap.len() > 2 * slots + SLACK {
            let mut entries = std::mem::take(&mut self.heap).into_vec();
            entries.retain(|Reverse((tick, slot))| live(*slot).reminder == *tick);
            entries.sort_unstable();
            entries.dedup();
            self.heap = entries.into();
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.heap.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_deadline_is_rounded_up_to_a_tick() {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        let tick = clock.tick_of(start + Duration::from_millis(17));
        assert_eq!(clock.until(tick), Duration::from_millis(32));
        clock.advance(start + Duration::from_millis(31));
        assert!(clock.tick() < tick);
        clock.advance(start + Duration::from_millis(32));
        assert_eq!(clock.tick(), tick);
        assert_eq!(clock.until(tick), Duration::ZERO);
    }

    #[test]
    fn a_deadline_moved_later_costs_no_reminder() {
        let mut reminders = Reminders::default();
        let mut due = Due::NEVER;
        for tick in 10..1000 {
            reminders.set(0, &mut due, Tick(tick));
        }
        assert_eq!(reminders.len(), 1);
    }

    proptest! {
        /// Against the obvious model: a slot fires in the first pass at or after its deadline, never before.
        #[test]
        fn every_deadline_fires_in_time(steps in proptest::collection::vec((0u32..4, 0u64..50, any::<bool>()), 1..200)) {
            let mut reminders = Reminders::default();
            let mut dues = [Due::NEVER; 4];
            let mut now = Tick(0);
            for (slot, ahead, pass) in steps {
                if pass {
                    now = Tick(now.0 + ahead);
                    while let Some(entry) = reminders.pop(now) {
                        let due = &mut dues[entry.1 as usize];
                        if reminders.reached(entry, due, now) {
                            prop_assert!(due.deadline <= now, "fired early");
                            reminders.set(entry.1, due, Tick::NEVER);
                        }
                    }
                    for due in dues {
                        prop_assert!(due.deadline > now, "a deadline was missed");
                    }
                } else {
                    let deadline = Tick(now.0 + ahead);
                    reminders.set(slot, &mut dues[slot as usize], deadline);
                    reminders.sweep(4, |slot| dues[slot as usize]);
                }
                prop_assert!(reminders.len() <= 2 * 4 + SLACK + 1);
            }
        }
    }
}
