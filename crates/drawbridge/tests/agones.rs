//! Game servers of Agones, one allocated for each player. The cluster is `testkit`'s, or, for what makes sense there, a real one:
//! see docs/testing.md.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{Join, KubernetesApi, NodeClient, Player, Turn, sees};
use serde_json::{Value, json};
use std::time::Duration;
use support::cluster::{ALLOCATION, Cluster, FLEET, POSTS, Post, join, open_route, port_of, state};
use support::edge;

/// Two players, two game servers, also on a real cluster.
#[test]
fn each_player_is_given_a_game_server_of_their_own() {
    sees!(
        "routes[].actions[](agones).name",
        "routes[].discovery(agones).kubeconfig",
        "routes[].actions[](agones).kubeconfig",
        "routes[].discovery(agones).namespace",
        "routes[].actions[](agones).namespace",
        "routes[].discovery(agones).selectors[].match_labels.*",
        "routes[].actions[](agones).selectors[].match_labels.*"
    );
    for post in POSTS {
        let cluster = Cluster::find();
        let more = format!(
            "namespace = \"{}\"\nselectors = [{{ match_labels = {{ \"agones.dev/fleet\" = \"{FLEET}\" }} }}]\n",
            cluster.namespace()
        );
        let section = post.section("agones", &cluster.kubeconfig(), &more);
        let edge = edge().config(open_route(&section)).start();
        let (alice, bob) = (join(&edge, "Alice"), join(&edge, "Bob"));
        let addresses = [alice.transferred(), bob.transferred()];
        assert_ne!(addresses[0], addresses[1], "each has a game server of their own");
        for (host, port) in addresses {
            let servers = cluster.servers();
            let is_it = |server: &&Value| {
                server["status"]["address"] == host && server["status"]["ports"][0]["port"] == port
            };
            let server =
                servers.iter().find(is_it).unwrap_or_else(|| panic!("no game server at {host}:{port}"));
            assert_eq!(state(server), "Allocated");
            assert!(server["metadata"]["labels"][ALLOCATION].is_string(), "{server:#}");
        }
    }
}

/// A real client, too.
#[test]
fn a_real_client_is_sent_to_its_game_server() {
    let api = KubernetesApi::start().unwrap();
    api.add("hub-1", FLEET, 7001);
    let edge = Post::Discovery.allocating(&api, "");
    let visit = NodeClient::start().join(&Join::new("Alice", "1.21.4"), edge.address());
    assert_eq!(visit.transferred(), ("127.0.0.1", 7001));
}

