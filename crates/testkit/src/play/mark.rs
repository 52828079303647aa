//! Marks: packets on a channel of their own which say whose they are, with content that shows when it was changed.

use super::fault::Fault;
use drawbridge_protocol::wire::{Decoder, Encoder};
use std::fmt;
use std::sync::LazyLock;

/// The channel of marked packets; short enough for every version.
pub(super) const CHANNEL: &str = "drawbridge:test";

/// Bytes in front of a mark's content.
pub(super) const HEAD: usize = 12;

/// The longest content, in bytes.
const LONGEST: usize = 64 * 1024;
/// How many different places in the pool contents begin at.
const PLACES: u32 = 4_096;

/// In a Join Game's entity: this and a [`Spot`]. Other servers, such as a waiting world, count their entities from low numbers.
const ENTITY: i32 = 0x4000_0000;

/// Contents are pieces of this: sixteen letters at random, which compress to a bit over half, as chunks do.
static POOL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let letter = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b"ABCDEFGHIJKLMNOP"[(state >> 60) as usize]
    };
    (0..LONGEST + PLACES as usize).map(letter).collect()
});

/// A player's visit at a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spot {
    /// The host's number.
    pub server: u16,
    /// Which of the player's visits there, counted from 1; a login that fails counts too.
    pub visit: u16,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "visit {} at host {}", self.visit, self.server)
    }
}

impl Spot {
    /// The player's own entity id, which nobody on the way rewrites: so a Join Game says whose it is.
    pub(super) fn entity(self) -> i32 {
        ENTITY | i32::from(self.server) << 16 | i32::from(self.visit)
    }

    /// The way back; `None` where a Join Game is of no host.
    pub(super) fn of_entity(entity: i32) -> Option<Self> {
        let server = u16::try_from((entity ^ ENTITY) >> 16).ok().filter(|&server| server < 0x4000)?;
        Some(Self { server, visit: entity as u16 })
    }
}

/// What a marked packet says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// From which visit, or for which one.
    pub(super) spot: Spot,
    /// Whose visit: see [`player`].
    pub(super) player: u32,
    /// Counted from 0 in each visit and direction.
    pub(super) sequence: u32,
}

impl Mark {
    /// Writes it with content, `size` bytes in all, within the bounds of what there can be.
    pub(super) fn write(&self, size: usize, out: &mut Vec<u8>) {
        let mut fields = Encoder::new(out);
        fields.u16(self.spot.server);
        fields.u16(self.spot.visit);
        fields.i32(self.player.cast_signed());
        fields.i32(self.sequence.cast_signed());
        fields.bytes(self.content(size.saturating_sub(HEAD).min(LONGEST)));
    }

    /// Reads it, and compares the content with what must have been sent.
    pub(super) fn read(data: &[u8]) -> Result<Self, Fault> {
        let mut fields = Decoder::new(data);
        let mut read = || {
            let spot = Spot { server: fields.u16("server").ok()?, visit: fields.u16("visit").ok()? };
            let player = fields.i32("player").ok()?.cast_unsigned();
            Some(Self { spot, player, sequence: fields.i32("sequence").ok()?.cast_unsigned() })
        };
        let mark = read().ok_or(Fault::Spoilt(data.len()))?;
        let content = fields.rest();
        if content.len() > LONGEST || mark.content(content.len()) != content {
            return Err(Fault::Spoilt(data.len()));
        }
        Ok(mark)
    }

    fn content(&self, size: usize) -> &'static [u8] {
        let from = (self.sequence.wrapping_mul(31).wrapping_add(self.player) % PLACES) as usize;
        &POOL[from..from + size]
    }
}

/// Stands for a player in marks (FNV-1a of the name).
pub(super) fn player(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// A turn of marks: from 0 on without a gap, of one visit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    spot: Spot,
    player: u32,
    due: u32,
}

impl Turn {
    pub(super) const fn new(spot: Spot, player: u32) -> Self {
        Self { spot, player, due: 0 }
    }

    /// The visit that it is of.
    pub(super) const fn spot(&self) -> Spot {
        self.spot
    }

    /// How many have had their turn.
    pub(super) const fn count(&self) -> u32 {
        self.due
    }

    /// The next mark of this side.
    pub(super) fn take(&mut self) -> Mark {
        let mark = Mark { spot: self.spot, player: self.player, sequence: self.due };
        self.due = self.due.wrapping_add(1);
        mark
    }

    /// A mark of the other side. After one out of turn, the one behind that is due.
    pub(super) fn hear(&mut self, mark: &Mark) -> Result<(), Fault> {
        if mark.player != self.player {
            return Err(Fault::AnothersMark(mark.spot));
        }
        if mark.spot != self.spot {
            return Err(Fault::Elsewhere { heard: mark.spot, at: Some(self.spot) });
        }
        let expected = std::mem::replace(&mut self.due, mark.sequence.wrapping_add(1));
        if mark.sequence == expected {
            return Ok(());
        }
        Err(Fault::OutOfTurn { at: self.spot, expected, heard: mark.sequence })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPOT: Spot = Spot { server: 0x3fff, visit: 0xfffe };

    #[test]
    fn a_mark_is_read_as_it_was_written_and_refused_when_changed() {
        for size in [0, HEAD, 300, 60_000] {
            let mark = Mark { spot: SPOT, player: player("Alice"), sequence: 70_000 };
            let mut out = Vec::new();
            mark.write(size, &mut out);
            assert_eq!(out.len(), size.max(HEAD));
            assert_eq!(Mark::read(&out), Ok(mark));
            if size > HEAD {
                *out.last_mut().unwrap() ^= 1;
                assert_eq!(Mark::read(&out), Err(Fault::Spoilt(size)));
            }
        }
        assert_eq!(Mark::read(b"short"), Err(Fault::Spoilt(5)));
    }

    #[test]
    fn an_entity_tells_the_visit_or_that_it_is_nobodys() {
        for spot in [SPOT, Spot { server: 0, visit: 0 }, Spot { server: 2, visit: 1 }] {
            assert!(spot.entity() > 0);
            assert_eq!(Spot::of_entity(spot.entity()), Some(spot));
        }
        for entity in [0, 1, -1, i32::MIN, 0x3fff_ffff] {
            assert_eq!(Spot::of_entity(entity), None, "{entity}");
        }
    }
}
