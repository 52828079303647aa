//! Why a client is turned away.

use crate::ban::{Ban, utc};

/// The message that is read in place of `disconnect_banned` where the ban ends.
pub const BANNED_UNTIL: &str = "disconnect_banned_until";

/// How loudly a refusal is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// An operator has to mend something.
    Error,
    /// Something outside fails.
    Warning,
    /// A player is affected.
    Info,
    /// The noise of an open port.
    Debug,
}

/// A player turned away, by whom, and with which words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub refusal: Refusal,
    /// The key of the message that the player reads in place of the refusal's own, where it is known.
    pub key: Option<String>,
    /// The adapter or the ban that did it, as the log names it.
    pub by: Option<String>,
    /// What the words may use beside what is known of every client, by name.
    pub parameters: Vec<(&'static str, String)>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, key: None, by: None, parameters: Vec::new() }
    }
}

impl From<&Ban> for Refused {
    fn from(ban: &Ban) -> Self {
        let until = ban.until.map(utc);
        Self {
            refusal: Refusal::Banned,
            key: until.is_some().then(|| BANNED_UNTIL.to_owned()),
            by: Some(format!("ban of {}", ban.of)),
            parameters: vec![("reason", ban.reason.to_string()), ("until", until.unwrap_or_default())],
        }
    }
}

/// A reason to turn a client away. It alone maps a reason to message, log level and metric label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// `[access]` or a route's `access` doesn't let the address in.
    Access,
    /// The address, name or UUID is banned.
    Banned,
    /// An operator ended the connection.
    Kicked,
    /// `limits.connections` are open.
    Full,
    /// `limits.per_address` are open from this address.
    AddressFull,
    /// The address knocks too often.
    Rate,
    /// The route is under maintenance.
    Maintenance,
    /// A PROXY header from somebody who isn't trusted, or none or a malformed one from somebody who is.
    ProxyHeader,
    /// Bytes that aren't the protocol.
    Malformed,
    /// The client took too long over what it had to say.
    TimedOut,
    /// No route for the host.
    NoRoute,
    /// The route's status adapter has no answer for a client of the server list.
    NoStatus,
    /// The route doesn't take the client's version, or the mode can't.
    Version,
    /// A name that the route doesn't take.
    Name,
    /// The key exchange failed.
    Encryption,
    /// The session server, or whoever authenticates, says that it isn't them.
    Authentication,
    /// Who authenticates can't be asked.
    AuthenticationUnavailable,
    /// The cookie that was to spare the session server isn't valid; the player has to join anew.
    Cookie,
    /// Discovery found no target.
    NoTarget,
    /// Discovery failed.
    Discovery,
    /// An action turned the player away.
    Action,
    /// An action failed.
    ActionFailed,
    /// Placement took longer than `limits.placement_timeout`.
    PlacementTimeout,
    /// No target accepts a connection.
    Unreachable,
    /// A target turned the player away, in its own words.
    TargetRefused,
    /// The target that the player was on is gone.
    TargetLost,
    /// A player who is carried sends more than `limits.play` permits.
    PlayLimit,
    /// The route carries as many players as it may.
    RouteFull,
    /// The player declined a required resource pack, or couldn't load it.
    ResourcePack,
    /// The edge is shutting down.
    ShuttingDown,
    /// A fault of the edge itself.
    Internal,
}

impl Refusal {
    /// Every reason.
    pub const ALL: [Self; 31] = [
        Self::Access,
        Self::Banned,
        Self::Kicked,
        Self::Full,
        Self::AddressFull,
        Self::Rate,
        Self::Maintenance,
        Self::ProxyHeader,
        Self::Malformed,
        Self::TimedOut,
        Self::NoRoute,
        Self::NoStatus,
        Self::Version,
        Self::Name,
        Self::Encryption,
        Self::Authentication,
        Self::AuthenticationUnavailable,
        Self::Cookie,
        Self::NoTarget,
        Self::Discovery,
        Self::Action,
        Self::ActionFailed,
        Self::PlacementTimeout,
        Self::Unreachable,
        Self::TargetRefused,
        Self::TargetLost,
        Self::PlayLimit,
        Self::RouteFull,
        Self::ResourcePack,
        Self::ShuttingDown,
        Self::Internal,
    ];

