//! What is known of those who have come.

use crate::play::mark::Spot;
use drawbridge_protocol::ProtocolVersion;
use std::net::IpAddr;
use uuid::Uuid;

/// How far a stay has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Since Login Start.
    Login,
    /// Since Login Acknowledged.
    Configuration,
    /// Since Join Game was said.
    Play,
    /// The connection has ended.
    Over,
}

/// A connection that has said Login Start.
#[derive(Debug, Clone)]
pub struct Stay {
    /// The player's name.
    pub name: String,
    /// The player's UUID: the forwarded one, or vanilla's of offline mode.
    pub id: Uuid,
    /// The version of the handshake.
    pub version: ProtocolVersion,
    /// The host of the handshake.
    pub host: String,
    /// The visit; the latest where there were several by [`Order::Again`](super::Order::Again).
    pub spot: Spot,
    /// How far it has come.
    pub stage: Stage,
    /// The player's address, where it was forwarded.
    pub address: Option<IpAddr>,
    /// The names of the properties that were forwarded.
    pub properties: Vec<String>,
    /// The language of the Client Information, once it has come.
    pub locale: Option<String>,
    /// The client's brand, once it has come.
    pub brand: Option<String>,
    /// What the player typed and reached this host; commands with their `/`.
    pub typed: Vec<String>,
    /// The cookies that were asked for, and what came.
    pub cookies: Vec<(String, Option<Vec<u8>>)>,
    /// Marked packets of this host so far.
    pub said: u64,
    /// Marked packets of the player so far.
    pub heard: u64,
}
