//! Players in sessions who go from server to server, are thrown out, lose the one they are on, wait in limbo and come out of it, as real
//! clients and servers see it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{
    Account, Edge, Event, Forwarded, Jar, Join, NodeClient, NodeWorld, Served, SessionServer, eventually,
    sees,
};
use rustix::process::Signal;
use std::thread;
use std::time::Duration;
use support::ctl::{done, fails, told};
use support::edge;
use support::world::{LIMBO, OFTEN, alice, assert_sound, home};
use uuid::Uuid;

/// A release of each way to switch, the first and the last of its kind.
const VERSIONS: [&str; 6] = ["1.7", "1.8", "1.16.5", "1.20.1", "1.20.2", "26.1"];

/// What edge and servers know each other by.
const SECRET: &str = "a secret of forwarding";

/// How often players of these go there and back.
const ROUNDS: usize = 20;

/// How many versions a process serves before it is replaced: each takes some 8 MB.
const VERSIONS_A_PROCESS: usize = 16;

/// Servers numbered from 1 on, so that the edge's own world, whose entity is 1, is none of theirs.
fn world(version: &str, count: usize) -> NodeWorld {
    NodeWorld::numbered_from(1, vec![Served::version(version); count], None)
}

/// The default route, on which players may switch as often as they like.
fn route(world: &NodeWorld, more: &str) -> String {
    format!("[limits.play]\nswitches = 0\n{}", home(&[world], more))
}

/// Goes there and back under traffic.
fn switches(client: &NodeClient, version: &str) {
    let world = world(version, 2);
    let edge = edge().config(route(&world, "")).start();
    let player = alice(client, version, &edge);
    player.joined_world(1);
    player.hears_from(1);
    world.flood(1, OFTEN);
    world.flood(2, OFTEN);
    for _ in 0..ROUNDS {
        player.says("/server b");
        player.joined_world(2);
        player.hears_from(2);
        player.says("/server a");
        player.joined_world(1);
        player.hears_from(1);
    }
    assert_eq!(world.logins("Alice", 2 * ROUNDS + 1).len(), 2 * ROUNDS + 1);
    assert_sound(&[&player], &[&world], version);
    let visit = player.leave();
    assert!(visit.event("disconnect").is_none(), "{version}: {:#?}", visit.events);
}

#[test]
fn players_switch_there_and_back_under_traffic() {
    let client = NodeClient::start();
    VERSIONS.iter().for_each(|version| switches(&client, version));
}

#[test]
#[ignore = "run by cargo xtask matrix"]
fn players_of_every_version_switch_and_fall_back() {
    let session = SessionServer::start().unwrap();
    let known = NodeClient::start().versions();
    let known = known.into_iter().filter(|(_, number)| ProtocolVersion(*number).is_known());
    let known: Vec<_> = known.map(|(version, _)| version).collect();
    let known: Vec<_> = known.into_iter().enumerate().collect();
    for some in known.chunks(VERSIONS_A_PROCESS) {
        let client = NodeClient::start();
        for (_, version) in some {
            switches(&client, version);
        }
        thread::scope(|scope| {
            for (at, version) in some {
                // The session server knows one of each name.
                let (client, account) = (&client, session.account(&format!("Alice{at}")));
                scope.spawn(move || falls_back(client, version, &account, at % 2 == 1));
            }
        });
        println!("{some:?}");
    }
}

