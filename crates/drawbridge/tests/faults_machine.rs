//! What the machine under an edge does to it: descriptors, memory and disks that are full, a stop, a kill.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{
    Connection, Crowd, Edge, Host, Outcome, PATIENCE, Place, Player, Signal, Traffic, eventually,
    need_descriptors, ping,
};
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use support::attack::handshake;
use support::ctl::{carried, comes, done, is_carried, told, world};
use support::world::targets;
use support::{HUB, edge, open_lobby};

const VERSION: ProtocolVersion = ProtocolVersion::V1_21;

/// Connections that say the beginning of a login, so long that it is kept, and no more.
fn flood(address: SocketAddr, count: usize, said: &[u8]) -> Vec<Connection> {
    let open = |index: usize| {
        let from = [127, 0, 2, u8::try_from(index % 8).unwrap()];
        let mut connection = Connection::open_from(from.into(), address, VERSION).ok()?;
        // Who is turned away isn't heard.
        let _ = connection.raw(said);
        Some(connection)
    };
    (0..count).filter_map(open).collect()
}

/// How many descriptors an edge has that a crowd takes all of.
const DESCRIPTORS: u32 = 96;

/// An edge with so few.
fn short_of_descriptors(routes: impl Display) -> Edge {
    let limits = "[limits]\nhandshake_timeout = \"60s\"\nplay.switches = 0\n[proxy_protocol]\ntrusted = [\"127.0.2.0/24\"]\n";
    edge().config(format!("{limits}{routes}")).descriptor_limit(DESCRIPTORS).start()
}

/// Takes all that strangers may have.
#[track_caller]
fn fill(edge: &Edge) -> Vec<Connection> {
    // A load balancer's, of which it isn't known whose they are: none has too many.
    let flood = flood(edge.address(), 4 * DESCRIPTORS as usize, b"PROXY ");
    let full = || (edge.descriptors() > DESCRIPTORS as usize * 5 / 8).then_some(());
    assert!(eventually(PATIENCE, full).is_some(), "{} are taken", edge.descriptors());
    assert!(ping(edge.address(), VERSION, "localhost").is_err(), "there is room");
    flood
}

/// Who is carried has their descriptors; who comes when some are free again is served.
#[test]
fn whoever_plays_goes_on_while_descriptors_run_out_and_others_come_when_some_are_free() {
    let world = world();
    let edge = short_of_descriptors(carried("world", "*", world.address(), ""));
    let mut alice = comes(&edge, &Player::new("Alice", VERSION));
    for _ in 0..3 {
        let flood = fill(&edge);
        assert!(is_carried(&mut alice));
        drop(flood);
        let comes = || ping(edge.address(), VERSION, "localhost").ok();
        assert!(eventually(PATIENCE, comes).is_some(), "nobody comes any more");
        assert!(
            is_carried(&mut alice)
                && is_carried(&mut support::ctl::comes(&edge, &Player::new("Bob", VERSION)))
        );
    }
}

/// It is told to, reads its files and writes to them, and brings players from one target to another.
#[test]
fn the_edges_own_work_goes_on_while_descriptors_run_out() {
    let [hub, island] = [host(1), host(2)];
    let named = [("hub", hub.address()), ("island", island.address())];
    let route =
        format!("[[routes]]\nname = \"home\"\nhosts = [\"*\"]\nmode = \"offline\"\n{}", targets(named));
    let edge = short_of_descriptors(&route);
    let crowd = Crowd::of(4, 340).versions(&[47, 340, 758, 767]).join(edge.address()).unwrap();
    crowd.all_at(&hub, PATIENCE);
    let flood = fill(&edge);
    for round in 0..8 {
        done(&edge, &["ban", &format!("Griefer{round}")]);
        done(&edge, &["ctl", "reload"]);
        let (to, name) = if round % 2 == 0 { (&island, "island") } else { (&hub, "hub") };
        crowd.everyone_types(&format!("/server {name}"));
        crowd.all_at(to, PATIENCE);
    }
    assert_eq!((crowd.faults(), crowd.gone()), (Vec::new(), Vec::new()));
    assert!(ping(edge.address(), VERSION, "localhost").is_err(), "there was room");
    drop(flood);
    let is_told = || match Player::new("Griefer0", VERSION).join(edge.address()).outcome {
        Outcome::Disconnect { text, .. } => Some(text),
        _ => None,
    };
    let told = eventually(PATIENCE, is_told);
    assert!(told.as_ref().is_some_and(|told| told.starts_with("You are banned")), "{told:?}");
}

