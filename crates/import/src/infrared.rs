//! Infrared: `config.yml` with `proxies/*.yml`, and the JSON files of its first version, one a proxy.

use super::draft::Draft;
use super::route::Route;
use super::source::{Document, Entry};
use super::text::Table;
use super::time::Unit;
use serde_json::json;

/// What is said of servers that are started when somebody comes.
const NO_LIFECYCLE: &str = "targets aren't started or stopped yet";

/// Reads the documents: a main one, and others with a proxy each.
pub(super) fn read(documents: &[Document], draft: &mut Draft) {
    for document in documents {
        let root = document.root();
        if root.get("domainName").is_some() || root.get("proxyTo").is_some() {
            read_first_version(document, &root, draft);
        } else if root.get("domains").is_some() || root.get("addresses").is_some() {
            read_proxy(document, &root, draft);
        }
    }
    // The main document's durations are for all proxies.
    for root in documents.iter().map(Document::root) {
        if is_main(&root) {
            read_main(&root, draft);
        }
    }
}

/// Whether a document is no proxy's.
fn is_main(root: &Entry<'_>) -> bool {
    ["domainName", "proxyTo", "domains", "addresses"].iter().all(|key| root.get(key).is_none())
}

fn read_main(root: &Entry<'_>, draft: &mut Draft) {
    if let Some(entry) = root.get("bind") {
        draft.bind(&entry);
    }
    let trusted =
        ["trustedCIDRs", "trustedProxies"].iter().find_map(|key| root.get(&format!("proxyProtocol.{key}")));
    if let Some(entry) = root.get("proxyProtocol.receive")
        && let Some(on) = draft.flag(&entry)
    {
        match &trusted {
            Some(networks) if on => {
                let texts = draft.networks(networks);
                draft.main.table("proxy_protocol").set("trusted", texts);
                draft.keep(networks, "proxy_protocol.trusted");
                draft.keep(&entry, "proxy_protocol.trusted");
            }
            // Nobody is trusted where no network is.
            None if on => draft.change(&entry, "nobody may send a PROXY header, as no network is trusted"),
            _ => draft.keep(&entry, "nobody may send a PROXY header, as by default"),
        }
    }
    if let Some(networks) = trusted
        && !draft.report.knows(&networks)
    {
        draft.leave(&networks, "no PROXY header is received");
    }
    if let Some(entry) = root.get("keepAliveTimeout")
        && let Some(duration) = draft.duration(&entry, Unit::Seconds)
    {
        draft.carried(|route| route.table("relay").set("idle", duration.as_str()));
        draft.keep(&entry, "routes.relay.idle");
    }
    if let Some(limiter) = root.get("filters.rateLimiter") {
        read_limiter(&limiter, draft);
    }
}

fn read_limiter(limiter: &Entry<'_>, draft: &mut Draft) {
    let [limit, window] = ["requestLimit", "windowLength"].map(|key| limiter.get(key));
    let burst = limit.as_ref().and_then(|entry| draft.count(entry)).filter(|&burst| burst > 0);
    let per =
        window.as_ref().and_then(|entry| draft.duration(entry, Unit::Seconds)).filter(|per| per != "0s");
    let Some((burst, per)) = burst.zip(per) else {
        return draft.leave(limiter, "needs a requestLimit and a windowLength");
    };
    let table = draft.main.table("limits");
    for key in ["status", "login", "transfer"] {
        table.set(key, json!({ "burst": burst, "per": per }));
    }
    for entry in [limit, window].iter().flatten() {
        draft.change(entry, "limits.status, limits.login and limits.transfer, which count separately");
    }
}

fn read_proxy(document: &Document, root: &Entry<'_>, draft: &mut Draft) {
    let name = draft.name(stem(&document.name));
    let mut route = Route::new(&name, "passthrough");
    let hosts = root.get("domains").map(|entry| draft.hosts(&entry, &name)).unwrap_or_default();
    if hosts.is_empty() {
        return draft.leave_route(root);
    }
    route.hosts(hosts);
    route.targets(root.get("addresses").map(|entry| draft.targets(&entry)).unwrap_or_default());
    draft.proxy_header(root, "sendProxyProtocol", &mut route);
    draft.push(&format!("{}.toml", stem(&document.name)), route);
}

