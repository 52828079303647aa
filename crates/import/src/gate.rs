//! Gate and Gate Lite: `config.yml`. Lite relays; what Gate does otherwise becomes sessions.

use super::draft::Draft;
use super::network::{Lead, Network, note_transfers, own_status};
use super::route::Route;
use super::session::{self, Carrying, Forwarding, note_failover, read_compression};
use super::source::Entry;
use super::text::Table;
use super::time::{self, Unit};
use serde_json::json;

const FILE: &str = "gate.toml";

/// The longest host that can be one, in bytes.
const LONGEST: usize = 512;

/// The largest burst that means anything.
const MOST_AT_ONCE: f64 = 1e6;

/// The most patterns that hosts behind them are compared with.
const MOST_GLOBS: usize = 200;

/// Reads the configuration of Gate Lite.
pub(super) fn read_lite(root: &Entry<'_>, draft: &mut Draft) {
    let Some(config) = root.get("config") else { return };
    let mut globs: Vec<String> = Vec::new();
    for route in config.get("lite.routes").iter().flat_map(Entry::items) {
        read_route(&route, &mut globs, draft);
    }
    if let Some(entry) = config.get("lite.enabled") {
        draft.keep(&entry, "routes.mode = \"passthrough\"");
    }
    draft.leave_all(&config, &["readTimeout"], "relays last as long as both sides: see routes.relay.idle");
    read_common(root, &config, draft);
    for (_, entry) in config.fields().into_iter().filter(|(key, _)| *key != "lite") {
        draft.leave_rest(&entry, "has no effect in Lite mode");
    }
}

/// Reads the configuration of Gate.
pub(super) fn read(root: &Entry<'_>, draft: &mut Draft) {
    let Some(config) = root.get("config") else { return };
    let status = status(&config, draft);
    let carrying = carrying(&config, draft);
    let servers = config.get("servers").map(|servers| servers.fields()).unwrap_or_default();
    let servers = servers.into_iter().map(|(name, entry)| (name, entry, false)).collect();
    let mut network = Network::read(draft, servers);
    for (host, entry) in config.get("forcedHosts").iter().flat_map(Entry::fields) {
        network.lead(draft, Lead { host, entry: &entry, then: None }, &status);
    }
    if let Some(entry) = &config.get("try") {
        network.lead(draft, Lead { host: "*", entry, then: None }, &status);
    }
    network.finish(draft, FILE, &carrying);
    read_sessions(&config, draft);
    read_common(root, &config, draft);
    draft.leave_all(&config, &["lite"], "Lite mode is off");
    draft.leave_all(&config, &["query"], "the query protocol isn't answered");
    draft.leave_all(&config, &["health"], "health is served over HTTP: metrics.bind");
    if let Some(entry) = config.get("acceptTransfers") {
        let accepts = entry.value.as_bool() == Some(true);
        note_transfers(&entry, accepts, draft);
    }
    draft.leave_all(&config, &["bedrock"], "clients of Bedrock Edition aren't served");
}

/// Who authenticates, and how servers are told who a player is.
fn carrying(config: &Entry<'_>, draft: &mut Draft) -> Carrying {
    let mode = config.get("forwarding.mode");
    let forwarding = Forwarding::read(mode.as_ref(), "bungeecord", draft);
    mode.iter().for_each(|entry| forwarding.note(entry, draft));
    for (key, kind) in
        [("forwarding.velocitySecret", "velocity"), ("forwarding.bungeeGuardSecret", "bungeeguard")]
    {
        if let Some(entry) = config.get(key) {
            forwarding.inline_secret(&entry, &[kind], draft);
        }
    }
    let mut carrying = Carrying::read(config.get("onlineMode").as_ref(), forwarding, draft);
    if let Some(entry) = config.get("shouldPreventClientProxyConnections") {
        carrying.check_address(&entry, draft);
    }
    if let Some(entry) = config.get("auth.sessionServerUrl") {
        carrying.session_server(&entry, draft);
    }
    carrying
}

