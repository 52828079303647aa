//! Fleets of Agones that players share, known by a watch. The cluster is `testkit`'s, or, for what makes sense there, a real
//! one: see docs/testing.md.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{ApiCall, Edge, KubernetesApi, Outcome, PATIENCE, Reply, Web, eventually, sees};
use serde_json::json;
use std::time::Duration;
use support::cluster::{Cluster, FLEET, POSTS, Post, comes_to_lead_to, join, open_route, port_of, state};
use support::edge;
use support::scrape::Scrape;

/// The watches that were begun, and from which version.
fn watches(calls: &[ApiCall]) -> Vec<String> {
    let watches = calls.iter().filter(|call| call.is_watch() && call.status == Some(200));
    watches.map(|call| call.request.parameter("resourceVersion").unwrap_or_default().to_owned()).collect()
}

fn lists(calls: &[ApiCall]) -> usize {
    calls.iter().filter(|call| call.is_list() && call.status == Some(200)).count()
}

/// Waits until somebody follows what happens.
fn is_followed(api: &KubernetesApi, how_often: usize) {
    api.wait_for("a watch", |calls| (watches(calls).len() >= how_often).then_some(()));
}

/// Also on a real cluster.
#[test]
fn players_share_the_game_servers_of_a_fleet() {
    sees!(
        "routes[].actions[](agones_watch).name",
        "routes[].discovery(agones_watch).kubeconfig",
        "routes[].actions[](agones_watch).kubeconfig",
        "routes[].discovery(agones_watch).namespace",
        "routes[].actions[](agones_watch).namespace",
        "routes[].discovery(agones_watch).selector.match_labels.*",
        "routes[].actions[](agones_watch).selector.match_labels.*"
    );
    for post in POSTS {
        let cluster = Cluster::find();
        let more = format!(
            "namespace = \"{}\"\nselector = {{ match_labels = {{ \"agones.dev/fleet\" = \"{FLEET}\" }} }}\n",
            cluster.namespace()
        );
        let section = post.section("agones_watch", &cluster.kubeconfig(), &more);
        let edge = edge().config(open_route(&section)).start();
        let (alice, bob) = (join(&edge, "Alice"), join(&edge, "Bob"));
        assert_eq!(alice.transferred(), bob.transferred(), "the first by name, for both");
        let (host, port) = alice.transferred();
        let servers = cluster.servers();
        let is_it = |server: &&serde_json::Value| {
            server["status"]["address"] == host && server["status"]["ports"][0]["port"] == port
        };
        let server = servers.iter().find(is_it).unwrap_or_else(|| panic!("no game server at {host}:{port}"));
        assert!(["Ready", "Allocated"].contains(&state(server)), "{server:#}");
    }
}

#[test]
fn who_is_a_target_is_what_the_route_says() {
    sees!(
        "routes[].discovery(agones_watch).selector.match_expressions[].key",
        "routes[].actions[](agones_watch).selector.match_expressions[].key",
        "routes[].discovery(agones_watch).selector.match_expressions[].operator",
        "routes[].actions[](agones_watch).selector.match_expressions[].operator",
        "routes[].discovery(agones_watch).selector.match_expressions[].values",
        "routes[].actions[](agones_watch).selector.match_expressions[].values",
        "routes[].discovery(agones_watch).states",
        "routes[].actions[](agones_watch).states",
        "routes[].discovery(agones_watch).port",
        "routes[].actions[](agones_watch).port"
    );
    for post in POSTS {
        let api = KubernetesApi::start().unwrap();
        let set = |name: &str, port: u16, tier: &str, state: &str| {
            api.add_with(name, FLEET, port, |server| {
                server["metadata"]["labels"]["tier"] = json!(tier);
                server["metadata"]["annotations"]["public"] = json!(format!("{name}.example.com:{port}"));
                server["status"]["state"] = json!(state);
                server["status"]["ports"] =
                    json!([{ "name": "query", "port": 1 }, { "name": "game", "port": port }]);
            });
        };
        set("a", 7001, "other", "Ready");
        set("b", 7002, "duel", "Shutdown");
        api.add_with("c", FLEET, 7003, |server| {
            server["metadata"]["labels"]["tier"] = json!("duel");
            server["metadata"]["deletionTimestamp"] = json!("2026-11-21T00:00:00Z");
            server["status"]["ports"] = json!([{ "name": "game", "port": 7003 }]);
        });
        // Not scheduled yet: no address, no ports.
        api.add_with("d", FLEET, 7004, |server| {
            server["metadata"]["labels"]["tier"] = json!("duel");
            server["status"]["address"] = json!("");
            server["status"]["ports"] = json!(null);
        });
        set("e", 7005, "duel", "Reserved");
        set("f", 7006, "duel", "Ready");
        let selector =
            "selector.match_expressions = [{ key = 'tier', operator = 'In', values = ['duel', 'party'] }]\n";
        let led = |more: &str| {
            let edge = post.watching(&api, &format!("{selector}port = 'game'\n{more}"));
            let visit = join(&edge, "Alice");
            let (host, port) = visit.transferred();
            format!("{host}:{port}")
        };
        assert_eq!(led(""), "127.0.0.1:7006");
        assert_eq!(led("states = ['Reserved']"), "127.0.0.1:7005");
        let public = "[routes.transfer]\naddress = { meta = 'annotation.public' }";
        assert_eq!(led(public), "f.example.com:7006", "what is known of it is metadata");
    }
}

