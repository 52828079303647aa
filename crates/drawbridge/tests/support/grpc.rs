//! Services over gRPC that decide logins, whoever they are made by: what each test of them has in common.

use super::{HUB, edge, route};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::Kind;
use drawbridge_testkit::{
    Answer, Certificates, Edge, GrpcService, Join, NodeClient, Outcome, PATIENCE, Player, SessionServer,
    eventually, ping,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

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

/// Real clients, node-minecraft-protocol, on a route where `service` decides everything. `endpoint` is how it is reached, as TOML.
pub(crate) fn real_logins_are_decided_by(service: &GrpcService, endpoint: &str) {
    let session = SessionServer::start().unwrap();
    decides(service, &session);
    let edge = edge().config(all_by(endpoint)).start();
    let node = NodeClient::start();
    let document = node.ping("1.21.4", edge.address());
    assert_eq!(document["version"], json!({ "name": "By hand", "protocol": 769 }));
    assert_eq!(super::description(&document), "Welcome to 127.0.0.1");
    assert_eq!(document["players"]["online"], 3);

    let join = |name: &str| {
        let join = Join::with_account(&session.account(name), "1.21.4").locale("de_de");
        node.join(&join, edge.address())
    };
    let alice = join("Alice");
    assert_eq!(alice.transferred(), (HUB.0, HUB.1.into()));
    let success = alice.event("success").unwrap();
    assert_eq!(
        success.field("properties")[0]["key"].as_str().or(success.field("properties")[0]["name"].as_str()),
        Some("textures")
    );
    // Which language a player speaks is known once they are logged in.
    for (name, locale, reason, by) in [
        ("Bob", "none", "authentication", None),
        ("Carol", "de_de", "no_target", None),
        ("Dave", "de_de", "action", Some("choosing")),
        ("Erin", "de_de", "action", Some("selecting")),
    ] {
        let visit = join(name);
        assert_eq!(visit.kicked(), format!("Not today, {name} ({locale})"));
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
    let locales = service.calls("Localize");
    let locale = |name: &str| {
        let of_player = locales.iter().find(|call| call.field("request")["params"]["name"] == name);
        of_player.unwrap().field("request")["locale"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!((&*locale("Bob"), &*locale("Erin")), ("", "de_de"));
    a_login_is_one_trace(service);
    let left = asked("GetTargets").field("deadline").as_f64().unwrap();
    assert!(left > 0.0 && left <= 2_000.0, "the service is told how long it has: {left}");
}

/// Erin is the player for whom every method of a login is called, since the last one of them refuses her.
fn a_login_is_one_trace(service: &GrpcService) {
    let of_erin = |request: &Value| {
        let names = [&request["username"], &request["player"]["name"], &request["params"]["name"]];
        names.iter().any(|name| **name == "Erin")
    };
    let trace = |method: &str, is: &dyn Fn(&Value) -> bool| {
        let calls = service.calls(method);
        let call = calls.iter().find(|call| is(call.field("request"))).unwrap();
        let context = call.field("metadata")["traceparent"].as_str();
        let context = context.unwrap_or_else(|| panic!("{method} is called without a trace"));
        let parts: Vec<_> = context.split('-').collect();
        let [_, trace, span, _] = parts[..] else { panic!("{method}: {context}") };
        assert!(trace.len() == 32 && span.len() == 16, "{method}: {context}");
        trace.to_owned()
    };
    let traces = ["Authenticate", "GetTargets", "Apply", "SelectTarget", "Localize"];
    let traces = traces.map(|method| trace(method, &of_erin));
    assert!(traces.iter().all(|trace| *trace == traces[0]), "{traces:?}");
    assert_ne!(trace("GetStatus", &|_| true), traces[0], "a ping is another connection");
}

/// A service's part of an endpoint over mutual TLS: the options that it is started with, and `tls` as TOML.
pub(crate) fn mutual_tls(certificates: &Certificates) -> (Value, String) {
    let file = |name: &str| certificates.file(name).display().to_string();
    let options =
        json!({ "tls": { "cert": file("server.pem"), "key": file("server.key"), "ca": file("ca.pem") } });
    let tls = format!(
        "{{ ca = '{}', cert = '{}', key = {{ file = '{}' }} }}",
        file("ca.pem"),
        file("client.pem"),
        file("client.key")
    );
    (options, tls)
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

/// How long services may take in [`failures_turn_players_away`].
const TIME: Duration = Duration::from_millis(700);
/// How much later than that players may be told.
const LATE: Duration = Duration::from_secs(2);
/// How soon a service is asked again that is back: the longest wait between two looks, 5 s, and a quarter of it.
pub(crate) const BACK: Duration = Duration::from_millis(6_250);

/// Each method; what is told to those for whom it is called while it answers, and while it doesn't: the version's text in the server
/// list, where they are sent, or why not.
const METHODS: [(&str, &str, &str); 6] = [
    ("GetStatus", "By hand", "unreachable"),
    ("Authenticate", HUB.0, "The authentication servers can't be reached right now."),
    ("GetTargets", HUB.0, NO_DISCOVERY),
    ("Apply", HUB.0, "Choosing a server for you failed."),
    ("SelectTarget", HUB.0, "Choosing a server for you failed."),
    ("Localize", "Not today, Alice", "Your account couldn't be verified."),
];

/// Two edges that one service decides for.
struct Houses {
    /// Where it lets players in, and knows no words.
    open: Edge,
    /// Where nobody gets in, and it knows the words.
    closed: Edge,
    alice: Player,
}

impl Houses {
    fn by(service: &GrpcService, session: &SessionServer) -> Self {
        let endpoint = format!("{{ uris = [\"{}\"], timeout = \"{}ms\" }}", service.uri(), TIME.as_millis());
        let asks = format!("type = \"grpc\", endpoint = {endpoint}");
        let open = bare_route(&format!(
            "authentication = {{ {asks} }}\n\
             discovery = {{ {asks} }}\n\
             actions = [{{ {asks}, service = \"action\" }}, {{ {asks}, service = \"strategy\" }}]\n\
             [routes.status]\ntype = \"grpc\"\nendpoint = {endpoint}\ncache = \"100ms\"\non_error = \"states\"\n"
        ));
        let closed = bare_route(&format!(
            "authentication.type = \"fixed\"\nlocalization = {{ {asks}, cache = \"0s\" }}\n"
        ));
        Self {
            open: edge().config(open).start(),
            closed: edge().config(closed).start(),
            alice: Player::with_account(&session.account("Alice"), 767),
        }
    }

    /// What somebody is told for whom the method is called, and after how long.
    fn told(&self, method: &str) -> (String, Duration) {
        if method == "GetStatus" {
            let start = Instant::now();
            let (document, _) = ping(self.open.address(), ProtocolVersion::V1_21_4, "localhost").unwrap();
            return (document["version"]["name"].as_str().unwrap().to_owned(), start.elapsed());
        }
        let house = if method == "Localize" { &self.closed } else { &self.open };
        let visit = self.alice.join(house.address());
        let told = match &visit.outcome {
            Outcome::Transfer { host, .. } => host,
            Outcome::Disconnect { text, .. } => text,
            _ => panic!("{method}: {visit:#?}"),
        };
        if method == "Authenticate" {
            let logged_in = visit.kinds().contains(&Kind::Success.name());
            assert_eq!(logged_in, told == HUB.0, "nobody is let in unseen: {visit:#?}");
        }
        (told.to_owned(), visit.took)
    }

    fn works(&self, (method, well, _): (&str, &str, &str)) {
        let back = || (self.told(method).0 == well).then_some(());
        assert!(eventually(BACK + LATE, back).is_some(), "{method}: {:?}", self.told(method));
    }

    /// They are told that it doesn't, after `least`, and soon enough.
    fn fails(&self, (method, _, failed): (&str, &str, &str), least: Duration) {
        let told = || {
            let (told, took) = self.told(method);
            assert!(took < TIME + LATE, "{method}: {told} after {took:?}");
            (told, took)
        };
        if method == "GetStatus" {
            // Nobody waits for what a list shows meanwhile.
            assert!(eventually(PATIENCE, || (told().0 == failed).then_some(())).is_some(), "{:?}", told());
            return;
        }
        let (told, took) = told();
        assert!(told.starts_with(failed) && took >= least, "{method}: {told} after {took:?}");
    }
}

/// Has `service` answer all that [`METHODS`] says of methods that answer.
fn answers(service: &GrpcService) {
    let status = json!({ "status": { "version": { "name": "By hand", "protocol": 767 } } });
    service.set("GetStatus", &Answer::says(&status));
    let profile = json!({ "id": "069a79f444e94726a5befca90e38aaf5", "name": "$name" });
    service.set("Authenticate", &Answer::says(&json!({ "profile": profile })));
    let hub = target("hub", HUB.0, HUB.1);
    service.set("GetTargets", &Answer::says(&json!({ "targets": [hub] })));
    service
        .set("Apply", &Answer::says(&json!({ "targets": { "targets": [hub, target("b", "10.0.0.7", 1)] } })));
    service.set("SelectTarget", &Answer::says(&json!({ "target": hub })));
    service.set("Localize", &Answer::says(&json!({ "message": "Not today, $name" })));
}

/// A service that `start` starts hangs in one of these methods after the other, dies in the middle of a call, and comes back: each time
/// players are turned away in time and in the right words, and let in again afterwards.
pub(crate) fn failures_turn_players_away(start: fn(&Value) -> GrpcService, methods: &[&str]) {
    let session = SessionServer::start().unwrap();
    let mut service = start(&json!({}));
    let port = service.port();
    let houses = Houses::by(&service, &session);
    answers(&service);
    for method in METHODS.into_iter().filter(|(method, ..)| methods.contains(method)) {
        houses.works(method);
        service.set(method.0, &Answer::hangs());
        houses.fails(method, TIME);
        answers(&service);
        houses.works(method);
        service.set(method.0, &Answer::dies());
        houses.fails(method, Duration::ZERO);
        drop(service);
        service = start(&json!({ "port": port }));
        answers(&service);
        houses.works(method);
    }
}
