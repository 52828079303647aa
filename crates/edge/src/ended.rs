//! How a connection's way can end before its goal.

use drawbridge_model::Refusal;

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

impl From<Refusal> for Ended {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