/// How players are carried.
fn read_sessions(config: &Entry<'_>, draft: &mut Draft) {
    if let Some(entry) = config.get("compression.threshold") {
        read_compression(&entry, draft);
    }
    if let Some(entry) = config.get("failoverOnUnexpectedServerDisconnect") {
        note_failover(&entry, draft);
    }
    if let Some((entry, text)) = draft.words(config, "shutdownReason") {
        draft.sessions(|route| route.message("disconnect_shutdown", &text));
        draft.keep(&entry, "routes.localization.messages.en_us.disconnect_shutdown");
    }
    if let Some(entry) = config.get("proxyProtocolBackend")
        && let Some(on) = draft.flag(&entry)
    {
        if on {
            draft.sessions(|route| route.proxy_protocol("v2"));
        }
        draft.keep(&entry, "routes.session.proxy_protocol");
    }
    draft.leave_all(config, &["compression.level"], session::LEVEL);
    draft.leave_all(config, &["readTimeout"], session::SILENCE);
    draft.leave_all(config, &["forceKeyAuthentication"], session::CHAT_KEYS);
    draft.leave_all(config, &["onlineModeKickExistingPlayers"], session::TWICE);
    draft.leave_all(config, &["bungeePluginChannelEnabled"], session::CHANNEL);
    draft.leave_all(config, &["packetLimiter"], session::BOUNDS);
    let commands = ["builtinCommands", "requireBuiltinCommandPermissions", "announceProxyCommands"];
    draft.leave_all(config, &commands, session::RIGHTS);
}

fn read_route(route: &Entry<'_>, globs: &mut Vec<String>, draft: &mut Draft) {
    let Some(hosts) = route.get("host") else { return };
    let written = draft.texts(&hosts);
    let name = draft.name(written.first().copied().unwrap_or("lite"));
    let mut relay = Route::new(&name, "passthrough");
    let mut taken = Vec::new();
    for host in written {
        let earlier =
            globs.iter().find(|glob| *glob != "*" && host.len() <= LONGEST && covers(glob, host)).cloned();
        if let Some(glob) = earlier {
            draft.change(&hosts, &format!("{host:?} goes before {glob:?} here, wherever it stands"));
        }
        if globs.iter().any(|glob| glob == "*") {
            draft.change(&hosts, &format!("{host:?} was never reached behind \"*\"; here it is"));
        }
        if let Some(host) = draft.host(&hosts, host, &name) {
            if host == "*" || (host.contains(['*', '?']) && globs.len() < MOST_GLOBS) {
                globs.push(host.clone());
            }
            taken.push(host);
        }
    }
    if taken.is_empty() {
        return draft.leave_route(route);
    }
    draft.keep(&hosts, "routes.hosts");
    relay.hosts(taken);
    relay.targets(route.get("backend").map(|entry| draft.targets(&entry)).unwrap_or_default());
    read_relaying(route, &mut relay, draft);
    if let Some(fallback) = route.get("fallback") {
        read_fallback(&fallback, &mut relay, draft);
    }
    draft.push(FILE, relay);
}

/// How a route of Lite chooses and speaks to its backends.
fn read_relaying(route: &Entry<'_>, relay: &mut Route, draft: &mut Draft) {
    if let Some(entry) = route.get("strategy")
        && let Some(strategy) = draft.text(&entry)
    {
        let by = match strategy {
            "random" => Some("random"),
            "round-robin" => Some("round_robin"),
            "least-connections" => Some("least_connections"),
            _ => None,
        };
        match (by, strategy) {
            (Some(by), _) => {
                relay.balance(by);
                draft.keep(&entry, "routes.actions, balance");
            }
            (None, "sequential") => draft.keep(&entry, "targets are tried in their order"),
            (None, _) => draft.change(&entry, "targets are tried in their order"),
        }
    }
    draft.proxy_header(route, "proxyProtocol", relay);
    if let Some(entry) = route.get("modifyVirtualHost")
        && let Some(on) = draft.flag(&entry)
    {
        if on {
            relay.host("target");
        }
        draft.keep(&entry, "routes.relay.host");
    }
    for entry in ["tcpShieldRealIP", "realIP"].iter().filter_map(|key| route.get(key)) {
        draft.leave(&entry, "TCPShield's RealIP isn't spoken to targets: use routes.relay.proxy_protocol");
    }
    if let Some(entry) = route.get("cachePingTTL") {
        let is_off = entry.value.as_str().is_some_and(|text| text.starts_with('-'))
            || entry.value.as_f64().is_some_and(|number| number < 0.0);
        // A bare number counts nanoseconds in Go.
        let duration = if is_off {
            Some("0s".to_owned())
        } else {
            entry.value.as_str().and_then(time::parse).map(time::written)
        };
        match duration {
            Some(duration) => {
                relay.table("status").set("type", "relay");
                relay.table("status").set("cache", duration);
                draft.keep(&entry, "routes.status.cache");
            }
            None => draft.leave(&entry, "can't be read as a duration"),
        }
    }
}

/// What the list shows while no backend answers.
fn read_fallback(fallback: &Entry<'_>, relay: &mut Route, draft: &mut Draft) {
    draft.state_words(fallback, ["motd", "version.name"], &["offline", "unreachable"], relay);
    draft.leave_all(
        fallback,
        &["version.protocol"],
        "a state's name is always shown in place of the numbers of players",
    );
    draft.leave_all(fallback, &["favicon", "players"], "a state has a name and a description alone");
}

