//! The line between the edge and targets of sessions is slow, stands still or breaks: players play on, there or elsewhere.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{
    Crowd, Cut, Door, Flow, Host, PATIENCE, Passage, Place, Resident, Traffic, Wire, eventually,
};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use support::edge;
use support::world::{assert_crowd_sound, targets};

/// A version of each way to switch, and of each way to say what a session needs.
const KINDS: [i32; 8] = [47, 340, 404, 578, 758, 763, 764, 775];
const MARKED: Traffic = Traffic { small: 20, chunks: 0 };
/// How many marked packets a host pushes while a line stands still: four seconds' worth.
const MEANWHILE: u64 = 80;

/// A route with sessions to these targets, called `a`, `b` and so on.
fn route(host: &str, addresses: &[SocketAddr], more: &str) -> String {
    let targets = targets(('a'..).zip(addresses));
    format!("[[routes]]\nname = \"{host}\"\nhosts = [\"{host}\"]\nmode = \"offline\"\n{targets}\n{more}\n")
}

/// Falls back to the second target.
const FALLBACK: &str = "session.fallback = [\"b\"]\n";

fn host(number: u16, traffic: Traffic) -> Host {
    Host::builder(number).compress(256).pushes(traffic).start().unwrap()
}

#[track_caller]
fn hear_on(crowd: &Crowd) {
    let before: Vec<_> = crowd.residents().iter().map(|resident| resident.heard_here).collect();
    let least = before.into_iter().max().unwrap() + 10;
    crowd.until("hear on", PATIENCE, |resident| resident.heard_here >= least);
}

/// Chunks are under way, so that it is mostly in one of them; no client is handed a part.
#[test]
fn a_target_that_breaks_off_in_a_frame_loses_its_players_to_the_fallback() {
    for by in [Cut::Close, Cut::Reset] {
        let [first, second] = [1, 2].map(|number| host(number, Traffic { small: 20, chunks: 4 }));
        let wire = Wire::to(first.address()).unwrap();
        let edge = edge().config(route("*", &[wire.address(), second.address()], FALLBACK)).start();
        let crowd = Crowd::of(KINDS.len(), 47).versions(&KINDS).join(edge.address()).unwrap();
        crowd.all_at(&first, PATIENCE);
        hear_on(&crowd);
        wire.back(Flow::Breaks { after: 4_321, by });
        crowd.all_at(&second, PATIENCE);
        hear_on(&crowd);
        assert_crowd_sound(&crowd, &[&first, &second]);
        assert_eq!(crowd.took(Passage::Switch).len(), KINDS.len(), "{by:?}");
        assert!(crowd.residents().iter().all(|resident| resident.connections == 1), "{by:?}");
    }
}

#[test]
fn players_play_on_over_a_line_that_is_slow_or_stood_still() {
    let first = host(1, MARKED);
    let wire = Wire::to(first.address()).unwrap();
    wire.both(Flow::Trickles { bytes: 1, every: Duration::ZERO });
    let edge = edge().config(route("*", &[wire.address()], "")).start();
    let crowd = Crowd::of(2, 340).versions(&[340, 767]).join(edge.address()).unwrap();
    crowd.all_at(&first, PATIENCE);
    hear_on(&crowd);
    wire.both(Flow::Late(Duration::from_millis(200)));
    hear_on(&crowd);
    wire.both(Flow::STALLED);
    let said = || first.stay("p0").unwrap().said;
    let before = said();
    assert!(eventually(PATIENCE, || (said() >= before + MEANWHILE).then_some(())).is_some());
    let all = u32::try_from(said()).unwrap();
    assert!(
        crowd.residents().iter().all(|resident| resident.heard_here < all),
        "the line doesn't stand still"
    );
    wire.both(Flow::Free);
    crowd.until("hear all that was said meanwhile", PATIENCE, |resident| resident.heard_here >= all);
    hear_on(&crowd);
    assert_crowd_sound(&crowd, &[&first]);
    assert!(crowd.residents().iter().all(|resident| resident.arrivals.len() == 1));
}

