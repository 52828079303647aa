//! What a client checks of what it hears in play: whose packets these are, in which order, and that the world is told of as the
//! client needs it.

use crate::play::fault::Fault;
use crate::play::mark::{Mark, Spot, Turn};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::Kind;
use drawbridge_protocol::wire::Decoder;
use std::collections::BTreeMap;

/// A client's books of what it has heard in play.
#[derive(Debug)]
pub(super) struct Ledger {
    player: u32,
    version: ProtocolVersion,
    /// What is due from the host, and what is said to it; `None` at no host.
    turns: Option<(Turn, Turn)>,
    /// The latest visit at each host; numbers only grow.
    visits: BTreeMap<u16, u16>,
    /// On this connection, and since its last configuration.
    has_joined: bool,
    /// The dimension of a Join Game that wants a Respawn behind it.
    wants_respawn: Option<Option<i32>>,
    bundle_is_open: bool,
}

impl Ledger {
    pub(super) const fn new(player: u32, version: ProtocolVersion) -> Self {
        Self {
            player,
            version,
            turns: None,
            visits: BTreeMap::new(),
            has_joined: false,
            wants_respawn: None,
            bundle_is_open: false,
        }
    }

    /// Where the client is.
    pub(super) fn spot(&self) -> Option<Spot> {
        self.turns.map(|(due, _)| due.spot())
    }

    /// Whether the player stands in a world.
    pub(super) const fn is_in_world(&self) -> bool {
        self.has_joined
    }

    /// How many marks of this visit have come.
    pub(super) fn heard_here(&self) -> u32 {
        self.turns.map_or(0, |(due, _)| due.count())
    }

    /// The next mark that the client says, where there is somebody to say it to.
    pub(super) fn take(&mut self) -> Option<Mark> {
        self.turns.as_mut().map(|(_, said)| said.take())
    }

    /// Configuration, or another connection: the world is gone, and the next Join Game needs no Respawn. Visits go on being counted.
    pub(super) fn leave_play(&mut self) {
        self.turns = None;
        (self.has_joined, self.wants_respawn, self.bundle_is_open) = (false, None, false);
    }

    /// A packet that changes the world or ends it: that no bundle is open.
    pub(super) fn turns_over(&self, kind: Kind) -> Result<(), Fault> {
        if self.bundle_is_open { Err(Fault::InBundle(kind)) } else { Ok(()) }
    }

    pub(super) const fn delimiter(&mut self) {
        self.bundle_is_open = !self.bundle_is_open;
    }

    /// Join Game.
    pub(super) fn joins(&mut self, fields: &[u8]) -> Result<(), Fault> {
        let version = self.version;
        let mut fields = Decoder::new(fields);
        let read = |fields: &mut Decoder<'_>| Ok((fields.i32("entity")?, dimension(version, fields)?));
        let (entity, dimension) = read(&mut fields)
            .map_err(crate::play::line::in_fields(drawbridge_protocol::ids::State::Play, Kind::Login))?;
        let spot = Spot::of_entity(entity);
        let before = self.settled();
        self.wants_respawn = self.has_joined.then_some(dimension);
        self.has_joined = true;
        let was = self.turns.take();
        self.turns = spot.map(|spot| (Turn::new(spot, self.player), Turn::new(spot, self.player)));
        let Some(spot) = spot else { return before };
        let latest = self.visits.entry(spot.server).or_default();
        if spot.visit <= *latest {
            // What was due is still due.
            self.turns = was.or(self.turns);
            self.wants_respawn = None;
            return Err(Fault::JoinedTwice(spot));
        }
        *latest = spot.visit;
        before
    }

    /// Respawn: since 764 a mere change of dimension.
    pub(super) fn respawns(&mut self, fields: &[u8]) -> Result<(), Fault> {
        let Some(joined) = self.wants_respawn.take() else { return Ok(()) };
        if self.version >= ProtocolVersion::V1_16 {
            return Ok(());
        }
        let to = Decoder::new(fields).i32("dimension").ok();
        match to {
            Some(to) if Some(to) == joined => Err(Fault::SameDimension(to)),
            _ => Ok(()),
        }
    }

    /// A marked packet.
    pub(super) fn hears(&mut self, data: &[u8]) -> Result<(), Fault> {
        let mark = Mark::read(data)?;
        let Some((due, _)) = &mut self.turns else {
            return Err(Fault::Elsewhere { heard: mark.spot, at: None });
        };
        due.hear(&mark).and_then(|()| self.settled())
    }

    /// That no Respawn is owed.
    fn settled(&mut self) -> Result<(), Fault> {
        match self.wants_respawn.take() {
            Some(_) => Err(Fault::NoRespawn(self.spot())),
            None => Ok(()),
        }
    }
}

