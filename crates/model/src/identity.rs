//! Who a player says they are, and who they are.

use drawbridge_protocol::profile::offline_uuid;
pub use drawbridge_protocol::profile::{Profile, Property};
use std::borrow::Cow;
use uuid::Uuid;

/// The form of a name in which case doesn't count.
#[must_use]
pub fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// The name and UUID that a client says it has. Nothing verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Checked in form, not in truth.
    pub name: String,
    /// As the client sent it.
    pub id: Uuid,
}

impl Claim {
    /// Of a client that says this name, and in some versions a UUID; where it says none, that of whoever has the name where nobody
    /// authenticates.
    #[must_use]
    pub fn new(name: String, id: Option<Uuid>) -> Self {
        let id = id.unwrap_or_else(|| offline_uuid(&name));
        Self { name, id }
    }
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

    /// As others are told of the player: nobody's word is taken for a UUID. Made where it is wanted, since a profile is most of what is known of a
    /// player, and nothing is kept twice.
    #[must_use]
    pub fn told(&self) -> Cow<'_, Profile> {
        match self {
            Self::Verified(profile) => Cow::Borrowed(profile),
            Self::Claimed(Claim { name, .. }) => {
                Cow::Owned(Profile { id: offline_uuid(name), name: name.clone(), properties: Vec::new() })
            }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

    use super::*;

    /// As Java has it: `UUID.nameUUIDFromBytes("OfflinePlayer:Notch")`.
    const OFFLINE: &str = "b50ad385-829d-3141-a216-7e7d7539ba7f";

    #[test]
    fn no_claim_is_told_with_the_uuid_that_it_claims() {
        let notch = Uuid::from_u128(0x069a_79f4_44e9_4726_a5be_fca9_0e38_aaf5);
        let claimed = Identity::Claimed(Claim::new("Notch".into(), Some(notch)));
        assert_eq!(claimed.told().id.to_string(), OFFLINE);
        assert_eq!(Claim::new("Notch".into(), None).id.to_string(), OFFLINE);
        let verified = Profile { id: notch, name: "Notch".into(), properties: Vec::new() };
        assert_eq!(*Identity::Verified(verified.clone()).told(), verified);
    }
}
