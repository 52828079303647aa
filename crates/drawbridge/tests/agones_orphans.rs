//! Players who leave while a game server of Agones is allocated for them: nothing more is asked, and nothing is left behind.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{ApiCall, Backend, Edge, KubernetesApi, PATIENCE, Turn, eventually, sees};
use serde_json::{Value, json};
use std::thread;
use std::time::{Duration, Instant};
use support::cluster::{ALLOCATION, FLEET, POSTS, Post, join, leaves, port_of, state};
use support::scrape::{Scrape, wait_for};

#[test]
fn nothing_is_asked_for_a_player_who_has_left() {
    let api = KubernetesApi::start().unwrap();
    api.add("hub-1", FLEET, 7001);
    let edge = Post::Discovery.allocating(&api, "backoff = { first = '1500ms', longest = '2s' }");
    // Between two attempts.
    api.turns([Turn::Contention]);
    leaves(&edge, "Alice");
    let gone = edge.wait_for_message("left");
    // While the call is under way.
    api.turns([Turn::Held]);
    leaves(&edge, "Bob");
    edge.wait_for_messages("left", 2);
    let cut = api.wait_for("a call that is cut", |calls| {
        calls.iter().find(|call| call.is_allocation() && call.cancelled.is_some()).cloned()
    });
    assert!(cut.cancelled.unwrap() - cut.at < Duration::from_secs(3), "{gone:?}");
    api.release();
    // Somebody who stays shows that the edge isn't busy with the others any more.
    assert_eq!(port_of(&join(&edge, "Carol")), 7001);
    assert_eq!(api.allocations().len(), 3, "one for each, none behind");
}

/// From a player's hanging up to the end of the call as the cluster sees it.
#[test]
fn a_call_ends_with_its_player() {
    for post in POSTS {
        let api = KubernetesApi::start().unwrap();
        api.add("hub-1", FLEET, 7001);
        let edge = post.allocating(&api, "metadata.labels = { player = '{{ .Player.Name }}' }");
        assert_eq!(port_of(&join(&edge, "Alice")), 7001);
        let before = edge.descriptors();
        let players: Vec<String> = (0..20).map(|at| format!("Player{at}")).collect();
        api.turns(players.iter().map(|_| Turn::Held));
        let left: Vec<(String, Instant)> = thread::scope(|scope| {
            let leave = |name: &String| {
                let (edge, name) = (&edge, name.clone());
                scope.spawn(move || {
                    leaves(edge, &name);
                    (name, Instant::now())
                })
            };
            let leaving: Vec<_> = players.iter().map(leave).collect();
            leaving.into_iter().map(|player| player.join().unwrap()).collect()
        });
        for (name, left) in left {
            let cut = api.wait_for("a call that is cut", |calls| {
                let of_player =
                    |call: &&ApiCall| call.json()["spec"]["metadata"]["labels"]["player"] == *name;
                calls.iter().find(of_player).and_then(|call| call.cancelled)
            });
            let late = cut.saturating_duration_since(left);
            assert!(late < Duration::from_millis(100), "the call outlived {name} by {late:?}");
        }
        // But for a few connections that wait for further calls: those that look for game servers are eight at most.
        let closed = eventually(PATIENCE, || (edge.descriptors() <= before + 8).then_some(()));
        assert!(closed.is_some(), "{} descriptors, before {before}", edge.descriptors());
    }
}

const ORPHANED: &str = "drawbridge_orphaned_allocations_total";

/// Waits until one orphan has come to this, which is the only one.
#[track_caller]
fn counts_one(edge: &Edge, outcome: &str) {
    let at = edge.metrics_address();
    wait_for(at, ORPHANED, &[&format!("outcome=\"{outcome}\"")], |count| count == 1.0);
    assert_eq!(Scrape::of(at).sum(ORPHANED, &[]), 1.0);
}

/// The game server that the first player was allocated.
fn orphan(api: &KubernetesApi) -> Option<Value> {
    api.server("hub-1")
}

