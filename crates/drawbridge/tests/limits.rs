//! Bounds on what addresses may use.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{
    Connection, Edge, Jar, Mode, Outcome, Player, SessionServer, Tarpit, eventually, ping, sees,
};
use std::time::{Duration, Instant};
use support::{HUB, closes_without_a_word, edge, lobby, open_lobby, turned_away};

const VERSION: ProtocolVersion = ProtocolVersion::V1_21;

fn limited(limits: &str) -> Edge {
    edge().config(format!("[limits]\n{limits}\n{}", open_lobby())).start()
}

/// Opens a connection and begins a greeting with it. Whether the edge keeps it: one that is refused is closed at once.
fn kept(edge: &Edge, from: [u8; 4]) -> Option<Connection> {
    let mut connection = Connection::open_from(from.into(), edge.address(), VERSION).unwrap();
    let outcome = connection.status("localhost");
    (!turned_away(outcome)).then_some(connection)
}

/// Waits until a connection from the address is kept: an earlier one's end has been noticed.
fn kept_eventually(edge: &Edge, from: [u8; 4]) -> Connection {
    eventually(Duration::from_secs(10), || kept(edge, from)).expect("no connection is kept any more")
}

#[test]
fn connections_of_one_address_are_bounded() {
    sees!("limits.per_address");
    let edge = limited("per_address = 3\nstatus = { burst = 1000, per = \"1s\" }");
    let mut open: Vec<_> = (0..3).map(|_| kept(&edge, [127, 0, 0, 1]).unwrap()).collect();
    assert!(kept(&edge, [127, 0, 0, 1]).is_none(), "the fourth");
    edge.wait_for_refusal("address_full");
    let other = kept(&edge, [127, 0, 0, 2]);
    assert!(other.is_some(), "another address isn't held back");
    open.pop();
    kept_eventually(&edge, [127, 0, 0, 1]);
}

/// A login counts for as long as it lives, not for its greeting alone.
#[test]
fn logins_under_way_count() {
    let session = SessionServer::start().unwrap();
    session.mode(Mode::Held);
    let edge = edge().config(format!("[limits]\nper_address = 2\n{}", lobby(&session))).start();
    let player = Player::new("Alice", 767);
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let mut connection = player.knock(edge.address()).unwrap();
            connection.receive().unwrap();
            connection
        })
        .collect();
    assert!(player.join(edge.address()).dropped());
    drop(waiting);
    kept_eventually(&edge, [127, 0, 0, 1]);
    session.release();
}

#[test]
fn connections_in_all_are_bounded() {
    sees!("limits.connections");
    let edge = limited("connections = 5\nstatus = { burst = 1000, per = \"1s\" }");
    let mut open: Vec<_> = (1..=5).map(|host| kept(&edge, [127, 0, 0, host]).unwrap()).collect();
    assert!(kept(&edge, [127, 0, 0, 6]).is_none(), "the sixth, whoever it is");
    edge.wait_for_refusal("full");
    open.pop();
    kept_eventually(&edge, [127, 0, 0, 6]);
}

/// How many of twenty knocks are answered.
fn answered(mut knock: impl FnMut() -> bool) -> usize {
    (0..20).filter(|_| knock()).count()
}

#[test]
fn status_requests_have_a_rate() {
    sees!("limits.status.burst");
    let edge = limited("status = { burst = 4, per = \"1h\" }");
    assert_eq!(answered(|| kept(&edge, [127, 0, 0, 1]).is_some()), 4);
    assert_eq!(answered(|| kept(&edge, [127, 0, 0, 2]).is_some()), 4, "each address has its own");
    edge.wait_for_refusal("rate");
    let visit = Player::new("Alice", 767).join(edge.address());
    assert_eq!(visit.transferred(), HUB, "logins have another");
    // Legacy pings are no way around it.
    let mut legacy = Connection::open(edge.address(), VERSION).unwrap();
    legacy.raw(&[0xfe, 0x01]).unwrap();
    assert!(closes_without_a_word(&mut legacy));
}

#[test]
fn each_rate_recovers() {
    sees!("limits.status.per", "limits.login.per", "limits.transfer.per");
    let rate = "{ burst = 1, per = \"500ms\" }";
    let edge = limited(&format!("status = {rate}\nlogin = {rate}\ntransfer = {rate}"));
    let fresh = Player::new("Alice", 767);
    let returning = fresh.clone().sent_on(&Jar::new());
    let joins = |player: &Player| matches!(player.join(edge.address()).outcome, Outcome::Transfer { .. });
    let pings = || kept(&edge, [127, 0, 0, 1]).is_some();
    let (joins_fresh, joins_again) = (|| joins(&fresh), || joins(&returning));
    for knock in [&pings as &dyn Fn() -> bool, &joins_fresh, &joins_again] {
        assert!(knock());
        assert!(!knock());
        assert!(eventually(Duration::from_secs(5), || knock().then_some(())).is_some());
    }
}

