//! Networks as proxies that carry sessions have them: servers by name, an order in which they are tried, and hosts that lead to
//! others. Of these the routes can be had as relays.
//!
//! What must stay true: each route says that its targets have to authenticate players, since the proxy did so before.

use super::draft::Draft;
use super::route::{NOT_AUTHENTICATED, Route, Target};
use super::source::Entry;
use super::text::Table;
use std::collections::HashMap;

/// What is said of everything that needs the edge to speak the protocol of a session.
pub(super) const SESSION: &str = "needs sessions, which the edge doesn't carry yet";

/// What is said of who authenticates players.
pub(super) const AUTHENTICATED: &str = "the edge doesn't authenticate players whom it relays: set online-mode=true in the server.properties of each target";

/// The servers of a network.
pub(super) struct Network<'a> {
    servers: Vec<Server<'a>>,
    /// By their names in small letters.
    places: HashMap<String, usize>,
}

struct Server<'a> {
    /// The key that holds the address.
    entry: Entry<'a>,
    address: Option<String>,
    is_used: bool,
}

impl<'a> Network<'a> {
    /// Reads the servers: their names, and the keys with their addresses.
    pub(super) fn read(draft: &mut Draft, servers: Vec<(&'a str, Entry<'a>)>) -> Self {
        let mut network = Self { servers: Vec::new(), places: HashMap::new() };
        for (name, entry) in servers {
            let address = draft.text(&entry).and_then(|text| draft.address(&entry, text));
            network.places.insert(name.to_ascii_lowercase(), network.servers.len());
            network.servers.push(Server { entry, address, is_used: false });
        }
        network
    }

    /// The addresses of the servers that are named at `entry`, in this order.
    fn targets(&mut self, draft: &mut Draft, entry: &Entry<'a>) -> Vec<Target> {
        let mut targets = Vec::new();
        for name in draft.texts(entry) {
            let Some(place) = self.places.get(&name.to_ascii_lowercase()) else {
                draft.leave(entry, &format!("there is no server {name:?}"));
                continue;
            };
            let server = &mut self.servers[*place];
            server.is_used = true;
            targets.extend(server.address.clone().map(|address| Target { address, weight: None }));
        }
        targets
    }

    /// A route from a host to the servers named at `entry`, unless another route has the host.
    pub(super) fn route(
        &mut self,
        draft: &mut Draft,
        (name, host): (&str, &str),
        entry: &Entry<'a>,
        status: &Table,
    ) -> Option<Route> {
        let name = draft.name(name);
        let host = draft.host(entry, host, &name)?;
        let mut route = Route::new(&name, "server_only");
        route.keys().remark(NOT_AUTHENTICATED);
        route.hosts(vec![host]);
        route.targets(self.targets(draft, entry));
        *route.table("status") = status.clone();
        draft.keep(entry, "routes.targets");
        Some(route)
    }

    /// Notes what became of the servers.
    pub(super) fn finish(self, draft: &mut Draft) {
        for server in self.servers.iter().filter(|server| server.address.is_some()) {
            if server.is_used {
                draft.keep(&server.entry, "routes.targets");
            } else {
                draft.leave(
                    &server.entry,
                    "no host leads there: players were switched to it, which needs sessions",
                );
            }
        }
    }
}

/// Notes what becomes of players who come by a Transfer packet.
pub(super) fn note_transfers(entry: &Entry<'_>, accepts: bool, draft: &mut Draft) {
    if accepts {
        draft.keep(entry, "players who come by Transfer go the way of all others");
    } else {
        draft.change(entry, "players who come by Transfer aren't turned away: they go the way of all others");
    }
}

/// The status that such a proxy shows by itself.
pub(super) fn own_status(description: Option<String>, most: Option<u64>) -> Table {
    let mut status = Table::default();
    status.remark_here(
        "As before, the list shows the edge's own text. How many play isn't known to a fixed status: leave [routes.status] out to show \
         the target's own.",
    );
    status.set("type", "fixed");
    if let Some(description) = description {
        status.set("description", description);
    }
    if let Some(most) = most {
        status.set("players", serde_json::json!({ "max": most }));
    }
    status
}
