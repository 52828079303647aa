//! Who is banned doesn't get in, from the moment on that the ban is made; everybody else does.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{
    Backend, Connection, Edge, Outcome, Player, SessionServer, Tarpit, eventually, sees,
};
use std::time::{Duration, Instant};
use support::ctl::{command, done};
use support::scrape::METRICS;
use support::{COOKIES, HUB, closes_without_a_word, edge, lobby, open_lobby, scrape};

/// How soon a ban by another process has to count.
const SOON: Duration = Duration::from_secs(2);

/// What a player is told, once they aren't handed over any more.
#[track_caller]
fn soon_told(edge: &Edge, player: &Player) -> String {
    let start = Instant::now();
    let told = eventually(SOON, || match player.join(edge.address()).outcome {
        Outcome::Disconnect { text, .. } => Some(text),
        Outcome::Transfer { .. } => None,
        other => panic!("{other:?}"),
    });
    told.unwrap_or_else(|| panic!("let in {:?} after the ban", start.elapsed()))
}

/// Waits until a player is let in again.
#[track_caller]
fn soon_let_in(edge: &Edge, player: &Player, patience: Duration) {
    let let_in = eventually(patience, || {
        matches!(player.join(edge.address()).outcome, Outcome::Transfer { .. }).then_some(())
    });
    assert!(let_in.is_some(), "still kept out");
}

/// Whether the edge closes on somebody who calls from there before anything is said.
fn shut_out(edge: &Edge, from: [u8; 4]) -> bool {
    let opened = Connection::open_from(from.into(), edge.address(), ProtocolVersion::V1_21);
    opened.unwrap().within(Duration::from_secs(2)).closed().is_ok()
}

#[test]
fn names_are_banned_in_whatever_case_and_at_once() {
    sees!("bans.file");
    let config = format!("[bans]\nfile = \"state/players.db\"\n{}", open_lobby());
    let edge = edge().file("state/.keep", "").config(config).start();
    let griefer = Player::new("Griefer", 767);
    assert_eq!(griefer.join(edge.address()).transferred(), HUB);
    assert_eq!(
        done(&edge, &["ban", "gRIEFER", "--reason", "Griefing at spawn."]),
        "banned griefer for ever\n"
    );
    let told = soon_told(&edge, &griefer);
    assert_eq!(told, "You are banned from this server. Griefing at spawn.");
    assert!(edge.folder().join("state/players.db").exists());
    let line = edge.wait_for_refusal("banned");
    assert_eq!(line.level(), Some("INFO"));
    assert_eq!(line.field("by").as_deref(), Some("ban of griefer"));
    for (name, version) in [("GRIEFER", 766), ("griefer", 777)] {
        assert_eq!(Player::new(name, version).join(edge.address()).kicked(), told);
    }
    assert_eq!(Player::new("Griefer2", 767).join(edge.address()).transferred(), HUB);
    assert_eq!(done(&edge, &["unban", "Griefer"]), "unbanned griefer\n");
    soon_let_in(&edge, &griefer, SOON);
}

#[test]
fn addresses_and_networks_are_shut_out_before_a_byte_is_read() {
    let edge = edge().config(open_lobby()).start();
    assert!(!edge.folder().join("bans.db").exists(), "the first ban makes the file");
    done(&edge, &["ban", "127.0.0.2", "127.0.5.0/24"]);
    edge.wait_for_message("bans read");
    assert!(shut_out(&edge, [127, 0, 0, 2]));
    assert!(shut_out(&edge, [127, 0, 5, 200]));
    edge.wait_for_refusal("banned");
    // Legacy clients too.
    let mut legacy =
        Connection::open_from([127, 0, 0, 2].into(), edge.address(), ProtocolVersion::V1_21).unwrap();
    let _ = legacy.raw(&[0xfe, 0x01]);
    assert!(closes_without_a_word(&mut legacy));
    for from in [[127, 0, 0, 1], [127, 0, 6, 1]] {
        assert_eq!(Player::new("Alice", 767).from(from).join(edge.address()).transferred(), HUB);
    }
}

#[test]
fn behind_a_load_balancer_the_clients_address_counts() {
    let trusted = "[proxy_protocol]\ntrusted = [\"127.0.0.2\"]\n";
    let edge = edge().config(format!("{trusted}{}", open_lobby())).start();
    done(&edge, &["ban", "203.0.113.7", "127.0.0.2"]);
    edge.wait_for_message("bans read");
    let from = |address: &str| {
        let header = format!("PROXY TCP4 {address} 198.51.100.1 4711 25565\r\n");
        Player::new("Alice", 767).from([127, 0, 0, 2]).preamble(header.as_bytes()).join(edge.address())
    };
    assert!(from("203.0.113.7").dropped());
    assert_eq!(from("203.0.113.8").transferred(), HUB, "though the balancer itself is banned");
}

