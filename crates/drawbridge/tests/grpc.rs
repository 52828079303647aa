//! Services over gRPC, made by other hands (@grpc/grpc-js): how they are reached, and what becomes of players when they fail.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ids::Kind;
use drawbridge_testkit::{
    Answer, Backend, Certificates, Deviation, GrpcService, Outcome, PATIENCE, Player, Signal, eventually,
    sees,
};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::grpc::{
    NO_DISCOVERY, alice, asks, failures_turn_players_away, finds_the_hub, reaches_the_hub, targets, uri,
};
use support::scrape::{METRICS, Scrape};
use support::{HUB, edge};

#[test]
fn calls_are_encrypted_and_both_sides_known() {
    let certificates = Certificates::new();
    let file = |name: &str| certificates.file(name).display().to_string();
    let mutual = finds_the_hub(
        &json!({ "tls": { "cert": file("server.pem"), "key": file("server.key"), "ca": file("ca.pem") } }),
    );
    let one_sided =
        finds_the_hub(&json!({ "tls": { "cert": file("server.pem"), "key": file("server.key") } }));
    let own = |name: &str| {
        format!(
            ", cert = '{}', key = {{ file = '{}' }}",
            file(&format!("{name}.pem")),
            file(&format!("{name}.key"))
        )
    };
    let trusting = format!("ca = '{}'", file("ca.pem"));
    for (service, tls, reached) in [
        (&mutual, format!("{trusting}{}", own("client")), true),
        (&mutual, trusting.clone(), false),
        (&mutual, format!("{trusting}{}", own("stranger")), false),
        (&one_sided, trusting.clone(), true),
        // The system trusts no such authority.
        (&one_sided, String::new(), false),
    ] {
        let endpoint = format!("{{ uris = [\"{}\"], tls = {{ {tls} }} }}", service.uri());
        let edge = edge().config(asks(&endpoint, "")).start();
        let visit = alice().join(edge.address());
        if reached {
            assert_eq!(visit.transferred(), HUB, "{tls}");
        } else {
            assert!(visit.kicked().starts_with(NO_DISCOVERY), "{tls}: {}", visit.kicked());
        }
    }
    assert_eq!(mutual.calls("GetTargets").len(), 1);
    assert_eq!(one_sided.calls("GetTargets").len(), 1);
}

#[test]
fn metadata_is_sent_along_and_never_logged() {
    let service = finds_the_hub(&json!({}));
    let endpoint = format!(
        "{{ uris = [\"{}\"], metadata = {{ authorization = {{ file = \"token\" }}, tenant = \"harbour\" }} }}",
        service.uri()
    );
    let edge = edge().file("token", "Bearer hush-hush\n").config(asks(&endpoint, "")).start();
    reaches_the_hub(&edge);
    let metadata = service.wait_for("call", "GetTargets").field("metadata").clone();
    assert_eq!(metadata["authorization"], "Bearer hush-hush");
    assert_eq!(metadata["tenant"], "harbour");
    assert!(metadata["user-agent"].as_str().unwrap().starts_with("Drawbridge/"), "{metadata}");
    assert!(!edge.log().iter().any(|line| line.text().contains("hush-hush")));
}

#[test]
fn a_service_that_hangs_is_waited_for_until_its_time_is_up_and_then_not_asked() {
    sees!("routes[].discovery(grpc).on_error");
    let service = finds_the_hub(&json!({}));
    let endpoint = format!("{{ uris = [\"{}\"], timeout = \"300ms\" }}", service.uri());
    let edge = edge().config(asks(&endpoint, "")).start();
    reaches_the_hub(&edge);
    service.set("GetTargets", &Answer::hangs());
    for _ in 0..3 {
        let visit = alice().join(edge.address());
        assert!(visit.kicked().starts_with(NO_DISCOVERY), "{}", visit.kicked());
        assert!(
            visit.took >= Duration::from_millis(300) && visit.took < Duration::from_secs(2),
            "{:?}",
            visit.took
        );
    }
    let line = edge.wait_for_message("discovery failed");
    assert!(line.field("error").unwrap().contains("no answer within 300ms"), "{line}");
    // The breaker: nobody asks for a while.
    let asked = service.calls("GetTargets").len();
    let visit = alice().join(edge.address());
    assert!(
        visit.kicked().starts_with(NO_DISCOVERY) && visit.took < Duration::from_millis(300),
        "{:?}",
        visit.took
    );
    assert_eq!(service.calls("GetTargets").len(), asked);
    service.set("GetTargets", &Answer::says(&targets()));
    let back = || (alice().join(edge.address()).kinds().last() == Some(&Kind::Transfer.name())).then_some(());
    assert!(eventually(PATIENCE, back).is_some(), "who answers again is asked again");

    for (on_error, more, reached) in [
        ("stale", "", true),
        ("next", "", false),
        ("next", "actions = [{ type = \"fixed\", targets = [{ address = \"10.0.0.3:1\" }] }]\n", true),
    ] {
        let service = finds_the_hub(&json!({}));
        let endpoint = format!("{{ uris = [\"{}\"], timeout = \"300ms\" }}", service.uri());
        let route = asks(&endpoint, &format!(", on_error = \"{on_error}\"")) + more;
        let edge = support::edge().config(format!("{METRICS}{route}")).start();
        let stale =
            || Scrape::of(edge.metrics_address()).sum("drawbridge_discovery_stale_total", &["kind=\"grpc\""]);
        assert_eq!(alice().join(edge.address()).transferred(), HUB);
        assert_eq!(stale(), 0.0, "{on_error}");
        service.set("GetTargets", &Answer::hangs());
        let visit = alice().join(edge.address());
        assert_eq!(stale(), if on_error == "stale" { 1.0 } else { 0.0 }, "{on_error}");
        match (on_error, reached) {
            ("stale", _) => assert_eq!(visit.transferred(), HUB),
            (_, true) => assert_eq!(visit.transferred(), ("10.0.0.3", 1)),
            (_, false) => {
                assert!(visit.kicked().starts_with("No server is configured"), "{}", visit.kicked());
            }
        }
    }
}

