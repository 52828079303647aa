//! Load balancers that say whom they speak for, and others who only pretend to.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{Connection, Edge, Player, SessionServer, ping, sees};
use std::time::Duration;
use support::{HUB, edge, lobby, open_lobby};

const VERSION: ProtocolVersion = ProtocolVersion::V1_21;

/// The load balancer's address; the tests' own isn't one.
const BALANCER: [u8; 4] = [127, 0, 0, 2];

const TRUSTED: &str = "[proxy_protocol]\ntrusted = [\"127.0.0.2\"]\n";

/// From the specification: signature, version 2 and PROXY, TCP over IPv4, 12 bytes, 203.0.113.7:4711 → 198.51.100.1:25565.
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x07\xc6\x33\x64\x01\x12\x67\x63\xdd";
const V1: &[u8] = b"PROXY TCP4 203.0.113.7 198.51.100.1 4711 25565\r\n";

fn house() -> Edge {
    edge().config(format!("{TRUSTED}{}", open_lobby())).start()
}

fn client_of(edge: &Edge, player: &str) -> String {
    let line = edge.wait_for("the hand-over", |line| {
        line.message() == Some("handed over") && line.field("player").as_deref() == Some(player)
    });
    line.field("client").unwrap()
}

#[test]
fn a_trusted_header_says_who_the_client_is() {
    sees!("proxy_protocol.trusted");
    let edge = house();
    let with_tlv = [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x13"[..], &V2[16..], b"\x04\0\x04\0\0\0\0"].concat();
    let v6 = b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 25565\r\n";
    let mapped = b"PROXY TCP6 ::ffff:203.0.113.7 ::ffff:198.51.100.1 4711 25565\r\n";
    for (name, header, client) in [
        ("V1", V1, "203.0.113.7:4711"),
        ("V2", V2, "203.0.113.7:4711"),
        ("V2_tlv", &with_tlv, "203.0.113.7:4711"),
        ("V1_v6", v6, "[2001:db8::7]:4711"),
        ("V1_mapped", mapped, "203.0.113.7:4711"),
    ] {
        let visit = Player::new(name, 767).from(BALANCER).preamble(header).join(edge.address());
        assert_eq!(visit.transferred(), HUB, "{name}");
        assert_eq!(client_of(&edge, name), client, "{name}");
    }
}

#[test]
fn a_header_that_names_nobody_leaves_the_balancer_itself() {
    let edge = house();
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    for (name, header) in [("Unknown", &b"PROXY UNKNOWN\r\n"[..]), ("Local", local)] {
        let visit = Player::new(name, 767).from(BALANCER).preamble(header).join(edge.address());
        assert_eq!(visit.transferred(), HUB, "{name}");
        assert!(client_of(&edge, name).starts_with("127.0.0.2:"), "{name}");
    }
}

#[test]
fn a_header_in_any_pieces_is_the_same() {
    let edge = edge().config(format!("threads = 1\n{TRUSTED}{}", open_lobby())).start();
    for header in [V1, V2] {
        for cut in 1..header.len() {
            let mut connection = Connection::open_from(BALANCER.into(), edge.address(), VERSION).unwrap();
            connection.raw(&header[..cut]).unwrap();
            // Answered by the same thread, it knows that the first piece has been read.
            ping(edge.address(), VERSION, "localhost").unwrap();
            connection.raw(&header[cut..]).unwrap();
            connection.status("localhost").unwrap();
        }
    }
}

#[test]
fn a_trusted_peer_must_send_a_header() {
    let edge = house();
    let visit = Player::new("Alice", 767).from(BALANCER).join(edge.address());
    assert!(visit.dropped(), "{visit:#?}");
    edge.wait_for_refusal("proxy_header");
    let told =
        edge.wait_for("a warning", |line| line.message() == Some("a trusted proxy sent no valid header"));
    assert_eq!(told.level(), Some("WARN"), "it keeps everybody out");
    for header in [
        &b"PROXY TCP4 203.0.113.7\r\n"[..],
        b"PROXY TCP4 203.0.113.7 198.51.100.1 4711 99999\r\n",
        b"PROXY TCP4 203.0.113.007 198.51.100.1 4711 25565 extra\r\n",
        &[b'P'; 200],
        &[&b"PROXY UNKNOWN "[..], &[b'x'; 200]].concat(),
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c\xcb\0\x71\x07\xc6\x33\x64\x01\x12\x67\x63\xdd",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x31\0\x00",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x04\xcb\0\x71\x07",
    ] {
        let mut connection = Connection::open_from(BALANCER.into(), edge.address(), VERSION).unwrap();
        // The edge may close before it has read all.
        let _ = connection.raw(header);
        connection.within(Duration::from_secs(3)).closed().unwrap_or_else(|trouble| {
            panic!("{trouble} after {}", String::from_utf8_lossy(header));
        });
    }
    edge.serves_others_within(support::AT_ONCE);
}

#[test]
fn nobody_else_may_send_one() {
    for config in [open_lobby(), format!("{TRUSTED}{}", open_lobby())] {
        let edge = edge().config(config).start();
        for header in [V1, V2] {
            let visit = Player::new("Alice", 767).preamble(header).join(edge.address());
            assert!(visit.dropped(), "{visit:#?}");
        }
        edge.wait_for_refusal("proxy_header");
        ping(edge.address(), VERSION, "localhost").unwrap();
    }
}

#[test]
fn rules_and_limits_go_by_the_client_not_by_the_balancer() {
    let rules = "[access]\ndeny = [\"203.0.113.0/24\"]\n[limits]\nlogin = { burst = 1, per = \"1h\" }\n";
    let edge = edge().config(format!("{rules}{TRUSTED}{}", open_lobby())).start();
    let join = |name: &str, client: &str| {
        let header = format!("PROXY TCP4 {client} 198.51.100.1 4711 25565\r\n");
        Player::new(name, 767).from(BALANCER).preamble(header.as_bytes()).join(edge.address())
    };
    assert!(join("Denied", "203.0.113.7").dropped());
    assert_eq!(join("First", "192.0.2.1").transferred(), HUB);
    assert!(join("Again", "192.0.2.1").kicked().starts_with("You are joining too often."));
    assert_eq!(join("Other", "192.0.2.2").transferred(), HUB);
}

#[test]
fn the_session_server_is_told_the_clients_address() {
    sees!("routes[].authentication(mojang).check_address");
    let session = SessionServer::start().unwrap();
    let edge = edge().config(format!("{TRUSTED}{}check_address = true\n", lobby(&session))).start();
    let alice = session.account("Alice");
    let asked_ip = || {
        let asked = session.last_asked().unwrap();
        asked.parameter("ip").map(str::to_owned)
    };
    assert_eq!(Player::with_account(&alice, 767).join(edge.address()).transferred(), HUB);
    assert_eq!(asked_ip().as_deref(), Some("127.0.0.1"));
    let visit = Player::with_account(&alice, 767).from(BALANCER).preamble(V2).join(edge.address());
    assert!(visit.kicked().starts_with("Your account couldn't be verified."), "joined from elsewhere");
    assert_eq!(asked_ip().as_deref(), Some("203.0.113.7"));

    let lax = support::edge().config(lobby(&session)).start();
    assert_eq!(Player::with_account(&alice, 767).join(lax.address()).transferred(), HUB);
    assert_eq!(asked_ip(), None);
}
