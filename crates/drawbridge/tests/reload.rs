//! A change of the configuration is taken over whole or not at all, and nothing is dropped.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{DockerApi, Edge, Mode, Player, SessionServer, completed, eventually, ping, sees};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use support::providers::told;
use support::{HUB, description, edge, lobby, open_lobby, turned_away};

const VERSION: ProtocolVersion = ProtocolVersion::V1_21;

fn saying(text: &str) -> String {
    format!("{}[routes.status]\ndescription = \"{text}\"\n", open_lobby())
}

fn says(edge: &Edge, host: &str) -> String {
    description(&ping(edge.address(), VERSION, host).unwrap().0)
}

fn comes_to_say(edge: &Edge, host: &str, text: &str) {
    let said = eventually(Duration::from_secs(15), || (says(edge, host) == text).then_some(()));
    assert!(said.is_some(), "{host:?} still says {:?}, not {text:?}", says(edge, host));
}

#[test]
fn a_changed_file_is_noticed() {
    let edge = edge().config(saying("before")).start();
    assert_eq!(says(&edge, "localhost"), "before");
    edge.rewrite(saying("after"));
    comes_to_say(&edge, "localhost", "after");
}

#[test]
fn routes_come_from_a_folder_that_is_watched_too() {
    sees!("routes_dir");
    let file = |host: &str, text: &str| {
        format!(
            "[[routes]]\nname = \"{host}\"\nhosts = [\"{host}\"]\nmode = \"transfer\"\n\
             [routes.status]\ndescription = \"{text}\"\n"
        )
    };
    let main = "routes_dir = \"berths\"\n";
    let edge = edge().config(main).file("berths/a.toml", file("a.example.com", "a")).start();
    assert_eq!(says(&edge, "a.example.com"), "a");
    edge.rewrite_file("berths/b.toml", file("b.example.com", "b"));
    comes_to_say(&edge, "b.example.com", "b");
    edge.rewrite_file("berths/a.toml", file("a.example.com", "another"));
    comes_to_say(&edge, "a.example.com", "another");
    std::fs::remove_file(edge.folder().join("berths/b.toml")).unwrap();
    let gone = eventually(Duration::from_secs(15), || (says(&edge, "b.example.com") != "b").then_some(()));
    assert!(gone.is_some());
    assert_eq!(says(&edge, "a.example.com"), "another");
}

#[test]
fn a_mistake_changes_nothing_and_is_reported_with_its_line() {
    let edge = edge().config(saying("before")).start();
    edge.rewrite(saying("after").replace("hosts", "hots"));
    let line =
        edge.wait_for("the mistake", |line| line.message().is_some_and(|message| message.contains("hots")));
    assert_eq!(line.level(), Some("ERROR"));
    assert!(line.text().contains("drawbridge.toml:"), "{line}");
    edge.wait_for_message("the configuration was not reloaded: what ran goes on running");
    assert_eq!(says(&edge, "localhost"), "before");
    assert_eq!(Player::new("Alice", 767).join(edge.address()).transferred(), HUB);
    edge.rewrite(saying("mended"));
    comes_to_say(&edge, "localhost", "mended");
}

#[test]
fn a_connection_keeps_the_snapshot_it_started_with() {
    let session = SessionServer::start().unwrap();
    session.mode(Mode::Held);
    let edge = edge().config(lobby(&session) + "timeout = \"20s\"\n").start();
    let alice = session.account("Alice");
    let (address, player) = (edge.address(), Player::with_account(&alice, 767));
    let login = thread::spawn(move || player.join(address));
    eventually(Duration::from_secs(10), || (session.asked() > 0).then_some(())).unwrap();
    edge.rewrite(lobby(&session).replace("hub.example.com:25570", "elsewhere.example.com:1"));
    edge.wait_for_message("configuration reloaded");
    session.release();
    assert_eq!(login.join().unwrap().transferred(), HUB);
    let visit = Player::with_account(&alice, 767).join(edge.address());
    assert_eq!(visit.transferred(), ("elsewhere.example.com", 1));
}

#[test]
fn nothing_is_dropped_while_it_reloads() {
    let edge = edge().config(saying("even")).start();
    let (address, going) = (edge.address(), AtomicBool::new(true));
    thread::scope(|scope| {
        let pinging: Vec<_> = (0..2)
            .map(|index| {
                let going = &going;
                scope.spawn(move || {
                    let mut answered = 0;
                    while going.load(Ordering::SeqCst) {
                        let (document, _) = ping(address, VERSION, "localhost").unwrap();
                        let said = description(&document);
                        assert!(said == "even" || said == "odd", "{said:?}: unrouted in between");
                        let visit = Player::new(&format!("Alice{index}"), 767).join(address);
                        assert_eq!(visit.transferred(), HUB);
                        answered += 1;
                    }
                    answered
                })
            })
            .collect();
        for turn in 1..=6 {
            let text = if turn % 2 == 0 { "even" } else { "odd" };
            edge.rewrite(saying(text));
            edge.reload();
            comes_to_say(&edge, "localhost", text);
        }
        going.store(false, Ordering::SeqCst);
        for pinging in pinging {
            assert!(pinging.join().unwrap() > 0);
        }
    });
}

