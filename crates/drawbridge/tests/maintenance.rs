//! Routes under maintenance: what the server list shows, what players are told, and who switches it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{Backend, Connection, Edge, Player, eventually, ping, sees};
use serde_json::Value;
use std::time::Duration;
use support::ctl::{carried, comes, done, fails, is_carried, told, world};
use support::{HUB, description, edge, open_lobby, route};

/// What the server list shows for a host.
fn shown(edge: &Edge, host: &str) -> Value {
    ping(edge.address(), ProtocolVersion::V1_21, host).unwrap().0
}

/// What an old client's ping or login is answered, as text.
fn answered(edge: &Edge, bytes: &[u8]) -> String {
    let mut old = Connection::open(edge.address(), ProtocolVersion::V1_21).unwrap();
    old.raw(bytes).unwrap();
    String::from_utf8_lossy(&old.rest().unwrap()).replace('\0', "")
}

const OLD_PING: &[u8] = &[0xfe, 0x01];
const OLD_LOGIN: &[u8] = b"\x02\x00\x05\0A\0l\0i\0c\0e";

#[test]
fn it_is_shown_and_said_as_configured() {
    sees!(
        "routes[].maintenance.enabled",
        "routes[].maintenance.description",
        "routes[].maintenance.message",
        "routes[].localization(fixed).messages.*.disconnect_maintenance",
    );
    let authentication = "[routes.authentication]\ntype = \"disabled\"\n";
    let texts = "[routes.maintenance]\ndescription = \"<red>Back at <b>six\"\nmessage = \"<gold>At six.\"\n";
    let edge = edge().config(route("lobby", &format!("{authentication}{texts}"))).start();
    let document = shown(&edge, "a.example.com");
    assert_eq!(description(&document), "Back at six");
    assert_eq!(
        (&document["version"]["name"], &document["version"]["protocol"]),
        (&"maintenance".into(), &(-1).into())
    );
    assert!(document["players"].is_null(), "{document}");
    assert_eq!(Player::new("Alice", 767).join(edge.address()).kicked(), "At six.");
    assert_eq!(edge.wait_for_refusal("maintenance").level(), Some("INFO"));
    // Nobody learns which versions it takes, or that a name isn't.
    assert_eq!(Player::new("Alice", 47).join(edge.address()).kicked(), "At six.");
    assert_eq!(Player::new("no name", 767).join(edge.address()).kicked(), "At six.");
    assert!(answered(&edge, OLD_PING).contains("Back at "));
    assert!(answered(&edge, OLD_LOGIN).contains("At six."));

    let own = "[routes.localization]\nmessages = { en_us = { disconnect_maintenance = \"<red>we work\" } }\n";
    edge.rewrite(route("lobby", &format!("maintenance = {{}}\n{authentication}{own}")));
    let told = || (Player::new("Alice", 767).join(edge.address()).kicked() == "we work").then_some(());
    assert!(eventually(Duration::from_secs(10), told).is_some());
    assert_eq!(description(&shown(&edge, "a.example.com")), "This server is being worked on");

    edge.rewrite(route("lobby", &format!("maintenance = {{ enabled = false }}\n{authentication}")));
    edge.wait_for_messages("configuration reloaded", 2);
    assert_eq!(Player::new("Alice", 767).join(edge.address()).transferred(), HUB);
}

