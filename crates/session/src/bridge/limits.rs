//! How much a client may send.
//!
//! Each bound on a rate is a bucket that is as full as a burst may be, fills up again as time passes, and is taken from by what comes. It is filled
//! once for all that was read at once, by the reactor's own clock, and not oftener than ten times a second: a packet costs
//! a subtraction for each bucket.
//!
//! What must stay true: a packet is counted before it is inflated, by what it says of itself, which is all that is inflated of it.

use super::Fault;
use drawbridge_net::PlayLimits;
use drawbridge_protocol::carry::Frame;
use drawbridge_protocol::frame::{FrameError, MAX_FRAME};
use drawbridge_protocol::stream::StreamError;
use std::time::{Duration, Instant};
use thiserror::Error;

/// How often buckets are filled at most, a second. They hold so many parts of what they measure, so that each filling is by a whole number.
const BEATS: u64 = 10;
const BEAT: Duration = Duration::from_millis(1_000 / BEATS);

/// Packets of up to so many bytes may be compressed as well as may be: books of a single letter are.
const ANY_RATIO: usize = 512 * 1024;

/// More than a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("more than limits.play.{} = {allowed}", .limit.key())]
pub struct Excess {
    /// Which bound it is over.
    pub limit: Limit,
    /// The bound, as it is configured.
    pub allowed: u64,
}

/// A bound on what a client may send; each is a key of `[limits.play]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Packets of all kinds.
    Packets,
    /// Bytes as they come.
    Bytes,
    /// Bytes of packets that are inflated.
    Inflated,
    /// Messages and commands for backends.
    Chat,
    /// Commands of the edge's own.
    Commands,
    /// Questions for completions.
    Completions,
    /// Plugin messages.
    PluginMessages,
    /// Client Information.
    Settings,
    /// The length of a packet.
    Packet,
    /// By how much a packet is inflated.
    Ratio,
}

impl Limit {
    /// Those that are for a second, in the order of their numbers.
    const RATES: [Self; 8] = [
        Self::Packets,
        Self::Bytes,
        Self::Inflated,
        Self::Chat,
        Self::Commands,
        Self::Completions,
        Self::PluginMessages,
        Self::Settings,
    ];

    /// The key's name.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Packets => "packets",
            Self::Bytes => "bytes",
            Self::Inflated => "inflated",
            Self::Chat => "chat",
            Self::Commands => "commands",
            Self::Completions => "completions",
            Self::PluginMessages => "plugin_messages",
            Self::Settings => "settings",
            Self::Packet => "packet",
            Self::Ratio => "ratio",
        }
    }

    /// What is configured; 0: anything.
    fn allowed(self, limits: &PlayLimits) -> u64 {
        match self {
            Self::Packets => limits.packets.into(),
            Self::Bytes => limits.bytes.bytes(),
            Self::Inflated => limits.inflated.bytes(),
            Self::Chat => limits.chat.into(),
            Self::Commands => limits.commands.into(),
            Self::Completions => limits.completions.into(),
            Self::PluginMessages => limits.plugin_messages.into(),
            Self::Settings => limits.settings.into(),
            Self::Packet => limits.packet.bytes(),
            Self::Ratio => limits.ratio.into(),
        }
    }
}

/// What a client may still send.
#[derive(Debug)]
pub(super) struct Meter {
    limits: PlayLimits,
    /// What is left in each bucket, in parts: [`BEATS`] make one.
    left: [u64; Limit::RATES.len()],
    /// When the buckets were filled last.
    filled: Instant,
    longest: usize,
    ratio: usize,
}

impl Meter {
    /// With full buckets.
    pub(super) fn new(limits: PlayLimits, now: Instant) -> Self {
        let bound = |limit: Limit| match limit.allowed(&limits) {
            0 => usize::MAX,
            allowed => usize::try_from(allowed).unwrap_or(usize::MAX),
        };
        let (longest, ratio) = (bound(Limit::Packet), bound(Limit::Ratio));
        let left = Limit::RATES.map(|limit| full(&limits, limit));
        Self { limits, left, filled: now, longest, ratio }
    }