#[test]
fn a_service_that_dies_mid_call_is_asked_again_when_it_comes_back() {
    let service = finds_the_hub(&json!({}));
    let edge = edge().config(asks(&uri(&service), "")).start();
    reaches_the_hub(&edge);
    service.set("GetTargets", &Answer::dies());
    let visit = alice().join(edge.address());
    assert!(visit.kicked().starts_with(NO_DISCOVERY) && visit.took < Duration::from_secs(2), "{visit:#?}");
    let line = edge.wait_for_message("discovery failed");
    assert!(line.field("error").unwrap().contains("broke"), "{line}");
    let visit = alice().join(edge.address());
    assert!(visit.kicked().starts_with(NO_DISCOVERY) && visit.took < Duration::from_secs(2), "{visit:#?}");
    let again = finds_the_hub(&json!({ "port": service.port() }));
    let back = || (alice().join(edge.address()).kinds().last() == Some(&Kind::Transfer.name())).then_some(());
    assert!(eventually(PATIENCE, back).is_some(), "it came back");
    assert!(!again.calls("GetTargets").is_empty());
}

#[test]
fn whichever_service_fails_players_are_turned_away_in_time_until_it_is_back() {
    let methods = ["GetStatus", "Authenticate", "GetTargets", "Apply", "SelectTarget", "Localize"];
    failures_turn_players_away(GrpcService::node, &methods);
}

#[test]
fn an_edge_starts_without_its_services_and_finds_them_later() {
    let address = Backend::nobody().unwrap();
    let edge = edge().config(asks(&format!("\"http://{address}\""), "")).start();
    let visit = alice().join(edge.address());
    assert!(visit.kicked().starts_with(NO_DISCOVERY) && visit.took < Duration::from_secs(2), "{visit:#?}");
    let line = edge.wait_for_message("a service can't be reached");
    assert!(line.field("reason").unwrap().contains("refused"), "{line}");
    let _service = finds_the_hub(&json!({ "port": address.port() }));
    let there =
        || (alice().join(edge.address()).kinds().last() == Some(&Kind::Transfer.name())).then_some(());
    assert!(eventually(PATIENCE, there).is_some());
}

#[test]
fn who_leaves_is_not_asked_for_any_more() {
    let service = GrpcService::node(&json!({}));
    service.set("GetTargets", &Answer::hangs());
    let endpoint = format!("{{ uris = [\"{}\"], timeout = \"20s\" }}", service.uri());
    let edge = edge().config(asks(&endpoint, "")).start();
    let player = alice().patience(Duration::from_millis(500)).but(Deviation::SilentFrom(Kind::Transfer));
    let mut best = f64::MAX;
    // On a busy machine one of them may have to wait for a core.
    for round in 0..5 {
        let visit = player.join(edge.address());
        let left = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1_000.0;
        assert!(matches!(visit.outcome, Outcome::Ended(_)), "{visit:#?}");
        let cancelled = || service.events("cancelled").get(round).cloned();
        let at = eventually(PATIENCE, cancelled).unwrap().field("at").as_f64().unwrap();
        assert!(at > left - 50.0, "the call ended {} ms before its client left", left - at);
        best = best.min(at - left);
    }
    println!("calls outlived their clients by {best} ms at best");
    assert!(best < 100.0, "the call outlived its client by {best} ms");
}