#[test]
fn a_uuid_is_banned_where_somebody_vouches_for_it() {
    let session = SessionServer::start().unwrap();
    let edge = edge().config(format!("{COOKIES}{}", lobby(&session))).start();
    let (alice, bob) = (session.account("Alice"), session.account("Bob"));
    let visit = Player::with_account(&alice, 767).join(edge.address());
    assert_eq!(visit.transferred(), HUB);
    done(&edge, &["ban", &alice.id().to_string(), "--reason", "No."]);
    let told = soon_told(&edge, &Player::with_account(&alice, 767));
    assert_eq!(told, "You are banned from this server. No.");
    let asked = session.asked();
    let returning = Player::with_account(&alice, 767).sent_on(&visit.jar).join(edge.address());
    assert_eq!(returning.kicked(), told, "with a cookie that is good");
    assert!(returning.profile().is_none(), "before Login Success");
    assert_eq!(session.asked(), asked, "it was the cookie that vouched");
    let pretender = Player::with_account(&bob, 767).claims_id(alice.id());
    assert_eq!(pretender.join(edge.address()).transferred(), HUB, "what is merely claimed isn't asked");
}

/// Whoever authenticates may know a player by another name than was claimed.
#[test]
fn the_name_that_is_vouched_for_is_banned_too() {
    let profile = "{ id = \"069a79f4-44e9-4726-a5be-fca90e38aaf5\", name = \"Mallory\" }";
    let authentication = format!("[routes.authentication]\ntype = \"fixed\"\nprofile = {profile}\n");
    let edge = edge().config(support::route("lobby", &authentication)).start();
    let alice = Player::new("Alice", 767);
    assert_eq!(alice.join(edge.address()).transferred(), HUB);
    done(&edge, &["ban", "MALLORY"]);
    assert!(soon_told(&edge, &alice).starts_with("You are banned"));
}

#[test]
fn who_is_only_claimed_is_banned_by_name_and_address_alone() {
    let edge = edge().config(open_lobby()).start();
    let alice = Player::new("Alice", 767);
    let id = alice.join(edge.address()).profile().unwrap().id;
    done(&edge, &["ban", &id.to_string()]);
    edge.wait_for_message("bans read");
    assert_eq!(alice.join(edge.address()).transferred(), HUB);
}

