//! When a server that fails is asked again. Pure but for [`chance`]: time is given, and chance too.
//!
//! A server that answers now and then with a failure is asked on; one that fails several times in a row, or asks for fewer
//! calls, isn't asked for a while. Then one call finds out how it is, while all others are still turned away: if it
//! succeeds all is as before, else the next wait is twice as long.
//!
//! Worked example: calls at 0.0 s, 0.1 s and 0.2 s fail. Until about 0.7 s nothing is asked. A call at 0.8 s fails too: until
//! about 1.8 s nothing is asked. A call at 2.0 s succeeds: everything is asked again.
//!
//! What must stay true: however many calls are under way when the server fails, they count as one step, and no wait is
//! longer than [`LONGEST`].

use std::time::{Duration, Instant};

/// So many failures in a row make a wait.
const FAILURES: u32 = 3;
/// The first wait.
const SHORTEST: Duration = Duration::from_millis(500);
/// The longest wait, also where the server asks for more.
pub const LONGEST: Duration = Duration::from_secs(30);
/// What callers are told while one call finds out how the server is.
const WHILE_PROBING: Duration = Duration::from_secs(1);

/// How a server is doing.
#[derive(Debug, Default)]
pub struct Backoff {
    state: State,
    /// Counts the waits, so that calls from before the latest don't count any more.
    generation: u64,
}

#[derive(Debug)]
enum State {
    Well { failures: u32 },
    Waiting { until: Instant, step: u32 },
    Probing { step: u32 },
}

/// Leave to ask the server; its outcome is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leave {
    generation: u64,
}

impl Default for State {
    fn default() -> Self {
        Self::Well { failures: 0 }
    }
}

impl Backoff {
    /// How long nobody will be asked, while that is known.
    pub fn waiting(&self, now: Instant) -> Option<Duration> {
        match self.state {
            State::Waiting { until, .. } => until.checked_duration_since(now).filter(|wait| !wait.is_zero()),
            State::Probing { .. } => Some(WHILE_PROBING),
            State::Well { .. } => None,
        }
    }

    /// Leave to ask now, or how long nobody will be asked.
    pub fn leave(&mut self, now: Instant) -> Result<Leave, Duration> {
        if let Some(wait) = self.waiting(now) {
            return Err(wait);
        }
        if let State::Waiting { step, .. } = self.state {
            self.state = State::Probing { step };
        }
        Ok(Leave { generation: self.generation })
    }

    /// The server answered.
    pub fn succeeded(&mut self, leave: Leave) {
        if leave.generation == self.generation {
            self.state = State::default();
        }
    }

    /// Nobody waited for the outcome.
    pub fn abandoned(&mut self, leave: Leave, now: Instant) {
        if let State::Probing { step } = self.state
            && leave.generation == self.generation
        {
            self.state = State::Waiting { until: now, step };
        }
    }

    /// The server failed, and perhaps asks not to be asked for a while. `chance` from 0 to 255 spreads edges over time. The
    /// wait, if this begins one.
    pub fn failed(
        &mut self,
        leave: Leave,
        now: Instant,
        asked: Option<Duration>,
        chance: u8,
    ) -> Option<Duration> {
        if leave.generation != self.generation {
            return None;
        }
        let step = match self.state {
            State::Well { failures } if failures + 1 < FAILURES && asked.is_none() => {
                self.state = State::Well { failures: failures + 1 };
                return None;
            }
            State::Well { .. } => 0,
            State::Probing { step } | State::Waiting { step, .. } => step.saturating_add(1),
        };
        let wait = wait(step, asked, chance);
        self.state = State::Waiting { until: now + wait, step };
        self.generation += 1;
        Some(wait)
    }
}

/// At least what was asked for, and twice as long at each step.
fn wait(step: u32, asked: Option<Duration>, chance: u8) -> Duration {
    let asked = asked.unwrap_or_default().min(LONGEST);
    spread(doubled(SHORTEST, step, LONGEST), chance).max(asked).min(LONGEST)
}

