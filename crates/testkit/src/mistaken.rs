//! Values that stand where they mean nothing, for properties of whatever reads configurations.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// Texts that mean something to a program.
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
pub fn mistaken() -> impl Strategy<Value = Json> {
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