#[test]
fn limits_and_rules_are_replaced_too() {
    let edge = edge().config(open_lobby()).start();
    let long = "h".repeat(1100);
    ping(edge.address(), VERSION, &long).unwrap();
    edge.rewrite(format!("[limits]\nmax_packet = \"1KiB\"\n{}", open_lobby()));
    edge.wait_for_messages("configuration reloaded", 1);
    assert!(turned_away(ping(edge.address(), VERSION, &long)));
    ping(edge.address(), VERSION, "localhost").unwrap();
    edge.rewrite(format!("[access]\ndeny = [\"127.0.0.1\"]\n{}", open_lobby()));
    edge.wait_for_messages("configuration reloaded", 2);
    assert!(turned_away(ping(edge.address(), VERSION, "localhost")));
}

#[test]
fn what_is_read_at_start_is_named_when_it_changes() {
    let edge = edge().config(format!("threads = 2\n{}", saying("before"))).start();
    edge.rewrite(format!("threads = 3\n{}", saying("after")));
    let warning = edge.wait_for_message("threads is read at start: restart the edge to change it");
    assert_eq!(warning.level(), Some("WARN"));
    comes_to_say(&edge, "localhost", "after");
    // Once is enough for what isn't said.
    edge.rewrite(format!("threads = 2\n{}", saying("last")));
    comes_to_say(&edge, "localhost", "last");
    let warnings = edge.log().iter().filter(|line| line.message() == warning.message()).count();
    assert_eq!(warnings, 1);
}

/// What the main file leads to, a secret or a route file, counts as much as the main file.
#[test]
fn a_secret_that_is_gone_or_a_broken_route_file_changes_nothing() {
    const KEPT: &str = "the configuration was not reloaded: what ran goes on running";
    let session = SessionServer::start().unwrap();
    let saying = |secret: &str, text: &str| {
        let status = format!("[routes.status]\ndescription = \"{text}\"\n");
        format!("[cookies]\nsecrets = [{{ file = \"{secret}\" }}]\n{}{status}", lobby(&session))
    };
    let file = |text: &str| {
        format!(
            "[[routes]]\nname = \"a\"\nhosts = [\"a.example.com\"]\nmode = \"transfer\"\n\
             [routes.status]\ndescription = \"{text}\"\n"
        )
    };
    let edge = edge().config(saying("cookie.key", "before")).file("routes/a.toml", file("a")).start();
    let alice = session.account("Alice");
    let first = Player::with_account(&alice, 767).join(edge.address());
    assert_eq!(first.transferred(), HUB);

    edge.rewrite(saying("missing.key", "after"));
    edge.wait_for_messages(KEPT, 1);
    let mistake = |name: &str| {
        edge.wait_for(name, |line| line.level() == Some("ERROR") && line.text().contains(name));
    };
    mistake("missing.key");
    assert_eq!(says(&edge, "localhost"), "before");

    edge.rewrite(saying("cookie.key", "before"));
    edge.wait_for_messages("configuration reloaded", 1);
    const OF_FILE: &str = "a route file was not reloaded: its routes stay as they were";
    edge.rewrite_file("routes/a.toml", file("another").replace("hosts", "hots"));
    edge.wait_for_messages(OF_FILE, 1);
    mistake("a.toml");
    edge.rewrite_file("routes/a.toml", "[[routes]\n");
    edge.wait_for_messages(OF_FILE, 2);
    assert_eq!(says(&edge, "a.example.com"), "a");
    assert_eq!(says(&edge, "localhost"), "before");

    let asked = session.asked();
    let again = Player::with_account(&alice, 767).sent_on(&first.jar).join(edge.address());
    assert_eq!(again.transferred(), HUB, "the secret that ran goes on sealing");
    assert_eq!(session.asked(), asked);
}

/// One broken file keeps nobody else's changes out.
#[test]
fn a_broken_route_file_stays_as_it_was_while_the_others_change() {
    let file = |name: &str, text: &str| {
        format!(
            "[[routes]]\nname = \"{name}\"\nhosts = [\"{name}.example.com\"]\nmode = \"transfer\"\n\
             [routes.status]\ndescription = \"{text}\"\n"
        )
    };
    let edge = edge()
        .config(support::open_lobby())
        .file("routes/a.toml", file("a", "one"))
        .file("routes/b.toml", file("b", "one"))
        .start();
    edge.rewrite_file("routes/a.toml", file("a", "two").replace("mode", "mood"));
    edge.wait_for_message("a route file was not reloaded: its routes stay as they were");
    edge.rewrite_file("routes/b.toml", file("b", "two"));
    comes_to_say(&edge, "b.example.com", "two");
    assert_eq!(says(&edge, "a.example.com"), "one");
    // Two files claim the same host: that of the second stays away.
    edge.rewrite_file("routes/c.toml", file("c", "new").replace("c.example.com", "b.example.com"));
    edge.wait_for("c.toml", |line| line.level() == Some("ERROR") && line.text().contains("c.toml"));
    assert_eq!(says(&edge, "b.example.com"), "two");
    edge.rewrite_file("routes/c.toml", file("c", "new"));
    comes_to_say(&edge, "c.example.com", "new");
    edge.rewrite_file("routes/a.toml", file("a", "three"));
    comes_to_say(&edge, "a.example.com", "three");
    // What is gone is gone.
    std::fs::remove_file(edge.folder().join("routes/a.toml")).unwrap();
    comes_to_say(&edge, "a.example.com", &says(&edge, "localhost"));
}

