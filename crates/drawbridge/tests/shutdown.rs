//! How the edge stops: what it promises, in order.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::packet::status::{PingRequest, PongResponse};
use drawbridge_testkit::{
    Connection, Edge, Mode, Player, SessionServer, Signal, Trouble, Visit, eventually, ping, sees,
};
use std::io;
use std::net::TcpStream;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use support::scrape::{METRICS, wait_for};
use support::{HUB, edge, lobby, open_lobby};

const VERSION: ProtocolVersion = ProtocolVersion::V1_21;

/// A player whose login waits for the session server.
fn in_the_middle(edge: &Edge, session: &SessionServer, name: &str) -> JoinHandle<Visit> {
    let account = session.account(name);
    let address = edge.address();
    let asked = session.asked();
    let login = thread::spawn(move || Player::with_account(&account, 767).join(address));
    eventually(Duration::from_secs(10), || (session.asked() > asked).then_some(()))
        .expect("the edge doesn't ask");
    login
}

fn refuses_connections(edge: &Edge) -> bool {
    TcpStream::connect_timeout(&edge.address(), Duration::from_secs(1)).is_err()
}

#[test]
fn sigterm_and_sigint_end_an_idle_edge_at_once() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut edge = edge().config(open_lobby()).start();
        ping(edge.address(), VERSION, "localhost").unwrap();
        let start = Instant::now();
        edge.signal(signal);
        let status = edge.exit(Duration::from_secs(10));
        assert_eq!(status.code(), Some(0), "{signal:?}");
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        edge.wait_for_message("stopped");
    }
}

