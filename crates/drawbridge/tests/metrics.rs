//! What an operator's machines are told of the edge: metrics, whether it lives, whether it takes players.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{Mode, Player, SessionServer, Web, eventually, ping, sees};
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;
use support::scrape::{METRICS, Scrape, ask, metrics_address, status, wait_for};
use support::{COOKIES, HUB, edge, lobby, open_lobby};

const VERSION: ProtocolVersion = ProtocolVersion::V1_21;

#[test]
fn a_login_and_a_ping_are_counted_where_they_end() {
    sees!("metrics.bind");
    let session = SessionServer::start().unwrap();
    let edge = edge().config(format!("{METRICS}{COOKIES}{}", lobby(&session))).start();
    let at = metrics_address(&edge);
    let before = Scrape::of(at);
    assert_eq!(before.sum("drawbridge_connections_accepted_total", &[]), 0.0);
    assert_eq!(before.sum("drawbridge_routes", &[]), 1.0);
    assert_eq!(before.sum("drawbridge_ready", &[]), 1.0);
    assert_eq!(before.sum("drawbridge_build_info", &[]), 1.0);
    for name in
        ["process_start_time_seconds", "process_resident_memory_bytes", "process_open_fds", "process_max_fds"]
    {
        assert!(before.sum(name, &[]) > 0.0, "{name}");
    }
    ping(edge.address(), VERSION, "localhost").unwrap();
    let first = Player::with_account(&session.account("Alice"), 767).join(edge.address());
    assert_eq!(first.transferred(), HUB);
    let alice = Player::with_account(&session.account("Alice"), 767);
    assert_eq!(alice.clone().sent_on(&first.jar).join(edge.address()).transferred(), HUB);
    let ended = "drawbridge_connections_ended_total";
    wait_for(at, ended, &["phase=\"status\"", "outcome=\"ok\""], |count| count == 1.0);
    wait_for(at, ended, &["phase=\"delivery\"", "outcome=\"ok\""], |count| count == 2.0);
    wait_for(at, "drawbridge_connections_open", &[], |count| count == 0.0);
    let after = Scrape::of(at);
    assert_eq!(after.sum("drawbridge_connections_accepted_total", &[]), 3.0);
    let target = format!("target=\"{}:{}\"", HUB.0, HUB.1);
    assert_eq!(after.sum("drawbridge_transfers_total", &["route=\"lobby\"", &target]), 2.0);
    assert_eq!(after.sum("drawbridge_cookies_total", &["result=\"hit\""]), 1.0);
    let asked = ["asked=\"authentication\"", "kind=\"mojang\"", "outcome=\"ok\""];
    assert_eq!(after.sum("drawbridge_adapter_duration_seconds_count", &asked), 1.0);
    for (phase, count) in [("admission", 3.0), ("greeting", 3.0), ("status", 1.0), ("login", 2.0)] {
        let labels = [&*format!("phase=\"{phase}\""), "outcome=\"ok\""];
        assert_eq!(after.sum("drawbridge_phase_duration_seconds_count", &labels), count, "{phase}");
    }
    for phase in ["authentication", "placement", "delivery"] {
        let labels = [&*format!("phase=\"{phase}\""), "outcome=\"ok\""];
        assert_eq!(after.sum("drawbridge_phase_duration_seconds_count", &labels), 2.0, "{phase}");
        let inf = [&*format!("phase=\"{phase}\""), "le=\"+Inf\""];
        assert_eq!(after.sum("drawbridge_phase_duration_seconds_bucket", &inf), 2.0, "{phase}");
    }
    wait_for(at, "process_cpu_seconds_total", &[], |seconds| seconds > 0.0);
    assert!(!format!("{after:?}").contains("Alice"), "a player's name is in {after:#?}");
}

