//! The mode of a route, and what it comes to.

use drawbridge_config::keywords;
use drawbridge_net::relay::Method;
use drawbridge_protocol::ProtocolVersion;

keywords! {
    /// How a player reaches the target.
    pub enum Mode {
        /// Handed over by Transfer packet; clients from 1.20.5 on.
        "transfer" => Transfer,
        /// Relayed as bytes, copied or spliced by what flows; clients of every version. The target authenticates, or nobody does.
        "passthrough" => Passthrough,
        /// As `passthrough`, always by splice(2).
        "zero_copy" => ZeroCopy,
        /// As `passthrough`, under the name that says who authenticates.
        "server_only" => ServerOnly,
        /// A session: the edge authenticates, speaks the protocol with both sides, and tells the target who the player is.
        "client_only" => ClientOnly,
        /// A session in which nobody authenticates: players are who they claim to be.
        "offline" => Offline,
        /// As `transfer` for clients that can be handed over (from 1.20.5 on), as `passthrough` for all others, to the same targets.
        "auto" => Auto,
    }
}

/// What a mode comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Players are handed over.
    Transfer,
    /// Bytes are relayed, so.
    Relay(Method),
    /// Players are carried by a session; whether the edge authenticates them.
    Session {
        /// Otherwise they are who they claim to be.
        authenticates: bool,
    },
    /// Players whose version can be are handed over, those of others are relayed, so.
    ByVersion(Method),
}

impl Mode {
    /// Whether players are carried by sessions.
    #[must_use]
    pub const fn is_session(self) -> bool {
        matches!(self.delivery(), Delivery::Session { .. })
    }

    /// What it comes to.
    #[must_use]
    pub const fn delivery(self) -> Delivery {
        match self {
            Self::Transfer => Delivery::Transfer,
            Self::Passthrough | Self::ServerOnly => Delivery::Relay(Method::Adaptive),
            Self::ZeroCopy => Delivery::Relay(Method::Splice),
            Self::ClientOnly => Delivery::Session { authenticates: true },
            Self::Offline => Delivery::Session { authenticates: false },
            Self::Auto => Delivery::ByVersion(Method::Adaptive),
        }
    }

    /// What it comes to for clients of this version: never [`Delivery::ByVersion`].
    #[must_use]
    pub fn delivery_to(self, version: ProtocolVersion) -> Delivery {
        match self.delivery() {
            Delivery::ByVersion(_) if Self::Transfer.serves(version) => Delivery::Transfer,
            Delivery::ByVersion(method) => Delivery::Relay(method),
            settled => settled,
        }
    }

    /// Whether clients of this version can reach a target so.
    #[must_use]
    pub fn serves(self, version: ProtocolVersion) -> bool {
        match self.delivery() {
            Delivery::Transfer => version.has_transfer() && version.is_known(),
            Delivery::Relay(_) | Delivery::ByVersion(_) => true,
            Delivery::Session { .. } => version.is_known(),
        }
    }

    /// Whether players stay connected to the edge, or some do.
    #[must_use]
    pub const fn carries(self) -> bool {
        !matches!(self.delivery(), Delivery::Transfer)
    }
}
