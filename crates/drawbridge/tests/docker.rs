//! Routes from Docker, whose API is `testkit`'s; a real daemon is asked in `interop/docker.rs`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

#[path = "docker/daemon.rs"]
mod daemon;
mod support;

use drawbridge_testkit::{
    DockerApi, EdgeBuilder, Line, Manner, PATIENCE, Player, Target, Temper, eventually, sees,
};
use std::time::{Duration, Instant};
use support::edge;
use support::providers::{self as routes, LOST, said, soon_says, told};

const RELOADED: &str = "configuration reloaded";
const NOT_TAKEN: &str =
    "what a provider has was not taken over: its routes stay as they last held, if they did";
/// What no container has anything to do with.
const HARBOUR: &str = "[[routes]]\nname = \"harbour\"\nhosts = [\"*\"]\nmode = \"transfer\"\ntargets = [\"a:1\"]\n\
    [routes.status]\ndescription = \"harbour\"\n";

fn providers(endpoint: &str, more: &str) -> String {
    format!("[providers.docker]\nendpoint = \"{endpoint}\"\n{more}\n")
}

/// An edge with a route of a file, and those of the daemon.
fn asking(api: &DockerApi) -> EdgeBuilder {
    edge().config(providers(&api.endpoint(), "") + HARBOUR)
}

/// Labels of a route that says this in the server list.
fn saying<'a>(hosts: &'a str, text: &'a str) -> Vec<(&'a str, &'a str)> {
    routes::saying(
        ["drawbridge.hosts", "drawbridge.status.type", "drawbridge.status.description"],
        hosts,
        text,
    )
}

#[test]
fn a_container_is_a_route_from_its_start_to_its_end() {
    sees!("providers.docker.endpoint");
    let api = DockerApi::start().unwrap();
    let target = Target::start(Manner::Echoes(Vec::new())).unwrap();
    let port = target.address().port().to_string();
    let edge = asking(&api).start();
    assert_eq!(said(&edge, "lobby.example.com"), "harbour");

    let mut labels = saying("lobby.example.com, *.lobby.example.com", "from a label");
    labels.push(("drawbridge.port", &port));
    labels.push(("drawbridge.relay.proxy_protocol", "v1"));
    api.run("lobby", labels);
    soon_says(&edge, "lobby.example.com", "from a label");
    assert_eq!(said(&edge, "eu.lobby.example.com"), "from a label");
    // Nobody is at home behind this port who speaks the protocol.
    let player = Player::new("Alice", 767).host("lobby.example.com").patience(Duration::from_secs(1));
    let _player = player.knock(edge.address()).unwrap();
    assert!(target.wait_for(6).starts_with(b"PROXY "), "and other keys of a route are those of the labels");

    api.remove("lobby");
    soon_says(&edge, "lobby.example.com", "harbour");
    assert_eq!(told(&edge, LOST), 0);
}

#[test]
fn what_is_paused_or_unwell_is_no_target_and_what_has_ended_no_route() {
    let api = DockerApi::start().unwrap();
    let target = Target::start(Manner::Silent).unwrap();
    let port = target.address().port().to_string();
    api.run("lobby", [("drawbridge.hosts", "lobby.example.com"), ("drawbridge.port", port.as_str())]);
    let edge = asking(&api).start();
    let host = "lobby.example.com";
    let kicked = || Player::new("Alice", 767).host(host).join(edge.address()).kicked().to_owned();
    for (state, why) in [
        ("{\"Status\":\"paused\"}", "container lobby: no player can be sent to it: it is paused"),
        (
            "{\"Status\":\"running\",\"Health\":{\"Status\":\"unhealthy\"}}",
            "container lobby: no player can be sent to it: it is unhealthy",
        ),
        (
            "{\"Status\":\"running\",\"Health\":{\"Status\":\"starting\"}}",
            "container lobby: no player can be sent to it: it is starting",
        ),
    ] {
        api.change("lobby", |container| container["State"] = state.parse().unwrap());
        soon_says(&edge, host, "The server is offline");
        assert!(kicked().contains("No server is configured or available"), "{state}");
        let told = |line: &Line| line.message().is_some_and(|message| message.contains(why));
        let line = edge.wait_for(why, told);
        assert!(line.field("at").is_some_and(|at| at.starts_with("docker:lobby:")), "{line}");
        api.change("lobby", |container| container["State"] = "{\"Status\":\"running\"}".parse().unwrap());
        let before = target.heard().len();
        let arrives = eventually(PATIENCE, || {
            let _player = Player::new("Alice", 767).host(host).knock(edge.address());
            eventually(Duration::from_secs(1), || (target.heard().len() > before).then_some(()))
        });
        assert!(arrives.is_some(), "it isn't a target again after {state}");
    }
    api.change("lobby", |container| container["State"]["Status"] = "exited".into());
    soon_says(&edge, host, "harbour");
    assert_eq!(told(&edge, "the route has no target"), 0, "nobody has forgotten to write it");
}

