use super::*;
use crate::clean_host;
use crate::fixtures::read;
use drawbridge_config::{Diagnostics, Style};
use drawbridge_model::{Claim, Client, Identity, Refusal, TraceContext};
use drawbridge_protocol::ProtocolVersion;
use uuid::Uuid;

fn build(text: &str) -> Snapshot {
    let (whole, mut diagnostics) = read(text);
    let snapshot = Snapshot::build(&whole.routes, &Services::default(), &mut diagnostics);
    snapshot.unwrap_or_else(|| panic!("{}", diagnostics.render(Style::Plain)))
}

fn mistakes(text: &str) -> Diagnostics {
    let (whole, mut diagnostics) = read(text);
    assert!(Snapshot::build(&whole.routes, &Services::default(), &mut diagnostics).is_none());
    diagnostics
}

/// A route that needs no session server.
fn route(name: &str, hosts: &str, keys: &str) -> String {
    format!(
        "[[routes]]\nname = '{name}'\nhosts = {hosts}\nmode = 'transfer'\n\
         authentication.type = 'disabled'\n{keys}\n"
    )
}

fn client(version: i32) -> Client {
    Client {
        address: ([127, 0, 0, 1], 4711).into(),
        version: ProtocolVersion(version),
        host: "play.example.com".into(),
        port: 25565,
        trace: TraceContext { trace_id: 1, span_id: 1, flags: 0 },
    }
}

fn claimed() -> Identity {
    Identity::Claimed(Claim { name: "Notch".into(), id: Uuid::nil() })
}

#[tokio::test]
async fn hosts_lead_to_their_routes_and_routes_to_their_targets() {
    let snapshot = build(
        &(route("lobby", "['play.example.com', '*.play.example.com']", "targets = ['10.0.0.1:25565']")
            + &route("rest", "['~example']", "")),
    );
    let lobby = snapshot.lookup(&clean_host("Play.Example.com.\0FML\0")).unwrap();
    assert_eq!(lobby.name, "lobby");
    let targets = lobby.place(&client(767), &claimed()).await.unwrap();
    assert_eq!(targets[0].identifier, "10.0.0.1:25565");
    let rest = snapshot.lookup("example.org").unwrap();
    assert_eq!(rest.place(&client(767), &claimed()).await, Err(Refusal::NoTarget.into()));
    assert!(snapshot.lookup("mojang.com").is_none());
    assert_eq!(snapshot.routes().len(), 2);
}

#[tokio::test]
async fn a_route_takes_what_its_keys_say() {
    let snapshot = build(&route(
        "lobby",
        "['*']",
        "versions = '767..=769'\nnames = '^\\.?[a-z]+$'\naccess = { allow = ['10.0.0.0/8'], deny = ['10.1.0.0/16'] }",
    ));
    let route = snapshot.lookup("").unwrap();
    for (version, taken) in [(766, false), (767, true), (769, true), (770, false), (47, false), (-1, false)] {
        assert_eq!(route.takes_version(ProtocolVersion(version)), taken, "{version}");
    }
    assert!(route.takes_name(".notch") && !route.takes_name("Notch"));
    for (address, permitted) in [("10.0.0.1", true), ("10.1.0.1", false), ("192.0.2.1", false)] {
        assert_eq!(route.access.permits(address.parse().unwrap()), permitted, "{address}");
    }
}

#[tokio::test]
async fn versions_that_cannot_be_served_are_not_taken() {
    let plain = route("lobby", "['*']", "");
    let snapshot = build(&route("lobby", "['*']", "versions = '>=47'"));
    let route = snapshot.lookup("").unwrap();
    for (version, taken) in [(765, false), (766, true), (777, true), (778, false), (0x4000_0001, false)] {
        assert_eq!(route.takes_version(ProtocolVersion(version)), taken, "{version}");
    }
    let snapshot = build(&plain);
    let route = snapshot.lookup("").unwrap();
    assert!(route.takes_version(ProtocolVersion(777)) && !route.takes_version(ProtocolVersion(765)));
    assert_eq!(route.versions_text(), "1.20.5–26.3");
}

/// Whatever a route says of versions, players read those that can join.
#[test]
fn the_versions_that_players_read_are_those_that_are_taken() {
    let pack = |required: bool| {
        let sha1 = "0".repeat(40);
        format!("transfer.resource_packs = [{{ url = 'http://x', sha1 = '{sha1}', required = {required} }}]")
    };
    for (keys, newest_taken, text) in [
        ("versions = '>=47'".to_owned(), 777, "1.20.5–26.3"),
        ("versions = '..'".to_owned(), 777, "1.20.5–26.3"),
        ("versions = '1.21.4, >=26.1'".to_owned(), 777, "1.21.4, 26.1–26.3"),
        ("versions = '1.21, 1.21.4, 770..772'".to_owned(), 771, "1.21–1.21.1, 1.21.4–1.21.6"),
        (pack(false), 777, "1.20.5–26.3"),
        (pack(true), 776, "1.20.5–26.2"),
        (format!("versions = '>=1.21.4'\n{}", pack(true)), 776, "1.21.4–26.2"),
    ] {
        let snapshot = build(&route("lobby", "['*']", &keys));
        let route = snapshot.lookup("").unwrap();
        assert_eq!(route.versions_text(), text, "{keys}");
        for version in [newest_taken + 1, 778] {
            assert!(!route.takes_version(ProtocolVersion(version)), "{keys}: {version}");
        }
        assert!(route.takes_version(ProtocolVersion(newest_taken)), "{keys}");
    }
}

