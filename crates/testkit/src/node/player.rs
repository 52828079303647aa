//! A real client in the game, and what it saw when it is over.

use super::{JOIN, NodeClient, keep};
use crate::player::Jar;
use crate::script::Event;
use crate::wait::eventually;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// A real client whose connection hasn't ended, as far as the test has looked.
///
/// What it sees is waited for kind by kind: each wait for one, such as for chat, goes on behind what the last such wait found.
#[derive(Debug)]
pub struct NodePlayer<'a> {
    client: &'a NodeClient,
    id: u64,
    jar: Jar,
    /// How many events of each kind have been waited for.
    seen: Mutex<HashMap<String, usize>>,
}

impl<'a> NodePlayer<'a> {
    pub(super) fn new(client: &'a NodeClient, id: u64, jar: Jar) -> Self {
        Self { client, id, jar, seen: Mutex::default() }
    }

    /// All that has happened so far, in order.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.client.events(self.id)
    }

    /// What was out of its place among the packets of worlds so far: missing, or of another server than the one joined last.
    #[must_use]
    pub fn troubles(&self) -> Vec<Event> {
        troubles(&self.events())
    }

    /// The next event of this kind that `is` recognises, waited for.
    ///
    /// # Panics
    /// When it doesn't happen, or has been waited past.
    pub fn next_where(&self, kind: &str, is: impl Fn(&Event) -> bool) -> Event {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.entry(kind.to_owned()).or_default();
        let find = || {
            let said = self.client.script.said();
            let mine = said.iter().filter(|event| event.0["id"] == self.id && event.name() == kind);
            let found = mine.enumerate().skip(*seen).find(|(_, event)| is(event));
            found.map(|(at, event)| (at, event.clone()))
        };
        let found = eventually(JOIN, find);
        let (at, event) = found.unwrap_or_else(|| panic!("no such {kind}: {:#?}", self.events()));
        *seen = at + 1;
        event
    }

    /// The next event of this kind, waited for: such as `tab`, `boss_bar`, `header` or `commands` (see `tests/node/client.mjs`).
    ///
    /// # Panics
    /// When it doesn't happen.
    pub fn next(&self, kind: &str) -> Event {
        self.next_where(kind, |_| true)
    }

    /// Waits until it joins the world of the server with this number; the event has `world` or `dimension`, and how the connection is then:
    /// `encrypted`, `threshold`.
    ///
    /// # Panics
    /// When it doesn't.
    pub fn joined_world(&self, number: usize) -> Event {
        self.next_where("joined", |event| event.field("entity") == number + 1)
    }

    /// Waits until packets come from the server with this number, or come from it anew.
    ///
    /// # Panics
    /// When they don't.
    pub fn hears_from(&self, number: usize) -> Event {
        self.next_where("from", |event| event.field("server") == number)
    }

    /// Waits until it is led back into the configuration.
    ///
    /// # Panics
    /// When it isn't.
    pub fn is_configured(&self) -> Event {
        self.next("configuration")
    }

    /// Waits for chat that holds these words.
    ///
    /// # Panics
    /// When there is none.
    pub fn reads(&self, words: &str) -> Event {
        self.next_where("chat", |event| holds(event, words))
    }

    /// Waits for these words over the hotbar.
    ///
    /// # Panics
    /// When there are none.
    pub fn is_shown(&self, words: &str) -> Event {
        self.next_where("action_bar", |event| holds(event, words))
    }

    /// Says something: chat, or a command with its `/`.
    ///
    /// # Panics
    /// When the process has ended.
    pub fn says(&self, words: &str) {
        self.order("say", words);
    }

    /// Has something completed, and gives what is offered.
    ///
    /// # Panics
    /// When nothing is answered.
    pub fn completes(&self, text: &str) -> Vec<String> {
        self.order("complete", text);
        let answer = self.next("completions");
        let matches = answer.field("matches").as_array().into_iter().flatten();
        matches.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
    }

    /// Waits until so many packets in all have been exchanged with a server of a world each way.
    ///
    /// # Panics
    /// When they aren't.
    pub fn played(&self, packets: u32) {
        self.next_where("played", |event| event.field("packets") == packets);
    }

    /// Sends so many packets more to the server where it is.
    ///
    /// # Panics
    /// When the process has ended.
    pub fn plays_more(&self, packets: u32) {
        self.order("more", packets);
    }

    /// Leaves.
    ///
    /// # Panics
    /// When the process has ended, or the connection doesn't end.
    #[must_use]
    pub fn leave(self) -> NodeVisit {
        self.order("leave", true);
        self.ended()
    }

    /// Waits until the connection has ended.
    ///
    /// # Panics
    /// When it doesn't end.
    #[must_use]
    pub fn ended(self) -> NodeVisit {
        let Self { client, id, mut jar, .. } = self;
        let events = client.ended(id);
        let stored = events.iter().filter(|event| event.name() == "store_cookie");
        keep(
            &mut jar,
            stored.map(|event| (event.field("key").as_str().unwrap_or_default(), event.field("payload"))),
        );
        NodeVisit { events, jar }
    }

    fn order(&self, what: &str, how: impl Into<Value>) {
        self.client.script.order(&json!({ "id": self.id, what: how.into() }));
    }
}

fn holds(event: &Event, words: &str) -> bool {
    event.field("text").as_str().is_some_and(|text| text.contains(words))
}

fn troubles(events: &[Event]) -> Vec<Event> {
    events.iter().filter(|event| matches!(event.name(), "trouble" | "error")).cloned().collect()
}

/// A join as the real client saw it.
#[derive(Debug, Clone)]
pub struct NodeVisit {
    /// All that happened, in order.
    pub events: Vec<Event>,
    jar: Jar,
}

impl NodeVisit {
    /// The last event of this name.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<&Event> {
        self.events.iter().rev().find(|event| event.name() == name)
    }

    /// The protocol number in the handshake, read from the bytes that went to the socket.
    #[must_use]
    pub fn protocol(&self) -> Option<i64> {
        self.event("handshake")?.field("protocol").as_i64()
    }

    /// The intent in the handshake, likewise.
    #[must_use]
    pub fn intent(&self) -> Option<i64> {
        self.event("handshake")?.field("intent").as_i64()
    }

    /// The host and port that it was sent to.
    ///
    /// # Panics
    /// When it wasn't.
    #[must_use]
    pub fn transferred(&self) -> (&str, u64) {
        let transfer = self.event("transfer").unwrap_or_else(|| panic!("no transfer: {:#?}", self.events));
        (transfer.field("host").as_str().unwrap_or_default(), transfer.field("port").as_u64().unwrap_or(0))
    }

    /// The words that it was turned away with.
    ///
    /// # Panics
    /// When it wasn't.
    #[must_use]
    pub fn kicked(&self) -> &str {
        let kick = self.event("disconnect").unwrap_or_else(|| panic!("no kick: {:#?}", self.events));
        kick.field("text").as_str().unwrap_or_default()
    }

    /// The cookies that were asked for, and whether encrypted.
    #[must_use]
    pub fn cookies_asked(&self) -> Vec<(&str, bool)> {
        let asked = self.events.iter().filter(|event| event.name() == "cookie_request");
        asked
            .map(|event| (event.field("key").as_str().unwrap_or_default(), event.field("encrypted") == true))
            .collect()
    }

    /// What was out of its place among the packets of worlds, and errors.
    #[must_use]
    pub fn troubles(&self) -> Vec<Event> {
        troubles(&self.events)
    }

    /// The cookies that the client holds at the end.
    #[must_use]
    pub const fn jar(&self) -> &Jar {
        &self.jar
    }
}
