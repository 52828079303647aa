//! While a target is looked for, the client is kept alive; when it leaves, nobody looks any more.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ids::Kind;
use drawbridge_testkit::{Deviation, Edge, Outcome, Player, Tarpit};
use std::thread;
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

/// A sign of life is the answer to what was asked; one that doesn't come ends the wait at the next.
#[test]
fn who_answers_keep_alives_wrongly_or_never_is_not_waited_for() {
    let tarpit = Tarpit::start().unwrap();
    let edge = slow_house(&tarpit, 14);
    let player = Player::new("Alice", 767).patience(Duration::from_secs(25));
    let join = |deviation| player.clone().but(deviation).join(edge.address());
    let (wrong, never) = thread::scope(|scope| {
        let wrong = scope.spawn(|| join(Deviation::WrongKeepAlive));
        let never = scope.spawn(|| join(Deviation::SilentFrom(Kind::KeepAlive)));
        (wrong.join().unwrap(), never.join().unwrap())
    });
    assert!(wrong.dropped(), "{wrong:#?}");
    edge.wait_for_refusal("malformed");
    assert!(wrong.took < Duration::from_secs(15), "{:?}", wrong.took);
    assert!(never.kicked().starts_with("Joining took too long."), "{}", never.kicked());
    assert!(never.took < Duration::from_secs(25), "{:?}", never.took);
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
