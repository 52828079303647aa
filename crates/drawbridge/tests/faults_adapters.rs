//! The lines between the edge and whom its adapters ask are slow, stand still or break: nobody is let in unverified, players and pings
//! are answered in time, and once a line is well again all is as before.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{
    Account, Answer, Cut, Door, Edge, Flow, GrpcService, Outcome, PATIENCE, Player, SessionServer, Web, Wire,
    eventually, ping,
};
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use support::grpc::BACK;
use support::{HUB, description, edge, route};

const VERSION: ProtocolVersion = ProtocolVersion::V1_21;
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(1);
/// How much longer all else may take, on a machine that is busy with other things.
const SOON: Duration = Duration::from_secs(2);
/// What a player reads while nobody can be asked.
const UNAVAILABLE: &str = "The authentication servers can't be reached right now.";

/// A way to break a line.
type Way = (&'static str, fn(&Wire));

/// Where an answer of HTTP is cut: before it, in its head and in its body.
const WAYS: [Way; 11] = [
    ("late", |wire| wire.back(Flow::Late(2 * TIMEOUT))),
    ("slow", |wire| wire.back(Flow::Trickles { bytes: 1, every: Duration::from_millis(20) })),
    ("unheard", |wire| wire.there(Flow::Vanishes)),
    ("unanswered", |wire| wire.back(Flow::Vanishes)),
    ("stalled", |wire| wire.both(Flow::STALLED)),
    ("closed", |wire| wire.back(Flow::Breaks { after: 0, by: Cut::Close })),
    ("reset in the question", |wire| wire.there(Flow::Breaks { after: 20, by: Cut::Reset })),
    ("closed in the head", |wire| wire.back(Flow::Breaks { after: 20, by: Cut::Close })),
    ("closed in the body", |wire| wire.back(Flow::Breaks { after: 200, by: Cut::Close })),
    ("refused", |wire| {
        wire.door(Door::Shut).unwrap();
        wire.cut(Cut::Reset);
    }),
    ("accepted in silence", |wire| {
        wire.door(Door::Silent).unwrap();
        wire.cut(Cut::Close);
    }),
];

fn heal(wire: &Wire) {
    wire.both(Flow::Free);
    wire.door(Door::Open).unwrap();
}

/// The address in a URL.
fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().unwrap()
}

/// Somebody with an account reads that nobody can be asked, in time.
#[track_caller]
fn assert_unavailable(edge: &Edge, account: &Account, way: &str) {
    let visit = Player::with_account(account, VERSION).join(edge.address());
    assert!(visit.kicked().starts_with(UNAVAILABLE), "{way}: {}", visit.kicked());
    assert!(visit.profile().is_none(), "{way}");
    assert!(visit.took < TIMEOUT + SOON, "{way}: {:?}", visit.took);
}

#[test]
fn nobody_is_let_in_over_a_bad_line_to_the_session_server_and_the_next_is_when_it_is_well() {
    let session = SessionServer::start().unwrap();
    let wire = Wire::to(address(&session.url())).unwrap();
    let asking = format!("[routes.authentication]\nurl = \"http://{}\"\n", wire.address());
    let edge =
        edge().config(route("lobby", &format!("{asking}timeout = \"{}ms\"\n", TIMEOUT.as_millis()))).start();
    let alice = session.account("Alice");
    let is_let_in = |way: &str| {
        let visit = Player::with_account(&alice, VERSION).join(edge.address());
        assert_eq!(visit.transferred(), HUB, "{way}");
        assert_eq!(visit.profile().unwrap().id, alice.id(), "{way}");
    };
    is_let_in("at first");
    for (way, breaks) in WAYS {
        breaks(&wire);
        assert_unavailable(&edge, &alice, way);
        heal(&wire);
        is_let_in(way);
    }
    wire.both(Flow::Trickles { bytes: 1, every: Duration::ZERO });
    is_let_in("a byte at a time, in time");
    edge.wait_for_refusal("authentication_unavailable");
}

