//! Running out of descriptors. A process of its own, because it takes them from everybody in it.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use std::fs::File;
use std::io::Read;
use std::time::Instant;

use common::{Edge, SOON, assert_echoes};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};

#[test]
fn survives_running_out_of_descriptors() {
    let before = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(256), maximum: before.maximum }).unwrap();
    // One reactor: another could take the descriptor that this one gives up, and serve a client with it.
    let edge = Edge::start_on("127.0.0.1:0", 1, common::echo);
    let mut established = edge.connect();
    assert_echoes(&mut established);

    let mut clients: Vec<_> =
        (0..40).map(|_| Socket::new(Domain::IPV4, Type::STREAM, None).unwrap()).collect();
    let mut hoard = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        hoard.push(file);
    }
    assert!(hoard.len() > 100);
    for client in &mut clients {
        client.connect(&edge.address.into()).unwrap();
        client.set_read_timeout(Some(SOON)).unwrap();
    }
    // The reserve descriptor has them turned away at once instead of waiting for nothing.
    for client in &mut clients {
        let turned_away = client.read(&mut [0; 1]);
        assert!(!matches!(turned_away, Ok(1..)));
        let timed_out = turned_away.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!timed_out, "a client was left waiting");
    }
    assert_echoes(&mut established);

    drop((hoard, clients));
    let since = Instant::now();
    for _ in 0..20 {
        assert_echoes(&mut edge.connect());
    }
    assert!(since.elapsed() < SOON);
}
