//! What tests of providers have in common.

use super::description;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{Edge, PATIENCE, eventually, ping};

/// What is told when whoever a provider asks is away, and when they are back.
pub(crate) const LOST: &str = "routes can't be followed: those that are known stay";
pub(crate) const FOUND: &str = "routes are followed again";

/// Labels of a route that says this in the server list: `keys` are those of its hosts, and of its status' type and description.
pub(crate) fn saying<'a>(keys: [&'a str; 3], hosts: &'a str, text: &'a str) -> Vec<(&'a str, &'a str)> {
    keys.into_iter().zip([hosts, "fixed", text]).collect()
}

/// What the server list says at this host.
pub(crate) fn said(edge: &Edge, host: &str) -> String {
    description(&ping(edge.address(), ProtocolVersion::V1_21, host).unwrap().0)
}

#[track_caller]
pub(crate) fn soon_says(edge: &Edge, host: &str, text: &str) {
    let live = eventually(PATIENCE, || (said(edge, host) == text).then_some(()));
    assert!(live.is_some(), "{host} still says {:?}, not {text:?}", said(edge, host));
}

/// How often the edge has logged this.
pub(crate) fn told(edge: &Edge, message: &str) -> usize {
    edge.log().iter().filter(|line| line.message() == Some(message)).count()
}