#[test]
fn a_label_that_is_wrong_is_shown_and_costs_nobody_else_anything() {
    let api = DockerApi::start().unwrap();
    api.run("a-good", saying("good.example.com", "good"));
    // Wrong from the start keeps no edge from starting.
    let mut labels = saying("bad.example.com", "bad");
    labels.push(("drawbridge.relay.prox_protocol", "v2"));
    api.run("bad", labels);
    let edge = asking(&api).start();
    assert_eq!(
        (said(&edge, "good.example.com"), said(&edge, "bad.example.com")),
        ("good".into(), "harbour".into())
    );
    let line =
        edge.wait_for("the label", |line| line.field("at").is_some_and(|at| at.starts_with("docker:bad:")));
    assert!(line.text().contains("prox_protocol") && line.text().contains("did you mean"), "{line}");
    let line = edge.wait_for_message(NOT_TAKEN);
    assert_eq!(line.field("document").as_deref(), Some("docker:bad"));

    api.run("bad", saying("bad.example.com", "mended"));
    soon_says(&edge, "bad.example.com", "mended");
    let no_port =
        |container: &mut serde_json::Value| container["Config"]["ExposedPorts"] = "{}".parse().unwrap();
    api.run_with("bad", saying("bad.example.com", "no port"), no_port);
    api.run("other", saying("other.example.com", "other"));
    soon_says(&edge, "other.example.com", "other");
    assert_eq!(said(&edge, "bad.example.com"), "mended", "it goes on as it last held");
    let line = edge.wait_for("the port", |line| line.text().contains("no port is exposed"));
    assert!(
        line.text().contains("container bad") && line.text().contains("drawbridge.port = 25565"),
        "{line}"
    );
}

#[test]
fn labels_write_no_keys_but_their_own() {
    let api = DockerApi::start().unwrap();
    let evil = "x\"\n[[routes]]\nname = \"evil\"\nhosts = [\"evil.example.com\"]\nmode = \"transfer\"\n";
    let mut labels = saying("a.example.com", evil);
    labels.push(("drawbridge.mode\nhosts = ['evil.example.com']", "passthrough"));
    api.run("a", labels);
    api.run("b", saying("b.example.com", evil));
    api.run(
        "c",
        [
            ("drawbridge.hosts", "c.example.com"),
            ("drawbridge.status.headers.A.env", "HOME"),
            ("drawbridge.status.type", "http"),
        ],
    );
    let edge = asking(&api).start();
    assert!(said(&edge, "b.example.com").contains("name = \"evil\""), "a text stays a text");
    for host in ["evil.example.com", "a.example.com", "c.example.com"] {
        assert_eq!(said(&edge, host), "harbour", "{host}");
    }
    edge.wait_for("why", |line| {
        line.text().contains("only files of the configuration name files or variables")
    });
}

