//! What is carried: packets that were recorded, in the order in which they came. Small ones have their size and id from there, and any bytes.

use super::End;
use super::contestant::{BUFFER, SECRET};
use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::compression::Decompressor;
use drawbridge_protocol::ids::{self, Kind};
use drawbridge_protocol::stream::Outbound;
use drawbridge_protocol::varint;
use serde_json::Value;

/// Made by `tests/node/mix.mjs`, which says how, and what is in it.
const RECORDED: &str = include_str!("../../data/mix.json");

/// The level that vanilla servers compress with.
const LEVEL: u32 = 6;

/// What clients say that a session reads: made up, it would be wrong.
const UNDERSTOOD: [Kind; 5] =
    [Kind::Chat, Kind::CustomPayload, Kind::KeepAlive, Kind::Settings, Kind::ResourcePackReceive];

/// A kind of packet that came.
#[derive(Debug, Clone)]
struct Recorded {
    serverbound: bool,
    id: i32,
    size: usize,
    /// Its size when it is compressed; 0 where it isn't.
    #[cfg_attr(not(test), expect(dead_code, reason = "told for whoever reads the recording"))]
    deflated: usize,
    /// What it holds, as a zlib stream.
    stream: Option<Vec<u8>>,
}

/// All that was recorded.
pub(super) struct Recording {
    version: ProtocolVersion,
    kinds: Vec<Recorded>,
    /// For each of these a packet.
    bodies: Vec<Vec<u8>>,
    mixes: Value,
}

/// Packets of one direction, one after the other.
pub(super) struct Mix {
    version: ProtocolVersion,
    direction: ids::Direction,
    bodies: Vec<Vec<u8>>,
}

impl Recording {
    /// Makes packets as they were recorded.
    pub(super) fn read() -> Result<Self> {
        let recorded: Value = serde_json::from_str(RECORDED)?;
        let version = number(&recorded["protocol"]).context("a recording without a version")?;
        let kinds = recorded["kinds"].as_array().context("a recording without kinds")?;
        let kinds: Vec<_> = kinds
            .iter()
            .map(|kind| Recorded::of(kind).context("a kind without numbers"))
            .collect::<Result<_>>()?;
        let mut random = Random(4711);
        let bodies = kinds.iter().map(|kind| kind.body(&mut random)).collect::<Result<_>>()?;
        let version = ProtocolVersion(i32::try_from(version)?);
        Ok(Self { version, kinds, bodies, mixes: recorded["mixes"].clone() })
    }

    /// The mix of this name.
    pub(super) fn mix(&self, name: &str) -> Result<Mix> {
        let places = self.mixes[name].as_array().with_context(|| format!("no mix {name}"))?;
        let places: Vec<usize> = places.iter().filter_map(number).collect();
        let serverbound =
            places.first().and_then(|place| self.kinds.get(*place)).is_some_and(|kind| kind.serverbound);
        let direction = if serverbound { ids::Direction::Serverbound } else { ids::Direction::Clientbound };
        let bodies =
            places.iter().map(|place| self.bodies.get(*place).cloned().context("a place that isn't there"));
        Ok(Mix { version: self.version, direction, bodies: bodies.collect::<Result<_>>()? })
    }
}

impl Mix {
    /// The same with a few bytes of each packet at other places, so that of those which were recorded once and stand for many none is like another.
    pub(super) fn varied(mut self) -> Self {
        let mut random = Random(815);
        for body in self.bodies.iter_mut().filter(|body| body.len() > 64) {
            for _ in 0..3 {
                // Behind the id, which may take two bytes.
                let mut place = || 2 + random.below(body.len() - 2);
                let (one, other) = (place(), place());
                body.swap(one, other);
            }
        }
        self
    }

    /// The same packets under the ids of another version, in which a session has nothing to understand but the few that it tells of itself;
    /// what that version doesn't have is movement there.
    pub(super) fn under(&self, version: ProtocolVersion, direction: ids::Direction) -> Result<Self> {
        let before = self.table()?;
        let after = ids::table(version, ids::State::Play, direction).context("a version that isn't known")?;
        let movement = match direction {
            ids::Direction::Clientbound => Kind::RelEntityMove,
            ids::Direction::Serverbound => Kind::Position,
        };
        let movement = after.id(movement).context("a version without movement")?;
        let same = direction == self.direction;
        let bodies = self.bodies.iter().map(|body| {
            let (id, taken) = varint::read(body)?.context("a packet without an id")?;
            let kind = before.kind(id).filter(|kind| same && !UNDERSTOOD.contains(kind));
            let mut renamed = Vec::new();
            varint::write(kind.and_then(|kind| after.id(kind)).unwrap_or(movement), &mut renamed);
            renamed.extend_from_slice(&body[taken..]);
            Ok(renamed)
        });
        Ok(Self { version, direction, bodies: bodies.collect::<Result<_>>()? })
    }

