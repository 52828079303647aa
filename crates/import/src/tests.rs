//! That nothing is dropped, whatever a file holds.

use super::{Document, Found, Imported, Program, Syntax, import};
use clap::ValueEnum as _;
use drawbridge_testkit::mistaken;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::path::PathBuf;

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
            prop_assert_eq!(imported.accounts_for(&documents), Ok(()));
            let text: String = imported.files.iter().map(|(_, text)| text.as_str()).collect();
            prop_assert!(toml::from_str::<toml::Table>(&text).is_ok(), "{:?}: {}", program, text);
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
