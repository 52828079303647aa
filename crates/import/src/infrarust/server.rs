//! A server of Infrarust: one file, one route.

use super::super::draft::Draft;
use super::super::infrared::stem;
use super::super::route::{Route, Target};
use super::super::session::{self, Forwarding};
use super::super::source::{Document, Entry};
use super::super::text::Table;
use super::super::time::Unit;
use super::Shared;
use serde_json::{Value as Json, json};

/// What is said of checks in the background.
pub(super) const NO_CHECKS: &str = "targets are checked as routes.health says, which has to be written anew";

/// What is said of servers that are started when somebody comes.
const NO_LIFECYCLE: &str = "targets aren't started or stopped yet";

/// What stands above a route that no host led to.
const SWITCHED_TO: &str = "Players come here by /server. No host leads here, but a route has to have one: nothing has a name that ends in .invalid.";

/// What stands above a route of one network among several.
const UNDIVIDED: &str = "TODO for you: players get here by /server from all routes with sessions, which the network kept apart before. Whom it has to      keep out, an action of the route can: player_allow_filter.";

/// Reads a server's file.
pub(super) fn read(document: &Document, shared: Shared<'_>, draft: &mut Draft) {
    let root = document.root();
    let given = ["name", "id"].iter().find_map(|key| root.get(key)?.value.as_str().map(str::to_owned));
    let name = draft.name(given.as_deref().unwrap_or(stem(&document.name)));
    let domains = root.get("domains").filter(|entry| entry.value != &json!([]));
    let hosts = match &domains {
        Some(domains) => draft.hosts(domains, &name),
        None if is_session(&root) && super::network(&root).is_some() => {
            draft.own_host(&name).into_iter().collect()
        }
        None => return draft.leave(&root, "no host leads there, and no server of its network"),
    };
    if hosts.is_empty() {
        return draft.leave_route(&root);
    }
    let mut route = Route::new(&name, mode(&root, draft));
    if domains.is_none() {
        route.keys().remark(SWITCHED_TO);
    }
    route.hosts(hosts);
    read_session(&root, shared, &mut route, draft);
    for entry in ["name", "id"].iter().filter_map(|key| root.get(key)) {
        draft.keep(&entry, "routes.name");
    }
    read_addresses(&root, &mut route, draft);
    if let Some(filter) = root.get("ip_filter") {
        read_filter(&filter, route.table("access"), "routes.access", draft);
    }
    read_relaying(&root, &mut route, draft);
    if let Some(motd) = root.get("motd") {
        read_motd(&motd, &mut route, draft);
    }
    draft.leave_all(&root, &["server_manager"], NO_LIFECYCLE);
    draft.leave_all(
        &root,
        &["slow_start", "slow_start_aggression"],
        "a target that comes back takes its full part at once",
    );
    draft.leave_all(&root, &["active_health"], NO_CHECKS);
    draft.push(&format!("{}.toml", stem(&document.name)), route);
}

/// How players are carried, where that is by sessions.
fn read_session(root: &Entry<'_>, shared: Shared<'_>, route: &mut Route, draft: &mut Draft) {
    if !route.is_session() {
        let keys = ["network", "forwarding_mode", "limbo_handlers", "bungeecord_channel"];
        return draft.leave_all(root, &keys, "the route relays: players aren't spoken to");
    }
    if shared.is_divided {
        route.keys().remark(UNDIVIDED);
    }
    if let Some(entry) = root.get("network") {
        if shared.is_divided {
            draft.change(&entry, "players go between all routes with sessions, whatever their networks");
        } else {
            draft.keep(&entry, "players go between all routes with sessions");
        }
    }
    let mode = root.get("forwarding_mode");
    let mut forwarding = Forwarding::read(mode.as_ref(), shared.forwarding, draft);
    forwarding.find_secret(shared.secret, draft);
    mode.iter().for_each(|entry| forwarding.note(entry, draft));
    forwarding.write(route.table("session"));
    draft.leave_all(root, &["limbo_handlers"], "limbos have no plugins: see routes.session.limbo");
    draft.leave_all(root, &["bungeecord_channel"], session::CHANNEL);
}

/// Whether Infrarust speaks the protocol on this route.
pub(super) fn is_session(root: &Entry<'_>) -> bool {
    let mode = root.get("proxy_mode").and_then(|entry| entry.value.as_str());
    mode.is_some_and(|mode| ["client_only", "offline"].contains(&mode))
}