#[test]
fn changes_are_followed() {
    let api = KubernetesApi::start().unwrap();
    api.add("b", FLEET, 7002);
    let edge = Post::Discovery.watching(&api, "");
    assert_eq!(port_of(&join(&edge, "Alice")), 7002);
    is_followed(&api, 1);
    api.add("a", FLEET, 7001);
    comes_to_lead_to(&edge, 7001);
    api.change("a", |server| server["status"]["state"] = json!("Shutdown"));
    comes_to_lead_to(&edge, 7002);
    api.change("a", |server| server["status"]["state"] = json!("Allocated"));
    comes_to_lead_to(&edge, 7001);
    api.remove("a");
    comes_to_lead_to(&edge, 7002);
    assert_eq!((lists(&api.calls()), watches(&api.calls()).len()), (1, 1), "by one list and one watch");
}

#[test]
fn a_broken_stream_is_taken_up_where_it_was() {
    let api = KubernetesApi::start().unwrap();
    api.add("b", FLEET, 7002);
    let edge = Post::Discovery.watching(&api, "");
    is_followed(&api, 1);
    assert_eq!(watches(&api.calls()), [api.version().to_string()], "from the list on");
    // A bookmark tells of changes elsewhere, so that less has to be told again.
    api.bookmark();
    let bookmarked = api.version().to_string();
    api.add("c", "drawbridge-test", 7003);
    comes_to_lead_to(&edge, 7002);
    api.break_streams();
    is_followed(&api, 2);
    let second = watches(&api.calls())[1].clone();
    assert!(second == bookmarked || second == api.version().to_string(), "{second}");
    assert_ne!(second, watches(&api.calls())[0], "what has been told isn't told again");
    api.add("a", FLEET, 7001);
    comes_to_lead_to(&edge, 7001);
    assert_eq!(lists(&api.calls()), 1, "without another list");
}

#[test]
fn what_the_api_has_forgotten_is_listed_anew() {
    let api = KubernetesApi::start().unwrap();
    api.add("a", FLEET, 7001);
    api.add("b", FLEET, 7002);
    let edge = Post::Discovery.watching(&api, "");
    is_followed(&api, 1);
    // The stream says 410 Gone, and what happened in between is never told.
    api.remove("a");
    api.forget();
    comes_to_lead_to(&edge, 7002);
    is_followed(&api, 2);
    assert_eq!(lists(&api.calls()), 2);
    // A watch can't be begun any more where the last one broke.
    api.down(Some(500));
    api.break_streams();
    api.wait_for("a watch that fails", |calls| {
        calls.iter().any(|call| call.is_watch() && call.status == Some(500)).then_some(())
    });
    api.add("a", FLEET, 7001);
    api.forget();
    api.down(None);
    comes_to_lead_to(&edge, 7001);
    assert!(api.calls().iter().any(|call| call.is_watch() && call.status == Some(410)));
    assert_eq!(lists(&api.calls()), 3);
}

#[test]
fn while_the_api_fails_it_is_as_the_route_says() {
    sees!("routes[].discovery(agones_watch).on_error", "routes[].actions[](agones_watch).on_error");
    for post in POSTS {
        let api = KubernetesApi::start().unwrap();
        api.add("a", FLEET, 7001);
        let (stale, refusing) = (post.watching(&api, ""), post.watching(&api, "on_error = 'refuse'"));
        let next = "on_error = 'next'\n[[routes.actions]]\ntype = 'fixed'\ntargets = [{ address = '127.0.0.1:7009' }]";
        let next = post.watching(&api, next);
        for edge in [&stale, &refusing, &next] {
            assert_eq!(port_of(&join(edge, "Alice")), 7001);
        }
        is_followed(&api, 3);
        api.down(Some(503));
        api.break_streams();
        for edge in [&stale, &refusing, &next] {
            edge.wait_for_message("game servers can't be watched");
        }
        let stale_answers = |edge: &Edge| {
            Scrape::of(edge.metrics_address())
                .sum("drawbridge_discovery_stale_total", &["kind=\"agones_watch\""])
        };
        assert_eq!(stale_answers(&stale), 0.0);
        assert_eq!(port_of(&join(&stale, "Alice")), 7001, "what was known last");
        assert_eq!(stale_answers(&stale), 1.0);
        assert!(join(&refusing, "Alice").kicked().contains(" failed"));
        assert_eq!(port_of(&join(&next, "Alice")), 7009);
        assert_eq!((stale_answers(&refusing), stale_answers(&next)), (0.0, 0.0));
        api.down(None);
        for edge in [&stale, &refusing, &next] {
            edge.wait_for_message("game servers are watched again");
            comes_to_lead_to(edge, 7001);
        }
    }
}

