//! What services over gRPC may say, made by other hands (@grpc/grpc-js), and what the edge makes of it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{
    Answer, Certificates, Edge, GrpcService, Line, Outcome, PATIENCE, Player, SessionServer, eventually,
    ping, sees,
};
use serde_json::json;
use std::time::{Duration, Instant};
use support::grpc::{
    NO_DISCOVERY, OPEN, alice, asks, bare_route, finds_the_hub, mutual_tls, reaches_the_hub,
    real_logins_are_decided_by, target, uri,
};
use support::scrape::{METRICS, Scrape};
use support::{AUTHENTICATION, COOKIES, HUB, description, edge};

#[test]
fn every_service_decides_real_logins() {
    sees!(
        "routes[].status(grpc).endpoint",
        "routes[].authentication(grpc).endpoint",
        "routes[].discovery(grpc).endpoint",
        "routes[].actions[](grpc).endpoint",
        "routes[].actions[](grpc).service",
        "routes[].actions[](grpc).name",
        "routes[].actions[].type",
        "routes[].localization(grpc).endpoint",
    );
    let service = GrpcService::node(&json!({ "health": 1 }));
    real_logins_are_decided_by(&service, &uri(&service));
}

#[test]
fn every_service_decides_real_logins_in_private() {
    let certificates = Certificates::new();
    let (options, tls) = mutual_tls(&certificates);
    let service = GrpcService::node(&options);
    real_logins_are_decided_by(&service, &format!("{{ uris = [\"{}\"], tls = {tls} }}", service.uri()));
}

#[test]
fn both_forms_of_the_request_are_spoken() {
    sees!("routes[].discovery(grpc).request");
    let service = finds_the_hub(&json!({ "form": "nested" }));
    let edge = edge().config(asks(&uri(&service), ", request = \"nested\"")).start();
    let visit = alice().host("play.example.com").join(edge.address());
    assert_eq!(visit.transferred(), HUB);
    let request = service.wait_for("call", "GetTargets").field("request").clone();
    assert_eq!(request["client"]["server_address"]["hostname"], "play.example.com");
    assert_eq!(request["client"]["protocol_version"], 767);
}

#[test]
fn a_discovery_may_be_an_action() {
    sees!("routes[].actions[](grpc).request");
    let service = finds_the_hub(&json!({ "form": "nested" }));
    let action = "actions = [{ type = \"grpc\", service = \"discovery\", request = \"nested\"";
    let route = bare_route(&format!("{OPEN}{action}, endpoint = {} }}]\n", uri(&service)));
    let edge = edge().config(route).start();
    reaches_the_hub(&edge);
    let request = service.wait_for("call", "GetTargets").field("request").clone();
    assert_eq!(request["client"]["protocol_version"], 767);
}

#[test]
fn addresses_may_be_names_and_of_either_family_and_unfit_ones_are_left_out() {
    let service = GrpcService::node(&json!({}));
    let unfit = [
        target("zero", "a", 0),
        target("space", "not a host", 1),
        target("hub\n2026-11-22T19:00:00Z  INFO banned\u{1b}[2J", "10.0.0.9", 1),
    ];
    for (host, expected) in
        [("2001:db8::1", "2001:db8::1"), ("10.0.0.1", "10.0.0.1"), ("hub.internal", "hub.internal")]
    {
        let found = json!({ "targets": [unfit[0], unfit[1], unfit[2], target("hub", host, 25570)] });
        service.set("GetTargets", &Answer::says(&found));
        let edge = edge().config(asks(&uri(&service), "")).start();
        assert_eq!(alice().join(edge.address()).transferred(), (expected, 25570));
        edge.wait_for_message("targets were left out");
    }
}