fn status(config: &Entry<'_>, draft: &mut Draft) -> Table {
    let Some(status) = config.get("status") else { return Table::default() };
    let description = draft.words(&status, "motd").map(|(entry, text)| {
        draft.keep(&entry, "routes.status.description");
        text
    });
    let most = status.get("showMaxPlayers").and_then(|entry| {
        let most = draft.count(&entry)?;
        draft.keep(&entry, "routes.status.players.max");
        Some(most)
    });
    let mut table = own_status(description, most);
    if let Some(entry) = status.get("favicon") {
        draft.favicon(&entry, &mut table);
    }
    draft.leave_all(
        &status,
        &["logPingRequests"],
        "telemetry.log says what is logged: debug shows every ping",
    );
    draft.leave_all(&status, &["announceForge"], "a target's own status has it: see routes.status");
    table
}

/// What Lite has in common with the rest.
fn read_common(root: &Entry<'_>, config: &Entry<'_>, draft: &mut Draft) {
    if let Some(entry) = config.get("bind") {
        draft.bind(&entry);
    }
    if let Some(entry) = config.get("connectionTimeout") {
        draft.connect(&entry, Unit::Milliseconds);
    }
    if let Some(entry) = config.get("debug")
        && let Some(on) = draft.flag(&entry)
    {
        if on {
            draft.main.table("telemetry").set("log", "debug");
        }
        draft.keep(&entry, "telemetry.log");
    }
    if let Some(entry) = config.get("proxyProtocol")
        && let Some(on) = draft.flag(&entry)
    {
        draft.trust_everybody(&entry, on);
    }
    if let Some(quota) = config.get("quota.connections") {
        read_quota(&quota, &["status", "login", "transfer"], draft);
    }
    if let Some(quota) = config.get("quota.logins") {
        read_quota(&quota, &["login"], draft);
    }
    draft.leave_all(root, &["connect"], "Gate's own service isn't used");
    draft.leave_all(root, &["api"], "there is no such API");
}

/// A rate in events a second with a burst, for everybody of a network.
fn read_quota(quota: &Entry<'_>, limits: &[&'static str], draft: &mut Draft) {
    let enabled = quota.get("enabled");
    if enabled.as_ref().is_some_and(|entry| entry.value.as_bool() == Some(false)) {
        return draft.leave(quota, "it is off; Drawbridge always has rates: limits");
    }
    let [burst, per_second] =
        ["burst", "ops"].map(|key| quota.get(key).and_then(|entry| entry.value.as_f64()));
    let Some((burst, per_second)) =
        burst.zip(per_second).filter(|(burst, ops)| (1.0..=MOST_AT_ONCE).contains(burst) && *ops > 0.0)
    else {
        return draft.leave(quota, "needs a burst from 1 to a million and ops above 0");
    };
    let Some(milliseconds) = Unit::Seconds.milliseconds(burst / per_second).filter(|&length| length > 0)
    else {
        return draft.leave(quota, "is no rate that Drawbridge can count");
    };
    let table = draft.main.table("limits");
    for limit in limits {
        table.set(limit, json!({ "burst": burst.floor() as u64, "per": time::written(milliseconds) }));
    }
    table.set("prefix", json!({ "v4": 24, "v6": 64 }));
    for (key, entry) in quota.fields() {
        match key {
            "maxEntries" => draft.leave(&entry, "the tables of rates have a fixed size"),
            "enabled" | "ops" | "burst" => draft
                .change(&entry, &format!("limits.{}, counted by limits.prefix", limits.join(", limits."))),
            _ => {}
        }
    }
}

/// Whether a pattern with `*` and `?` fits a text. What doesn't fit behind a `*` is tried one byte later; only the last `*` has to be
/// returned to, since whatever fits before it fits there too.
fn covers(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut sign, mut place) = (0, 0);
    let mut star = None;
    while place < text.len() {
        match pattern.get(sign) {
            Some(b'*') => {
                star = Some((sign, place));
                sign += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted.eq_ignore_ascii_case(&text[place]) => {
                sign += 1;
                place += 1;
            }
            _ => {
                let Some((last, from)) = star else { return false };
                star = Some((last, from + 1));
                sign = last + 1;
                place = from + 1;
            }
        }
    }
    pattern[sign..].iter().all(|&sign| sign == b'*')
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn patterns_cover_what_they_fit() {
        for (pattern, text, fits) in [
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "example.com", false),
            ("eu-?.Example.com", "eu-1.example.com", true),
            ("eu-?.example.com", "eu-12.example.com", false),
            ("*", "", true),
            ("", "", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
        ] {
            assert_eq!(covers(pattern, text), fits, "{pattern} {text}");
        }
    }
}
