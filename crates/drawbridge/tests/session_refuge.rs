//! Where players in sessions come to who are on their way to a server when it turns out not to take them, and those whom servers don't
//! keep, as real clients and servers see it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{Event, Jar, Join, NodeClient, NodePlayer, NodeWorld, Served, sees};
use rustix::process::Signal;
use std::time::{Duration, Instant};
use support::ctl::done;
use support::edge;
use support::world::{LIMBO, OFTEN, alice, assert_sound, home};

/// Since 1.20.2 a server has players go through configuration, and may think better of it there.
const VERSIONS: [&str; 3] = ["1.20.2", "1.21.4", "26.1"];

/// What those are told who wait, and who have lost their server.
const WORDS: &str = "localization.messages.en_us = { notice_waiting = \"please wait\", notice_target_lost = \"it is gone\" }\n";

/// A server that lets everybody in, and one that turns everybody away once they are in configuration, in a process each.
fn worlds(version: &str) -> [NodeWorld; 2] {
    let late = Served::version(version).turning_away_late("members only");
    [
        NodeWorld::numbered_from(1, vec![Served::version(version)], None),
        NodeWorld::numbered_from(2, vec![late], None),
    ]
}

/// A route to these, the first with the name `a`, with `more` of its own.
fn route(targets: &[&NodeWorld], more: &str) -> String {
    home(targets, &format!("{WORDS}{more}"))
}

/// The player was never disconnected, and nothing was out of its place.
#[track_caller]
fn assert_stayed(player: NodePlayer<'_>, worlds: &[&NodeWorld], version: &str) {
    assert_sound(&[&player], worlds, version);
    let visit = player.leave();
    assert!(visit.event("disconnect").is_none(), "{version}: {:#?}", visit.events);
}

/// By then the client has left the server where it was.
#[test]
fn who_is_turned_away_in_configuration_is_back_on_the_old_server() {
    let client = NodeClient::start();
    for version in VERSIONS {
        let [first, late] = worlds(version);
        let edge = edge().config(route(&[&first, &late], "")).start();
        let player = alice(&client, version, &edge);
        player.joined_world(1);
        player.hears_from(1);
        player.says("/server b");
        player.is_configured();
        player.joined_world(1);
        player.reads("members only");
        player.hears_from(1);
        assert_eq!(first.logins("Alice", 2).len(), 2);
        assert_eq!(late.logins("Alice", 1).len(), 1);
        assert_stayed(player, &[&first, &late], version);
    }
}

#[test]
fn who_is_turned_away_in_configuration_goes_to_the_next_target_of_the_place_they_wanted_to() {
    let client = NodeClient::start();
    let ([first, late], [_, later]) = (worlds("1.21.4"), worlds("1.21.4"));
    let other = NodeWorld::numbered_from(3, vec![Served::version("1.21.4")], None);
    let far = format!(
        "[[routes]]\nname = \"far\"\nhosts = [\"far.test\"]\nmode = \"offline\"\ntargets = [\"{}\", \"{}\", \"{}\"]\n",
        late.address(2),
        later.address(2),
        other.address(3)
    );
    let edge = edge().config(format!("{}{far}", route(&[&first], ""))).start();
    let player = alice(&client, "1.21.4", &edge);
    player.joined_world(1);
    player.says("/server far");
    player.joined_world(3);
    player.reads("members only");
    player.hears_from(3);
    assert_stayed(player, &[&first, &late, &later, &other], "1.21.4");
}

#[test]
fn who_is_turned_away_in_configuration_again_and_again_is_back_where_they_were() {
    let client = NodeClient::start();
    let ([first, late], [_, later]) = (worlds("1.21.4"), worlds("1.21.4"));
    let far = format!(
        "[[routes]]\nname = \"far\"\nhosts = [\"far.test\"]\nmode = \"offline\"\ntargets = [\"{}\", \"{}\"]\n",
        late.address(2),
        later.address(2)
    );
    let home = route(&[&first], "session.limbo = \"never\"");
    let edge = edge().config(format!("{home}{far}")).start();
    let player = alice(&client, "1.21.4", &edge);
    player.joined_world(1);
    player.hears_from(1);
    player.says("/server far");
    player.joined_world(1);
    player.hears_from(1);
    assert_eq!((late.logins("Alice", 1).len(), later.logins("Alice", 1).len()), (1, 1));
    assert_stayed(player, &[&first, &late, &later], "1.21.4");
}

