//! The line between clients and the edge is slow, stands still or breaks: whoever is at its other end is waited for as long as is
//! documented and no longer, and nobody else notices.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{
    Account, Crowd, Cut, Edge, Flow, Host, Line, Order, PATIENCE, Place, Player, SessionServer, Stage,
    Traffic, Wire, eventually, ping,
};
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};
use support::ctl::told;
use support::{HUB, edge, lobby};

const VERSION: ProtocolVersion = ProtocolVersion::V1_21;
/// 1.12.2, which joins right away, and 1.21.1, which is configured before.
const VERSIONS: [i32; 2] = [340, 767];
/// A byte at a time, as fast as they go.
const IN_DROPS: Flow = Flow::Trickles { bytes: 1, every: Duration::ZERO };
/// What hosts push while a line is looked at.
const MARKED: Traffic = Traffic { small: 20, chunks: 0 };
/// How many marked packets a host pushes while a line stands still: two seconds' worth.
const MEANWHILE: u64 = 40;

/// An edge whose players are in sessions on a host.
fn playing(host: &Host) -> Edge {
    let route = "[[routes]]\nname = \"home\"\nhosts = [\"*\"]\nmode = \"offline\"\n";
    edge().config(format!("{route}targets = [\"{}\"]\n", host.address())).start()
}

/// All of them have heard so many marked packets of this visit, and nothing was out of its place.
#[track_caller]
fn hear_on(crowd: &Crowd, marks: u32) {
    let before: Vec<_> = crowd.residents().iter().map(|resident| resident.heard_here).collect();
    let least = before.into_iter().max().unwrap() + marks;
    crowd.until("hear on", PATIENCE, |resident| resident.heard_here >= least);
    assert_eq!((crowd.faults(), crowd.gone()), (Vec::new(), Vec::new()));
}

/// The edge has let go of all connections but so many, of which it had so many descriptors before.
#[track_caller]
fn lets_go(edge: &Edge, connections: u64, descriptors: usize, within: Duration) {
    let left = || told(edge, &["status"])["connections"].as_u64().unwrap();
    let gone = || (edge.descriptors() <= descriptors && left() <= connections).then_some(());
    assert!(
        eventually(within, gone).is_some(),
        "{} descriptors and {} connections are left of {descriptors} and {connections}",
        edge.descriptors(),
        left()
    );
}

#[test]
fn players_and_pings_come_through_a_byte_at_a_time() {
    let session = SessionServer::start().unwrap();
    let edge = edge().config(lobby(&session)).start();
    let wire = Wire::to(edge.address()).unwrap();
    wire.both(Flow::Trickles { bytes: 1, every: Duration::from_millis(1) });
    ping(wire.address(), VERSION, "localhost").unwrap();
    let alice = session.account("Alice");
    assert_eq!(Player::with_account(&alice, VERSION).join(wire.address()).transferred(), HUB);
}

#[test]
fn who_is_far_away_is_let_in() {
    let session = SessionServer::start().unwrap();
    let edge = edge().config(lobby(&session)).start();
    let wire = Wire::to(edge.address()).unwrap();
    wire.both(Flow::Late(Duration::from_millis(400)));
    let alice = session.account("Alice");
    let visit = Player::with_account(&alice, VERSION).join(wire.address());
    assert_eq!(visit.transferred(), HUB);
    assert!(visit.took > Duration::from_secs(2), "the line isn't slow: {:?}", visit.took);
}

/// How many bytes a login has each way.
fn login_of(edge: &Edge, account: &Account) -> (u64, u64) {
    let wire = Wire::to(edge.address()).unwrap();
    assert_eq!(Player::with_account(account, VERSION).join(wire.address()).transferred(), HUB);
    wire.carried()
}

/// At how many points of each way a login stands still or breaks.
const POINTS: u64 = 6;

/// A login may have `login_timeout`, then `placement_timeout`, and each ends with two seconds for a word.
#[test]
fn a_login_that_stands_still_or_breaks_anywhere_ends_in_time_and_leaves_nothing() {
    const TIMEOUTS: &str =
        "[limits]\nhandshake_timeout = \"1s\"\nlogin_timeout = \"2s\"\nplacement_timeout = \"2s\"\n";
    const WITHIN: Duration = Duration::from_secs(9);
    let session = SessionServer::start().unwrap();
    let edge = edge().config(format!("{TIMEOUTS}{}", lobby(&session))).start();
    let (there, back) = login_of(&edge, &session.account("Measure"));
    // The edge keeps a few connections to the session server.
    let descriptors = edge.descriptors() + 8;
    let ways = |after| [Flow::Stalls { after }, breaks(after, Cut::Close), breaks(after, Cut::Reset)];
    let points = (0..POINTS).flat_map(|point| {
        let ahead = ways(there * point / POINTS).map(|flow| (flow, Flow::Free));
        ahead.into_iter().chain(ways(back * point / POINTS).map(|flow| (Flow::Free, flow)))
    });
    let wires: Vec<_> = points
        .map(|(there, back)| {
            let wire = Wire::to(edge.address()).unwrap();
            wire.there(there);
            wire.back(back);
            wire
        })
        .collect();
    let since = Instant::now();
    thread::scope(|scope| {
        for (index, wire) in wires.iter().enumerate() {
            let account = session.account(&format!("p{index}"));
            // Whoever hears nothing stays for longer than the edge does.
            let player = Player::with_account(&account, VERSION).patience(WITHIN + Duration::from_secs(2));
            scope.spawn(move || player.join(wire.address()));
        }
        let direct = session.account("Direct");
        for _ in 0..10 {
            assert_eq!(Player::with_account(&direct, VERSION).join(edge.address()).transferred(), HUB);
        }
        let all = || (wires.iter().all(|wire| wire.came() > 0)).then_some(());
        assert!(eventually(PATIENCE, all).is_some(), "they don't come");
        lets_go(&edge, 0, descriptors, WITHIN.saturating_sub(since.elapsed()));
        wires.iter().for_each(|wire| wire.cut(Cut::Reset));
    });
    edge.wait_for_refusal("timed_out");
}