#[test]
fn whoever_is_turned_away_or_leaves_is_counted_with_the_reason() {
    let session = SessionServer::start().unwrap();
    let limits = "[limits]\nper_address = 2\nstatus = { burst = 1, per = \"60s\" }\n";
    let edge = edge().config(format!("{METRICS}{limits}{COOKIES}{}", lobby(&session))).start();
    let at = metrics_address(&edge);
    let ended = "drawbridge_connections_ended_total";

    let held: Vec<_> = (0..2).map(|_| TcpStream::connect(edge.address()).unwrap()).collect();
    wait_for(at, "drawbridge_connections_open", &[], |count| count == 2.0);
    assert!(ping(edge.address(), VERSION, "localhost").is_err());
    wait_for(at, ended, &["phase=\"admission\"", "refusal=\"address_full\""], |count| count == 1.0);
    wait_for(at, "drawbridge_limited_total", &["limit=\"per_address\""], |count| count == 1.0);
    drop(held);
    wait_for(at, ended, &["phase=\"greeting\"", "outcome=\"left\""], |count| count == 2.0);

    ping(edge.address(), VERSION, "localhost").unwrap();
    assert!(ping(edge.address(), VERSION, "localhost").is_err());
    wait_for(at, ended, &["phase=\"greeting\"", "refusal=\"rate\""], |count| count == 1.0);
    wait_for(at, "drawbridge_limited_total", &["limit=\"status\""], |count| count == 1.0);

    let bob = session.account("Bob");
    session.mode(Mode::Denies);
    let visit = Player::with_account(&bob, 767).join(edge.address());
    assert!(!visit.kicked().is_empty());
    wait_for(at, ended, &["phase=\"authentication\"", "refusal=\"authentication\""], |count| count == 1.0);
    session.mode(Mode::Honest);
    let visit = Player::with_account(&bob, 767).join(edge.address());
    let mut jar = visit.jar;
    jar.insert("drawbridge:authentication".into(), b"forged".to_vec());
    let visit = Player::with_account(&bob, 767).sent_on(&jar).join(edge.address());
    assert!(!visit.kicked().is_empty());
    wait_for(at, "drawbridge_cookies_total", &["result=\"invalid\""], |count| count == 1.0);
    jar.clear();
    let visit = Player::with_account(&bob, 767).sent_on(&jar).join(edge.address());
    assert_eq!(visit.transferred(), HUB);
    wait_for(at, "drawbridge_cookies_total", &["result=\"miss\""], |count| count == 1.0);
}

#[test]
fn a_session_server_that_fails_is_seen() {
    let session = SessionServer::start().unwrap();
    let edge = edge().config(format!("{METRICS}{}", lobby(&session))).start();
    let at = metrics_address(&edge);
    session.mode(Mode::Fails(500));
    for _ in 0..4 {
        let visit = Player::with_account(&session.account("Alice"), 767).join(edge.address());
        assert!(!visit.kicked().is_empty());
    }
    let duration = "drawbridge_adapter_duration_seconds_count";
    wait_for(at, duration, &["kind=\"mojang\"", "outcome=\"unreachable\""], |count| count == 3.0);
    wait_for(at, duration, &["kind=\"mojang\"", "outcome=\"backing_off\""], |count| count == 1.0);
    wait_for(at, "drawbridge_adapter_breaker_opened_total", &["kind=\"mojang\""], |count| count == 1.0);
    let ended = "drawbridge_connections_ended_total";
    wait_for(at, ended, &["refusal=\"authentication_unavailable\""], |count| count == 4.0);
}

#[test]
fn who_leaves_abandons_what_was_asked_for_them() {
    let session = SessionServer::start().unwrap();
    session.mode(Mode::Silent);
    let edge = edge().config(format!("{METRICS}{}timeout = \"20s\"\n", lobby(&session))).start();
    let at = metrics_address(&edge);
    let alice = Player::with_account(&session.account("Alice"), 767).patience(Duration::from_secs(1));
    let visit = alice.join(edge.address());
    assert!(visit.profile().is_none());
    let abandoned = ["kind=\"mojang\"", "outcome=\"abandoned\""];
    wait_for(at, "drawbridge_adapter_duration_seconds_count", &abandoned, |count| count == 1.0);
    let left = ["phase=\"authentication\"", "outcome=\"left\""];
    wait_for(at, "drawbridge_connections_ended_total", &left, |count| count == 1.0);
}

#[test]
fn it_is_ready_while_it_takes_players() {
    let session = SessionServer::start().unwrap();
    session.mode(Mode::Held);
    let delay = "[shutdown]\ndelay = \"2s\"\ngrace = \"20s\"\n";
    let config = format!("{METRICS}{delay}{}timeout = \"20s\"\n", lobby(&session));
    let mut edge = edge().config(&config).start();
    let at = metrics_address(&edge);
    assert_eq!((status(at, "/healthz"), status(at, "/readyz")), (Some(200), Some(200)));

    edge.rewrite("this isn't TOML");
    edge.reload();
    wait_for(at, "drawbridge_reloads_total", &["outcome=\"failed\""], |count| count >= 1.0);
    assert_eq!(status(at, "/readyz"), Some(200), "the routes before it go on");
    edge.rewrite(format!("{METRICS}{delay}"));
    edge.reload();
    let unready = eventually(Duration::from_secs(10), || (status(at, "/readyz") == Some(503)).then_some(()));
    assert!(unready.is_some(), "there is no route");
    assert_eq!(Scrape::of(at).sum("drawbridge_routes", &[]), 0.0);
    edge.rewrite(&config);
    edge.reload();
    let ready = eventually(Duration::from_secs(10), || (status(at, "/readyz") == Some(200)).then_some(()));
    assert!(ready.is_some(), "there is one again");
    assert!(Scrape::of(at).sum("drawbridge_reloads_total", &["outcome=\"ok\""]) >= 2.0);

    let (account, address) = (session.account("Alice"), edge.address());
    let asked = session.asked();
    let login = thread::spawn(move || Player::with_account(&account, 767).join(address));
    eventually(Duration::from_secs(10), || (session.asked() > asked).then_some(())).unwrap();
    edge.terminate();
    edge.wait_for_message("stopping");
    assert_eq!((status(at, "/healthz"), status(at, "/readyz")), (Some(200), Some(503)), "from the signal on");
    ping(edge.address(), VERSION, "localhost").unwrap();
    edge.wait_for_message("listeners closed");
    assert_eq!((status(at, "/healthz"), status(at, "/readyz")), (Some(200), Some(503)), "while it drains");
    assert_eq!(Scrape::of(at).sum("drawbridge_ready", &[]), 0.0);
    session.release();
    assert_eq!(login.join().unwrap().transferred(), HUB);
    assert_eq!(edge.exit(Duration::from_secs(10)).code(), Some(0));
    assert_eq!(status(at, "/readyz"), None);
}

