//! Services over gRPC that decide logins, whoever they are made by: what each test of them has in common.

use super::{HUB, edge, route};
use drawbridge_testkit::{Answer, Edge, GrpcService, Join, NodeClient, Player, SessionServer};
use serde_json::{Value, json};

/// A target, as a service tells of it.
pub(crate) fn target(identifier: &str, host: &str, port: u16) -> Value {
    json!({
        "identifier": identifier,
        "address": { "hostname": host, "port": port },
        "meta": [{ "key": "region", "value": "eu" }],
        "priority": 1,
    })
}

/// [`HUB`] as a target, and another one before it.
pub(crate) fn targets() -> Value {
    json!({ "targets": [target("other", "10.0.0.9", 25565), target("hub", HUB.0, HUB.1)] })
}

/// A default route without targets of its own.
pub(crate) fn bare_route(more: &str) -> String {
    route("lobby", more).replace(&format!("targets = [\"{}:{}\"]\n", HUB.0, HUB.1), "")
}

/// A route on which services at `endpoint` decide everything.
pub(crate) fn all_by(endpoint: &str) -> String {
    bare_route(&format!(
        "status = {{ type = \"grpc\", endpoint = {endpoint} }}\n\
         authentication = {{ type = \"grpc\", endpoint = {endpoint} }}\n\
         discovery = {{ type = \"grpc\", endpoint = {endpoint} }}\n\
         localization = {{ type = \"grpc\", endpoint = {endpoint} }}\n\
         actions = [\n\
           {{ type = \"grpc\", endpoint = {endpoint}, service = \"action\", name = \"choosing\" }},\n\
           {{ type = \"grpc\", endpoint = {endpoint}, service = \"strategy\", name = \"selecting\" }},\n\
         ]\n"
    ))
}

/// Has `service` decide: Alice goes to the hub, and everybody else is refused, each by another service.
fn decides(service: &GrpcService, session: &SessionServer) {
    service.set(
        "GetStatus",
        &Answer::says(&json!({ "status": {
            "version": { "name": "By hand", "protocol": 769 },
            "players": { "online": 3, "max": 20, "samples": [{ "name": "Notch", "id": "" }] },
            "description": "{\"text\":\"Welcome to $host\"}",
            "enforces_secure_chat": true,
        } })),
    );
    let banned = Answer::says(&json!({ "key": "banned" }));
    service.set("Authenticate", &Answer::has_joined(&session.url()).but_for("Bob", &banned));
    let none = Answer::says(&json!({ "targets": [] }));
    service.set("GetTargets", &Answer::says(&targets()).but_for("Carol", &none));
    let full = Answer::says(&json!({ "key": "disconnect_action" }));
    let reversed =
        json!({ "targets": { "targets": [target("hub", HUB.0, HUB.1), target("new", "10.0.0.7", 1)] } });
    let empty = Answer::says(&json!({ "targets": { "targets": [] } }));
    service.set("Apply", &Answer::says(&reversed).but_for("Dave", &full).but_for("Carol", &empty));
    let nobody = Answer::says(&json!({}));
    let hub = Answer::says(&json!({ "target": target("hub", HUB.0, HUB.1) }));
    service.set("SelectTarget", &hub.but_for("Erin", &nobody));
    service.set("Localize", &Answer::says(&json!({ "message": "<red>Not today, $name</red> ($locale)" })));
}

/// Real clients, node-minecraft-protocol, on a route where `service` decides everything.
pub(crate) fn real_logins_are_decided_by(service: &GrpcService) {
    let session = SessionServer::start().unwrap();
    decides(service, &session);
    let edge = edge().config(all_by(&format!("\"{}\"", service.uri()))).start();
    let node = NodeClient::start();
    let document = node.ping("1.21.4", edge.address());
    assert_eq!(document["version"], json!({ "name": "By hand", "protocol": 769 }));
    assert_eq!(super::description(&document), "Welcome to 127.0.0.1");
    assert_eq!(document["players"]["online"], 3);

    let join = |name: &str| node.join(&Join::with_account(&session.account(name), "1.21.4"), edge.address());
    let alice = join("Alice");
    assert_eq!(alice.transferred(), (HUB.0, HUB.1.into()));
    let success = alice.event("success").unwrap();
    assert_eq!(
        success.field("properties")[0]["key"].as_str().or(success.field("properties")[0]["name"].as_str()),
        Some("textures")
    );
    for (name, reason, by) in [
        ("Bob", "authentication", None),
        ("Carol", "no_target", None),
        ("Dave", "action", Some("choosing")),
        ("Erin", "action", Some("selecting")),
    ] {
        let visit = join(name);
        assert!(visit.kicked().starts_with(&format!("Not today, {name}")), "{name}: {}", visit.kicked());
        let line = edge.wait_for(&format!("that {name} was refused"), |line| {
            line.field("reason").as_deref() == Some(reason) && line.field("player").as_deref() == Some(name)
        });
        assert_eq!(line.field("by").as_deref(), by, "{line}");
    }
    told_what_they_need(service, &edge);
}

/// What the services were asked with.
fn told_what_they_need(service: &GrpcService, edge: &Edge) {
    let asked = |method: &str| service.calls(method).first().unwrap().clone();
    let port = u64::from(edge.address().port());
    for method in ["GetTargets", "SelectTarget"] {
        let request = asked(method).field("request").clone();
        assert_eq!(request["username"], "Alice", "{request}");
        assert_eq!(request["user_id"].as_str().map(str::len), Some(36), "{request}");
        assert_eq!(request["client_address"]["hostname"], "127.0.0.1", "{request}");
        assert_eq!(request["server_address"]["port"], port, "{request}");
        assert!(request["protocol"] == 769 || request["protocol"] == "769", "{request}");
    }
    for method in ["Authenticate", "Apply"] {
        let request = asked(method).field("request").clone();
        assert_eq!(request["player"]["name"], "Alice", "{request}");
        let version = &request["client"]["protocol_version"];
        assert!(*version == 769 || *version == "769", "{request}");
    }
    assert_eq!(asked("Apply").field("request")["targets"][0]["meta"][0]["value"], "eu");
    let trace = |method: &str| {
        let call = asked(method);
        let context = call.field("metadata")["traceparent"].as_str().unwrap();
        context.split('-').nth(1).unwrap().to_owned()
    };
    assert_eq!(trace("Authenticate"), trace("SelectTarget"), "a login is one trace");
    let left = asked("GetTargets").field("deadline").as_f64().unwrap();
    assert!(left > 0.0 && left <= 2_000.0, "the service is told how long it has: {left}");
}

pub(crate) const OPEN: &str = "authentication.type = \"disabled\"\n";

/// A service that finds the hub for everybody.
pub(crate) fn finds_the_hub(options: &Value) -> GrpcService {
    let service = GrpcService::node(options);
    service.set("GetTargets", &Answer::says(&json!({ "targets": [target("hub", HUB.0, HUB.1)] })));
    service
}

/// A route that asks for targets at this endpoint, written as TOML, with more about the discovery.
pub(crate) fn asks(endpoint: &str, more: &str) -> String {
    bare_route(&format!("{OPEN}discovery = {{ type = \"grpc\", endpoint = {endpoint}{more} }}\n"))
}

pub(crate) fn uri(service: &GrpcService) -> String {
    format!("\"{}\"", service.uri())
}

pub(crate) fn alice() -> Player {
    Player::new("Alice", 767)
}

pub(crate) fn reaches_the_hub(edge: &Edge) {
    assert_eq!(alice().join(edge.address()).transferred(), HUB);
}

pub(crate) const NO_DISCOVERY: &str = "Looking for a server failed.";
