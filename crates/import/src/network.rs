//! Networks as proxies that carry sessions have them: servers by name, an order in which they are tried, and hosts that lead to
//! others. They become routes with sessions.
//!
//! What must stay true: what players type behind `/server` stays as it was, so that each route has all servers under their names, and
//! those that nobody joined by a host are not joined by it.

use super::draft::Draft;
use super::route::Target;
use super::session::Carrying;
use super::source::Entry;
use super::text::Table;
use serde_json::json;
use std::collections::HashMap;

/// The servers of a network, and where hosts lead.
pub(super) struct Network<'a> {
    servers: Vec<Server<'a>>,
    /// By their names in small letters.
    places: HashMap<String, usize>,
    ways: Vec<Way>,
}

struct Server<'a> {
    name: &'a str,
    /// The key that holds the address.
    entry: Entry<'a>,
    address: Option<String>,
    /// Whether players need a permission to get there.
    is_restricted: bool,
}

/// Where hosts lead: what becomes a route.
pub(super) struct Way {
    name: String,
    hosts: Vec<String>,
    /// The servers that players join, in this order.
    joined: Vec<usize>,
    /// Where players go whose server throws them out or is lost.
    fallback: Vec<usize>,
    /// What the list shows unless a server says otherwise.
    usual: Table,
    /// What the list shows.
    pub status: Table,
}

/// The servers that a host leads to.
#[derive(Clone, Copy)]
pub(super) struct Lead<'e, 'a> {
    pub host: &'e str,
    /// The key that names them.
    pub entry: &'e Entry<'a>,
    /// The key that names those who are tried behind them, and to which players fall back; otherwise `entry` does.
    pub then: Option<&'e Entry<'a>>,
}

impl<'a> Network<'a> {
    /// Reads the servers: their names, the keys with their addresses, and whether players need a permission.
    pub(super) fn read(draft: &mut Draft, servers: Vec<(&'a str, Entry<'a>, bool)>) -> Self {
        let mut network = Self { servers: Vec::new(), places: HashMap::new(), ways: Vec::new() };
        for (name, entry, is_restricted) in servers {
            let mut address = draft.text(&entry).and_then(|text| draft.address(&entry, text));
            if name.trim().is_empty() {
                address = None;
                draft.leave(&entry, "a server needs a name");
            }
            network.places.insert(name.to_ascii_lowercase(), network.servers.len());
            network.servers.push(Server { name, entry, address, is_restricted });
        }
        network
    }

    /// The servers with an address that are named at `entry`, each once; others are noted.
    fn named(&self, draft: &mut Draft, entry: &Entry<'a>) -> Vec<usize> {
        let mut named = Vec::new();
        for name in draft.texts(entry) {
            match self.places.get(&name.to_ascii_lowercase()) {
                None => draft.leave(entry, &format!("there is no server {name:?}")),
                Some(place) if self.servers[*place].address.is_some() && !named.contains(place) => {
                    named.push(*place);
                }
                Some(_) => {}
            }
        }
        named
    }

    /// Leads a host to servers, unless another route has it; gives the way that it leads by.
    pub(super) fn lead(&mut self, draft: &mut Draft, lead: Lead<'_, 'a>, usual: &Table) -> Option<&mut Way> {
        let Lead { host, entry, then } = lead;
        let mut joined = self.named(draft, entry);
        let fallback = match then {
            Some(then) => self.named(draft, then),
            None => joined.clone(),
        };
        let behind: Vec<_> = fallback.iter().filter(|place| !joined.contains(place)).copied().collect();
        joined.extend(behind);
        let is_it = |way: &Way| (&way.joined, &way.fallback, &way.usual) == (&joined, &fallback, usual);
        let place = self.ways.iter().position(is_it);
        let name = match place {
            Some(place) => self.ways[place].name.clone(),
            None => self.name(draft, &joined, host),
        };
        let host = draft.host(entry, host, &name)?;
        draft.keep(entry, "routes.discovery.targets");
        let place = place.unwrap_or_else(|| {
            let name = draft.name(&name);
            let (usual, status) = (usual.clone(), usual.clone());
            self.ways.push(Way { name, hosts: Vec::new(), joined, fallback, usual, status });
            self.ways.len() - 1
        });
        self.ways[place].hosts.push(host);
        Some(&mut self.ways[place])
    }

    /// A name for the route of a host: its first server's, which players know and which doesn't show twice where they ask for all.
    fn name(&self, draft: &Draft, joined: &[usize], host: &str) -> String {
        let server = joined.first().map(|place| self.servers[*place].name);
        let server = server.filter(|name| draft.is_free(name));
        server.unwrap_or(if host == "*" { "default" } else { host }).to_owned()
    }

    /// Writes the routes into a file of the routes' folder, and notes what became of the servers.
    pub(super) fn finish(self, draft: &mut Draft, file: &str, carrying: &Carrying) {
        for way in &self.ways {
            let mut route = carrying.route(&way.name);
            route.hosts(way.hosts.clone());
            route.targets(self.targets(way));
            *route.table("status") = way.status.clone();
            carrying.write(&mut route);
            let fallback: Vec<_> = way.fallback.iter().map(|place| self.servers[*place].name).collect();
            if !fallback.is_empty() {
                route.table("session").set("fallback", fallback);
            }
            if let Some(action) = self.joining(way) {
                route.action(action);
            }
            draft.push(file, route);
        }
        for (place, server) in self.servers.iter().enumerate().filter(|(_, server)| server.address.is_some())
        {
            let is_named = self.ways.iter().any(|way| way.joined.contains(&place));
            if server.is_restricted && !is_named {
                draft.leave(
                    &server.entry,
                    "players got there by a permission, and there are none: give it a route of its own, with player_allow_filter",
                );
            } else if self.ways.iter().any(|way| !way.joined.is_empty()) {
                draft.keep(&server.entry, "routes.discovery.targets");
            } else {
                draft.leave(&server.entry, "no route is written that could lead there");
            }
        }
    }

    /// The targets of a route: those that players join, and all others for `/server`.
    fn targets(&self, way: &Way) -> Vec<Target> {
        let others = (0..self.servers.len()).filter(|place| self.is_switched_to(way, *place));
        let places = way.joined.iter().copied().chain(others);
        let target = |place: usize| {
            let Server { name, address, .. } = &self.servers[place];
            Some(Target { identifier: Some((*name).to_owned()), address: address.clone()?, weight: None })
        };
        places.filter_map(target).collect()
    }

    /// Whether players get to a server by `/server` alone.
    fn is_switched_to(&self, way: &Way, place: usize) -> bool {
        let server = &self.servers[place];
        let is_open = server.address.is_some() && !server.is_restricted;
        is_open && !way.joined.is_empty() && !way.joined.contains(&place)
    }

    /// What keeps those who join from servers that are for `/server` alone.
    fn joining(&self, way: &Way) -> Option<Table> {
        (0..self.servers.len()).find(|place| self.is_switched_to(way, *place))?;
        let joined: Vec<_> = way.joined.iter().map(|place| self.servers[*place].name).collect();
        let mut action = Table::default();
        action.remark("Who joins comes to these, in this order. The others are for /server.");
        action.set("type", "meta_filter");
        action.set("rules", json!([{ "field": "identifier", "op": "in", "value": joined }]));
        Some(action)
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
