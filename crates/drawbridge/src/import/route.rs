//! A route on its way to text, and the words of the configuration that routes are written in.

use super::text::Table;
use serde_json::{Value as Json, json};

/// What stands above a route that carried sessions before.
pub(super) const NOT_AUTHENTICATED: &str = "TODO for you: the edge relays here. It doesn't authenticate players and forwards nothing of them, so each target must \
     authenticate them itself: online-mode=true in its server.properties, and forwarding off. A target that stays in offline mode lets \
     everybody in under any name.";

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
    pub(super) fn is_relay(&self) -> bool {
        self.mode != "transfer"
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

    /// Sets its targets, in the order in which they are tried. Addresses that come again are named once.
    pub(super) fn targets(&mut self, targets: Vec<Target>) {
        let mut addresses: Vec<Target> = Vec::new();
        for target in targets {
            if !addresses.iter().any(|other| other.address == target.address) {
                addresses.push(target);
            }
        }
        if addresses.is_empty() {
            self.table.remark(NO_TARGET);
        }
        if addresses.iter().all(|target| target.weight.is_none()) {
            let addresses: Vec<_> = addresses.into_iter().map(|target| target.address).collect();
            return self.table.set("targets", addresses);
        }
        for target in addresses {
            let mut table = Table::default();
            table.set("address", target.address);
            table.set("meta", json!({ "weight": target.weight.unwrap_or(1).to_string() }));
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
        let relay = self.table("relay");
        if !relay.has("connect") {
            relay.set("connect", duration);
        }
    }

    /// Sends a PROXY header to the target.
    pub(super) fn proxy_protocol(&mut self, version: &'static str) {
        self.table("relay").set("proxy_protocol", version);
    }

    /// The host that targets read: `target` for their own, or any.
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
