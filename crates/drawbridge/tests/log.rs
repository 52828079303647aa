//! What the log tells, and what it never does.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::packet::handshake::Intent;
use drawbridge_protocol::packet::login::{
    CookieRequest, CookieResponse, EncryptionRequest, LoginAcknowledged, LoginSuccess,
};
use drawbridge_testkit::{
    Account, Connection, Edge, Jar, Line, Outcome, PATIENCE, Player, SessionServer, eventually,
};
use std::time::Instant;
use support::attack::answer;
use support::ctl::{carried, comes, world};
use support::raw::{handshake, login_start};
use support::scrape::{METRICS, wait_for};
use support::{AUTHENTICATION, COOKIES, edge, route};

/// A shared secret that would be known again.
const SHARED: &[u8; 16] = b"tell nobody this";

/// The ways in which bytes could find their way into a text.
fn forms(bytes: &[u8]) -> Vec<String> {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let listed: Vec<String> = bytes.iter().map(u8::to_string).collect();
    vec![
        String::from_utf8_lossy(bytes).into_owned(),
        bytes.escape_ascii().to_string(),
        hex.to_uppercase(),
        hex,
        BASE64_STANDARD.encode(bytes).trim_end_matches('=').to_owned(),
        listed.join(", "),
    ]
}

/// Comes back with these cookies and [`SHARED`], to the hand-over.
fn returns(edge: &Edge, alice: &Account, jar: &Jar) {
    let mut connection = Player::with_account(alice, 767).sent_on(jar).knock(edge.address()).unwrap();
    let cookie =
        |request: CookieRequest| CookieResponse { payload: jar.get(&request.key).cloned(), key: request.key };
    let hint = cookie(connection.receive().unwrap().read().unwrap());
    connection.send(&hint).unwrap();
    let request: EncryptionRequest = connection.receive().unwrap().read().unwrap();
    connection.send(&answer(&request, SHARED, &request.verify_token)).unwrap();
    connection.encrypt(SHARED);
    let proof = cookie(connection.receive().unwrap().read().unwrap());
    connection.send(&proof).unwrap();
    connection.receive().unwrap().read::<LoginSuccess>().unwrap();
    connection.send(&LoginAcknowledged {}).unwrap();
    connection.closed().unwrap();
}

#[test]
fn names_and_hosts_are_escaped_and_secrets_never_told() {
    const NAME: &str = "\u{1b}[2J\r\n\u{7}\t\u{9b}31m";
    const HOST: &str = "evil\u{1b}[31m\r\nINFO handed over\u{9b}.example.com";
    let session = SessionServer::start().unwrap();
    let telemetry = "[telemetry]\nformat = \"pretty\"\nlog = \"trace\"\n";
    let authentication =
        format!("names = \"(?s).*\"\n[routes.authentication]\nurl = \"{}\"\n", session.url());
    let edge = edge().config(format!("{telemetry}{COOKIES}{}", route("lobby", &authentication))).start();
    let stranger = Player::new(NAME, 767).host(HOST).join(edge.address());
    assert!(matches!(stranger.outcome, Outcome::Disconnect { .. }), "{stranger:#?}");
    let told = |what: &str, is: fn(&Line) -> bool| drop(edge.wait_for(what, is));
    told("the name", |line| line.text().contains("authentication") && line.text().contains("[2J"));

    let alice = session.account("Alice");
    let first = Player::with_account(&alice, 767).join(edge.address());
    returns(&edge, &alice, &first.jar);
    edge.reload();
    told("that it was reloaded, after all else", |line| line.text().contains("configuration reloaded"));

    let log = edge.log();
    for line in &log {
        let control = line.text().chars().find(|&letter| letter.is_control());
        assert_eq!(control, None, "{line:?}");
        // What begins otherwise began as part of another line.
        assert!(line.text().starts_with("20"), "{line:?}");
    }
    assert!(log.iter().any(|line| line.text().contains("TRACE")), "all is told that can be");
    let proof = &first.jar[AUTHENTICATION];
    for (what, secret) in [
        ("the key for cookies", &b"0123456789abcdef0123456789abcdef"[..]),
        ("the shared secret", SHARED),
        ("the access token", alice.token().as_bytes()),
        ("the cookie", proof),
        ("the cookie's seal", &proof[proof.len() - 32..]),
    ] {
        for form in forms(secret) {
            let line = log.iter().find(|line| line.text().contains(&form));
            assert!(line.is_none(), "{what}: {}", line.unwrap());
        }
    }
}

