//! What comes of a session.

use super::{Excess, HalfTyped, SILENCE};
use drawbridge_protocol::packet::configuration::Transfer;
use drawbridge_protocol::stream::StreamError;
use drawbridge_protocol::text::Component;
use drawbridge_protocol::wire::DecodeError;
use thiserror::Error;

/// What has happened, and wants a decision.
#[derive(Debug)]
pub enum Event {
    /// The client has gone.
    Left,
    /// The player typed a command of the edge's, without the slash; in a limbo any command.
    Command(String),
    /// The player has half-typed one, and wants it completed.
    Completion(HalfTyped),
    /// The backend sends the client elsewhere. It is still there.
    SentOn(Transfer),
    /// The client doesn't keep to the protocol, or sends too much.
    Refused(Fault),
    /// The client doesn't read.
    ClientStalled,
    /// The client gives no sign of life.
    ClientSilent,
    /// The backend has turned the player away, with these words. It is gone.
    Kicked(Component),
    /// The backend has gone without a word, doesn't read, or has said what isn't the protocol.
    Lost(Loss),
}

/// How a backend was lost.
#[derive(Debug, Error)]
pub enum Loss {
    /// It closed the connection.
    #[error("it closed the connection")]
    Closed,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(#[from] std::io::Error),
    /// It takes nothing any more.
    #[error("it stopped reading")]
    Stalled,
    /// It says nothing any more.
    #[error("it has said nothing for {} s", SILENCE.as_secs())]
    Silent,
    /// What it said isn't the protocol.
    #[error("it doesn't keep to the protocol: {0}")]
    Fault(#[from] Fault),
}

/// What isn't the protocol.
#[derive(Debug, Error)]
pub enum Fault {
    /// A frame, its compression, or a packet's fields.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// A packet that the version doesn't have in this state.
    #[error("an unknown packet (id {0})")]
    Unknown(i32),
    /// A packet that has no place here.
    #[error("a packet out of its place (id {0})")]
    Misplaced(i32),
    /// Of a client: more than it may send.
    #[error(transparent)]
    Excess(#[from] Excess),
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        Self::Stream(error.into())
    }
}

/// What becomes of a packet that has been understood.
#[derive(Debug)]
pub(super) enum Next {
    /// It goes on as it came.
    Passes,
    /// It goes no further.
    Ends,
    /// It goes no further, and this has happened.
    Event(Event),
}

impl Next {
    /// It goes on, or no further.
    #[inline]
    pub(super) const fn passes(passes: bool) -> Self {
        if passes { Self::Passes } else { Self::Ends }
    }
}
