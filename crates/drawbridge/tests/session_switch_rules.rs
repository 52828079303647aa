//! What holds whenever players in sessions go from server to server: what routes ask of them, what servers are told of them, and how it
//! ends, as real clients and servers see it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{
    Answer, GrpcService, Join, NodeClient, NodeWorld, Served, SessionServer, Tarpit, sees,
};
use std::time::{Duration, Instant};
use support::ctl::done;
use support::edge;
use support::world::{LIMBO, OFTEN, alice, home};

/// Servers numbered from 1 on.
fn world(served: Vec<Served>) -> NodeWorld {
    NodeWorld::numbered_from(1, served, None)
}

/// What another route asks of those who come by its host it asks of those who come by a switch, and they stay where they are.
#[test]
fn what_a_route_asks_it_asks_at_a_switch() {
    let client = NodeClient::start();
    let world = world(vec![Served::version("1.21.4")]);
    let at = world.address(1);
    let rules = [
        ("walled", "access.deny = [\"127.0.0.0/8\"]", "You can't join from your network."),
        ("named", "names = \"^[b-z]+$\"", "The name Alice can't be used on this server."),
        ("full", "max_players = 0", "This server is full right now."),
        ("closed", "maintenance = {}", "This server is being worked on."),
    ];
    let mut config = home(&[&world], "");
    for (name, rule, _) in rules {
        config += &format!(
            "[[routes]]\nname = \"{name}\"\nhosts = [\"{name}.test\"]\nmode = \"offline\"\ntargets = [\"{at}\"]\n{rule}\n"
        );
    }
    config += &format!(
        "[[routes]]\nname = \"old\"\nhosts = [\"old.test\"]\nmode = \"offline\"\ntargets = [\"{at}\"]\nversions = \"<=1.20.1\"\n"
    );
    let edge = edge().config(config).start();
    let player = alice(&client, "1.21.4", &edge);
    player.joined_world(1);
    player.hears_from(1);
    for (name, _, told) in rules {
        player.says(&format!("/server {name}"));
        player.reads(&format!("{name} turned you away."));
        player.reads(told);
    }
    player.says("/server old");
    player.reads("There is no server old.");
    player.plays_more(1);
    assert_eq!(world.logins("Alice", 1).len(), 1);
    drop(player.leave());
}

/// Before 1.20.2 a client says what it is called and set to whenever it joins a world, and since then once.
#[test]
fn every_server_is_told_once_what_a_client_is() {
    let client = NodeClient::start();
    for version in ["1.8", "1.16.5", "1.20.1", "1.20.2", "26.1"] {
        let world = world(vec![Served::version(version); 2]);
        let edge = edge().config(home(&[&world], "")).start();
        let join = Join::new("Alice", version).brand("a brand").locale("de_de").plays_on(OFTEN);
        let player = client.begin(&join, edge.address());
        for (number, to) in [(1, "/server b"), (2, "/server a"), (1, "/server b"), (2, "")] {
            player.joined_world(number);
            player.hears_from(number);
            if !to.is_empty() {
                player.says(to);
            }
        }
        drop(player.leave());
        let _ = world.left("Alice");
        let (brands, settings) = (world.events("brand", "Alice"), world.events("settings", "Alice"));
        assert_eq!((brands.len(), settings.len()), (4, 4), "{version}: {brands:#?} {settings:#?}");
        assert!(brands.iter().all(|event| event.field("brand") == "a brand"), "{version}: {brands:#?}");
        assert!(settings.iter().all(|event| event.field("locale") == "de_de"), "{version}: {settings:#?}");
    }
}

/// A player's mods are asked when they join. Later there is no login on their side: what asks then is told that it isn't understood.
#[test]
fn what_servers_ask_of_mods_gets_to_the_client_while_it_is_in_the_login() {
    let client = NodeClient::start();
    for version in ["1.13.2", "1.20.1", "1.21.4"] {
        let world = world(vec![Served::version(version).asking("mods:list"); 2]);
        let edge = edge().config(home(&[&world], "")).start();
        let join = Join::new("Alice", version).with_mod("mods:list", "none but this").plays_on(OFTEN);
        let player = client.begin(&join, edge.address());
        player.joined_world(1);
        player.says("/server b");
        player.joined_world(2);
        drop(player.leave());
        let answers: Vec<_> =
            world.events("answered", "Alice").iter().map(|event| event.field("answer").clone()).collect();
        assert_eq!(answers, ["none but this".into(), serde_json::Value::Null], "{version}");
    }
}