#[test]
fn who_fits_is_what_the_selectors_say() {
    sees!(
        "routes[].discovery(agones).selectors[].match_expressions[].key",
        "routes[].actions[](agones).selectors[].match_expressions[].key",
        "routes[].discovery(agones).selectors[].match_expressions[].operator",
        "routes[].actions[](agones).selectors[].match_expressions[].operator",
        "routes[].discovery(agones).selectors[].match_expressions[].values",
        "routes[].actions[](agones).selectors[].match_expressions[].values",
        "routes[].discovery(agones).selectors[].state",
        "routes[].actions[](agones).selectors[].state",
        "routes[].discovery(agones).selectors[].counters.*.min_count",
        "routes[].actions[](agones).selectors[].counters.*.min_count",
        "routes[].discovery(agones).selectors[].counters.*.max_count",
        "routes[].actions[](agones).selectors[].counters.*.max_count",
        "routes[].discovery(agones).selectors[].counters.*.min_available",
        "routes[].actions[](agones).selectors[].counters.*.min_available",
        "routes[].discovery(agones).selectors[].counters.*.max_available",
        "routes[].actions[](agones).selectors[].counters.*.max_available",
        "routes[].discovery(agones).selectors[].lists.*.contains_value",
        "routes[].actions[](agones).selectors[].lists.*.contains_value",
        "routes[].discovery(agones).selectors[].lists.*.min_available",
        "routes[].actions[](agones).selectors[].lists.*.min_available",
        "routes[].discovery(agones).selectors[].lists.*.max_available",
        "routes[].actions[](agones).selectors[].lists.*.max_available"
    );
    for post in POSTS {
        let api = KubernetesApi::start().unwrap();
        // All but one are wrong in one way each.
        for (at, (name, wrong)) in [
            ("right", Value::Null),
            ("tier", json!({ "tier": "other" })),
            ("state", json!({ "state": "Ready" })),
            ("few", json!({ "count": 1 })),
            ("many", json!({ "count": 5 })),
            ("narrow", json!({ "capacity": 4 })),
            ("wide", json!({ "capacity": 50 })),
            ("list", json!({ "values": ["somebody"] })),
            ("full", json!({ "room": 2 })),
            ("roomy", json!({ "room": 50 })),
            ("version", json!({ "version": "766" })),
        ]
        .into_iter()
        .enumerate()
        {
            let or = |key: &str, right: Value| if wrong[key].is_null() { right } else { wrong[key].clone() };
            api.add_with(name, FLEET, 7100 + u16::try_from(at).unwrap(), |server| {
                server["metadata"]["labels"]["tier"] = or("tier", json!("duel"));
                server["metadata"]["labels"]["version"] = or("version", json!("767"));
                server["status"]["state"] = or("state", json!("Allocated"));
                server["status"]["counters"]["players"] =
                    json!({ "count": or("count", json!(3)), "capacity": or("capacity", json!(8)) });
                server["status"]["lists"]["friends"] = json!({
                    "values": or("values", json!(["Alice", "Bob"])), "capacity": or("room", json!(5)),
                });
            });
        }
        let selectors = "selectors = [
        { match_labels = { tier = 'nowhere' } },
        { match_labels = { version = '{{ .Client.Protocol }}' }, state = 'Allocated',
          match_expressions = [{ key = 'tier', operator = 'In', values = ['duel', 'party'] }],
          counters.players = { min_count = 2, max_count = 4, min_available = 3, max_available = 10 },
          lists.friends = { contains_value = '{{ .Player.Name }}', min_available = 2, max_available = 10 } },
    ]\nbackoff.unallocated = false";
        let edge = post.allocating(&api, selectors);
        for _ in 0..3 {
            assert_eq!(port_of(&join(&edge, "Alice")), 7100);
        }
        assert!(join(&edge, "Mallory").kicked().contains("No server"), "nobody is a friend of Mallory's");
        edge.wait_for_refusal("no_target");
    }
}

