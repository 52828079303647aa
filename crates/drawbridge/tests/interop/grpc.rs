//! Services over gRPC in Python: grpcio, and what its own tools generate.

use crate::support::edge;
use crate::support::grpc::{
    bare_route, failures_turn_players_away, mutual_tls, real_logins_are_decided_by, targets, uri,
};
use drawbridge_protocol::ids::Kind;
use drawbridge_testkit::{Answer, Certificates, Deviation, GrpcService, Outcome, Player};
use serde_json::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[test]
#[ignore = "run by cargo xtask interop"]
fn services_in_python_decide_real_logins() {
    // Python's server has its own views of how often it may be asked for a sign of life.
    let service = GrpcService::python(&json!({ "health": 1 }));
    real_logins_are_decided_by(&service, &uri(&service));
}

#[test]
#[ignore = "run by cargo xtask interop"]
fn a_service_in_python_that_fails_lets_nobody_in_until_it_is_back() {
    failures_turn_players_away(GrpcService::python, &["Authenticate"]);
}

#[test]
#[ignore = "run by cargo xtask interop"]
fn a_service_in_python_is_spoken_to_in_private_and_learns_who_left() {
    let certificates = Certificates::new();
    let (mut options, tls) = mutual_tls(&certificates);
    options["form"] = json!("nested");
    let service = GrpcService::python(&options);
    service.set("GetTargets", &Answer::says(&targets()));
    let endpoint = format!("{{ uris = [\"{}\"], timeout = \"20s\", tls = {tls} }}", service.uri());
    let route = bare_route(&format!(
        "authentication.type = \"disabled\"\ndiscovery = {{ type = \"grpc\", endpoint = {endpoint}, request = \"nested\" }}\n"
    ));
    let alice = Player::new("Alice", 767);
    assert_eq!(alice.join(edge().config(&route).start().address()).transferred(), ("10.0.0.9", 25565));
    for (answer, error) in
        [(Answer::garbage(), "it answers"), (Answer::error(13, "out of order"), "out of order")]
    {
        service.set("GetTargets", &answer);
        // What fails is told once in a while: each has an edge of its own.
        let edge = edge().config(&route).start();
        assert!(alice.join(edge.address()).kicked().starts_with("Looking for a server failed."));
        edge.wait_for(error, |line| line.field("error").is_some_and(|told| told.contains(error)));
    }
    service.set("GetTargets", &Answer::hangs());
    let edge = edge().config(&route).start();
    let visit = alice
        .patience(Duration::from_millis(500))
        .but(Deviation::SilentFrom(Kind::Transfer))
        .join(edge.address());
    assert!(matches!(visit.outcome, Outcome::Ended(_)), "{visit:#?}");
    let at = service.wait_for("cancelled", "GetTargets").field("at").as_f64().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1_000.0;
    assert!(now - at < 2_000.0, "long before the call's own end");
}
