//! What an operator's machines are told of the edge: metrics, whether it lives, whether it takes players.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{
    Jar, KubernetesApi, Mode, Player, Reply, SessionServer, Turn, Web, ask_deaf, eventually, ping, sees,
};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use support::cluster::{Post, leaves};
use support::ctl::{carried, comes, world};
use support::scrape::{METRICS, Scrape, ask, status, wait_for};
use support::{COOKIES, HUB, edge, lobby, open_lobby};

const VERSION: ProtocolVersion = ProtocolVersion::V1_21;

#[test]
fn a_login_and_a_ping_are_counted_where_they_end() {
    sees!("metrics.bind");
    let session = SessionServer::start().unwrap();
    let edge = edge().config(format!("{METRICS}{COOKIES}{}", lobby(&session))).start();
    let at = edge.metrics_address();
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
    wait_for(at, "drawbridge_connections_undecided", &[], |count| count == 0.0);
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
    let at = edge.metrics_address();
    let ended = "drawbridge_connections_ended_total";

    let held: Vec<_> = (0..2).map(|_| TcpStream::connect(edge.address()).unwrap()).collect();
    wait_for(at, "drawbridge_connections_undecided", &[], |count| count == 2.0);
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
    let at = edge.metrics_address();
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
    let at = edge.metrics_address();
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
    let at = edge.metrics_address();
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

/// Each bound counts for itself, and nothing but who was turned away.
#[test]
fn each_bound_counts_whom_it_turned_away() {
    let counted =
        |at, limit: &str| Scrape::of(at).sum("drawbridge_limited_total", &[&format!("limit=\"{limit}\"")]);
    let rate = "{ burst = 1, per = \"1h\" }";
    let limits = format!("[limits]\nconnections = 2\nlogin = {rate}\ntransfer = {rate}\n");
    let edge = edge().config(format!("{METRICS}{limits}{}", open_lobby())).start();
    let at = edge.metrics_address();
    let all = ["connections", "login", "transfer", "status", "per_address"];
    let is = |expected: [f64; 5]| assert_eq!(all.map(|limit| counted(at, limit)), expected, "{all:?}");
    let fresh = Player::new("Alice", 767);
    let returning = fresh.clone().sent_on(&Jar::new());
    assert_eq!(fresh.join(edge.address()).transferred(), HUB);
    assert_eq!(returning.join(edge.address()).transferred(), HUB);
    is([0.0; 5]);
    assert!(fresh.join(edge.address()).kicked().starts_with("You are joining too often."));
    is([0.0, 1.0, 0.0, 0.0, 0.0]);
    for _ in 0..2 {
        assert!(returning.join(edge.address()).kicked().starts_with("You are joining too often."));
    }
    is([0.0, 1.0, 2.0, 0.0, 0.0]);
    wait_for(at, "drawbridge_connections_undecided", &[], |count| count == 0.0);
    let held: Vec<_> = (0..2).map(|_| TcpStream::connect(edge.address()).unwrap()).collect();
    wait_for(at, "drawbridge_connections_undecided", &[], |count| count == 2.0);
    assert!(ping(edge.address(), VERSION, "localhost").is_err());
    is([1.0, 1.0, 2.0, 0.0, 0.0]);
    drop(held);
}

#[test]
fn a_reload_that_is_taken_over_is_dated() {
    let edge = edge().config(format!("{METRICS}{}", open_lobby())).start();
    let at = edge.metrics_address();
    let dated = || Scrape::of(at).sum("drawbridge_last_reload_timestamp_seconds", &[]);
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let started = dated();
    assert!((now() - started).abs() < 60.0, "{started} isn't the time of the start");
    // The date is in whole seconds.
    let later = eventually(Duration::from_secs(5), || (now() >= started + 2.0).then_some(()));
    assert!(later.is_some());
    edge.rewrite("this isn't TOML");
    wait_for(at, "drawbridge_reloads_total", &["outcome=\"failed\""], |count| count >= 1.0);
    assert_eq!(dated(), started, "what ran goes on");
    edge.rewrite(format!("{METRICS}{}", open_lobby()));
    edge.reload();
    wait_for(at, "drawbridge_reloads_total", &["outcome=\"ok\""], |count| count >= 1.0);
    let reloaded = dated();
    assert!(reloaded >= started + 2.0 && (now() - reloaded).abs() < 60.0, "{started}, then {reloaded}");
}

/// Each call under way for a player is a task, which ends with it.
#[test]
fn what_the_runtime_is_at_is_seen() {
    const PLAYERS: usize = 20;
    let api = KubernetesApi::start().unwrap();
    let edge = Post::Discovery.allocating(&api, "timeout = '25s'");
    let at = edge.metrics_address();
    let idle = Scrape::of(at).sum("drawbridge_runtime_tasks", &[]);
    api.turns((0..PLAYERS).map(|_| Turn::Held));
    let least = idle + PLAYERS as f64;
    thread::scope(|scope| {
        for player in 0..PLAYERS {
            let edge = &edge;
            scope.spawn(move || leaves(edge, &format!("Player{player}")));
        }
        wait_for(at, "drawbridge_runtime_tasks", &[], |tasks| tasks >= least);
    });
    wait_for(at, "drawbridge_runtime_tasks", &[], |tasks| tasks < least);
}

/// With a single thread for them, whoever comes at the same moment waits.
#[test]
fn key_exchanges_that_wait_are_seen() {
    let edge = edge().config(format!("threads = 1\n{METRICS}{}", open_lobby())).start();
    let at = edge.metrics_address();
    let waiting = "drawbridge_key_exchanges_waiting";
    assert_eq!(Scrape::of(at).sum(waiting, &[]), 0.0);
    let seen = AtomicBool::new(false);
    thread::scope(|scope| {
        for player in 0..24 {
            let (edge, seen) = (&edge, &seen);
            let alice = Player::new(&format!("Player{player}"), 767);
            scope.spawn(move || {
                while !seen.load(Ordering::Relaxed) {
                    assert_eq!(alice.join(edge.address()).transferred(), HUB);
                }
            });
        }
        let found =
            eventually(Duration::from_secs(20), || (Scrape::of(at).sum(waiting, &[]) > 0.0).then_some(()));
        seen.store(true, Ordering::Relaxed);
        assert!(found.is_some(), "nobody is seen to wait");
    });
    wait_for(at, waiting, &[], |count| count == 0.0);
}

#[test]
fn the_listener_speaks_http_and_nothing_else() {
    let edge = edge().config(format!("{METRICS}{}", open_lobby())).start();
    let at = edge.metrics_address();
    assert_eq!(ask(at, "POST /metrics").unwrap().0, 405);
    assert_eq!(ask(at, "GET /").unwrap().0, 404);
    let (code, body) = ask(at, "HEAD /metrics").unwrap();
    assert_eq!((code, body.len()), (200, 0));
    assert_eq!(ask(at, "nonsense").unwrap().0, 400);
    let long = format!("GET /{}", "x".repeat(64 * 1024));
    assert!(ask(at, &long).is_none_or(|(code, _)| code == 414 || code == 431));
}

/// As many as it takes at once say nothing, half a request, or one byte after the other. The oldest goes for the newest, and all have their
/// few seconds.
#[test]
fn whoever_holds_connections_to_the_listener_keeps_nobody_out_of_it_nor_of_the_game() {
    const AT_ONCE: usize = 64;
    const REQUEST: Duration = Duration::from_secs(5);
    const LATE: Duration = Duration::from_secs(3);
    let limits = "[limits]\nconnections = 1\n";
    let edge = edge().config(format!("{METRICS}{limits}{}", open_lobby())).start();
    let at = edge.metrics_address();
    let is_closed = |mut stream: &TcpStream, patience: Duration| {
        stream.set_read_timeout(Some(patience)).unwrap();
        let end = stream.read_to_end(&mut Vec::new());
        end.is_ok() || end.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)
    };
    let answers = || {
        let asked = Instant::now();
        assert_eq!(status(at, "/healthz"), Some(200));
        assert!(asked.elapsed() < Duration::from_secs(1), "it answered after {:?}", asked.elapsed());
    };
    let since = Instant::now();
    let held: Vec<_> = (0..AT_ONCE)
        .map(|number| {
            let mut stream = TcpStream::connect(at).unwrap();
            let half = if number % 2 == 0 { "" } else { "GET /metr" };
            stream.write_all(half.as_bytes()).unwrap();
            stream
        })
        .collect();
    answers();
    assert!(is_closed(&held[0], Duration::from_secs(1)), "it is held beside as many others");
    let open = held[1..].iter().filter(|stream| !is_closed(stream, Duration::from_millis(1))).count();
    assert!(since.elapsed() < REQUEST, "the test is too slow: {:?}", since.elapsed());
    assert_eq!(open, AT_ONCE - 1, "others than the oldest are closed");
    answers();
    assert_eq!(Scrape::of(at).sum("drawbridge_connections_undecided", &[]), 0.0);
    assert_eq!(Player::new("Alice", 767).join(edge.address()).transferred(), HUB);

    let (mut slow, since) = (TcpStream::connect(at).unwrap(), Instant::now());
    while since.elapsed() < REQUEST + LATE
        && slow.write_all(b"G").is_ok()
        && !is_closed(&slow, Duration::from_millis(50))
    {}
    let taken = since.elapsed();
    assert!((REQUEST..REQUEST + LATE).contains(&taken), "a request may take {taken:?}");
    // They came before.
    assert!(held[1..].iter().all(|stream| is_closed(stream, Duration::from_secs(1))));
}