#[test]
fn a_temporary_ban_ends_by_itself() {
    let edge = edge().config(open_lobby()).start();
    let alice = Player::new("Alice", 767);
    let start = Instant::now();
    let said = done(&edge, &["ban", "Alice", "--for", "4s", "--reason", "Cool down."]);
    assert!(said.starts_with("banned alice until 20") && said.ends_with(" UTC\n"), "{said}");
    let told = soon_told(&edge, &alice);
    let until = said.trim_end().trim_start_matches("banned alice until ");
    assert_eq!(told, format!("You are banned from this server until {until}. Cool down."));
    soon_let_in(&edge, &alice, Duration::from_secs(10));
    assert!(start.elapsed() >= Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(done(&edge, &["bans"]), "");
    assert!(!command(&edge, &["unban", "Alice"]).status.success(), "there is nothing to lift any more");
}

#[test]
fn two_edges_share_a_file() {
    let first = edge().config(open_lobby()).start();
    let file = first.folder().join("bans.db");
    let second = edge().config(format!("[bans]\nfile = '{}'\n{}", file.display(), open_lobby())).start();
    let alice = Player::new("Alice", 767);
    done(&second, &["ban", "Alice"]);
    soon_told(&first, &alice);
    soon_told(&second, &alice);
    done(&first, &["unban", "Alice"]);
    soon_let_in(&second, &alice, SOON);
    soon_let_in(&first, &alice, SOON);
}

#[test]
fn a_login_under_way_doesnt_outrun_a_ban() {
    let (slow, slower, hub) = (Tarpit::start().unwrap(), Tarpit::start().unwrap(), Backend::start().unwrap());
    let (slow, slower, hub) = (slow.address().unwrap(), slower.address().unwrap(), hub.address());
    let config = format!(
        "{METRICS}[[routes]]\nname = \"lobby\"\nhosts = [\"*\"]\nmode = \"transfer\"\ntargets = [\"{slow}\", \"{slower}\", \"{hub}\"]\n\
         authentication.type = \"disabled\"\ntransfer.probe = true\n"
    );
    let edge = edge().config(config).start();
    let metrics = edge.metrics_address();
    let alice = Player::new("Alice", 767);
    let visit = std::thread::scope(|scope| {
        let joining = scope.spawn(|| alice.join(edge.address()));
        let placed = ["phase=\"authentication\"", "outcome=\"ok\""];
        scrape::wait_for(metrics, "drawbridge_phase_duration_seconds_count", &placed, |count| count > 0.5);
        done(&edge, &["ban", "Alice"]);
        edge.wait_for_message("bans read");
        joining.join().unwrap()
    });
    assert!(visit.profile().is_some(), "it was identified before the ban");
    assert_eq!(visit.kicked().trim_end(), "You are banned from this server.");
}

#[test]
fn a_legacy_login_is_banned_by_name() {
    let edge = edge().config(open_lobby()).start();
    let kick = || {
        let mut old = Connection::open(edge.address(), ProtocolVersion::V1_21).unwrap();
        old.raw(b"\x02\x00\x05\0A\0l\0i\0c\0e").unwrap();
        String::from_utf8_lossy(&old.rest().unwrap()).replace('\0', "")
    };
    assert!(kick().contains("can't be joined"), "{}", kick());
    done(&edge, &["ban", "alice", "--reason", "Not with that either."]);
    edge.wait_for_message("bans read");
    assert!(kick().contains("You are banned from this server. Not with that either."), "{}", kick());
}

#[test]
fn the_words_are_the_routes_own() {
    sees!(
        "routes[].localization(fixed).messages.*.disconnect_banned",
        "routes[].localization(fixed).messages.*.disconnect_banned_until",
    );
    let messages = "[routes.localization]\nmessages = { en_us = { disconnect_banned = \"<red>gone, {name}: {reason}\", \
        disconnect_banned_until = \"back on {until}: {reason}\" } }\n";
    let edge = edge().config(format!("{}{messages}", open_lobby())).start();
    done(&edge, &["ban", "Alice", "--reason", "<b>no</b>"]);
    done(&edge, &["ban", "Bob", "--until", "2999-01-01", "--reason", "{name}"]);
    assert_eq!(soon_told(&edge, &Player::new("Alice", 767)), "gone, Alice: <b>no</b>");
    assert_eq!(soon_told(&edge, &Player::new("Bob", 767)), "back on 2999-01-01 00:00 UTC: {name}");
}

#[test]
fn a_file_that_breaks_leaves_the_bans_that_were_read() {
    let edge = edge().config(format!("{METRICS}{}", open_lobby())).start();
    let metrics = edge.metrics_address();
    done(&edge, &["ban", "Alice"]);
    let (alice, bob) = (Player::new("Alice", 767), Player::new("Bob", 767));
    soon_told(&edge, &alice);
    for (garbage, error) in [(true, "isn't a file of bans"), (false, "is gone")] {
        edge.rename("bans.db", "away.db");
        if garbage {
            edge.rewrite_file("bans.db", "no database, but a file of more than a few bytes".repeat(40));
        }
        edge.wait_for("that the file can't be read", |line| {
            line.level() == Some("WARN") && line.field("error").is_some_and(|told| told.contains(error))
        });
        assert!(alice.join(edge.address()).kicked().starts_with("You are banned"), "{error}");
        assert_eq!(bob.join(edge.address()).transferred(), HUB, "{error}");
        scrape::wait_for(metrics, "drawbridge_bans_unread_total", &[], |count| count > 0.5);
        edge.rename("away.db", "bans.db");
        edge.wait_for_message("bans can be read again");
        done(&edge, &["ban", "Bob"]);
        soon_told(&edge, &bob);
        done(&edge, &["unban", "Bob"]);
        soon_let_in(&edge, &bob, SOON);
    }
    scrape::wait_for(metrics, "drawbridge_bans", &[], |bans| (bans - 1.0).abs() < 0.1);
}

#[test]
fn another_file_takes_a_restart() {
    let edge = edge().config(open_lobby()).start();
    let alice = Player::new("Alice", 767);
    done(&edge, &["ban", "Alice"]);
    let told = soon_told(&edge, &alice);
    edge.rewrite(format!("[bans]\nfile = \"other.db\"\n{}", open_lobby()));
    edge.wait_for_message("bans.file is read at start: restart the edge to change it");
    edge.wait_for_message("configuration reloaded");
    assert_eq!(alice.join(edge.address()).kicked(), told);
}

#[test]
fn a_file_that_isnt_one_of_bans_is_a_mistake_of_the_configuration() {
    let config = format!("[bans]\nfile = \"icon.png\"\n{}", open_lobby());
    for arguments in [&["check"][..], &["run"]] {
        let edge = arguments.iter().fold(edge(), |edge, argument| edge.argument(argument));
        let edge = edge.file("icon.png", include_bytes!("support/icon.png")).config(&config);
        let finished = edge.finish();
        assert_eq!(finished.status.code(), Some(1), "{}", finished.stderr);
        let told = &finished.stderr;
        assert!(
            told.contains("icon.png isn't a file of bans") && told.contains("drawbridge.toml:3:"),
            "{told}"
        );
    }
}
