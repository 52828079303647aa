//! However a change of the configuration comes about, it is live within a moment and costs nobody their login.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{
    Connection, Edge, EdgeBuilder, Mode, Player, SessionServer, completed, eventually, ping,
};
use std::fs;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use support::{COOKIES, HUB, description, edge, lobby, open_lobby};

const VERSION: ProtocolVersion = ProtocolVersion::V1_21;

/// How soon a change is live: a second or so, also on a machine that is busy with other things.
const SOON: Duration = Duration::from_secs(2);

const RELOADED: &str = "configuration reloaded";

fn said(edge: &Edge, host: &str) -> String {
    description(&ping(edge.address(), VERSION, host).unwrap().0)
}

#[track_caller]
fn soon_says(edge: &Edge, host: &str, text: &str) {
    let live = eventually(SOON, || (said(edge, host) == text).then_some(()));
    assert!(live.is_some(), "{host} still says {:?}, not {text:?}", said(edge, host));
}

/// An edge, and a player whose login is under way for as long as the configuration changes.
struct House {
    edge: Edge,
    session: SessionServer,
    login: JoinHandle<()>,
}

impl House {
    /// `build` is given the default route.
    fn new(build: impl FnOnce(EdgeBuilder, String) -> EdgeBuilder) -> Self {
        let session = SessionServer::start().unwrap();
        session.mode(Mode::Held);
        let edge = build(edge(), lobby(&session) + "timeout = \"20s\"\n").start();
        let (address, alice) = (edge.address(), session.account("Alice"));
        let login = thread::spawn(move || {
            assert_eq!(Player::with_account(&alice, 767).join(address).transferred(), HUB);
        });
        let waits = eventually(Duration::from_secs(10), || (session.asked() > 0).then_some(()));
        assert!(waits.is_some(), "the login doesn't come so far");
        Self { edge, session, login }
    }

    /// Lets the login go on, which must not have suffered.
    fn lives(self) -> Edge {
        self.session.release();
        self.login.join().unwrap();
        self.edge
    }
}

/// A route of its own for a host, which says this.
fn berth(host: &str, text: &str) -> String {
    format!(
        "[[routes]]\nname = \"{host}\"\nhosts = [\"{host}\"]\nmode = \"transfer\"\n\
         [routes.status]\ndescription = \"{text}\"\n"
    )
}

/// The default route, which says this.
fn saying(route: &str, text: &str) -> String {
    format!("{route}[routes.status]\ndescription = \"{text}\"\n")
}

/// So many bytes of a configuration that say nothing, by which it can be told that it was read.
const LARGE: u64 = 256 * 1024;

fn large() -> String {
    format!("#{}\n", "x".repeat(usize::try_from(LARGE).unwrap()))
}

/// Changes something in a [`large`] configuration's folder that changes no text, and waits until the edge has looked.
fn to_no_effect(edge: &Edge, change: impl FnOnce()) {
    let before = edge.bytes_read();
    change();
    let looked = eventually(SOON, || (edge.bytes_read() > before + LARGE).then_some(()));
    assert!(looked.is_some(), "the change isn't noticed");
}

/// What isn't in a document isn't watched, but SIGHUP reads it too.
#[test]
fn sighup_reads_icons_and_secrets_though_no_document_has_changed() {
    let session = SessionServer::start().unwrap();
    let route = lobby(&session);
    let icon = "[routes.status]\nfavicon = \"icons/icon.png\"\n";
    let edge = edge()
        .file("icons/icon.png", include_bytes!("support/icon.png"))
        .config(format!("{COOKIES}{route}{icon}"))
        .start();
    let favicon =
        || ping(edge.address(), VERSION, "localhost").unwrap().0["favicon"].as_str().unwrap().to_owned();
    let alice = session.account("Alice");
    let visit = |jar| Player::with_account(&alice, 767).sent_on(jar).join(edge.address());
    let first = Player::with_account(&alice, 767).join(edge.address());
    assert_eq!(first.transferred(), HUB);
    let before = favicon();

    edge.rewrite_file("icons/icon.png", include_bytes!("support/other_icon.png"));
    edge.rewrite_file("cookie.key", [7; 32]);
    edge.reload();
    edge.wait_for_messages(RELOADED, 1);
    assert_ne!(favicon(), before);
    let refused = "Your earlier login is no longer valid. Please join again.";
    assert_eq!(visit(&first.jar).kicked(), refused, "by the secret that was there before");
    let asked = session.asked();
    let again = Player::with_account(&alice, 767).join(edge.address());
    assert_eq!(visit(&again.jar).transferred(), HUB);
    assert_eq!(session.asked(), asked + 1, "by the secret that is there now");
}

#[test]
fn a_file_is_saved_in_place_or_by_renaming() {
    let house = House::new(|edge, route| edge.config(saying(&route, "first")));
    let edge = &house.edge;
    let route = lobby(&house.session) + "timeout = \"20s\"\n";
    let main = edge.folder().join("drawbridge.toml");

    edge.rewrite(saying(&route, "over the old one"));
    soon_says(edge, "localhost", "over the old one");

    fs::write(&main, completed(saying(&route, "in place"))).unwrap();
    soon_says(edge, "localhost", "in place");

    // Editors that keep a copy move the old file there, and write another.
    edge.rename("drawbridge.toml", "drawbridge.toml~");
    fs::write(&main, completed(saying(&route, "with a copy"))).unwrap();
    soon_says(edge, "localhost", "with a copy");

    edge.rewrite(saying(&route, "at last"));
    soon_says(edge, "localhost", "at last");
    house.lives();
}