#[test]
fn logins_and_transfers_have_rates() {
    sees!("limits.login.burst", "limits.transfer.burst");
    let edge = limited("login = { burst = 3, per = \"1h\" }\ntransfer = { burst = 5, per = \"1h\" }");
    let fresh = Player::new("Alice", 767);
    let returning = fresh.clone().sent_on(&Jar::new());
    let joins = |player: &Player| {
        let visit = player.join(edge.address());
        match &visit.outcome {
            Outcome::Transfer { .. } => true,
            _ => {
                assert!(visit.kicked().starts_with("You are joining too often."), "{}", visit.kicked());
                false
            }
        }
    };
    assert_eq!(answered(|| joins(&fresh)), 3);
    assert_eq!(answered(|| joins(&returning)), 5);
    let elsewhere = fresh.clone().from([127, 0, 0, 2]);
    assert_eq!(answered(|| joins(&elsewhere)), 3, "each address has its own");
    assert!(kept(&edge, [127, 0, 0, 1]).is_some(), "and the server list has another");
    let mut old = Connection::open(edge.address(), VERSION).unwrap();
    old.raw(b"\x02\x00\x05\0A\0l\0i\0c\0e").unwrap();
    let kick = old.rest().unwrap();
    assert_eq!(kick.first(), Some(&0xff), "legacy logins are no way around it, and are told too");
    assert!(String::from_utf8_lossy(&kick).replace('\0', "").contains("too often"));
}

#[test]
fn coming_back_without_a_cookie_counts_as_a_login() {
    let session = SessionServer::start().unwrap();
    let limits = "[limits]\nlogin = { burst = 2, per = \"1h\" }\n";
    let edge = edge().config(format!("{limits}{}", support::lobby(&session))).start();
    let alice = session.account("Alice");
    let returning = Player::with_account(&alice, 767).sent_on(&Jar::new());
    let joins = || matches!(returning.join(edge.address()).outcome, Outcome::Transfer { .. });
    assert_eq!(answered(joins), 2);
}

#[test]
fn what_counts_as_one_address_can_be_wider() {
    sees!("limits.prefix.v4");
    let edge = limited("per_address = 1\nstatus = { burst = 1000, per = \"1s\" }\nprefix = { v4 = 24 }");
    let first = kept(&edge, [127, 0, 5, 1]);
    assert!(first.is_some());
    assert!(kept(&edge, [127, 0, 5, 200]).is_none());
    assert!(kept(&edge, [127, 0, 6, 1]).is_some());
}

/// A PROXY v2 header that says TCP over IPv6, from this address.
fn proxied_v6(source: &str) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24".to_vec();
    header.extend(source.parse::<std::net::Ipv6Addr>().unwrap().octets());
    header.extend(std::net::Ipv6Addr::LOCALHOST.octets());
    header.extend([0x10, 0x00, 0x63, 0xdd]);
    header
}

#[test]
fn an_ipv6_customer_is_one_address() {
    sees!("limits.prefix.v6");
    let trusted = "[proxy_protocol]\ntrusted = [\"127.0.0.1\"]\n";
    for (prefix, same, other) in [
        ("", "2001:db8:1:2:ffff::1", "2001:db8:1:3::1"),
        ("prefix = { v6 = 48 }", "2001:db8:1:ffff::1", "2001:db8:2::1"),
    ] {
        let limits = format!("[limits]\nper_address = 1\n{prefix}\n{trusted}{}", open_lobby());
        let edge = edge().config(limits).start();
        let open = |source: &str| {
            let mut connection = Connection::open(edge.address(), VERSION).unwrap();
            connection.raw(&proxied_v6(source)).unwrap();
            let outcome = connection.status("localhost");
            (!turned_away(outcome)).then_some(connection)
        };
        let first = open("2001:db8:1:2::1");
        assert!(first.is_some());
        assert!(open(same).is_none(), "{prefix:?}");
        assert!(open(other).is_some(), "{prefix:?}");
    }
}

