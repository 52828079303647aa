//! What a host is told to do, and what it does wrong.

/// What a host pushes to each player, a second. A chunk has 5 to 60 KB, a small packet 20 to 300 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Small packets.
    pub small: u32,
    /// Chunks, in batches where the version has them.
    pub chunks: u32,
}

impl Traffic {
    /// Keep-alives alone.
    pub const QUIET: Self = Self { small: 0, chunks: 0 };
}

/// What a host is told to do with a player who is in configuration or play; in login only the first two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Disconnects with this text.
    Kick(String),
    /// Closes without a word.
    Cut,
    /// Sends the player elsewhere (since 766).
    Transfer {
        /// The host to go to.
        host: String,
        /// The port to go to.
        port: u16,
    },
    /// Has the client keep a cookie (since 766).
    StoreCookie {
        /// Its identifier.
        key: String,
        /// Its content.
        payload: Vec<u8>,
    },
    /// Asks for a cookie (since 766); the answer stands in [`Stay::cookies`](super::Stay::cookies).
    AskCookie(String),
    /// Has the client configured anew, and then join anew, which counts as a visit of its own (since 764, in play).
    Again,
}

/// Where a host departs from what a server does: once in each connection, and in play after some packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misdeed {
    /// Leaves a marked packet out.
    Skips,
    /// Says a marked packet twice.
    Repeats,
    /// Says a marked packet of the host with the next number.
    Impersonates,
    /// Says a marked packet that is for another player.
    Misdelivers,
    /// Changes a byte of a marked packet.
    Spoils,
    /// Says its Join Game a second time.
    JoinsTwice,
    /// Says a new visit's Join Game without a Respawn (before 764).
    KeepsTheWorld,
    /// Says a new visit's Join Game, and a Respawn to the same dimension (before 735).
    RespawnsInPlace,
    /// Finishes a configuration without having told of registries (since 764).
    KeepsRegistries,
    /// Opens a bundle and disconnects the player inside it (since 762).
    KicksInBundle,
}