fn read_first_version(document: &Document, root: &Entry<'_>, draft: &mut Draft) {
    let name = draft.name(stem(&document.name));
    let mut route = Route::new(&name, "passthrough");
    if let Some(entry) = root.get("listenTo") {
        draft.bind(&entry);
    }
    let hosts = root.get("domainName").map(|entry| draft.hosts(&entry, &name)).unwrap_or_default();
    if hosts.is_empty() {
        return draft.leave_route(root);
    }
    route.hosts(hosts);
    route.targets(root.get("proxyTo").map(|entry| draft.targets(&entry)).unwrap_or_default());
    if let Some(entry) = root.get("timeout")
        && let Some(duration) = draft.wait(&entry, Unit::Milliseconds)
    {
        route.connect(&duration);
        draft.keep(&entry, "routes.relay.connect");
    }
    draft.proxy_header(root, "proxyProtocol", &mut route);
    if let Some(entry) = root.get("spoofForcedHost")
        && let Some(host) = draft.text(&entry)
    {
        if host.is_empty() {
            draft.keep(&entry, "routes.relay.host");
        } else {
            draft.relayed_host(&entry, host, &mut route);
        }
    }
    read_texts(root, &mut route, draft);
    draft.leave_all(root, &["proxyBind"], "the system chooses the address that targets see");
    draft.leave_all(
        root,
        &["realIp"],
        "TCPShield's RealIP isn't spoken to targets: use routes.relay.proxy_protocol",
    );
    draft.leave_all(root, &["docker"], NO_LIFECYCLE);
    draft.leave_all(root, &["callbackServer"], "nobody is called back: see the metrics and the log");
    draft.push(&format!("{}.toml", stem(&document.name)), route);
}

/// What players read and the list shows.
fn read_texts(root: &Entry<'_>, route: &mut Route, draft: &mut Draft) {
    if let Some(entry) = root.get("disconnectMessage")
        && let Some(text) = draft.text(&entry)
    {
        let text = text.replace("$username", "{name}").replace("$domain", "{host}");
        if let Some(text) = draft.component(&entry, &text) {
            route.message("disconnect_unreachable", &text);
            draft.keep(&entry, "routes.localization.messages.en_us.disconnect_unreachable");
            let other = ["$remoteAddress", "$localAddress", "$proxyTo", "$listenTo", "$now"];
            if other.iter().any(|name| text.contains(name)) {
                draft.change(&entry, "of its placeholders {name} and {host} alone are known");
            }
        }
    }
    if let Some(status) = root.get("onlineStatus") {
        let table = route.table("status");
        table.set("type", "relay");
        read_online_status(&status, table, draft);
    }
    if let Some(status) = root.get("offlineStatus") {
        draft.state_words(&status, ["motd", "versionName"], &["offline", "unreachable"], route);
        draft.leave_rest(&status, "a state has a name and a description alone");
    }
}

/// What is shown in place of the target's own words.
fn read_online_status(status: &Entry<'_>, table: &mut Table, draft: &mut Draft) {
    draft.status_words(status, ["motd", "versionName"], table);
    if let Some(entry) = status.get("iconPath") {
        draft.favicon(&entry, table);
    }
    if let Some(entry) = status.get("maxPlayers")
        && let Some(count) = draft.count(&entry)
    {
        table.set("max", count);
        draft.keep(&entry, "routes.status.max");
    }
    draft.leave_all(status, &["protocolNumber"], "the target's own number is shown");
    draft.leave_all(status, &["playersOnline", "playerSamples"], "the target's own players are shown");
}

/// A file's name without folder and extension.
pub(super) fn stem(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