#[test]
fn targets_without_an_address_for_players_are_told_of_seldom() {
    let service = GrpcService::node(&json!({}));
    let found: Vec<_> = (0..100).map(|number| target(&format!("hub-{number}"), "10.0.0.1", 1)).collect();
    service.set("GetTargets", &Answer::says(&json!({ "targets": found })));
    let edge = edge().config(asks(&uri(&service), "") + "transfer.address.meta = \"public\"\n").start();
    for _ in 0..3 {
        let visit = alice().join(edge.address());
        assert!(matches!(visit.outcome, Outcome::Disconnect { .. }), "{visit:#?}");
    }
    // Who was turned away stands there for each.
    edge.wait_for_messages("refused", 3);
    let log = edge.log();
    let told: Vec<_> =
        log.iter().filter(|line| line.message() == Some("players can't be sent to the target")).collect();
    let [line] = told.as_slice() else { panic!("{told:#?}") };
    assert_eq!((line.field("target").as_deref(), line.field("times").as_deref()), (Some("hub-0"), Some("1")));
}

#[test]
fn garbage_lets_nobody_in() {
    sees!("routes[].actions[](grpc).on_error");
    let service = GrpcService::node(&json!({}));
    for method in ["Authenticate", "GetTargets", "Apply", "SelectTarget", "Localize", "GetStatus"] {
        service.set(method, &Answer::garbage());
    }
    let session = SessionServer::start().unwrap();
    let player = Player::with_account(&session.account("Alice"), 767);
    let grpc = format!("{{ type = \"grpc\", endpoint = {} }}", uri(&service));
    let fixed =
        format!("discovery = {{ type = \"fixed\", targets = [{{ address = \"{}:{}\" }}] }}\n", HUB.0, HUB.1);
    let action = |more: &str| {
        format!("{OPEN}{fixed}actions = [{{ type = \"grpc\", endpoint = {}{more} }}]\n", uri(&service))
    };
    for (more, words) in [
        (format!("authentication = {grpc}\n"), "The authentication servers can't be reached"),
        (format!("{OPEN}discovery = {grpc}\n"), NO_DISCOVERY),
        (action(""), "Choosing a server for you failed."),
        (action(", service = \"strategy\""), "Choosing a server for you failed."),
        (format!("{OPEN}discovery = {grpc}\nlocalization = {grpc}\n"), NO_DISCOVERY),
    ] {
        let edge = edge().config(bare_route(&more)).start();
        let visit = player.join(edge.address());
        assert!(visit.kicked().starts_with(words), "{more}: {}", visit.kicked());
        edge.serves_others_within(Duration::from_millis(500));
    }
    let edge = edge().config(bare_route(&action(", on_error = \"skip\""))).start();
    reaches_the_hub(&edge);
}

/// A cookie names its player, who claims another name the next time: with one of these nobody could come back.
#[test]
fn who_is_given_another_name_is_asked_about_each_time() {
    let service = GrpcService::node(&json!({}));
    let session = SessionServer::start().unwrap();
    let account = session.account("Alice");
    let grpc = format!("authentication = {{ type = \"grpc\", endpoint = {} }}\n", uri(&service));
    let edge = edge().config(format!("{COOKIES}{}", support::route("lobby", &grpc))).start();
    for (name, sealed) in [("ALICE", true), ("Bob", false)] {
        let profile = json!({ "id": account.id().to_string(), "name": name, "properties": [] });
        service.set("Authenticate", &Answer::says(&json!({ "profile": profile })));
        let player = Player::with_account(&account, 767);
        let visit = player.clone().join(edge.address());
        assert_eq!(visit.transferred(), HUB);
        assert_eq!(visit.jar.contains_key(AUTHENTICATION), sealed, "{name}");
        assert_eq!(player.sent_on(&visit.jar).join(edge.address()).transferred(), HUB, "{name}");
    }
    assert_eq!(service.calls("Authenticate").len(), 3);
}

