//! What a collector is sent, as far as can be seen without being one; with a real one it is looked at in `interop/telemetry.rs`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{Backend, Door, Edge, Flow, Player, Reply, Web, Wire, eventually, ping, sees};
use std::time::{Duration, Instant};
use support::{HUB, edge, open_lobby};

const SOON: Duration = Duration::from_secs(20);

fn telling(endpoint: &str, more: &str) -> Edge {
    telling_over("http", endpoint, more)
}

fn telling_over(protocol: &str, endpoint: &str, more: &str) -> Edge {
    let otlp =
        format!("otlp = {{ endpoint = \"{endpoint}\", protocol = \"{protocol}\", interval = \"1s\"{more} }}");
    let telemetry = format!("[telemetry]\nformat = \"json\"\nlog = \"debug\"\n{otlp}\n");
    edge().file("key", "Bearer secret").config(format!("{telemetry}{}", open_lobby())).start()
}

/// The paths that were asked for.
fn paths(collector: &Web) -> Vec<String> {
    collector.seen().into_iter().map(|request| request.target).collect()
}

#[track_caller]
fn wait_for(collector: &Web, path: &str) {
    let come = eventually(SOON, || paths(collector).iter().any(|target| target == path).then_some(()));
    assert!(come.is_some(), "{:?}", paths(collector));
}

#[test]
fn a_collector_gets_what_was_asked_for_with_its_headers() {
    sees!(
        "telemetry.otlp.endpoint",
        "telemetry.otlp.protocol",
        "telemetry.otlp.traces",
        "telemetry.otlp.metrics",
        "telemetry.otlp.interval",
        "telemetry.otlp.headers.*",
    );
    let collector = Web::start(200, b"").unwrap();
    let headers = ", sample = 1, headers = { authorization = { file = \"key\" } }";
    let edge = telling(&collector.url(), headers);
    ping(edge.address(), ProtocolVersion::V1_21, "localhost").unwrap();
    wait_for(&collector, "/v1/traces");
    wait_for(&collector, "/v1/metrics");
    for request in collector.seen() {
        let authorization = request.headers.iter().find(|(name, _)| name == "authorization").unwrap();
        assert_eq!(authorization.1, "Bearer secret");
    }

    let [traces, metrics] = [Web::start(200, b"").unwrap(), Web::start(200, b"").unwrap()];
    let mut traced = telling(&traces.url(), ", sample = 1, metrics = false");
    let mut counted = telling(&metrics.url(), ", sample = 1, traces = false");
    for edge in [&mut traced, &mut counted] {
        ping(edge.address(), ProtocolVersion::V1_21, "localhost").unwrap();
        edge.wait_for_message("pinged");
        edge.terminate();
        assert_eq!(edge.exit(SOON).code(), Some(0));
    }
    assert!(!paths(&traces).is_empty() && paths(&traces).iter().all(|path| path == "/v1/traces"));
    assert!(!paths(&metrics).is_empty() && paths(&metrics).iter().all(|path| path == "/v1/metrics"));
}

#[test]
fn only_the_share_of_connections_is_traced_that_was_asked_for() {
    sees!("telemetry.otlp.sample");
    for (sample, least, most) in [("0.0", 0, 0), ("0.5", 60, 140), ("1", 200, 200)] {
        let collector = Web::start(200, b"").unwrap();
        let mut edge = telling(&collector.url(), &format!(", metrics = false, sample = {sample}"));
        for _ in 0..200 {
            ping(edge.address(), ProtocolVersion::V1_21, "localhost").unwrap();
        }
        edge.wait_for_messages("pinged", 200);
        edge.terminate();
        assert_eq!(edge.exit(SOON).code(), Some(0));
        let sent: Vec<_> = collector.seen().into_iter().flat_map(|request| request.body).collect();
        // Each ping has one span of that name; in Protobuf its name stands there as it is, behind its length (OTLP's trace.proto, field 5).
        let pings = sent.windows(6).filter(|bytes| bytes == b"\x2a\x04ping").count();
        assert!((least..=most).contains(&pings), "{sample}: {pings}");
    }
}