/// A status as servers send it, longer than where answers are cut.
fn saying(text: &str) -> Vec<u8> {
    let players = json!({ "max": 20, "online": 3, "sample": [] });
    let version = json!({ "name": "Paper", "protocol": 767 });
    let status = json!({ "padding": "x".repeat(300), "description": { "text": text }, "players": players, "version": version });
    status.to_string().into_bytes()
}

fn shown(edge: &Edge) -> String {
    let (document, took) = ping(edge.address(), VERSION, "localhost").unwrap();
    assert!(took < SOON, "a ping took {took:?}");
    description(&document)
}

#[test]
fn pings_show_the_last_status_over_a_bad_line_and_the_next_one_when_it_is_well() {
    let web = Web::start(200, &saying("page 0")).unwrap();
    let wire = Wire::to(address(&web.url())).unwrap();
    let status = format!(
        "[routes.status]\ntype = \"http\"\nurl = \"http://{}\"\nrefresh = \"1s\"\ntimeout = \"{}ms\"\n",
        wire.address(),
        TIMEOUT.as_millis()
    );
    let edge = edge().config(route("lobby", &status)).start();
    let comes_to_show = |text: &str, way: &str| {
        let seen = eventually(PATIENCE, || (shown(&edge) == text).then_some(()));
        assert!(seen.is_some(), "{way}: it still shows {:?}, not {text:?}", shown(&edge));
    };
    comes_to_show("page 0", "at first");
    // One of each kind: it is asked once a second.
    let ways = ["slow", "unanswered", "stalled", "closed in the body", "refused"];
    let ways = WAYS.iter().filter(|(way, _)| ways.contains(way));
    for (number, (way, breaks)) in (1..).zip(ways) {
        breaks(&wire);
        web.answer(200, &saying(&format!("page {number}")));
        edge.wait_for_messages("the status can't be had", number);
        assert_eq!(shown(&edge), format!("page {}", number - 1), "{way}");
        heal(&wire);
        comes_to_show(&format!("page {number}"), way);
    }
}

/// A connection of HTTP/2 is kept and shared: what breaks it, or holds it up, is to be the calls' under way and of nobody after them.
#[test]
fn nobody_is_let_in_over_a_bad_line_to_a_service_and_others_are_when_it_is_well() {
    let session = SessionServer::start().unwrap();
    let service = GrpcService::node(&json!({}));
    service.set("Authenticate", &Answer::has_joined(&session.url()));
    let wire = Wire::to(SocketAddr::from(([127, 0, 0, 1], service.port()))).unwrap();
    let asking = format!(
        "[routes.authentication]\ntype = \"grpc\"\nendpoint = {{ uris = [\"http://{}\"], timeout = \"{}ms\" }}\n",
        wire.address(),
        TIMEOUT.as_millis()
    );
    let edge = edge().config(route("lobby", &asking)).start();
    let alice = session.account("Alice");
    let is_let_in = |way: &str| {
        let is = || {
            let visit = Player::with_account(&alice, VERSION).join(edge.address());
            matches!(visit.outcome, Outcome::Transfer { .. }).then(|| visit.profile().unwrap().id)
        };
        assert_eq!(eventually(BACK + SOON, is), Some(alice.id()), "{way}");
    };
    is_let_in("at first");
    let ways = ["late", "stalled", "closed", "reset in the question", "refused"];
    for (way, breaks) in WAYS.iter().filter(|(way, _)| ways.contains(way)) {
        breaks(&wire);
        assert_unavailable(&edge, &alice, way);
        heal(&wire);
        is_let_in(way);
    }
    // The longer it is away the more seldom it is looked for, but for this. There is nothing to wait for but time.
    wire.door(Door::Shut).unwrap();
    wire.cut(Cut::Reset);
    let _: Option<()> = eventually(5 * BACK / 2, || None);
    heal(&wire);
    is_let_in("after a while");
}
