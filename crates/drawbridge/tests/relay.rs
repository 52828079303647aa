//! Routes that relay: what targets get, which of them is asked, and how long it lasts.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::packet::handshake::Intent;
use drawbridge_testkit::{Backend, Edge, Manner, PATIENCE, Target, Tarpit, eventually, sees};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};
use support::ctl::done;
use support::edge;
use support::raw::{Raw, handshake, legacy_answer, login_start};
use support::scrape::{METRICS, wait_for};

const MODES: [&str; 3] = ["passthrough", "zero_copy", "server_only"];
/// What targets say first.
const HELLO: &[u8] = b"\x05hello";

/// What the log says of a target that isn't there.
const UNREACHED: &str = "a target can't be reached";

fn target() -> Target {
    Target::start(Manner::Echoes(HELLO.to_vec())).unwrap()
}

/// A route for all hosts to these targets.
fn route(mode: &str, targets: &[SocketAddr], more: &str) -> String {
    let targets: Vec<_> = targets.iter().map(|target| format!("\"{target}\"")).collect();
    format!(
        "[[routes]]\nname = \"world\"\nhosts = [\"*\"]\nmode = \"{mode}\"\ntargets = [{}]\n{more}\n",
        targets.join(", ")
    )
}

fn relaying(targets: &[SocketAddr], more: &str) -> Edge {
    edge().config(route("passthrough", targets, more)).start()
}

/// What `check` says.
fn edge_check(text: &str) -> String {
    edge().config(text).argument("check").finish().stderr
}

/// What a target hears first of a client of this kind.
fn first_words(more: &str, version: i32, host: &str, intent: Intent) -> Vec<u8> {
    let target = target();
    let edge = relaying(&[target.address()], more);
    let mut client = Raw::connect(&edge);
    client.0.write_all(&handshake(version, host, intent)).unwrap();
    client.0.write_all(&login_start(version, "Alice")).unwrap();
    client.hears(HELLO);
    target.heard().concat()
}

#[test]
fn targets_are_told_the_address_that_a_load_balancer_has_named() {
    let target = target();
    let more = "[routes.relay]\nproxy_protocol = \"v1\"\n";
    let trusted = "[proxy_protocol]\ntrusted = [\"127.0.0.0/8\"]\n";
    let edge = edge().config(format!("{trusted}{}", route("passthrough", &[target.address()], more))).start();
    let mut client = Raw::connect(&edge);
    client.0.write_all(b"PROXY TCP4 198.51.100.7 203.0.113.1 4000 25565\r\n").unwrap();
    client.0.write_all(&handshake(767, "localhost", Intent::Login)).unwrap();
    client.0.write_all(&login_start(767, "Alice")).unwrap();
    client.hears(HELLO);
    let heard = target.heard().concat();
    let header = String::from_utf8_lossy(heard.split(|byte| *byte == b'\r').next().unwrap()).into_owned();
    let expected = format!("PROXY TCP4 198.51.100.7 127.0.0.1 4000 {}", edge.address().port());
    assert_eq!(header, expected);
}

#[test]
fn who_waits_for_a_target_is_told_when_the_edge_stops() {
    let silent = Target::start(Manner::Silent).unwrap();
    let route = route("passthrough", &[silent.address()], "");
    let edge = edge().config(format!("shutdown = {{ grace = \"0s\" }}\n{route}")).start();
    let mut client = Raw::joins(&edge, 767);
    let _ = silent.wait_for(1);
    edge.terminate();
    let told = client.kicked();
    assert!(told.contains("restarting"), "{told}");
}