fn mode(root: &Entry<'_>, draft: &mut Draft) -> &'static str {
    let Some(entry) = root.get("proxy_mode") else { return "passthrough" };
    let mode = match draft.text(&entry) {
        Some("zero_copy") => "zero_copy",
        Some("server_only") => "server_only",
        Some("client_only") => "client_only",
        Some("offline") => "offline",
        Some("passthrough") => "passthrough",
        Some(_) => {
            draft.leave(&entry, "is no mode that is known here; passthrough is written");
            return "passthrough";
        }
        None => return "passthrough",
    };
    draft.keep(&entry, "routes.mode");
    mode
}

fn read_addresses(root: &Entry<'_>, route: &mut Route, draft: &mut Draft) {
    let balance = root.get("balance");
    let by = balance.as_ref().and_then(|entry| draft.text(entry)).unwrap_or("first_available");
    let mut targets = Vec::new();
    for item in root.get("addresses").iter().flat_map(Entry::items) {
        let (entry, weight) = match item.value {
            Json::Object(_) => (item.get("address"), item.get("weight")),
            _ => (Some(item.clone()), None),
        };
        let Some(entry) = entry else { continue };
        let address = draft.text(&entry).and_then(|text| draft.address(&entry, text));
        draft.keep(&entry, "routes.targets");
        let weight = weight.and_then(|entry| {
            let count = draft.count(&entry)?;
            match by {
                "round_robin" => draft.keep(&entry, "the weight in the target's meta"),
                "least_conn" => draft.leave(&entry, "weights don't count where the fewest connections do"),
                _ => draft.leave(&entry, "weights don't count where targets are tried in their order"),
            }
            Some(count).filter(|_| by == "round_robin")
        });
        targets.extend(address.map(|address| Target { identifier: None, address, weight }));
    }
    if route.is_session() {
        let count = targets.len();
        for (number, target) in targets.iter_mut().enumerate() {
            // What players type behind /server is the route's name, whichever of its targets it leads to.
            let name = route.name();
            target.identifier =
                Some(if count == 1 { name.to_owned() } else { format!("{name}-{}", number + 1) });
        }
    }
    let has_weights = targets.iter().any(|target| target.weight.is_some());
    route.targets(targets);
    let Some(entry) = balance else { return };
    match by {
        "round_robin" if has_weights => {
            route.balance("weighted");
            draft.change(&entry, "routes.actions, balance by weight, at random");
        }
        "round_robin" => {
            route.balance("round_robin");
            draft.keep(&entry, "routes.actions, balance");
        }
        "least_conn" => {
            route.balance("least_connections");
            draft.keep(&entry, "routes.actions, balance");
        }
        "first_available" => draft.keep(&entry, "targets are tried in their order"),
        _ => draft.leave(&entry, "is no strategy that is known here: targets are tried in their order"),
    }
}

/// The networks that may connect and those that may not.
pub(super) fn read_filter(filter: &Entry<'_>, access: &mut Table, to: &str, draft: &mut Draft) {
    for (from, key) in [("whitelist", "allow"), ("blacklist", "deny")] {
        if let Some(entry) = filter.get(from) {
            let networks = draft.networks(&entry);
            if !networks.is_empty() {
                access.set(key, networks);
                draft.keep(&entry, &format!("{to}.{key}"));
            }
        }
    }
}

fn read_relaying(root: &Entry<'_>, route: &mut Route, draft: &mut Draft) {
    draft.proxy_header(root, "send_proxy_protocol", route);
    if route.is_session() {
        draft.leave_all(root, &["domain_rewrite"], "targets of sessions read the host that the player typed");
    } else if let Some(entry) = root.get("domain_rewrite.explicit") {
        if let Some(host) = draft.text(&entry) {
            draft.relayed_host(&entry, host, route);
        }
    } else if let Some(entry) = root.get("domain_rewrite") {
        match draft.text(&entry) {
            Some("from_backend") => {
                route.host("target");
                draft.change(&entry, "routes.relay.host: that of the target in use rather than of the first");
            }
            Some(_) => draft.keep(&entry, "routes.relay.host"),
            None => {}
        }
    }
    if let Some(entry) = root.get("max_players")
        && let Some(count) = draft.count(&entry)
    {
        if count > 0 {
            route.keys().set("max_players", count);
        }
        draft.keep(&entry, "routes.max_players");
    }
    if let Some((entry, text)) = draft.words(root, "disconnect_message") {
        route.message("disconnect_unreachable", &text);
        let message = "routes.localization.messages.en_us.disconnect_unreachable";
        if route.is_session() {
            draft.change(&entry, &format!("{message}; players wait in limbo: see routes.session.limbo"));
        } else {
            draft.keep(&entry, message);
        }
    }
    if let Some(entry) = root.get("timeouts.connect")
        && let Some(duration) = draft.wait(&entry, Unit::Seconds)
    {
        route.connect(&duration);
        draft.keep(&entry, &format!("routes.{}.connect", route.carrying()));
    }
    let silence = if route.is_session() {
        session::SILENCE
    } else {
        "relays last as long as both sides: see routes.relay.idle"
    };
    draft.leave_all(root, &["timeouts.read", "timeouts.write"], silence);
}

/// What the list shows, by the server's state.
fn read_motd(motd: &Entry<'_>, route: &mut Route, draft: &mut Draft) {
    if let Some(online) = motd.get("online") {
        route.table("status").set("type", "relay");
        read_shown(&online, route.table("status"), draft);
    }
    for state in ["offline", "unreachable"] {
        let Some(shown) = motd.get(state) else { continue };
        draft.state_words(&shown, ["text", "version_name"], &[state], route);
        draft.leave_all(&shown, &["favicon", "max_players"], "a state has a name and a description alone");
    }
    draft.leave_all(motd, &["sleeping", "starting", "stopping", "crashed"], NO_LIFECYCLE);
}

/// What is shown in place of a target's own words.
pub(super) fn read_shown(shown: &Entry<'_>, status: &mut Table, draft: &mut Draft) {
    draft.status_words(shown, ["text", "version_name"], status);
    if let Some(entry) = shown.get("max_players")
        && let Some(count) = draft.count(&entry)
    {
        if status.get("type") == Some(&json!("relay")) {
            status.set("max", count);
            draft.keep(&entry, "routes.status.max");
        } else {
            status.set("players", json!({ "max": count }));
            draft.keep(&entry, "routes.status.players.max");
        }
    }
    if let Some(entry) = shown.get("favicon") {
        draft.favicon(&entry, status);
    }
}