/// Is thrown out, loses servers, waits in limbo, and comes out of it; authenticated and forwarded, if they are online.
fn falls_back(client: &NodeClient, version: &str, account: &Account, is_online: bool) {
    let served = Served::version(version);
    let forwarded = Forwarded::BungeeGuard(SECRET.to_owned());
    let served = if is_online { served.forwarding(&forwarded) } else { served };
    let world = NodeWorld::numbered_from(1, vec![served; 3], None);
    let words = "localization.messages.en_us = { notice_brought_to = \"now at {server}\", \
                 notice_waiting = \"please wait\", notice_target_lost = \"it is gone\" }";
    let more = format!("{words}\nsession.fallback = [\"c\", \"b\"]");
    let mut config = route(&world, &more);
    if is_online {
        config = config.replace("\"offline\"", "\"client_only\"");
        config += &format!(
            "authentication.url = \"{}\"\nsession.forwarding = \"bungeeguard\"\nsession.secret = {{ file = \"forwarding.secret\" }}\n",
            account.url()
        );
    }
    let edge = edge().file("forwarding.secret", SECRET).config(config).start();
    let join =
        if is_online { Join::with_account(account, version) } else { Join::new(account.name(), version) };
    let player = client.begin(&join.plays_on(OFTEN), edge.address());
    player.joined_world(1);
    player.hears_from(1);
    world.kick(account.name(), "too loud");
    player.joined_world(3);
    player.reads("too loud");
    player.reads("now at c");
    world.cut(account.name());
    player.joined_world(2);
    player.reads("it is gone");
    player.reads("now at b");
    assert_sound(&[&player], &[&world], version);
    world.signal(Signal::KILL);
    player.joined_world(LIMBO);
    player.reads("it is gone");
    // Before 1.8 nothing is shown over the hotbar.
    if version != "1.7" {
        player.is_shown("please wait");
    }
    let world = world.started_anew();
    // Any of them may be the first that is there again.
    let joined = player.next_where("joined", |event| event.field("entity") != LIMBO + 1);
    let number = joined.field("entity").as_u64().unwrap() as usize - 1;
    player.hears_from(number);
    assert_sound(&[&player], &[&world], version);
    let visit = player.leave();
    assert!(visit.event("disconnect").is_none(), "{version}: {:#?}", visit.events);
}

#[test]
fn who_is_thrown_out_or_loses_a_server_falls_back_and_waits_in_limbo_at_the_end() {
    sees!(
        "routes[].session.fallback",
        "routes[].session.limbo",
        "routes[].localization(fixed).messages.*.notice_brought_to",
        "routes[].localization(fixed).messages.*.notice_waiting",
        "routes[].localization(fixed).messages.*.notice_target_lost",
    );
    let (client, session) = (NodeClient::start(), SessionServer::start().unwrap());
    // They mostly wait.
    thread::scope(|scope| {
        for (at, version) in VERSIONS.into_iter().enumerate() {
            let (client, account) = (&client, session.account(&format!("Alice{at}")));
            scope.spawn(move || falls_back(client, version, &account, at % 2 == 1));
        }
    });
}

/// Whether an event is the one that is meant.
type Is<'a> = &'a dyn Fn(&Event) -> bool;

