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

    /// How many marks of this visit have come.
    pub(super) fn heard_here(&self) -> u32 {
        self.turns.map_or(0, |(due, _)| due.count())
    }

    /// The next mark that the client says, where there is somebody to say it to.
    pub(super) fn take(&mut self) -> Option<Mark> {
        self.turns.as_mut().map(|(_, said)| said.take())
    }

    /// Another connection: visits go on being counted.
    pub(super) fn reconnect(&mut self) {
        self.turns = None;
        self.leave_play();
    }

    /// Configuration: the world is gone, and the next Join Game needs no Respawn.
    pub(super) fn leave_play(&mut self) {
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
        let settled = self.settled();
        let Some((due, _)) = &mut self.turns else {
            return Err(Fault::Elsewhere { heard: mark.spot, at: None });
        };
        due.hear(&mark).and(settled)
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
