//! A line that a relay leads over, to its target or to its client, is slow, stands still or breaks; either side listens no more, or says no more.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{Cut, Door, Edge, Flow, Line, Manner, PATIENCE, Target, Wire, eventually};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};
use support::edge;
use support::raw::{Raw, login_start};

/// What targets say first.
const HELLO: &[u8] = b"\x05hello";
/// How long a target may take to say it.
const ANSWER: Duration = Duration::from_secs(1);
/// How much longer all else may take, on a machine that is busy with other things.
const SOON: Duration = Duration::from_secs(2);
/// How long nothing comes where nothing is to come.
const QUIET: Duration = Duration::from_millis(200);
/// How long a side may take nothing.
const STALLED: Duration = Duration::from_secs(30);
/// How long a relay may be silent of which one side has said goodbye.
const HALF_CLOSED: Duration = Duration::from_secs(60);
/// How much later than that it may end.
const LATE: Duration = Duration::from_secs(5);

fn target() -> Target {
    Target::start(Manner::Echoes(HELLO.to_vec())).unwrap()
}

/// A route for a host to these targets.
fn route(name: &str, host: &str, targets: &[SocketAddr]) -> String {
    let targets: Vec<_> = targets.iter().map(|target| format!("\"{target}\"")).collect();
    format!(
        "[[routes]]\nname = \"{name}\"\nhosts = [\"{host}\"]\nmode = \"passthrough\"\ntargets = [{}]\n\
         relay = {{ connect = \"{seconds}s\", answer = \"{seconds}s\" }}\n",
        targets.join(", "),
        seconds = ANSWER.as_secs()
    )
}

/// A player who has come to a target.
fn carried(edge: &Edge, host: &str) -> Raw {
    let mut player = Raw::joins_at(edge, 767, host);
    player.hears(HELLO);
    player
}

/// A player who has come to a target over a wire to the edge.
fn carried_over(wire: &Wire) -> Raw {
    let mut player = Raw::joins_by(wire.address(), 767, "localhost");
    player.hears(HELLO);
    player
}

/// Whether all that it says comes back.
#[track_caller]
fn is_echoed(player: &mut Raw, words: &[u8]) {
    player.0.write_all(words).unwrap();
    player.hears(words);
}

/// Words of which no two places are alike.
fn words(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8 ^ (index / 251) as u8).collect()
}

#[test]
fn a_relay_goes_on_over_a_line_that_is_slow_or_stood_still() {
    let target = target();
    let wire = Wire::to(target.address()).unwrap();
    let edge = edge().config(route("world", "*", &[wire.address()])).start();
    goes_on(&wire, carried(&edge, "localhost"));
    assert_eq!(target.heard().len(), 1, "it was the same connection throughout");
}

#[test]
fn a_relay_goes_on_over_a_clients_line_that_is_slow_or_stood_still() {
    let target = target();
    let edge = edge().config(route("world", "*", &[target.address()])).start();
    let wire = Wire::to(edge.address()).unwrap();
    goes_on(&wire, carried_over(&wire));
    assert_eq!(target.heard().len(), 1, "it was the same connection throughout");
}

