//! Players in sessions on servers made by other hands: the route that leads there, and that nothing is out of its place.

use super::edge;
use drawbridge_testkit::{Crowd, Edge, Host, Join, NodeClient, NodePlayer, NodeWorld, Squid, Walker};
use std::fmt::Display;
use std::time::Duration;

/// The number of a server that the edge's own world would have.
pub(crate) const LIMBO: usize = 0;

/// How often packets go each way beside all else.
pub(crate) const OFTEN: Duration = Duration::from_millis(20);

/// The key by which a route has targets with names.
pub(crate) fn targets<A: Display>(named: impl IntoIterator<Item = (impl Display, A)>) -> String {
    let targets =
        named.into_iter().map(|(name, at)| format!("{{ identifier = \"{name}\", address = \"{at}\" }}"));
    format!("discovery.targets = [{}]", targets.collect::<Vec<_>>().join(", "))
}

/// The default route, with more about it: in sessions that authenticate nobody, to the servers of these worlds, by the names `a`, `b`, `c`.
pub(crate) fn home(worlds: &[&NodeWorld], more: &str) -> String {
    let addresses = worlds.iter().flat_map(|world| world.addresses());
    let targets = targets(["a", "b", "c"].iter().zip(addresses));
    format!("[[routes]]\nname = \"home\"\nhosts = [\"*\"]\nmode = \"offline\"\n{targets}\n{more}\n")
}

/// Has Alice join, and say something to her server all the time.
pub(crate) fn alice<'a>(client: &'a NodeClient, version: &str, edge: &Edge) -> NodePlayer<'a> {
    client.begin(&Join::new("Alice", version).plays_on(OFTEN), edge.address())
}

/// Nothing was out of its place, neither at the players' nor at the servers'.
#[track_caller]
pub(crate) fn assert_sound(players: &[&NodePlayer<'_>], worlds: &[&NodeWorld], version: &str) {
    for player in players {
        assert!(player.troubles().is_empty(), "{version}: {:#?}", player.troubles());
    }
    for world in worlds {
        assert!(world.troubles().is_empty(), "{version}: {:#?}", world.troubles());
        assert!(world.errors().is_empty(), "{version}: {:#?}", world.errors());
    }
}

/// Nothing was out of its place in a crowd, neither at its players' nor at the hosts', and nobody is gone.
#[track_caller]
pub(crate) fn assert_crowd_sound(crowd: &Crowd, hosts: &[&Host]) {
    assert_eq!((crowd.faults(), crowd.gone()), (Vec::new(), Vec::new()));
    hosts.iter().for_each(|host| assert_eq!(host.faults(), [], "{}", host.number()));
}

/// Has mineflayer walk on a world of flying-squid behind a route of this mode, until the line that tells so of its end.
pub(crate) fn walks(version: &str, mode: &str, ended: &str) {
    let squid = Squid::start(version);
    let at = squid.address();
    let route =
        format!("[[routes]]\nname = \"world\"\nhosts = [\"*\"]\nmode = \"{mode}\"\ntargets = [\"{at}\"]\n");
    let edge = edge().config(route).start();
    let walker = Walker::start("Walker", version, edge.address());
    assert!(squid.moved("Walker") >= 4.0, "{version}");
    assert!(walker.walked() >= 5.0, "{version}");
    squid.left("Walker");
    let ended = edge.wait_for_message(ended);
    assert_eq!(ended.field("end").as_deref(), Some("closed"), "{ended}");
}