/// As long as no target has spoken the connection is the edge's, which can say why it ends.
#[test]
fn who_waits_for_a_target_is_told_of_a_kick_and_of_a_ban() {
    let silent = Target::start(Manner::Silent).unwrap();
    let edge = relaying(&[silent.address()], "relay.answer = \"20s\"");
    for order in [&["ctl", "kick"][..], &["ban"]] {
        let (asked, mut client) = (silent.heard().len(), Raw::joins(&edge, 767));
        assert!(eventually(PATIENCE, || (silent.heard().len() > asked).then_some(())).is_some());
        done(&edge, &[order, &["Alice", "--reason", "Griefing."]].concat());
        let told = client.kicked();
        assert!(told.contains("Griefing."), "{order:?}: {told}");
    }
}

/// Players leave before the edge would give up: the next one begins elsewhere all the same.
#[test]
fn a_target_that_a_player_had_enough_of_is_tried_last() {
    let (silent, target) = (Target::start(Manner::Silent).unwrap(), target());
    let edge = relaying(&[silent.address(), target.address()], "relay.answer = \"4s\"");
    let leaves_after = |patience| {
        let asked = silent.heard().len();
        let client = Raw::joins(&edge, 767);
        assert!(eventually(PATIENCE, || (silent.heard().len() > asked).then_some(())).is_some());
        thread::park_timeout(patience);
        drop(client);
        edge.wait_for_messages("left", asked + 1);
    };
    leaves_after(Duration::ZERO);
    assert!(edge.log().iter().all(|line| line.message() != Some(UNREACHED)), "leaving at once says nothing");
    leaves_after(Duration::from_millis(2_200));
    edge.wait_for_message(UNREACHED);
    Raw::joins(&edge, 767).hears(HELLO);
    assert_eq!(silent.heard().len(), 2, "it isn't asked again");
}

/// A name that nobody resolves is told of, and tried last like everything else that can't be reached.
#[test]
fn a_target_whose_name_is_unknown_is_told_of() {
    let target = target();
    let both = route("passthrough", &[target.address()], "")
        .replace("targets = [", "targets = [\"nobody.invalid:25565\", ");
    let edge = edge().config(both).start();
    Raw::joins(&edge, 767).hears(HELLO);
    assert!(edge.wait_for_message(UNREACHED).text().contains("nobody.invalid"));
}

/// What one side has said to its end is carried to its end, and the other side goes on.
#[test]
fn either_side_may_be_done_before_the_other() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let edge = relaying(&[listener.local_addr().unwrap()], "");
    for client_first in [true, false] {
        let mut client = Raw::joins(&edge, 767);
        let (mut target, _) = listener.accept().unwrap();
        target.set_read_timeout(Some(PATIENCE)).unwrap();
        let join = handshake(767, "localhost", Intent::Login).len() + login_start(767, "Alice").len();
        target.read_exact(&mut vec![0; join]).unwrap();
        target.write_all(HELLO).unwrap();
        client.hears(HELLO);
        let (first, other) =
            if client_first { (&mut client.0, &mut target) } else { (&mut target, &mut client.0) };
        let (words, mut heard) = (vec![7; 300_000], Vec::new());
        first.write_all(b"the last").unwrap();
        first.shutdown(Shutdown::Write).unwrap();
        other.read_to_end(&mut heard).unwrap();
        assert_eq!(heard, b"the last");
        thread::scope(|scope| {
            scope.spawn(|| {
                other.write_all(&words).unwrap();
                other.shutdown(Shutdown::Write).unwrap();
            });
            heard.clear();
            first.read_to_end(&mut heard).unwrap();
        });
        assert!(heard == words, "{} bytes of {}", heard.len(), words.len());
        assert_eq!(edge.wait_for_message("relay ended").field("end").as_deref(), Some("closed"));
    }
}

