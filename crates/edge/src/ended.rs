//! How a connection's way can end before its goal.

use drawbridge_model::Refusal;
use std::io;

/// Why a phase did not reach the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The edge turns the client away.
    Refused(Refusal),
    /// The client has gone.
    Left,
}

impl Ended {
    /// The client doesn't speak the protocol.
    pub(crate) const MALFORMED: Self = Self::Refused(Refusal::Malformed);

    /// The word for logs.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.label(),
            Self::Left => "left",
        }
    }
}

/// What the failure of a wait on a client means.
impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::TimedOut { Self::Refused(Refusal::TimedOut) } else { Self::Left }
    }
}

impl From<Refusal> for Ended {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
