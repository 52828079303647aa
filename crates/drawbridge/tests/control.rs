//! What an operator sees of a running edge and tells it, by `drawbridge ctl` and over the socket itself.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::{Closed, PATIENCE, Player, Signal, eventually, sees};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use support::ctl::{asked, carried, comes, done, fails, is_carried, socket, told, world};
use support::scrape::{METRICS, wait_for};
use support::{AT_ONCE, HUB, closes_without_a_word, edge, lobby, open_lobby};

#[test]
fn who_is_there_is_shown() {
    let world = world();
    let target = world.address().to_string();
    let config = carried("world", "world.example.com", world.address(), "max_players = 9");
    let edge = edge().config(format!("{config}{}", open_lobby())).start();
    assert_eq!(done(&edge, &["ctl", "connections"]), "nobody is there\n");
    let alice = Player::new("Alice", 765).host("world.example.com").from([127, 0, 0, 2]);
    let _alice = comes(&edge, &alice);
    let mut bob = Player::new("Bob", 767).host("LOBBY.example.com.").knock(edge.address()).unwrap();
    let request = bob.receive().unwrap();
    assert!(request.kind().is_some(), "the Encryption Request");

    let answer = told(&edge, &["connections"]);
    assert_eq!(answer["answer"], "connections");
    let [first, second] = [0, 1].map(|index| answer["connections"][index].clone());
    assert_eq!(
        (&first["name"], &first["stage"], &first["route"]),
        (&"Alice".into(), &"relayed".into(), &"world".into())
    );
    assert_eq!(first["target"]["address"], target.as_str());
    assert!(first["address"].as_str().unwrap().starts_with("127.0.0.2:"), "{first}");
    assert_eq!((&first["protocol"], &first["releases"]), (&765.into(), &"1.20.3–1.20.4".into()));
    assert_eq!(
        (&second["name"], &second["stage"], &second["route"]),
        (&"Bob".into(), &"login".into(), &"lobby".into())
    );
    assert_eq!((&second["host"], &second["verified"]), (&"lobby.example.com".into(), &false.into()));
    assert!(second["target"].is_null() && second["id"].is_string(), "{second}");
    let of_route = told(&edge, &["connections", "--route", "world"]);
    assert_eq!(of_route["connections"].as_array().unwrap().len(), 1);
    let shown = done(&edge, &["ctl", "connections"]);
    let rows: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["player", "address", "host", "version", "route", "stage", "target", "for"]);
    assert_eq!((rows[1][1], rows[1][6], rows[1][7]), ("Alice", "relayed", &*target), "{shown}");

    let routes = told(&edge, &["routes"]);
    let world = &routes["routes"][0];
    assert_eq!(
        (&world["name"], &world["players"], &world["max_players"]),
        (&"world".into(), &1.into(), &9.into())
    );
    assert_eq!((&world["mode"], &world["hosts"][0]), (&"passthrough".into(), &"world.example.com".into()));
    let shown = done(&edge, &["ctl", "routes"]);
    let rows: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["route", "mode", "players", "maintenance", "hosts"]);
    assert_eq!(rows[1], ["world", "passthrough", "1", "of", "9", "-", "world.example.com"]);
    assert_eq!(rows[2], ["lobby", "transfer", "0", "-", "*"]);

    let status = told(&edge, &["status"]);
    assert_eq!((&status["logins"], &status["carried"], &status["routes"]), (&1.into(), &1.into(), &2.into()));
    assert_eq!(status["addresses"][0], edge.address().to_string());
    assert_eq!((&status["readiness"], &status["connections"]), (&"ready".into(), &2.into()));
    assert_eq!(status["program"], env!("CARGO_PKG_VERSION"));
    let said = done(&edge, &["ctl", "status"]);
    assert!(said.contains("2 connections open, 1 logins under way, 1 players carried"), "{said}");

    let (code, said) = fails(&edge, &["ctl", "connections", "--route", "wrold"]);
    assert_eq!(
        (code, &*said),
        (1, "error: no route is named \"wrold\"\n  = help: did you mean \"world\"?\n")
    );
    drop(bob);
    let left = eventually(PATIENCE, || (told(&edge, &["status"])["logins"] == 0).then_some(()));
    assert!(left.is_some(), "who has left is seen no more");
}

/// A ping is nobody's login.
#[test]
fn pings_and_silence_are_not_shown() {
    let edge = edge().config(open_lobby()).start();
    let _silent = std::net::TcpStream::connect(edge.address()).unwrap();
    edge.serves_others_within(AT_ONCE);
    assert_eq!(told(&edge, &["connections"])["connections"].as_array().unwrap().len(), 0);
}

