//! A packet's bytes with holes where players and worlds differ.

use drawbridge_protocol::wire::Encoder;

use crate::Arrival;

/// What is missing in a [`Template`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hole {
    /// Four bytes, big-endian.
    EntityId,
    /// A string.
    WorldName,
}

/// The bytes of a packet, its id first, without what goes into the holes.
#[derive(Debug, Default)]
pub(crate) struct Template {
    bytes: Box<[u8]>,
    /// In their order, each with the number of bytes before it.
    holes: Box<[(usize, Hole)]>,
}

impl Template {
    pub(crate) fn new(bytes: Vec<u8>, holes: Vec<(usize, Hole)>) -> Self {
        debug_assert!(holes.is_sorted_by_key(|(at, _)| *at));
        debug_assert!(holes.iter().all(|(at, _)| *at <= bytes.len()));
        Self { bytes: bytes.into(), holes: holes.into() }
    }

    /// All that is the same for everybody.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn has_holes(&self) -> bool {
        !self.holes.is_empty()
    }
}

/// A packet for one player: its id and its fields, without a length.
#[derive(Debug, Clone, Copy)]
pub struct Body<'a> {
    template: &'a Template,
    arrival: Arrival<'a>,
}

impl<'a> Body<'a> {
    pub(crate) const fn new(template: &'a Template, arrival: Arrival<'a>) -> Self {
        Self { template, arrival }
    }

    /// How many bytes [`Self::write`] appends.
    #[must_use]
    pub fn size(&self) -> usize {
        let holes = self.template.holes.iter().map(|(_, hole)| match hole {
            Hole::EntityId => size_of::<i32>(),
            Hole::WorldName => self.arrival.world.size(),
        });
        self.template.bytes.len() + holes.sum::<usize>()
    }

    /// Appends the packet.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(self.size());
        let mut from = 0;
        for &(at, hole) in &self.template.holes {
            out.extend_from_slice(&self.template.bytes[from..at]);
            match hole {
                Hole::EntityId => out.extend_from_slice(&self.arrival.entity_id.to_be_bytes()),
                Hole::WorldName => Encoder::new(out).string(self.arrival.world.as_str()),
            }
            from = at;
        }
        out.extend_from_slice(&self.template.bytes[from..]);
    }
}
