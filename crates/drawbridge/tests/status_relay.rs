//! Status `relay`: the target's own is shown, asked for once however many look at it.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::packet::status::StatusResponse;
use drawbridge_protocol::stream::Outbound;
use drawbridge_testkit::{
    Backend, Edge, Manner, NodeClient, NodeServer, PATIENCE, Target, eventually, ping, sees,
};
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};
use support::raw::legacy_answer;
use support::{description, edge};

const VERSION: ProtocolVersion = ProtocolVersion::V1_21;

/// The packet with this document.
fn says(document: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    let response = StatusResponse { document: document.to_string() };
    Outbound::new().write(VERSION, &response, &mut bytes).unwrap();
    bytes
}

fn document(text: &str, online: u32) -> Value {
    json!({
        "version": { "name": "Paper 1.21", "protocol": 767 },
        "players": { "online": online, "max": 20, "sample": [{ "name": "Notch", "id": "069a79f4-44e9-4726-a5be-fca90e38aaf5" }] },
        "description": { "text": text, "color": "gold" },
        "forgeData": { "mods": [{ "modId": "create", "modmarker": "6" }], "fmlNetworkVersion": 3 },
        "preventsChatReports": true,
    })
}

fn target(text: &str, online: u32) -> Target {
    Target::start(Manner::Echoes(says(&document(text, online)))).unwrap()
}

fn relaying(targets: &[SocketAddr], status: &str) -> Edge {
    let targets: Vec<_> = targets.iter().map(|target| format!("\"{target}\"")).collect();
    let route = format!(
        "[[routes]]\nname = \"world\"\nhosts = [\"*\"]\nmode = \"passthrough\"\ntargets = [{}]\n{status}\n",
        targets.join(", ")
    );
    edge().config(route).start()
}

fn shown(edge: &Edge) -> Value {
    ping(edge.address(), VERSION, "play.example.com").unwrap().0
}

#[test]
fn the_targets_own_status_is_shown_with_all_that_it_holds() {
    let target = target("Ahoy", 3);
    // Nothing is written: it is what relays show.
    let edge = relaying(&[target.address()], "");
    let expected = document("Ahoy", 3);
    let first = shown(&edge);
    for key in ["version", "players", "forgeData", "preventsChatReports"] {
        assert_eq!(first[key], expected[key], "{key}");
    }
    assert_eq!(description(&first), "Ahoy");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..25).for_each(|_| assert_eq!(description(&shown(&edge)), "Ahoy")));
        }
    });
    assert_eq!(target.heard().len(), 1, "asked once");
    // A version that no release has shares an answer, and is shown what the target says.
    let (other, _) = ping(edge.address(), ProtocolVersion(9_001), "play.example.com").unwrap();
    assert_eq!(other["version"]["protocol"], 767);
}

#[test]
fn what_is_set_stands_in_place_of_the_targets() {
    sees!(
        "routes[].status(relay).name",
        "routes[].status(relay).description",
        "routes[].status(relay).favicon",
        "routes[].status(relay).max",
        "routes[].status.type"
    );
    let target = target("Ahoy", 3);
    let icon =
        fs::read(drawbridge_testkit::workspace().join("crates/drawbridge/tests/support/icon.png")).unwrap();
    let status = "[routes.status]\ntype = \"relay\"\nname = \"ours\"\ndescription = \"<red>Ours</red>\"\nmax = 99\nfavicon = \"icon.png\"\n";
    let route = format!(
        "[[routes]]\nname = \"world\"\nhosts = [\"*\"]\nmode = \"passthrough\"\ntargets = [\"{}\"]\n{status}",
        target.address()
    );
    let edge = edge().file("icon.png", icon).config(route).start();
    let shown = shown(&edge);
    assert_eq!((description(&shown).as_str(), &shown["version"]["name"]), ("Ours", &json!("ours")));
    assert_eq!((&shown["players"]["online"], &shown["players"]["max"]), (&json!(3), &json!(99)));
    assert!(shown["favicon"].as_str().unwrap().starts_with("data:image/png;base64,"));
}

#[test]
fn players_of_all_targets_may_be_summed_up() {
    sees!("routes[].status(relay).sum", "routes[].status(relay).timeout");
    let silent = Target::start(Manner::Silent).unwrap();
    let (first, second) = (target("first", 3), target("second", 4));
    let targets = [Backend::nobody().unwrap(), first.address(), silent.address(), second.address()];
    let edge = relaying(&targets, "status = { type = \"relay\", sum = true, timeout = \"500ms\" }");
    let shown = shown(&edge);
    assert_eq!(description(&shown), "first");
    assert_eq!((&shown["players"]["online"], &shown["players"]["max"]), (&json!(7), &json!(40)));
}

