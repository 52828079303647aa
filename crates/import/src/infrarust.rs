//! Infrarust: `infrarust.toml`, with a file for each server in its `servers_dir`.

mod server;

use super::draft::Draft;
use super::route::Route;
use super::session::{self, kind};
use super::source::{Document, Entry};
use super::text::Table;
use super::time::Unit;
use serde_json::json;
use std::collections::HashSet;

/// What routes with sessions have in common.
#[derive(Debug, Clone, Copy)]
struct Shared<'a> {
    /// How servers are told who a player is that don't say it themselves.
    forwarding: &'static str,
    /// The file with the secret.
    secret: &'a str,
    /// Whether there are servers between which players couldn't go.
    is_divided: bool,
}

impl<'a> Shared<'a> {
    fn of(documents: &'a [Document]) -> Self {
        let roots = || documents.iter().map(Document::root);
        let main = roots().find(|root| !is_server(root));
        let text = |keys: &str| main.as_ref()?.get(keys)?.value.as_str();
        let sessions: Vec<_> = roots().filter(|root| is_server(root) && server::is_session(root)).collect();
        let networks: HashSet<_> = sessions.iter().map(network).collect();
        Self {
            forwarding: text("forwarding.mode").and_then(kind).unwrap_or("none"),
            secret: text("forwarding.secret_file").unwrap_or("forwarding.secret"),
            is_divided: networks.len() > 1 || (networks.contains(&None) && sessions.len() > 1),
        }
    }
}

/// The servers between which players go; none goes to or from one without.
fn network<'a>(server: &Entry<'a>) -> Option<&'a str> {
    server.get("network")?.value.as_str()
}

/// Reads the documents: the main file, where there is one, and servers'.
pub(super) fn read(documents: &[Document], draft: &mut Draft) {
    let shared = Shared::of(documents);
    for document in documents.iter().filter(|document| is_server(&document.root())) {
        server::read(document, shared, draft);
    }
    for root in documents.iter().map(Document::root).filter(|root| !is_server(root)) {
        read_main(&root, draft);
    }
}

/// Whether a document is of one server.
pub(super) fn is_server(root: &Entry<'_>) -> bool {
    root.get("addresses").is_some() || root.get("domains").is_some()
}

fn read_main(root: &Entry<'_>, draft: &mut Draft) {
    if let Some(entry) = root.get("bind") {
        draft.bind(&entry);
    }
    for (from, to) in [("worker_threads", None), ("max_connections", Some("limits"))] {
        if let Some(entry) = root.get(from)
            && let Some(count) = draft.count(&entry)
        {
            read_number(&entry, count, to, draft);
        }
    }
    if let Some(entry) = root.get("connect_timeout") {
        draft.connect(&entry, Unit::Seconds);
    }
    read_forwarding(root, draft);
    if let Some(entry) = root.get("servers_dir") {
        draft.keep(&entry, "routes_dir");
    }
    if let Some(entry) = root.get("receive_proxy_protocol")
        && let Some(on) = draft.flag(&entry)
    {
        draft.trust_everybody(&entry, on);
    }
    read_unknown(root, draft);
    read_rates(root, draft);
    if let Some(filter) = root.get("ip_filter") {
        let mut access = Table::default();
        server::read_filter(&filter, &mut access, "access", draft);
        if !access.is_empty() {
            *draft.main.table("access") = access;
        }
    }
    if let Some(entry) = root.get("status_cache.ttl")
        && let Some(duration) = draft.duration(&entry, Unit::Seconds)
    {
        draft.carried(|route| {
            let status = route.table("status");
            status.set("type", "relay");
            status.set("cache", duration.as_str());
        });
        draft.keep(&entry, "routes.status.cache");
    }
    if let Some(telemetry) = root.get("telemetry") {
        read_telemetry(&telemetry, draft);
    }
    read_rest(root, draft);
}