/// The main file's name may come from the environment.
#[test]
fn another_main_file_is_named_by_the_environment() {
    let other = completed(saying("elsewhere"));
    let edge = edge()
        .config(saying("here"))
        .file("etc/edge.toml", other)
        .env("DRAWBRIDGE_CONFIG", "etc/edge.toml")
        .start();
    assert_eq!(says(&edge, "localhost"), "elsewhere");
    edge.rewrite_file("etc/edge.toml", completed(saying("changed")));
    comes_to_say(&edge, "localhost", "changed");
}

#[test]
fn the_environment_overrides_the_file() {
    let long = "h".repeat(1100);
    let route = open_lobby().replace("hosts = [\"*\"]", "hosts = [\"play.example.com\", \"~^h+$\"]");
    let edge = edge()
        .config(format!(
            "[limits]\nmax_packet = \"8KiB\"\n[unknown_host]\naction = \"default_status\"\n{route}"
        ))
        .env("DRAWBRIDGE__LIMITS__MAX_PACKET", "\"1KiB\"")
        .env("DRAWBRIDGE__UNKNOWN_HOST__ACTION", "\"drop\"")
        .start();
    ping(edge.address(), VERSION, "play.example.com").unwrap();
    assert!(turned_away(ping(edge.address(), VERSION, &long)));
    edge.wait_for_refusal("malformed");
    assert!(turned_away(ping(edge.address(), VERSION, "example.com")));
    edge.wait_for_refusal("no_route");
    let wrong = support::edge().config("").env("DRAWBRIDGE__LIMITS__CONECTIONS", "5").finish();
    assert!(!wrong.status.success());
    assert!(wrong.stderr.contains("DRAWBRIDGE__LIMITS__CONECTIONS"), "{}", wrong.stderr);
    assert!(wrong.stderr.to_lowercase().contains("connections"), "{}", wrong.stderr);
}

#[test]
fn the_log_is_replaced_but_for_its_format() {
    sees!("telemetry.log", "telemetry.format");
    let quiet = "[telemetry]\nformat = \"json\"\nlog = \"info\"\n";
    let edge = edge().config(format!("{quiet}{}", open_lobby())).start();
    let mut silent = drawbridge_testkit::Connection::open(edge.address(), VERSION).unwrap();
    silent.raw(&[0]).unwrap();
    silent.closed().unwrap();
    edge.rewrite(format!("{}{}", quiet.replace("info", "debug"), open_lobby()));
    edge.wait_for_message("configuration reloaded");
    assert!(!edge.log().iter().any(|line| line.field("reason").as_deref() == Some("malformed")));
    let mut silent = drawbridge_testkit::Connection::open(edge.address(), VERSION).unwrap();
    silent.raw(&[0]).unwrap();
    silent.closed().unwrap();
    edge.wait_for_refusal("malformed");
    edge.rewrite(format!("{}{}", quiet.replace("json", "pretty"), open_lobby()));
    edge.wait_for("that the format stays", |line| {
        line.message().is_some_and(|said| said.contains("telemetry.format"))
    });
}

/// A container that comes and goes, with a mistake in its labels: files that nobody has touched are told of when somebody asks, and the
/// container once.
#[test]
fn what_providers_change_repeats_nothing_that_was_told() {
    const UNWISE: &str = "the route has no target";
    const LEFT_OUT: &str =
        "what a provider has was not taken over: its routes stay as they last held, if they did";
    let api = DockerApi::start().unwrap();
    let docker = format!("[providers.docker]\nendpoint = \"{}\"\n", api.endpoint());
    let nowhere = "[[routes]]\nname = \"nowhere\"\nhosts = [\"nowhere.example.com\"]\nmode = \"transfer\"\n";
    let edge =
        edge().config(format!("{docker}{}", saying("harbour"))).file("routes/nowhere.toml", nowhere).start();
    edge.wait_for_message("listening");
    let labels = [
        ("drawbridge.hosts", "lobby.example.com"),
        ("drawbridge.port", "25565"),
        ("drawbridge.modee", "transfer"),
    ];
    for times in 1..=3 {
        api.run("lobby", labels);
        edge.wait_for_messages("configuration reloaded", 2 * times - 1);
        api.remove("lobby");
        edge.wait_for_messages("configuration reloaded", 2 * times);
    }
    assert_eq!((told(&edge, UNWISE), told(&edge, LEFT_OUT)), (1, 1));
    edge.reload();
    edge.wait_for_messages("configuration reloaded", 7);
    assert_eq!((told(&edge, UNWISE), told(&edge, LEFT_OUT)), (2, 1), "whoever asks is told");
}