    /// How many packets there are.
    pub(super) const fn len(&self) -> usize {
        self.bodies.len()
    }

    /// What each of them holds.
    pub(super) fn bodies(&self) -> &[Vec<u8>] {
        &self.bodies
    }

    /// Which packet each id stands for.
    pub(super) fn table(&self) -> Result<&'static ids::Table> {
        ids::table(self.version, ids::State::Play, self.direction).context("a version that isn't known")
    }

    /// What is read from such a sender, so many frames at once, or as many of those as fit.
    pub(super) fn reads(&self, from: End, at_once: usize) -> Result<Vec<Vec<u8>>> {
        let mut outbound = Outbound::new();
        if from.encrypted {
            outbound.encrypt(&SECRET);
        }
        if let Some(threshold) = from.threshold {
            outbound.compress(threshold, LEVEL);
        }
        let mut reads = Vec::new();
        for bodies in self.bodies.chunks(at_once) {
            let mut read = Vec::new();
            bodies.iter().try_for_each(|body| outbound.write_body(body, &mut read))?;
            reads.extend(read.chunks(BUFFER).map(<[u8]>::to_vec));
        }
        Ok(reads)
    }
}

impl Recorded {
    fn of(kind: &Value) -> Option<Self> {
        let [direction, id, size, deflated, stream @ ..] = kind.as_array()?.as_slice() else { return None };
        let stream = stream.first().map(|stream| BASE64_STANDARD.decode(stream.as_str()?).ok());
        Some(Self {
            serverbound: number(direction)? == 1,
            id: i32::try_from(number(id)?).ok()?,
            size: number(size)?,
            deflated: number(deflated)?,
            // What is there has to be right.
            stream: match stream {
                Some(None) => return None,
                Some(stream) => stream,
                None => None,
            },
        })
    }

    /// A packet of this kind: the recorded one, or, where only its size is known, one with any bytes.
    fn body(&self, random: &mut Random) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        if let Some(stream) = &self.stream {
            let mut frame = Vec::new();
            varint::write(i32::try_from(self.size)?, &mut frame);
            frame.extend_from_slice(stream);
            Decompressor::new().decompress(&frame, 0, self.size, &mut body)?;
        } else {
            varint::write(self.id, &mut body);
            body.resize_with(self.size, || random.next());
        }
        ensure!(body.len() == self.size, "a packet without room for its id");
        Ok(body)
    }
}

fn number(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|number| usize::try_from(number).ok())
}

/// Bytes that are the same each time.
struct Random(u32);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        usize::from(u16::from_le_bytes([self.next(), self.next()])) % bound
    }

    fn next(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 24) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use drawbridge_protocol::compression::Compressor;

    fn plain() -> End {
        End { threshold: Some(256), encrypted: false }
    }

    #[test]
    fn the_mixes_are_as_large_as_they_are_said_to_be() {
        let recording = Recording::read().unwrap();
        for (name, low, high) in
            [("crowd", 25, 40), ("small", 228, 234), ("chunks", 245, 265), ("sent", 20, 30)]
        {
            let mix = recording.mix(name).unwrap();
            let bytes: usize = mix.reads(plain(), 50).unwrap().iter().map(Vec::len).sum();
            let mean = bytes / mix.len();
            assert!((low..=high).contains(&mean), "{name}: {mean} bytes a frame");
        }
    }

    #[test]
    fn packets_are_the_recorded_ones() {
        let recording = Recording::read().unwrap();
        for (kind, body) in recording.kinds.iter().zip(&recording.bodies) {
            assert_eq!((body.len(), varint::read(body)), (kind.size, Ok(Some((kind.id, 1)))));
        }
    }

    #[test]
    fn what_is_made_compresses_as_what_was_recorded() {
        let recording = Recording::read().unwrap();
        let mut deflate = Compressor::new(0, LEVEL);
        for (kind, body) in
            recording.kinds.iter().zip(&recording.bodies).filter(|(kind, _)| kind.deflated > 0)
        {
            let mut compressed = Vec::new();
            deflate.compress(body, &mut compressed).unwrap();
            let difference = compressed.len().abs_diff(kind.deflated);
            assert!(
                difference <= 12 + kind.deflated / 10,
                "{} instead of {}",
                compressed.len(),
                kind.deflated
            );
        }
    }
}