/// Each keeps what a client may say before anybody knows it, which `limits.max_packet` bounds, and `limits.connections` how many they are.
#[test]
fn a_flood_takes_no_more_memory_than_its_limits_allow() {
    const CONNECTIONS: usize = 500;
    const FLOOD: usize = 6_000;
    /// Beside what an idle edge has asked for: a fifth of what the whole flood would take.
    const MORE: u64 = 24 << 20;
    /// 22 KiB as measured: buffers grow by doubling.
    const EACH: u64 = 28 << 10;
    let limits = format!("threads = 1\n[limits]\nconnections = {CONNECTIONS}\nhandshake_timeout = \"60s\"\n");
    let config = format!("{limits}{}", open_lobby());
    let idle = {
        let idle = edge().config(&config).start();
        assert_eq!(Player::new("Alice", VERSION).join(idle.address()).transferred(), HUB);
        idle.memory()
    };
    need_descriptors(FLOOD as u64 + 500);
    let mut edge = edge().config(&config).memory_limit(idle.reserved + MORE).start();
    // A Login Start of 8,191 bytes, of which the last don't come.
    let said = [&handshake(b"localhost", 2)[..], &[0xff, 0x3f], &[0; 8_000]].concat();
    for _ in 0..2 {
        let flood = flood(edge.address(), FLOOD, &said);
        assert!(edge.runs(), "it has ended");
        let each = edge.memory().peak.saturating_sub(idle.rss) / CONNECTIONS as u64;
        assert!(each < EACH, "{each} bytes each");
        drop(flood);
        let serves = || ping(edge.address(), VERSION, "localhost").ok();
        assert!(eventually(PATIENCE, serves).is_some(), "it doesn't serve any more");
    }
    assert_eq!(Player::new("Alice", VERSION).join(edge.address()).transferred(), HUB);
    edge.wait_for_refusal("full");
}

/// Who was flooded once doesn't take the machine's memory for as long as it runs.
#[test]
fn what_a_flood_took_of_memory_is_given_back() {
    const FLOOD: usize = 2_000;
    const TAKEN: u64 = 24 << 20;
    const KEPT: u64 = 6 << 20;
    need_descriptors(FLOOD as u64 + 500);
    let limits =
        format!("[limits]\nconnections = {FLOOD}\nper_address = {FLOOD}\nhandshake_timeout = \"60s\"\n");
    let edge = edge().config(format!("threads = 1\n{limits}{}", open_lobby())).start();
    assert_eq!(Player::new("Alice", VERSION).join(edge.address()).transferred(), HUB);
    let before = edge.memory().rss;
    let said = [&handshake(b"localhost", 2)[..], &[0xff, 0x3f], &[0; 8_000]].concat();
    for _ in 0..2 {
        let flood = flood(edge.address(), FLOOD, &said);
        let taken = || (edge.memory().rss > before + TAKEN).then_some(());
        assert!(eventually(PATIENCE, taken).is_some(), "it takes {} bytes", edge.memory().rss - before);
        drop(flood);
        let given_back = || (edge.memory().rss < before + KEPT).then_some(());
        assert!(
            eventually(PATIENCE, given_back).is_some(),
            "{} bytes are kept",
            edge.memory().rss.saturating_sub(before)
        );
    }
}

/// So many pings that more is told of them than waits for whoever reads a log, which is a MiB; and few of them.
const MANY: u64 = 6_000;
const FEW: u64 = 300;

