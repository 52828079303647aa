//! That nothing is dropped, whatever a file holds.

use super::recognise::Found;
use super::source::{Document, Syntax, parse};
use super::{Imported, Program, import};
use crate::settings::Settings;
use clap::ValueEnum as _;
use drawbridge_config::{Error, Loaded, Root};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::path::PathBuf;

/// Examples, as they are looked at from outside in `tests/import.rs`.
const EXAMPLES: [(Program, Syntax, &str); 11] = [
    (Program::Infrarust, Syntax::Toml, include_str!("../../tests/import/infrarust/source/infrarust.toml")),
    (
        Program::Infrarust,
        Syntax::Toml,
        include_str!("../../tests/import/infrarust/source/servers/survival.toml"),
    ),
    (
        Program::Infrarust,
        Syntax::Toml,
        include_str!("../../tests/import/infrarust-sessions/source/servers/arena.toml"),
    ),
    (
        Program::Infrarust,
        Syntax::Toml,
        include_str!("../../tests/import/infrarust-sessions/source/servers/mines.toml"),
    ),
    (Program::Velocity, Syntax::Toml, include_str!("../../tests/import/velocity-1/source/velocity.toml")),
    (Program::Passage, Syntax::Yaml, include_str!("../../tests/import/passage/source/config.yaml")),
    (
        Program::McRouter,
        Syntax::Yaml,
        include_str!("../../tests/import/mc-router-compose/source/compose.yml"),
    ),
    (Program::Gate, Syntax::Yaml, include_str!("../../tests/import/gate/source/config.yml")),
    (Program::GateLite, Syntax::Yaml, include_str!("../../tests/import/gate-lite/source/config.yml")),
    (Program::Velocity, Syntax::Toml, include_str!("../../tests/import/velocity/source/velocity.toml")),
    (Program::Bungeecord, Syntax::Yaml, include_str!("../../tests/import/bungeecord/source/config.yml")),
];

/// Keys that programs know, so that made-up documents lead somewhere.
const KEYS: [&str; 112] = [
    "config",
    "lite",
    "enabled",
    "routes",
    "host",
    "backend",
    "strategy",
    "fallback",
    "motd",
    "version",
    "name",
    "cachePingTTL",
    "servers",
    "try",
    "forcedHosts",
    "status",
    "quota",
    "connections",
    "logins",
    "ops",
    "burst",
    "bind",
    "debug",
    "listeners",
    "forced_hosts",
    "priorities",
    "address",
    "restricted",
    "ping_passthrough",
    "max_players",
    "connection_throttle",
    "connection_throttle_limit",
    "proxy_protocol",
    "forced-hosts",
    "advanced",
    "login-ratelimit",
    "connection-timeout",
    "haproxy-protocol",
    "ping-passthrough",
    "show-max-players",
    "domains",
    "addresses",
    "weight",
    "balance",
    "proxy_mode",
    "domain_rewrite",
    "explicit",
    "ip_filter",
    "whitelist",
    "blacklist",
    "online",
    "offline",
    "text",
    "favicon",
    "rate_limit",
    "telemetry",
    "endpoint",
    "default_motd",
    "domainName",
    "proxyTo",
    "listenTo",
    "onlineStatus",
    "offlineStatus",
    "versionName",
    "disconnectMessage",
    "timeout",
    "proxyProtocol",
    "receive",
    "trustedCIDRs",
    "filters",
    "rateLimiter",
    "requestLimit",
    "windowLength",
    "mappings",
    "default-server",
    "MAPPING",
    "PORT",
    "services",
    "image",
    "environment",
    "command",
    "hostname",
    "discovery",
    "type",
    "targets",
    "identifier",
    "meta",
    "actions",
    "rules",
    "key",
    "op",
    "value",
    "selectors",
    "matchLabels",
    "localization",
    "messages",
    "online-mode",
    "player-info-forwarding-mode",
    "forwarding-secret",
    "forwarding-secret-file",
    "compression-threshold",
    "online_mode",
    "ip_forward",
    "network_compression_threshold",
    "onlineMode",
    "forwarding",
    "mode",
    "velocitySecret",
    "auth",
    "sessionServerUrl",
    "network",
    "forwarding_mode",
];

/// Values that mean something to a program.
const TEXTS: [&str; 28] = [
    "0.0.0.0:25565",
    ":25565",
    "a.example.com",
    "*.example.com",
    "*",
    "~(",
    "10.0.0.1",
    "10.0.0.0/8",
    "5s",
    "-1s",
    "1m30s",
    "all",
    "client_only",
    "round_robin",
    "fixed_discovery",
    "dns_discovery",
    "agones_discovery",
    "meta_filter",
    "grpc",
    "in",
    "&1&#09add3x",
    "{\"text\":",
    "a=b,c",
    "itzg/mc-router",
    "offline",
    "modern",
    "legacy",
    "https://sessions.example.com/session/minecraft/hasJoined",
];

/// What an operator may have written in the wrong place.
fn mistaken() -> impl Strategy<Value = Json> {
    prop_oneof![
        prop::sample::select(&TEXTS[..]).prop_map(Json::from),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        (-2_i64..70_000).prop_map(Json::from),
        Just(Json::Null),
        Just(json!({})),
    ]
}

fn leaves() -> impl Strategy<Value = Json> {
    prop_oneof![mistaken(), "\\PC{0,8}".prop_map(Json::from)]
}