#[test]
fn the_listener_speaks_http_and_nothing_else() {
    let edge = edge().config(format!("{METRICS}{}", open_lobby())).start();
    let at = metrics_address(&edge);
    assert_eq!(ask(at, "POST /metrics").unwrap().0, 405);
    assert_eq!(ask(at, "GET /").unwrap().0, 404);
    let (code, body) = ask(at, "HEAD /metrics").unwrap();
    assert_eq!((code, body.len()), (200, 0));
    assert_eq!(ask(at, "nonsense").unwrap().0, 400);
    let (long, most) = (format!("GET /{}", "x".repeat(64 * 1024)), Duration::from_secs(10));
    assert!(ask(at, &long).is_none_or(|(code, _)| code == 414 || code == 431));

    // More than it takes at once, which say nothing or half a request: they have their few seconds.
    let silent: Vec<_> = (0..70)
        .map(|number| {
            let mut stream = TcpStream::connect(at).unwrap();
            let half = if number % 2 == 0 { "" } else { "GET /metr" };
            stream.write_all(half.as_bytes()).unwrap();
            stream
        })
        .collect();
    let answered = eventually(most + most, || (status(at, "/healthz") == Some(200)).then_some(()));
    assert!(answered.is_some());
    drop(silent);
}

#[test]
fn an_address_that_is_taken_or_changed_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let config = format!("metrics.bind = \"{address}\"\n{}", open_lobby());
    let finished = edge().config(config).finish();
    assert!(!finished.status.success());
    assert!(
        finished.stderr.contains(&format!("metrics can't be served on {address}")),
        "{}",
        finished.stderr
    );

    let edge = edge().config(format!("{METRICS}{}", open_lobby())).start();
    edge.rewrite(format!("metrics.bind = \"127.0.0.1:1\"\n{}", open_lobby()));
    edge.reload();
    edge.wait_for_message("metrics.bind is read at start: restart the edge to change it");
    assert_eq!(status(metrics_address(&edge), "/readyz"), Some(200));
}

#[test]
fn errors_are_told_to_sentry_without_a_word_about_players() {
    sees!("telemetry.sentry.dsn", "telemetry.sentry.environment");
    let sentry = Web::start(200, b"{}").unwrap();
    let dsn = sentry.url().replace("http://", "http://0123456789abcdef@") + "/42";
    let telemetry = "[telemetry]\nformat = \"json\"\nlog = \"debug\"\n\
        sentry = { dsn = { file = \"dsn\" }, environment = \"staging\" }\n";
    let mut edge = edge().file("dsn", dsn).config(format!("{telemetry}{}", open_lobby())).start();
    assert_eq!(Player::new("Alice", 767).join(edge.address()).transferred(), HUB);
    assert_eq!(sentry.requests(), 0, "nothing but errors is told");
    edge.rewrite("this isn't TOML");
    edge.reload();
    edge.wait_for_message("the configuration was not reloaded: what ran goes on running");
    edge.terminate();
    assert_eq!(edge.exit(Duration::from_secs(10)).code(), Some(0), "what is left is told at the end");
    let told: Vec<_> =
        sentry.seen().iter().map(|request| String::from_utf8_lossy(&request.body).into_owned()).collect();
    let of_reload = told.iter().find(|body| body.contains("was not reloaded")).expect("an envelope");
    assert!(
        of_reload.contains("\"environment\":\"staging\"") && of_reload.contains("drawbridge@"),
        "{of_reload}"
    );
    assert!(!told.concat().contains("Alice"), "{told:#?}");
}

#[test]
fn a_dsn_that_is_none_is_told_without_it() {
    let telemetry = "[telemetry]\nsentry = { dsn = { file = \"dsn\" } }\n";
    let finished = edge().file("dsn", "no-dsn-at-all").config(telemetry).finish();
    assert!(!finished.status.success());
    assert!(finished.stderr.contains("what is there is no DSN of Sentry"), "{}", finished.stderr);
    assert!(!finished.stderr.contains("no-dsn-at-all"), "{}", finished.stderr);
}
