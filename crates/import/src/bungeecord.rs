//! BungeeCord and its kin: `config.yml`.

use super::draft::Draft;
use super::motd::from_ampersands;
use super::network::{Lead, Network, note_transfers, own_status};
use super::session::{self, Carrying, Forwarding, read_compression};
use super::source::Entry;
use super::text::Table;
use super::time::Unit;
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};

const FILE: &str = "bungeecord.toml";

/// How many connections of one address it takes at once when it isn't told.
const USUAL_BURST: u64 = 3;

/// Where it listens when it isn't told.
const LISTENS: (Ipv4Addr, u16) = (Ipv4Addr::UNSPECIFIED, 25577);

/// Reads a `config.yml`.
pub(super) fn read(root: &Entry<'_>, draft: &mut Draft) {
    let servers = root.get("servers").map(|servers| servers.fields()).unwrap_or_default();
    let is_restricted = |server: &Entry<'_>| {
        server.get("restricted").is_some_and(|entry| entry.value.as_bool() == Some(true))
    };
    let addresses = servers
        .iter()
        .filter_map(|(name, server)| Some((*name, server.get("address")?, is_restricted(server))));
    let mut network = Network::read(draft, addresses.collect());
    for listener in root.get("listeners").iter().flat_map(Entry::items) {
        read_listener(root, &listener, &mut network, draft);
    }
    let carrying = carrying(root, draft);
    network.finish(draft, FILE, &carrying);
    for (_, server) in &servers {
        read_server(server, draft);
    }
    read_limits(root, draft);
    read_rest(root, draft);
}

/// Who authenticates, and how servers are told who a player is.
fn carrying(root: &Entry<'_>, draft: &mut Draft) -> Carrying {
    let mut forwarding = Forwarding::default();
    if let Some(entry) = root.get("ip_forward")
        && let Some(on) = draft.flag(&entry)
    {
        forwarding = if on { Forwarding::BUNGEECORD } else { forwarding };
        draft.keep(&entry, "routes.session.forwarding");
    }
    let mut carrying = Carrying::read(root.get("online_mode").as_ref(), forwarding, draft);
    if let Some(entry) = root.get("prevent_proxy_connections") {
        carrying.check_address(&entry, draft);
    }
    carrying
}

fn read_listener<'a>(root: &Entry<'a>, listener: &Entry<'a>, network: &mut Network<'a>, draft: &mut Draft) {
    match listener.get("host") {
        Some(entry) => draft.bind(&entry),
        None => draft.add_bind(SocketAddr::from(LISTENS)),
    }
    if let Some(entry) = listener.get("proxy_protocol")
        && let Some(on) = draft.flag(&entry)
    {
        draft.trust_everybody(&entry, on);
    }
    let mut leads = false;
    let passes = passthrough(root, listener, draft);
    let status = if passes { passed_status(root, draft) } else { listener_status(listener, draft) };
    let priorities = listener.get("priorities");
    for (host, entry) in listener.get("forced_hosts").iter().flat_map(Entry::fields) {
        let lead = Lead { host, entry: &entry, then: priorities.as_ref() };
        if let Some(way) = network.lead(draft, lead, &status) {
            leads = true;
            if !passes {
                server_status(root, &entry, &mut way.status, draft);
            }
        }
    }
    if let Some(entry) = &priorities
        && network.lead(draft, Lead { host: "*", entry, then: None }, &status).is_some()
    {
        leads = true;
        draft.change(entry, "routes.session.fallback, where players go whose server throws them out, too");
    }
    if !leads {
        for entry in ["motd", "max_players"].iter().filter_map(|key| listener.get(key)) {
            draft.change(&entry, "no route of this listener is written");
        }
    }
    if let Some(entry) = listener.get("force_default_server") {
        let always = entry.value.as_bool() == Some(true);
        let note = if always {
            "players always begin with their route's first target"
        } else {
            "players don't come back to where they were: they begin with their route's first target"
        };
        if always { draft.keep(&entry, note) } else { draft.change(&entry, note) }
    }
    draft.leave_all(listener, &["query_enabled", "query_port"], "the query protocol isn't answered");
    draft.leave_all(listener, &["bind_local_address"], "the system chooses the address that targets see");
    draft.leave_all(
        listener,
        &["tab_list", "tab_size"],
        "players see the tab list of the target that they are on",
    );
}

/// Whether the list shows the servers' own status.
fn passthrough(root: &Entry<'_>, listener: &Entry<'_>, draft: &mut Draft) -> bool {
    let entry = listener.get("ping_passthrough");
    let passes = entry.as_ref().and_then(|entry| draft.flag(entry)).unwrap_or(false);
    if let Some(entry) = &entry {
        let shown = if passes {
            "routes.status, which is the target's own by default"
        } else {
            "routes.status.type = \"fixed\""
        };
        draft.keep(entry, shown);
    }
    if passes {
        for entry in ["motd", "max_players"].iter().filter_map(|key| listener.get(key)) {
            draft.change(&entry, "the target's own status is shown");
        }
    } else {
        draft.leave_all(
            root,
            &["remote_ping_cache", "remote_ping_timeout"],
            "targets aren't asked for their status",
        );
    }
    passes
}

