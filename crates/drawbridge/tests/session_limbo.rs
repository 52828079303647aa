//! The edge's own worlds, as real clients see them: of every protocol, for longer than a client waits for a sign of life, and under the
//! feet of a player with a body.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_limbo::World;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{Edge, Join, NodeClient, Tour};
use std::thread;
use std::time::{Duration, Instant};
use support::edge;

/// How long players are held: twice what clients wait for a sign of life.
const HELD: Duration = Duration::from_secs(60);
/// How many versions a process serves: each takes some 8 MB.
const VERSIONS_A_PROCESS: usize = 16;
/// The number of a server that the edge's own world would have.
const LIMBO: usize = 0;

/// The program as the README starts it, but for the port.
fn demo() -> Edge {
    edge()
        .argument("demo")
        .env("DRAWBRIDGE__BIND", "[\"127.0.0.1:0\"]")
        .env("DRAWBRIDGE__TELEMETRY__FORMAT", "\"json\"")
        // Everybody comes from one address.
        .env("DRAWBRIDGE__LIMITS__LOGIN__BURST", "1000")
        .env("DRAWBRIDGE__LIMITS__LOGIN__PER", "\"1s\"")
        .env("DRAWBRIDGE__LIMITS__PER_ADDRESS", "1000")
        .start()
}

#[test]
fn players_of_every_protocol_are_held_for_a_minute_at_once() {
    let edge = demo();
    let client = NodeClient::start();
    let versions: Vec<_> = client
        .versions()
        .into_iter()
        .filter(|(_, protocol)| World::of(ProtocolVersion(*protocol)).is_some())
        .collect();
    assert!(versions.len() >= 47, "{versions:?}");
    let clients: Vec<_> = versions.chunks(VERSIONS_A_PROCESS).map(|_| NodeClient::start()).collect();
    let held: Vec<_> = versions
        .iter()
        .enumerate()
        .map(|(index, (release, protocol))| {
            let join = Join::new(&format!("held{protocol}"), release).plays_on(Duration::from_secs(1));
            (release, clients[index / VERSIONS_A_PROCESS].begin(&join, edge.address()))
        })
        .collect();
    held.iter().for_each(|(_, player)| drop(player.joined_world(LIMBO)));
    let since = Instant::now();
    while let Some(left) = HELD.checked_sub(since.elapsed()) {
        thread::park_timeout(left);
    }
    for (release, player) in held {
        player.says("/server");
        player.reads("You are on hub. You can go to: hub, island.");
        assert!(player.troubles().is_empty(), "{release}: {:#?}", player.troubles());
        let visit = player.leave();
        assert!(visit.event("disconnect").is_none(), "{release}: {:#?}", visit.events);
    }
}

fn tours(protocols: Option<&[i32]>) -> usize {
    let edge = demo();
    let tour = Tour::start(edge.address(), &["/server island", "/server hub"], protocols);
    let seen = tour.seen(Duration::from_secs(600));
    for event in &seen {
        assert_eq!(event.name(), "toured", "{event:?}");
        let places = event.field("seen").as_array().unwrap();
        assert_eq!(places.len(), 3, "{event:?}");
    }
    seen.len()
}

/// A release of each way to join and to switch.
#[test]
fn a_player_with_a_body_stands_in_both_worlds_of_the_demo() {
    let protocols = [47, 340, 477, 578, 754, 758, 763, 765, 767, 769];
    assert_eq!(tours(Some(&protocols)), protocols.len());
}

#[test]
#[ignore = "run by cargo xtask matrix"]
fn a_player_with_a_body_stands_there_in_every_release() {
    assert!(tours(None) >= 40);
}
