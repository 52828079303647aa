//! A route on its way to text, and the words of the configuration that routes are written in.

use super::text::Table;
use serde_json::{Value as Json, json};

/// What stands above a route that goes nowhere yet.
const NO_TARGET: &str = "TODO for you: none of its targets could be taken over. Name one, or take the route away: then its hosts \
                         belong to the default route.";

/// A route: a table with what every route has.
#[derive(Debug, Clone)]
pub(super) struct Route {
    mode: &'static str,
    table: Table,
    actions: Vec<Table>,
}

/// A backend server as a route names it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// What players and logs call it; its address otherwise.
    pub identifier: Option<String>,
    pub address: String,
    pub weight: Option<u64>,
}

impl Route {
    /// A route of a mode, without hosts and targets.
    pub(super) fn new(name: &str, mode: &'static str) -> Self {
        let mut table = Table::default();
        table.set("name", name);
        Self { mode, table, actions: Vec::new() }
    }

    /// Whether it carries connections.
    pub(super) fn carries(&self) -> bool {
        self.mode != "transfer"
    }

    /// Whether it carries them by sessions.
    pub(super) fn is_session(&self) -> bool {
        matches!(self.mode, "client_only" | "offline")
    }

    /// Whether its targets want a secret, and it is known where that is.
    pub(super) fn secret(&mut self) -> Option<bool> {
        let session = self.table("session");
        session.names("secret").then(|| session.has("secret"))
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        self.table.get("name").and_then(Json::as_str).unwrap_or_default()
    }

    /// The table that says how connections are carried.
    pub(super) fn carrying(&self) -> &'static str {
        if self.is_session() { "session" } else { "relay" }
    }

    /// Whether anybody can get there.
    pub(super) fn has_hosts(&self) -> bool {
        self.table.get("hosts").and_then(Json::as_array).is_some_and(|hosts| !hosts.is_empty())
    }

    /// Sets its hosts, and behind them its mode.
    pub(super) fn hosts(&mut self, hosts: Vec<String>) {
        self.table.set("hosts", hosts);
        self.table.set("mode", self.mode);
    }

    /// Sets its targets, in the order in which they are tried. What comes again is named once.
    pub(super) fn targets(&mut self, targets: Vec<Target>) {
        let mut addresses: Vec<Target> = Vec::new();
        for target in targets {
            let is_it =
                |other: &Target| (&other.identifier, &other.address) == (&target.identifier, &target.address);
            if !addresses.iter().any(is_it) {
                addresses.push(target);
            }
        }
        if addresses.is_empty() {
            self.table.remark(NO_TARGET);
        }
        if addresses.iter().all(|target| target.weight.is_none() && target.identifier.is_none()) {
            let addresses: Vec<_> = addresses.into_iter().map(|target| target.address).collect();
            return self.table.set("targets", addresses);
        }
        let has_weights = addresses.iter().any(|target| target.weight.is_some());
        for target in addresses {
            let mut table = Table::default();
            if let Some(identifier) = target.identifier {
                table.set("identifier", identifier);
            }
            table.set("address", target.address);
            if has_weights {
                table.set("meta", json!({ "weight": target.weight.unwrap_or(1).to_string() }));
            }
            self.table("discovery").add("targets", table);
        }
    }

    /// Spreads players over its targets.
    pub(super) fn balance(&mut self, by: &'static str) {
        let mut action = Table::default();
        action.set("type", "balance");
        action.set("by", by);
        self.action(action);
    }

    /// Adds an action.
    pub(super) fn action(&mut self, action: Table) {
        self.actions.push(action);
    }

    /// Its own keys.
    pub(super) fn keys(&mut self) -> &mut Table {
        &mut self.table
    }

    /// A table below it.
    pub(super) fn table(&mut self, key: &'static str) -> &mut Table {
        self.table.table(key)
    }

    /// How long a target may take to accept a connection, where the route doesn't say so itself.
    pub(super) fn connect(&mut self, duration: &str) {
        let carrying = self.table(self.carrying());
        if !carrying.has("connect") {
            carrying.set("connect", duration);
        }
    }

    /// Sends a PROXY header to the target.
    pub(super) fn proxy_protocol(&mut self, version: &'static str) {
        self.table(self.carrying()).set("proxy_protocol", version);
    }

    /// The host that targets of a relay read: `target` for their own, or any.
    pub(super) fn host(&mut self, host: &str) {
        self.table("relay").set("host", host);
    }

    /// The text of a state in which the status can't be had.
    pub(super) fn state(&mut self, state: &'static str, key: &'static str, text: &str) {
        self.table("status").table("states").table(state).set(key, text);
    }

    /// A message for players in every language, as programs have it that know one.
    pub(super) fn message(&mut self, key: &str, text: &str) {
        let localization = self.table("localization");
        let mut messages = localization.get("messages").cloned().unwrap_or_else(|| json!({ "en_us": {} }));
        messages["en_us"][key] = json!(text);
        localization.set("messages", messages);
    }

    /// The text of its element of `[[routes]]`.
    pub(super) fn to_text(&self) -> String {
        let mut table = self.table.clone();
        for action in &self.actions {
            table.add("actions", action.clone());
        }
        table.to_element("routes")
    }
}
