//! What a daemon may do: be away, answer otherwise than it should, tell of events.

use super::{asking, saying};
use crate::support::providers::{FOUND, LOST, said, soon_says, told};
use drawbridge_testkit::{DockerApi, Manner, PATIENCE, Player, Target, Temper, eventually};
use std::time::{Duration, Instant};

#[test]
fn while_the_daemon_is_away_its_routes_stay() {
    let api = DockerApi::start().unwrap();
    api.run("lobby", saying("lobby.example.com", "before"));
    let edge = asking(&api).start();
    assert_eq!(said(&edge, "lobby.example.com"), "before");
    api.leave();
    edge.wait_for_message(LOST);
    api.run("lobby", saying("lobby.example.com", "after"));
    // It asks again and again, and doesn't say so each time.
    assert_eq!(said(&edge, "lobby.example.com"), "before");
    api.come().unwrap();
    soon_says(&edge, "lobby.example.com", "after");
    edge.wait_for_message(FOUND);
    assert_eq!((told(&edge, LOST), told(&edge, FOUND)), (1, 1));
    // Events that break are taken up again, and what happened in between is seen.
    api.break_events();
    api.run("new", saying("new.example.com", "new"));
    soon_says(&edge, "new.example.com", "new");
}

#[test]
fn answers_that_are_none_change_nothing() {
    let api = DockerApi::start().unwrap();
    api.run("lobby", saying("lobby.example.com", "lobby"));
    let edge = asking(&api).start();
    let tempers = [Temper::Fails(500), Temper::Garbage, Temper::Half, Temper::Endless, Temper::Silent];
    for (round, temper) in (1..).zip(tempers) {
        let memory = edge.memory().rss;
        api.temper(temper);
        api.tell();
        edge.wait_for_messages(LOST, round);
        assert_eq!(said(&edge, "lobby.example.com"), "lobby", "{temper:?}");
        if temper == Temper::Endless {
            let grown = edge.memory().rss.saturating_sub(memory);
            assert!(grown < 128 << 20, "{grown} bytes for a list without end");
        }
        api.temper(Temper::Honest);
        edge.wait_for_messages(FOUND, round);
    }
    let text: String = edge.log().iter().map(|line| line.text().to_owned() + "\n").collect();
    for words in [
        "as it was told",
        "makes no sense",
        "connection broke",
        "more than 33554432 bytes",
        "no answer within 10s",
    ] {
        assert!(text.contains(words), "{words}");
    }
}

#[test]
fn a_container_that_cant_be_looked_at_is_a_route_as_it_was_until_it_is_gone() {
    const UNSEEN: &str = "a container can't be looked at: its route stays as it was";
    let api = DockerApi::start().unwrap();
    api.run("lobby", saying("lobby.example.com", "lobby"));
    let edge = asking(&api).start();
    let tempers = [Temper::Fails(500), Temper::Garbage, Temper::Half, Temper::Endless, Temper::Silent];
    for (round, temper) in (1..).zip(tempers) {
        api.spoil("lobby", temper);
        let host = format!("other{round}.example.com");
        api.run(&format!("other{round}"), saying(&host, "other"));
        soon_says(&edge, &host, "other");
        assert_eq!(said(&edge, "lobby.example.com"), "lobby", "{temper:?}");
        edge.wait_for_messages(UNSEEN, round);
        api.spoil("lobby", Temper::Honest);
        api.change("lobby", |container| {
            container["Config"]["Labels"]["drawbridge.max_players"] = round.to_string().into();
        });
        edge.wait_for_messages("a container can be looked at again", round);
    }
    let line = edge.wait_for_message(UNSEEN);
    assert_eq!(line.field("container").as_deref(), Some("lobby"));
    assert_eq!((told(&edge, UNSEEN), told(&edge, LOST)), (5, 0));
    // It is listed, and gone when it is looked at.
    api.spoil("lobby", Temper::Fails(404));
    api.tell();
    soon_says(&edge, "lobby.example.com", "harbour");

    api.spoil("new", Temper::Fails(500));
    api.run("new", saying("new.example.com", "new"));
    edge.wait_for_message(NOT_YET);
    api.spoil("new", Temper::Honest);
    // Nobody tells of it.
    soon_says(&edge, "new.example.com", "new");
}