/// A chance for [`spread`].
#[must_use]
pub fn chance() -> u8 {
    rand::random()
}

/// The shortest wait, twice as long at each step, up to the longest.
#[must_use]
pub fn doubled(shortest: Duration, step: u32, longest: Duration) -> Duration {
    shortest.saturating_mul(1_u32.checked_shl(step).unwrap_or(u32::MAX)).min(longest)
}

/// A wait from which `chance`, of 0 to 255, takes away or to which it adds up to a quarter: many who fail at once don't come again at once.
#[must_use]
pub fn spread(wait: Duration, chance: u8) -> Duration {
    wait.mul_f64(0.75 + f64::from(chance) / 512.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIDDLE: u8 = 128;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn the_worked_example_holds() {
        let start = Instant::now();
        let at = |time| start + seconds(time);
        let mut backoff = Backoff::default();
        for time in [0.0, 0.1] {
            let leave = backoff.leave(at(time)).unwrap();
            assert_eq!(backoff.failed(leave, at(time), None, MIDDLE), None);
        }
        let leave = backoff.leave(at(0.2)).unwrap();
        assert_eq!(backoff.failed(leave, at(0.2), None, MIDDLE), Some(seconds(0.5)));
        assert_eq!(backoff.leave(at(0.3)), Err(seconds(0.4)));
        let probe = backoff.leave(at(0.8)).unwrap();
        assert_eq!(backoff.leave(at(0.8)), Err(WHILE_PROBING));
        assert_eq!(backoff.failed(probe, at(0.8), None, MIDDLE), Some(seconds(1.0)));
        assert!(backoff.leave(at(1.7)).is_err());
        let probe = backoff.leave(at(2.0)).unwrap();
        backoff.succeeded(probe);
        for _ in 0..FAILURES - 1 {
            let leave = backoff.leave(at(2.0)).unwrap();
            assert_eq!(backoff.failed(leave, at(2.0), None, MIDDLE), None);
        }
    }

    #[test]
    fn one_request_for_fewer_calls_is_enough() {
        let now = Instant::now();
        for (asked, expected) in [(7, 7), (0, 0), (3_600, 30)] {
            let mut backoff = Backoff::default();
            let leave = backoff.leave(now).unwrap();
            let wait = backoff.failed(leave, now, Some(Duration::from_secs(asked)), MIDDLE).unwrap();
            assert_eq!(wait, Duration::from_secs(expected).max(SHORTEST));
        }
    }

    #[test]
    fn calls_under_way_count_as_one() {
        let now = Instant::now();
        let mut backoff = Backoff::default();
        let leaves: Vec<_> = (0..100).map(|_| backoff.leave(now).unwrap()).collect();
        let waits: Vec<_> =
            leaves.iter().filter_map(|leave| backoff.failed(*leave, now, None, MIDDLE)).collect();
        assert_eq!(waits, [SHORTEST]);
        // Nor do late successes end the wait.
        backoff.succeeded(leaves[0]);
        assert!(backoff.leave(now).is_err());
    }

    #[test]
    fn an_abandoned_probe_makes_room_for_the_next() {
        let now = Instant::now();
        let mut backoff = Backoff::default();
        let leave = backoff.leave(now).unwrap();
        let wait = backoff.failed(leave, now, Some(Duration::ZERO), MIDDLE).unwrap();
        let probe = backoff.leave(now + wait).unwrap();
        backoff.abandoned(probe, now + wait);
        assert!(backoff.leave(now + wait).is_ok());
    }

    proptest! {
        #[test]
        fn no_wait_is_too_long_or_shorter_than_asked(
            step in any::<u32>(), asked in prop::option::of(any::<u32>()), chance in any::<u8>(),
        ) {
            let asked = asked.map(|asked| Duration::from_secs(asked.into()));
            let wait = wait(step, asked, chance);
            prop_assert!(wait <= LONGEST && wait >= asked.unwrap_or_default().min(LONGEST));
            prop_assert!(wait >= SHORTEST.mul_f64(0.75));
        }
    }
}
