//! How a route carries players by sessions.

use crate::section::{LimboKind, OnTransfer};
use drawbridge_net::proxy_protocol;
use drawbridge_session::Forwarding;
use std::time::Duration;

/// See [`SessionSection`](crate::section::SessionSection).
#[derive(Debug, Clone)]
pub struct Session {
    /// How a target is told who a player is.
    pub forwarding: Forwarding,
    /// From how many bytes on packets to clients are compressed, where they are.
    pub compression: Option<usize>,
    /// The header that a target gets first.
    pub proxy_protocol: Option<proxy_protocol::Version>,
    /// How long a target may take to accept a connection.
    pub connect: Duration,
    /// How long a target may take to let a player in.
    pub answer: Duration,
    /// When players are held in limbo.
    pub limbo: LimboKind,
    /// Where players go whose target turns them away or is lost, by name.
    pub fallback: Vec<String>,
    /// What becomes of a target's Transfer packet.
    pub on_transfer: OnTransfer,
    /// The name of the route that relays clients whose version the edge doesn't speak.
    pub unknown_versions: Option<String>,
    /// Whether groups of `[commands]` count for players whom nobody vouched for.
    pub trusts_claims: bool,
}