#[test]
fn what_is_written_to_the_game_server_is_what_the_route_says() {
    sees!(
        "routes[].discovery(agones).counters.*.action",
        "routes[].actions[](agones).counters.*.action",
        "routes[].discovery(agones).counters.*.amount",
        "routes[].actions[](agones).counters.*.amount",
        "routes[].discovery(agones).counters.*.capacity",
        "routes[].actions[](agones).counters.*.capacity",
        "routes[].discovery(agones).lists.*.add_values",
        "routes[].actions[](agones).lists.*.add_values",
        "routes[].discovery(agones).lists.*.delete_values",
        "routes[].actions[](agones).lists.*.delete_values",
        "routes[].discovery(agones).lists.*.capacity",
        "routes[].actions[](agones).lists.*.capacity",
        "routes[].discovery(agones).metadata.labels.*",
        "routes[].actions[](agones).metadata.labels.*",
        "routes[].discovery(agones).metadata.annotations.*",
        "routes[].actions[](agones).metadata.annotations.*",
        "routes[].discovery(agones).port",
        "routes[].actions[](agones).port"
    );
    for post in POSTS {
        let api = KubernetesApi::start().unwrap();
        api.add_with("hub-1", FLEET, 7001, |server| {
            server["status"]["ports"] =
                json!([{ "name": "query", "port": 7001 }, { "name": "game", "port": 7002 }]);
            server["status"]["counters"]["rooms"] = json!({ "count": 5, "capacity": 9 });
            server["status"]["lists"]["players"] = json!({ "values": ["old"], "capacity": 1 });
        });
        let edge = post.allocating(
        &api,
        "port = 'game'
        counters.rooms = { action = 'Decrement', amount = 2, capacity = 20 }
        lists.players = { add_values = ['{{ .Player.ID }}'], delete_values = ['old'], capacity = 7 }
        metadata.labels = { player = '{{ .Player.Name }}', host = 'at {{ .Server.Address }}', from = '{{ .Client.Address }}' }
        metadata.annotations = { 'example.com/player' = '{{.Player.Name}} {{ .Player.ID }} {{ .Client.Protocol }}' }",
    );
        let visit = Player::new("Alice", 767).host("{{.player.name}}.example.com").join(edge.address());
        assert_eq!(port_of(&visit), 7002, "the port that is named");
        let server = api.server("hub-1").unwrap();
        assert_eq!(server["status"]["counters"]["rooms"], json!({ "count": 3, "capacity": 20 }));
        assert_eq!(server["status"]["lists"]["players"]["capacity"], 7);
        let values = server["status"]["lists"]["players"]["values"].as_array().unwrap();
        assert!(values.len() == 1 && values[0].as_str().unwrap().len() == 36, "{values:?}");
        let labels = &server["metadata"]["labels"];
        assert_eq!(labels["player"], "Alice");
        assert_eq!(labels["from"], "127.0.0.1");
        // What a player says is no placeholder, and can't break out of the form of a label.
        assert_eq!(labels["host"], "at___.player.name__.example.com");
        let annotation = server["metadata"]["annotations"]["example.com/player"].as_str().unwrap();
        let expected = format!("Alice {} 767", values[0].as_str().unwrap());
        assert_eq!(annotation, expected);
    }
}

#[test]
fn the_order_is_that_of_scheduling_and_priorities() {
    sees!(
        "routes[].discovery(agones).scheduling",
        "routes[].actions[](agones).scheduling",
        "routes[].discovery(agones).priorities[].type",
        "routes[].actions[](agones).priorities[].type",
        "routes[].discovery(agones).priorities[].key",
        "routes[].actions[](agones).priorities[].key",
        "routes[].discovery(agones).priorities[].order",
        "routes[].actions[](agones).priorities[].order"
    );
    for post in POSTS {
        let led = |more: &str| {
            let api = KubernetesApi::start().unwrap();
            for (at, (node, rooms)) in
                [("node-a", 4), ("node-b", 2), ("node-b", 3), ("node-b", 9)].into_iter().enumerate()
            {
                let name = format!("hub-{at}");
                api.add_with(&name, FLEET, 7000 + u16::try_from(at).unwrap(), |server| {
                    server["status"]["nodeName"] = json!(node);
                    server["status"]["counters"]["rooms"] = json!({ "count": 0, "capacity": rooms });
                    server["status"]["lists"]["names"] = json!({ "values": [], "capacity": 20 - rooms });
                    server["status"]["state"] = json!(if rooms == 9 { "Allocated" } else { "Ready" });
                });
            }
            port_of(&join(&post.allocating(&api, more), "Alice"))
        };
        let by = |kind: &str, key: &str, order: &str| {
            format!(
                "scheduling = 'Distributed'\npriorities = [{{ type = '{kind}', key = '{key}', order = '{order}' }}]"
            )
        };
        assert_eq!(led("scheduling = 'Distributed'"), 7000, "the first of all");
        assert_eq!(led("scheduling = 'Packed'"), 7001, "the first on the node that is in use");
        assert_eq!(led(&by("Counter", "rooms", "Ascending")), 7001);
        assert_eq!(led(&by("Counter", "rooms", "Descending")), 7000);
        assert_eq!(led(&by("List", "names", "Ascending")), 7000);
    }
}

