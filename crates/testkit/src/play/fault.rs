//! What neither a vanilla client nor a vanilla server does, and so must come of what stands between them.

use super::mark::Spot;
use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::stream::StreamError;
use drawbridge_protocol::wire::DecodeError;
use thiserror::Error;

/// What was wrong with what came.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// A marked packet of another server, or of another visit, than the one under way.
    #[error("a packet of {heard} while in {at:?}")]
    Elsewhere {
        /// Whose it is.
        heard: Spot,
        /// Where the player is; `None`: at none of the hosts.
        at: Option<Spot>,
    },
    /// A marked packet out of turn: one is missing, or came twice.
    #[error("packet {heard} of {at} where {expected} was due")]
    OutOfTurn {
        /// Of which visit.
        at: Spot,
        /// Which was due.
        expected: u32,
        /// Which came.
        heard: u32,
    },
    /// A marked packet that is meant for another player.
    #[error("a packet of {0} that is meant for another player")]
    AnothersMark(Spot),
    /// A marked packet whose content isn't what was sent.
    #[error("a packet whose content was changed ({0} bytes)")]
    Spoilt(usize),
    /// A Join Game of a visit that is over, or of the one under way.
    #[error("a second Join Game of {0}")]
    JoinedTwice(Spot),
    /// Before 764: a second Join Game without a Respawn behind it, so that the client keeps the old world.
    #[error("no Respawn after the Join Game of {0:?}")]
    NoRespawn(Option<Spot>),
    /// Before 735: a Respawn to the dimension that the Join Game told of, so that the client keeps the old world.
    #[error("a Respawn to dimension {0}, where the player is already")]
    SameDimension(i32),
    /// A packet inside a bundle that breaks the client there.
    #[error("{} inside a bundle", .0.name())]
    InBundle(Kind),
    /// An answer that nobody asked for.
    #[error("{} that wasn't asked for", .0.name())]
    Unasked(Kind),
    /// An answer that never came, though what was asked after it is answered.
    #[error("no answer to {}", .0.name())]
    Unanswered(Kind),
    /// What is said once, said again.
    #[error("{} again", .0.name())]
    Again(Kind),
    /// What had to be said, and wasn't.
    #[error("no {}", .0.name())]
    Missing(Kind),
    /// A packet of another state.
    #[error("{} in {state:?}", .kind.name())]
    Misplaced {
        /// The state that the connection is in.
        state: State,
        /// What came.
        kind: Kind,
    },
    /// An id that no packet has in this state.
    #[error("packet id {id:#04x} in {state:?}")]
    Unknown {
        /// The state that the connection is in.
        state: State,
        /// What came.
        id: i32,
    },
    /// Fields that aren't what the version prescribes.
    #[error("{} in {state:?}: {error}", .kind.name())]
    Fields {
        /// The state that the connection is in.
        state: State,
        /// What came.
        kind: Kind,
        /// What is wrong with it.
        error: DecodeError,
    },
    /// Bytes that are no frame, or no compressed one.
    #[error("not the protocol: {0}")]
    Frame(String),
    /// A version that hosts don't speak.
    #[error("protocol {0}")]
    Version(i32),
    /// A forwarded identity that isn't signed, or is another's.
    #[error("forwarding: {0}")]
    Forwarding(&'static str),
}

impl From<StreamError> for Fault {
    fn from(error: StreamError) -> Self {
        Self::Frame(error.to_string())
    }
}