#[test]
fn nothing_of_a_server_stays_behind_where_no_configuration_clears_it() {
    let client = NodeClient::start();
    for version in ["1.7", "1.8", "1.12.2", "1.20.1"] {
        let world = world(version, 2);
        let edge = edge().config(route(&world, "")).start();
        let player = alice(&client, version, &edge);
        player.joined_world(1);
        world.leave_behind("Alice", "old");
        let removed = |event: &Event| event.field("action") == "remove";
        let reset = |event: &Event| event.field("action") == "reset";
        let left = |event: &Event| event.field("removed")[0] == "old";
        let empty = |event: &Event| event.field("header") == "" && event.field("footer") == "";
        let all: [(&str, Is<'_>); 7] = [
            ("objective", &removed),
            ("team", &removed),
            ("effect", &removed),
            ("tab", &left),
            ("title", &reset),
            ("header", &empty),
            ("boss_bar", &removed),
        ];
        let known = match version {
            "1.7" => &all[..4],
            "1.8" => &all[..6],
            _ => &all[..],
        };
        known.iter().for_each(|(kind, is)| drop(player.next_where(kind, |event| !is(event))));
        player.says("/server b");
        player.joined_world(2);
        known.iter().for_each(|(kind, is)| drop(player.next_where(kind, is)));
        assert_sound(&[&player], &[&world], version);
        drop(player.leave());
    }
}

/// Configuration clears the rest.
#[test]
fn nothing_of_a_server_outlasts_configuration() {
    let client = NodeClient::start();
    for version in ["1.20.4", "1.21.1", "26.1"] {
        let world = world(version, 2);
        let edge = edge().config(route(&world, "")).start();
        let player = alice(&client, version, &edge);
        player.joined_world(1);
        let packs = [Uuid::from_u128(1), Uuid::from_u128(2)];
        packs.iter().for_each(|pack| world.hand_out("Alice", *pack));
        if version != "1.20.4" {
            world.link("Alice", "old");
        }
        packs.iter().for_each(|pack| {
            drop(player.next_where("pack", |event| *event.field("uuid") == pack.to_string()));
        });
        player.says("/server b");
        player.joined_world(2);
        let mut taken: Vec<_> = packs.iter().map(|_| player.next("pack")).collect();
        taken.sort_by_key(|event| event.field("uuid").to_string());
        for (event, pack) in taken.iter().zip(packs) {
            assert_eq!(event.field("action"), "remove", "{version}: {event:?}");
            assert_eq!(*event.field("uuid"), pack.to_string(), "{version}: {event:?}");
        }
        if version != "1.20.4" {
            for what in ["links", "details"] {
                let counts: Vec<_> = (0..2).map(|_| player.next(what).field("count").as_u64()).collect();
                assert_eq!(counts, [Some(1), Some(0)], "{version}: {what}");
            }
        }
        assert_sound(&[&player], &[&world], version);
        drop(player.leave());
    }
}

/// Since 1.19 what players say is signed: on the UUID that they know themselves by, each message on the one before.
#[test]
fn what_players_sign_holds_wherever_a_server_knows_them() {
    let session = SessionServer::start().unwrap();
    let (client, account) = (NodeClient::start(), session.account("Alice"));
    for version in ["1.19", "1.19.2", "1.19.3", "1.20.1", "1.20.4", "1.21.1", "1.21.4"] {
        for forwarded in [None, Some(Forwarded::BungeeCord), Some(Forwarded::velocity(SECRET))] {
            let served = Served::version(version);
            let served = forwarded.iter().fold(served, Served::forwarding);
            let world = NodeWorld::numbered_from(1, vec![served; 2], None);
            let forwarding = match &forwarded {
                None => "",
                Some(Forwarded::BungeeCord) => "forwarding = \"bungeecord\"",
                Some(_) => "forwarding = \"velocity\"\nsecret = { file = \"forwarding.secret\" }",
            };
            let more = format!(
                "[routes.authentication]\nurl = \"{}\"\n[routes.session]\n{forwarding}\n",
                session.url()
            );
            let route = route(&world, &more).replace("\"offline\"", "\"client_only\"");
            let edge = edge().file("forwarding.secret", SECRET).config(route).start();
            let join = Join::with_account(&account, version).signs().plays_on(OFTEN);
            let player = client.begin(&join, edge.address());
            for (visit, number, to) in
                [("first", 1, "/server b"), ("second", 2, "/server a"), ("third", 1, "")]
            {
                player.joined_world(number);
                player.hears_from(number);
                for words in [format!("one on the {visit}"), format!("two on the {visit}")] {
                    player.says(&words);
                    let heard = world.hears("Alice", &words);
                    let holds = heard.field("holds") == true;
                    assert_eq!(holds, forwarded.is_some(), "{version} by {forwarded:?}: {heard:?}");
                }
                if !to.is_empty() {
                    player.says(to);
                }
            }
            assert_sound(&[&player], &[&world], version);
            drop(player.leave());
        }
    }
}

/// A target's Transfer packet leads to where the edge brings players as well as elsewhere.
#[test]
fn where_a_server_sends_players_on_the_edge_brings_them_if_it_may() {
    sees!("routes[].session.on_transfer");
    let world = world("1.21.4", 3);
    let [_, b, c] = [1, 2, 3].map(|number| world.address(number));
    let other = format!(
        "[[routes]]\nname = \"other\"\nhosts = [\"*.other.test\"]\nmode = \"offline\"\ntargets = [\"{c}\"]\n\
         [[routes]]\nname = \"staff\"\nhosts = [\"staff.test\"]\nmode = \"offline\"\ntargets = [\"localhost:{}\"]\n\
         actions = [{{ type = \"player_allow_filter\", usernames = [\"Bob\"] }}]\n\
         [[routes]]\nname = \"secure\"\nhosts = [\"secure.test\"]\nmode = \"client_only\"\ntargets = [\"127.0.0.1:2\"]\n",
        c.port()
    );
    let client = NodeClient::start();
    let edge_with = |session: &str| edge().config(format!("{}{session}{other}", route(&world, ""))).start();
    let sent_on = |edge: &Edge, host: &str, port: u16| {
        let player = alice(&client, "1.21.4", edge);
        player.joined_world(1);
        player.hears_from(1);
        world.transfer("Alice", host, port);
        player
    };
    let follows = edge_with("[routes.session]\non_transfer = \"switch\"\n");
    // Where they may not go is nowhere to the edge.
    let elsewhere = [
        ("else.test", 25565),
        ("127.0.0.1", 1),
        ("secure.test", 25565),
        ("127.0.0.1", 2),
        ("staff.test", 25565),
        ("localhost", c.port()),
    ];
    for (host, port, arrives) in [(&*b.ip().to_string(), b.port(), 2), ("Lobby.Other.Test.", 4_711, 3)] {
        let player = sent_on(&follows, host, port);
        player.joined_world(arrives);
        player.hears_from(arrives);
        assert!(player.leave().event("transfer").is_none());
    }
    for (host, port) in elsewhere {
        let visit = sent_on(&follows, host, port).ended();
        assert_eq!(visit.transferred(), (host, port.into()));
    }
    // To where they are already is nowhere.
    let player = sent_on(&follows, &world.address(1).ip().to_string(), world.address(1).port());
    player.plays_more(3);
    // To and fro is followed for a while, and then left to the client.
    let ([a, b], mut at) = ([1, 2].map(|number| world.address(number)), 1);
    for _ in 0..4 {
        let to = if at == 1 { b } else { a };
        world.transfer("Alice", &to.ip().to_string(), to.port());
        at = 3 - at;
        player.joined_world(at);
        player.hears_from(at);
    }
    let to = if at == 1 { b } else { a };
    world.transfer("Alice", &to.ip().to_string(), to.port());
    assert_eq!(player.ended().transferred(), (&*to.ip().to_string(), to.port().into()));
    follows.wait_for("who was sent on", |line| line.field("end").as_deref() == Some("sent_on"));
    let passes = edge_with("");
    for (host, port) in elsewhere.into_iter().chain([("lobby.other.test", 25565)]) {
        let visit = sent_on(&passes, host, port).ended();
        assert_eq!(visit.transferred(), (host, port.into()));
    }
}

/// The cookie by which players of an edge that stopped come back is unsigned: it opens no door.
#[test]
fn who_comes_back_gets_where_a_switch_would_take_them() {
    sees!("cookies.namespace");
    let world = world("1.21.4", 2);
    let secure = "[[routes]]\nname = \"secure\"\nhosts = [\"secure.test\"]\nmode = \"client_only\"\ntargets = [\"127.0.0.1:1\"]\n";
    let cookies = "cookies.namespace = \"mine\"\n";
    let edge = edge().config(format!("{cookies}{}{secure}", route(&world, ""))).start();
    let client = NodeClient::start();
    for (key, wish, arrives) in [
        ("mine:return", &b"B"[..], 2),
        ("drawbridge:return", b"b", 1),
        ("mine:return", b"secure", 1),
        ("mine:return", b"nowhere", 1),
        ("mine:return", b"\xff", 1),
        ("mine:return", &[b'b'; 5_000], 1),
    ] {
        let jar = Jar::from([(key.to_owned(), wish.to_vec())]);
        let player =
            client.begin(&Join::new("Alice", "1.21.4").plays_on(OFTEN).sent_on(&jar), edge.address());
        player.joined_world(arrives);
        player.hears_from(arrives);
        drop(player.leave());
    }
}

/// What the cookie says may be typed behind `/server`, by those who may type that. One that is sealed needs no such right.
#[test]
fn who_may_not_go_by_a_command_does_not_by_a_cookie() {
    let world = world("1.21.4", 2);
    let silent = edge().config(format!("commands.default = []\n{}", route(&world, ""))).start();
    let sealed = "cookies.secrets = [{ file = \"cookie.key\" }]\n";
    let sealed = edge().file("cookie.key", [7; 32]).config(format!("{sealed}{}", route(&world, ""))).start();
    let client = NodeClient::start();
    for edge in [&silent, &sealed] {
        let jar = Jar::from([("drawbridge:return".to_owned(), b"b".to_vec())]);
        let join = Join::new("Alice", "1.21.4").plays_on(OFTEN).sent_on(&jar);
        let player = client.begin(&join, edge.address());
        player.joined_world(1);
        drop(player.leave());
    }
}

#[test]
fn a_place_that_cant_be_gone_to_leaves_players_where_they_are() {
    sees!(
        "routes[].localization(fixed).messages.*.notice_unknown_server",
        "routes[].localization(fixed).messages.*.notice_server_unreachable",
        "routes[].localization(fixed).messages.*.notice_server_refused",
        "routes[].localization(fixed).messages.*.notice_already_there",
        "routes[].localization(fixed).messages.*.notice_servers",
    );
    let client = NodeClient::start();
    for version in ["1.12.2", "1.20.1", "1.21.4"] {
        let served = [Served::version(version), Served::version(version).turning_away("members only")];
        let world = NodeWorld::numbered_from(1, served.to_vec(), None);
        let dead = "[[routes]]\nname = \"dead\"\nhosts = [\"dead.example.com\"]\nmode = \"offline\"\ntargets = [\"127.0.0.1:1\"]\n\
                    [[routes]]\nname = \"secure\"\nhosts = [\"secure.example.com\"]\nmode = \"client_only\"\ntargets = [\"127.0.0.1:1\"]\n";
        let edge = edge().config(format!("{}{dead}", route(&world, ""))).start();
        let player = alice(&client, version, &edge);
        player.joined_world(1);
        player.hears_from(1);
        for (typed, answers) in [
            ("/server nowhere", &["There is no server nowhere."][..]),
            ("/server secure", &["There is no server secure."]),
            ("/server dead", &["dead can't be reached right now."]),
            ("/server b", &["b turned you away.", "members only"]),
            ("/server a", &["You are on a already."]),
            ("/drawbridge:server", &["You are on a. You can go to: a, b, dead."]),
        ] {
            player.says(typed);
            answers.iter().for_each(|answer| drop(player.reads(answer)));
        }
        player.plays_more(1);
        assert_sound(&[&player], &[&world], version);
        assert_eq!(world.logins("Alice", 1).len(), 1);
        let line = edge.wait_for_message("a target turned the player away");
        assert_eq!(line.field("words").as_deref(), Some("members only"), "{line}");
        assert_eq!(line.field("target").as_deref(), Some("b"), "{line}");
        drop(player.leave());
    }
}

#[test]
fn operators_send_players_elsewhere() {
    let client = NodeClient::start();
    let world = world("1.21.4", 2);
    let edge = edge().config(route(&world, "")).start();
    let player = alice(&client, "1.21.4", &edge);
    player.joined_world(1);
    assert!(done(&edge, &["ctl", "switch", "Alice", "b"]).contains("Alice"));
    player.joined_world(2);
    let shows = |words: &str| {
        let shown = || done(&edge, &["ctl", "connections"]);
        let seen = eventually(Duration::from_secs(5), || shown().contains(words).then_some(()));
        assert!(seen.is_some(), "{words}: {}", shown());
    };
    shows(" session  b ");
    let connection = |key: &str| told(&edge, &["connections"])["connections"][0][key].clone();
    assert_eq!(connection("stage"), "session");
    assert_eq!(connection("target")["address"], world.address(2).to_string());
    let (code, said) = fails(&edge, &["ctl", "switch", "Bob", "b"]);
    assert!(code == 1 && said.contains("nobody who is carried by a session is Bob"), "{code} {said}");
    let (code, said) = fails(&edge, &["ctl", "switch", "Alice", "nowhere"]);
    assert!(code == 1 && said.contains("there is no server \"nowhere\" for them"), "{code} {said}");
    assert_sound(&[&player], &[&world], "1.21.4");
    world.signal(Signal::KILL);
    player.joined_world(LIMBO);
    shows(" session  home (limbo)  ");
    assert_eq!(connection("target")["address"], "limbo");
    drop(player.leave());
}
