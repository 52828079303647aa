//! How a connection's way can end before its goal.

use drawbridge_model::{Refusal, Refused};
use std::io;

/// Why a phase did not reach the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The edge turns the client away.
    Refused(Refusal),
    /// An adapter turns the client away, by name or in words of its own.
    RefusedBy(Box<Refused>),
    /// The client has gone.
    Left,
}

impl Ended {
    /// The client doesn't speak the protocol.
    pub(crate) const MALFORMED: Self = Self::Refused(Refusal::Malformed);

    /// Where there was no time left, something else was late than the client: this.
    pub(crate) fn late(self, refusal: Refusal) -> Self {
        if self == Self::Refused(Refusal::TimedOut) { refusal.into() } else { self }
    }

    /// The word for logs.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.label(),
            Self::RefusedBy(refused) => refused.refusal.label(),
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

impl From<Refused> for Ended {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused { refusal, key: None, by: None, parameters } if parameters.is_empty() => {
                Self::Refused(refusal)
            }
            refused => Self::RefusedBy(Box::new(refused)),
        }
    }
}

impl From<Refusal> for Ended {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