#[test]
fn bytes_go_through_as_they_are_in_every_mode_and_version() {
    sees!("routes[].mode");
    for mode in MODES {
        let target = target();
        let edge = edge().config(route(mode, &[target.address()], "")).start();
        // The last one is newer than any that is known.
        for version in [4, 5, 47, 340, 578, 759, 760, 763, 764, 767, 777, 9_001, 0x4000_0107] {
            let mut client = Raw::connect(&edge);
            let mut said = handshake(version, "Play.Example.COM\0FML2\0", Intent::Login);
            said.extend(login_start(version, "Alice"));
            client.0.write_all(&said).unwrap();
            client.hears(HELLO);
            assert_eq!(target.heard().last().unwrap(), &said, "{mode} {version}");
            let bulk: Vec<u8> = (0..300_000_u32).map(|at| (at >> 3) as u8).collect();
            let mut writer = client.0.try_clone().unwrap();
            let sent = bulk.clone();
            let writing = std::thread::spawn(move || writer.write_all(&sent).unwrap());
            client.hears(&bulk);
            writing.join().unwrap();
            client.0.shutdown(Shutdown::Write).unwrap();
            assert!(client.is_closed());
        }
        let ended = edge.wait_for_message("relay ended");
        assert_eq!(ended.field("end").as_deref(), Some("closed"), "{ended}");
        assert_eq!(ended.field("to_client").as_deref(), Some("300006"), "{ended}");
    }
}

#[test]
fn a_client_may_say_more_before_its_target_has_answered() {
    let target = target();
    let edge = relaying(&[target.address()], "");
    let mut client = Raw::connect(&edge);
    let mut said = handshake(767, "localhost", Intent::Login);
    said.extend(login_start(767, "Alice"));
    said.extend(b"and more");
    client.0.write_all(&said).unwrap();
    client.hears(HELLO);
    client.hears(b"and more");
    assert_eq!(target.wait_for(said.len()), said);
}

#[test]
fn the_host_is_the_clients_the_targets_or_another() {
    sees!("routes[].relay.host", "routes[].relay.transfers");
    let said = |host: &str, intent| {
        let mut bytes = handshake(767, host, intent);
        bytes.extend(login_start(767, "Alice"));
        bytes
    };
    let hears =
        |more: &str, host: &str, intent| first_words(&format!("[routes.relay]\n{more}\n"), 767, host, intent);
    let typed = "Play.example.com\0FML3\0";
    assert_eq!(hears("", typed, Intent::Login), said(typed, Intent::Login));
    let fixed = hears("host = \"lobby.internal\"", typed, Intent::Login);
    assert_eq!(fixed, said("lobby.internal\0FML3\0", Intent::Login));
    let shielded = hears("host = \"lobby.internal\"", "a.b///203.0.113.7:1///5", Intent::Login);
    assert_eq!(shielded, said("lobby.internal///203.0.113.7:1///5", Intent::Login));
    let own = hears("host = \"target\"", typed, Intent::Login);
    let port = usize::from(own[1 + 1 + 2 + 1 + "127.0.0.1\0FML3\0".len()]);
    assert!(own.windows(15).any(|part| part == b"127.0.0.1\0FML3\0"), "{own:?}");
    assert_ne!(port, 25565 >> 8, "the target's port");

    assert_eq!(hears("", "a.b", Intent::Transfer), said("a.b", Intent::Login));
    assert_eq!(hears("transfers = true", "a.b", Intent::Transfer), said("a.b", Intent::Transfer));
}

/// A server that believes a proxy has authenticated nobody: whoever may say who they are there, is anybody.
#[test]
fn nobody_says_behind_the_host_who_they_are() {
    for (mode, more) in [
        ("passthrough", ""),
        ("zero_copy", "relay.host = \"target\""),
        ("offline", "session.limbo = \"never\""),
    ] {
        let target = target();
        let edge = edge().config(route(mode, &[target.address()], more)).start();
        for typed in ["a\x00203.0.113.7\x00069a79f444e94726a5befca90e38aaf5", "a\0FML\x001-1-1-1-1\0[]"] {
            let mut client = Raw::connect(&edge);
            client.0.write_all(&handshake(767, typed, Intent::Login)).unwrap();
            client.0.write_all(&login_start(767, "Alice")).unwrap();
            assert!(client.is_closed(), "{mode} {typed:?}");
            edge.wait_for("why", |line| line.text().contains("forwarding in its host"));
        }
        assert!(target.heard().is_empty(), "{mode}");
        Raw::joins(&edge, 767);
        assert!(!target.wait_for(1).is_empty());
    }
}

