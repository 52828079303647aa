//! Passage: a file of YAML, TOML or JSON. It hands players over as Drawbridge does, and its adapters have their like.

mod actions;
mod agones;
mod discovery;
mod telemetry;
mod texts;

use super::draft::Draft;
use super::route::Route;
use super::source::Entry;
use super::text::Table;
use super::time::{self, Unit};
use drawbridge_model::TargetAddress;
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

const FILE: &str = "passage.toml";

/// The smallest and the largest `limits.max_packet`, in bytes.
const PACKETS: (u64, u64) = (1 << 10, 1 << 20);

/// The most properties of a profile.
const MOST_PROPERTIES: usize = 16;

/// Reads a configuration.
pub(super) fn read(root: &Entry<'_>, draft: &mut Draft) {
    if let Some(entry) = root.get("address") {
        draft.bind(&entry);
    }
    if let Some(entry) = root.get("max_packet_length")
        && let Some(bytes) = draft.count(&entry)
    {
        let fit = bytes.clamp(PACKETS.0, PACKETS.1);
        draft.main.table("limits").set("max_packet", fit);
        if fit == bytes {
            draft.keep(&entry, "limits.max_packet");
        } else {
            draft.change(&entry, "limits.max_packet, from 1KiB to 1MiB");
        }
    }
    read_cookies(root, draft);
    read_rates(root, draft);
    if let Some(entry) = root.get("proxy_protocol") {
        for version in
            entry.fields().iter().map(|(_, entry)| entry).filter(|entry| entry.value.as_bool() == Some(false))
        {
            draft.leave(version, "both versions of the header are read");
        }
        draft.trust_everybody(&entry, true);
    }
    telemetry::read(root, draft);
    draft.leave_all(
        root,
        &["timeout"],
        "each step has a limit of its own, and clients give up after 30 s: limits.*_timeout",
    );
    draft.leave_all(
        root,
        &["system_observer_interval"],
        "the system isn't measured, the edge is: docs/metrics.md",
    );
    draft.leave_all(root, &["adapters"], "is of an older version of Passage: bring it to routes first");
    read_routes(root, draft);
}

fn read_cookies(root: &Entry<'_>, draft: &mut Draft) {
    if let Some(entry) = root.get("auth_secret") {
        draft.main.table("cookies").offer(
            "secrets",
            json!([{ "file": "cookie.key" }]),
            "TODO for you: secrets stand in no file of the configuration, and cookies of Passage aren't read. Make a new one, \
             head -c 48 /dev/urandom | base64 > cookie.key, and take the # away.",
        );
        draft.change(&entry, "cookies.secrets, as a comment: make a new secret in a file of its own");
    }
    if let Some(entry) = root.get("auth_cookie_expiry")
        && let Some(duration) = draft.wait(&entry, Unit::Seconds)
    {
        draft.main.table("cookies").set("max_age", duration);
        draft.keep(&entry, "cookies.max_age");
    }
}

fn read_rates(root: &Entry<'_>, draft: &mut Draft) {
    let Some(limiter) = root.get("rate_limiter") else { return };
    // Passage's own defaults stand for what is left out.
    let [limit, duration] = ["limit", "duration"].map(|key| limiter.get(key));
    let burst = limit.as_ref().map_or(Some(60), |entry| draft.count(entry)).filter(|&burst| burst > 0);
    let per = duration.as_ref().map_or(Some("60s".to_owned()), |entry| draft.duration(entry, Unit::Seconds));
    let Some((burst, per)) = burst.zip(per.filter(|per| per != "0s")) else {
        return draft.leave(&limiter, "needs a limit and a duration above 0");
    };
    let limits = draft.main.table("limits");
    for key in ["status", "login", "transfer"] {
        limits.set(key, json!({ "burst": burst, "per": per }));
    }
    draft.change(&limiter, "limits.status, limits.login and limits.transfer, which count separately");
}

fn read_routes(root: &Entry<'_>, draft: &mut Draft) {
    let routes = root.get("routes").map(|routes| routes.items()).unwrap_or_default();
    let last = routes.len().saturating_sub(1);
    for (place, entry) in routes.iter().enumerate() {
        read_route(entry, place == last, draft);
    }
}

