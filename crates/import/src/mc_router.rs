//! mc-router: its routes file, and its options as a command line, as variables of the environment, or in a file of Docker
//! Compose.
//!
//! An option is known by its name on the command line; the variable has the same name in capitals, with underscores.

use super::draft::Draft;
use super::route::{Route, Target};
use super::source::{Document, Entry, Syntax};
use super::{address, words};
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

const FILE: &str = "mc-router.toml";

/// An option with its value, and the key that holds it.
struct Setting<'a> {
    name: String,
    value: String,
    entry: Entry<'a>,
}

/// Backends in the order in which they were named, each with the hosts that lead to it.
#[derive(Default)]
struct Backends<'a> {
    hosts: Vec<(String, Vec<(String, Entry<'a>)>)>,
    places: HashMap<String, usize>,
}

impl<'a> Backends<'a> {
    fn add(&mut self, host: &str, backend: &str, entry: &Entry<'a>) {
        let place = *self.places.entry(backend.to_owned()).or_insert_with(|| {
            self.hosts.push((backend.to_owned(), Vec::new()));
            self.hosts.len() - 1
        });
        self.hosts[place].1.push((host.to_owned(), entry.clone()));
    }
}

/// Reads the documents: a routes file, options, or both.
pub(super) fn read(documents: &[Document], draft: &mut Draft) {
    let mut backends = Backends::default();
    let mut settings = Vec::new();
    for document in documents {
        let root = document.root();
        if document.syntax == Syntax::Json {
            read_routes_file(&root, &mut backends, draft);
        } else if let Some(services) = root.get("services") {
            read_compose(&services, &mut settings, draft);
        } else {
            let fields = root.fields().into_iter();
            settings.extend(fields.filter_map(|(name, entry)| setting(name, entry.value, &entry)));
        }
    }
    for setting in &settings {
        read_mapping(setting, &mut backends, draft);
    }
    make_routes(backends, draft);
    for setting in &settings {
        read_setting(setting, &settings, draft);
    }
}

/// The names of files with routes that options tell of.
pub(super) fn routes_files(document: &Document) -> Vec<String> {
    let root = document.root();
    let names = ["routes-config", "ROUTES_CONFIG"].iter().filter_map(|key| root.get(key));
    names.filter_map(|entry| Some(entry.value.as_str()?.to_owned())).collect()
}

fn setting<'a>(name: &str, value: &Json, entry: &Entry<'a>) -> Option<Setting<'a>> {
    let value = match value {
        Json::String(text) => text.clone(),
        Json::Bool(_) | Json::Number(_) => value.to_string(),
        _ => return None,
    };
    Some(Setting { name: name.to_ascii_lowercase().replace('_', "-"), value, entry: entry.clone() })
}

fn read_routes_file<'a>(root: &Entry<'a>, backends: &mut Backends<'a>, draft: &mut Draft) {
    for (host, entry) in root.get("mappings").iter().flat_map(Entry::fields) {
        if let Some(backend) = draft.text(&entry) {
            backends.add(host, backend, &entry);
        }
    }
    if let Some(entry) = root.get("default-server")
        && let Some(backend) = draft.text(&entry)
    {
        backends.add("*", backend, &entry);
    }
}

/// The options in a file of Docker Compose: those of the service whose image or command is mc-router's.
fn read_compose<'a>(services: &Entry<'a>, settings: &mut Vec<Setting<'a>>, draft: &mut Draft) {
    for (_, service) in services.fields() {
        if !is_router(&service) {
            draft.leave(&service, "of another service");
            continue;
        }
        if let Some(environment) = service.get("environment") {
            let fields = environment.fields().into_iter();
            settings.extend(fields.filter_map(|(name, entry)| setting(name, entry.value, &entry)));
            let lines = environment.value.as_array().into_iter().flatten().filter_map(Json::as_str);
            let variables = lines.filter_map(words::variable);
            settings.extend(variables.filter_map(|(name, value)| setting(name, &json!(value), &environment)));
        }
        if let Some(command) = service.get("command") {
            let given = match command.value {
                Json::Array(given) => {
                    given.iter().filter_map(|word| Some(word.as_str()?.to_owned())).collect()
                }
                other => words::split(other.as_str().unwrap_or_default()),
            };
            let options = words::options(given);
            let options = options.as_object().into_iter().flatten();
            settings.extend(options.filter_map(|(name, value)| setting(name, value, &command)));
        }
        for (_, entry) in
            service.fields().into_iter().filter(|(key, _)| !matches!(*key, "environment" | "command"))
        {
            draft.leave(&entry, "of the container, not of mc-router");
        }
    }
}

