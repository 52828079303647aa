//! Targets that are real processes, and what becomes of players when these are killed, frozen, or come back.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{Edge, Join, NodeClient, NodeVisit, NodeWorld, Served, Signal};
use std::time::{Duration, Instant};
use support::edge;

/// A version whose table loads fast, and which knows a configuration phase.
const VERSION: &str = "1.20.4";

/// How long a target may take to say something. It must be more than a server that isn't frozen takes on a busy machine.
const ANSWER: Duration = Duration::from_secs(4);

/// How soon what happens at once has happened, on a machine that is busy with other things.
const SOON: Duration = Duration::from_secs(2);

/// How long a target that has failed once is tried last.
const PUT_BACK: Duration = Duration::from_secs(10);

/// Two targets in this order, and players for them.
struct House {
    edge: Edge,
    first: NodeWorld,
    second: NodeWorld,
    client: NodeClient,
}

fn house() -> House {
    let world = || NodeWorld::start(vec![Served::version(VERSION)], None);
    let (first, second) = (world(), world());
    let route = format!(
        "[[routes]]\nname = \"world\"\nhosts = [\"*\"]\nmode = \"passthrough\"\ntargets = [\"{}\", \"{}\"]\n\
         relay = {{ answer = \"{}s\" }}\n",
        first.addresses()[0],
        second.addresses()[0],
        ANSWER.as_secs()
    );
    let house = House { edge: edge().config(route).start(), first, second, client: NodeClient::start() };
    // Both processes load their tables, so that this counts for nobody's time.
    let warm = house.client.join(&Join::new("Warm", VERSION).plays(1), house.second.addresses()[0]);
    assert!(warm.event("played").is_some(), "{warm:?}");
    house
}

impl House {
    fn visit(&self, name: &str) -> NodeVisit {
        let visit = self.client.join(&Join::new(name, VERSION).plays(20), self.edge.address());
        assert!(visit.event("played").is_some(), "{name}: {visit:?}");
        visit
    }
}

#[test]
fn a_target_that_is_killed_ends_its_players_at_once_and_is_first_again_when_it_is_back() {
    let mut house = house();
    let alice = house.client.begin(&Join::new("Alice", VERSION).stays(200), house.edge.address());
    alice.played(200);
    assert!(house.first.knows("Alice"));

    house.first.signal(Signal::KILL);
    let killed = Instant::now();
    let visit = alice.ended();
    assert!(killed.elapsed() < SOON, "{:?}", killed.elapsed());
    assert!(visit.event("disconnect").is_none(), "who hears a target is told nothing by the edge: {visit:?}");
    house.edge.wait_for_message("relay ended");

    let start = Instant::now();
    house.visit("Bob");
    assert!(house.second.knows("Bob"));
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    house.edge.wait_for_message("a target can't be reached");
    let failed = Instant::now();

    house.first = house.first.started_anew();
    house.visit("Carol");
    assert!(failed.elapsed() < PUT_BACK, "the machine is too busy to tell: {:?}", failed.elapsed());
    assert!(house.second.knows("Carol"), "a target that failed is tried last");
    // Everybody goes to the second one until the first is tried again.
    let mut count = 0;
    while failed.elapsed() < PUT_BACK + SOON {
        count += 1;
        house.visit(&format!("Dave{count}"));
        if house.first.knows(&format!("Dave{count}")) {
            break;
        }
    }
    assert!(house.first.knows(&format!("Dave{count}")), "it isn't tried again after {:?}", failed.elapsed());
    assert!(start.elapsed() >= PUT_BACK, "it is tried first after {:?}", start.elapsed());
    house.visit("Erin");
    assert!(house.first.knows("Erin"), "it is first for good");
}

#[test]
fn a_target_that_is_frozen_is_passed_over_and_keeps_its_players() {
    let house = house();
    let alice = house.client.begin(&Join::new("Alice", VERSION).stays(200), house.edge.address());
    alice.played(200);
    assert!(house.first.knows("Alice"));

    house.first.signal(Signal::STOP);
    alice.plays_more(200);
    let start = Instant::now();
    house.visit("Bob");
    let took = start.elapsed();
    assert!(house.second.knows("Bob"));
    assert!((ANSWER..ANSWER + SOON).contains(&took), "{took:?}");
    house.edge.wait_for_message("a target can't be reached");
    let start = Instant::now();
    house.visit("Carol");
    assert!(start.elapsed() < SOON, "nobody waits for it again: {:?}", start.elapsed());
    assert!(house.second.knows("Carol"));

    house.first.signal(Signal::CONT);
    alice.played(400);
    let visit = alice.leave();
    assert!(visit.event("error").is_none(), "{visit:?}");
    let left = house.first.left("Alice");
    assert_eq!(left.field("heard"), 400, "{left:?}");
    assert_eq!(left.field("troubles").as_array().map(Vec::len), Some(0), "{left:?}");
    assert!(!house.first.knows("Carol"), "it was not asked");
}