/// An answer has a bound, which is told by its length, before what it holds is looked at.
#[test]
fn an_answer_that_is_too_long_lets_nobody_in() {
    let service = GrpcService::node(&json!({}));
    let session = SessionServer::start().unwrap();
    let account = session.account("Alice");
    let grpc = format!("authentication = {{ type = \"grpc\", endpoint = {} }}\n", uri(&service));
    let edge = edge().config(support::route("lobby", &grpc)).start();
    // Each is one that clients take, and so are they together.
    for (count, fits) in [(1, true), (3, false), (16, false)] {
        let property =
            |number: i32| json!({ "name": format!("property{number}"), "value": "x".repeat(30_000) });
        let properties: Vec<_> = (0..count).map(property).collect();
        let profile = json!({ "id": account.id().to_string(), "name": "Alice", "properties": properties });
        service.set("Authenticate", &Answer::says(&json!({ "profile": profile })));
        let visit = Player::with_account(&account, 767).join(edge.address());
        if fits {
            assert_eq!(visit.transferred(), HUB);
        } else {
            let told = visit.kicked();
            assert!(told.starts_with("The authentication servers can't be reached"), "{count}: {told}");
        }
        edge.serves_others_within(Duration::from_millis(500));
    }
}

/// Players choose how often they come: beside the line that each login has, what failed isn't told with each of them.
#[test]
fn what_fails_with_every_login_is_told_once_in_a_while() {
    let service = GrpcService::node(&json!({}));
    for method in ["Authenticate", "GetTargets", "Apply"] {
        service.set(method, &Answer::garbage());
    }
    let grpc = format!("type = \"grpc\", endpoint = {}", uri(&service));
    let fixed =
        format!("discovery = {{ type = \"fixed\", targets = [{{ address = \"{}:{}\" }}] }}\n", HUB.0, HUB.1);
    let arena = "actions = [{ name = \"arena\"";
    for (route, message, action) in [
        (format!("authentication = {{ {grpc} }}\n"), "nobody can be authenticated", None),
        (format!("{OPEN}discovery = {{ {grpc} }}\n"), "discovery failed", None),
        (
            format!("{OPEN}discovery = {{ {grpc}, on_error = \"next\" }}\n"),
            "discovery failed: it goes on without",
            None,
        ),
        (format!("{OPEN}{fixed}{arena}, {grpc} }}]\n"), "an action failed", Some("arena")),
        (
            format!("{OPEN}{fixed}{arena}, {grpc}, on_error = \"skip\" }}]\n"),
            "an action failed: it goes on without",
            Some("arena"),
        ),
    ] {
        let mut edge = edge().config(bare_route(&route)).start();
        for _ in 0..3 {
            drop(alice().join(edge.address()));
        }
        edge.terminate();
        assert!(edge.exit(Duration::from_secs(10)).success());
        let fails = |line: &Line| line.level() == Some("WARN") && line.field("error").is_some();
        let lines: Vec<_> = edge.log().into_iter().filter(fails).collect();
        let [line] = lines.as_slice() else { panic!("{message}: {lines:?}") };
        assert_eq!(line.message(), Some(message));
        assert_eq!(line.field("action").as_deref(), action);
        assert!(line.field("route").is_some_and(|route| !route.is_empty()), "{line}");
    }
}

#[test]
fn a_strategy_selects_among_those_offered_alone() {
    let service = GrpcService::node(&json!({}));
    service.set("SelectTarget", &Answer::says(&json!({ "target": target("elsewhere", "10.6.6.6", 1) })));
    let fixed =
        format!("discovery = {{ type = \"fixed\", targets = [{{ address = \"{}:{}\" }}] }}\n", HUB.0, HUB.1);
    let action =
        format!("actions = [{{ type = \"grpc\", endpoint = {}, service = \"strategy\" }}]\n", uri(&service));
    let edge = edge().config(bare_route(&format!("{OPEN}{fixed}{action}"))).start();
    drop(alice().join(edge.address()));
    let line = edge.wait_for_message("an action failed");
    assert!(line.field("error").unwrap().contains("wasn't offered"), "{line}");
}

fn status_of(route: &str) -> Edge {
    edge().config(bare_route(&format!("{OPEN}{route}"))).start()
}

fn says(text: &str) -> Answer {
    Answer::says(
        &json!({ "status": { "version": { "name": "x", "protocol": 767 }, "description": json!(text).to_string() } }),
    )
}