/// Whether a service of Docker Compose is mc-router.
pub(super) fn is_router(service: &Entry<'_>) -> bool {
    ["image", "container_name"].iter().filter_map(|key| service.get(key)).any(|entry| {
        entry.value.as_str().is_some_and(|text| text.contains("mc-router") || text.contains("MC_ROUTER"))
    })
}

fn read_mapping<'a>(setting: &Setting<'a>, backends: &mut Backends<'a>, draft: &mut Draft) {
    match setting.name.as_str() {
        "mapping" => {
            for mapping in listed(&setting.value) {
                match mapping.split_once('=') {
                    Some((host, backend)) => backends.add(host.trim(), backend.trim(), &setting.entry),
                    None => draft.leave(&setting.entry, &format!("{mapping:?} is no host=address")),
                }
            }
        }
        "default" if !setting.value.is_empty() => backends.add("*", &setting.value, &setting.entry),
        _ => {}
    }
}

fn make_routes(backends: Backends<'_>, draft: &mut Draft) {
    for (backend, hosts) in backends.hosts {
        let Some((first, entry)) = hosts.first() else { continue };
        // A host whose target can't be had is nobody else's all the same.
        let target =
            draft.address(entry, &backend).map(|address| Target { identifier: None, address, weight: None });
        let name = draft.name(if first == "*" { "default" } else { first });
        let mut route = Route::new(&name, "passthrough");
        let mut taken = Vec::new();
        for (host, entry) in &hosts {
            if let Some(host) = draft.host(entry, host, &name) {
                taken.push(host);
                draft.keep(entry, "routes.hosts, routes.targets");
            }
        }
        if taken.is_empty() {
            continue;
        }
        route.hosts(taken);
        route.targets(target.into_iter().collect());
        draft.push(FILE, route);
    }
}

fn read_setting(setting: &Setting<'_>, all: &[Setting<'_>], draft: &mut Draft) {
    let Setting { name, value, entry } = setting;
    let is_on = matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "t");
    match name.as_str() {
        "mapping" | "default" | "routes-config" if draft.report.knows(entry) => {}
        "port" => match value.parse() {
            Ok(port) => {
                draft.add_bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)));
                draft.keep(entry, "bind");
            }
            Err(_) => draft.leave(entry, "is no port"),
        },
        "use-proxy-protocol" => {
            if is_on {
                draft.carried(|route| route.proxy_protocol("v2"));
            }
            draft.keep(entry, "routes.relay.proxy_protocol");
        }
        "receive-proxy-protocol" | "trusted-proxies" => read_proxies(setting, all, draft),
        "clients-to-allow" | "clients-to-deny" => read_clients(setting, all, draft),
        "metrics-backend" | "api-binding" => read_metrics(setting, all, draft),
        "debug" | "trace" => {
            if is_on {
                draft.main.table("telemetry").set("log", name.as_str());
            }
            draft.keep(entry, "telemetry.log");
        }
        "log-level" if ["error", "warn", "info", "debug", "trace"].contains(&value.as_str()) => {
            draft.main.table("telemetry").set("log", value.as_str());
            draft.keep(entry, "telemetry.log");
        }
        "routes-config" => {
            draft.leave(entry, "there is no such file here: import it too, or routes are missing");
        }
        _ => draft.leave(entry, reason(name)),
    }
}

/// Containers are marked by labels of their own.
const DOCKER: &str = "routes come from Docker by labels of Drawbridge's own: [providers.docker], and drawbridge.hosts in place of mc-router.host";

