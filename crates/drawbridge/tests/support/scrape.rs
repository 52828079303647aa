//! Asking an edge how it is, over HTTP.

use drawbridge_testkit::{Edge, eventually};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a test waits for what a metric tells.
const SOON: Duration = Duration::from_secs(20);

/// Keys of a configuration under which metrics are served.
pub(crate) const METRICS: &str = "metrics.bind = \"127.0.0.1:0\"\n";

/// Where an edge serves metrics.
pub(crate) fn metrics_address(edge: &Edge) -> SocketAddr {
    let line = edge.wait_for_message("metrics and health are served");
    line.field("address").and_then(|address| address.parse().ok()).expect("an address")
}

/// An answer: status and body. `None`: nobody answers.
pub(crate) fn ask(address: SocketAddr, request: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, SOON).ok()?;
    stream.set_read_timeout(Some(SOON)).ok()?;
    stream
        .write_all(format!("{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())
        .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// The status of a GET.
pub(crate) fn status(address: SocketAddr, path: &str) -> Option<u16> {
    ask(address, &format!("GET {path}")).map(|(status, _)| status)
}

/// The samples of a moment: name with labels, as they stand there, and value.
#[derive(Debug)]
pub(crate) struct Scrape(pub(crate) BTreeMap<String, f64>);

impl Scrape {
    pub(crate) fn of(address: SocketAddr) -> Self {
        let (status, text) = ask(address, "GET /metrics").expect("an answer");
        assert_eq!(status, 200);
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Self(samples.filter_map(sample).collect())
    }

    /// The sum of all samples of this name that have these labels, written `key="value"`.
    pub(crate) fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        let is = |sample: &str| {
            let (of, rest) = sample.split_once('{').unwrap_or((sample, ""));
            of == name && labels.iter().all(|label| rest.contains(label))
        };
        self.0.iter().filter(|(sample, _)| is(sample)).map(|(_, value)| value).sum()
    }
}

/// Waits until a sum is so.
#[track_caller]
pub(crate) fn wait_for(address: SocketAddr, name: &str, labels: &[&str], is: impl Fn(f64) -> bool) {
    let seen = eventually(SOON, || is(Scrape::of(address).sum(name, labels)).then_some(()));
    assert!(seen.is_some(), "{name} {labels:?} is {}", Scrape::of(address).sum(name, labels));
}