/// Notes what became of the forwarding that servers have in common.
fn read_forwarding(root: &Entry<'_>, draft: &mut Draft) {
    let (mut is_carried, mut secret) = (false, None);
    draft.sessions(|route| {
        is_carried = true;
        secret = route.secret().or(secret);
    });
    if let Some(entry) = root.get("forwarding.mode")
        && let Some(text) = draft.text(&entry)
    {
        match kind(text) {
            Some(_) if secret == Some(false) => draft.change(&entry, session::NOT_YET),
            Some(_) if is_carried => draft.keep(&entry, "routes.session.forwarding"),
            Some(_) => draft.leave(&entry, "no route has sessions"),
            None => draft.leave(&entry, session::UNKNOWN_KIND),
        }
    }
    if let Some(entry) = root.get("forwarding.secret_file")
        && draft.text(&entry).is_some()
    {
        match secret {
            Some(true) => draft.keep(&entry, session::SECRET_FILE),
            Some(false) => draft.change(&entry, session::NO_FILE),
            None => draft.leave(&entry, session::NO_SECRET),
        }
    }
}

fn read_number(entry: &Entry<'_>, count: u64, table: Option<&'static str>, draft: &mut Draft) {
    match table {
        Some(table) => {
            if count > 0 {
                draft.main.table(table).set("connections", count);
            }
            draft.change(entry, "limits.connections; who comes beyond it is closed rather than left waiting");
        }
        None if count > u64::from(u16::MAX) => draft.leave(entry, "are more threads than can be named"),
        None => {
            if count > 0 {
                draft.main.set("threads", count);
            }
            draft.keep(entry, "threads");
        }
    }
}

/// What is shown to those whose host no server has: a default route without target does it, since the edge has no text for it.
fn read_unknown(root: &Entry<'_>, draft: &mut Draft) {
    if let Some(entry) = root.get("unknown_domain_behavior") {
        match draft.text(&entry) {
            Some("drop") => {
                draft.main.table("unknown_host").set("action", "drop");
                draft.keep(&entry, "unknown_host.action");
            }
            Some(_) => draft.keep(&entry, "unknown_host.action"),
            None => {}
        }
    }
    let Some(online) = root.get("default_motd.online") else { return };
    let drops = root.get("unknown_domain_behavior").is_some_and(|entry| entry.value.as_str() == Some("drop"));
    if drops || draft.has_host("*") {
        return draft.leave(&online, "nobody sees it: no host is unknown, or such pings are dropped");
    }
    let name = draft.name("unknown");
    let Some(host) = draft.host(&online, "*", &name) else { return };
    let mut route = Route::new(&name, "transfer");
    route.keys().remark("What is shown to those whose host no other route has. Nobody gets in: it has no target and vouches for nobody.");
    route.hosts(vec![host]);
    route.table("status").set("type", "fixed");
    server::read_shown(&online, route.table("status"), draft);
    route.table("authentication").set("type", "fixed");
    draft.push("unknown.toml", route);
}

fn read_rates(root: &Entry<'_>, draft: &mut Draft) {
    let Some(rates) = root.get("rate_limit") else { return };
    if rates.get("enabled").is_none_or(|entry| entry.value.as_bool() != Some(true)) {
        return draft.leave(&rates, "it is off; Drawbridge always has rates: limits.status and limits.login");
    }
    if let Some(entry) = rates.get("enabled") {
        draft.keep(&entry, "limits.status and limits.login");
    }
    // Infrarust's own defaults stand for what is left out.
    for (limit, count, window, usual) in
        [("login", "max_connections", "window", 3), ("status", "status_max", "status_window", 300)]
    {
        let [count, window] = [count, window].map(|key| rates.get(key));
        let burst = count.as_ref().map_or(Some(usual), |entry| draft.count(entry)).filter(|&burst| burst > 0);
        let per =
            window.as_ref().map_or(Some("10s".to_owned()), |entry| draft.duration(entry, Unit::Seconds));
        if let Some((burst, per)) = burst.zip(per.filter(|per| per != "0s")) {
            draft.main.table("limits").set(limit, json!({ "burst": burst, "per": per }));
            for entry in [count, window].iter().flatten() {
                draft.keep(entry, &format!("limits.{limit}"));
            }
        }
    }
}

