//! While a target is looked for, the client is kept alive; when it leaves, nobody looks any more.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ids::Kind;
use drawbridge_testkit::{Deviation, Edge, Outcome, Player, Tarpit};
use std::time::{Duration, Instant};
use support::edge;

/// An edge that takes two seconds over each of `targets` before it gives up.
fn slow_house(tarpit: &Tarpit, targets: usize) -> Edge {
    let address = tarpit.address().unwrap();
    let targets: Vec<_> = (0..targets)
        .map(|number| format!("{{ identifier = \"t{number}\", address = \"{address}\" }}"))
        .collect();
    let config = format!(
        "[[routes]]\nname = \"lobby\"\nhosts = [\"*\"]\nmode = \"transfer\"\n\
         discovery.targets = [{}]\nauthentication.type = \"disabled\"\ntransfer.probe = true\n",
        targets.join(", ")
    );
    edge().config(config).start()
}

#[test]
fn a_waiting_client_is_kept_alive() {
    let tarpit = Tarpit::start().unwrap();
    let edge = slow_house(&tarpit, 7);
    let visit = Player::new("Alice", 767).patience(Duration::from_secs(25)).join(edge.address());
    assert!(visit.kinds().contains(&Kind::KeepAlive.name()), "{:?}", visit.kinds());
    assert!(
        visit.kicked().starts_with("The server that you were on your way to can't be reached"),
        "{}",
        visit.kicked()
    );
}

#[test]
fn a_client_that_leaves_ends_the_search() {
    let tarpit = Tarpit::start().unwrap();
    let edge = slow_house(&tarpit, 10);
    let start = Instant::now();
    let left = Player::new("Alice", 767)
        .patience(Duration::from_secs(1))
        .but(Deviation::SilentFrom(Kind::Transfer))
        .join(edge.address());
    assert!(matches!(left.outcome, Outcome::Ended(_)), "{:?}", left.outcome);
    edge.wait_for_message("left");
    let took = start.elapsed();
    assert!(took < Duration::from_secs(8), "it went on for {took:?}, of the 20 s that ten targets take");
}
