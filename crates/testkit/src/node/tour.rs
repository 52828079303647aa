//! A player with a body, mineflayer, in worlds that an edge makes up by itself.

use super::Script;
use crate::script::Event;
use crate::wait::eventually;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;

/// A player who joins in one release after the other, stands where they begin, and goes elsewhere.
#[derive(Debug)]
pub struct Tour(Script);

impl Tour {
    /// Lets them join in the releases of these protocol numbers, or in all that mineflayer can judge; `words` are what they say to go on.
    ///
    /// # Panics
    /// When Node or the packages are missing.
    #[must_use]
    pub fn start(to: SocketAddr, words: &[&str], protocols: Option<&[i32]>) -> Self {
        let (host, port) = (to.ip().to_string(), to.port());
        let order = json!({ "host": host, "port": port, "words": words, "protocols": protocols });
        Self(Script::node("limbo/tour.mjs", &[order.to_string()]))
    }

    /// What they saw in each release, in order: an event `toured`, or `failed`.
    ///
    /// # Panics
    /// When it isn't over in time.
    #[must_use]
    pub fn seen(&self, within: Duration) -> Vec<Event> {
        let ended = |events: &[Event]| events.last().is_some_and(|event| event.name() == "end");
        let seen = eventually(within, || Some(self.0.said().clone()).filter(|events| ended(events)));
        let mut seen = seen.unwrap_or_else(|| panic!("the tour isn't over: {:#?}", self.0.said()));
        seen.pop();
        seen
    }
}