#[test]
fn without_its_collector_an_edge_is_none_the_worse_and_says_so_once() {
    let gone = format!("http://{}", Backend::nobody().unwrap());
    for protocol in ["http", "grpc"] {
        let mut edge = telling_over(protocol, &gone, ", sample = 1");
        let says_so = |edge: &Edge, what: &str| {
            edge.wait_for("that the collector is gone", |line| {
                line.message() == Some("the collector doesn't take what it is sent")
                    && line.field("what").as_deref() == Some(what)
            });
        };
        for _ in 0..3 {
            assert_eq!(Player::new("Alice", 767).join(edge.address()).transferred(), HUB);
            ping(edge.address(), ProtocolVersion::V1_21, "localhost").unwrap();
        }
        says_so(&edge, "traces");
        says_so(&edge, "metrics");
        let start = Instant::now();
        edge.terminate();
        assert_eq!(edge.exit(SOON).code(), Some(0));
        assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
        let told = edge.log().iter().filter(|line| line.text().contains("collector")).count();
        assert_eq!(told, 2, "once for each");
        let noise = edge.log().iter().filter(|line| line.text().contains("opentelemetry")).count();
        assert_eq!(noise, 0);
    }
}

/// Way over what waits to be sent, which is 8,192 spans.
const FLOOD: usize = 12_000;
/// What they take, and what was sent of them.
const LITTLE: u64 = 24 << 20;

/// A way in which a line is bad: its name, the protocol, how many pings are traced, and what makes it so.
type Way = (&'static str, &'static str, usize, fn(&Wire));

#[test]
fn a_collector_that_says_nothing_or_hardly_takes_anything_costs_nothing() {
    let collector = Web::start(200, b"").unwrap();
    collector.answer_by(|_| Reply::silence());
    let ways: [Way; 5] = [
        ("silent", "http", FLOOD, |wire| wire.both(Flow::Free)),
        ("stalled", "http", 100, |wire| wire.both(Flow::STALLED)),
        ("unheard", "grpc", 100, |wire| wire.both(Flow::Vanishes)),
        ("in drops", "http", 100, |wire| {
            wire.there(Flow::Trickles { bytes: 1, every: Duration::from_millis(5) });
        }),
        ("frozen", "grpc", 100, |wire| wire.door(Door::Silent).unwrap()),
    ];
    for (name, protocol, pings, breaks) in ways {
        let wire = Wire::to(collector.address()).unwrap();
        breaks(&wire);
        let mut edge = telling_over(protocol, &format!("http://{}", wire.address()), ", sample = 1");
        let before = edge.memory().rss;
        for _ in 0..pings {
            let (_, took) = ping(edge.address(), ProtocolVersion::V1_21, "localhost").unwrap();
            assert!(took < Duration::from_secs(1), "{name}: {took:?}");
        }
        assert_eq!(Player::new("Alice", 767).join(edge.address()).transferred(), HUB, "{name}");
        let grown = edge.memory().rss.saturating_sub(before);
        assert!(grown < LITTLE, "{name}: {grown} bytes");
        let start = Instant::now();
        edge.terminate();
        assert_eq!(edge.exit(SOON).code(), Some(0), "{name}");
        assert!(start.elapsed() < Duration::from_secs(6), "{name}: {:?}", start.elapsed());
    }
}

#[test]
fn what_cannot_be_is_told_before_anything_starts() {
    for (otlp, told) in [
        ("endpoint = \"collector:4317\"", "expected the URL of a collector"),
        ("endpoint = \"http://a:1\", sample = 1.5", "expected a number from 0 to 1"),
        ("endpoint = \"http://a:1\", interval = \"0s\"", "metrics are sent once a second at most"),
        ("endpoint = \"http://a:1\", headers = { \"a b\" = { file = \"key\" } }", "can't be sent"),
    ] {
        let config = format!("[telemetry]\notlp = {{ {otlp} }}\n");
        let finished = edge().file("key", "x").config(config).argument("check").finish();
        assert!(!finished.status.success() && finished.stderr.contains(told), "{}", finished.stderr);
    }
}