#[test]
fn a_status_is_asked_once_for_many_and_shown_while_the_service_is_away() {
    sees!(
        "routes[].status(grpc).cache",
        "routes[].status(grpc).patience",
        "routes[].status(grpc).on_error",
        "routes[].status(grpc).states.unreachable.name",
        "routes[].status(grpc).states.unreachable.description",
    );
    let shown = |edge: &Edge| ping(edge.address(), ProtocolVersion::V1_21_4, "localhost").unwrap().0;
    for (on_error, afterwards) in [("stale", "first"), ("states", "Back soon")] {
        let service = GrpcService::node(&json!({}));
        service.set("GetStatus", &says("first"));
        let edge = status_of(&format!(
            "[routes.status]\ntype = \"grpc\"\nendpoint = {{ uris = [\"{}\"], timeout = \"300ms\" }}\ncache = \"100ms\"\n\
             on_error = \"{on_error}\"\nstates.unreachable = {{ name = \"away\", description = \"Back soon\" }}\n",
            service.uri()
        ));
        assert_eq!(description(&shown(&edge)), "first");
        service.set("GetStatus", &Answer::hangs());
        let failed = || {
            let document = shown(&edge);
            edge.log().iter().any(|line| line.message() == Some("a status can't be had")).then_some(document)
        };
        let document = eventually(PATIENCE, failed).unwrap();
        drop(document);
        assert_eq!(description(&shown(&edge)), afterwards, "{on_error}");
        if on_error == "states" {
            assert_eq!(shown(&edge)["version"]["name"], "away");
        }
    }

    let service = GrpcService::node(&json!({}));
    service.set("GetStatus", &Answer::hangs());
    let edge = status_of(&format!(
        "[routes.status]\ntype = \"grpc\"\nendpoint = {}\ncache = \"3s\"\npatience = \"200ms\"\n",
        uri(&service)
    ));
    let start = Instant::now();
    assert_eq!(shown(&edge)["version"]["name"], "unreachable");
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(200) && took < Duration::from_millis(1_500), "{took:?}");
    assert_eq!(service.calls("GetStatus").len(), 1, "one question at a time");
    service.set("GetStatus", &says("there"));
    let there = || (description(&shown(&edge)) == "there").then_some(());
    assert!(eventually(PATIENCE * 5, there).is_some());
    // So many pings within three seconds bring one question more at most, which may just have been due.
    let asked = service.calls("GetStatus").len();
    for _ in 0..50 {
        assert_eq!(description(&shown(&edge)), "there");
    }
    assert!(service.calls("GetStatus").len() <= asked + 1, "an answer is kept");
}

/// A ping that has to wait, some that find an answer, and one that is shown what was there before.
#[test]
fn pings_are_counted_by_what_they_find() {
    let service = GrpcService::node(&json!({}));
    service.set("GetStatus", &says("first"));
    let route = bare_route(&format!(
        "[routes.status]\ntype = \"grpc\"\nendpoint = {}\ncache = \"2s\"\n",
        uri(&service)
    ));
    let edge = edge().config(format!("{METRICS}{route}")).start();
    let at = edge.metrics_address();
    let count = |result: &str| {
        Scrape::of(at).sum("drawbridge_status_cache_total", &[&format!("result=\"{result}\"")])
    };
    let counts = || [count("miss"), count("hit"), count("stale")];
    let shown = || description(&ping(edge.address(), ProtocolVersion::V1_21_4, "localhost").unwrap().0);
    assert_eq!(counts(), [0.0; 3]);
    assert_eq!(shown(), "first");
    assert_eq!(counts(), [1.0, 0.0, 0.0], "nobody has asked before");
    let answered = Instant::now();
    assert_eq!(shown(), "first");
    assert_eq!(shown(), "first");
    assert_eq!(counts(), [1.0, 2.0, 0.0], "it was there");
    service.set("GetStatus", &says("second"));
    let old = || (answered.elapsed() > Duration::from_millis(2_100)).then_some(());
    assert!(eventually(PATIENCE, old).is_some());
    assert_eq!(shown(), "first");
    assert_eq!(counts(), [1.0, 2.0, 1.0], "it was too old, and is asked for anew");
}

