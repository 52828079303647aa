//! What the log tells, and what it never does.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use drawbridge_protocol::packet::login::{
    CookieRequest, CookieResponse, EncryptionRequest, LoginAcknowledged, LoginSuccess,
};
use drawbridge_testkit::{Account, Edge, Jar, Line, Outcome, Player, SessionServer};
use support::attack::answer;
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