/// Nothing stands inside a bundle that is never closed: what ends a visit closes it.
#[test]
fn a_server_that_goes_in_the_middle_of_a_bundle_leaves_none_open() {
    let client = NodeClient::start();
    for version in ["1.19.4", "1.20.1", "1.21.4"] {
        let world = world(vec![Served::version(version); 2]);
        let edge = edge().config(home(&[&world], "session.fallback = [\"b\"]")).start();
        // The library keeps what is inside a bundle until its end.
        let player = client.begin(&Join::new("Alice", version).stays(1), edge.address());
        player.joined_world(1);
        player.hears_from(1);
        player.played(1);
        world.bundle("Alice");
        world.cut("Alice");
        player.next("bundle");
        player.next("bundle");
        player.joined_world(2);
        player.hears_from(2);
        assert!(player.troubles().is_empty(), "{version}: {:#?}", player.troubles());
        drop(player.leave());
    }
}

#[test]
fn a_fallback_may_be_a_route_or_a_world_of_the_edges() {
    let client = NodeClient::start();
    let world = world(vec![Served::version("1.21.4"); 2]);
    let one = home(&[&world], "")
        .replace(&format!(", {{ identifier = \"b\", address = \"{}\" }}", world.address(2)), "");
    let [far, lounge] = [
        format!(
            "[[routes]]\nname = \"far\"\nhosts = [\"far.test\"]\nmode = \"offline\"\ntargets = [\"{}\"]\n",
            world.address(2)
        ),
        "[[routes]]\nname = \"lounge\"\nhosts = [\"lounge.test\"]\nmode = \"offline\"\nstatus.type = \"fixed\"\nsession.limbo = \"always\"\n".to_owned(),
    ];
    for (fallback, comes_to) in [("far", 2), ("lounge", LIMBO), ("gone\", \"far", 2)] {
        let config = format!("{one}session.fallback = [\"{fallback}\"]\n{far}{lounge}");
        let edge = edge().config(config).start();
        let player = alice(&client, "1.21.4", &edge);
        player.joined_world(1);
        player.hears_from(1);
        world.kick("Alice", "too loud");
        player.joined_world(comes_to);
        player.reads("too loud");
        assert!(player.leave().event("disconnect").is_none());
    }
}

/// By a command of an operator's, and at the end of the edge for those who can't be sent anywhere.
#[test]
fn sessions_end_with_a_word() {
    let client = NodeClient::start();
    let world = world(vec![Served::version("1.20.1")]);
    let mut edge = edge().config(home(&[&world], "")).start();
    let player = alice(&client, "1.20.1", &edge);
    player.joined_world(1);
    done(&edge, &["ban", "Alice", "--reason", "griefing"]);
    assert!(player.ended().kicked().contains("griefing"));
    edge.wait_for("the end of a session", |line| line.field("end").as_deref() == Some("banned"));
    let other = client.begin(&Join::new("Bob", "1.20.1").plays_on(OFTEN), edge.address());
    other.joined_world(1);
    edge.terminate();
    let visit = other.ended();
    assert!(visit.kicked().starts_with("The server is restarting."), "{}", visit.kicked());
    assert!(edge.exit(Duration::from_secs(20)).success());
}

/// Sessions ask who players are as hand-overs do.
#[test]
fn a_service_may_vouch_for_players_in_sessions() {
    let (session, service) = (SessionServer::start().unwrap(), GrpcService::node(&serde_json::json!({})));
    service.set("Authenticate", &Answer::has_joined(&session.url()));
    let (client, account) = (NodeClient::start(), session.account("Alice"));
    let world = world(vec![Served::version("1.21.4"); 2]);
    let config =
        home(&[&world], &format!("authentication = {{ type = \"grpc\", endpoint = \"{}\" }}", service.uri()))
            .replace("\"offline\"", "\"client_only\"");
    let edge = edge().config(config).start();
    let join = Join::with_account(&account, "1.21.4").plays_on(OFTEN);
    let player = client.begin(&join, edge.address());
    player.joined_world(1);
    player.says("/server b");
    player.joined_world(2);
    drop(player.leave());
    let stranger = client.join(&Join::with_account(&account, "1.21.4").claims("Bob"), edge.address());
    assert!(stranger.event("disconnect").is_some(), "{stranger:#?}");
}

/// A player may switch no oftener than the bound says; an operator may send them wherever.
#[test]
fn who_switches_too_often_is_told_and_stays() {
    sees!("limits.play.switches", "routes[].localization(fixed).messages.*.notice_too_fast");
    let client = NodeClient::start();
    let world = world(vec![Served::version("1.21.4"); 2]);
    let limits = "[limits.play]\nswitches = 1\nburst = \"2s\"\n";
    let words = "localization.messages.en_us = { notice_too_fast = \"too fast for {server}\" }";
    let edge = edge().config(format!("{limits}{}", home(&[&world], words))).start();
    let player = alice(&client, "1.21.4", &edge);
    player.joined_world(1);
    for _ in 0..4 {
        player.says("/server b");
        player.says("/server a");
    }
    player.reads("too fast for ");
    done(&edge, &["ctl", "switch", "Alice", "b"]);
    player.hears_from(2);
    drop(player.leave());
    assert!(world.logins("Alice", 2).len() < 6);
}

