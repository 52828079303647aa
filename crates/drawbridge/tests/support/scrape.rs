//! Asking an edge how it is, over HTTP.

use drawbridge_testkit::eventually;
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) use drawbridge_testkit::{Scrape, ask};

/// How long a test waits for what a metric tells.
const SOON: Duration = Duration::from_secs(20);

/// Keys of a configuration under which metrics are served.
pub(crate) const METRICS: &str = "metrics.bind = \"127.0.0.1:0\"\n";

/// The status of a GET.
pub(crate) fn status(address: SocketAddr, path: &str) -> Option<u16> {
    ask(address, &format!("GET {path}")).map(|(status, _)| status)
}

/// Waits until a sum is so.
#[track_caller]
pub(crate) fn wait_for(address: SocketAddr, name: &str, labels: &[&str], is: impl Fn(f64) -> bool) {
    let seen = eventually(SOON, || is(Scrape::of(address).sum(name, labels)).then_some(()));
    assert!(seen.is_some(), "{name} {labels:?} is {}", Scrape::of(address).sum(name, labels));
}
