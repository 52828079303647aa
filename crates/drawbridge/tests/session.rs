//! Players who are carried by sessions, as real clients and servers see it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{Join, NodeClient, NodeWorld, Served};
use support::edge;

#[test]
fn a_player_is_carried_to_an_offline_server() {
    let versions = ["1.7", "1.8", "1.12.2", "1.16.5", "1.20.1", "1.20.2", "1.21.4", "26.1"];
    let world = NodeWorld::start(versions.map(Served::version).to_vec(), None);
    let mut config = String::new();
    for (version, address) in versions.iter().zip(world.addresses()) {
        config += &format!(
            "[[routes]]\nname = \"v{version}\"\nhosts = [\"v{version}.example.com\"]\nmode = \"offline\"\ntargets = [\"{address}\"]\n"
        );
    }
    let edge = edge().config(config).start();
    let client = NodeClient::start();
    for version in versions {
        let join = Join::new("Alice", version).host(&format!("v{version}.example.com")).plays(200);
        let visit = client.join(&join, edge.address());
        println!("{version}: {:#?}", visit.events);
        println!("{:#?}", world.errors());
        assert!(visit.event("played").is_some(), "{version}");
    }
    for line in edge.log() {
        println!("{line}");
    }
}
