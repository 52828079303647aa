//! Clients of versions that the edge doesn't speak, at routes whose players are carried by sessions, as real clients and servers see it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{Edge, Join, NodeClient, NodeWorld, Served, SessionServer, sees};
use support::edge;

/// A number that no release has.
const NEWER: i32 = 9_001;

/// A host whose players are in sessions at the first server, but for those who speak what the edge doesn't: they are relayed to the second,
/// which authenticates them itself, as the third of a list says.
fn network(world: &NodeWorld, session: &SessionServer, beside: &str, more: &str) -> Edge {
    let [carries, relays] = [0, 1].map(|number| world.address(number));
    let config = format!(
        "[[routes]]\nname = \"home\"\nhosts = [\"*\"]\nmode = \"client_only\"\ntargets = [\"{carries}\"]\n\
         authentication.url = \"{0}\"\nsession.unknown_versions = \"{beside}\"\n\
         [[routes]]\nname = \"newer\"\nhosts = [\"newer.test\"]\nmode = \"passthrough\"\ntargets = [\"{relays}\"]\n{more}\n",
        session.url()
    );
    edge().config(config).start()
}

fn world(session: &SessionServer) -> NodeWorld {
    let served = [Served::version("1.21.4"), Served::version("1.21.4").online().claiming(NEWER)];
    NodeWorld::start(served.to_vec(), Some(&session.url()))
}

#[test]
fn who_speaks_what_the_edge_does_not_is_relayed_where_the_route_says_so() {
    sees!("routes[].session.unknown_versions");
    let session = SessionServer::start().unwrap();
    let (world, client) = (world(&session), NodeClient::start());
    let alice = session.account("Alice");
    let join = Join::with_account(&alice, "1.21.4").plays(20);
    let edge = network(&world, &session, "newer", "");
    let newer = client.join(&join.clone().protocol(NEWER), edge.address());
    assert!(newer.event("played").is_some(), "{newer:#?}");
    assert_eq!(world.login("Alice").field("server"), 1);
    assert_eq!(world.login("Alice").field("encrypted"), true, "the server has authenticated them");
    let ended = edge.wait_for("a relay's end", |line| line.field("route").as_deref() == Some("newer"));
    assert_eq!(ended.field("player").as_deref(), Some("Alice"));
    // A version that the edge speaks stays with it.
    let known = client.join(&join, edge.address());
    assert!(known.event("played").is_some(), "{known:#?}");
    edge.wait_for_message("session ended");
    assert_eq!(world.logins("Alice", 2)[1].field("server"), 0);
}

#[test]
fn what_the_other_route_asks_counts_for_them() {
    let session = SessionServer::start().unwrap();
    let (world, client) = (world(&session), NodeClient::start());
    let join = Join::new("Alice", "1.21.4").protocol(NEWER);
    for (more, told) in [
        ("access.allow = [\"192.0.2.0/24\"]", "You can't join from your network."),
        ("maintenance = {}", "is being worked on"),
        ("versions = \"<=26.3\"", "can't be joined with"),
    ] {
        let edge = network(&world, &session, "newer", more);
        let visit = client.join(&join, edge.address());
        assert!(visit.kicked().contains(told), "{more}: {}", visit.kicked());
    }
    assert!(!world.knows("Alice"));
}