#[test]
fn what_passes_is_tried_again() {
    sees!(
        "routes[].discovery(agones).backoff.first",
        "routes[].actions[](agones).backoff.first",
        "routes[].discovery(agones).backoff.longest",
        "routes[].actions[](agones).backoff.longest"
    );
    for post in POSTS {
        let api = KubernetesApi::start().unwrap();
        api.add("hub-1", FLEET, 7001);
        api.turns([
            Turn::Contention,
            Turn::UnAllocated,
            Turn::Fails(409, None),
            Turn::Fails(503, None),
            Turn::Fails(429, Some(1)),
        ]);
        let edge = post.allocating(&api, "backoff = { first = '50ms', longest = '200ms' }");
        assert_eq!(port_of(&join(&edge, "Alice")), 7001);
        let allocations = api.allocations();
        assert_eq!(allocations.len(), 6);
        let waits: Vec<Duration> = allocations.windows(2).map(|two| two[1].at - two[0].at).collect();
        for (at, (wait, least)) in waits.iter().zip([37, 75, 150, 150, 1_000]).enumerate() {
            assert!(*wait >= Duration::from_millis(least), "wait {at} of {waits:?}");
        }
        assert!(waits[..4].iter().sum::<Duration>() < Duration::from_secs(2), "longest is 200ms: {waits:?}");
        let ids: Vec<_> = allocations
            .iter()
            .map(|call| call.json()["spec"]["metadata"]["labels"][ALLOCATION].clone())
            .collect();
        assert!(
            ids.windows(2).all(|two| two[0] != two[1]),
            "each attempt can be told from the others: {ids:?}"
        );
    }
}

#[test]
fn attempts_end_before_the_deadline() {
    sees!(
        "routes[].discovery(agones).timeout",
        "routes[].actions[](agones).timeout",
        "routes[].discovery(agones).backoff.unallocated",
        "routes[].actions[](agones).backoff.unallocated"
    );
    for post in POSTS {
        let api = KubernetesApi::start().unwrap();
        let hopeful = post.allocating(&api, "timeout = '1s'\nbackoff.first = '200ms'");
        let visit = join(&hopeful, "Alice");
        assert!(visit.kicked().contains("No server"), "{}", visit.kicked());
        assert!(visit.took < Duration::from_secs(4), "{:?}", visit.took);
        hopeful.wait_for_refusal("no_target");
        let tried = api.allocations();
        assert!((2..=4).contains(&tried.len()), "{}", tried.len());
        assert!(tried.last().unwrap().at - tried[0].at < Duration::from_secs(1));
        let hasty = post.allocating(&api, "backoff.unallocated = false");
        assert!(join(&hasty, "Alice").kicked().contains("No server"));
        assert_eq!(api.allocations().len(), tried.len() + 1, "one attempt");
        api.turns([Turn::Held]);
        let silent = join(&hopeful, "Alice");
        assert!(silent.took < Duration::from_secs(4), "{:?}", silent.took);
        post.fails(&hopeful);
    }
}

#[test]
fn nonsense_and_wrong_credentials_refuse_and_are_not_tried_again() {
    sees!(
        "routes[].discovery(agones).context",
        "routes[].actions[](agones).context",
        "routes[].discovery(agones).on_error",
        "routes[].actions[].type",
        "routes[].actions[](fixed).targets[].address",
        "routes[].actions[](agones).on_error"
    );
    for post in POSTS {
        let api = KubernetesApi::start().unwrap();
        api.add("hub-1", FLEET, 7001);
        api.turns([Turn::Garbage, Turn::Fails(403, None)]);
        let edge = post.allocating(&api, "");
        assert!(join(&edge, "Alice").kicked().contains(" failed"));
        assert!(join(&edge, "Alice").kicked().contains(" failed"));
        assert_eq!(api.allocations().len(), 2);
        post.fails(&edge);
        assert_eq!(port_of(&join(&edge, "Alice")), 7001);
        let stranger = post.allocating(&api, "context = 'stranger'");
        assert!(join(&stranger, "Alice").kicked().contains(" failed"));
        post.fails(&stranger);
        let next = post.allocating(
            &api,
            "context = 'stranger'\non_error = 'next'\n[[routes.actions]]\ntype = 'fixed'\ntargets = [{ address = '127.0.0.1:7009' }]",
        );
        assert_eq!(port_of(&join(&next, "Alice")), 7009, "an action has somewhere to go");
    }
}