/// Routes change while players are there: whom nobody vouched for doesn't get to where somebody has to, and whoever vouched is remembered.
#[test]
fn a_claim_stays_a_claim_whatever_becomes_of_its_route() {
    let session = SessionServer::start().unwrap();
    let client = NodeClient::start();
    let world = world(vec![Served::version("1.21.4"); 2]);
    let asks = format!("authentication.url = \"{}\"\n", session.url());
    let vip = format!(
        "[[routes]]\nname = \"vip\"\nhosts = [\"vip.test\"]\nmode = \"client_only\"\ntargets = [\"{}\"]\n{asks}",
        world.address(2)
    );
    let open = home(&[&world], "");
    let edge = edge().config(format!("{open}{vip}")).start();
    let player = alice(&client, "1.21.4", &edge);
    player.joined_world(1);
    let closed = home(&[&world], &asks).replace("\"offline\"", "\"client_only\"");
    edge.rewrite(format!("{closed}{vip}"));
    done(&edge, &["ctl", "reload"]);
    for place in ["vip", "b", "vip/anything"] {
        player.says(&format!("/server {place}"));
        player.reads(&format!("There is no server {place}."));
    }
    player.plays_more(1);
    assert_eq!(world.logins("Alice", 1).len(), 1);
    // Whom the session server vouched for goes wherever it is asked.
    let account = session.account("Bob");
    let bob = client.begin(&Join::with_account(&account, "1.21.4").plays_on(OFTEN), edge.address());
    bob.joined_world(1);
    bob.says("/server vip");
    bob.joined_world(2);
}

/// Nor does anybody get to a route that asks another session server than the one that vouched for them.
#[test]
fn whom_one_session_server_vouched_for_is_nobody_to_another() {
    let (one, other) = (SessionServer::start().unwrap(), SessionServer::start().unwrap());
    let client = NodeClient::start();
    let world = world(vec![Served::version("1.21.4"); 2]);
    let asks = |session: &SessionServer| format!("authentication.url = \"{}\"\n", session.url());
    let vip = format!(
        "[[routes]]\nname = \"vip\"\nhosts = [\"vip.test\"]\nmode = \"client_only\"\ntargets = [\"{}\"]\n{}",
        world.address(2),
        asks(&other)
    );
    let home = home(&[&world], &asks(&one)).replace("\"offline\"", "\"client_only\"");
    let edge = edge().config(format!("{home}{vip}")).start();
    let account = one.account("Alice");
    let player = client.begin(&Join::with_account(&account, "1.21.4").plays_on(OFTEN), edge.address());
    player.joined_world(1);
    player.hears_from(1);
    for place in ["vip", "vip/anything"] {
        player.says(&format!("/server {place}"));
        player.reads(&format!("There is no server {place}."));
    }
    player.plays_more(1);
    assert_eq!(world.logins("Alice", 1).len(), 1);
    assert_eq!((one.asked(), other.asked()), (1, 0));
    drop(player.leave());
}

/// A service that finds no words keeps no packets waiting.
#[test]
fn players_play_on_while_words_are_looked_for() {
    let (client, pit) = (NodeClient::start(), Tarpit::start().unwrap());
    let world =
        world(vec![Served::version("1.21.4"), Served::version("1.21.4").turning_away("members only")]);
    let words = format!(
        "localization = {{ type = \"grpc\", endpoint = {{ uris = [\"http://{}\"], timeout = \"8s\" }} }}",
        pit.address().unwrap()
    );
    let edge = edge().config(home(&[&world], &words)).start();
    let player = alice(&client, "1.21.4", &edge);
    player.joined_world(1);
    player.hears_from(1);
    for typed in ["/server nowhere", "/server b", "/server", "/drawbridge:server nowhere"] {
        player.says(typed);
        let since = Instant::now();
        player.plays_more(20);
        assert!(since.elapsed() < Duration::from_secs(4), "{typed}: {:?}", since.elapsed());
    }
    drop(player.leave());
}

/// A target isn't late while a client takes its time to answer what it asks.
#[test]
fn who_does_not_answer_a_servers_question_says_nothing_about_the_server() {
    let client = NodeClient::start();
    let world = world(vec![Served::version("1.21.4").asking("mods:list")]);
    let edge = edge().config(home(&[&world], "session.answer = \"600ms\"")).start();
    let mut raw = support::raw::Raw::joins(&edge, 769);
    raw.listens_for(Duration::from_millis(900));
    drop(raw);
    edge.wait_for_message("left");
    let player = alice(&client, "1.21.4", &edge);
    player.joined_world(1);
    drop(player.leave());
    assert!(
        edge.log().iter().all(|line| line.message() != Some("a target can't be reached")),
        "{:#?}",
        edge.log()
    );
}