/// So much stands to be told that it doesn't fit into what the system keeps for whoever takes nothing.
#[test]
fn whoever_does_not_read_what_they_asked_the_listener_for_has_ten_seconds() {
    const ROUTES: usize = 400;
    const LONG: usize = 150_000;
    const WHOLE: Duration = Duration::from_secs(10);
    const LATE: Duration = Duration::from_secs(3);
    let world = world();
    let route =
        |number: usize| carried(&format!("{number:0>60}"), &format!("r{number}"), world.address(), "");
    let edge = edge().config(format!("{METRICS}{}", (0..ROUTES).map(route).collect::<String>())).start();
    let at = edge.metrics_address();
    for number in 0..ROUTES {
        drop(comes(&edge, &Player::new("Alice", VERSION).host(&format!("r{number}"))));
    }
    let is_long = || ask(at, "GET /metrics").filter(|(_, text)| text.len() > LONG).map(drop);
    assert!(
        eventually(Duration::from_secs(20), is_long).is_some(),
        "{} bytes",
        ask(at, "GET /metrics").unwrap().1.len()
    );
    wait_for(at, "drawbridge_players_carried", &[], |relays| relays == 0.0);
    // Those whose answer has just been heard may be open for a moment more.
    let rests = || {
        let open = edge.descriptors();
        let changed = eventually(Duration::from_millis(200), || (edge.descriptors() != open).then_some(()));
        changed.is_none().then_some(open)
    };
    let open = eventually(Duration::from_secs(5), rests).unwrap();
    // The edge may have begun to count before it is known here that it was asked.
    let since = Instant::now();
    let _deaf = ask_deaf(at, "GET /metrics").unwrap();
    assert!(eventually(Duration::from_secs(5), || (edge.descriptors() > open).then_some(())).is_some());
    assert!(eventually(WHOLE + LATE, || (edge.descriptors() == open).then_some(())).is_some(), "it is held");
    let held = since.elapsed();
    assert!((WHOLE..WHOLE + LATE).contains(&held), "it was held for {held:?}");
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
    assert_eq!(status(edge.metrics_address(), "/readyz"), Some(200));
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
fn a_sentry_that_says_nothing_costs_nothing() {
    let sentry = Web::start(200, b"{}").unwrap();
    sentry.answer_by(|_| Reply::silence());
    let dsn = sentry.url().replace("http://", "http://0123456789abcdef@") + "/42";
    let telemetry = "[telemetry]\nformat = \"json\"\nsentry = { dsn = { file = \"dsn\" } }\n";
    let mut edge = edge().file("dsn", dsn).config(format!("{telemetry}{}", open_lobby())).start();
    edge.rewrite("this isn't TOML");
    for _ in 0..20 {
        edge.reload();
    }
    let asked = || (sentry.requests() > 0).then_some(());
    assert!(eventually(Duration::from_secs(10), asked).is_some(), "nothing is told");
    assert_eq!(Player::new("Alice", 767).join(edge.address()).transferred(), HUB);
    let start = Instant::now();
    edge.terminate();
    assert_eq!(edge.exit(Duration::from_secs(20)).code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

#[test]
fn a_dsn_that_is_none_is_told_without_it() {
    let telemetry = "[telemetry]\nsentry = { dsn = { file = \"dsn\" } }\n";
    let finished = edge().file("dsn", "no-dsn-at-all").config(telemetry).finish();
    assert!(!finished.status.success());
    assert!(finished.stderr.contains("what is there is no DSN of Sentry"), "{}", finished.stderr);
    assert!(!finished.stderr.contains("no-dsn-at-all"), "{}", finished.stderr);
}