#[test]
fn many_who_leave_at_once_leave_no_call_behind() {
    const PLAYERS: usize = 100;
    let service = GrpcService::node(&json!({}));
    service.set("GetTargets", &Answer::hangs());
    let endpoint = format!("{{ uris = [\"{}\"], timeout = \"60s\" }}", service.uri());
    let edge = edge().config(asks(&endpoint, "")).start();
    for wave in 1..=3 {
        let before = edge.descriptors();
        std::thread::scope(|scope| {
            let address = edge.address();
            for number in 0..PLAYERS {
                let player = Player::new(&format!("Player{number}"), 767).patience(Duration::from_secs(2));
                scope.spawn(move || drop(player.but(Deviation::SilentFrom(Kind::Transfer)).join(address)));
            }
        });
        let all = || (service.events("cancelled").len() == wave * PLAYERS).then_some(());
        assert!(
            eventually(PATIENCE, all).is_some(),
            "{} of {}",
            service.events("cancelled").len(),
            wave * PLAYERS
        );
        assert_eq!(service.calls("GetTargets").len(), wave * PLAYERS);
        let closed = || (edge.descriptors() <= before + 2).then_some(());
        assert!(
            eventually(PATIENCE, closed).is_some(),
            "{} descriptors, {before} before",
            edge.descriptors()
        );
    }
    // All of these calls went over one connection, which others are still answered on.
    service.set("GetTargets", &Answer::says(&targets()));
    assert_eq!(alice().join(edge.address()).transferred(), ("10.0.0.9", 25565));
    assert_eq!(connections(&service).len(), 1);
}

/// Where a call of a service came from, which is the connection.
fn connections(service: &GrpcService) -> BTreeSet<String> {
    service.calls("GetTargets").iter().map(|call| call.field("peer").as_str().unwrap().to_owned()).collect()
}

#[test]
fn calls_are_spread_over_those_that_are_up_and_serve() {
    let (one, two) = (finds_the_hub(&json!({ "health": 1 })), finds_the_hub(&json!({ "health": 1 })));
    let gone = Backend::nobody().unwrap();
    let endpoint = format!("{{ uris = [\"http://{gone}\", \"{}\", \"{}\"] }}", one.uri(), two.uri());
    let edge = edge().config(asks(&endpoint, "")).start();
    let asked = || (one.calls("GetTargets").len(), two.calls("GetTargets").len());
    let both = || {
        reaches_the_hub(&edge);
        let (one, two) = asked();
        (one > 0 && two > 0).then_some(())
    };
    assert!(eventually(PATIENCE, both).is_some(), "{:?}", asked());
    // What a service says of its calls takes its time to be heard.
    let heard = |before: (usize, usize), calls: usize| {
        let since = || (asked().0 - before.0, asked().1 - before.1);
        eventually(PATIENCE, || Some(since()).filter(|(one, two)| one + two == calls)).unwrap_or_else(since)
    };
    let before = asked();
    for _ in 0..10 {
        reaches_the_hub(&edge);
    }
    let (first, second) = heard(before, 10);
    assert!(first + second >= 10 && first >= 3 && second >= 3, "{first} and {second} of ten");

    two.health(2);
    edge.wait_for_message("a service says that it isn't serving");
    let before = asked();
    for _ in 0..4 {
        reaches_the_hub(&edge);
    }
    assert_eq!(heard(before, 4), (4, 0));
    // When nobody serves, nobody is asked.
    one.health(2);
    edge.wait_for_messages("a service says that it isn't serving", 2);
    let visit = alice().join(edge.address());
    assert!(visit.kicked().starts_with(NO_DISCOVERY), "{}", visit.kicked());
    two.health(1);
    edge.wait_for_messages("a service is there", 3);
    reaches_the_hub(&edge);
    drop(two);
    one.health(1);
    edge.wait_for_messages("a service is there", 4);
    for _ in 0..4 {
        reaches_the_hub(&edge);
    }
}

#[test]
fn a_reload_keeps_the_connections() {
    let service = finds_the_hub(&json!({}));
    let edge = edge().config(asks(&uri(&service), "")).start();
    reaches_the_hub(&edge);
    // Another way to write the same, and another deadline: the connection doesn't depend on either.
    edge.rewrite(asks(
        &format!("{{ uris = [\"{}\"], timeout = \"3s\" }}", service.uri()),
        ", on_error = \"next\"",
    ));
    edge.reload();
    edge.wait_for_message("configuration reloaded");
    reaches_the_hub(&edge);
    assert_eq!(service.calls("GetTargets").len(), 2);
    assert_eq!(connections(&service).len(), 1, "{:?}", connections(&service));
}

#[test]
fn a_peer_that_gives_no_sign_of_life_is_left() {
    let service = finds_the_hub(&json!({ "health": 1 }));
    let endpoint = format!("{{ uris = [\"{}\"], keep_alive = \"500ms\" }}", service.uri());
    let edge = edge().config(asks(&endpoint, "")).start();
    reaches_the_hub(&edge);
    service.signal(Signal::STOP);
    let line = edge.wait_for_message("a connection to a service was lost");
    service.signal(Signal::CONT);
    assert!(line.field("reason").unwrap().contains("keep-alive"), "{line}");
    let back = || (alice().join(edge.address()).kinds().last() == Some(&Kind::Transfer.name())).then_some(());
    assert!(eventually(PATIENCE, back).is_some());
}
