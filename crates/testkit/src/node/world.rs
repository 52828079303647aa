//! Servers of any versions in one process, to be joined, killed, frozen and started anew.

use super::{Script, listening, said};
use crate::script::Event;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// A server of a world.
#[derive(Debug, Clone)]
pub struct Served {
    version: String,
    online: bool,
    protocol: Option<i32>,
}

impl Served {
    /// Of a version that there is a table of, such as `1.8`.
    #[must_use]
    pub fn version(version: &str) -> Self {
        Self { version: version.to_owned(), online: false, protocol: None }
    }

    /// Encrypts, and asks the world's session server who players are.
    #[must_use]
    pub fn online(self) -> Self {
        Self { online: true, ..self }
    }

    /// Takes players who claim this number, instead of the version's own.
    #[must_use]
    pub fn claiming(self, protocol: i32) -> Self {
        Self { protocol: Some(protocol), ..self }
    }

    fn order(&self, port: u16) -> Value {
        json!({ "version": self.version, "online": self.online, "protocol": self.protocol, "port": port })
    }
}

/// A process of servers made by other hands, which answer each packet of a player's with one of their own.
#[derive(Debug)]
pub struct NodeWorld {
    script: Script,
    served: Vec<Served>,
    session: Option<String>,
    addresses: Vec<SocketAddr>,
}

impl NodeWorld {
    /// Starts it; `session` is the URL of a session server for those that are online.
    ///
    /// # Panics
    /// When Node or the packages are missing, or it doesn't come to listen.
    #[must_use]
    pub fn start(served: Vec<Served>, session: Option<&str>) -> Self {
        let ports = vec![0; served.len()];
        Self::at(served, session.map(ToOwned::to_owned), &ports)
    }

    fn at(served: Vec<Served>, session: Option<String>, ports: &[u16]) -> Self {
        let servers: Vec<_> = served.iter().zip(ports).map(|(served, port)| served.order(*port)).collect();
        let order = json!({ "servers": servers, "sessionServer": session });
        let script = Script::node("world.mjs", &[order.to_string()]);
        let told = listening(&script);
        let ports = told.field("ports").as_array().into_iter().flatten().filter_map(Value::as_u64);
        let ports = ports.filter_map(|port| u16::try_from(port).ok());
        let addresses: Vec<_> = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect();
        assert_eq!(addresses.len(), served.len(), "a port for each server: {told:?}");
        Self { script, served, session, addresses }
    }

    /// Where each server listens, in their order.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// How a player came in, waited for.
    ///
    /// # Panics
    /// When no such player has logged in.
    #[must_use]
    pub fn login(&self, name: &str) -> Event {
        said(&self.script, "login", |event| event.name() == "login" && event.field("name") == name)
    }

    /// What a player had done until they left, waited for.
    ///
    /// # Panics
    /// When no such player leaves.
    #[must_use]
    pub fn left(&self, name: &str) -> Event {
        said(&self.script, "left", |event| event.name() == "left" && event.field("name") == name)
    }

    /// Whether such a player has logged in so far.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.script.said().iter().any(|event| event.name() == "login" && event.field("name") == name)
    }

    /// What has gone wrong so far.
    #[must_use]
    pub fn errors(&self) -> Vec<Event> {
        self.script.said().iter().filter(|event| event.name() == "error").cloned().collect()
    }

    /// Sends the process a signal: [`Signal::STOP`] freezes it, [`Signal::CONT`] lets it go on, [`Signal::KILL`] ends it.
    ///
    /// # Panics
    /// When it is gone.
    pub fn signal(&self, signal: Signal) {
        let sent = kill_process(Pid::from_child(&self.script.process), signal);
        sent.unwrap_or_else(|error| panic!("the world is gone: {error}"));
    }

    /// The same servers at the same addresses, in another process. The one before has to be gone.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[must_use]
    pub fn started_anew(mut self) -> Self {
        // It has been killed, or is now.
        let _ = self.script.process.kill();
        let _ = self.script.process.wait();
        let ports: Vec<_> = self.addresses.iter().map(SocketAddr::port).collect();
        Self::at(self.served.clone(), self.session.clone(), &ports)
    }
}