#[test]
fn mistakes_stand_at_their_keys() {
    let checked = |more: &str| {
        let text = open_route(&format!("[routes.discovery]\ntype = 'agones'\n{more}"));
        edge().config(text).argument("check").finish().stderr
    };
    for (more, words) in [
        ("kubeconfig = 'nowhere.yaml'", "there is no such file"),
        ("metadata.labels = { a = '{{ .Player.Age }}' }", "unknown placeholder \".Player.Age\""),
        ("metadata.annotations = { a = '{{ .Player.Name' }", "without a }} behind it"),
        ("metadata.labels = { 'a b' = 'c' }", "no label \"a b\""),
        ("metadata.labels = { a = 'b c' }", "no such value of the label \"a\""),
        ("metadata.labels = { 'drawbridge.dev/allocation' = 'a' }", "the edge itself writes"),
        ("orphans = 'delete'\nselectors = [{ state = 'Allocated' }]", "can't be deleted"),
        ("orphans = 'relabel'", "belong together"),
        ("on_error = 'stale'", "is not one of the words here"),
        ("backoff = { first = '3s' }", "the longest at least as long as the first"),
    ] {
        let shown = checked(more);
        assert!(shown.contains(words), "{words}: {shown}");
        assert!(shown.contains("drawbridge.toml:"), "no line: {shown}");
    }
}

/// Otherwise a player would be told that placement took too long, and an attempt might begin just before the cut.
#[test]
fn attempts_have_to_end_before_placement_does() {
    let allocations = |timeouts: &[&str]| {
        let timeouts = timeouts.iter().map(|timeout| match *timeout {
            "" => String::new(),
            timeout => format!("timeout = '{timeout}'"),
        });
        let mut places = vec!["[routes.discovery]"];
        places.resize(timeouts.len(), "[[routes.actions]]");
        let sections = places
            .iter()
            .zip(timeouts)
            .map(|(post, timeout)| format!("{post}\ntype = 'agones'\n{timeout}\n"));
        open_route(&sections.collect::<String>())
    };
    for (limits, timeouts, line) in [
        ("", &["29s"][..], None),
        ("", &["", ""], None),
        ("", &["30s"], Some("timeout = '30s'")),
        ("placement_timeout = '3s'", &["20s"], Some("timeout = '20s'")),
        ("placement_timeout = '3s'", &["3s"], Some("timeout = '3s'")),
        ("placement_timeout = '3s'", &["2900ms"], None),
        // Nothing is written about it: its default is at the table.
        ("placement_timeout = '3s'", &[""], Some("[routes.discovery]")),
        ("placement_timeout = '3s'", &["1s", "2s"], Some("timeout = '2s'")),
        ("placement_timeout = '3s'", &["1s", "1500ms"], None),
    ] {
        let head = if limits.is_empty() { String::new() } else { format!("[limits]\n{limits}\n") };
        let text = format!("{head}{}", allocations(timeouts));
        let finished = edge().config(&text).argument("check").finish();
        let shown = finished.stderr;
        assert_eq!(finished.status.success(), line.is_none(), "{text}\n{shown}");
        if let Some(line) = line {
            assert!(shown.contains("placement would end before these attempts do"), "{text}\n{shown}");
            assert!(shown.contains(&format!(" | {line}\n")), "not at {line}: {text}\n{shown}");
            assert!(shown.contains("a longer `limits.placement_timeout`"), "{shown}");
        }
    }
}