#[test]
fn it_is_switched_while_the_edge_runs_and_holds_over_reloads() {
    let world = world();
    let config = |more: &str| {
        let world = carried("world", "world.example.com", world.address(), more);
        format!("{world}{}", open_lobby())
    };
    let edge = edge().config(config("")).start();
    let alice = Player::new("Alice", 767).host("world.example.com");
    let mut carried = comes(&edge, &alice);
    let said = done(&edge, &["ctl", "maintenance", "world", "on"]);
    assert_eq!(said, "world is under maintenance, switched, 1 players are carried and stay\n");
    assert_eq!(
        alice.join(edge.address()).kicked(),
        "This server is being worked on. Please try again later."
    );
    assert_eq!(description(&shown(&edge, "world.example.com")), "This server is being worked on");
    assert_eq!(Player::new("Bob", 767).join(edge.address()).transferred(), HUB, "other routes go on");
    assert!(is_carried(&mut carried));
    let state = told(&edge, &["routes"])["routes"][0].clone();
    assert_eq!((&state["maintenance"], &state["switched"]), (&true.into(), &true.into()));
    assert!(done(&edge, &["ctl", "routes"]).contains("on (switched)"));

    edge.rewrite(config("max_players = 7"));
    edge.wait_for_message("configuration reloaded");
    assert_eq!(told(&edge, &["routes"])["routes"][0]["max_players"], 7);
    assert!(alice.join(edge.address()).kicked().starts_with("This server is being worked on"));

    assert_eq!(
        done(&edge, &["ctl", "maintenance", "world", "configured"]),
        "world is not under maintenance, as configured\n"
    );
    let _again = comes(&edge, &alice);
    edge.rewrite(config("maintenance = {}"));
    edge.wait_for_messages("configuration reloaded", 2);
    assert!(alice.join(edge.address()).kicked().starts_with("This server is being worked on"));
    assert_eq!(
        done(&edge, &["ctl", "maintenance", "world", "off"]),
        "world is not under maintenance, switched\n"
    );
    let _once_more = comes(&edge, &alice);
    assert_eq!(told(&edge, &["maintenance", "world", "configured"])["maintenance"], true);
    assert!(is_carried(&mut carried), "whoever is carried stays, over all of it");

    let (code, said) = fails(&edge, &["ctl", "maintenance", "wrold", "on"]);
    assert!(
        code == 1 && said.contains("no route is named \"wrold\"") && said.contains("did you mean \"world\"?"),
        "{said}"
    );
    assert_eq!(fails(&edge, &["ctl", "maintenance", "world", "maybe"]).0, 2);

    // What was said of a route that is gone can be taken back, lest another one of its name has it.
    done(&edge, &["ctl", "maintenance", "world", "on"]);
    edge.rewrite(open_lobby());
    edge.wait_for_messages("configuration reloaded", 3);
    done(&edge, &["ctl", "maintenance", "world", "configured"]);
    assert_eq!(fails(&edge, &["ctl", "maintenance", "world", "configured"]).0, 1, "nothing is said any more");
    edge.rewrite(config(""));
    edge.wait_for_messages("configuration reloaded", 4);
    let _at_last = comes(&edge, &alice);
}

/// Targets are left alone: neither pings nor logins reach them.
#[test]
fn nobody_knocks_at_a_target_that_is_worked_on() {
    let backend = Backend::start().unwrap();
    let icon = include_bytes!("support/icon.png");
    let more = "maintenance = {}\nstatus = { type = \"relay\", favicon = \"icon.png\" }";
    let edge = edge().file("icon.png", icon).config(carried("world", "*", backend.address(), more)).start();
    let document = shown(&edge, "a.example.com");
    assert_eq!(description(&document), "This server is being worked on");
    assert!(
        document["favicon"].as_str().unwrap().starts_with("data:image/png;base64,"),
        "the route's own picture"
    );
    assert!(
        Player::new("Alice", 47).join(edge.address()).kicked().starts_with("This server is being worked on")
    );
    assert_eq!(backend.arrived(), 0);
}

/// Whoever may not knock learns nothing of it.
#[test]
fn access_and_rates_are_asked_before() {
    let limits = "[limits]\nlogin = { burst = 2, per = \"1h\" }\n";
    let route = route(
        "lobby",
        "maintenance = {}\naccess = { deny = [\"127.0.0.2\"] }\n[routes.authentication]\ntype = \"disabled\"\n",
    );
    let edge = edge().config(format!("{limits}{route}")).start();
    let join = |host: u8| Player::new("Alice", 767).from([127, 0, 0, host]).join(edge.address());
    assert!(join(2).kicked().starts_with("You can't join from your network"));
    assert!(join(1).kicked().starts_with("This server is being worked on"));
    assert!(join(1).kicked().starts_with("This server is being worked on"));
    assert!(join(1).kicked().starts_with("You are joining too often"));
}

#[test]
fn a_description_that_no_client_takes_is_a_mistake() {
    let texts = format!("[routes.maintenance]\ndescription = \"{}\"\n", "§1a§2b".repeat(700));
    let finished = edge().argument("check").config(route("lobby", &texts)).finish();
    assert_eq!(finished.status.code(), Some(1));
    assert!(finished.stderr.contains("bytes in all, and clients take 32767"), "{}", finished.stderr);
}