    /// Time has passed.
    pub(super) fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.filled);
        if passed < BEAT {
            return;
        }
        let beats = u64::try_from(passed.as_millis() / BEAT.as_millis()).unwrap_or(u64::MAX);
        self.filled =
            BEAT.checked_mul(u32::try_from(beats).unwrap_or(u32::MAX)).map_or(now, |by| self.filled + by);
        for limit in Limit::RATES {
            // In a beat comes as many parts as wholes in a second.
            let more = limit.allowed(&self.limits).saturating_mul(beats);
            let left = &mut self.left[limit as usize];
            *left = left.saturating_add(more).min(full(&self.limits, limit));
        }
    }

    /// Takes so much from a bucket.
    #[inline]
    pub(super) fn take(&mut self, limit: Limit, amount: u64) -> Result<(), Excess> {
        let left = &mut self.left[limit as usize];
        *left = left.checked_sub(amount.saturating_mul(BEATS)).ok_or_else(|| excess(&self.limits, limit))?;
        Ok(())
    }

    /// The most bytes that a frame may have: those of the longest packet, with what compression adds where it makes nothing shorter.
    pub(super) fn longest_frame(&self) -> usize {
        MAX_FRAME.min(self.longest.saturating_add(self.longest / 1_000 + 64))
    }

    /// What is wrong with a client's frame: one that is too long to be read is more than it may send.
    pub(super) fn fault(&self, error: StreamError) -> Fault {
        match error {
            StreamError::Frame(FrameError::TooLong { .. }) if self.longest < MAX_FRAME => {
                excess(&self.limits, Limit::Packet).into()
            }
            error => error.into(),
        }
    }

    /// Counts a packet, of whichever kind.
    #[inline]
    pub(super) fn packet(&mut self, frame: &Frame<'_>) -> Result<(), Excess> {
        self.take(Limit::Packets, 1)?;
        if frame.length() > self.longest {
            return Err(excess(&self.limits, Limit::Packet));
        }
        match frame.inflated() {
            Some(length) => self.inflated(length, frame.size()),
            None => Ok(()),
        }
    }

    fn inflated(&mut self, length: usize, size: usize) -> Result<(), Excess> {
        if length > ANY_RATIO && length / self.ratio > size {
            return Err(excess(&self.limits, Limit::Ratio));
        }
        self.take(Limit::Inflated, length as u64)
    }
}

/// What a bucket holds at most.
fn full(limits: &PlayLimits, limit: Limit) -> u64 {
    match limit.allowed(limits) {
        0 => u64::MAX,
        allowed => {
            let parts =
                u128::from(allowed).saturating_mul(u128::from(BEATS) * limits.burst.as_millis()) / 1_000;
            u64::try_from(parts).unwrap_or(u64::MAX)
        }
    }
}

#[cold]
fn excess(limits: &PlayLimits, limit: Limit) -> Excess {
    Excess { limit, allowed: limit.allowed(limits) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use drawbridge_config::ByteSize;

    fn limits(packets: u32, burst: Duration) -> PlayLimits {
        PlayLimits { packets, burst, ..PlayLimits::default() }
    }

    /// Takes from the bucket of packets as long as that goes.
    fn drain(meter: &mut Meter) -> u64 {
        (0..).take_while(|_| meter.take(Limit::Packets, 1).is_ok()).count() as u64
    }

    #[test]
    fn as_much_comes_as_a_burst_and_what_time_brings() {
        let start = Instant::now();
        let after = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut meter = Meter::new(limits(30, Duration::from_secs(2)), start);
        assert_eq!(drain(&mut meter), 60);
        meter.fill(after(99));
        assert_eq!(drain(&mut meter), 0);
        meter.fill(after(100));
        assert_eq!(drain(&mut meter), 3);
        // What a look came too late for isn't lost.
        meter.fill(after(290));
        assert_eq!(drain(&mut meter), 3);
        meter.fill(after(300));
        assert_eq!(drain(&mut meter), 3);
        meter.fill(after(3_600_000));
        assert_eq!(drain(&mut meter), 60);
    }

    #[test]
    fn rates_below_a_beat_are_kept() {
        let start = Instant::now();
        let mut meter = Meter::new(limits(3, Duration::from_secs(1)), start);
        let mut taken = drain(&mut meter);
        for beat in 1..=100 {
            meter.fill(start + BEAT * beat);
            taken += drain(&mut meter);
        }
        assert_eq!(taken, 3 + 30);
    }

    #[test]
    fn what_is_refused_takes_nothing_and_tells_the_bound() {
        let start = Instant::now();
        let mut meter = Meter::new(limits(10, Duration::from_secs(1)), start);
        let excess = meter.take(Limit::Packets, 11).unwrap_err();
        assert_eq!(excess, Excess { limit: Limit::Packets, allowed: 10 });
        assert_eq!(excess.to_string(), "more than limits.play.packets = 10");
        assert_eq!(drain(&mut meter), 10);
    }

    #[test]
    fn no_number_makes_it_overflow() {
        let start = Instant::now();
        let endless = PlayLimits {
            burst: Duration::MAX,
            bytes: ByteSize(u64::MAX),
            packets: 0,
            ..PlayLimits::default()
        };
        let mut meter = Meter::new(endless, start);
        for seconds in [0, 1, u64::from(u32::MAX)] {
            meter.fill(start + Duration::from_secs(seconds));
            assert_eq!(meter.take(Limit::Bytes, u64::MAX / BEATS), Ok(()));
            meter.take(Limit::Bytes, u64::MAX).unwrap_err();
            assert_eq!(meter.take(Limit::Packets, 1_000_000_000), Ok(()));
        }
        // Who goes back in time gets nothing for it.
        meter.fill(start);
    }

    #[test]
    fn each_rate_has_a_bucket() {
        for (at, limit) in Limit::RATES.into_iter().enumerate() {
            assert_eq!(limit as usize, at);
        }
    }
}