/// An edge whose log goes where the test says.
struct Logging {
    process: Child,
    folder: tempfile::TempDir,
}

impl Logging {
    fn to(log: Stdio) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let telemetry = "bind = [\"127.0.0.1:0\"]\n[telemetry]\nlog = \"trace\"\n";
        let limits =
            "[limits]\nstatus = { burst = 100000, per = \"1s\" }\nlogin = { burst = 100000, per = \"1s\" }\n";
        let config = format!("{telemetry}{limits}{}", open_lobby());
        std::fs::write(folder.path().join("drawbridge.toml"), config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_drawbridge"));
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Self { process: command.spawn().unwrap(), folder }
    }

    /// Where it listens, as it says itself.
    fn address(&self) -> Option<SocketAddr> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drawbridge"));
        let told =
            command.args(["ctl", "status", "--json"]).current_dir(self.folder.path()).output().unwrap();
        let told: serde_json::Value = serde_json::from_slice(&told.stdout).ok()?;
        told["addresses"][0].as_str()?.parse().ok()
    }

    /// Serves players and pings, though each is told of in lines that nobody takes, and ends when it is told to.
    #[track_caller]
    fn serves(mut self, what: &str, pings: u64) {
        let address = eventually(PATIENCE, || self.address());
        let address = address.unwrap_or_else(|| panic!("{what}: it doesn't listen"));
        for _ in 0..pings {
            ping(address, VERSION, "localhost").unwrap_or_else(|trouble| panic!("{what}: {trouble}"));
        }
        assert_eq!(Player::new("Alice", VERSION).join(address).transferred(), HUB, "{what}");
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, Signal::TERM).unwrap();
        let ended = || self.process.try_wait().unwrap();
        let ended = eventually(PATIENCE, ended);
        assert!(ended.is_some_and(|status| status.success()), "{what}: {ended:?}");
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_log_that_nobody_takes_costs_lines_and_no_players() {
    let mut taken = tempfile::tempfile().unwrap();
    Logging::to(taken.try_clone().unwrap().into()).serves("a file", FEW);
    let told = taken.seek(SeekFrom::End(0)).unwrap();
    assert!(told * MANY / FEW > 5 << 18, "{FEW} pings are told of in {told} bytes");
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    Logging::to(full.into()).serves("a full disk", FEW);
    let mut gone = Logging::to(Stdio::piped());
    drop(gone.process.stderr.take());
    gone.serves("a reader that is gone", FEW);
    let mut slow = Logging::to(Stdio::piped());
    let unread = slow.process.stderr.take().unwrap();
    slow.serves("a reader that doesn't read", MANY);
    let mut told = String::new();
    unread.take(1 << 20).read_to_string(&mut told).unwrap();
    assert!(
        told.contains("listening") && !told.contains("stopping"),
        "all of it went in: {} bytes",
        told.len()
    );
}

/// A route with sessions on a host, and one that relays to a world.
fn carrying(host: &Host, world: SocketAddr) -> String {
    let home = "[[routes]]\nname = \"home\"\nhosts = [\"*\"]\nmode = \"offline\"\n";
    format!("{home}targets = [\"{}\"]\n{}", host.address(), carried("world", "world", world, ""))
}

fn host(number: u16) -> Host {
    Host::builder(number).compress(256).pushes(Traffic { small: 20, chunks: 0 }).start().unwrap()
}