fn breaks(after: u64, by: Cut) -> Flow {
    Flow::Breaks { after, by }
}

/// Has clients join over a wire.
fn over(wire: &Wire, name: &str) -> Crowd {
    joins(wire.address(), name)
}

fn joins(address: SocketAddr, name: &str) -> Crowd {
    Crowd::of(2, 767).versions(&VERSIONS).called(name).join(address).unwrap()
}

#[test]
fn a_session_goes_on_over_a_line_that_is_slow_or_stood_still() {
    let host = Host::builder(1).compress(256).pushes(MARKED).start().unwrap();
    let edge = playing(&host);
    let wire = Wire::to(edge.address()).unwrap();
    wire.both(IN_DROPS);
    let (far, near) = (over(&wire, "far"), joins(edge.address(), "near"));
    [&far, &near].into_iter().for_each(|crowd| crowd.all_at(&host, PATIENCE));
    hear_on(&far, 10);
    wire.both(Flow::Late(Duration::from_millis(200)));
    hear_on(&far, 10);
    wire.both(Flow::STALLED);
    let said = || host.stay("far0").unwrap().said;
    let before = said();
    assert!(eventually(PATIENCE, || (said() >= before + MEANWHILE).then_some(())).is_some());
    let heard: Vec<_> = far.residents().iter().map(|resident| u64::from(resident.heard_here)).collect();
    assert!(heard.iter().all(|heard| *heard < said()), "the line doesn't stand still: {heard:?}");
    hear_on(&near, 10);
    let all = u32::try_from(said()).unwrap();
    wire.both(Flow::Free);
    far.until("hear all that was said meanwhile", PATIENCE, |resident| resident.heard_here >= all);
    hear_on(&far, 10);
    let arrivals = |resident: &drawbridge_testkit::Resident| resident.arrivals.len();
    assert!(far.residents().iter().all(|resident| arrivals(resident) == 1), "{:#?}", far.residents());
    assert_eq!(host.faults(), []);
}

#[test]
fn a_client_that_breaks_off_in_a_session_leaves_nothing_behind() {
    let host = Host::builder(1).compress(256).pushes(MARKED).start().unwrap();
    let edge = playing(&host);
    let near = joins(edge.address(), "near");
    near.all_at(&host, PATIENCE);
    let (connections, descriptors) = (near.residents().len() as u64, edge.descriptors());
    for (name, by) in [("close", Cut::Close), ("reset", Cut::Reset)] {
        let wire = Wire::to(edge.address()).unwrap();
        let far = over(&wire, name);
        far.all_at(&host, PATIENCE);
        hear_on(&far, 3);
        // In the middle of whatever comes next.
        wire.there(breaks(5, by));
        far.until("are cut", PATIENCE, |resident| matches!(resident.place, Place::Gone(_)));
        for resident in far.residents() {
            let stay = host.wait_for(&resident.name, |stay| stay.stage == Stage::Over);
            assert!(stay.heard > 0, "{stay:#?}");
        }
        lets_go(&edge, connections, descriptors, PATIENCE);
        hear_on(&near, 5);
    }
    assert_eq!(host.faults(), []);
}

/// A client whose system still takes what comes, though it does nothing itself: it has 40 s to follow, or in limbo to give a sign of life, however
/// many targets let it in meanwhile.
#[test]
fn a_client_that_is_frozen_in_a_session_is_let_go_wherever_it_is_brought() {
    const PATIENT: Duration = Duration::from_secs(50);
    let [first, second] = [1, 2].map(|number| Host::builder(number).start().unwrap());
    let route = |name: &str, targets: &[&Host], more: &str| {
        let targets: Vec<_> = targets.iter().map(|host| format!("\"{}\"", host.address())).collect();
        let targets = targets.join(", ");
        format!(
            "[[routes]]\nname = \"{name}\"\nhosts = [\"{name}\"]\nmode = \"offline\"\ntargets = [{targets}]\n{more}\n"
        )
    };
    let fallback = format!("session.fallback = [\"{}\"]", second.address());
    let routes = [route("falls", &[&first, &second], &fallback), route("waits", &[&first], "")];
    let edge = edge().config(routes.concat()).start();
    let descriptors = edge.descriptors();
    let wire = Wire::to(edge.address()).unwrap();
    let join =
        |name| Crowd::of(2, 767).versions(&VERSIONS).called(name).host(name).join(wire.address()).unwrap();
    let frozen = ["falls", "waits"].map(join);
    frozen.iter().for_each(|crowd| crowd.all_at(&first, PATIENCE));
    wire.both(Flow::STALLED);
    // A host gives up who doesn't answer for 15 s.
    assert_eq!(first.order_all(&Order::Cut), 4);
    lets_go(&edge, 0, descriptors, PATIENT);
    let timed_out = |line: &Line| line.field("end").as_deref() == Some("timed_out");
    assert_eq!(edge.log().iter().filter(|line| timed_out(line)).count(), 4);
    assert_eq!((first.playing(), second.playing()), (0, 0));
}