#[test]
fn who_is_kicked_in_login_is_told_why() {
    sees!("routes[].localization(fixed).messages.*.disconnect_kicked");
    let messages =
        "[routes.localization]\nmessages = { en_us = { disconnect_kicked = \"<red>out: {reason}\" } }\n";
    let edge = edge().config(format!("{}{messages}", open_lobby())).start();
    let join = |name: &str| {
        let mut connection = Player::new(name, 767).knock(edge.address()).unwrap();
        connection.receive().unwrap();
        connection
    };
    let (mut alice, mut bob) = (join("Alice"), join("Bob"));
    let said = done(&edge, &["ctl", "kick", "aLICE", "--reason", "No <b>flying</b>."]);
    assert!(said.starts_with("kicked Alice (#1) from 127.0.0.1:") && said.ends_with(" on lobby\n"), "{said}");
    let told = alice.rest().unwrap();
    assert!(String::from_utf8_lossy(&told).contains("out: "), "{}", String::from_utf8_lossy(&told));
    assert!(
        String::from_utf8_lossy(&told).contains("No <b>flying</b>."),
        "what an operator writes is no markup"
    );
    let line = edge.wait_for_refusal("kicked");
    assert_eq!((line.level(), line.field("by").as_deref()), (Some("INFO"), Some("control")));
    assert!(!bob.has_ended().unwrap(), "others stay");
    let (code, said) = fails(&edge, &["ctl", "kick", "Alice"]);
    assert_eq!((code, &*said), (1, "nobody was kicked: nobody who is there is Alice\n"));
    let (code, said) = fails(&edge, &["ctl", "kick", "256.1.1.1"]);
    assert!(code == 1 && said.contains("neither an address nor a network"), "{said}");
    let (_, said) = fails(&edge, &["ctl", "kick", "Bob", "--reason", "a\nb"]);
    assert!(said.contains("no control characters"), "{said}");
    done(&edge, &["ctl", "kick", "127.0.0.0/8"]);
    assert!(bob.closed().is_ok());
}

#[test]
fn who_is_kicked_in_a_relay_is_gone_at_once_and_others_stay() {
    let world = world();
    let edge = edge().config(format!("{METRICS}{}", carried("world", "*", world.address(), ""))).start();
    let metrics = edge.metrics_address();
    let mut players: Vec<_> = ["Alice", "Bob", "Carol", "Dave", "Erin"]
        .iter()
        .zip(1..)
        .map(|(name, host)| comes(&edge, &Player::new(name, 767).from([127, 0, 0, host])))
        .collect();
    let connections = told(&edge, &["connections"]);
    let id = connections["connections"][3]["id"].as_str().unwrap().to_owned();
    for (whom, index) in [("alice", 0), ("#2", 0), ("127.0.0.3", 0), (&*id, 0)] {
        let kicked = told(&edge, &["kick", whom]);
        assert_eq!(kicked["kicked"].as_array().unwrap().len(), 1, "{whom}: {kicked}");
        players.remove(index).within(Duration::from_secs(3)).closed().unwrap();
    }
    assert!(is_carried(&mut players[0]), "Erin stays");
    let ended = edge.wait_for_message("relay ended");
    assert_eq!(ended.field("end").as_deref(), Some("kicked"));
    wait_for(metrics, "drawbridge_carried_ended_total", &["end=\"kicked\""], |count| {
        (count - 4.0).abs() < 0.1
    });
    wait_for(
        metrics,
        "drawbridge_control_requests_total",
        &["request=\"kick\"", "outcome=\"ok\""],
        |count| count > 3.5,
    );
    assert_eq!(told(&edge, &["status"])["carried"], 1);
}