fn trees() -> impl Strategy<Value = Json> {
    leaves().prop_recursive(6, 64, 6, |inner| {
        let key = prop_oneof![9 => prop::sample::select(&KEYS[..]).prop_map(str::to_owned), 1 => "\\PC{0,6}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec((key, inner), 0..8)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

/// A table, as documents are.
fn documents() -> impl Strategy<Value = Json> {
    let key = prop::sample::select(&KEYS[..]).prop_map(str::to_owned);
    prop::collection::vec((key, trees()), 0..12).prop_map(|fields| Json::Object(fields.into_iter().collect()))
}

fn imported(program: Program, syntax: Syntax, trees: Vec<Json>) -> (Vec<Document>, Imported) {
    let document =
        |(index, tree)| Document { name: format!("{index}.x"), folder: PathBuf::new(), syntax, tree };
    let found = Found { program, documents: trees.into_iter().enumerate().map(document).collect() };
    let imported = import(&found);
    (found.documents, imported)
}

/// Puts `value` in the place of the scalar that has this number among all of them, or takes it away.
fn replace(tree: &mut Json, number: &mut usize, value: &Option<Json>) {
    let hits = |inner: &Json, number: &mut usize| {
        let is_scalar = !inner.is_object() && !inner.is_array();
        let is_it = is_scalar && *number == 0;
        *number = number.wrapping_sub(usize::from(is_scalar));
        is_it
    };
    match tree {
        Json::Object(fields) => {
            let keys: Vec<_> = fields.keys().cloned().collect();
            for key in keys {
                if hits(&fields[&key], number) {
                    match value {
                        Some(value) => fields[&key] = value.clone(),
                        None => drop(fields.remove(&key)),
                    }
                    return;
                }
                replace(&mut fields[&key], number, value);
            }
        }
        Json::Array(items) => {
            for item in items {
                if hits(item, number) {
                    *item = value.clone().unwrap_or_default();
                    return;
                }
                replace(item, number, value);
            }
        }
        _ => {}
    }
}

/// What the edge would say of an imported configuration.
fn mistakes(imported: &Imported) -> Vec<String> {
    let mut documents =
        imported.files.iter().map(|(name, text)| drawbridge_config::Document::parse(name, text.as_str()));
    let mut root = Root::new(documents.next(), &["routes"]);
    root.append(documents.collect());
    let diagnostics = match root.read::<Settings>() {
        Ok(Loaded { diagnostics, .. }) | Err(Error::Invalid(diagnostics)) => diagnostics,
        Err(error) => return vec![error.to_string()],
    };
    let told = diagnostics.to_json();
    let told = told["diagnostics"].as_array().unwrap().iter();
    told.filter(|told| told["severity"] == "error").map(Json::to_string).collect()
}

/// That each key of the documents stands in one list.
fn loses_nothing(documents: &[Document], imported: &Imported) -> Result<(), TestCaseError> {
    let leaves = documents.iter().flat_map(|document| document.root().leaves());
    let mut wanted: Vec<_> = leaves.map(|leaf| leaf.path).collect();
    let told: Vec<_> = imported.report.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    prop_assert_eq!(told.len(), wanted.len(), "{}", imported.report);
    for line in told {
        let is_of =
            |path: &String| line.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with(": "));
        let place = wanted.iter().position(is_of);
        prop_assert!(place.is_some(), "{}", line);
        place.into_iter().for_each(|place| drop(wanted.swap_remove(place)));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whoever is said to have written a document: nothing of it is lost, and what is written can be read.
    #[test]
    fn no_document_loses_a_key_or_breaks_what_is_written(
        trees in prop::collection::vec(documents(), 1..3),
        is_json in any::<bool>(),
    ) {
        for program in Program::value_variants() {
            let syntax = if is_json { Syntax::Json } else { Syntax::Yaml };
            let (documents, imported) = imported(*program, syntax, trees.clone());
            loses_nothing(&documents, &imported)?;
            let text: String = imported.files.iter().map(|(_, text)| text.as_str()).collect();
            prop_assert!(toml::from_str::<toml::Table>(&text).is_ok(), "{:?}: {}", program, text);
        }
    }

    /// Whatever an operator made of a sound document: the edge takes what is written.
    #[test]
    fn the_edge_takes_what_is_written_of_spoilt_examples(
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::option::weighted(0.8, mistaken())), 0..6),
    ) {
        for (program, syntax, text) in EXAMPLES {
            let mut tree = parse(syntax, text).unwrap();
            for (place, value) in &changes {
                replace(&mut tree, &mut place.index(90), value);
            }
            let (documents, imported) = imported(program, syntax, vec![tree]);
            loses_nothing(&documents, &imported)?;
            let mistakes = mistakes(&imported);
            let texts: String = imported.files.iter().map(|(_, text)| text.as_str()).collect();
            prop_assert!(mistakes.is_empty(), "{:?}: {:#?}\n{}", program, mistakes, texts);
        }
    }
}

#[test]
fn a_key_that_is_partly_taken_has_changed() {
    let tree = json!({ "domains": ["a.example.com", "a b"], "addresses": ["10.0.0.1"], "colour": "red", "nothing": null });
    let (_, imported) = imported(Program::Infrared, Syntax::Yaml, vec![tree]);
    let expected = "Infrared: 0.x\n\nTaken over:\n  0.x\n    addresses: routes.targets\n    nothing: nothing is set\n\nChanged:\n  0.x\n    domains: ";
    assert!(imported.report.starts_with(expected), "{}", imported.report);
    assert!(imported.report.contains("    colour: Drawbridge has nothing like it\n"), "{}", imported.report);
}
