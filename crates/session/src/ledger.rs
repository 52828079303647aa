//! Which packet is behind an id, in the states of a connection, for one version.

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{self, Direction, Kind, State, Table};

/// The tables of a version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ledger {
    configuration: [Option<&'static Table>; 2],
    play: [Option<&'static Table>; 2],
    complete: bool,
}

impl Ledger {
    pub(crate) fn of(version: ProtocolVersion) -> Self {
        let both =
            |state| [Direction::Clientbound, Direction::Serverbound].map(|to| ids::table(version, state, to));
        Self {
            configuration: both(State::Configuration),
            play: both(State::Play),
            complete: ids::is_complete(version),
        }
    }

    /// Which packet it is; `None` where it isn't known.
    #[inline]
    pub(crate) fn kind(&self, state: State, direction: Direction, id: i32) -> Option<Kind> {
        let tables = match state {
            State::Configuration => &self.configuration,
            _ => &self.play,
        };
        let table = match direction {
            Direction::Clientbound => tables[0],
            Direction::Serverbound => tables[1],
        };
        table?.kind(id)
    }

    /// Whether there are no other packets than those that are known.
    pub(crate) const fn is_complete(&self) -> bool {
        self.complete
    }
}