/// Its clients would give up after 30 s, on the disconnect screen.
#[test]
fn who_is_on_a_server_that_says_nothing_any_more_is_brought_to_another() {
    let client = NodeClient::start();
    let [first, second] =
        [1, 2].map(|number| NodeWorld::numbered_from(number, vec![Served::version("1.21.4")], None));
    let edge = edge().config(route(&[&first, &second], "session.fallback = [\"b\"]")).start();
    let player = alice(&client, "1.21.4", &edge);
    player.joined_world(1);
    player.hears_from(1);
    first.signal(Signal::STOP);
    let since = Instant::now();
    player.joined_world(2);
    assert!(
        (Duration::from_secs(20)..Duration::from_secs(30)).contains(&since.elapsed()),
        "{:?}",
        since.elapsed()
    );
    player.reads("it is gone");
    player.hears_from(2);
    first.signal(Signal::CONT);
    assert!(player.leave().event("disconnect").is_none());
}

#[test]
fn without_limbo_and_fallback_who_loses_a_server_is_told() {
    sees!("routes[].localization(fixed).messages.*.disconnect_target_lost");
    let client = NodeClient::start();
    let [first, _] = worlds("1.21.4");
    let more = "localization.messages.de_de = { disconnect_target_lost = \"weg\" }\nlocalization.default_locale = \"de_de\"\nsession.limbo = \"never\"";
    let config = home(&[&first], more);
    let edge = edge().config(config).start();
    let player = alice(&client, "1.21.4", &edge);
    player.joined_world(1);
    first.cut("Alice");
    assert_eq!(player.ended().kicked(), "weg");
}

/// The host that the player came by leads to it now.
#[test]
fn who_came_by_a_route_that_is_gone_goes_on_by_the_one_in_its_place() {
    let client = NodeClient::start();
    let [first, second] =
        [1, 2].map(|number| NodeWorld::numbered_from(number, vec![Served::version("1.21.4")], None));
    let before = route(&[&first, &second], "");
    let edge = edge().config(&before).start();
    let player = alice(&client, "1.21.4", &edge);
    player.joined_world(1);
    player.hears_from(1);
    edge.rewrite(before.replace("\"home\"", "\"house\""));
    done(&edge, &["ctl", "reload"]);
    player.says("/drawbridge:server");
    player.reads("You are on a. You can go to: a, b.");
    player.says("/server b");
    player.joined_world(2);
    second.signal(Signal::KILL);
    player.joined_world(LIMBO);
    let second = second.started_anew();
    // The first of its targets.
    player.joined_world(1);
    player.hears_from(1);
    assert_stayed(player, &[&first, &second], "1.21.4");
}

/// Neither the old server nor any other takes them: limbo does, though they were turned away, and has them wait for a target that keeps
/// them, without trying again and again the one that doesn't.
#[test]
fn who_is_turned_away_with_nowhere_to_go_waits_in_limbo() {
    let (client, version) = (NodeClient::start(), "26.1");
    let [first, late] = worlds(version);
    let edge = edge().config(route(&[&first, &late], "")).start();
    let player = alice(&client, version, &edge);
    player.joined_world(1);
    player.hears_from(1);
    first.signal(Signal::KILL);
    player.joined_world(LIMBO);
    player.reads("it is gone");
    // The first look finds a target that turns away late.
    player.joined_world(LIMBO);
    player.reads("members only");
    (0..2).for_each(|_| drop(player.is_shown("please wait")));
    assert_eq!(late.logins("Alice", 1).len(), 1, "it isn't asked again at once");
    let first = first.started_anew();
    player.joined_world(1);
    player.hears_from(1);
    assert_stayed(player, &[&first, &late], version);
}