#[tokio::test]
async fn packs_and_addresses_reach_the_hand_over() {
    let snapshot = build(&route(
        "lobby",
        "['*']",
        "transfer = { probe = true, address = { meta = 'public' }, resource_packs = [{ url = 'https://example.com/p.zip',
            sha1 = '2FD4E1C67A2D28FCED849EE1BB76E7391B93EB12', required = false, prompt = '<red>Please' }] }
        discovery.targets = [{ address = 'hub:1', meta = { public = 'hub.example.com:25570' } }]"
            .replace('\n', "")
            .replace("        discovery", "\ndiscovery")
            .as_str(),
    ));
    let route = snapshot.lookup("").unwrap();
    let target = &route.place(&client(767), &claimed()).await.unwrap()[0];
    assert_eq!(route.transfer.address_of(target).unwrap().to_string(), "hub.example.com:25570");
    let [pack] = &route.transfer.resource_packs[..] else { panic!("not one pack") };
    assert_eq!(pack.sha1, "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12");
    assert!(!pack.required && route.transfer.probe);
    assert_eq!(pack.prompt.as_ref().unwrap().to_plain(), "Please");
}

#[tokio::test]
async fn routes_that_want_the_same_are_told_apart() {
    let diagnostics = mistakes(
        &(route("a", "['play.example.com', '*']", "")
            + &route("b", "['x.example.com', 'PLAY.example.com.', '*', 'x.example.com']", "")
            + &route("a", "['y.example.com']", "")),
    );
    let shown = diagnostics.render(Style::Plain);
    assert_eq!(diagnostics.errors(), 4, "{shown}");
    for words in [
        "routes \"a\" and \"b\" both have the host \"play.example.com\"",
        "routes \"a\" and \"b\" both have the host \"*\"",
        "route \"b\" has the host \"x.example.com\" twice",
        "a second route named \"a\"",
        "the first is here",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

#[cfg(feature = "http")]
#[tokio::test]
async fn a_favicon_that_cannot_be_asked_for_is_a_mistake() {
    let text = route("a", "['*']", "status.favicon = 'https://user@example.com/x'");
    let shown = mistakes(&text).render(Style::Plain);
    assert!(shown.contains("user or password"), "{shown}");
}

#[cfg(feature = "http")]
#[tokio::test]
async fn without_a_configuration_the_server_list_is_answered_and_nobody_is_placed() {
    let snapshot = build("");
    let route = snapshot.lookup("whatever.example.com").unwrap();
    assert_eq!(route.name, "default");
    let status = route.status.status(&client(775)).await.unwrap();
    assert_eq!(status.unwrap().status().description.to_plain(), "A Minecraft server");
    assert!(route.authentication.wants_session());
    assert_eq!(route.place(&client(775), &claimed()).await, Err(Refusal::NoTarget.into()));
}

#[tokio::test]
async fn what_players_see_without_a_route_is_built_in() {
    let snapshot = build(&route("a", "['a']", ""));
    assert!(snapshot.lookup("b").is_none());
    assert_eq!(snapshot.default_status.status().version_name, "Drawbridge");
    let parameters = &[("host", "b")];
    let message = drawbridge_model::Message { key: "disconnect_no_route", parameters, trace: None };
    let text = snapshot.localization.localize(None, message).await.unwrap();
    assert!(text.to_plain().contains("no server at b"));
}

#[test]
fn clients_of_unknown_versions_have_a_route_that_relays_or_none() {
    let session = |keys: &str| {
        format!("[[routes]]\nname = 'home'\nhosts = ['*']\nmode = 'offline'\ntargets = ['a:1']\n{keys}\n")
    };
    let other = |mode: &str| {
        format!("[[routes]]\nname = 'newer'\nhosts = ['newer.test']\nmode = '{mode}'\ntargets = ['b:1']\n")
    };
    let named = session("session.unknown_versions = 'newer'");
    for mode in ["passthrough", "zero_copy", "server_only", "auto"] {
        let snapshot = build(&(named.clone() + &other(mode)));
        assert_eq!(snapshot.beside(snapshot.lookup("").unwrap()).unwrap().name, "newer", "{mode}");
    }
    for (mode, words) in [
        ("offline", "doesn't relay clients of every version"),
        ("client_only", "doesn't relay clients of every version"),
        ("transfer", "doesn't relay clients of every version"),
    ] {
        let found = mistakes(&(named.clone() + &other(mode))).render(Style::Plain);
        assert!(found.contains(words), "{mode}: {found}");
    }
    let found = mistakes(&named).render(Style::Plain);
    assert!(found.contains("there is no route named \"newer\""), "{found}");
    let snapshot = build(&(session("") + &other("passthrough")));
    assert!(snapshot.beside(snapshot.lookup("").unwrap()).is_none());
}

#[test]
fn versions_without_a_limbo_are_not_taken_where_all_are_held_in_one() {
    let text = |limbo: &str| {
        format!(
            "[[routes]]\nname = 'hub'\nhosts = ['*']\nmode = 'offline'\ntargets = ['a:1']\nsession.limbo = '{limbo}'\n"
        )
    };
    for (limbo, newest, versions) in [
        ("always", 775, "1.7.2–26.1.2"),
        ("when_unreachable", 777, "1.7.2–26.3"),
        ("never", 777, "1.7.2–26.3"),
    ] {
        let snapshot = build(&text(limbo));
        let route = snapshot.lookup("").unwrap();
        assert_eq!(route.versions_text(), versions, "{limbo}");
        for version in [4, 47, 340, 767, 775, 776, 777] {
            assert_eq!(
                route.takes_version(ProtocolVersion(version)),
                version <= newest,
                "{limbo}: {version}"
            );
        }
    }
}

/// What is unwise about a route of this kind beside others.
fn warnings(keys: &str) -> Diagnostics {
    let targets = |name: &str| format!("discovery.targets = [{{ identifier = '{name}', address = 'b:1' }}]");
    let other = |name: &str, mode: &str, keys: &str| {
        format!("[[routes]]\nname = '{name}'\nhosts = ['{name}.test']\nmode = '{mode}'\n{keys}\n")
    };
    let text = format!("[[routes]]\nname = 'home'\nhosts = ['*']\nmode = 'offline'\n{keys}\n")
        + &other("games", "client_only", &format!("{}\nauthentication.type = 'fixed'", targets("Arena")))
        + &other("old", "passthrough", &targets("relayed"));
    let (whole, mut diagnostics) = read(&text);
    assert!(Snapshot::build(&whole.routes, &Services::default(), &mut diagnostics).is_some());
    diagnostics
}

#[test]
fn places_that_there_are_not_are_told_of() {
    let fixed = "discovery.targets = [{ identifier = 'Lobby', address = 'a:1' }, { address = 'a:2' }]";
    for (place, shown) in [
        ("lobby", None),
        ("LOBBY", None),
        ("a:2", None),
        ("home", None),
        ("Home/lobby", None),
        ("games", None),
        ("GAMES/arena", None),
        ("games/lobby", Some("there is no place named \"games/lobby\"")),
        ("loby", Some("there is no place named \"loby\"")),
        ("arena", Some("there is no place named \"arena\"")),
        ("old", Some("there is no place named \"old\"")),
        ("old/relayed", Some("there is no place named \"old/relayed\"")),
        ("games/", Some("there is no place named \"games/\"")),
        (" ", Some("an empty name is no place")),
    ] {
        let found = warnings(&format!("session.fallback = ['{place}']\n{fixed}"));
        let said = found.render(Style::Plain);
        assert_eq!(found.warnings(), usize::from(shown.is_some()), "{place}: {said}");
        assert!(shown.is_none_or(|shown| said.contains(shown)), "{place}: {said}");
    }
    // What discovery finds isn't known.
    #[cfg(feature = "dns")]
    for (place, warned) in [("anything", 0), ("", 1)] {
        let dns = "discovery = { type = 'dns', domain = 'lobby.test' }";
        assert_eq!(warnings(&format!("session.fallback = ['{place}']\n{dns}")).warnings(), warned, "{place}");
    }
}

#[test]
fn identifiers_that_cannot_be_said_are_told_of() {
    for (identifiers, shown) in [
        (["lobby", "games"], None),
        (["old lobby", "games"], Some("nobody can type \"old lobby\"")),
        (["lobby", "Lobby"], Some("\"lobby\" and \"Lobby\" differ in case alone")),
    ] {
        let [one, other] = identifiers.map(|name| format!("{{ identifier = '{name}', address = 'a:1' }}"));
        let found = warnings(&format!("discovery.targets = [{one}, {other}]"));
        let said = found.render(Style::Plain);
        assert_eq!(found.warnings(), usize::from(shown.is_some()), "{identifiers:?}: {said}");
        assert!(shown.is_none_or(|shown| said.contains(shown)), "{identifiers:?}: {said}");
    }
    // Who is handed over or relayed doesn't say them.
    let text = route("a", "['*']", "discovery.targets = [{ identifier = 'old lobby', address = 'a:1' }]");
    let (whole, mut diagnostics) = read(&text);
    assert!(Snapshot::build(&whole.routes, &Services::default(), &mut diagnostics).is_some());
    assert_eq!(diagnostics.warnings(), 0);
}