#[test]
fn what_a_cut_call_did_is_found_and_dealt_with() {
    sees!(
        "routes[].discovery(agones).orphans",
        "routes[].actions[](agones).orphans",
        "routes[].discovery(agones).relabel.*",
        "routes[].actions[](agones).relabel.*"
    );
    for post in POSTS {
        let cut = |more: &str| {
            let api = KubernetesApi::start().unwrap();
            api.add("hub-1", FLEET, 7001);
            api.turns([Turn::DoneAndHeld]);
            let edge = post.allocating(&api, more);
            leaves(&edge, "Alice");
            let line = edge.wait_for_message("a game server was allocated for a player who left");
            for (field, value) in [("game_server", "hub-1"), ("namespace", "default"), ("player", "Alice")] {
                assert!(line.field(field).is_some_and(|said| said == value), "{field}: {line:?}");
            }
            (api, edge)
        };
        let (api, edge) = cut("");
        counts_one(&edge, "reported");
        assert_eq!(state(&orphan(&api).unwrap()), "Allocated", "reported, and left alone");
        let (api, edge) = cut("orphans = 'delete'");
        assert!(eventually(PATIENCE, || orphan(&api).is_none().then_some(())).is_some(), "deleted");
        counts_one(&edge, "deleted");
        let (api, edge) = cut("orphans = 'relabel'\nrelabel = { orphaned = 'yes' }");
        edge.wait_for_message("an orphan's game server was dealt with");
        counts_one(&edge, "relabelled");
        let labels = orphan(&api).unwrap()["metadata"]["labels"].clone();
        assert_eq!((&labels["orphaned"], &labels["agones.dev/fleet"]), (&json!("yes"), &json!(FLEET)));
    }
}

/// Where the connection breaks, the player is given another; what the first attempt did is found.
#[test]
fn an_attempt_that_broke_off_leaves_nothing_behind() {
    let api = KubernetesApi::start().unwrap();
    (1..3).for_each(|at| api.add(&format!("hub-{at}"), FLEET, 7000 + at));
    api.turns([Turn::DoneAndClosed]);
    let edge = Post::Discovery.allocating(&api, "orphans = 'delete'\nscheduling = 'Distributed'");
    assert_eq!(port_of(&join(&edge, "Alice")), 7002);
    assert!(eventually(PATIENCE, || orphan(&api).is_none().then_some(())).is_some(), "deleted");
    assert_eq!(state(&api.server("hub-2").unwrap()), "Allocated", "the player's own is left alone");
}

/// An API that answers with errors is asked once what came of them, for all attempts of a login.
#[test]
fn attempts_that_were_answered_with_errors_are_looked_after_once() {
    for (status, turn) in
        [(503, Turn::Fails(503, None)), (500, Turn::DoneAndFails(500)), (504, Turn::DoneAndFails(504))]
    {
        let api = KubernetesApi::start().unwrap();
        (1..4).for_each(|at| api.add(&format!("hub-{at}"), FLEET, 7000 + at));
        api.turns([turn; 2]);
        let more = "orphans = 'delete'\nscheduling = 'Distributed'\nbackoff.first = '50ms'";
        let mut edge = Post::Discovery.allocating(&api, more);
        let mine = port_of(&join(&edge, "Alice")) - 7000;
        let orphans = if matches!(turn, Turn::Fails(..)) { 0 } else { 2 };
        let looked = |calls: &[ApiCall]| calls.iter().find(|call| call.is_list()).cloned();
        let look = api.wait_for("a look", looked);
        for attempt in &api.allocations()[..2] {
            let id = attempt.json()["spec"]["metadata"]["labels"][ALLOCATION].clone();
            let selector = look.request.parameter("labelSelector").unwrap();
            assert!(selector.contains(id.as_str().unwrap()), "{status}: {selector} without {id}");
        }
        let left = eventually(PATIENCE, || (api.servers().len() == 3 - orphans).then_some(()));
        assert!(left.is_some(), "{status}: {} are left", api.servers().len());
        let server = api.server(&format!("hub-{mine}")).expect("the player's own is left alone");
        assert_eq!(state(&server), "Allocated", "{status}");
        // It ends once nothing is looked for any more.
        edge.terminate();
        assert!(edge.exit(PATIENCE).success());
        assert_eq!(api.calls().iter().filter(|call| call.is_list()).count(), 1, "{status}");
    }
}

/// While everything fails, players' attempts are most of what it is asked.
#[test]
fn an_api_that_fails_is_hardly_asked_for_orphans() {
    let api = KubernetesApi::start().unwrap();
    api.turns([Turn::Fails(503, None); 100]);
    api.down(Some(503));
    let edge =
        Post::Discovery.allocating(&api, "timeout = '2s'\nbackoff = { first = '10ms', longest = '150ms' }");
    assert!(!join(&edge, "Alice").kicked().is_empty());
    Post::Discovery.fails(&edge);
    let tried = api.allocations().len();
    assert!(tried > 10, "{tried}");
    edge.wait_for_message("nobody knows whether a game server was allocated for a player who left");
    assert_eq!(api.calls().len(), tried + 5, "five looks, whatever the number of attempts");
}

