//! What a server of a world is like.

use serde_json::{Value, json};

/// How a server learns from the proxy in front of it who players are. Whoever doesn't pass is kicked.
#[derive(Debug, Clone)]
pub enum Forwarded {
    /// By the host of the handshake, as Spigot reads it.
    BungeeCord,
    /// The same, with this token among the properties.
    BungeeGuard(String),
    /// By a login plugin message, as Paper reads it.
    Velocity {
        /// What the answer is signed with.
        secret: String,
        /// The version that is asked for; none for a request without it, as the oldest servers send.
        asks: Option<u8>,
    },
}

impl Forwarded {
    /// Velocity's, asked for in the newest version, 4.
    #[must_use]
    pub fn velocity(secret: &str) -> Self {
        Self::Velocity { secret: secret.to_owned(), asks: Some(4) }
    }

    fn order(&self) -> Value {
        match self {
            Self::BungeeCord => json!({ "kind": "bungeecord" }),
            Self::BungeeGuard(token) => json!({ "kind": "bungeeguard", "token": token }),
            Self::Velocity { secret, asks } => json!({ "kind": "velocity", "secret": secret, "asks": asks }),
        }
    }
}

/// A server of a world.
#[derive(Debug, Clone)]
pub struct Served(Value);

impl Served {
    /// Of a version that there is a table of, such as `1.8`.
    #[must_use]
    pub fn version(version: &str) -> Self {
        Self(json!({ "version": version }))
    }

    /// Asks players' mods something on this channel during the login, since 1.13; the answer is the event `answered`.
    #[must_use]
    pub fn asking(self, channel: &str) -> Self {
        self.set("asks", json!(channel))
    }

    /// Encrypts, and asks the world's session server who players are.
    #[must_use]
    pub fn online(self) -> Self {
        self.set("online", json!(true))
    }

    /// Takes players who claim this number, instead of the version's own.
    #[must_use]
    pub fn claiming(self, protocol: i32) -> Self {
        self.set("protocol", json!(protocol))
    }

    /// Compresses packets of so many bytes and more, and none when it is -1, instead of 256. It finds trouble with those that
    /// are compressed and shorter, as vanilla does.
    #[must_use]
    pub fn compression(self, threshold: i32) -> Self {
        self.set("compression", json!(threshold))
    }

    /// Has the proxy in front of it say who players are.
    #[must_use]
    pub fn forwarding(self, forwarded: &Forwarded) -> Self {
        self.set("forwarding", forwarded.order())
    }

    /// Lets nobody in: kicks when they log in.
    #[must_use]
    pub fn turning_away(self, words: &str) -> Self {
        self.set("turnAway", json!({ "state": "login", "text": words }))
    }

    /// Lets nobody in: kicks when they are in the configuration, since 1.20.2.
    #[must_use]
    pub fn turning_away_late(self, words: &str) -> Self {
        self.set("turnAway", json!({ "state": "configuration", "text": words }))
    }

    pub(super) fn order(&self, port: u16) -> Value {
        self.clone().set("port", json!(port)).0
    }

    fn set(mut self, name: &str, value: Value) -> Self {
        self.0[name] = value;
        self
    }
}