fn read_route(entry: &Entry<'_>, is_last: bool, draft: &mut Draft) {
    let hostname = entry.get("hostname");
    let pattern = hostname.as_ref().and_then(|entry| draft.text(entry)).unwrap_or_default();
    let name = draft.name(&readable(pattern));
    let mut route = Route::new(&name, "transfer");
    let host = if ["", ".*", "^.*$", ".+"].contains(&pattern) && is_last {
        "*".to_owned()
    } else {
        format!("~{pattern}")
    };
    let Some(host) = draft.host(hostname.as_ref().unwrap_or(entry), &host, &name) else {
        return draft.leave_route(entry);
    };
    if let Some(entry) = &hostname {
        let has_capitals = host != "*" && pattern.bytes().any(|byte| byte.is_ascii_uppercase());
        match has_capitals {
            true => draft.change(entry, "routes.hosts, in which capital letters don't count"),
            false => draft.keep(entry, "routes.hosts"),
        }
    }
    route.hosts(vec![host]);
    for (key, read) in [
        ("status", read_status as fn(&Entry<'_>, &mut Route, &mut Draft)),
        ("authentication", read_authentication),
        ("discovery", discovery::read),
        ("localization", texts::read),
    ] {
        if let Some(entry) = entry.get(key) {
            read(&entry, &mut route, draft);
        }
    }
    draft.push(FILE, route);
}

/// A regular expression as a name.
fn readable(pattern: &str) -> String {
    let name: String = pattern.chars().filter(|character| !"\\^$()".contains(*character)).collect();
    let name = name.trim_matches('.').to_owned();
    if name.bytes().any(|byte| byte.is_ascii_alphanumeric()) { name } else { "default".to_owned() }
}

/// The adapter that was read, if it has what its type can't do without. Otherwise the default stands in its place, and the operator is
/// told.
fn complete(table: Table, entry: &Entry<'_>, route: &mut Route, draft: &mut Draft) -> Table {
    let Some(needed) = lacks(&table) else { return table };
    let key = entry.path.rsplit('.').next().unwrap_or_default();
    route.keys().remark(format!(
        "TODO for you: the {key} has no {needed}, so it isn't written, and the default stands in its place."
    ));
    draft.change(entry, &format!("isn't written, since it has no {needed}"));
    Table::default()
}

/// The key that an adapter of this type can't do without, where it isn't set.
fn lacks(table: &Table) -> Option<&'static str> {
    let needed = match table.get("type").and_then(Json::as_str)? {
        "grpc" => "endpoint",
        "http" => "url",
        "dns" => "domain",
        "meta_filter" => "rules",
        _ => return None,
    };
    (!table.has(needed)).then_some(needed)
}

fn is_uuid(text: &str) -> bool {
    matches!(text.len(), 32 | 36) && Uuid::try_parse(text).is_ok()
}

/// Sets the service that an adapter asks.
fn set_endpoint(entry: &Entry<'_>, table: &mut Table, draft: &mut Draft) {
    let Some(address) = entry.get("address") else { return };
    let Some(text) = draft.text(&address) else { return };
    let text = text.trim_end_matches('/');
    let uri = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    if uri.split_once("://").is_some_and(|(scheme, address)| is_service(scheme, address)) {
        table.set("endpoint", uri);
        draft.keep(&address, "endpoint of the adapter");
    } else {
        draft.leave(&address, "is no service's address, such as \"http://127.0.0.1:50051\"");
    }
}

/// Whether these are a scheme and an address of a service: nothing but a host and a port is behind the scheme.
fn is_service(scheme: &str, address: &str) -> bool {
    matches!(scheme, "http" | "https") && address.parse::<TargetAddress>().is_ok()
}

/// Whether a text is a URL for everybody who reads them: some would mend what others don't take.
fn is_url(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain
        && reqwest::Url::parse(text)
            .is_ok_and(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
}

fn read_status(entry: &Entry<'_>, route: &mut Route, draft: &mut Draft) {
    let mut status = Table::default();
    let kind = entry.get("type");
    match kind.as_ref().and_then(|entry| draft.text(entry)).unwrap_or("fixed") {
        "grpc" => {
            status.set("type", "grpc");
            set_endpoint(entry, &mut status, draft);
        }
        "http" => {
            status.set("type", "http");
            read_http_status(entry, &mut status, draft);
        }
        _ => {
            status.set("type", "fixed");
            read_fixed_status(entry, &mut status, draft);
        }
    }
    kind.iter().for_each(|entry| draft.keep(entry, "routes.status.type"));
    *route.table("status") = complete(status, entry, route, draft);
}

fn read_http_status(entry: &Entry<'_>, status: &mut Table, draft: &mut Draft) {
    if let Some(address) = entry.get("address")
        && let Some(url) = draft.text(&address)
    {
        if is_url(url) {
            status.set("url", url);
            draft.keep(&address, "routes.status.url");
        } else {
            draft.leave(&address, "is no URL");
        }
    }
    if let Some(cache) = entry.get("cache_duration")
        && let Some(duration) = draft.duration(&cache, Unit::Seconds)
    {
        status.set("refresh", if duration == "0s" { "1s" } else { duration.as_str() });
        draft.keep(&cache, "routes.status.refresh");
    }
}

fn read_fixed_status(entry: &Entry<'_>, status: &mut Table, draft: &mut Draft) {
    draft.status_words(entry, ["description", "name"], status);
    if let Some(entry) = entry.get("favicon") {
        draft.favicon(&entry, status);
    }
    if let Some(entry) = entry.get("enforces_secure_chat")
        && let Some(on) = draft.flag(&entry)
    {
        status.set("enforces_secure_chat", on);
        draft.keep(&entry, "routes.status.enforces_secure_chat");
    }
    let mut protocol = Map::new();
    for (from, to) in [("min_version", "min"), ("max_version", "max"), ("preferred_version", "preferred")] {
        if let Some(entry) = entry.get(from)
            && let Some(number) = draft.count(&entry)
        {
            protocol.insert(to.to_owned(), json!(number));
            draft.keep(&entry, &format!("routes.status.protocol.{to}"));
        }
    }
    let bound = |key: &str| protocol.get(key).and_then(Json::as_u64).filter(|&number| number > 0);
    if bound("min").zip(bound("max")).is_some_and(|(min, max)| min > max) {
        protocol.retain(|key, _| key == "preferred");
        for entry in ["min_version", "max_version"].iter().filter_map(|key| entry.get(key)) {
            draft.change(&entry, "isn't written, since the oldest version is newer than the newest");
        }
    }
    if !protocol.is_empty() {
        status.set("protocol", protocol);
    }
}

fn read_authentication(entry: &Entry<'_>, route: &mut Route, draft: &mut Draft) {
    let mut table = Table::default();
    let kind = entry.get("type");
    let name = kind.as_ref().and_then(|entry| draft.text(entry)).unwrap_or("mojang");
    match name {
        "grpc" => set_endpoint(entry, &mut table, draft),
        "fixed" => {
            if let Some(profile) = entry.get("profile") {
                read_profile(&profile, &mut table, draft);
            }
        }
        "mojang" => {
            if let Some(id) = entry.get("server_id") {
                if id.value.as_str() == Some("") {
                    draft.keep(&id, "empty, as always");
                } else {
                    draft.leave(&id, "it is always empty, as vanilla servers have it");
                }
            }
        }
        _ => {}
    }
    if let Some(kind) = kind {
        if ["mojang", "grpc", "fixed", "disabled"].contains(&name) {
            table.set("type", name);
            draft.keep(&kind, "routes.authentication.type");
        } else {
            draft.leave(&kind, "is no way to authenticate that is known here; mojang is the default");
        }
    }
    *route.table("authentication") = complete(table, entry, route, draft);
}

fn read_profile(profile: &Entry<'_>, table: &mut Table, draft: &mut Draft) {
    let [id, name] = ["id", "name"].map(|key| profile.get(key));
    let fit_id = id.as_ref().and_then(|entry| draft.text(entry)).filter(|text| is_uuid(text));
    let fit_name = name
        .as_ref()
        .and_then(|entry| draft.text(entry))
        .filter(|name| (1..=16).contains(&name.chars().count()));
    let Some((fit_id, fit_name)) = fit_id.zip(fit_name) else {
        return draft.leave(
            profile,
            "needs a UUID as id and a name of 1 to 16 characters: without them nobody gets in",
        );
    };
    let mut properties = Vec::new();
    for property in profile.get("properties").iter().flat_map(Entry::items) {
        let mut fields = Map::new();
        for (key, entry) in
            property.fields().into_iter().filter(|(key, _)| ["name", "value", "signature"].contains(key))
        {
            if let Some(text) = draft.text(&entry) {
                fields.insert(key.to_owned(), json!(text));
                draft.keep(&entry, "routes.authentication.profile.properties");
            }
        }
        if properties.len() < MOST_PROPERTIES && ["name", "value"].iter().all(|key| fields.contains_key(*key))
        {
            properties.push(Json::Object(fields));
        } else {
            draft.change(
                &property,
                "isn't written: a property has a name and a value, and there are 16 at most",
            );
        }
    }
    table.set("profile", json!({ "id": fit_id, "name": fit_name, "properties": properties }));
    for entry in [id, name].iter().flatten() {
        draft.keep(entry, "routes.authentication.profile");
    }
    draft.leave_all(profile, &["profileActions"], "nothing would follow from them");
}

/// Seconds as a duration.
fn seconds(entry: &Entry<'_>) -> Option<String> {
    entry.value.as_f64().and_then(|number| Unit::Seconds.milliseconds(number)).map(time::written)
}
