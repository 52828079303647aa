//! How a cluster of Agones is reached, and which of its namespaces is meant.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{KubernetesApi, Turn, Web};
use serde_json::{Value, json};
use support::cluster::{FLEET, POSTS, Post, join, leaves, open_route, port_of};
use support::edge;

#[test]
fn a_token_that_is_renewed_is_read_anew() {
    let api = KubernetesApi::start().unwrap();
    (0..3).for_each(|at| api.add(&format!("hub-{at}"), FLEET, 7000 + at));
    let edge = Post::Discovery.allocating(&api, "");
    assert_eq!(port_of(&join(&edge, "Alice")), 7000);
    for at in 1..3 {
        api.renew_token();
        assert_eq!(port_of(&join(&edge, "Alice")), 7000 + at);
    }
    let statuses: Vec<_> = api.allocations().iter().map(|call| call.status.unwrap()).collect();
    assert_eq!(statuses, [201, 401, 201, 401, 201], "the old token is tried once");
}

/// Where no kubeconfig is written, the environment names one; where nothing does, that is said when it is needed.
#[test]
fn without_a_key_the_kubeconfig_is_the_usual_one() {
    let api = KubernetesApi::start().unwrap();
    api.add("hub-1", FLEET, 7001);
    let config = open_route("[routes.discovery]\ntype = 'agones'");
    let kubeconfig = api.kubeconfig();
    let with = edge().config(&config).env("KUBECONFIG", kubeconfig.to_str().unwrap()).start();
    assert_eq!(port_of(&join(&with, "Alice")), 7001);
    let without = edge().config(&config).env("KUBECONFIG", "").env("HOME", "/nowhere").start();
    assert!(join(&without, "Alice").kicked().contains(" failed"));
    let line = Post::Discovery.fails(&without);
    assert!(line.text().contains("no access to the cluster"), "{line}");
}

/// Changes the stand-in's kubeconfig.
fn rewrite(api: &KubernetesApi, change: impl FnOnce(&mut Value)) {
    let mut kubeconfig = serde_json::from_slice(&std::fs::read(api.kubeconfig()).unwrap()).unwrap();
    change(&mut kubeconfig);
    std::fs::write(api.kubeconfig(), kubeconfig.to_string()).unwrap();
}

/// A process of which everything else goes by a proxy reaches its cluster all the same.
#[test]
fn the_environments_proxies_are_not_for_clusters() {
    for (kind, name) in [("agones", "HTTPS_PROXY"), ("agones_watch", "https_proxy"), ("agones", "HTTP_PROXY")]
    {
        let proxy = Web::start(502, b"").unwrap();
        let api = KubernetesApi::start().unwrap();
        api.add("hub-1", FLEET, 7001);
        let kubeconfig = api.kubeconfig();
        // By the key, and as the usual one.
        for section in [
            Post::Discovery.section(kind, &kubeconfig, ""),
            format!("[routes.discovery]\ntype = \"{kind}\"\n"),
        ] {
            api.change("hub-1", |server| server["status"]["state"] = json!("Ready"));
            let edge = edge().config(open_route(&section)).env(name, &proxy.url()).env("NO_PROXY", "");
            let edge = edge.env("KUBECONFIG", kubeconfig.to_str().unwrap()).start();
            assert_eq!(port_of(&join(&edge, "Alice")), 7001, "{name}: {section}");
        }
        assert_eq!(proxy.requests(), 0, "{name}");
    }
}

/// It can't be used, and going around it would be against what is written.
#[test]
fn a_proxy_in_the_kubeconfig_is_refused() {
    for post in POSTS {
        let api = KubernetesApi::start().unwrap();
        api.add("hub-1", FLEET, 7001);
        rewrite(&api, |kubeconfig| {
            kubeconfig["clusters"][0]["cluster"]["proxy-url"] = json!("http://127.0.0.1:9");
        });
        let edge = post.allocating(&api, "");
        assert!(join(&edge, "Alice").kicked().contains(" failed"));
        let line = post.fails(&edge);
        assert!(line.text().contains("its kubeconfig names a proxy"), "{line}");
        assert!(api.calls().is_empty());
    }
}

#[test]
fn where_no_namespace_is_written_it_is_the_contexts() {
    for post in POSTS {
        let api = KubernetesApi::start().unwrap();
        api.add("hub-1", FLEET, 7001);
        for (name, port) in [("game-1", 7002), ("game-2", 7003)] {
            api.add_with(name, FLEET, port, |server| server["metadata"]["namespace"] = json!("games"));
        }
        assert_eq!(port_of(&join(&post.watching(&api, ""), "Alice")), 7001, "the context names none");
        rewrite(&api, |kubeconfig| kubeconfig["contexts"][0]["context"]["namespace"] = json!("games"));
        assert_eq!(port_of(&join(&post.watching(&api, ""), "Alice")), 7002);
        let edge = post.allocating(&api, "orphans = 'delete'\nscheduling = 'Distributed'");
        assert_eq!(port_of(&join(&edge, "Alice")), 7002);
        // What is left behind is looked for there, too.
        api.turns([Turn::DoneAndHeld]);
        leaves(&edge, "Bob");
        let line = edge.wait_for_message("a game server was allocated for a player who left");
        assert_eq!(line.field("namespace").as_deref(), Some("games"), "{line}");
        edge.wait_for_message("an orphan's game server was dealt with");
        assert!(api.server("game-2").is_none() && api.server("hub-1").is_some());
        // What is written comes first.
        assert_eq!(port_of(&join(&post.allocating(&api, "namespace = 'default'"), "Alice")), 7001);
        rewrite(&api, |kubeconfig| kubeconfig["contexts"][0]["context"]["namespace"] = json!("../nodes"));
        let edge = post.allocating(&api, "");
        assert!(join(&edge, "Alice").kicked().contains(" failed"));
        let line = post.fails(&edge);
        assert!(line.text().contains("there is no namespace"), "{line}");
    }
}