#[test]
fn labels_have_nobody_taken_for_whom_they_claim_to_be() {
    let api = DockerApi::start().unwrap();
    let with = |host, more: &[(&'static str, &'static str)]| {
        let mut labels = saying(host, "from a label");
        labels.extend(more);
        labels
    };
    api.run("offline", with("offline.example.com", &[("drawbridge.mode", "offline")]));
    let forwarding = [("drawbridge.mode", "client_only"), ("drawbridge.session.forwarding", "bungeecord")];
    api.run("forwarding", with("forwarding.example.com", &forwarding));
    // What says nothing of players but their names, which somebody vouched for.
    api.run("session", with("session.example.com", &[("drawbridge.mode", "client_only")]));
    let edge = asking(&api).start();
    assert_eq!(said(&edge, "session.example.com"), "from a label");
    for (name, why) in [
        ("offline", "take players for who they claim to be: the route belongs there"),
        ("forwarding", "have targets told who a player is: the route belongs there"),
    ] {
        assert_eq!(said(&edge, &format!("{name}.example.com")), "harbour");
        let line = edge.wait_for(why, |line| line.text().contains(why));
        assert!(line.field("at").is_some_and(|at| at.starts_with(&format!("docker:{name}:"))), "{line}");
    }
}

#[test]
fn names_of_labels_and_containers_write_nothing_into_the_log() {
    const FORGED: &str =
        "a\n2026-11-22T19:00:00Z  INFO banned of=\"Alice\"\r\u{1b}]0;x\u{7}\u{1b}[2J\u{9b}31m";
    let api = DockerApi::start().unwrap();
    let mut labels = saying("named.example.com", "named");
    labels.push(("drawbridge.name", FORGED));
    api.run("named", labels);
    let mut labels = saying("mistaken.example.com", "mistaken");
    labels.push(("drawbridge.relay.prox_protocol", "v2"));
    api.run_with("mistaken", labels, |container| container["Name"] = FORGED.into());
    let pretty = "[telemetry]\nformat = \"pretty\"\nlog = \"trace\"\n";
    let edge = edge().config(pretty.to_owned() + &providers(&api.endpoint(), "") + HARBOUR).start();
    edge.wait_for("the container", |line| line.text().contains("prox_protocol"));
    edge.wait_for("the name", |line| line.text().contains("can't have control characters"));
    assert_eq!(said(&edge, "named.example.com"), "harbour");
    for line in edge.log() {
        assert!(!line.text().contains(char::is_control), "{line:?}");
        assert!(
            line.text().starts_with("20") && !line.text().starts_with("2026-11-22T19:00:00Z"),
            "{line:?}"
        );
    }
}

#[test]
fn of_two_that_want_a_host_the_earlier_keeps_it() {
    let api = DockerApi::start().unwrap();
    let file = "[[routes]]\nname = \"file\"\nhosts = [\"file.example.com\"]\nmode = \"transfer\"\ntargets = [\"a:1\"]\nstatus.description = \"file\"\n";
    api.run("b", saying("file.example.com, b.example.com", "b"));
    api.run("c", saying("b.example.com, c.example.com", "c"));
    let mut named = saying("d.example.com", "d");
    named.push(("drawbridge.name", "file"));
    api.run("d", named);
    let edge = asking(&api).file("routes/file.toml", file).start();
    for (host, text) in [
        ("file.example.com", "file"),
        ("b.example.com", "b"),
        ("c.example.com", "c"),
        ("d.example.com", "harbour"),
    ] {
        assert_eq!(said(&edge, host), text, "{host}");
    }
    for words in [
        ["\\\"file\\\" of ", "routes/file.toml", "\\\"b\\\" of docker:b", "file.example.com"],
        ["\\\"b\\\" of docker:b", "\\\"c\\\" of docker:c", "both have the host", "b.example.com"],
        ["\\\"file\\\" of docker:d is left out", "a route of that name is in", "routes/file.toml", "WARN"],
    ] {
        edge.wait_for(&format!("{words:?}"), |line| words.iter().all(|word| line.text().contains(word)));
    }
    // The file gives it up.
    edge.rewrite_file("routes/file.toml", file.replace("file.example.com", "other.example.com"));
    soon_says(&edge, "file.example.com", "b");
}