/// The dimension that a Join Game tells of, where it is a number.
fn dimension(
    version: ProtocolVersion,
    fields: &mut Decoder<'_>,
) -> Result<Option<i32>, drawbridge_protocol::wire::DecodeError> {
    if version >= ProtocolVersion::V1_16 {
        return Ok(None);
    }
    fields.u8("game mode")?;
    if version >= ProtocolVersion::V1_9_1 {
        return fields.i32("dimension").map(Some);
    }
    Ok(Some(fields.u8("dimension")?.cast_signed().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use drawbridge_protocol::wire::Encoder;

    const HUB: Spot = Spot { server: 1, visit: 1 };
    const ISLAND: Spot = Spot { server: 2, visit: 1 };

    /// A Join Game's first fields, as far as a client looks at them.
    fn join(version: i32, entity: i32, dimension: i32) -> Vec<u8> {
        let mut fields = Vec::new();
        let mut out = Encoder::new(&mut fields);
        out.i32(entity);
        out.u8(0);
        if version >= 108 {
            out.i32(dimension);
        } else {
            out.u8(dimension as u8);
        }
        fields
    }

    fn mark(spot: Spot, sequence: u32) -> Vec<u8> {
        let mut data = Vec::new();
        Mark { spot, player: 7, sequence }.write(30, &mut data);
        data
    }

    fn at_hub(version: i32) -> Ledger {
        let mut ledger = Ledger::new(7, ProtocolVersion(version));
        assert_eq!(ledger.joins(&join(version, HUB.entity(), 0)), Ok(()));
        assert_eq!(ledger.hears(&mark(HUB, 0)), Ok(()));
        ledger
    }

    #[test]
    fn a_switch_by_join_game_and_respawn_is_sound() {
        for version in [47, 107, 108, 340, 578, 735, 754, 763] {
            let mut ledger = at_hub(version);
            assert_eq!(ledger.joins(&join(version, ISLAND.entity(), -1)), Ok(()), "{version}");
            assert_eq!(ledger.respawns(&0_i32.to_be_bytes()), Ok(()));
            assert_eq!((ledger.hears(&mark(ISLAND, 0)), ledger.spot()), (Ok(()), Some(ISLAND)));
            let late = Fault::Elsewhere { heard: HUB, at: Some(ISLAND) };
            assert_eq!(ledger.hears(&mark(HUB, 1)), Err(late), "{version}");
            assert_eq!(ledger.take(), Some(Mark { spot: ISLAND, player: 7, sequence: 0 }));
        }
    }

    #[test]
    fn a_switch_to_no_host_ends_the_marks_of_the_last_one() {
        let mut ledger = at_hub(763);
        assert_eq!(ledger.joins(&join(763, 0, 0)), Ok(()));
        assert_eq!(ledger.hears(&mark(HUB, 1)), Err(Fault::Elsewhere { heard: HUB, at: None }));
        assert_eq!((ledger.spot(), ledger.take()), (None, None));
        // Nobody has said Respawn yet.
        assert_eq!(ledger.joins(&join(763, ISLAND.entity(), 0)), Err(Fault::NoRespawn(None)));
    }

    #[test]
    fn a_configuration_wants_no_respawn_and_another_visit() {
        let mut ledger = at_hub(775);
        ledger.leave_play();
        assert_eq!(ledger.hears(&mark(HUB, 1)), Err(Fault::Elsewhere { heard: HUB, at: None }));
        assert_eq!(ledger.joins(&join(775, HUB.entity(), 0)), Err(Fault::JoinedTwice(HUB)));
        ledger.leave_play();
        let again = Spot { visit: 2, ..HUB };
        assert_eq!(ledger.joins(&join(775, again.entity(), 0)), Ok(()));
        assert_eq!(ledger.hears(&mark(again, 0)), Ok(()));
        let mut missed = mark(again, 1);
        missed[30 - 1] ^= 1;
        assert_eq!(ledger.hears(&missed), Err(Fault::Spoilt(30)));
        let missing = Fault::OutOfTurn { at: again, expected: 1, heard: 2 };
        assert_eq!(ledger.hears(&mark(again, 2)), Err(missing));
    }

    #[test]
    fn nothing_turns_over_inside_a_bundle() {
        let mut ledger = at_hub(775);
        ledger.delimiter();
        let kind = Kind::StartConfiguration;
        assert_eq!(ledger.turns_over(kind), Err(Fault::InBundle(kind)));
        ledger.delimiter();
        assert_eq!(ledger.turns_over(kind), Ok(()));
    }
}