/// What is told of a container that isn't known.
const NOT_YET: &str = "a container can't be looked at yet: it is no route";

#[test]
fn a_container_that_hangs_keeps_no_other_waiting() {
    let api = DockerApi::start().unwrap();
    api.run("lobby", saying("lobby.example.com", "lobby"));
    let edge = asking(&api).start();
    api.spoil("hangs", Temper::Silent);
    api.run("hangs", saying("hangs.example.com", "hangs"));
    edge.wait_for_message(NOT_YET);
    for round in 0..3 {
        let start = Instant::now();
        let host = format!("other{round}.example.com");
        api.run(&format!("other{round}"), saying(&host, "other"));
        soon_says(&edge, &host, "other");
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
    assert_eq!((told(&edge, NOT_YET), told(&edge, LOST)), (1, 0));
}

#[test]
fn of_many_that_cant_be_looked_at_few_are_named() {
    let api = DockerApi::start().unwrap();
    api.run("lobby", saying("lobby.example.com", "lobby"));
    for number in 0..20 {
        api.spoil(&format!("s{number}"), Temper::Fails(500));
        api.run(&format!("s{number}"), saying(&format!("s{number}.example.com"), "here"));
    }
    let edge = asking(&api).start();
    assert_eq!(said(&edge, "lobby.example.com"), "lobby");
    let line = edge.wait_for_message("further containers can't be looked at: what was known of them stays");
    assert_eq!((line.field("more").as_deref(), told(&edge, NOT_YET)), (Some("12"), 8));
    for number in 0..20 {
        api.spoil(&format!("s{number}"), Temper::Honest);
    }
    api.tell();
    let line = edge.wait_for_message("further containers can be looked at again");
    assert_eq!(line.field("more").as_deref(), Some("12"));
    soon_says(&edge, "s19.example.com", "here");
}

#[test]
fn where_nothing_can_be_looked_at_it_isnt_known_that_there_is_nothing() {
    let api = DockerApi::start().unwrap();
    api.spoil("lobby", Temper::Fails(500));
    api.run("lobby", saying("lobby.example.com", "lobby"));
    let edge = asking(&api).start();
    edge.wait_for_message(
        "there is no answer yet: the edge starts without its routes, which come when there is",
    );
    edge.wait_for_message(LOST);
    api.spoil("lobby", Temper::Honest);
    api.tell();
    soon_says(&edge, "lobby.example.com", "lobby");
    edge.wait_for_message(FOUND);
    // What is gone from the list is gone, whatever else can't be looked at.
    api.spoil("other", Temper::Fails(500));
    api.remove("lobby");
    api.run("other", saying("other.example.com", "other"));
    soon_says(&edge, "lobby.example.com", "harbour");
}

#[test]
fn a_container_that_cant_be_looked_at_gives_its_name_up_to_another() {
    let api = DockerApi::start().unwrap();
    api.run("lobby", saying("old.example.com", "old"));
    let edge = asking(&api).start();
    assert_eq!(said(&edge, "old.example.com"), "old");
    api.spoil("lobby", Temper::Fails(500));
    api.change_by("lobby", ("container", "rename"), |container| container["Name"] = "/before".into());
    api.run_with("new", saying("new.example.com", "new"), |container| container["Name"] = "/lobby".into());
    soon_says(&edge, "new.example.com", "new");
    assert_eq!(said(&edge, "old.example.com"), "old");
}

#[test]
fn a_daemon_that_says_nothing_holds_the_start_up_for_three_seconds() {
    let api = DockerApi::start().unwrap();
    api.temper(Temper::Silent);
    api.run("lobby", saying("lobby.example.com", "lobby"));
    let start = Instant::now();
    let edge = asking(&api).start();
    assert!(start.elapsed() >= Duration::from_secs(3));
    edge.wait_for_message(
        "there is no answer yet: the edge starts without its routes, which come when there is",
    );
    assert_eq!(said(&edge, "lobby.example.com"), "harbour");
    api.temper(Temper::Honest);
    soon_says(&edge, "lobby.example.com", "lobby");
}

#[test]
fn eight_containers_are_looked_at_at_once() {
    let api = DockerApi::start().unwrap();
    for number in 0..30 {
        let host = format!("s{number}.example.com");
        api.run(&format!("s{number}"), saying(&host, "here"));
    }
    let edge = asking(&api).start();
    api.hold(true);
    api.run("last", saying("last.example.com", "here"));
    let waiting = eventually(PATIENCE, || (api.waiting().0 == 8).then_some(()));
    assert!(waiting.is_some(), "{:?}", api.waiting());
    api.hold(false);
    soon_says(&edge, "last.example.com", "here");
    assert_eq!(api.waiting(), (0, 8), "and never more");
}

#[test]
fn events_that_end_at_once_are_asked_for_ever_more_seldom() {
    let api = DockerApi::start().unwrap();
    api.run("lobby", saying("lobby.example.com", "lobby"));
    api.cut_short(true);
    let edge = asking(&api).start();
    let asked = |streams: usize| {
        let start = Instant::now();
        let asked = eventually(PATIENCE, || (api.streams() >= streams).then_some(()));
        assert!(asked.is_some(), "{} streams, not {streams}", api.streams());
        start.elapsed()
    };
    let _ = asked(1);
    // After 250 ms, 500 ms, 1 s and 2 s, each a quarter more or less.
    let took = asked(5);
    assert!(took >= Duration::from_millis(2_700), "{took:?}");
    // Each time there is a list, so that what has changed is seen nevertheless.
    api.run("lobby", saying("lobby.example.com", "changed"));
    soon_says(&edge, "lobby.example.com", "changed");
    assert_eq!((told(&edge, LOST), told(&edge, FOUND)), (0, 0));
    // Once there has been word, the next failure is the first again.
    api.cut_short(false);
    api.wait_until_followed();
    let lists = api.lists();
    let heard = eventually(PATIENCE, || {
        api.tell();
        (api.lists() > lists + 1).then_some(())
    });
    assert!(heard.is_some());
    let streams = api.streams();
    api.break_events();
    let took = asked(streams + 1);
    assert!(took < Duration::from_millis(2_500), "{took:?} rather than 250 ms");
}

#[test]
fn every_event_that_may_change_a_route_is_heard_of_and_no_other() {
    let api = DockerApi::start().unwrap();
    let target = Target::start(Manner::Silent).unwrap();
    let port = target.address().port().to_string();
    let mut labels = saying("lobby.example.com", "at first");
    labels.push(("drawbridge.port", &port));
    api.run_with("lobby", labels, |container| container["HostConfig"]["NetworkMode"] = "front".into());
    let edge = asking(&api).start();
    edge.wait_for("why", |line| line.text().contains("no address in any network"));
    api.wait_until_followed();
    // Within the minute that no word is believed, word of them has come.
    let (lists, start) = (api.lists(), Instant::now());
    api.change_by("lobby", ("network", "connect"), |container| {
        container["NetworkSettings"]["Networks"] =
            "{\"front\":{\"IPAddress\":\"127.0.0.1\"}}".parse().unwrap();
    });
    soon_says(&edge, "lobby.example.com", "at first");
    let _player = Player::new("Alice", 767).host("lobby.example.com").knock(edge.address()).unwrap();
    let _ = target.wait_for(1);
    let actions = ["start", "stop", "die", "destroy", "pause", "unpause", "rename", "update", "restart"];
    let health = ["health_status: healthy", "health_status: unhealthy"];
    let events = actions.into_iter().chain(health).map(|action| ("container", action));
    for (round, event) in (1..).zip(events.chain([("network", "disconnect")])) {
        let text = format!("after {event:?}");
        api.change_by("lobby", event, |container| {
            container["Config"]["Labels"]["drawbridge.status.description"] = text.as_str().into();
        });
        soon_says(&edge, "lobby.example.com", &text);
        assert_eq!(api.lists(), lists + 1 + round);
    }
    let lists = api.lists();
    for (kind, action) in
        [("container", "exec_create"), ("container", "top"), ("image", "pull"), ("network", "create")]
    {
        api.happen(kind, action);
    }
    api.run("other", saying("other.example.com", "other"));
    soon_says(&edge, "other.example.com", "other");
    assert_eq!(api.lists(), lists + 1, "of others nobody tells");
    assert!(start.elapsed() < Duration::from_secs(60), "the lists may have been those of every minute");
}