#[test]
fn providers_come_change_and_go_while_the_edge_runs() {
    sees!("providers.docker.network");
    let api = DockerApi::start().unwrap();
    let front = Target::start(Manner::Silent).unwrap();
    let port = front.address().port();
    let in_two = |container: &mut serde_json::Value| {
        container["HostConfig"]["NetworkMode"] = "front".into();
        container["NetworkSettings"]["Networks"] =
            "{\"front\":{\"IPAddress\":\"127.0.0.1\"},\"back\":{\"IPAddress\":\"127.0.0.2\"}}"
                .parse()
                .unwrap();
    };
    let mut labels = saying("lobby.example.com", "lobby");
    let written = port.to_string();
    labels.push(("drawbridge.port", &written));
    api.run_with("lobby", labels, in_two);
    let edge = edge().config(HARBOUR).start();
    assert_eq!(said(&edge, "lobby.example.com"), "harbour");

    edge.rewrite(providers(&api.tcp_endpoint(), "network = \"front\"") + HARBOUR);
    soon_says(&edge, "lobby.example.com", "lobby");
    let _player = Player::new("Alice", 767).host("lobby.example.com").knock(edge.address()).unwrap();
    let _ = front.wait_for(1);
    // Another network has another address, and the route isn't gone before that is known.
    api.temper(Temper::Fails(500));
    edge.rewrite(providers(&api.tcp_endpoint(), "network = \"nowhere\"") + HARBOUR);
    edge.wait_for_message(LOST);
    assert_eq!(said(&edge, "lobby.example.com"), "lobby");
    api.temper(Temper::Honest);
    edge.wait_for("the network", |line| line.text().contains("no address in the network"));
    assert_eq!(said(&edge, "lobby.example.com"), "lobby");

    edge.rewrite(HARBOUR);
    soon_says(&edge, "lobby.example.com", "harbour");
    let before = api.lists();
    api.tell();
    edge.rewrite(providers(&api.endpoint(), "") + HARBOUR);
    soon_says(&edge, "lobby.example.com", "lobby");
    assert_eq!(api.lists(), before + 1, "who isn't followed any more isn't asked");
}

#[test]
fn a_hundred_containers_that_start_are_few_reloads() {
    let api = DockerApi::start().unwrap();
    let edge = asking(&api).start();
    api.wait_until_followed();
    let before = told(&edge, RELOADED);
    for number in 0..100 {
        let host = format!("s{number}.example.com");
        api.run(&format!("s{number}"), saying(&host, "here"));
    }
    edge.wait_for("all of them", |line| {
        line.message() == Some(RELOADED) && line.field("routes").as_deref() == Some("101")
    });
    assert_eq!(said(&edge, "s99.example.com"), "here");
    let reloads = told(&edge, RELOADED) - before;
    assert!((1..=20).contains(&reloads), "{reloads} reloads");
    // The same again is no news.
    let (lists, reloads) = (api.lists(), told(&edge, RELOADED));
    api.tell();
    let listed = eventually(PATIENCE, || (api.lists() > lists).then_some(()));
    assert!(listed.is_some());
    api.run("last", saying("last.example.com", "here"));
    edge.wait_for_messages(RELOADED, reloads + 1);
    soon_says(&edge, "last.example.com", "here");
    assert_eq!(told(&edge, RELOADED), reloads + 1);
}

#[test]
fn labels_that_change_without_end_are_few_reloads() {
    let api = DockerApi::start().unwrap();
    let edge = asking(&api).start();
    api.wait_until_followed();
    let (before, began) = (told(&edge, RELOADED), Instant::now());
    // Each is seen on its own, and would be a reload.
    for turn in 0..60 {
        let lists = api.lists();
        api.run("restless", saying("restless.example.com", &turn.to_string()));
        let listed = eventually(PATIENCE, || (api.lists() > lists).then_some(()));
        assert!(listed.is_some());
    }
    let (reloads, took) = (told(&edge, RELOADED) - before, began.elapsed());
    // Five at once, and then with a second between them at least.
    let most = 6 + usize::try_from(took.as_secs()).unwrap();
    assert!((1..=most).contains(&reloads), "{reloads} reloads in {took:?}");
    soon_says(&edge, "restless.example.com", "59");
}

#[test]
fn check_asks_no_daemon_and_says_so() {
    let finished =
        edge().config(providers("unix:///nowhere/docker.sock", "") + HARBOUR).argument("check").finish();
    assert!(finished.status.success(), "{}", finished.stderr);
    assert!(finished.stdout.contains("not asked: docker"), "{}", finished.stdout);
    let finished = edge().config(providers("https://127.0.0.1:2376", "")).argument("check").finish();
    assert!(finished.stderr.contains("TLS isn't spoken"), "{}", finished.stderr);
}
