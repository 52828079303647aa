//! What listening promises to operators.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use common::{Edge, SOON};
use drawbridge_net::{BindError, Listener, Socket};

fn addresses(of: &[&str]) -> Vec<SocketAddr> {
    of.iter().map(|address| address.parse().unwrap()).collect()
}

#[test]
fn a_second_instance_is_refused_the_address() {
    for threads in [1, 4] {
        let bound = Listener::bind(&addresses(&["127.0.0.1:0"]), threads).unwrap();
        for threads in [1, 4] {
            let error = Listener::bind(bound.local_addresses(), threads).unwrap_err();
            assert!(matches!(error, BindError::InUse { .. }), "{error}");
        }
    }
}

#[test]
fn an_instance_that_is_serving_keeps_its_address() {
    let mut edge = Edge::start_on("127.0.0.1:0", 2, common::echo);
    let mut client = edge.connect();
    common::assert_echoes(&mut client);
    assert!(matches!(Listener::bind(&[edge.address], 2), Err(BindError::InUse { .. })));
    // Once it has stopped accepting, the next one may come though connections go on.
    edge.serving.stop_accepting();
    common::wait_refused(edge.address);
    // Meanwhile the system may have lent the port to somebody's outgoing connection.
    let deadline = Instant::now() + common::SOON;
    let _next = loop {
        match Listener::bind(&[edge.address], 2) {
            Err(BindError::InUse { .. }) if Instant::now() < deadline => std::thread::yield_now(),
            bound => break bound.unwrap(),
        }
    };
    common::assert_echoes(&mut client);
    drop(client);
    edge.finish();
}

#[test]
fn another_process_is_refused_the_address() {
    const ADDRESS: &str = "DRAWBRIDGE_TEST_ADDRESS";
    if let Ok(address) = std::env::var(ADDRESS) {
        assert!(matches!(Listener::bind(&addresses(&[&address]), 4), Err(BindError::InUse { .. })));
        return;
    }
    let edge = Edge::start_on("127.0.0.1:0", 4, common::echo);
    let other = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "another_process_is_refused_the_address"])
        .env(ADDRESS, edge.address.to_string())
        .output()
        .unwrap();
    assert!(other.status.success(), "{}", String::from_utf8_lossy(&other.stdout));
}

#[cfg(target_os = "linux")]
#[test]
fn connections_are_spread_over_the_threads() {
    let (told, names) = channel();
    let told = Mutex::new(told);
    let edge = Edge::start_on("127.0.0.1:0", 4, move |socket: Socket| {
        told.lock().unwrap().send(std::thread::current().name().map(str::to_owned)).unwrap();
        common::echo(socket)
    });
    let clients: Vec<_> = (0..200).map(|_| edge.connect()).collect();
    let names: HashSet<_> = clients.iter().map(|_| names.recv_timeout(SOON).unwrap()).collect();
    assert_eq!(names.len(), 4);
}

#[test]
fn several_addresses_are_served() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let bound = Listener::bind(&addresses(&["127.0.0.1:0", "127.0.0.2:0"]), 2).unwrap();
    let local = bound.local_addresses().to_vec();
    assert_eq!(local.len(), 2);
    let _serving = bound.serve(common::only(common::echo), runtime.handle()).unwrap();
    for address in local {
        common::assert_echoes(&mut common::connect(address).unwrap());
    }
}

#[test]
fn an_address_given_twice_is_opened_once() {
    let free = Listener::bind(&addresses(&["127.0.0.1:0"]), 1).unwrap().local_addresses()[0];
    let mapped = format!("[::ffff:127.0.0.1]:{}", free.port());
    let bound = Listener::bind(&[free, mapped.parse().unwrap(), free], 2).unwrap();
    assert_eq!(bound.local_addresses(), [free]);
}

#[test]
fn nothing_to_listen_on_is_an_error() {
    assert!(matches!(Listener::bind(&[], 1), Err(BindError::NoAddress)));
}

#[test]
fn no_address_is_held_when_one_fails() {
    let taken = Listener::bind(&addresses(&["127.0.0.1:0"]), 1).unwrap();
    let free = Listener::bind(&addresses(&["127.0.0.2:0"]), 1).unwrap();
    let (taken_at, free_at) = (taken.local_addresses()[0], free.local_addresses()[0]);
    drop(free);
    assert!(Listener::bind(&[free_at, taken_at], 2).is_err());
    let again = Listener::bind(&[free_at], 2);
    assert!(again.is_ok(), "{again:?}");
    let _keep = Arc::new(taken);
}