    /// The key of the message that the player reads, or `None` where a client is turned away without a word: before it
    /// has said anything, or because nothing that it says makes sense.
    #[must_use]
    pub const fn message(self) -> Option<&'static str> {
        Some(match self {
            // The target has said it already.
            Self::AddressFull
            | Self::ProxyHeader
            | Self::Malformed
            | Self::NoStatus
            | Self::TargetRefused => {
                return None;
            }
            Self::Access => "disconnect_access",
            Self::Banned => "disconnect_banned",
            Self::Kicked => "disconnect_kicked",
            Self::Rate => "disconnect_rate",
            Self::Maintenance => "disconnect_maintenance",
            Self::TimedOut => "disconnect_timeout",
            Self::NoRoute => "disconnect_no_route",
            Self::Version => "disconnect_version",
            Self::Name => "disconnect_name",
            Self::Encryption => "disconnect_encryption",
            Self::Authentication => "disconnect_authentication",
            Self::AuthenticationUnavailable => "disconnect_authentication_unavailable",
            Self::Cookie => "disconnect_cookie",
            Self::NoTarget => "disconnect_no_target",
            Self::Discovery => "disconnect_discovery",
            Self::Action => "disconnect_action",
            Self::ActionFailed => "disconnect_action_failed",
            Self::PlacementTimeout => "disconnect_placement_timeout",
            Self::Unreachable => "disconnect_unreachable",
            Self::TargetLost => "disconnect_target_lost",
            Self::PlayLimit => "disconnect_play_limit",
            // A client that wasn't let in at all has said nothing yet, and isn't told.
            Self::Full | Self::RouteFull => "disconnect_full",
            Self::ResourcePack => "disconnect_resource_pack",
            Self::ShuttingDown => "disconnect_shutdown",
            Self::Internal => "disconnect_internal",
        })
    }

    /// How loudly it is logged.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::Internal => Severity::Error,
            Self::AuthenticationUnavailable
            | Self::Discovery
            | Self::ActionFailed
            | Self::PlacementTimeout
            | Self::Unreachable
            | Self::Full => Severity::Warning,
            Self::Banned
            | Self::Maintenance
            | Self::Kicked
            | Self::Version
            | Self::Name
            | Self::Encryption
            | Self::Authentication
            | Self::Cookie
            | Self::TimedOut
            | Self::NoTarget
            | Self::Action
            | Self::TargetRefused
            | Self::TargetLost
            | Self::PlayLimit
            | Self::RouteFull
            | Self::ResourcePack
            | Self::ShuttingDown => Severity::Info,
            Self::Access
            | Self::AddressFull
            | Self::Rate
            | Self::ProxyHeader
            | Self::Malformed
            | Self::NoRoute
            | Self::NoStatus => Severity::Debug,
        }
    }

    /// The metric label and log field.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Banned => "banned",
            Self::Kicked => "kicked",
            Self::Full => "full",
            Self::AddressFull => "address_full",
            Self::Rate => "rate",
            Self::Maintenance => "maintenance",
            Self::ProxyHeader => "proxy_header",
            Self::Malformed => "malformed",
            Self::TimedOut => "timed_out",
            Self::NoRoute => "no_route",
            Self::NoStatus => "no_status",
            Self::Version => "version",
            Self::Name => "name",
            Self::Encryption => "encryption",
            Self::Authentication => "authentication",
            Self::AuthenticationUnavailable => "authentication_unavailable",
            Self::Cookie => "cookie",
            Self::NoTarget => "no_target",
            Self::Discovery => "discovery",
            Self::Action => "action",
            Self::ActionFailed => "action_failed",
            Self::PlacementTimeout => "placement_timeout",
            Self::Unreachable => "unreachable",
            Self::TargetRefused => "target_refused",
            Self::TargetLost => "target_lost",
            Self::PlayLimit => "play_limit",
            Self::RouteFull => "route_full",
            Self::ResourcePack => "resource_pack",
            Self::ShuttingDown => "shutting_down",
            Self::Internal => "internal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn labels_and_messages_are_distinct() {
        let labels: HashSet<_> = Refusal::ALL.iter().map(|refusal| refusal.label()).collect();
        assert_eq!(labels.len(), Refusal::ALL.len());
        // Who is told that it is full needn't know what.
        let others = Refusal::ALL.iter().filter(|refusal| **refusal != Refusal::Full);
        let messages: Vec<_> = others.filter_map(|refusal| refusal.message()).collect();
        assert_eq!(messages.iter().collect::<HashSet<_>>().len(), messages.len());
    }
}