/// Whoever may choose how often they are turned away doesn't choose how much is written.
#[test]
fn floods_that_are_turned_away_leave_no_lines_but_seldom_ones() {
    const TIMES: usize = 100;
    const CONNECTIONS: usize = 64;
    const PER_ADDRESS: u8 = 8;
    let limits = format!(
        "[limits]\nconnections = {CONNECTIONS}\nper_address = {PER_ADDRESS}\nhandshake_timeout = \"120s\"\n\
         status = {{ burst = 1, per = \"1h\" }}\n"
    );
    let doors = "[access]\ndeny = [\"127.0.0.3\"]\n[proxy_protocol]\ntrusted = [\"127.0.0.4\"]\n";
    let telemetry = "[telemetry]\nformat = \"json\"\nlog = \"info\"\n";
    let routes = "[[routes]]\nname = \"world\"\nhosts = [\"world\"]\nmode = \"passthrough\"\ntargets = [\"127.0.0.1:1\"]\n";
    let edge = edge().config(format!("{METRICS}{limits}{doors}{telemetry}{routes}")).start();
    let at = edge.metrics_address();
    let (before, since) = (edge.log().len(), Instant::now());
    let open = |from: u8| {
        Connection::open_from([127, 0, 0, from].into(), edge.address(), ProtocolVersion::V1_21).unwrap()
    };
    let floods = |reason: &str, from: u8, said: &[u8]| {
        for _ in 0..TIMES {
            let mut connection = open(from);
            // They may have been turned away already.
            let _ = connection.raw(said).and_then(|()| connection.rest());
        }
        let turned_away = [&*format!("refusal=\"{reason}\"")];
        let ended = "drawbridge_connections_ended_total";
        wait_for(at, ended, &turned_away, |count| count >= TIMES as f64);
    };
    let held = |from: u8| -> Vec<_> { (0..PER_ADDRESS).map(|_| open(from)).collect() };

    let ping = [handshake(767, "world", Intent::Status), b"\x01\x00".to_vec()].concat();
    open(2).status("world").unwrap();
    floods("rate", 2, &ping);
    floods("access", 3, &ping);
    floods("proxy_header", 4, b"this is no header");
    floods("malformed", 5, &[0xff; 16]);
    let nowhere = [handshake(767, "nowhere", Intent::Login), login_start(767, "Alice")].concat();
    floods("no_route", 6, &nowhere);
    let few = held(7);
    wait_for(at, "drawbridge_connections_undecided", &[], |open| open >= f64::from(PER_ADDRESS));
    floods("address_full", 7, &ping);
    let many: Vec<_> = (8..15).map(held).collect();
    wait_for(at, "drawbridge_connections_undecided", &[], |open| open >= CONNECTIONS as f64);
    floods("full", 15, &ping);
    drop((few, many));

    let seldom = 1 + since.elapsed().as_secs() / 10;
    let log = edge.log().split_off(before);
    for told in ["a trusted proxy sent no valid header", "turned away"] {
        let lines = log.iter().filter(|line| line.message() == Some(told)).count();
        assert!((1..=seldom).contains(&(lines as u64)), "{told}: {lines} times");
    }
    assert!(log.len() as u64 <= 2 * seldom, "{log:#?}");
}

/// There is room for a player, and none for the way to their target.
#[test]
fn who_finds_no_room_behind_the_door_is_told_of_seldom_too() {
    const TIMES: usize = 20;
    let world = world();
    let limits = "[limits]\nconnections = 3\n";
    let edge = edge().config(format!("{limits}{}", carried("world", "*", world.address(), ""))).start();
    let _alice = comes(&edge, &Player::new("Alice", ProtocolVersion::V1_21));
    let since = Instant::now();
    for _ in 0..TIMES {
        let visit = Player::new("Bob", ProtocolVersion::V1_21).join(edge.address());
        assert!(visit.kicked().contains("full"), "{}", visit.kicked());
    }
    let is_full = |line: &Line| line.field("reason").as_deref() == Some("full");
    let told = || edge.log().into_iter().filter(is_full).collect::<Vec<_>>();
    let all = eventually(PATIENCE, || Some(told()).filter(|lines| lines.len() >= TIMES)).unwrap();
    let seldom = 1 + since.elapsed().as_secs() / 10;
    let lines = all.iter().filter(|line| line.level() == Some("WARN")).count() as u64;
    assert!((1..=seldom).contains(&lines), "{lines} lines");
}
