//! With what operators collect traces and metrics with: rotel and Prometheus.

use crate::support::scrape::{METRICS, ask};
use crate::support::{COOKIES, HUB, edge, lobby};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{Backend, Edge, Player, SessionServer, eventually, ping, sees};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// How long a collector may take to show what it was sent.
const SOON: Duration = Duration::from_secs(30);

/// A program that ends with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A collector that writes down what it is sent.
struct Rotel {
    _program: Program,
    written: PathBuf,
    grpc: SocketAddr,
    http: SocketAddr,
    _folder: TempDir,
}

impl Rotel {
    /// Writes down `what`: `traces` or `metrics`. A port that was free may be another's by the time rotel comes to it, and it then ends
    /// without a word, so that it gets another try.
    fn start(what: &str) -> Self {
        (0..5).find_map(|_| Self::try_start(what)).expect("rotel doesn't start")
    }

    fn try_start(what: &str) -> Option<Self> {
        let environment = drawbridge_testkit::workspace().join("tests/python/.venv/lib");
        let found = fs::read_dir(&environment).ok().and_then(|versions| {
            let of = |version: fs::DirEntry| version.path().join("site-packages/rotel/rotel-agent");
            versions.flatten().map(of).find(|agent| agent.exists())
        });
        let agent = found.expect("rotel is missing: `cargo xtask interop` installs it");
        let folder = TempDir::new().unwrap();
        let written = folder.path().join("written");
        let (grpc, http) = (Backend::nobody().unwrap(), Backend::nobody().unwrap());
        let program = Command::new(agent)
            .args(["start", "--exporter", "blackhole", "--log-format", "text", "--debug-log", what])
            .args(["--debug-log-verbosity", "detailed", "--otlp-grpc-endpoint", &grpc.to_string()])
            .args(["--otlp-http-endpoint", &http.to_string()])
            .stdout(fs::File::create(&written).unwrap())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let rotel = Self { _program: Program(program), written, grpc, http, _folder: folder };
        let speaks = || (!rotel.text().is_empty()).then_some(());
        eventually(SOON / 6, speaks)?;
        for address in [grpc, http] {
            let listens = || std::net::TcpStream::connect(address).ok();
            eventually(SOON / 6, listens)?;
        }
        Some(rotel)
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.written).unwrap()
    }

    /// The spans that have come: name, own id, parent, trace, and the text in between, which holds the attributes.
    fn spans(&self) -> Vec<Seen> {
        let text = self.text();
        text.split("Span #").skip(1).map(Seen::of).collect()
    }

    /// Waits until there are so many spans of each of these names.
    #[track_caller]
    fn wait_for(&self, names: &[(&str, usize)]) -> Vec<Seen> {
        let all = || {
            let seen = self.spans();
            let count = |name| seen.iter().filter(|span| span.name == name).count();
            names.iter().all(|(name, least)| count(*name) >= *least).then_some(seen)
        };
        eventually(SOON, all).unwrap_or_else(|| panic!("{names:?} are not in:\n{}", self.text()))
    }
}

/// A span as rotel writes it.
#[derive(Debug, Clone)]
struct Seen {
    name: String,
    id: String,
    parent: String,
    trace: String,
    text: String,
}

impl Seen {
    fn of(text: &str) -> Self {
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.trim().strip_prefix(name)?.trim().strip_prefix(':'));
            line.unwrap_or_default().trim().trim_matches('"').to_lowercase()
        };
        Self {
            name: field("Name"),
            id: field("ID"),
            parent: field("Parent ID"),
            trace: field("Trace ID"),
            text: text.to_owned(),
        }
    }
}

fn traced(session: &SessionServer, endpoint: SocketAddr, more: &str) -> Edge {
    let otlp = format!("otlp = {{ endpoint = \"http://{endpoint}\", sample = 1, interval = \"1s\"{more} }}");
    let telemetry = format!("[telemetry]\nformat = \"json\"\nlog = \"debug\"\n{otlp}\n");
    edge().file("key", "secret").config(format!("{telemetry}{COOKIES}{}", lobby(session))).start()
}

