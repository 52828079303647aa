//! Velocity: `velocity.toml`.

use super::draft::Draft;
use super::motd::from_ampersands;
use super::network::{Lead, Network, note_transfers, own_status};
use super::session::{self, Carrying, Forwarding, note_failover, read_compression};
use super::source::Entry;
use super::text::Table;
use super::time::Unit;
use serde_json::json;

const FILE: &str = "velocity.toml";

/// Reads a `velocity.toml`.
pub(super) fn read(root: &Entry<'_>, draft: &mut Draft) {
    root.get("bind").iter().for_each(|entry| draft.bind(entry));
    let status = status(root, draft);
    let carrying = carrying(root, draft);
    routes(root, &status, &carrying, draft);
    draft.leave_all(root, &["force-key-authentication"], session::CHAT_KEYS);
    draft.leave_all(root, &["kick-existing-players"], session::TWICE);
    draft.leave_all(root, &["config-version"], "of Velocity's own file alone");
    draft.leave_all(
        root,
        &["announce-forge", "sample-players-in-ping"],
        "a target's own status has it: see routes.status",
    );
    draft.leave_all(root, &["enable-player-address-logging"], "the log always shows addresses");
    draft.leave_all(root, &["query"], "the query protocol isn't answered");
    if let Some(advanced) = root.get("advanced") {
        read_advanced(&advanced, draft);
    }
}

/// What the list shows: Velocity's own text, or the servers' own.
fn status(root: &Entry<'_>, draft: &mut Draft) -> Table {
    let passthrough = root.get("ping-passthrough");
    let mode =
        passthrough.as_ref().and_then(|entry| draft.text(entry)).unwrap_or("disabled").to_ascii_lowercase();
    if let Some(entry) = &passthrough {
        match mode.as_str() {
            "all" => draft.keep(entry, "routes.status, which is the target's own by default"),
            "disabled" => draft.keep(entry, "routes.status.type = \"fixed\""),
            _ => draft.change(entry, "routes.status is all of the target's own"),
        }
    }
    let [motd, most] = ["motd", "show-max-players"].map(|key| root.get(key));
    if mode != "disabled" {
        for entry in [motd, most].iter().flatten() {
            draft.change(entry, "the target's own status is shown");
        }
        return Table::default();
    }
    let description = motd.as_ref().and_then(|entry| {
        let text = draft.text(entry)?;
        // Newer versions write MiniMessage, in which an ampersand is one.
        let text = if text.contains('<') { text.to_owned() } else { from_ampersands(text) };
        let text = draft.component(entry, &text)?;
        draft.keep(entry, "routes.status.description");
        Some(text)
    });
    let most = most.as_ref().and_then(|entry| {
        let most = draft.count(entry)?;
        draft.keep(entry, "routes.status.players.max");
        Some(most)
    });
    own_status(description, most)
}

/// Who authenticates, and how servers are told who a player is.
fn carrying(root: &Entry<'_>, draft: &mut Draft) -> Carrying {
    let mode = root.get("player-info-forwarding-mode");
    let mut forwarding = Forwarding::read(mode.as_ref(), "none", draft);
    // Older versions have the secret in the file itself.
    let (inline, file) = (root.get("forwarding-secret"), root.get("forwarding-secret-file"));
    match &inline {
        Some(entry) if file.is_none() => forwarding.inline_secret(entry, &session::SEALED, draft),
        _ => forwarding.secret_file(file.as_ref(), "forwarding.secret", draft),
    }
    mode.iter().for_each(|entry| forwarding.note(entry, draft));
    let mut carrying = Carrying::read(root.get("online-mode").as_ref(), forwarding, draft);
    if let Some(entry) = root.get("prevent-client-proxy-connections") {
        carrying.check_address(&entry, draft);
    }
    carrying
}

fn routes(root: &Entry<'_>, status: &Table, carrying: &Carrying, draft: &mut Draft) {
    let Some(servers) = root.get("servers") else { return };
    let mut fields = servers.fields();
    let tried = fields.iter().position(|(name, _)| *name == "try").map(|place| fields.remove(place).1);
    let servers = fields.into_iter().map(|(name, entry)| (name, entry, false)).collect();
    let mut network = Network::read(draft, servers);
    for (host, entry) in root.get("forced-hosts").iter().flat_map(Entry::fields) {
        network.lead(draft, Lead { host, entry: &entry, then: None }, status);
    }
    if let Some(entry) = &tried {
        network.lead(draft, Lead { host: "*", entry, then: None }, status);
    }
    network.finish(draft, FILE, carrying);
}

fn read_advanced(advanced: &Entry<'_>, draft: &mut Draft) {
    if let Some(entry) = advanced.get("connection-timeout") {
        draft.connect(&entry, Unit::Milliseconds);
    }
    if let Some(entry) = advanced.get("compression-threshold") {
        read_compression(&entry, draft);
    }
    if let Some(entry) = advanced.get("failover-on-unexpected-server-disconnect") {
        note_failover(&entry, draft);
    }
    if let Some(entry) = advanced.get("login-ratelimit")
        && let Some(duration) = draft.duration(&entry, Unit::Milliseconds)
    {
        if duration == "0s" {
            draft.leave(&entry, "logins always have a rate: limits.login");
        } else {
            draft.main.table("limits").set("login", json!({ "burst": 1, "per": duration }));
            draft.keep(&entry, "limits.login");
        }
    }
    if let Some(entry) = advanced.get("haproxy-protocol")
        && let Some(on) = draft.flag(&entry)
    {
        draft.trust_everybody(&entry, on);
    }
    if let Some(entry) = advanced.get("accepts-transfers") {
        note_transfers(&entry, entry.value.as_bool() == Some(true), draft);
    }
    draft.leave_all(advanced, &["read-timeout"], session::SILENCE);
    draft.leave_all(advanced, &["compression-level"], session::LEVEL);
    draft.leave_all(advanced, &["bungee-plugin-message-channel"], session::CHANNEL);
    let bounds = [
        "command-rate-limit",
        "forward-commands-if-rate-limited",
        "kick-after-rate-limited-commands",
        "tab-complete-rate-limit",
        "kick-after-rate-limited-tab-completes",
    ];
    draft.leave_all(advanced, &bounds, session::BOUNDS);
    draft.leave_all(advanced, &["announce-proxy-commands"], session::RIGHTS);
    draft.leave_all(
        advanced,
        &["show-ping-requests", "log-player-connections", "log-command-executions"],
        "telemetry.log says what is logged: debug shows every ping",
    );
    draft.leave_all(advanced, &["tcp-fast-open"], "not used");
    draft.leave_all(advanced, &["enable-reuse-port"], "each thread listens by itself anyway");
}