/// Allocated, but the player is refused afterwards: nobody accepts at the address.
#[test]
fn a_game_server_that_its_player_never_reached_is_dealt_with() {
    let api = KubernetesApi::start().unwrap();
    let backend = Backend::start().unwrap();
    let alive = backend.address().port();
    api.add("hub-1", FLEET, 1);
    let edge = Post::Discovery.allocating(&api, "orphans = 'delete'\n[routes.transfer]\nprobe = true");
    assert!(join(&edge, "Alice").kicked().contains("can't be reached"));
    assert!(eventually(PATIENCE, || orphan(&api).is_none().then_some(())).is_some(), "deleted");
    // Who is brought there keeps it.
    api.add("hub-2", FLEET, alive);
    assert_eq!(port_of(&join(&edge, "Bob")), alive);
    api.add("hub-3", FLEET, 1);
    assert!(join(&edge, "Carol").kicked().contains("can't be reached"));
    assert!(eventually(PATIENCE, || api.server("hub-3").is_none().then_some(())).is_some(), "deleted");
    assert_eq!(state(&api.server("hub-2").unwrap()), "Allocated");
}

/// What the player never reached is known by its name, so that it is counted without anybody's being asked.
#[test]
fn an_orphan_that_is_known_is_only_reported_where_that_is_all() {
    let api = KubernetesApi::start().unwrap();
    api.add("hub-1", FLEET, 1);
    let edge = Post::Discovery.allocating(&api, "[routes.transfer]\nprobe = true");
    assert!(join(&edge, "Alice").kicked().contains("can't be reached"));
    counts_one(&edge, "reported");
    assert_eq!(api.calls().len(), 1);
}

/// What can't be dealt with while the API fails is told from what nobody knows about.
#[test]
fn orphans_that_are_given_up_are_counted() {
    let api = KubernetesApi::start().unwrap();
    api.add("hub-1", FLEET, 1);
    api.add("hub-2", FLEET, 1);
    let edge = Post::Discovery.allocating(&api, "orphans = 'delete'\n[routes.transfer]\nprobe = true");
    api.down(Some(503));
    api.turns([Turn::DoneAndHeld]);
    leaves(&edge, "Alice");
    assert!(join(&edge, "Bob").kicked().contains("can't be reached"));
    let given_up = |outcome: &str| {
        let label = format!("outcome=\"{outcome}\"");
        wait_for(edge.metrics_address(), ORPHANED, &[&label], |count| count == 1.0);
    };
    given_up("unknown");
    given_up("failed");
    assert_eq!(Scrape::of(edge.metrics_address()).sum(ORPHANED, &[]), 2.0);
    edge.wait_for_message("a game server that was allocated for a player who left was not dealt with");
    edge.wait_for_message("nobody knows whether a game server was allocated for a player who left");
    assert_eq!(api.servers().len(), 2);
}

/// Somebody else has been given it since: the label is theirs.
#[test]
fn a_game_server_that_is_someone_elses_by_now_is_left_alone() {
    let api = KubernetesApi::start().unwrap();
    api.add("hub-1", FLEET, 7001);
    api.turns([Turn::DoneAndHeld]);
    let edge = Post::Discovery.allocating(&api, "orphans = 'delete'");
    leaves(&edge, "Alice");
    api.change("hub-1", |server| server["metadata"]["labels"][ALLOCATION] = json!("another"));
    let looked = |calls: &[ApiCall]| {
        let looks =
            calls.iter().filter(|call| call.is_list() && call.request.parameter("labelSelector").is_some());
        (looks.count() >= 3).then_some(())
    };
    api.wait_for("several looks", looked);
    assert_eq!(state(&orphan(&api).unwrap()), "Allocated");
    assert!(!api.calls().iter().any(|call| call.request.method == "DELETE"));
}

/// What has begun is finished when the edge stops.
#[test]
fn stopping_waits_for_orphans() {
    let api = KubernetesApi::start().unwrap();
    api.add("hub-1", FLEET, 7001);
    api.turns([Turn::DoneAndHeld]);
    let mut edge = Post::Discovery.allocating(&api, "orphans = 'delete'");
    leaves(&edge, "Alice");
    edge.wait_for_message("left");
    edge.terminate();
    assert!(edge.exit(PATIENCE).success());
    assert!(orphan(&api).is_none(), "deleted");
}