fn read_telemetry(telemetry: &Entry<'_>, draft: &mut Draft) {
    if telemetry.get("enabled").is_none_or(|entry| entry.value.as_bool() != Some(true)) {
        return draft.keep(telemetry, "off, as by default");
    }
    let mut otlp = serde_json::Map::new();
    // The exporter's own default.
    otlp.insert("endpoint".to_owned(), json!("http://localhost:4317"));
    for (from, to) in [("endpoint", "endpoint"), ("protocol", "protocol")] {
        if let Some(entry) = telemetry.get(from)
            && let Some(text) = draft.text(&entry)
        {
            let fits = if to == "protocol" {
                ["grpc", "http"].contains(&text)
            } else {
                reqwest::Url::parse(text).is_ok()
            };
            if fits {
                otlp.insert(to.to_owned(), json!(text));
                draft.keep(&entry, &format!("telemetry.otlp.{to}"));
            } else {
                draft.leave(&entry, "isn't understood here");
            }
        }
    }
    for (from, to) in [("metrics.enabled", "metrics"), ("traces.enabled", "traces")] {
        if let Some(entry) = telemetry.get(from)
            && let Some(on) = draft.flag(&entry)
        {
            otlp.insert(to.to_owned(), json!(on));
            draft.keep(&entry, &format!("telemetry.otlp.{to}"));
        }
    }
    if let Some(entry) = telemetry.get("metrics.export_interval")
        && let Some(duration) = draft.wait(&entry, Unit::Seconds)
    {
        otlp.insert("interval".to_owned(), json!(duration));
        draft.keep(&entry, "telemetry.otlp.interval");
    }
    if let Some(entry) = telemetry.get("traces.sampling_ratio") {
        match entry.value.as_f64().filter(|ratio| (0.0..=1.0).contains(ratio)) {
            Some(ratio) => {
                otlp.insert("sample".to_owned(), json!(ratio));
                draft.change(&entry, "telemetry.otlp.sample, which counts for logins too");
            }
            None => draft.leave(&entry, "needs a number from 0 to 1"),
        }
    }
    if let Some(entry) = telemetry.get("enabled") {
        draft.keep(&entry, "telemetry.otlp");
    }
    draft.leave_all(telemetry, &["resource"], "the edge names itself");
    draft.main.table("telemetry").set("otlp", otlp);
}

fn read_rest(root: &Entry<'_>, draft: &mut Draft) {
    draft.leave_all(root, &["connect_max_attempts"], "each target is tried, in order");
    draft.leave_all(root, &["active_health"], server::NO_CHECKS);
    draft.leave_all(root, &["so_reuseport"], "each thread listens by itself anyway");
    draft.leave_all(
        root,
        &["status_cache.max_entries"],
        "a route keeps one status for each class of versions",
    );
    draft.leave_all(root, &["keepalive"], "the system's own keepalive is used");
    draft.leave_all(root, &["ban"], "bans aren't imported: give them anew");
    draft.leave_all(
        root,
        &["default_motd"],
        "unknown hosts and unreachable targets have a text for each route: routes.status.states",
    );
    draft.leave_all(
        root,
        &["docker"],
        "routes come from Docker by labels of Drawbridge's own: [providers.docker] and drawbridge.hosts",
    );
    draft.leave_all(root, &["plugins_dir", "plugins", "wasm", "events"], "there are no plugins yet");
    draft.leave_all(root, &["web"], "there is no such API yet");
    draft.leave_all(root, &["announce_proxy_commands", "permissions"], session::RIGHTS);
    draft.leave_all(root, &["plugin_messaging", "forwarding.bungeecord_channel"], session::CHANNEL);
}
