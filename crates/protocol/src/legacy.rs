//! Clients before 1.7 (Minecraft wiki, "Java Edition protocol/Server List Ping", the parts on 1.6 and older, and the
//! pre-Netty "Protocol" pages): their pings and logins, told from the first bytes, and what they can be answered.
//!
//! What must stay true: a modern handshake is never taken for a legacy packet, whatever its length; and recognising asks
//! for a bounded number of bytes, [`MAX_BYTES`].

mod answer;
mod recognise;

pub use answer::{LegacyStatus, kick, ping_answer};
pub use recognise::recognise;

/// No legacy packet that is recognised has more bytes; the longest is an old login with the longest host.
pub const MAX_BYTES: usize = 600;

/// What the first bytes of a connection are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recognised {
    /// Too few bytes to tell. Some pings are whole although more might follow: if nothing comes within a short while,
    /// they are what `complete_as` says.
    NeedMore {
        /// What it is if nothing follows; with `None` it is nothing yet.
        complete_as: Option<LegacyPing>,
    },
    /// Nothing legacy: frames since 1.7, or garbage.
    Modern,
    /// A ping by a client before 1.7.
    Ping(LegacyPing),
    /// A login by a client before 1.7; nothing but a [`kick`] can follow.
    Login(LegacyLogin),
    /// Starts as a legacy packet and goes on as none.
    Malformed,
}

/// A ping by a client before 1.7.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LegacyPing {
    /// `FE`: Beta 1.8 to 1.3.
    Beta,
    /// `FE 01`: 1.4 and 1.5.
    V1_4,
    /// `FE 01 FA` and the plugin message `MC|PingHost`: 1.6, and newer clients that found no newer server.
    V1_6 {
        /// The client's number, of the numbering before 1.7.
        protocol: u8,
        /// The host that the client connects to, as it came.
        host: String,
        /// The port that the client connects to.
        port: u16,
    },
}

/// A login by a client before 1.7 (packet 02, "Handshake").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyLogin {
    /// The client's number, of the numbering before 1.7; clients before 1.3 don't say it here.
    pub protocol: Option<u8>,
    /// The name that the player claims, as it came.
    pub name: String,
    /// The host that the client connects to, as it came; the oldest don't say it.
    pub host: Option<String>,
}

#[cfg(test)]
mod tests;