#[test]
fn a_folder_of_routes_may_appear_later() {
    let house = House::new(|edge, route| edge.config(format!("routes_dir = \"berths\"\n{}{route}", large())));
    let edge = &house.edge;
    let nobody = said(edge, "a.example.com");
    to_no_effect(edge, || fs::create_dir(edge.folder().join("berths")).unwrap());
    edge.rewrite_file("berths/a.toml", berth("a.example.com", "a"));
    soon_says(edge, "a.example.com", "a");
    edge.rewrite_file("berths/a.toml", berth("a.example.com", "another"));
    soon_says(edge, "a.example.com", "another");
    // And disappear, and come back.
    edge.rename("berths", "elsewhere");
    soon_says(edge, "a.example.com", &nobody);
    edge.rename("elsewhere", "berths");
    soon_says(edge, "a.example.com", "another");
    edge.rewrite_file("berths/b.toml", berth("b.example.com", "b"));
    soon_says(edge, "b.example.com", "b");
    house.lives();
}

#[test]
fn a_folder_of_routes_may_be_replaced_by_another() {
    let house = House::new(|edge, route| {
        edge.config(format!("routes_dir = \"berths\"\n{}{route}", large()))
            .file("berths/a.toml", berth("a.example.com", "a"))
            .file("copies/a.toml", berth("a.example.com", "a"))
            .file("others/a.toml", berth("a.example.com", "another"))
    });
    let edge = &house.edge;
    assert_eq!(said(edge, "a.example.com"), "a");
    // By one that says the same at first: it is the one that is watched from now on.
    to_no_effect(edge, || {
        edge.rename("berths", "old");
        edge.rename("copies", "berths");
    });
    edge.rewrite_file("berths/b.toml", berth("b.example.com", "b"));
    soon_says(edge, "b.example.com", "b");
    edge.rename("berths", "older");
    edge.rename("others", "berths");
    soon_says(edge, "a.example.com", "another");
    assert_ne!(said(edge, "b.example.com"), "b");
    house.lives();
}

/// Files are links into `..data`, which is a link to a folder of the moment: replacing it replaces all of them in one step.
#[test]
fn kubernetes_swaps_the_link_that_all_files_lead_through() {
    let house = House::new(|edge, route| {
        edge.config(saying(&format!("routes_dir = \"berths\"\n{route}"), "first"))
            .file("..1/drawbridge.toml", "")
            .link("..data", "..1")
            .link("drawbridge.toml", "..data/drawbridge.toml")
            .file("berths/..1/a.toml", berth("a.example.com", "a"))
            .link("berths/..data", "..1")
            .link("berths/a.toml", "..data/a.toml")
    });
    let edge = &house.edge;
    assert_eq!((said(edge, "localhost"), said(edge, "a.example.com")), ("first".into(), "a".into()));
    let route = format!("routes_dir = \"berths\"\n{}timeout = \"20s\"\n", lobby(&house.session));
    for (turn, text) in ["second", "third"].into_iter().enumerate() {
        let folder = format!("..{}", turn + 2);
        edge.rewrite_file(&format!("{folder}/drawbridge.toml"), completed(saying(&route, text)));
        edge.relink("..data", &folder);
        soon_says(edge, "localhost", text);
        edge.rewrite_file(&format!("berths/{folder}/a.toml"), berth("a.example.com", text));
        edge.relink("berths/..data", &folder);
        soon_says(edge, "a.example.com", text);
    }
    house.lives();
}

#[test]
fn each_change_is_one_reload() {
    let house = House::new(|edge, route| edge.config(saying(&route, "before")));
    let route = lobby(&house.session) + "timeout = \"20s\"\n";
    for (turn, text) in ["first", "second"].into_iter().enumerate() {
        house.edge.rewrite(saying(&route, text));
        house.edge.wait_for_messages(RELOADED, turn + 1);
        assert_eq!(said(&house.edge, "localhost"), text);
    }
    let edge = house.lives();
    edge.wait_for_message("handed over");
    let reloads = edge.log().iter().filter(|line| line.message() == Some(RELOADED)).count();
    assert_eq!(reloads, 2);
}

/// Reading what has changed is an event in the folder too, which must not have it read again, and so on for ever.
#[test]
fn the_watch_does_not_wake_itself() {
    let limits = "[limits]\nhandshake_timeout = \"1s\"\n";
    let config = |text| format!("{}{limits}{}", large(), saying(&open_lobby(), text));
    let edge = edge().config(config("before")).start();
    let a_second_passes = || {
        let mut silent = Connection::open(edge.address(), VERSION).unwrap();
        silent.closed().unwrap();
        edge.bytes_read()
    };
    let at_first = edge.bytes_read();
    edge.rewrite(config("after"));
    edge.wait_for_messages(RELOADED, 1);
    let before = a_second_passes();
    assert!(before - at_first > LARGE, "{} bytes are no configuration", before - at_first);
    let read = a_second_passes() - before;
    assert!(read < LARGE, "{read} bytes were read, though nothing has changed");
}

/// What leads nowhere was not meant to be no route at all.
#[test]
fn a_link_that_leads_nowhere_changes_nothing() {
    let edge = edge().config(open_lobby()).file("routes/a.toml", berth("a.example.com", "A")).start();
    soon_says(&edge, "a.example.com", "A");
    edge.relink("routes/b.toml", "/nowhere/at/all");
    // Whoever watches doesn't see that the folder holds more than before.
    edge.reload();
    edge.wait_for_message("the configuration was not reloaded: what ran goes on running");
    assert_eq!(said(&edge, "a.example.com"), "A");
    fs::remove_file(edge.folder().join("routes/b.toml")).unwrap();
    edge.rewrite_file("routes/a.toml", berth("a.example.com", "B"));
    soon_says(&edge, "a.example.com", "B");
}