/// A login's spans: each phase a child of the connection's, each question a child of its phase, and the session server is told which.
#[test]
#[ignore = "run by cargo xtask interop"]
fn rotel_receives_the_spans_of_a_login_over_grpc_and_http() {
    sees!(
        "telemetry.otlp.endpoint",
        "telemetry.otlp.protocol",
        "telemetry.otlp.traces",
        "telemetry.otlp.sample",
        "telemetry.otlp.headers.*",
    );
    let rotel = Rotel::start("traces");
    let headers = "headers = { authorization = { file = \"key\" } }";
    for (number, (endpoint, protocol)) in [(rotel.grpc, "grpc"), (rotel.http, "http")].into_iter().enumerate()
    {
        let session = SessionServer::start().unwrap();
        let edge = traced(&session, endpoint, &format!(", protocol = \"{protocol}\", {headers}"));
        let alice = session.account("Alice");
        let first = Player::with_account(&alice, 767).join(edge.address());
        assert_eq!(first.transferred(), HUB, "{protocol}");
        let asked = session.last_asked().unwrap();
        let traceparent = asked.headers.iter().find(|(name, _)| name == "traceparent").unwrap().1.clone();
        let second = Player::with_account(&alice, 767).sent_on(&first.jar).join(edge.address());
        assert_eq!(second.transferred(), HUB, "{protocol}");
        ping(edge.address(), ProtocolVersion::V1_21, "localhost").unwrap();

        let all = rotel.wait_for(&[("login", 3 * number + 2), ("ping", number + 1)]);
        let line = edge.wait_for_message("handed over");
        let trace = line.field("trace").unwrap();
        let ids: Vec<_> = trace.split('-').collect();
        let seen: Vec<_> = all.iter().filter(|span| span.trace == ids[1]).cloned().collect();
        let root = seen.iter().find(|span| span.id == ids[2]).expect("the connection's span");
        assert!(root.name == "login" && root.parent.trim_matches('0').is_empty(), "{root:?}");
        for told in ["localhost", "lobby", "Alice", HUB.0, "ok"] {
            assert!(root.text.contains(told), "{told}: {root:?}");
        }
        assert!(!root.text.contains("127.0.0.1"), "the player's address: {root:?}");
        let phases: BTreeMap<_, _> =
            seen.iter().filter(|span| span.parent == root.id).map(|span| (&*span.name, span)).collect();
        let names: BTreeSet<_> = phases.keys().copied().collect();
        let expected = ["admission", "authentication", "delivery", "greeting", "login", "placement"];
        assert!(names.is_superset(&expected.into()), "{names:?}");
        let question = |phase: &str| {
            let phase = &phases[phase].id;
            seen.iter()
                .find(|span| span.parent == *phase)
                .unwrap_or_else(|| panic!("no question in {seen:?}"))
        };
        assert_eq!(question("placement").name, "discovery");
        let told = format!("00-{}-{}-01", root.trace, question("authentication").id);
        assert_eq!(traceparent, told, "the session server is told the question's span");
        // The second edge on the way is a part of the first's trace, by the session cookie.
        let next = seen.iter().find(|span| span.parent == root.id && span.text.contains("Alice"));
        assert!(next.is_some(), "{seen:#?}");
        let pings: Vec<_> = all.iter().filter(|span| span.name == "ping").collect();
        assert!(pings.iter().all(|ping| ping.trace != root.trace));
    }
}

#[test]
#[ignore = "run by cargo xtask interop"]
fn rotel_receives_metrics_over_grpc_and_http() {
    sees!("telemetry.otlp.metrics", "telemetry.otlp.interval");
    for protocol in ["grpc", "http"] {
        let rotel = Rotel::start("metrics");
        let endpoint = if protocol == "grpc" { rotel.grpc } else { rotel.http };
        let session = SessionServer::start().unwrap();
        let edge = traced(&session, endpoint, &format!(", protocol = \"{protocol}\", traces = false"));
        let alice = Player::with_account(&session.account("Alice"), 767);
        assert_eq!(alice.join(edge.address()).transferred(), HUB);
        let told = ["drawbridge.transfers", "drawbridge.phase.duration", "hub.example.com:25570"];
        let come = || told.iter().all(|name| rotel.text().contains(name)).then_some(());
        assert!(eventually(SOON, come).is_some(), "{protocol}:\n{}", rotel.text());
    }
}

/// What waits at the end is sent before it.
#[test]
#[ignore = "run by cargo xtask interop"]
fn the_last_login_of_an_edge_is_seen() {
    let rotel = Rotel::start("traces");
    let session = SessionServer::start().unwrap();
    let mut edge = traced(&session, rotel.grpc, "");
    let alice = Player::with_account(&session.account("Alice"), 767);
    assert_eq!(alice.join(edge.address()).transferred(), HUB);
    edge.terminate();
    assert_eq!(edge.exit(Duration::from_secs(10)).code(), Some(0));
    rotel.wait_for(&[("login", 1), ("delivery", 1)]);
}

/// Prometheus with one thing to scrape.
#[test]
#[ignore = "run by cargo xtask interop"]
fn prometheus_scrapes_and_answers_for_it() {
    let session = SessionServer::start().unwrap();
    let edge = edge().config(format!("{METRICS}{}", lobby(&session))).start();
    let at = edge.metrics_address();
    for name in ["Alice", "Bob"] {
        let visit = Player::with_account(&session.account(name), 767).join(edge.address());
        assert_eq!(visit.transferred(), HUB);
    }
    let text = ask(at, "GET /metrics").unwrap().1;
    check_metrics(&text);

    let address = Backend::nobody().unwrap();
    let folder = TempDir::new().unwrap();
    let config = format!(
        "global: {{ scrape_interval: 1s }}\nscrape_configs:\n- job_name: drawbridge\n  static_configs: [{{ targets: ['{at}'] }}]\n"
    );
    let file = folder.path().join("prometheus.yml");
    fs::write(&file, config).unwrap();
    let program = Command::new("prometheus")
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _program = Program(program.unwrap_or_else(|error| {
        panic!("Prometheus can't be run ({error}): `cargo xtask interop` installs it, as does `apt-get install prometheus`")
    }));
    let query = |query: &str| -> Option<Value> {
        let (_, body) = ask(address, &format!("GET /api/v1/query?query={query}"))?;
        // The body may come in chunks, of which it is the only line that is JSON.
        let json =
            body.lines().find_map(|line| serde_json::from_str::<Value>(line).ok()?.as_object().cloned())?;
        json["data"]["result"].get(0).map(|result| result["value"][1].clone())
    };
    let transfers = || (query("sum(drawbridge_transfers_total)")? == "2").then_some(());
    assert!(eventually(SOON, transfers).is_some(), "{:?}", query("sum(drawbridge_transfers_total)"));
    let slowest = "histogram_quantile(1,sum%20by(le)(drawbridge_phase_duration_seconds_bucket{phase=\"authentication\"}))";
    let seconds: f64 = query(slowest).unwrap().as_str().unwrap().parse().unwrap();
    assert!(seconds > 0.0 && seconds <= 30.0, "{seconds}");
    assert_eq!(query("up{job=\"drawbridge\"}").unwrap(), "1");
}

/// Has Prometheus' own tool look at names and types.
fn check_metrics(text: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("promtool can't be run ({error}): it comes with Prometheus"));
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}
