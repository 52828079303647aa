//! Clients and targets of sessions that leave unread what they are told, for a while.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ids::{Kind, State};
use drawbridge_testkit::{Edge, Host, PATIENCE, eventually};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};
use support::edge;
use support::liar::{Caller, Liar};
use support::stranger::{OLD, Stranger};
use support::world::targets;

/// Whatever a client sends, so that it is sockets alone that hold it up.
const LIMITS: &str = "[limits.play]\npackets = 0\nbytes = 0\nplugin_messages = 0\nchat = 0\ncommands = 0\n";

fn serving(named: &[(String, SocketAddr)]) -> Edge {
    let targets = targets(named.iter().map(|(name, address)| (name, address)));
    edge()
        .config(format!(
            "threads = 1\n{LIMITS}[[routes]]\nname = \"home\"\nhosts = [\"*\"]\nmode = \"offline\"\n\
             {targets}\nsession.compression = -1\n"
        ))
        .start()
}

/// So many packets are more than all sockets between a client and its target hold.
const NUMBERED: u32 = 1_600;
const LENGTH: usize = 32 * 1024;

/// A packet's fields: a channel, a number, and what makes it long.
fn numbered(number: u32) -> Vec<u8> {
    let mut fields = b"\x03a:b".to_vec();
    fields.extend(number.to_be_bytes());
    fields.resize(LENGTH, 0x5a);
    fields
}

/// Waits until a count goes on no more, for want of somebody who reads.
#[track_caller]
fn stands_still(count: &AtomicU32) {
    let (mut last, mut since) = (0, Instant::now());
    let still = eventually(PATIENCE, || {
        let now = count.load(Ordering::Relaxed);
        if now != last {
            (last, since) = (now, Instant::now());
        }
        (now > 0 && since.elapsed() > Duration::from_millis(500)).then_some(())
    });
    assert!(still.is_some() && last < NUMBERED, "{last} of {NUMBERED} were taken");
}

#[test]
fn a_client_that_reads_again_has_missed_nothing() {
    let said = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&said);
    let target = Liar::start(move |it: &mut Caller| {
        it.plays()?;
        for number in 0..NUMBERED {
            let body = it.body(State::Play, Kind::CustomPayload, |out| out.bytes(&numbered(number)));
            it.repeats(&body, 1)?;
            counted.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    });
    let edge = serving(&[("a".into(), target.address)]);
    let mut client = Stranger::configuring(&edge, "Alice", OLD, "localhost");
    stands_still(&said);
    for number in 0..NUMBERED {
        let packet = client.listens_for(Kind::CustomPayload);
        assert!(packet.fields == numbered(number), "packet {number} is another");
    }
}

#[test]
fn a_target_that_reads_again_has_missed_nothing() {
    let reads = Arc::new(AtomicBool::new(false));
    let (told, heard) = channel();
    let may_read = Arc::clone(&reads);
    let target = Liar::start(move |it: &mut Caller| {
        it.plays()?;
        let begins = || may_read.load(Ordering::Relaxed).then_some(());
        eventually(PATIENCE, begins).expect("it is told to read");
        let right = (0..NUMBERED).all(|number| {
            it.waits_for(State::Play, Kind::CustomPayload).is_ok_and(|fields| fields == numbered(number))
        });
        told.send(right).map_err(std::io::Error::other)
    });
    let edge = serving(&[("a".into(), target.address)]);
    let client = Stranger::configuring(&edge, "Alice", OLD, "localhost");
    let said = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&said);
    let saying = thread::spawn(move || {
        let mut client = client;
        for number in 0..NUMBERED {
            let body = client.body(Kind::CustomPayload, |out| out.bytes(&numbered(number)));
            client.says(&body, 1);
            counted.fetch_add(1, Ordering::Relaxed);
        }
        client
    });
    stands_still(&said);
    reads.store(true, Ordering::Relaxed);
    assert!(heard.recv_timeout(PATIENCE).unwrap(), "another packet, or none");
    saying.join().unwrap();
}

/// Answers wait for their reader up to a MiB; what is asked beyond goes unheard.
#[test]
fn whoever_leaves_answers_unread_is_given_no_more_of_them() {
    /// So many at once are heard, and so often; each answer names a hundred servers in 20 KB.
    const AT_ONCE: usize = 8;
    const TIMES: usize = 500;
    const KEPT: u64 = 5 << 19;
    let host = Host::builder(1).compress(64).start().unwrap();
    let long = "x".repeat(200);
    let targets: Vec<_> = (0..100).map(|number| (format!("{long}{number}"), host.address())).collect();
    let edge = serving(&targets);
    let mut client = Stranger::playing(&edge, "Alice", OLD, "localhost");
    let before = edge.memory().rss;
    let asked = client.typed("/server");
    for _ in 0..TIMES {
        client.says(&asked, AT_ONCE);
        thread::park_timeout(Duration::from_millis(8));
    }
    let settled = || {
        let was = edge.memory().rss;
        thread::park_timeout(Duration::from_millis(300));
        (edge.memory().rss == was).then_some(was)
    };
    let after = eventually(PATIENCE, settled).unwrap();
    assert!(after < before + KEPT, "{} bytes are kept", after - before);
}