#[test]
fn a_larger_packet_than_allowed_is_refused() {
    sees!("limits.max_packet");
    let edge = limited("max_packet = \"1KiB\"");
    let host = |length: usize| "h".repeat(length);
    let greets = |length: usize| {
        let mut connection = Connection::open(edge.address(), VERSION).unwrap();
        !turned_away(connection.status(&host(length)))
    };
    assert!(greets(1000));
    assert!(!greets(1100));
    let wider = limited("max_packet = \"2KiB\"");
    let mut connection = Connection::open(wider.address(), VERSION).unwrap();
    assert!(connection.status(&host(1100)).is_ok());
}

#[test]
fn the_session_server_counts_into_the_time_for_a_login() {
    sees!("limits.login_timeout");
    let session = SessionServer::start().unwrap();
    let config = format!("[limits]\nlogin_timeout = \"4s\"\n{}timeout = \"20s\"\n", lobby(&session));
    let edge = edge().config(config).start();
    let alice = session.account("Alice");
    session.mode(Mode::Silent);
    let start = Instant::now();
    let visit = Player::with_account(&alice, 767).join(edge.address());
    assert!(visit.kicked().starts_with("Joining took too long."), "{}", visit.kicked());
    let took = start.elapsed();
    assert!(took > Duration::from_millis(3900) && took < Duration::from_secs(9), "{took:?}");
}

#[test]
fn placement_has_its_own_time() {
    sees!("limits.placement_timeout");
    let slow = Tarpit::start().unwrap();
    let target = slow.address().unwrap();
    let config = format!(
        "[limits]\nplacement_timeout = \"1s\"\n[[routes]]\nname = \"lobby\"\nhosts = [\"*\"]\nmode = \"transfer\"\n\
         targets = [\"{target}\"]\n[routes.authentication]\ntype = \"disabled\"\n[routes.transfer]\nprobe = true\n"
    );
    let edge = edge().config(config).start();
    let start = Instant::now();
    let visit = Player::new("Alice", 767).join(edge.address());
    assert!(visit.kicked().starts_with("Finding a server for you took too long."), "{}", visit.kicked());
    let took = start.elapsed();
    assert!(took > Duration::from_millis(900) && took < Duration::from_secs(6), "{took:?}");
}

#[test]
fn who_may_connect_is_decided_before_a_byte_is_read() {
    sees!("access.allow", "access.deny");
    let rules = "[access]\nallow = [\"127.0.0.0/24\"]\ndeny = [\"127.0.0.2\"]\n";
    let edge = edge().config(format!("{rules}{}", open_lobby())).start();
    let closed = |from: [u8; 4]| {
        let mut connection = Connection::open_from(from.into(), edge.address(), VERSION).unwrap();
        connection.within(Duration::from_secs(2)).closed().is_ok()
    };
    assert!(kept(&edge, [127, 0, 0, 1]).is_some());
    assert!(closed([127, 0, 0, 2]), "denied, though allowed");
    assert!(closed([127, 0, 1, 1]), "not allowed");
    edge.wait_for_refusal("access");
    // Legacy clients too.
    let mut legacy = Connection::open_from([127, 0, 0, 2].into(), edge.address(), VERSION).unwrap();
    // The edge may have closed it already.
    let _ = legacy.raw(&[0xfe, 0x01]);
    assert!(closes_without_a_word(&mut legacy));
}

#[test]
fn half_of_the_threads_speak_with_clients() {
    sees!("threads", "bind");
    let config = format!("threads = 6\nbind = [\"127.0.0.1:0\", \"127.0.0.2:0\"]\n{}", open_lobby());
    let edge = edge().config(config).start();
    let second = edge.wait_for("the second address", |line| {
        line.message() == Some("listening")
            && line.field("address").is_some_and(|at| at.starts_with("127.0.0.2:"))
    });
    let second = second.field("address").unwrap().parse().unwrap();
    ping(edge.address(), VERSION, "localhost").unwrap();
    ping(second, VERSION, "localhost").unwrap();
    let threads = |name: &str| {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", edge.pid().as_raw_nonzero())).unwrap();
        let names = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
        names.filter(|comm| comm.starts_with(name)).count()
    };
    // A thread gives itself its name.
    let named = || (threads("reactor") == 3 && threads("keys") == 3).then_some(());
    assert!(
        eventually(Duration::from_secs(10), named).is_some(),
        "{}, {}",
        threads("reactor"),
        threads("keys")
    );
}

#[test]
fn a_second_edge_on_the_same_address_is_an_error() {
    let first = edge().config(open_lobby()).start();
    let config = format!("bind = [\"{}\"]\n{}", first.address(), open_lobby());
    let second = edge().config(config).finish();
    assert!(!second.status.success());
    assert!(second.stderr.contains(&first.address().to_string()), "{}", second.stderr);
    first.serves_others_within(support::AT_ONCE);
}