/// As a machine does that is paused or overloaded for a moment.
#[test]
fn who_plays_goes_on_when_an_edge_that_was_stopped_does() {
    /// How many marked packets the host pushes meanwhile: three seconds' worth.
    const MEANWHILE: u64 = 60;
    let (host, world) = (host(1), world());
    // What comes due meanwhile is due at once; who has been heard of by then has been.
    let limits = "[limits]\nhandshake_timeout = \"2s\"\n";
    let edge = edge().config(format!("{limits}{}", carrying(&host, world.address()))).start();
    let crowd = Crowd::of(4, 340).versions(&[47, 340, 758, 767]).join(edge.address()).unwrap();
    crowd.all_at(&host, PATIENCE);
    let mut alice = comes(&edge, &Player::new("Alice", VERSION).host("world"));
    edge.freeze();
    let address = edge.address();
    let waiting = thread::spawn(move || ping(address, VERSION, "localhost"));
    let said = || host.stay("p0").unwrap().said;
    let before = said();
    let meanwhile = eventually(PATIENCE, || (said() >= before + MEANWHILE).then_some(()));
    edge.signal(Signal::CONT);
    assert!(meanwhile.is_some(), "the host says nothing");
    let all = u32::try_from(said()).unwrap();
    crowd.until("hear all that was said meanwhile", PATIENCE, |resident| resident.heard_here >= all);
    assert_eq!((crowd.faults(), crowd.gone()), (Vec::new(), Vec::new()));
    assert_eq!(host.faults(), []);
    assert!(crowd.residents().iter().all(|resident| resident.arrivals.len() == 1));
    assert!(is_carried(&mut alice));
    waiting.join().unwrap().unwrap();
}

/// Deadlines that passed meanwhile are looked at when all that came meanwhile has been read: of whoever spoke, however many.
#[test]
fn what_was_said_while_an_edge_was_stopped_was_said_in_time() {
    const PLAYERS: usize = 400;
    /// Long enough for all of them to join on a machine that is busy.
    const IDLE: Duration = Duration::from_secs(6);
    let world = world();
    let route = carried("world", "*", world.address(), "relay.idle = \"6s\"");
    let edge = edge().config(format!("threads = 1\n{route}")).start();
    let player = |index| comes(&edge, &Player::new(&format!("p{index}"), VERSION));
    let mut players: Vec<_> = (0..PLAYERS).map(player).collect();
    players.iter_mut().for_each(|player| assert!(is_carried(player)));
    edge.freeze();
    let since = Instant::now();
    players.iter_mut().for_each(|player| player.raw(b"\x02xy").unwrap());
    // Nothing can be waited for but time.
    let _: Option<()> = eventually(IDLE + Duration::from_millis(500), || None);
    edge.signal(Signal::CONT);
    assert!(since.elapsed() > IDLE);
    let lost = players.iter_mut().filter_map(|player| player.receive().err()).count();
    assert_eq!(lost, 0, "of {PLAYERS}");
}

/// Whom it carried is cut off, and nothing that it left in the way of the next: neither port, socket nor file.
#[test]
fn an_edge_that_was_killed_starts_again_at_once_where_it_was() {
    const SOON: Duration = Duration::from_secs(3);
    let (host, world) = (host(1), world());
    let mut edge = edge().config(carrying(&host, world.address())).start();
    for round in 0..3 {
        let crowd = Crowd::of(12, 340).versions(&[47, 340, 758, 767]).join(edge.address()).unwrap();
        crowd.all_at(&host, PATIENCE);
        let mut alice = comes(&edge, &Player::new("Alice", VERSION).host("world"));
        done(&edge, &["ban", &format!("Griefer{round}")]);
        edge.signal(Signal::KILL);
        crowd.until("are cut off", PATIENCE, |resident| matches!(resident.place, Place::Gone(_)));
        alice.closed().unwrap();
        let start = Instant::now();
        edge.start_anew();
        assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
        assert_eq!(told(&edge, &["status"])["answer"], "status");
        let crowd =
            Crowd::of(4, 340).versions(&[47, 340, 758, 767]).called("back").join(edge.address()).unwrap();
        crowd.all_at(&host, PATIENCE);
        assert!(is_carried(&mut comes(&edge, &Player::new("Alice", VERSION).host("world"))));
        for round in 0..=round {
            let name = format!("Griefer{round}");
            let visit = Player::new(&name, VERSION).join(edge.address());
            assert!(visit.kicked().starts_with("You are banned"), "{name}: {}", visit.kicked());
        }
    }
}
