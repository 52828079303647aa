//! Who a player says they are, and who they are.

pub use drawbridge_protocol::profile::{Profile, Property};
use uuid::Uuid;

/// The name and UUID that a client says it has. Nothing verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Checked in form, not in truth.
    pub name: String,
    /// As the client sent it.
    pub id: Uuid,
}

/// What the edge knows of who a player is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// An authentication adapter, or a valid cookie, vouches for it.
    Verified(Profile),
    /// Nobody does.
    Claimed(Claim),
}

impl Identity {
    /// The player's name, verified or not.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Verified(profile) => &profile.name,
            Self::Claimed(claim) => &claim.name,
        }
    }

    /// The same, for whoever keeps it only to know who it is: a skin is a kilobyte.
    #[must_use]
    pub fn without_properties(&self) -> Self {
        match self {
            Self::Verified(Profile { id, name, .. }) => {
                Self::Verified(Profile { id: *id, name: name.clone(), properties: Vec::new() })
            }
            Self::Claimed(claim) => Self::Claimed(claim.clone()),
        }
    }

    /// The profile, where somebody vouches for it.
    #[must_use]
    pub const fn verified(&self) -> Option<&Profile> {
        match self {
            Self::Verified(profile) => Some(profile),
            Self::Claimed(_) => None,
        }
    }
}