/// As with containers.
const KUBERNETES: &str = "routes come from Kubernetes by annotations of Drawbridge's own: [providers.kubernetes], and drawbridge.dev/hosts in place of mc-router.itzg.me/externalServerName";

/// Why an option has no equivalent.
fn reason(name: &str) -> &'static str {
    match name {
        "in-docker" | "in-docker-swarm" | "docker-socket" | "docker-timeout" | "docker-api-version" => DOCKER,
        "in-kube-cluster" | "kube-config" | "kube-namespace" => KUBERNETES,
        "connection-rate-limit" => {
            "rates are counted for each address: limits.status, limits.login and limits.transfer"
        }
        "routes-config-watch" => "the routes' folder is always watched",
        "record-logins" => "each login is logged, and metrics count them",
        "ngrok-token" | "ngrok-remote-addr" => "there is no tunnel of its own",
        name if name.starts_with("auto-scale") => "targets aren't started or stopped yet",
        name if name.starts_with("webhook") => "nobody is called back: see the metrics and the log",
        name if name.starts_with("metrics-backend") => {
            "metrics are those of Prometheus and OTLP: metrics.bind, telemetry.otlp"
        }
        _ => "Drawbridge has nothing like it",
    }
}

fn read_proxies(setting: &Setting<'_>, all: &[Setting<'_>], draft: &mut Draft) {
    let receives = find(all, "receive-proxy-protocol").is_some_and(|value| value == "true");
    let trusted = find(all, "trusted-proxies").filter(|value| !value.trim().is_empty());
    match (setting.name.as_str(), receives, trusted) {
        ("receive-proxy-protocol", true, Some(_)) => draft.keep(&setting.entry, "proxy_protocol.trusted"),
        ("receive-proxy-protocol", on, _) => draft.trust_everybody(&setting.entry, on),
        (_, true, Some(networks)) => {
            let networks = draft.networks_of(&setting.entry, listed(networks));
            draft.main.table("proxy_protocol").set("trusted", networks);
            draft.keep(&setting.entry, "proxy_protocol.trusted");
        }
        _ => draft.leave(&setting.entry, "no PROXY header is received"),
    }
}

fn read_clients(setting: &Setting<'_>, all: &[Setting<'_>], draft: &mut Draft) {
    let allows = find(all, "clients-to-allow").is_some_and(|value| !value.trim().is_empty());
    let key = if setting.name == "clients-to-allow" { "allow" } else { "deny" };
    if key == "deny" && allows {
        return draft.leave(&setting.entry, "mc-router ignores it where clients are allowed by name");
    }
    let networks = draft.networks_of(&setting.entry, listed(&setting.value));
    draft.main.table("access").set(key, networks);
    draft.keep(&setting.entry, &format!("access.{key}"));
}

/// mc-router serves Prometheus at its API.
fn read_metrics(setting: &Setting<'_>, all: &[Setting<'_>], draft: &mut Draft) {
    let is_prometheus = find(all, "metrics-backend") == Some("prometheus");
    let address = find(all, "api-binding").and_then(address::socket_address);
    match (setting.name.as_str(), is_prometheus, address) {
        ("metrics-backend", true, Some(_)) => draft.keep(&setting.entry, "metrics.bind"),
        ("metrics-backend", true, None) => {
            draft.leave(&setting.entry, "metrics are served at metrics.bind, and no address is known");
        }
        ("metrics-backend", false, _) => draft.leave(&setting.entry, reason("metrics-backend")),
        (_, true, Some(address)) => {
            if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
                let table = draft.main.table("metrics");
                table.remark_here(
                    "TODO for you: metrics are served without encryption to whoever can reach this address.",
                );
            }
            draft.main.table("metrics").set("bind", address.to_string());
            draft.change(&setting.entry, "metrics.bind, where metrics are; there is no such API beside them");
        }
        _ => draft.leave(&setting.entry, "there is no such API"),
    }
}

fn find<'a>(all: &'a [Setting<'_>], name: &str) -> Option<&'a str> {
    all.iter().find(|setting| setting.name == name).map(|setting| setting.value.as_str())
}

/// The items of a list in one text.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '\n']).map(str::trim).filter(|item| !item.is_empty())
}