#[test]
fn a_service_that_has_no_status_closes_the_connection() {
    let service = GrpcService::node(&json!({}));
    service.set("GetStatus", &Answer::says(&json!({})));
    let edge = status_of(&format!("[routes.status]\ntype = \"grpc\"\nendpoint = {}\n", uri(&service)));
    assert!(ping(edge.address(), ProtocolVersion::V1_21_4, "localhost").is_err());
    edge.wait_for_refusal("no_status");
}

#[test]
fn a_favicon_is_shown_or_left_out() {
    let service = GrpcService::node(&json!({}));
    let icon = include_bytes!("support/icon.png");
    let status = |favicon: &[u8]| {
        Answer::says(&json!({ "status": {
            "version": { "name": "x", "protocol": 767 },
            "favicon": { "base64": BASE64_STANDARD.encode(favicon) },
        } }))
    };
    let uri = format!("data:image/png;base64,{}", BASE64_STANDARD.encode(icon));
    for (favicon, expected) in [
        (icon.as_slice(), Some(&*uri)),
        (uri.as_bytes(), Some(&*uri)),
        (b"data:image/png;base64,bm8=", None),
        (&[0xff; 9], None),
    ] {
        service.set("GetStatus", &status(favicon));
        let edge =
            status_of(&format!("[routes.status]\ntype = \"grpc\"\nendpoint = \"{}\"\n", service.uri()));
        let (document, _) = ping(edge.address(), ProtocolVersion::V1_21_4, "localhost").unwrap();
        assert_eq!(document["favicon"].as_str(), expected);
    }
}

#[test]
fn words_come_from_the_service_and_are_kept_and_are_the_built_in_ones_without_it() {
    sees!(
        "routes[].localization(grpc).default_locale",
        "routes[].localization(grpc).cache",
        "routes[].localization(grpc).parameters",
    );
    let session = SessionServer::start().unwrap();
    let refuses = |service: &GrpcService, more: &str| {
        let authentication = "authentication = { type = \"fixed\" }\n";
        let localization =
            format!("localization = {{ type = \"grpc\", endpoint = {}{more} }}\n", uri(service));
        edge().config(bare_route(&format!("{authentication}{localization}"))).start()
    };
    let kicked = |edge: &Edge, name: &str| {
        Player::with_account(&session.account(name), 767).join(edge.address()).kicked().to_owned()
    };

    // By values: each player's text is one of its own.
    let service = GrpcService::node(&json!({}));
    service.set("Localize", &Answer::says(&json!({ "message": "<red>Go, $name" })));
    let edge = refuses(&service, "");
    for name in ["Alice", "Bob", "Alice"] {
        assert_eq!(kicked(&edge, name), format!("Go, {name}"));
    }
    assert_eq!(service.calls("Localize").len(), 2);
    let asked = service.calls("Localize")[0].field("request").clone();
    assert_eq!(asked["key"], "disconnect_authentication");
    assert_eq!(asked["params"]["name"], "Alice");

    // By placeholders: one text serves all, as long as it is kept.
    let service = GrpcService::node(&json!({}));
    service.set("Localize", &Answer::says(&json!({ "message": "Go, $name" })));
    let edge = refuses(&service, ", parameters = \"placeholders\", cache = \"1h\"");
    for name in ["Alice", "Bob"] {
        assert_eq!(kicked(&edge, name), format!("Go, {name}"));
    }
    assert_eq!(service.calls("Localize").len(), 1);
    let edge = refuses(&service, ", parameters = \"placeholders\", cache = \"0s\"");
    for name in ["Alice", "Bob"] {
        assert_eq!(kicked(&edge, name), format!("Go, {name}"));
    }
    assert_eq!(service.calls("Localize").len(), 3);

    // What the service doesn't know, or nobody knows because it is away.
    service.set("Localize", &Answer::says(&json!({ "message": "" })));
    let edge = refuses(&service, ", default_locale = \"de_de\"");
    let german = kicked(&edge, "Alice");
    assert!(!german.starts_with("Go") && german.starts_with("Dein Konto"), "{german}");
    drop(service);
    assert_eq!(kicked(&edge, "Bob"), german);
}
