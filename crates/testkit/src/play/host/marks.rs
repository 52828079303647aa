//! What a host pushes: marked packets, small ones and such as chunks, at the rates that the test wants; and its misdeeds.

use super::play::TICK;
use super::visit::{End, Visit};
use super::{Misdeed, world};
use crate::play::fault::Fault;
use crate::play::mark::{CHANNEL, Mark, Spot};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::packet::play::{BundleDelimiter, CustomPayload};

/// So many bytes may wait for a client that reads slowly; nothing more is pushed then.
const WAITING: usize = 256 * 1024;
/// After how many marked packets misdeeds begin.
const INNOCENT: u32 = 5;
/// Each so many pushes, a bundle is open until the next one.
const BUNDLE: u32 = 8;
const TICKS_A_SECOND: u32 = (1_000 / TICK.as_millis()) as u32;

impl Visit {
    /// What one tick brings; false where nothing is wanted.
    pub(super) fn push(&mut self) -> Result<bool, End> {
        let traffic = self.entry.house.book().traffic;
        if traffic.small == 0 && traffic.chunks == 0 {
            self.close_bundle()?;
            return Ok(false);
        }
        if self.line.waiting() > WAITING {
            return Ok(true);
        }
        self.ticks = self.ticks.wrapping_add(1);
        let before = self.said.count();
        self.close_bundle()?;
        let chunks = due(traffic.chunks, self.ticks);
        if chunks > 0 {
            self.push_chunks(chunks)?;
        }
        if self.ticks.is_multiple_of(BUNDLE) {
            self.open_bundle()?;
        }
        for _ in 0..due(traffic.small, self.ticks) {
            let mark = self.said.take();
            self.say_mark(&mark, 20 + spread(&mark, 281), |_| ())?;
        }
        let said = u64::from(self.said.count() - before);
        self.entry.stay(|stay| stay.said += said);
        if self.said.count() >= INNOCENT
            && let Some(misdeed) = self.misdeeds.pop()
        {
            self.misbehave(misdeed)?;
        }
        Ok(true)
    }

    fn push_chunks(&mut self, count: u32) -> Result<(), Fault> {
        let has_batches = self.line.version.has_configuration();
        if has_batches {
            self.line.say_kind(State::Play, Kind::ChunkBatchStart, |_, _| ())?;
        }
        for _ in 0..count {
            let mark = self.said.take();
            self.say_mark(&mark, 5_000 + spread(&mark, 55_001), |_| ())?;
        }
        if has_batches {
            let size = i32::try_from(count).unwrap_or(i32::MAX);
            self.line.say_kind(State::Play, Kind::ChunkBatchFinished, |_, out| out.varint(size))?;
            self.asked.batch();
        }
        Ok(())
    }

    fn say_mark(&mut self, mark: &Mark, size: usize, spoil: impl FnOnce(&mut Vec<u8>)) -> Result<(), Fault> {
        let mut data = Vec::with_capacity(size);
        mark.write(size, &mut data);
        spoil(&mut data);
        let mut body = Vec::with_capacity(size + 32);
        let payload = CustomPayload { channel: CHANNEL, data: &data };
        if payload.write(self.line.version, State::Play, Direction::Clientbound, &mut body) {
            self.line.say(&body)?;
        }
        Ok(())
    }

    fn open_bundle(&mut self) -> Result<(), Fault> {
        if self.line.version >= ProtocolVersion::V1_19_4 && !self.bundle_is_open {
            self.bundle_is_open = true;
            self.line.say_packet(&BundleDelimiter {})?;
        }
        Ok(())
    }

    /// Ends a bundle that is open.
    pub(super) fn close_bundle(&mut self) -> Result<(), Fault> {
        if std::mem::take(&mut self.bundle_is_open) {
            self.line.say_packet(&BundleDelimiter {})?;
        }
        Ok(())
    }

    fn misbehave(&mut self, misdeed: Misdeed) -> Result<(), End> {
        self.close_bundle()?;
        let mark = self.said.take();
        let Spot { server, visit } = mark.spot;
        let following = Spot { server, visit: visit + 1 };
        match misdeed {
            // The mark is taken and not said; the other one is done by now.
            Misdeed::Skips | Misdeed::KeepsRegistries => {}
            Misdeed::Repeats => {
                self.say_mark(&mark, 20, |_| ())?;
                self.say_mark(&mark, 20, |_| ())?;
            }
            Misdeed::Impersonates => {
                let spot = Spot { server: server + 1, visit };
                self.say_mark(&Mark { spot, ..mark }, 20, |_| ())?;
            }
            Misdeed::Misdelivers => self.say_mark(&Mark { player: !mark.player, ..mark }, 20, |_| ())?,
            Misdeed::Spoils => self.say_mark(&mark, 20, |data| data[19] ^= 1)?,
            Misdeed::JoinsTwice => world::join(&mut self.line, mark.spot.entity())?,
            Misdeed::KeepsTheWorld | Misdeed::RespawnsInPlace => {
                world::join(&mut self.line, following.entity())?;
                if misdeed == Misdeed::RespawnsInPlace {
                    world::respawn_in_place(&mut self.line)?;
                }
                self.say_mark(&Mark { spot: following, sequence: 0, ..mark }, 20, |_| ())?;
            }
            Misdeed::KicksInBundle => {
                self.line.say_packet(&BundleDelimiter {})?;
                self.kick("inside a bundle")?;
                return Err(End::Said);
            }
        }
        Ok(())
    }
}

/// How many of so many a second are due in this tick.
fn due(a_second: u32, tick: u32) -> u32 {
    let until = |tick: u32| u64::from(tick) * u64::from(a_second) / u64::from(TICKS_A_SECOND);
    u32::try_from(until(tick) - until(tick - 1)).unwrap_or(u32::MAX)
}

/// A number below `width` that differs from mark to mark.
fn spread(mark: &Mark, width: usize) -> usize {
    (mark.sequence.wrapping_add(mark.player).wrapping_mul(0x9e37_79b1) >> 8) as usize % width
}