#[test]
fn a_ban_ends_connections_at_once() {
    let world = world();
    let config = carried("world", "world.example.com", world.address(), "");
    let edge = edge().config(format!("{config}{}", open_lobby())).start();
    let carried = |name: &str| comes(&edge, &Player::new(name, 767).host("world.example.com"));
    let (mut alice, mut again, mut bob) = (carried("Alice"), carried("ALICE"), carried("Bob"));
    let mut in_login = Player::new("Alice", 767).knock(edge.address()).unwrap();
    in_login.receive().unwrap();
    let said = done(&edge, &["ban", "Alice", "--reason", "Enough."]);
    assert_eq!(said, "banned alice for ever, and disconnected 3 times\n");
    for relay in [&mut alice, &mut again] {
        relay.within(Duration::from_secs(3)).closed().unwrap();
    }
    let told = String::from_utf8_lossy(&in_login.rest().unwrap()).into_owned();
    assert!(told.contains("You are banned from this server. Enough."), "{told}");
    assert!(is_carried(&mut bob));
    assert!(Player::new("Alice", 767).join(edge.address()).kicked().starts_with("You are banned"));
    assert_eq!(done(&edge, &["ban", "Bob", "--for", "1h"]).lines().count(), 1);
    bob.within(Duration::from_secs(3)).closed().unwrap();
    let bans = asked(&mut UnixStream::connect(socket(&edge)).unwrap(), b"{\"request\":\"bans\"}\n");
    assert_eq!((&bans["bans"][0]["of"], &bans["bans"][0]["reason"]), (&"alice".into(), &"Enough.".into()));
    assert!(bans["bans"][0]["until"].is_null() && bans["bans"][1]["until"].is_string(), "{bans}");
    assert!(done(&edge, &["bans"]).contains("alice  for ever, by console"));
    assert_eq!(done(&edge, &["unban", "Alice"]), "unbanned alice\n");
    assert_eq!(Player::new("Alice", 767).join(edge.address()).transferred(), HUB, "at once");
    let (code, said) = fails(&edge, &["unban", "Alice"]);
    assert!(code == 1 && said.contains("alice isn't banned"), "{said}");
}

/// Whom an edge has said to be banned is so in the file, whenever it is killed.
#[test]
fn a_ban_that_an_edge_has_confirmed_outlives_it() {
    const BANS: u32 = 100_000;
    for round in 0..8 {
        let edge = edge().config(open_lobby()).start();
        let (line, path) =
            (UnixStream::connect(socket(&edge)).unwrap(), edge.folder().join("drawbridge.toml"));
        let (is_time, time) = mpsc::channel();
        let (mut asking, answers) = (line.try_clone().unwrap(), BufReader::new(line));
        let (names, said) = thread::scope(|scope| {
            let names = scope.spawn(move || {
                let mut ban = |number: &u32| {
                    writeln!(
                        asking,
                        "{{\"request\":\"ban\",\"whom\":\"p{number}\",\"reason\":\"\",\"by\":\"me\"}}"
                    )
                };
                (0..BANS).take_while(|number| ban(number).is_ok()).count()
            });
            let said = scope.spawn(move || {
                let answers = answers.lines().map_while(Result::ok);
                let banned = answers.filter(|answer| answer.contains("\"banned\""));
                let told = banned.inspect(|_| is_time.send(()).unwrap_or_default());
                told.count()
            });
            (0..1 + round * 37).for_each(|_| time.recv_timeout(PATIENCE).unwrap());
            edge.signal(Signal::KILL);
            (names.join().unwrap(), said.join().unwrap())
        });
        assert!(names < BANS as usize, "it was killed before the end");
        let listed = Command::new(env!("CARGO_BIN_EXE_drawbridge"))
            .args(["bans", "--json", "--config"])
            .arg(&path)
            .output()
            .unwrap();
        let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
        let banned = listed["bans"].as_array().unwrap().len();
        // One may have been written and not confirmed yet.
        assert!((said..=said + 1).contains(&banned), "{said} were confirmed, {banned} are banned");
    }
}

#[test]
fn a_uuid_is_banned_in_a_login_that_somebody_vouches_for() {
    let session = drawbridge_testkit::SessionServer::start().unwrap();
    let edge = edge().config(lobby(&session)).start();
    let alice = session.account("Alice");
    session.mode(drawbridge_testkit::Mode::Held);
    let address = edge.address();
    let player = Player::with_account(&alice, 767);
    let joining = std::thread::spawn(move || player.join(address));
    eventually(PATIENCE, || (session.asked() > 0).then_some(())).unwrap();
    let id = alice.id().to_string();
    assert_eq!(done(&edge, &["ban", &id]), format!("banned {id} for ever\n"), "it is merely claimed so far");
    session.release();
    assert!(joining.join().unwrap().kicked().starts_with("You are banned"));
}

/// An edge that has another file isn't asked to write this one.
#[test]
fn an_edge_with_another_file_isnt_asked() {
    let edge = edge().config(open_lobby()).start();
    edge.rewrite(format!("[bans]\nfile = \"other.db\"\n{}", open_lobby()));
    edge.wait_for_message("bans.file is read at start: restart the edge to change it");
    assert_eq!(done(&edge, &["ban", "Alice"]), "banned alice for ever\n");
    assert!(edge.folder().join("other.db").exists() && !edge.folder().join("bans.db").exists());
    assert_eq!(Player::new("Alice", 767).join(edge.address()).transferred(), HUB);
}

