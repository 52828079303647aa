//! A server with a world, flying-squid, and a player with a body, mineflayer.

use super::{JOIN, Script, listening, said};
use crate::script::Event;
use crate::wait::eventually;
use serde_json::json;
use std::net::SocketAddr;

/// A server with a flat world.
#[derive(Debug)]
pub struct Squid {
    script: Script,
    address: SocketAddr,
}

impl Squid {
    /// Starts it, in a version such as `1.16.5`.
    ///
    /// # Panics
    /// When Node or the packages are missing, or it doesn't come to listen.
    #[must_use]
    pub fn start(version: &str) -> Self {
        let script = Script::node("squid.mjs", &[json!({ "version": version }).to_string()]);
        let port = listening(&script).field("port").as_u64().and_then(|port| u16::try_from(port).ok());
        let port = port.unwrap_or_else(|| panic!("flying-squid tells no port: {:?}", script.said()));
        Self { script, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How far a player has come from where they spawned, in blocks, as the server sees it; waited for until it is some way.
    ///
    /// # Panics
    /// When no such player moves so far.
    #[must_use]
    pub fn moved(&self, name: &str) -> f64 {
        let moved =
            said(&self.script, "moved", |event| event.name() == "moved" && event.field("name") == name);
        way(&moved)
    }

    /// Waits until a player has left.
    ///
    /// # Panics
    /// When no such player leaves.
    pub fn left(&self, name: &str) {
        said(&self.script, "left", |event| event.name() == "left" && event.field("name") == name);
    }
}

/// A player who joins, walks some blocks and leaves.
#[derive(Debug)]
pub struct Walker(Script);

impl Walker {
    /// Lets them join.
    ///
    /// # Panics
    /// When Node or the packages are missing.
    #[must_use]
    pub fn start(name: &str, version: &str, to: SocketAddr) -> Self {
        let (host, port) = (to.ip().to_string(), to.port());
        let order = json!({ "host": host, "port": port, "version": version, "name": name, "blocks": 5 });
        Self(Script::node("bot.mjs", &[order.to_string()]))
    }

    /// How far they have come, in blocks, once they have left.
    ///
    /// # Panics
    /// When they don't leave, or haven't walked.
    #[must_use]
    pub fn walked(&self) -> f64 {
        let ended = |events: &[Event]| events.iter().any(|event| event.name() == "end").then_some(());
        let over = eventually(JOIN, || ended(&self.0.said()));
        assert!(over.is_some(), "the player doesn't leave: {:#?}", self.0.said());
        way(&said(&self.0, "walked", |event| event.name() == "walked"))
    }
}

/// How far it is between two places, on the ground.
fn way(event: &Event) -> f64 {
    let place = |name: &str, axis: usize| event.field(name)[axis].as_f64().unwrap_or_default();
    (place("to", 0) - place("from", 0)).hypot(place("to", 2) - place("from", 2))
}
