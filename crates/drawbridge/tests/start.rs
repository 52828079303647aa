//! Starting: with nothing at all, and how long it takes.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::packet::login::EncryptionRequest;
use drawbridge_testkit::{Edge, Player, SessionServer, eventually, ping};
use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{HUB, description, edge, open_lobby};

const VERSION: ProtocolVersion = ProtocolVersion::V1_21;

/// An edge in an empty folder, which knows nothing but where to listen.
struct Bare {
    process: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
    log: tempfile::NamedTempFile,
}

impl Bare {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = tempfile::NamedTempFile::new().unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_drawbridge"))
            .current_dir(folder.path())
            .env_clear()
            .env("DRAWBRIDGE__BIND", r#"["127.0.0.1:0"]"#)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        let mut bare = Self { process, address: SocketAddr::from(([0; 4], 0)), folder, log };
        let address =
            || bare.log().split_once("listening address=")?.1.split_whitespace().next()?.parse().ok();
        bare.address = eventually(Duration::from_secs(10), address).expect("it listens");
        bare
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("the edge's log:\n{}", self.log());
        }
    }
}

#[test]
fn without_any_configuration_the_server_list_is_answered_and_players_are_authenticated() {
    let edge = Bare::start();
    for host in ["localhost", "play.example.com", ""] {
        let (document, _) = ping(edge.address, VERSION, host).unwrap();
        assert_eq!(document["version"]["protocol"], 767, "{host:?}");
        assert!(!description(&document).is_empty(), "{host:?}");
        // No further: the built-in route's session server is Mojang's, which no test asks.
        let mut login = Player::new("Alice", 767).host(host).knock(edge.address).unwrap();
        let request: EncryptionRequest = login.receive().unwrap().read().unwrap();
        assert!(request.should_authenticate, "{host:?}");
    }
}

/// As a newcomer does it: first the edge, then its file.
#[test]
fn a_configuration_that_appears_later_is_taken_over_and_kept() {
    let edge = Bare::start();
    let route = "[[routes]]\nname = \"lobby\"\nhosts = [\"*\"]\nmode = \"transfer\"\n\
                 [routes.status]\ndescription = \"Here we are\"\n";
    let file = edge.folder.path().join("drawbridge.toml");
    std::fs::write(&file, route).unwrap();
    let shown = || {
        let (document, _) = ping(edge.address, VERSION, "localhost").ok()?;
        (description(&document) == "Here we are").then_some(())
    };
    // One address may ping 30 times in 10 s: the log is looked at instead.
    let read = || edge.log().contains("configuration reloaded").then_some(());
    assert!(eventually(Duration::from_secs(10), read).is_some(), "the file isn't read");
    assert!(shown().is_some(), "what is written isn't shown");

    std::fs::remove_file(file).unwrap();
    let refused = || edge.log().contains("was not reloaded").then_some(());
    assert!(eventually(Duration::from_secs(10), refused).is_some(), "that it is gone isn't noticed");
    assert!(shown().is_some(), "what ran goes on running");
}

/// A route that is as the built-in one but for its session server.
#[test]
fn without_a_target_players_are_told_so() {
    let session = SessionServer::start().unwrap();
    let route = format!(
        "[[routes]]\nname = \"default\"\nhosts = [\"*\"]\nmode = \"transfer\"\n[routes.authentication]\nurl = \"{}\"\n",
        session.url()
    );
    let edge = edge().config(route).start();
    let alice = session.account("Alice");
    let visit = Player::with_account(&alice, 767).join(edge.address());
    assert!(visit.kicked().starts_with("No server is configured or available"), "{}", visit.kicked());
    assert_eq!(visit.profile().unwrap().id, alice.id(), "the login itself went well");
    edge.wait_for_refusal("no_target");
}

/// How long the thread that asks has had a core.
fn own_time() -> Duration {
    let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}

/// Whoever waits on sockets computes no RSA: what it costs here, of the same build, is spent on threads of its own.
#[test]
fn keys_are_exchanged_on_threads_of_their_own() {
    const LOGINS: u32 = 60;
    let pair = drawbridge_rsa::KeyPair::generate().unwrap();
    let ciphertext = drawbridge_rsa::encrypt(pair.public_der(), &[1; 16]).unwrap();
    let before = own_time();
    for _ in 0..2 * LOGINS {
        std::hint::black_box(pair.decrypt_exact::<16>(&ciphertext));
    }
    let arithmetic = own_time() - before;

    let edge = edge().config(open_lobby()).start();
    let join = || assert_eq!(Player::new("Alice", 767).join(edge.address()).transferred(), HUB);
    // The first waits for the key itself.
    join();
    let before = edge.thread_time("keys-");
    (0..LOGINS).for_each(|_| join());
    let spent = edge.thread_time("keys-") - before;
    assert!(spent > arithmetic / 2, "{spent:?} for {LOGINS} logins, whose arithmetic takes {arithmetic:?}");
}

/// Whoever floods the edge with logins has these threads compute, and not players wait for a core.
#[cfg(target_os = "linux")]
#[test]
fn threads_for_keys_take_less_of_a_core_than_those_for_players() {
    let edge = edge().config(open_lobby()).start();
    // The first waits for the key, whose making is nobody's flood.
    assert_eq!(Player::new("Alice", 767).join(edge.address()).transferred(), HUB);
    let (players, keys) = (niceness(&edge, "reactor-"), niceness(&edge, "keys-"));
    assert_eq!(keys, (players + 5).min(19));
}

/// The 19th field of a thread's `stat` (proc(5)).
fn niceness(edge: &Edge, prefix: &str) -> i32 {
    let threads = fs::read_dir(format!("/proc/{}/task", edge.pid().as_raw_pid())).unwrap();
    let is =
        |thread: &fs::DirEntry| fs::read_to_string(thread.path().join("comm")).unwrap().starts_with(prefix);
    let thread = threads.map(Result::unwrap).find(is).unwrap();
    let stat = fs::read_to_string(thread.path().join("stat")).unwrap();
    // The second field is the thread's name in brackets.
    stat.rsplit_once(')').unwrap().1.split_whitespace().nth(16).unwrap().parse().unwrap()
}

#[test]
fn it_listens_within_50_milliseconds() {
    let mut took: Vec<Duration> = (0..10)
        .map(|_| {
            let start = Instant::now();
            let edge = edge().config(open_lobby()).start();
            let took = start.elapsed();
            ping(edge.address(), VERSION, "localhost").unwrap();
            took
        })
        .collect();
    took.sort_unstable();
    let median = (took[4] + took[5]) / 2;
    assert!(median < Duration::from_millis(50), "{took:?}");
}

/// A service manager holds the port while the edge is restarted: nobody who knocks meanwhile is turned away.
#[test]
fn a_socket_that_is_passed_takes_the_place_of_bind() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let passed = || {
        let other = "bind = [\"127.0.0.1:1\"]\nthreads = 4\n";
        edge().config(format!("{other}{}", open_lobby())).socket(listener.try_clone().unwrap())
    };
    let first = passed().start();
    assert_eq!(first.address(), address);
    for _ in 0..20 {
        assert_eq!(Player::new("Alice", 767).join(address).transferred(), HUB);
    }
    drop(first);
    let waiting = std::thread::spawn(move || Player::new("Alice", 767).join(address));
    let _second = passed().start();
    assert_eq!(waiting.join().unwrap().transferred(), HUB);
}
