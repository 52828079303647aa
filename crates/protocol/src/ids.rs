//! Packet ids: which number stands for which packet, per version, state and direction.
//!
//! [`generated`] holds what `cargo xtask packet-ids` reads from the `minecraft-data` package, [`overlay`] the newer
//! versions by hand. What must stay true: no id is typed anywhere else, and only ids that are known are answered.

/// Declares [`Kind`] from the names that the generator found.
macro_rules! kinds {
    ($($kind:ident $name:literal,)+) => {
        /// A packet's name in `minecraft-data`'s words. The same name may stand in several states and directions.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Kind {
            $(
                #[doc = concat!("`", $name, "`")]
                $kind,
            )+
        }

        impl Kind {
            /// All of them, in the order of their names.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The name as `minecraft-data` spells it, such as `keep_alive`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }
        }
    };
}

#[rustfmt::skip]
mod generated;
mod overlay;
mod table;

use crate::version::ProtocolVersion;

pub use generated::Kind;
pub use table::Table;

/// What a connection is doing, and so which packets there are. Each direction of a connection has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// The first packet.
    Handshaking,
    /// The server list.
    Status,
    /// From Login Start to Login Success, or Login Acknowledged since 764.
    Login,
    /// Since 764: between login and play, and back.
    Configuration,
    /// In the world.
    Play,
}

/// Who a packet is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the server (`toServer`).
    Serverbound,
    /// From the server to the client (`toClient`).
    Clientbound,
}

/// The id of a packet, or `None` where it doesn't exist or isn't known. Takes two short binary searches.
///
/// Handshaking and status are the same for every number, known or not, and so are Login Start and the login's
/// Disconnect: an unknown client can ask for the status and be told why it can't join.
///
/// ```
/// # use drawbridge_protocol::ids::{Direction::*, Kind, State::*, id};
/// # use drawbridge_protocol::ProtocolVersion;
/// assert_eq!(id(ProtocolVersion::V26_1, Configuration, Clientbound, Kind::Transfer), Some(0x0b));
/// assert_eq!(id(ProtocolVersion::V1_20_2, Configuration, Clientbound, Kind::Transfer), None);
/// ```
#[must_use]
pub fn id(version: ProtocolVersion, state: State, direction: Direction, kind: Kind) -> Option<i32> {
    table(version, state, direction)?.id(kind)
}

/// The packet behind an id: the way back of [`id`].
#[must_use]
pub fn kind(version: ProtocolVersion, state: State, direction: Direction, id: i32) -> Option<Kind> {
    table(version, state, direction)?.kind(id)
}

/// All ids of a version, state and direction, for who looks many of them up. `None` where there can't be any packets, or
/// none is known.
#[must_use]
pub fn table(version: ProtocolVersion, state: State, direction: Direction) -> Option<&'static Table> {
    use Direction::{Clientbound, Serverbound};
    match (state, direction) {
        (State::Handshaking, Clientbound) => None,
        (State::Handshaking, Serverbound) => Some(&table::HANDSHAKING_SERVERBOUND[0]),
        (State::Status, Clientbound) => Some(&table::STATUS_CLIENTBOUND[0]),
        (State::Status, Serverbound) => Some(&table::STATUS_SERVERBOUND[0]),
        (State::Login, _) => Some(known(version, state, direction).unwrap_or(match direction {
            Clientbound => &table::ANY_LOGIN_CLIENTBOUND,
            Serverbound => &table::ANY_LOGIN_SERVERBOUND,
        })),
        (State::Configuration | State::Play, _) => known(version, state, direction),
    }
}

/// Whether all packets of a version are known, so that an id that isn't stands for none.
#[must_use]
pub fn is_complete(version: ProtocolVersion) -> bool {
    overlay::tables(version).is_none() && generated::KNOWN.binary_search(&version.number()).is_ok()
}

/// The table of a version that is known, in the states that differ between versions.
fn known(version: ProtocolVersion, state: State, direction: Direction) -> Option<&'static Table> {
    if let Some(tables) = overlay::tables(version) {
        return tables.pick(state, direction);
    }
    generated::KNOWN.binary_search(&version.number()).ok()?;
    let (since, tables) = table::history(state, direction)?;
    let count = since.partition_point(|&since| since <= version.number());
    tables.get(count.checked_sub(1)?)
}

#[cfg(test)]
mod tests;