/// Whatever becomes of a line that a relay leads over, all comes back that is said.
#[track_caller]
fn goes_on(wire: &Wire, mut alice: Raw) {
    for flow in [
        Flow::Trickles { bytes: 1, every: Duration::ZERO },
        Flow::Trickles { bytes: 100, every: Duration::from_millis(5) },
        Flow::Late(Duration::from_millis(100)),
    ] {
        wire.both(flow);
        is_echoed(&mut alice, &words(5_000));
    }
    wire.both(Flow::STALLED);
    // More than the system keeps on the way: up to 36 MiB for each of two connections, beside a pipe.
    let all = words(96 << 20);
    let (mut saying, said) = (alice.0.try_clone().unwrap(), all.clone());
    let saying = thread::spawn(move || saying.write_all(&said).unwrap());
    alice.0.set_read_timeout(Some(QUIET)).unwrap();
    let silence = alice.0.read(&mut [0]).unwrap_err();
    assert!(matches!(silence.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{silence}");
    assert!(!saying.is_finished(), "it is taken somewhere");
    alice.0.set_read_timeout(Some(PATIENCE)).unwrap();
    wire.both(Flow::Free);
    let mut heard = vec![0; all.len()];
    alice.0.read_exact(&mut heard).unwrap();
    saying.join().unwrap();
    assert!(heard == all, "what was said came back otherwise");
}

#[test]
fn a_client_that_breaks_off_ends_its_relay_and_no_others() {
    let target = target();
    let edge = edge().config(route("world", "*", &[target.address()])).start();
    let mut bob = carried(&edge, "localhost");
    let descriptors = edge.descriptors();
    for by in [Cut::Close, Cut::Reset] {
        let wire = Wire::to(edge.address()).unwrap();
        let mut alice = carried_over(&wire);
        is_echoed(&mut alice, b"hello");
        wire.there(Flow::Breaks { after: 3, by });
        alice.0.write_all(b"and good bye").unwrap();
        let gone = || (edge.descriptors() <= descriptors).then_some(());
        assert!(eventually(PATIENCE, gone).is_some(), "{} of {descriptors}", edge.descriptors());
        is_echoed(&mut bob, b"still here");
    }
    edge.wait_for_messages("relay ended", 2);
}

#[test]
fn a_target_that_breaks_off_ends_its_relays_and_no_others() {
    let (target, other) = (target(), target());
    let wire = Wire::to(target.address()).unwrap();
    let routes = [route("broken", "broken", &[wire.address()]), route("world", "*", &[other.address()])];
    let edge = edge().config(routes.concat()).start();
    let mut bob = carried(&edge, "localhost");
    let descriptors = edge.descriptors();
    for by in [Cut::Close, Cut::Reset] {
        let mut alice = carried(&edge, "broken");
        is_echoed(&mut alice, b"hello");
        wire.back(Flow::Breaks { after: 3, by });
        alice.0.write_all(b"and good bye").unwrap();
        let mut heard = Vec::new();
        let end = alice.0.read_to_end(&mut heard);
        match by {
            Cut::Close => assert!(end.is_ok() && heard == b"and", "{end:?} after {heard:?}"),
            // It may take along what came before.
            Cut::Reset => assert!(b"and".starts_with(&heard[..]), "{end:?} after {heard:?}"),
        }
        drop(alice);
        wire.back(Flow::Free);
        let gone = || (edge.descriptors() <= descriptors).then_some(());
        assert!(eventually(PATIENCE, gone).is_some(), "{} of {descriptors}", edge.descriptors());
        is_echoed(&mut bob, b"still here");
    }
    edge.wait_for_messages("relay ended", 2);
}

/// A way to break a line.
type Way = (&'static str, fn(&Wire));

/// Nor is anything lost that the player has said by then.
#[test]
fn a_target_behind_a_dead_line_is_passed_over_in_time() {
    let ways: [Way; 7] = [
        ("refused", |wire| wire.door(Door::Shut).unwrap()),
        ("accepted", |wire| wire.door(Door::Silent).unwrap()),
        ("unheard", |wire| wire.there(Flow::Vanishes)),
        ("unanswered", |wire| wire.back(Flow::Vanishes)),
        ("stalled", |wire| wire.both(Flow::STALLED)),
        ("closed", |wire| wire.back(Flow::Breaks { after: 0, by: Cut::Close })),
        ("reset", |wire| wire.there(Flow::Breaks { after: 4, by: Cut::Reset })),
    ];
    let (behind, second) = (target(), target());
    let wires = ways.map(|(host, breaks)| {
        let wire = Wire::to(behind.address()).unwrap();
        breaks(&wire);
        (host, wire)
    });
    let routes = wires.each_ref().map(|(host, wire)| route(host, host, &[wire.address(), second.address()]));
    let edge = edge().config(routes.concat()).start();
    for (number, (host, _)) in (1..).zip(&wires) {
        let start = Instant::now();
        let mut alice = carried(&edge, host);
        assert!(start.elapsed() < ANSWER + SOON, "{host}: {:?}", start.elapsed());
        is_echoed(&mut alice, b"hello");
        assert_eq!(second.heard().len(), number, "{host}");
        assert!(second.heard()[number - 1].windows(5).any(|words| words == b"Alice"), "{host}");
    }
}

/// A target that does and says just what the test has it.
struct Hall(TcpListener);

impl Hall {
    fn open() -> Self {
        Self(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap())
    }

    fn route(&self) -> String {
        route("world", "*", &[self.0.local_addr().unwrap()])
    }

    /// A player who is there, and the target's side of it.
    fn relay(&self, edge: &Edge) -> (TcpStream, TcpStream) {
        let mut player = Raw::joins(edge, 767);
        let (mut target, _) = self.0.accept().unwrap();
        target.set_read_timeout(Some(PATIENCE)).unwrap();
        target.set_nodelay(true).unwrap();
        let mut heard = Vec::new();
        while !heard.ends_with(&login_start(767, "Alice")) {
            let mut byte = [0];
            target.read_exact(&mut byte).unwrap();
            heard.extend(byte);
        }
        target.write_all(HELLO).unwrap();
        player.hears(HELLO);
        (player.0, target)
    }
}

/// Says something, which the other hears.
#[track_caller]
fn says(one: &mut TcpStream, other: &mut TcpStream) {
    one.write_all(b"hello").unwrap();
    let mut heard = [0; 5];
    other.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"hello");
}

/// Talks without end to `deaf`, who takes none of it and is heard all the same; for how long.
fn is_heard_while_deaf(deaf: &mut TcpStream, talker: &mut TcpStream) -> Duration {
    let (mut talking, since) = (talker.try_clone().unwrap(), Instant::now());
    let talking = thread::spawn(move || while talking.write_all(&[7; 64 << 10]).is_ok() {});
    while since.elapsed() < STALLED + LATE
        && deaf.write_all(b"x").is_ok()
        && matches!(talker.read(&mut [0]), Ok(1))
    {
        let _: Option<()> = eventually(QUIET, || None);
    }
    let heard = since.elapsed();
    talker.shutdown(Shutdown::Both).ok();
    talking.join().unwrap();
    heard
}

/// Deaf to one side alone: what they say arrives until the end.
#[test]
fn a_side_that_takes_nothing_for_half_a_minute_is_cut() {
    let hall = Hall::open();
    let edge = edge().config(hall.route()).start();
    let descriptors = edge.descriptors();
    let (player, target) = hall.relay(&edge);
    let (deaf_player, deaf_target) = ((player, target), hall.relay(&edge));
    thread::scope(|scope| {
        let ways = [("client_stalled", deaf_player), ("target_stalled", (deaf_target.1, deaf_target.0))];
        for (end, (mut deaf, mut talker)) in ways {
            let edge = &edge;
            scope.spawn(move || {
                let heard = is_heard_while_deaf(&mut deaf, &mut talker);
                assert!((STALLED..STALLED + LATE).contains(&heard), "{end}: {heard:?}");
                let is_told = |line: &Line| line.field("end").as_deref() == Some(end);
                edge.wait_for(end, |line| line.message() == Some("relay ended") && is_told(line));
            });
        }
    });
    let gone = || (edge.descriptors() <= descriptors).then_some(());
    assert!(eventually(PATIENCE, gone).is_some(), "{} of {descriptors}", edge.descriptors());
}

/// Whoever has said goodbye goes on listening, and the other talking, until there is nothing more to say.
#[test]
fn a_relay_of_which_one_side_has_said_goodbye_ends_after_a_minute_of_silence() {
    let hall = Hall::open();
    let edge = edge().config(hall.route()).start();
    let (mut alice, mut at_alice) = hall.relay(&edge);
    let (mut player, mut target) = hall.relay(&edge);
    let (mut other_player, mut other_target) = hall.relay(&edge);
    thread::scope(|scope| {
        let ways = [(&mut player, &mut target), (&mut other_target, &mut other_player)];
        for (leaving, staying) in ways {
            scope.spawn(move || {
                leaving.shutdown(Shutdown::Write).unwrap();
                assert_eq!(staying.read(&mut [0]).unwrap(), 0, "goodbye");
                says(staying, leaving);
                let since = Instant::now();
                leaving.set_read_timeout(Some(HALF_CLOSED + LATE)).unwrap();
                // It may be told by a reset.
                let end = leaving.read(&mut [0]).unwrap_or_else(|error| {
                    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                    0
                });
                let silent = since.elapsed();
                assert_eq!(end, 0);
                assert!((HALF_CLOSED..HALF_CLOSED + LATE).contains(&silent), "{silent:?}");
            });
        }
    });
    // Who has both sides may be silent.
    says(&mut alice, &mut at_alice);
    says(&mut at_alice, &mut alice);
}