/// How the servers' own status is asked for.
fn passed_status(root: &Entry<'_>, draft: &mut Draft) -> Table {
    let mut status = Table::default();
    for (from, to) in [("remote_ping_cache", "cache"), ("remote_ping_timeout", "timeout")] {
        let Some(entry) = root.get(from) else { continue };
        // What is negative is off.
        let off = (to == "cache" && entry.value.as_i64().is_some_and(|milliseconds| milliseconds <= 0))
            .then(|| "0s".to_owned());
        if let Some(duration) = off.or_else(|| draft.wait(&entry, Unit::Milliseconds)) {
            status.set("type", "relay");
            status.set(to, duration);
            draft.keep(&entry, &format!("routes.status.{to}"));
        }
    }
    status
}

fn listener_status(listener: &Entry<'_>, draft: &mut Draft) -> Table {
    let description = listener.get("motd").and_then(|entry| description(&entry, draft));
    let most = listener.get("max_players").and_then(|entry| {
        let most = draft.count(&entry)?;
        draft.keep(&entry, "routes.status.players.max");
        Some(most)
    });
    own_status(description, most)
}

/// A host that leads to a server shows the server's text.
fn server_status(root: &Entry<'_>, host: &Entry<'_>, status: &mut Table, draft: &mut Draft) {
    let name = host.value.as_str().unwrap_or_default();
    let servers = root.get("servers").map(|servers| servers.fields()).unwrap_or_default();
    let server = servers.into_iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    let motd = server.and_then(|(_, server)| server.get("motd"));
    if let Some(description) = motd.and_then(|entry| description(&entry, draft)) {
        status.set("description", description);
    }
}

fn description(entry: &Entry<'_>, draft: &mut Draft) -> Option<String> {
    let text = draft.text(entry)?;
    let text = draft.component(entry, &from_ampersands(text))?;
    draft.keep(entry, "routes.status.description");
    Some(text)
}

fn read_server(server: &Entry<'_>, draft: &mut Draft) {
    if let Some(entry) = server.get("motd")
        && !draft.report.knows(&entry)
    {
        draft.leave(&entry, "no host of its own leads there");
    }
    if let Some(entry) = server.get("restricted") {
        match entry.value.as_bool() {
            Some(true) => {
                draft.leave(&entry, "there are no permissions: whom it has to keep out, player_allow_filter can, on a route of its own");
            }
            _ => draft.keep(&entry, "everybody may join, as by default"),
        }
    }
}

fn read_limits(root: &Entry<'_>, draft: &mut Draft) {
    let [throttle, most] = ["connection_throttle", "connection_throttle_limit"].map(|key| root.get(key));
    if let Some(entry) = throttle {
        if entry.value.as_f64().is_some_and(|milliseconds| milliseconds < 1.0) {
            draft.leave(&entry, "logins always have a rate: limits.login");
        } else if let Some(duration) = draft.duration(&entry, Unit::Milliseconds) {
            let burst = most.as_ref().and_then(|entry| draft.count(entry)).unwrap_or(USUAL_BURST).max(1);
            draft.main.table("limits").set("login", json!({ "burst": burst, "per": duration }));
            for entry in std::iter::once(&entry).chain(&most) {
                draft.keep(entry, "limits.login");
            }
        }
    }
    if let Some(entry) = root.get("server_connect_timeout") {
        draft.connect(&entry, Unit::Milliseconds);
    }
    if let Some(entry) = root.get("network_compression_threshold") {
        read_compression(&entry, draft);
    }
    if let Some(entry) = root.get("player_limit") {
        match entry.value.as_i64() {
            Some(limit) if limit > 0 => {
                draft.leave(&entry, "players are counted by route: routes.max_players");
            }
            _ => draft.keep(&entry, "no limit, as by default"),
        }
    }
}

fn read_rest(root: &Entry<'_>, draft: &mut Draft) {
    if let Some(entry) = root.get("forge_support")
        && let Some(on) = draft.flag(&entry)
    {
        let note = "clients with Forge are let through, as by default";
        if on { draft.keep(&entry, note) } else { draft.change(&entry, note) }
    }
    draft.leave_all(root, &["enforce_secure_profile"], session::CHAT_KEYS);
    draft.leave_all(
        root,
        &["inject_commands", "disabled_commands", "groups", "permissions"],
        session::RIGHTS,
    );
    let bounds = ["max_packets_per_second", "max_packets_data_per_second", "disable_modern_tab_limiter"];
    draft.leave_all(root, &bounds, session::BOUNDS);
    draft.leave_all(
        root,
        &["disable_tab_list_rewrite"],
        "players see the tab list of the target that they are on",
    );
    draft.leave_all(root, &["timeout"], session::SILENCE);
    draft.leave_all(
        root,
        &["log_pings", "log_initial_handler_connections", "log_commands"],
        "telemetry.log says what is logged: debug shows every ping",
    );
    draft.leave_all(root, &["stats"], "nothing is sent to BungeeCord's statistics");
    if let Some(entry) = root.get("reject_transfers") {
        note_transfers(&entry, entry.value.as_bool() == Some(false), draft);
    }
}
