//! Checks of targets: who is down is known before a player comes, and who is back as well.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{Edge, Join, NodeClient, NodeWorld, Served, Signal, sees};
use std::time::{Duration, Instant};
use support::edge;

/// A version whose table loads fast.
const VERSION: &str = "1.20.4";

/// How soon a player is in whom no target keeps waiting, on a machine that is busy with other things.
const SOON: Duration = Duration::from_secs(3);

/// Two targets in this order that are checked so, and players for them.
struct House {
    edge: Edge,
    first: NodeWorld,
    second: NodeWorld,
    client: NodeClient,
}

fn house(check: &str) -> House {
    let world = || NodeWorld::start(vec![Served::version(VERSION)], None);
    let (first, second) = (world(), world());
    // Whoever asks a target that hangs is late: `answer` is longer than anything else here takes.
    let route = format!(
        "[[routes]]\nname = \"world\"\nhosts = [\"play.example.com\", \"*\"]\nmode = \"passthrough\"\n\
         targets = [\"{}\", \"{}\"]\nrelay = {{ answer = \"20s\" }}\n\
         health = {{ check = \"{check}\", interval = \"1s\", timeout = \"1s\", down_after = 2, up_after = 2 }}\n",
        first.addresses()[0],
        second.addresses()[0],
    );
    let client = NodeClient::start();
    // All processes load their tables before anybody checks how they are.
    for world in [&first, &second] {
        let warm = client.join(&Join::new("Warm", VERSION).plays(1), world.addresses()[0]);
        assert!(warm.event("played").is_some(), "{warm:?}");
    }
    House { edge: edge().config(route).start(), first, second, client }
}

impl House {
    fn visit(&self, name: &str) {
        let start = Instant::now();
        let visit = self.client.join(&Join::new(name, VERSION).plays(5), self.edge.address());
        assert!(visit.event("played").is_some(), "{name}: {visit:?}");
        assert!(start.elapsed() < SOON, "{name} waited for {:?}", start.elapsed());
    }
}

#[test]
fn a_target_that_hangs_is_found_down_before_a_player_waits_for_it() {
    sees!(
        "routes[].health.check",
        "routes[].health.interval",
        "routes[].health.timeout",
        "routes[].health.down_after",
        "routes[].health.up_after"
    );
    let house = house("status");
    house.visit("Alice");
    assert!(house.first.knows("Alice"));

    house.first.signal(Signal::STOP);
    let stopped = Instant::now();
    let line = house.edge.wait_for_message("a target is down");
    assert!(stopped.elapsed() >= Duration::from_secs(1), "one check alone doesn't count");
    assert_eq!(line.field("address"), Some(house.first.addresses()[0].to_string()), "{line}");
    house.visit("Bob");
    assert!(house.second.knows("Bob"));

    house.first.signal(Signal::CONT);
    house.edge.wait_for_message("a target is up again");
    house.visit("Carol");
    assert!(house.first.knows("Carol"));
}

#[test]
fn a_target_that_is_gone_is_found_down_and_again_when_it_is_back() {
    let mut house = house("tcp");
    house.first.signal(Signal::KILL);
    house.edge.wait_for_message("a target is down");
    house.visit("Alice");
    assert!(house.second.knows("Alice"));
    let tried = house.edge.log().iter().any(|line| line.message() == Some("a target can't be reached"));
    assert!(!tried, "nobody tries it");
    house.first = house.first.started_anew();
    house.edge.wait_for_message("a target is up again");
    house.visit("Bob");
    assert!(house.first.knows("Bob"), "at once, and not after a while");
}
