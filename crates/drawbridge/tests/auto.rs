//! The mode `auto`: whose version can be handed over is, and all others are relayed, to the same target.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{Edge, Manner, Player, SessionServer, Target, sees};
use std::fmt::Write as _;
use std::net::SocketAddr;
use support::edge;
use support::raw::Raw;

/// What targets say first.
const HELLO: &[u8] = b"\x05hello";

fn target() -> Target {
    Target::start(Manner::Echoes(HELLO.to_vec())).unwrap()
}

/// One route for all versions, whose action prefers the fuller target.
fn house(targets: &[(SocketAddr, u32)], authentication: &str) -> Edge {
    let mut list = String::new();
    for (address, players) in targets {
        let _ = write!(
            list,
            "{{ identifier = \"t{players}\", address = \"{address}\", meta = {{ players = \"{players}\" }} }},"
        );
    }
    let config = format!(
        "[[routes]]\nname = \"world\"\nhosts = [\"*\"]\nmode = \"auto\"\ndiscovery.targets = [{list}]\n{authentication}\n\
         [[routes.actions]]\ntype = \"player_fill_strategy\"\nname = \"fill\"\nmax_players = 20\n"
    );
    edge().config(config).start()
}

#[test]
fn whoever_can_be_handed_over_is_and_all_others_are_relayed_to_the_same_target() {
    sees!("routes[].mode");
    let targets = [target(), target(), target()];
    let addresses = targets.each_ref().map(Target::address);
    let edge = house(
        &[(addresses[0], 3), (addresses[1], 12), (addresses[2], 20)],
        "authentication.type = \"disabled\"",
    );
    // 1.8, 1.12.2, 1.20.2, 1.20.3; and one that is newer than any: it can't be handed over by an edge that doesn't know it.
    let relayed = [47, 340, 764, 765, 9001];
    for version in relayed {
        Raw::joins(&edge, version).hears(HELLO);
    }
    // 1.20.5, 1.21.2, 1.21.11.
    for version in [766, 768, 774] {
        let visit = Player::new("Alice", version).join(edge.address());
        let expected = (addresses[1].ip().to_string(), addresses[1].port());
        assert_eq!(visit.transferred(), (expected.0.as_str(), expected.1), "{version}");
    }
    let reached = targets.each_ref().map(|target| target.heard().len());
    assert_eq!(reached, [0, relayed.len(), 0]);
}

/// Who is handed over is asked who they are by the edge, who is relayed by the target.
#[test]
fn each_is_asked_who_they_are_where_they_go() {
    let (session, target) = (SessionServer::start().unwrap(), target());
    let authentication = format!("[routes.authentication]\nurl = \"{}\"", session.url());
    let edge = house(&[(target.address(), 1)], &authentication);
    Raw::joins(&edge, 340).hears(HELLO);
    assert_eq!(session.asked(), 0, "nobody is asked about players who are relayed");
    let visit = Player::with_account(&session.account("Alice"), 767).join(edge.address());
    assert_eq!(visit.transferred().1, target.address().port());
    assert_eq!((session.asked(), target.heard().len()), (1, 1));
}

#[test]
fn what_a_route_can_only_carry_is_a_mistake() {
    let edge = edge().config(
        "[[routes]]\nname = \"world\"\nhosts = [\"*\"]\nmode = \"auto\"\ntargets = [\"127.0.0.1:1\"]\n[routes.session]\nforwarding = \"bungeecord\"\n",
    );
    let said = edge.argument("check").finish().stderr;
    assert!(said.contains("players are handed over or relayed"), "{said}");
}