#[test]
fn what_is_not_there_has_the_text_of_its_state() {
    sees!(
        "routes[].status(relay).states.offline.name",
        "routes[].status(relay).states.offline.description",
        "routes[].status(relay).states.unreachable.name",
        "routes[].status(relay).states.unreachable.description",
        "routes[].status(relay).patience",
        "routes[].status(relay).cache",
        "routes[].status(relay).on_error"
    );
    let states = "[routes.status.states]\noffline = { name = \"asleep\", description = \"gone to bed\" }\n\
                  unreachable = { name = \"lost\", description = \"no idea\" }\n";
    let status = |more: &str| {
        format!("[routes.status]\ntype = \"relay\"\ncache = \"100ms\"\ntimeout = \"300ms\"\n{more}\n{states}")
    };
    let edge = relaying(&[Backend::nobody().unwrap()], &status(""));
    let offline = shown(&edge);
    assert_eq!(
        (description(&offline).as_str(), &offline["version"]["name"]),
        ("gone to bed", &json!("asleep"))
    );

    let silent = Target::start(Manner::Silent).unwrap();
    let edge = relaying(&[silent.address()], &status("patience = \"200ms\"").replace("300ms", "5s"));
    let start = Instant::now();
    let lost = shown(&edge);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!((description(&lost).as_str(), &lost["version"]["name"]), ("no idea", &json!("lost")));

    // One that answered once, and hangs since.
    for (on_error, expected) in [("stale", "Ahoy"), ("states", "no idea")] {
        let hangs = Target::start(Manner::EchoesOnce(says(&document("Ahoy", 1)))).unwrap();
        let edge = relaying(&[hangs.address()], &status(&format!("on_error = \"{on_error}\"")));
        assert_eq!(description(&shown(&edge)), "Ahoy");
        let failed = eventually(PATIENCE, || {
            drop(shown(&edge));
            edge.log().iter().any(|line| line.message() == Some("a status can't be had")).then_some(())
        });
        assert!(failed.is_some(), "it isn't noticed");
        let line = edge.wait_for_message("a status can't be had");
        assert_eq!(line.field("route").as_deref(), Some("world"));
        assert_eq!(description(&shown(&edge)), expected, "{on_error}");
    }
}

#[test]
fn clients_of_old_are_shown_the_targets_own_status_too() {
    let target = target("Ahoy", 3);
    let edge = relaying(&[target.address()], "");
    assert_eq!(legacy_answer(&edge, &[0xfe]), "Ahoy§3§20", "beta to 1.3");
    let answer = legacy_answer(&edge, &[0xfe, 0x01]);
    let fields: Vec<&str> = answer.split('\0').collect();
    assert_eq!((fields[0], fields[2], fields[4], fields[5]), ("§1", "Paper 1.21", "3", "20"), "1.4 to 1.6");
    assert!(fields[3].contains("Ahoy"), "{answer:?}");
}

#[test]
fn a_target_that_breaks_off_is_passed_over() {
    let half = says(&document("half", 1));
    let broken = Target::start(Manner::Breaks(half[..half.len() / 2].to_vec())).unwrap();
    let whole = target("whole", 1);
    let edge = relaying(&[broken.address(), whole.address()], "");
    assert_eq!(description(&shown(&edge)), "whole");
    let alone = relaying(
        &[broken.address()],
        "[routes.status]\ntype = \"relay\"\n[routes.status.states.unreachable]\ndescription = \"Broken\"",
    );
    assert_eq!(description(&shown(&alone)), "Broken");
}

/// Of one that is longer than clients take the head is enough: what is behind that isn't waited for.
#[test]
fn a_status_that_is_too_long_is_passed_over() {
    let endless = Target::start(Manner::Echoes(vec![0xff, 0xff, 0x7f, 0, 1, 2, 3])).unwrap();
    let whole = target("whole", 1);
    let status = "status = { type = \"relay\", timeout = \"20s\", patience = \"4s\" }";
    let edge = relaying(&[endless.address(), whole.address()], status);
    assert_eq!(description(&shown(&edge)), "whole");
    assert_eq!(endless.heard().len(), 1);
}

/// A client and a server made by other hands see each other.
#[test]
fn real_servers_are_shown_to_real_clients() {
    let server = NodeServer::start(&json!({ "version": "1.21.4" }));
    let edge = relaying(&[server.address()], "");
    let client = NodeClient::start();
    let shown = client.ping("1.21.4", edge.address());
    assert_eq!(shown["description"]["text"], "made by other hands");
    assert_eq!(shown["version"]["protocol"], 769);
}

#[test]
fn bars_may_be_measured_to_the_target() {
    sees!("routes[].status(relay).ping");
    const FAR: Duration = Duration::from_millis(300);
    let far = Target::start(Manner::EchoesLater(says(&document("far", 1)), FAR)).unwrap();
    let took = |ping: &str| {
        let edge = relaying(&[far.address()], &format!("status = {{ type = \"relay\", ping = \"{ping}\" }}"));
        // The first one waits for the target's answer in any case.
        assert_eq!(description(&shown(&edge)), "far");
        ping_of(&edge)
    };
    let through = took("target");
    assert!(through >= FAR, "{through:?}");
    let near = took("edge");
    assert!(near < FAR, "{near:?}");
}

fn ping_of(edge: &Edge) -> Duration {
    ping(edge.address(), VERSION, "play.example.com").unwrap().1
}

#[test]
fn targets_that_hang_do_not_hide_one_that_answers() {
    let silent: Vec<_> = (0..6).map(|_| Target::start(Manner::Silent).unwrap()).collect();
    let last = target("last", 1);
    let targets: Vec<_> = silent.iter().map(Target::address).chain([last.address()]).collect();
    let edge = relaying(&targets, "status = { type = \"relay\", timeout = \"200ms\", cache = \"0s\" }");
    let found = eventually(PATIENCE, || (description(&shown(&edge)) == "last").then_some(()));
    assert!(found.is_some(), "{}", shown(&edge));
}
