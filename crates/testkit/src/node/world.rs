//! Servers of any versions in one process, to be joined, killed, frozen and started anew.

use super::{JOIN, Script, Served, listening, said};
use crate::script::Event;
use crate::wait::eventually;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use uuid::Uuid;

/// A process of servers made by other hands, which answer each packet of a player's with one of their own.
///
/// A server is known by its number, its place among those that were started. It is told by the world that players join, and marks its packets.
/// Orders are for a player, at the server of this world where they logged in last.
#[derive(Debug)]
pub struct NodeWorld {
    script: Script,
    served: Vec<Served>,
    session: Option<String>,
    /// The number of the first server.
    first: usize,
    addresses: Vec<SocketAddr>,
}

impl NodeWorld {
    /// Starts it; `session` is the URL of a session server for those that are online.
    ///
    /// # Panics
    /// When Node or the packages are missing, or it doesn't come to listen.
    #[must_use]
    pub fn start(served: Vec<Served>, session: Option<&str>) -> Self {
        Self::numbered_from(0, served, session)
    }

    /// The same, where the first server has this number: for those who go from one process to another.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[must_use]
    pub fn numbered_from(first: usize, served: Vec<Served>, session: Option<&str>) -> Self {
        let ports = vec![0; served.len()];
        Self::at(first, served, session.map(ToOwned::to_owned), &ports)
    }

    fn at(first: usize, served: Vec<Served>, session: Option<String>, ports: &[u16]) -> Self {
        let servers: Vec<_> = served.iter().zip(ports).map(|(served, port)| served.order(*port)).collect();
        let order = json!({ "servers": servers, "sessionServer": session, "first": first });
        let script = Script::node("world.mjs", &[order.to_string()]);
        let told = listening(&script);
        let ports = told.field("ports").as_array().into_iter().flatten().filter_map(Value::as_u64);
        let ports = ports.filter_map(|port| u16::try_from(port).ok());
        let addresses: Vec<_> = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect();
        assert_eq!(addresses.len(), served.len(), "a port for each server: {told:?}");
        Self { script, served, session, first, addresses }
    }

    /// Where each server listens, in their order.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where the server with this number listens.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn address(&self, number: usize) -> SocketAddr {
        self.addresses[number - self.first]
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

    /// How a player came in so many times, waited for.
    ///
    /// # Panics
    /// When they don't come so often.
    #[must_use]
    pub fn logins(&self, name: &str, times: usize) -> Vec<Event> {
        let found =
            eventually(JOIN, || Some(self.events("login", name)).filter(|logins| logins.len() >= times));
        found.unwrap_or_else(|| panic!("{name} hasn't come {times} times: {:#?}", self.script.said()))
    }

    /// The first event of this kind that happened to a player, waited for: such as `refused`, `brand`, `settings` or `cookie` (see `tests/node/world.mjs`).
    ///
    /// # Panics
    /// When none happens.
    #[must_use]
    pub fn event(&self, kind: &str, name: &str) -> Event {
        said(&self.script, kind, |event| event.name() == kind && event.field("name") == name)
    }

    /// All events of this kind that have happened to a player so far.
    #[must_use]
    pub fn events(&self, kind: &str, name: &str) -> Vec<Event> {
        let said = self.script.said();
        said.iter().filter(|event| event.name() == kind && event.field("name") == name).cloned().collect()
    }

    /// Waits until a player says this to a server: chat, or a command with its `/`.
    ///
    /// # Panics
    /// When they don't.
    #[must_use]
    pub fn hears(&self, name: &str, words: &str) -> Event {
        said(&self.script, words, |event| {
            event.name() == "chat" && event.field("name") == name && event.field("text") == words
        })
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

    /// What servers had to refuse so far: packets that are missing or for another server, answers that they didn't ask for.
    #[must_use]
    pub fn troubles(&self) -> Vec<Event> {
        self.script.said().iter().filter(|event| event.name() == "trouble").cloned().collect()
    }

    /// Kicks a player.
    pub fn kick(&self, name: &str, reason: &str) {
        self.script.order(&json!({ "kick": name, "reason": reason }));
    }

    /// Closes a player's connection without a word.
    pub fn cut(&self, name: &str) {
        self.script.order(&json!({ "cut": name }));
    }

    /// Opens a bundle, or closes the one that is open, since 1.19.4.
    pub fn bundle(&self, name: &str) {
        self.script.order(&json!({ "bundle": name }));
    }

    /// Says something to a player.
    pub fn say(&self, name: &str, words: &str) {
        self.script.order(&json!({ "say": name, "text": words }));
    }

    /// Sends a player what stays behind where no configuration clears it: a boss bar, a title, a scoreboard's objective, a team, somebody in the
    /// list of players and the texts around it, each with these words, as far as the version has it; and speed.
    pub fn leave_behind(&self, name: &str, words: &str) {
        for what in ["bossbar", "title", "objective", "team", "tab"] {
            self.script.order(&json!({ what: name, "text": words }));
        }
        self.script.order(&json!({ "effect": name, "of": 1 }));
    }

    /// Gives a player a resource pack that outlasts configuration, since 1.20.3.
    pub fn hand_out(&self, name: &str, pack: Uuid) {
        self.script.order(&json!({ "pack": name, "uuid": pack.to_string() }));
    }

    /// Gives a player a link, and something for reports of crashes, which outlast it too, since 1.21.
    pub fn link(&self, name: &str, words: &str) {
        self.script.order(&json!({ "links": name, "text": words }));
    }

    /// Tells a player that the server has commands of these names, since 1.13.
    pub fn declare(&self, name: &str, commands: &[&str]) {
        self.script.order(&json!({ "commands": name, "names": commands }));
    }

    /// Sends a player elsewhere by a Transfer packet, since 1.20.5.
    pub fn transfer(&self, name: &str, host: &str, port: u16) {
        self.script.order(&json!({ "transfer": name, "host": host, "port": port }));
    }

    /// Has a player keep a cookie, since 1.20.5.
    pub fn store_cookie(&self, name: &str, key: &str, payload: &[u8]) {
        let value = BASE64_STANDARD.encode(payload);
        self.script.order(&json!({ "store_cookie": name, "key": key, "value": value }));
    }

    /// Asks a player for a cookie; the answer is the event `cookie`.
    pub fn ask_cookie(&self, name: &str, key: &str) {
        self.script.order(&json!({ "ask_cookie": name, "key": key }));
    }

    /// Lets the server with this number send each of its players a packet as large as chunks are, so often.
    pub fn flood(&self, number: usize, every: Duration) {
        self.script.order(&json!({ "server": number, "flood": { "every_ms": every.as_millis() } }));
    }

    /// Ends that.
    pub fn end_flood(&self, number: usize) {
        self.script.order(&json!({ "server": number, "flood": null }));
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
        Self::at(self.first, self.served.clone(), self.session.clone(), &ports)
    }
}