#[test]
fn a_reload_says_what_came_of_it() {
    let edge = edge().config(open_lobby()).file("routes/a.toml", other_route("a", "a.example.com")).start();
    assert_eq!(done(&edge, &["ctl", "reload"]), "reloaded: 2 routes\n");
    // A file of the folder that is mistaken stays as it was, and the others are taken over.
    std::fs::write(edge.folder().join("routes/a.toml"), "[[routes]]\nname = \"a\"\nhots = []\n").unwrap();
    std::fs::write(edge.folder().join("routes/b.toml"), other_route("b", "b.example.com")).unwrap();
    let (code, said) = fails(&edge, &["ctl", "reload"]);
    assert_eq!(code, 1);
    assert!(said.contains("unknown key \"hots\"") && said.contains("routes/a.toml:3:"), "{said}");
    assert!(
        said.contains("reloaded: 3 routes\nnot reloaded: ") && said.contains("a.toml, whose routes stay"),
        "{said}"
    );
    let answer = told(&edge, &["reload"]);
    assert_eq!((&answer["taken_over"], &answer["routes"]), (&true.into(), &3.into()));
    assert!(answer["left_as_they_were"][0].as_str().unwrap().ends_with("a.toml"), "{answer}");
    assert!(answer["diagnostics"].as_array().unwrap().iter().any(|mistake| mistake["line"] == 3), "{answer}");
    // In the main file nothing is.
    std::fs::write(edge.folder().join("drawbridge.toml"), "thraeds = 1\n").unwrap();
    let (code, said) = fails(&edge, &["ctl", "reload"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("did you mean \"threads\"?") && said.contains("not reloaded: what ran goes on running"),
        "{said}"
    );
    assert_eq!(told(&edge, &["reload"])["taken_over"], false);
    assert_eq!(told(&edge, &["status"])["routes"], 3);
    assert_eq!(Player::new("Alice", 767).join(edge.address()).transferred(), HUB);
    std::fs::remove_file(edge.folder().join("drawbridge.toml")).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_drawbridge"))
        .args(["ctl", "reload", "--socket"])
        .arg(socket(&edge))
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("drawbridge.toml can't be read"), "{output:?}");
    edge.rewrite(format!("threads = 7\n[control]\nenabled = false\n{}", open_lobby()));
    let socket = socket(&edge);
    let (_, said) = fails(&edge, &["ctl", "reload", "--socket", socket.to_str().unwrap()]);
    assert!(said.contains("not changed: threads, control, which takes a restart"), "{said}");
}

fn other_route(name: &str, host: &str) -> String {
    format!(
        "[[routes]]\nname = \"{name}\"\nhosts = [\"{host}\"]\nmode = \"transfer\"\ntargets = [\"hub.example.com:25570\"]\n"
    )
}

#[test]
fn draining_is_as_at_sigterm() {
    let world = world();
    let mut edge = edge().config(carried("world", "*", world.address(), "")).start();
    let mut alice = comes(&edge, &Player::new("Alice", 767));
    assert_eq!(done(&edge, &["ctl", "drain"]), "the edge stops\n");
    edge.wait_for_message("players who are relayed go on for now");
    assert!(is_carried(&mut alice));
    assert_eq!(done(&edge, &["ctl", "drain"]), "the edge was stopping already\n");
    assert_eq!(told(&edge, &["status"])["readiness"], "draining");
    let (_, said) = fails(&edge, &["ctl", "reload"]);
    assert_eq!(said, "error: the edge is stopping\n");
    assert!(is_carried(&mut alice), "asking again hurries nobody");
    assert_eq!(told(&edge, &["connections"])["connections"][0]["name"], "Alice");
    assert_eq!(done(&edge, &["ctl", "drain", "--now"]), "the edge was stopping already\n");
    assert!(alice.closed().is_ok());
    assert_eq!(edge.exit(PATIENCE).code(), Some(0));
    assert!(!socket(&edge).exists(), "the socket goes with the edge");
}

#[test]
fn draining_now_waits_for_nobody_but_answers() {
    let world = world();
    let mut edge = edge().config(carried("world", "*", world.address(), "")).start();
    let mut alice = comes(&edge, &Player::new("Alice", 767));
    assert_eq!(done(&edge, &["ctl", "drain", "--now"]), "the edge stops\n");
    assert!(alice.closed().is_ok());
    assert_eq!(edge.exit(PATIENCE).code(), Some(0));
}

