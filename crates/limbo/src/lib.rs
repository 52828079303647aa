//! Limbo: a void in which a player stands while there is no server for them. Sans I/O: this crate says which packets bring a
//! client there, in which order, with which bytes; who sends them compresses, encrypts, and keeps the client alive.
//!
//! The player is in adventure mode, can't be hurt, and stands on a floor of barriers (glass in 1.7, which has none) with walls
//! around, in the middle of a flat overworld without anything else, at noon for ever. They can't fall, and can't walk away. That
//! is so by blocks and gravity, which every client and every bot knows, and not by flying, which they may end.
//!
//! The bytes are written by `cargo xtask limbo-data` and lie in `data/worlds.bin`. What must stay true: no packet id and no field
//! is typed here, a version's part is unpacked once and shared, and whoever is held costs nothing but what is being sent to them.

#![forbid(unsafe_code)]

mod body;
mod name;
mod unpack;

use std::sync::{LazyLock, OnceLock};

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::version::RELEASES;

use body::Template;

pub use body::Body;
pub use name::{NameError, WorldName};

/// The packets of one version.
#[derive(Debug)]
pub struct World {
    configuration: Box<[Template]>,
    from_login: Box<[Template]>,
    from_server: Box<[Template]>,
    rest: Box<[Template]>,
}

/// Who comes.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The player's own entity id. There is nobody else, so any number will do.
    pub entity_id: i32,
    /// The name of the world, which clients know since 1.16.
    pub world: &'a WorldName,
    /// Where the player comes from.
    pub coming_from: Origin,
}

/// Where a player comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From the login: the client has been nowhere.
    Login,
    /// From a server, or another limbo, on the same connection. Since 1.20.2 there has been configuration in between.
    Server,
}

/// Empty until the version is asked for, and `None` where there is no data of it.
type Slot = OnceLock<Option<World>>;

/// A slot for each of [`RELEASES`], in their order.
static WORLDS: LazyLock<Box<[Slot]>> = LazyLock::new(|| RELEASES.iter().map(|_| Slot::new()).collect());

impl World {
    /// The world of a version, or `None` where there is no data of it: numbers that aren't known, and 26.2 and 26.3.
    ///
    /// The first call for a version takes some milliseconds, others a look into a list.
    #[must_use]
    pub fn of(version: ProtocolVersion) -> Option<&'static Self> {
        let at = RELEASES.binary_search_by_key(&version, |release| release.version).ok()?;
        WORLDS.get(at)?.get_or_init(|| unpack::world(version)).as_ref()
    }

    /// Whether there is a world of a version, without unpacking it.
    #[must_use]
    pub fn exists(version: ProtocolVersion) -> bool {
        static VERSIONS: LazyLock<Box<[ProtocolVersion]>> = LazyLock::new(unpack::versions);
        VERSIONS.contains(&version)
    }

    /// The packets of configuration, in their order, all but Finish Configuration: each with its id, without a length. None
    /// before 1.20.2.
    pub fn configuration(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.configuration.iter().map(Template::bytes)
    }

    /// The packets of play that bring a player in, in their order: Join Game first, and Respawn where the client needs it.
    ///
    /// The client confirms a teleport, the number 1, since 1.9, and the chunks' batch since 1.20.2.
    ///
    /// ```
    /// # use drawbridge_limbo::{Arrival, Origin, World, WorldName};
    /// # use drawbridge_protocol::ProtocolVersion;
    /// let hub = WorldName::new("hub").expect("a name that clients take");
    /// let world = World::of(ProtocolVersion::V1_21).expect("there is data of 1.21");
    /// let mut packet = Vec::new();
    /// for body in world.arrival(Arrival { entity_id: 1, world: &hub, coming_from: Origin::Login }) {
    ///     packet.clear();
    ///     body.write(&mut packet);
    ///     assert_eq!(packet.len(), body.size());
    ///     // Here it is compressed, framed and sent.
    /// }
    /// ```
    pub fn arrival<'a>(&'a self, arrival: Arrival<'a>) -> impl Iterator<Item = Body<'a>> {
        let login = match arrival.coming_from {
            Origin::Login => &self.from_login,
            Origin::Server => &self.from_server,
        };
        login.iter().chain(&self.rest).map(move |template| Body::new(template, arrival))
    }
}

#[cfg(test)]
mod tests;