/// A line that is silent is as a target that is: clients themselves would give up after 30 s.
#[test]
fn a_target_behind_a_silent_line_is_lost_after_25_seconds_and_whoever_was_there_is_elsewhere() {
    let hosts = [1, 2, 3].map(|number| host(number, Traffic::QUIET));
    let [vanishing, standing, second] = hosts.each_ref();
    let [gone, still] = [vanishing, standing].map(|host| Wire::to(host.address()).unwrap());
    let routes = [
        route("gone", &[gone.address(), second.address()], FALLBACK),
        route("still", &[still.address()], ""),
    ];
    let edge = edge().config(routes.concat()).start();
    let crowd =
        |name: &str| Crowd::of(2, 340).versions(&[340, 767]).called(name).host(name).join(edge.address());
    let (falling, waiting) = (crowd("gone").unwrap(), crowd("still").unwrap());
    falling.all_at(vanishing, PATIENCE);
    waiting.all_at(standing, PATIENCE);
    gone.back(Flow::Vanishes);
    still.both(Flow::STALLED);
    let since = Instant::now();
    let long = Duration::from_secs(40);
    falling.all_at(second, long);
    let took = since.elapsed();
    // It may have said its last two seconds before.
    assert!((Duration::from_secs(22)..Duration::from_secs(29)).contains(&took), "{took:?}");
    let in_limbo = |resident: &Resident| resident.place == Place::Elsewhere;
    waiting.until("wait in limbo", long, in_limbo);
    still.both(Flow::Free);
    waiting.all_at(standing, PATIENCE);
    // The others have asked for signs of life that nobody heard of.
    assert_crowd_sound(&falling, &[second]);
    assert_crowd_sound(&waiting, &[]);
}

#[test]
fn who_lost_a_target_waits_in_limbo_until_it_takes_calls_again() {
    let first = host(1, MARKED);
    let wire = Wire::to(first.address()).unwrap();
    let edge = edge().config(route("*", &[wire.address()], "")).start();
    let crowd = Crowd::of(4, 340).versions(&[340, 404, 758, 767]).join(edge.address()).unwrap();
    crowd.all_at(&first, PATIENCE);
    hear_on(&crowd);
    wire.door(Door::Shut).unwrap();
    wire.cut(Cut::Reset);
    crowd.until("wait in limbo", PATIENCE, |resident| resident.place == Place::Elsewhere);
    wire.door(Door::Open).unwrap();
    crowd.all_at(&first, Duration::from_secs(25));
    hear_on(&crowd);
    assert_crowd_sound(&crowd, &[&first]);
    assert!(crowd.residents().iter().all(|resident| resident.connections == 1));
}

/// Each look is one call, so that a target that is down isn't called for ever more often, nor a player kept waiting when it comes.
#[test]
fn who_waits_in_limbo_has_a_target_looked_for_at_growing_intervals() {
    const LATE: Duration = Duration::from_millis(900);
    let first = host(1, MARKED);
    let wire = Wire::to(first.address()).unwrap();
    wire.back(Flow::Breaks { after: 0, by: Cut::Close });
    let edge = edge().config(route("*", &[wire.address()], "")).start();
    let crowd = Crowd::of(1, 767).join(edge.address()).unwrap();
    let comes = |calls: usize| {
        let called = eventually(2 * PATIENCE, || (wire.came() >= calls).then(Instant::now));
        called.unwrap_or_else(|| panic!("there is no call {calls}"))
    };
    let mut last = comes(1);
    for (calls, pause) in (2..).zip([1, 2, 4, 8, 10, 10].map(Duration::from_secs)) {
        let called = comes(calls);
        // The one before was seen as much later than it came.
        let paused = called - last;
        assert!((pause - LATE / 2..pause + LATE).contains(&paused), "{paused:?} before call {calls}");
        last = called;
    }
    crowd.until("wait in limbo", PATIENCE, |resident| resident.place == Place::Elsewhere);
    wire.back(Flow::Free);
    crowd.all_at(&first, Duration::from_secs(10) + LATE);
    hear_on(&crowd);
    assert_crowd_sound(&crowd, &[]);
}

/// Before it has let the player in it is followed by the next without their noticing, and after that by the fallback.
#[test]
fn a_login_at_a_target_may_break_anywhere() {
    const POINTS: u64 = 8;
    const APART: u64 = 9;
    for version in [340, 767] {
        let (first, second) = (host(1, MARKED), host(2, MARKED));
        let flows = (0..POINTS).flat_map(|point| {
            let by = if point % 2 == 0 { Cut::Close } else { Cut::Reset };
            let breaks = Flow::Breaks { after: point * APART, by };
            [(breaks, Flow::Free), (Flow::Free, breaks)]
        });
        let wires: Vec<_> = flows
            .map(|(there, back)| {
                let wire = Wire::to(first.address()).unwrap();
                wire.there(there);
                wire.back(back);
                wire
            })
            .collect();
        let routes = wires
            .iter()
            .enumerate()
            .map(|(index, wire)| route(&format!("r{index}"), &[wire.address(), second.address()], FALLBACK));
        let edge = edge().config(routes.collect::<String>()).start();
        let crowds: Vec<_> = (0..wires.len())
            .map(|index| {
                let name = format!("r{index}");
                Crowd::of(1, version).called(&name).host(&name).join(edge.address()).unwrap()
            })
            .collect();
        for (crowd, wire) in crowds.iter().zip(&wires) {
            crowd.all_at(&second, PATIENCE);
            crowd.until("hear on", PATIENCE, |resident| resident.heard_here >= 10);
            assert_crowd_sound(crowd, &[&second]);
            assert_eq!(wire.came(), 1, "{version}: it wasn't tried first");
        }
    }
}