#[test]
fn for_the_delay_everything_goes_on() {
    sees!("shutdown.delay");
    let mut edge = edge().config(format!("[shutdown]\ndelay = \"2s\"\n{}", open_lobby())).start();
    let start = Instant::now();
    edge.terminate();
    edge.wait_for_message("stopping");
    let mut joined = 0;
    while start.elapsed() < Duration::from_millis(1500) {
        ping(edge.address(), VERSION, "localhost").unwrap();
        assert_eq!(Player::new("Alice", 767).join(edge.address()).transferred(), HUB);
        joined += 1;
    }
    assert!(joined > 0);
    assert_eq!(edge.exit(Duration::from_secs(10)).code(), Some(0));
    let took = start.elapsed();
    assert!(took > Duration::from_millis(1900) && took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn logins_under_way_finish_while_nobody_else_gets_in() {
    sees!("shutdown.grace");
    let session = SessionServer::start().unwrap();
    session.mode(Mode::Held);
    let config = format!("[shutdown]\ngrace = \"20s\"\n{}timeout = \"20s\"\n", lobby(&session));
    let mut edge = edge().config(config).start();
    let login = in_the_middle(&edge, &session, "Alice");
    edge.terminate();
    edge.wait_for_message("listeners closed");
    let closed = eventually(Duration::from_secs(2), || refuses_connections(&edge).then_some(()));
    assert!(closed.is_some(), "the listeners are open");
    assert!(edge.runs());
    session.release();
    assert_eq!(login.join().unwrap().transferred(), HUB);
    assert_eq!(edge.exit(Duration::from_secs(5)).code(), Some(0), "it ends as soon as nobody is left");
}

#[test]
fn who_doesnt_finish_in_time_is_told() {
    sees!("shutdown.grace");
    let session = SessionServer::start().unwrap();
    session.mode(Mode::Held);
    let config = format!("[shutdown]\ngrace = \"1s\"\n{}timeout = \"20s\"\n", lobby(&session));
    let mut edge = edge().config(config).start();
    let logins = ["Alice", "Bob"].map(|name| in_the_middle(&edge, &session, name));
    let start = Instant::now();
    edge.terminate();
    for login in logins {
        let visit = login.join().unwrap();
        assert_eq!(visit.kicked(), "The server is restarting. Please join again in a moment.");
    }
    let took = start.elapsed();
    assert!(took > Duration::from_millis(900) && took < Duration::from_secs(4), "{took:?}");
    assert_eq!(edge.exit(Duration::from_secs(5)).code(), Some(0));
    session.release();
}

/// Somebody who only holds a socket open doesn't hold the shutdown up, however long logins would be waited for.
#[test]
fn silent_sockets_hold_nothing_up() {
    let config =
        format!("[shutdown]\ngrace = \"30s\"\n[limits]\nhandshake_timeout = \"30s\"\n{}", open_lobby());
    let mut edge = edge().config(config).start();
    let mut silent: Vec<_> = (0..20).map(|_| Connection::open(edge.address(), VERSION).unwrap()).collect();
    let start = Instant::now();
    edge.terminate();
    assert_eq!(edge.exit(Duration::from_secs(10)).code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    for connection in &mut silent {
        connection.closed().unwrap();
    }
}

/// Whoever presses Ctrl-C again doesn't want to wait; players are told all the same.
#[test]
fn a_second_signal_ends_delay_and_grace() {
    for delay in ["0s", "20s"] {
        let session = SessionServer::start().unwrap();
        session.mode(Mode::Held);
        let config = format!(
            "[shutdown]\ndelay = \"{delay}\"\ngrace = \"20s\"\n{}timeout = \"20s\"\n",
            lobby(&session)
        );
        let mut edge = edge().config(config).start();
        let login = in_the_middle(&edge, &session, "Alice");
        let start = Instant::now();
        edge.terminate();
        edge.wait_for_message("stopping");
        edge.terminate();
        let visit = login.join().unwrap();
        assert_eq!(visit.kicked(), "The server is restarting. Please join again in a moment.", "{delay}");
        assert_eq!(edge.exit(Duration::from_secs(5)).code(), Some(0), "{delay}");
        assert!(start.elapsed() < Duration::from_secs(5), "{delay}: {:?}", start.elapsed());
        session.release();
    }
}

/// And whoever presses it once more doesn't wait even for players to read why.
#[test]
fn a_third_signal_ends_everything_at_once() {
    let session = SessionServer::start().unwrap();
    session.mode(Mode::Held);
    let config = format!("[shutdown]\ngrace = \"20s\"\n{}timeout = \"20s\"\n", lobby(&session));
    let mut edge = edge().config(config).start();
    // Says nothing more and doesn't close: the edge would wait for two seconds until it has surely read the last packet.
    let mut waiting = Player::new("Alice", 767).knock(edge.address()).unwrap();
    waiting.receive().unwrap();
    edge.terminate();
    edge.wait_for_message("stopping");
    edge.terminate();
    edge.wait_for_message("told again to stop: nobody is waited for");
    let start = Instant::now();
    edge.terminate();
    assert_eq!(edge.exit(Duration::from_secs(5)).code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    edge.wait_for_message("told a third time to stop: players aren't told");
    session.release();
}

#[test]
fn a_reload_does_not_cost_players_their_grace() {
    let session = SessionServer::start().unwrap();
    session.mode(Mode::Held);
    let config = format!("[shutdown]\ngrace = \"20s\"\n{}timeout = \"20s\"\n", lobby(&session));
    let mut edge = edge().config(config).start();
    let login = in_the_middle(&edge, &session, "Alice");
    edge.terminate();
    edge.wait_for_message("listeners closed");
    edge.reload();
    session.release();
    assert_eq!(login.join().unwrap().transferred(), HUB);
    assert_eq!(edge.exit(Duration::from_secs(5)).code(), Some(0));
}

#[test]
fn who_was_accepted_is_answered_after_the_listeners_have_closed() {
    const ACCEPTED: usize = 50;
    let mut edge = edge().config(format!("{METRICS}{}", open_lobby())).start();
    let mut connections: Vec<_> =
        (0..ACCEPTED).map(|_| Connection::open(edge.address(), VERSION).unwrap()).collect();
    wait_for(edge.metrics_address(), "drawbridge_connections_undecided", &[], |open| open >= ACCEPTED as f64);
    edge.terminate();
    edge.wait_for_message("listeners closed");
    let closed = eventually(Duration::from_secs(2), || refuses_connections(&edge).then_some(()));
    assert!(closed.is_some(), "the listeners are open");
    for connection in &mut connections {
        connection.status("localhost").unwrap();
        pinged(connection);
    }
    assert_eq!(edge.exit(Duration::from_secs(5)).code(), Some(0), "it ends as soon as nobody is left");
}

/// Pings a server that has answered already, which it must do to the end.
fn pinged(connection: &mut Connection) {
    connection.send(&PingRequest { payload: 7 }).unwrap();
    let PongResponse { payload } = connection.receive().unwrap().read().unwrap();
    assert_eq!(payload, 7);
    connection.finish().unwrap();
    connection.closed().unwrap();
}

/// A connection that nobody has accepted yet when the listener closes is reset by the kernel. The edge itself leaves nobody
/// without an answer, and once it has answered it goes on.
#[test]
fn while_the_listeners_close_nobody_who_was_accepted_is_dropped() {
    let mut edge = edge().config(format!("[shutdown]\ndelay = \"300ms\"\n{}", open_lobby())).start();
    let address = edge.address();
    let pinging: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(move || {
                loop {
                    let answered = Connection::open(address, VERSION)
                        .and_then(|mut connection| connection.status("localhost").map(|_| connection));
                    match answered {
                        Ok(mut connection) => pinged(&mut connection),
                        Err(trouble) => return trouble,
                    }
                }
            })
        })
        .collect();
    edge.terminate();
    assert_eq!(edge.exit(Duration::from_secs(10)).code(), Some(0));
    for pinging in pinging {
        match pinging.join().unwrap() {
            Trouble::Reset => {}
            Trouble::Socket(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            trouble => panic!("{trouble:?}"),
        }
    }
}