/// A kubeconfig of a cluster at `server`, with a context of that name.
fn kubeconfig(folder: &tempfile::TempDir, server: &str, context: &str) -> std::path::PathBuf {
    let file = folder.path().join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{ name: c, cluster: {{ server: '{server}' }} }}]\n\
         users: [{{ name: u, user: {{ token: t }} }}]\n\
         contexts: [{{ name: {context}, context: {{ cluster: c, user: u }} }}]\n"
    );
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn the_first_list_is_waited_for_as_long_as_nothing_is_known() {
    sees!(
        "routes[].discovery(agones_watch).timeout",
        "routes[].actions[](agones_watch).timeout",
        "routes[].discovery(agones_watch).context",
        "routes[].actions[](agones_watch).context"
    );
    for post in POSTS {
        // A cluster that says nothing is waited for.
        let (silent, folder) = (Web::start(200, b"").unwrap(), tempfile::tempdir().unwrap());
        silent.answer_by(|_| Reply::silence());
        let file = kubeconfig(&folder, &silent.url(), "elsewhere");
        let section = post.section("agones_watch", &file, "context = 'elsewhere'\ntimeout = '700ms'");
        let patient = edge().config(open_route(&section)).start();
        let visit = join(&patient, "Alice");
        assert!(visit.kicked().contains(" failed"), "{}", visit.kicked());
        assert!(visit.took >= Duration::from_millis(700), "{:?}", visit.took);
        assert!(visit.took < Duration::from_secs(5), "{:?}", visit.took);

        // One that is known to fail isn't, until it is back.
        let api = KubernetesApi::start().unwrap();
        api.add("a", FLEET, 7001);
        api.down(Some(503));
        let edge = post.watching(&api, "timeout = '15s'");
        edge.wait_for_message("game servers can't be watched");
        let visit = join(&edge, "Alice");
        assert!(visit.kicked().contains(" failed"), "{}", visit.kicked());
        assert!(visit.took < Duration::from_secs(5), "{:?}", visit.took);
        assert!(post.fails(&edge).text().contains("503"), "the reason is told");
        api.down(None);
        comes_to_lead_to(&edge, 7001);
    }
}

#[test]
fn a_token_that_is_renewed_is_read_anew() {
    let api = KubernetesApi::start().unwrap();
    api.add("a", FLEET, 7001);
    let edge = Post::Discovery.watching(&api, "");
    is_followed(&api, 1);
    api.renew_token();
    api.break_streams();
    is_followed(&api, 2);
    api.change("a", |server| server["status"]["ports"][0]["port"] = json!(7002));
    comes_to_lead_to(&edge, 7002);
    assert!(!edge.log().iter().any(|line| line.message() == Some("game servers can't be watched")));
}

#[test]
fn a_reload_goes_on_with_the_same_watch_and_ends_one_that_nobody_wants() {
    let api = KubernetesApi::start().unwrap();
    api.add("a", FLEET, 7001);
    api.add("z", "other", 7009);
    let edge = Post::Discovery.watching(&api, "");
    is_followed(&api, 1);
    let config = |more: &str| open_route(&Post::Discovery.section("agones_watch", &api.kubeconfig(), more));
    edge.rewrite(config("port = 'game'"));
    edge.wait_for_messages("configuration reloaded", 1);
    comes_to_lead_to(&edge, 7001);
    assert_eq!((api.watches(), lists(&api.calls())), (1, 1), "nothing is asked anew");
    edge.rewrite(config("selector.match_labels = { 'agones.dev/fleet' = 'other' }"));
    comes_to_lead_to(&edge, 7009);
    let one = eventually(PATIENCE, || (api.watches() == 1).then_some(()));
    assert!(one.is_some(), "the other has ended");
}

/// Several pages, and more game servers than fit into one.
#[test]
fn a_large_fleet_comes_in_pages() {
    let api = KubernetesApi::start().unwrap();
    for at in 0..1_201 {
        let state = if at == 1_200 { "Ready" } else { "Shutdown" };
        api.add_with(&format!("hub-{at:05}"), FLEET, 7001, |server| server["status"]["state"] = json!(state));
    }
    let edge = Post::Discovery.watching(&api, "");
    assert!(matches!(join(&edge, "Alice").outcome, Outcome::Transfer { .. }));
    let sizes: Vec<_> =
        api.calls().iter().filter(|call| call.is_list()).map(|call| call.request.target.clone()).collect();
    assert_eq!(sizes.len(), 3, "{sizes:#?}");
}

#[test]
fn a_watch_keeps_no_edge_from_stopping() {
    let api = KubernetesApi::start().unwrap();
    let mut edge = Post::Discovery.watching(&api, "");
    is_followed(&api, 1);
    edge.terminate();
    assert!(edge.exit(Duration::from_secs(5)).success());
    assert!(eventually(PATIENCE, || (api.watches() == 0).then_some(())).is_some());
}