#[test]
fn targets_may_be_told_who_the_client_is() {
    sees!("routes[].relay.proxy_protocol");
    let v1 = first_words("[routes.relay]\nproxy_protocol = \"v1\"\n", 767, "a.b", Intent::Login);
    let line = String::from_utf8_lossy(&v1);
    assert!(line.starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 "), "{line}");
    let v2 = first_words("[routes.relay]\nproxy_protocol = \"v2\"\n", 767, "a.b", Intent::Login);
    assert_eq!(&v2[..16], b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c");
    assert_eq!(&v2[28..], [handshake(767, "a.b", Intent::Login), login_start(767, "Alice")].concat());
}

#[test]
fn targets_that_do_not_answer_are_passed_over_and_tried_last_for_a_while() {
    sees!("routes[].relay.connect", "routes[].relay.answer");
    let (nobody, pit) = (Backend::nobody().unwrap(), Tarpit::start().unwrap());
    let (silent, closing) = (Target::start(Manner::Silent).unwrap(), Target::start(Manner::Closes).unwrap());
    let alive = target();
    let targets = [nobody, pit.address().unwrap(), silent.address(), closing.address(), alive.address()];
    let edge = relaying(&targets, "relay = { connect = \"700ms\", answer = \"600ms\" }");
    let start = Instant::now();
    Raw::joins(&edge, 767).hears(HELLO);
    let took = start.elapsed();
    assert!((Duration::from_millis(1_300)..Duration::from_secs(4)).contains(&took), "{took:?}");
    edge.wait_for_messages("a target can't be reached", 3);
    let start = Instant::now();
    Raw::joins(&edge, 767).hears(HELLO);
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    assert_eq!((silent.heard().len(), alive.heard().len()), (1, 2));
    // What closes without a word may do so for what the client has said: others aren't kept from it.
    assert_eq!(closing.heard().len(), 2);
}

#[test]
fn without_a_target_the_player_is_told() {
    let closing = Target::start(Manner::Closes).unwrap();
    let edge = relaying(&[Backend::nobody().unwrap(), closing.address()], "");
    for version in [4, 47, 340, 763, 764, 777] {
        let text = Raw::joins(&edge, version).kicked();
        assert!(text.contains("can't be reached right now"), "{version}: {text}");
    }
    edge.wait_for_refusal("unreachable");
    // One that comes back is found, though it was passed over.
    let edge = relaying(&[Backend::nobody().unwrap()], "names = \"^Bob$\"");
    assert!(Raw::joins(&edge, 340).kicked().contains("name"), "its own rules hold");
}

/// Whether there is a place for another player before long.
fn gets_in(edge: &Edge) -> bool {
    let heard = eventually(PATIENCE, || {
        let mut client = Raw::joins(edge, 767);
        let mut first = [0; 6];
        (client.0.read_exact(&mut first).is_ok() && first == HELLO).then_some(())
    });
    heard.is_some()
}

#[test]
fn the_socket_to_a_target_counts_among_all() {
    let target = target();
    let limits = format!("[limits]\nconnections = 3\n{}", route("passthrough", &[target.address()], ""));
    let edge = edge().config(limits).start();
    let mut alice = Raw::joins(&edge, 767);
    alice.hears(HELLO);
    assert!(Raw::joins(&edge, 767).kicked().contains("full"));
    edge.wait_for_refusal("full");
    drop(alice);
    assert!(gets_in(&edge), "the places of who left aren't free");
}

#[test]
fn a_route_carries_no_more_than_it_may() {
    sees!("routes[].max_players", "routes[].localization(fixed).messages.*.disconnect_full");
    let target = target();
    let more = "max_players = 2\nlocalization.messages.en_us = { disconnect_full = \"too many\" }";
    let edge = edge().config(format!("{METRICS}{}", route("passthrough", &[target.address()], more))).start();
    let mut players: Vec<_> = (0..2).map(|_| Raw::joins(&edge, 767)).collect();
    players.iter_mut().for_each(|player| player.hears(HELLO));
    wait_for(edge.metrics_address(), "drawbridge_players_carried", &["route=\"world\""], |count| {
        count == 2.0
    });
    let by_target = [&*format!("target=\"{}\"", target.address()), "route=\"world\""];
    wait_for(edge.metrics_address(), "drawbridge_target_players_carried", &by_target, |count| count == 2.0);
    assert!(Raw::joins(&edge, 767).kicked().contains("too many"));
    edge.wait_for_refusal("route_full");
    drop(players.pop());
    assert!(gets_in(&edge), "the place of who left isn't free");
    wait_for(edge.metrics_address(), "drawbridge_carried_ended_total", &["end=\"closed\""], |count| {
        count >= 1.0
    });
    wait_for(edge.metrics_address(), "drawbridge_carried_bytes_total", &["to_client"], |bytes| bytes >= 6.0);
}

#[test]
fn the_target_with_the_fewest_players_may_be_first() {
    sees!("routes[].actions[](balance).by");
    let targets = [target(), target(), target()];
    let addresses = targets.each_ref().map(Target::address);
    let balance = "[[routes.actions]]\ntype = \"balance\"\nby = \"least_connections\"";
    let edge = relaying(&addresses, balance);
    let mut players: Vec<_> = (0..9).map(|_| Raw::joins(&edge, 767)).collect();
    players.iter_mut().for_each(|player| player.hears(HELLO));
    assert_eq!(
        targets.each_ref().map(|target| target.heard().len()),
        [3, 3, 3],
        "also who is on the way counts"
    );
    let mistaken = route("transfer", &addresses, balance);
    assert!(edge_check(&mistaken).contains("nobody is counted in this mode"));
}

/// A text as clients before 1.7 say it.
fn legacy_text(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let length = u16::try_from(units.len()).unwrap().to_be_bytes();
    [length.to_vec(), units.into_iter().flat_map(u16::to_be_bytes).collect()].concat()
}

/// The login packet of 1.6: number, name, host and port.
fn login_of_1_6(name: &str, host: &str) -> Vec<u8> {
    [vec![0x02, 78], legacy_text(name), legacy_text(host), 25565_i32.to_be_bytes().to_vec()].concat()
}

/// Clients of 1.6 and older are carried by the same rules, and read their own kind of kick.
#[test]
fn logins_of_old_are_carried_too() {
    let (first, second) = (target(), target());
    let config = |more: &str| {
        let route = |name: &str, host: &str, target: SocketAddr| {
            route("passthrough", &[target], more)
                .replace("world", name)
                .replace("\"*\"", &format!("\"{host}\""))
        };
        format!(
            "{}{}",
            route("one", "one.example.com", first.address()),
            route("rest", "*", second.address())
        )
    };
    let edge = edge().config(config("")).start();
    let joins = |edge: &Edge, host: &str| {
        let mut client = Raw::connect(edge);
        client.0.write_all(&login_of_1_6("Alice", host)).unwrap();
        client
    };
    for (host, target) in [("one.example.com", &first), ("elsewhere", &second)] {
        let mut client = joins(&edge, host);
        client.hears(HELLO);
        assert_eq!(target.heard(), [login_of_1_6("Alice", host)]);
        client.0.write_all(b"and on").unwrap();
        client.hears(b"and on");
    }
    // 1.2 and older say it all in one text; the oldest no host.
    for (words, target) in [("Alice;one.example.com:25565", &first), ("Alice", &second)] {
        let login = [vec![0x02], legacy_text(words)].concat();
        let mut client = Raw::connect(&edge);
        client.0.write_all(&login).unwrap();
        client.hears(HELLO);
        assert_eq!(target.heard().last(), Some(&login), "{words}");
    }
    let kicked = |more: &str, words: &str| {
        let edge = support::edge().config(config(more)).start();
        let text = legacy_answer(&edge, &login_of_1_6("Alice", "one.example.com"));
        assert!(text.contains(words), "{more}: {text}");
    };
    kicked("names = \"^Bob$\"", "name");
    kicked("versions = \">=1.8\"", "1.8");
    kicked("max_players = 0", "full");
    kicked("[[routes.actions]]\ntype = \"player_block_filter\"\nusernames = [\"Alice\"]", "can't join");
}

#[test]
fn who_is_banned_is_no_longer_carried() {
    for whom in ["aLICE", "127.0.0.0/8"] {
        let target = target();
        let edge = relaying(&[target.address()], "");
        let mut alice = Raw::joins(&edge, 767);
        alice.hears(HELLO);
        done(&edge, &["ban", whom, "--reason", "Griefing."]);
        assert!(alice.is_closed(), "{whom}");
        assert_eq!(edge.wait_for_message("relay ended").field("end").as_deref(), Some("banned"));
        match whom {
            "aLICE" => assert!(Raw::joins(&edge, 767).kicked().contains("Griefing.")),
            _ => assert!(Raw::connect(&edge).is_closed(), "without a word"),
        }
        assert_eq!(target.heard().len(), 1, "it isn't asked again");
    }
}

#[test]
fn silence_may_end_a_relay() {
    sees!("routes[].relay.idle");
    let target = target();
    let edge = relaying(&[target.address()], "relay.idle = \"800ms\"");
    let mut client = Raw::joins(&edge, 767);
    client.hears(HELLO);
    assert!(client.is_closed());
    assert_eq!(edge.wait_for_message("relay ended").field("end").as_deref(), Some("idle"));
}

#[test]
fn what_a_mode_can_not_do_is_a_mistake() {
    let address = "127.0.0.1:1".parse().unwrap();
    for (mode, more, word) in [
        ("passthrough", "authentication.type = \"disabled\"", "authentication"),
        ("server_only", "authentication.type = \"mojang\"", "authentication"),
        ("zero_copy", "transfer.probe = true", "transfer"),
        ("transfer", "relay.idle = \"1s\"", "relay"),
        ("transfer", "max_players = 5", "max_players"),
        ("passthrough", "relay.host = \"not a host\"", "host"),
        ("passthrough", "relay.connect = \"0s\"", "quick"),
        ("passthrough", "relay.answer = \"21s\"", "no other target would be tried"),
    ] {
        let text = edge_check(&route(mode, &[address], more));
        assert!(text.contains(word) && text.contains("drawbridge.toml:"), "{mode} {more}: {text}");
    }
}

#[test]
fn the_edge_waits_for_who_is_carried_as_long_as_it_is_told_to() {
    sees!("shutdown.relays");
    let target = target();
    let stops = |relays: &str| {
        let shutdown = format!("[shutdown]\ngrace = \"1s\"\nrelays = \"{relays}\"\n");
        let edge =
            edge().config(format!("{shutdown}{}", route("passthrough", &[target.address()], ""))).start();
        let mut client = Raw::joins(&edge, 767);
        client.hears(HELLO);
        edge.wait_for_message("relayed");
        edge.terminate();
        edge.wait_for_message("players who are relayed go on for now");
        client.0.write_all(b"still here").unwrap();
        client.hears(b"still here");
        (edge, client)
    };
    let (mut edge, mut client) = stops("2s");
    let since = Instant::now();
    assert!(client.is_closed());
    assert!(since.elapsed() > Duration::from_secs(1), "cut after {:?}", since.elapsed());
    assert!(edge.exit(PATIENCE).success());
    assert_eq!(edge.wait_for_message("relay ended").field("end").as_deref(), Some("shutting_down"));
    let (mut edge, client) = stops("forever");
    drop(client);
    assert!(edge.exit(PATIENCE).success());
}