#[test]
fn an_edge_without_players_ends_at_once_and_answers_all_the_same() {
    let mut edge = edge().config(open_lobby()).start();
    assert_eq!(done(&edge, &["ctl", "drain"]), "the edge stops\n");
    assert_eq!(edge.exit(PATIENCE).code(), Some(0));
    assert!(!socket(&edge).exists());
}

#[test]
fn a_target_that_isnt_there_leaves_no_player_behind() {
    let closed = Closed::start().unwrap();
    let edge = edge().config(carried("world", "*", closed.address().unwrap(), "")).start();
    let mut connection = Player::new("Alice", 767).knock(edge.address()).unwrap();
    assert!(!closes_without_a_word(&mut connection));
    let left = eventually(PATIENCE, || (told(&edge, &["status"])["logins"] == 0).then_some(()));
    assert!(left.is_some());
}

#[test]
fn targets_are_shown_with_their_players_and_what_is_known_against_them() {
    let (world, closed) = (world(), Closed::start().unwrap());
    let nobody = closed.address().unwrap();
    let targets = format!("[\"{nobody}\", \"{}\"]", world.address());
    let config = carried("world", "world.example.com", world.address(), "");
    let config = config.replace(&format!("[\"{}\"]", world.address()), &targets);
    let edge = edge().config(format!("{config}{}", open_lobby())).start();
    let before = told(&edge, &["targets"]);
    let health = |answer: &serde_json::Value| {
        let targets = answer["targets"].as_array().unwrap();
        targets
            .iter()
            .map(|it| (it["health"].as_str().unwrap().to_owned(), it["players"].as_u64().unwrap()))
            .collect::<Vec<_>>()
    };
    let ok = |players| ("unknown".to_owned(), players);
    assert_eq!(health(&before), [ok(0), ok(0), ok(0)]);
    let alice = Player::new("Alice", 767).host("world.example.com");
    let (_first, _second) = (comes(&edge, &alice), comes(&edge, &alice));
    let of_route = told(&edge, &["targets", "--route", "world"]);
    assert_eq!(health(&of_route), [("failing".to_owned(), 0), ok(2)]);
    assert_eq!(of_route["targets"][0]["address"], nobody.to_string());
    assert_eq!(of_route["unknown"].as_array().unwrap().len(), 0);
    let shown = done(&edge, &["ctl", "targets"]);
    let rows: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["route", "target", "address", "players", "health"]);
    assert_eq!((rows[1][4], rows[2][3], rows[3][1]), ("failing", "2", "hub.example.com:25570"), "{shown}");
    assert_eq!(fails(&edge, &["ctl", "targets", "--route", "wrold"]).0, 1);
    // A route that was changed carries its players on: to a target that it doesn't name any more.
    edge.rewrite(carried("world", "world.example.com", nobody, ""));
    edge.wait_for_message("configuration reloaded");
    assert_eq!(health(&told(&edge, &["targets"])), [("failing".to_owned(), 0), ok(2)]);
}

#[test]
fn what_checks_find_is_shown() {
    let (world, closed) = (world(), Closed::start().unwrap());
    let targets = format!("[\"{}\", \"{}\"]", closed.address().unwrap(), world.address());
    let config = carried(
        "world",
        "*",
        world.address(),
        "health = { check = \"tcp\", interval = \"1s\", timeout = \"1s\" }",
    );
    let edge = edge().config(config.replace(&format!("[\"{}\"]", world.address()), &targets)).start();
    let health = || {
        let targets = told(&edge, &["targets"])["targets"].clone();
        [0, 1].map(|index| targets[index]["health"].as_str().unwrap().to_owned())
    };
    let found = eventually(PATIENCE, || (health() == ["down", "up"]).then_some(()));
    assert!(found.is_some(), "{:?}", health());
}

/// A discovery that finds each player a target of their own has none to show, and one that can't say is told of.
#[test]
fn targets_that_nobody_can_name_are_told_apart() {
    let dns = drawbridge_testkit::NameServer::start().unwrap();
    dns.mood(drawbridge_testkit::Mood::Failing);
    let config = format!(
        "[[routes]]\nname = \"world\"\nhosts = [\"*\"]\nmode = \"transfer\"\n[routes.discovery]\ntype = \"dns\"\n\
         domain = \"world.example.com\"\nnameservers = [\"{}\"]\n",
        dns.address()
    );
    let edge = edge().config(config).start();
    let answer = told(&edge, &["targets"]);
    assert_eq!(
        (&answer["unknown"][0]["route"], answer["targets"].as_array().unwrap().len()),
        (&"world".into(), 0)
    );
    assert!(done(&edge, &["ctl", "targets"]).contains("not known: the targets of world: "));
}