/// Over the hotbar again and again, as a title and in a bar once.
#[test]
fn who_waits_is_shown_so() {
    let client = NodeClient::start();
    let route = route(&[], "targets = [\"127.0.0.1:1\"]").replace("discovery.targets = []\n", "");
    let edge = edge().config(route).start();
    let players = ["1.8", "1.9", "1.16.5", "1.20.1", "1.20.2", "26.1"].map(|version| {
        let name = format!("Alice{}", version.replace('.', "_"));
        (version, client.begin(&Join::new(&name, version).plays_on(OFTEN), edge.address()))
    });
    for (version, player) in players {
        player.joined_world(LIMBO);
        let says_so =
            |event: &Event, action| event.field("action") == action && event.field("text") == "please wait";
        player.next_where("title", |event| says_so(event, "subtitle"));
        if version != "1.8" {
            player.next_where("boss_bar", |event| says_so(event, "add"));
        }
        (0..2).for_each(|_| drop(player.is_shown("please wait")));
        let titles = player.events().into_iter().filter(|event| says_so(event, "subtitle")).count();
        assert_eq!(titles, 1, "{version}");
        assert_stayed(player, &[], version);
    }
}

/// A target that isn't there yet is waited for as one that can't be reached. What actions keep from a player isn't.
#[test]
fn who_joins_before_there_is_a_target_waits_for_one() {
    let (client, version) = (NodeClient::start(), "1.21.4");
    let world = NodeWorld::numbered_from(1, vec![Served::version(version)], None);
    let empty = "[[routes]]\nname = \"home\"\nhosts = [\"*\"]\nmode = \"offline\"\n\
                 discovery.targets = []\nstatus.type = \"fixed\"\n";
    let barred = format!(
        "[[routes]]\nname = \"barred\"\nhosts = [\"barred.test\"]\nmode = \"offline\"\ntargets = [\"{}\"]\n\
         actions = [{{ type = \"meta_filter\", rules = [{{ key = \"mode\", op = \"equals\", value = \"other\" }}] }}]\n",
        world.address(1)
    );
    let edge = edge().config(format!("{empty}{barred}")).start();
    let turned_away = client.join(&Join::new("Alice", version).host("barred.test"), edge.address());
    assert!(turned_away.event("disconnect").is_some(), "{turned_away:#?}");
    let player = alice(&client, version, &edge);
    player.joined_world(LIMBO);
    edge.rewrite(empty.replace("discovery.targets = []", &format!("targets = [\"{}\"]", world.address(1))));
    edge.reload();
    player.joined_world(1);
    player.hears_from(1);
    assert_stayed(player, &[&world], version);
}

/// Another route's target is found again by both names.
#[test]
fn who_is_on_another_route_when_the_edge_stops_comes_back_to_the_target_there() {
    let version = "1.21.4";
    let world = NodeWorld::numbered_from(1, vec![Served::version(version); 3], None);
    let far = format!(
        "[[routes]]\nname = \"far\"\nhosts = [\"far.test\"]\nmode = \"offline\"\ndiscovery.targets = [\
         {{ identifier = \"x\", address = \"{}\" }}, {{ identifier = \"y\", address = \"{}\" }}]\n",
        world.address(2),
        world.address(3)
    );
    let home = format!(
        "[[routes]]\nname = \"home\"\nhosts = [\"*\"]\nmode = \"offline\"\ntargets = [\"{}\"]\n{far}",
        world.address(1)
    );
    let client = NodeClient::start();
    let edge = edge().config(home).start();
    let player = alice(&client, version, &edge);
    player.joined_world(1);
    player.says("/server nowhere/y");
    player.reads("There is no server nowhere/y.");
    player.says("/server far/z");
    player.reads("There is no server far/z.");
    player.says("/server Far/Y");
    player.joined_world(3);
    player.hears_from(3);
    edge.terminate();
    let visit = player.ended();
    let jar: Jar = visit.jar().clone();
    assert_eq!(jar.get("drawbridge:return").map(Vec::as_slice), Some(&b"far/y"[..]), "{jar:?}");
}
