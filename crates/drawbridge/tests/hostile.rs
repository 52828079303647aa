//! Bad input. After each the edge still serves others within 100 ms, and has grown by nothing worth mentioning.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::State;
use drawbridge_protocol::packet::handshake::Intent;
use drawbridge_testkit::{Connection, Trouble, eventually, need_descriptors, ping, sees};
use std::io::Write as _;
use std::time::{Duration, Instant};
use support::attack::{
    VERSION, frame, handshake, house, is_closed_after, is_closed_anywhere_after, login_start, survives,
};
use support::{AT_ONCE, edge, open_lobby};

#[test]
fn a_frame_of_length_zero() {
    let (edge, _) = house();
    survives(&edge, |edge| {
        is_closed_anywhere_after(edge, &[0]);
        is_closed_anywhere_after(edge, &[0x80, 0]);
    });
}

#[test]
fn negative_and_over_long_lengths() {
    let (edge, _) = house();
    survives(&edge, |edge| {
        for length in [
            &[0xff, 0xff, 0xff, 0xff, 0x0f][..],
            &[0x80, 0x80, 0x80, 0x80, 0x08],
            &[0xff; 5],
            &[0xff; 9],
            &[0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
        ] {
            is_closed_anywhere_after(edge, length);
        }
        // The same inside packets: of the host, of the name.
        for length in [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0xff; 6], &[0xff, 0xff, 0x7f]] {
            let host = frame(&[&[0, 0xff, 5][..], length, b"localhost\0\x50\x02"].concat());
            is_closed_after(edge, &host);
            let name = frame(&[&[0][..], length, b"Alice", &[7; 16]].concat());
            is_closed_after(edge, &[handshake(b"localhost", 2), name].concat());
        }
    });
}

#[test]
fn a_claim_of_two_mebibytes() {
    sees!("limits.max_packet");
    let (edge, _) = house();
    survives(&edge, |edge| {
        is_closed_anywhere_after(edge, &[0xff, 0xff, 0x7f]);
        is_closed_anywhere_after(edge, &[&[0x81, 0x40][..], &[0; 1000]].concat());
    });
    // Many at once, each of which says a little: what is claimed is not what is kept.
    let before = edge.memory().rss;
    let waiting: Vec<Connection> = (0..200)
        .map(|_| {
            let mut connection = Connection::open(edge.address(), VERSION).unwrap();
            connection.raw(&[0xff, 0x3f, 0, 1, 2, 3]).unwrap();
            connection
        })
        .collect();
    edge.serves_others_within(AT_ONCE);
    assert!(edge.memory().rss.saturating_sub(before) <= 3 * 1024 * 1024);
    drop(waiting);
}

#[test]
fn everything_cut_off() {
    let (edge, session) = house();
    let whole = [handshake(b"localhost", 2), login_start(b"Alice")].concat();
    let status = [handshake(b"localhost", 1), vec![1, 0], frame(&[1, 0, 0, 0, 0, 0, 0, 0, 1])].concat();
    survives(&edge, |edge| {
        for bytes in [&whole, &status] {
            for cut in 0..bytes.len() {
                let mut connection = Connection::open(edge.address(), VERSION).unwrap();
                connection.raw(&bytes[..cut]).unwrap();
                if cut % 2 == 0 {
                    connection.reset().unwrap();
                } else {
                    connection.finish().unwrap();
                    connection.closed().unwrap();
                }
            }
        }
    });
    assert_eq!(session.asked(), 0);
}

#[test]
fn fields_cut_off_inside_whole_frames() {
    let (edge, session) = house();
    let body = |whole: &[u8]| whole[1..].to_vec();
    let (greeting, start) = (body(&handshake(b"localhost", 2)), body(&login_start(b"Alice")));
    survives(&edge, |edge| {
        // Two bytes alone, 02 00, may yet become a login from before 1.3, and wait for the deadline.
        for cut in (1..greeting.len()).filter(|&cut| cut != 2) {
            is_closed_after(edge, &frame(&greeting[..cut]));
        }
        for cut in 1..start.len() {
            is_closed_after(edge, &[handshake(b"localhost", 2), frame(&start[..cut])].concat());
        }
        is_closed_after(edge, &frame(&[&greeting[..], b"x"].concat()));
        is_closed_after(edge, &[handshake(b"localhost", 2), frame(&[&start[..], b"x"].concat())].concat());
    });
    assert_eq!(session.asked(), 0);
}

#[test]
fn a_name_of_300_bytes() {
    let (edge, session) = house();
    survives(&edge, |edge| {
        for name in [vec![b'a'; 300], "ü".repeat(150).into_bytes(), vec![b'a'; 17], vec![b'a'; 8000]] {
            is_closed_after(edge, &[handshake(b"localhost", 2), login_start(&name)].concat());
        }
    });
    assert_eq!(session.asked(), 0);
}

#[test]
fn what_is_not_utf8() {
    let (edge, _) = house();
    survives(&edge, |edge| {
        for text in [&b"\xff"[..], b"\xc3\x28", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"Alice\xfe"] {
            is_closed_after(edge, &[handshake(b"localhost", 2), login_start(text)].concat());
            is_closed_after(edge, &handshake(text, 2));
            is_closed_after(edge, &handshake(text, 1));
        }
    });
}

#[test]
fn unknown_intents_and_packets_out_of_place() {
    let (edge, _) = house();
    survives(&edge, |edge| {
        for intent in [0, 4, 0x7f] {
            is_closed_after(edge, &handshake(b"localhost", intent));
        }
        is_closed_anywhere_after(edge, &frame(&[0x7f, 1, 2, 3]));
        for id in [1, 2, 3, 4] {
            is_closed_after(edge, &[handshake(b"localhost", 2), frame(&[id, 0])].concat());
        }
    });
}

#[test]
fn a_client_that_sends_a_byte_a_second() {
    sees!("limits.handshake_timeout", "limits.login_timeout");
    let limits = "[limits]\nhandshake_timeout = \"3s\"\nlogin_timeout = \"4s\"\nper_address = 1000\n";
    let edge = edge().config(format!("{limits}{}", open_lobby())).start();
    let bytes = [handshake(b"localhost", 2), login_start(b"Alice")].concat();
    let greeting = handshake(b"localhost", 2).len();
    for (at_once, limit) in [(0, 3), (greeting, 4)] {
        let start = Instant::now();
        let mut connection =
            Connection::open(edge.address(), VERSION).unwrap().patience(Duration::from_secs(1));
        connection.raw(&bytes[..at_once]).unwrap();
        let mut ended = false;
        for &byte in &bytes[at_once..] {
            // Waiting for the close takes the second.
            if connection.raw(&[byte]).is_err() || connection.closed().is_ok() {
                ended = true;
                break;
            }
            edge.serves_others_within(AT_ONCE);
        }
        assert!(ended, "a byte a second goes on for ever");
        let took = start.elapsed();
        assert!(took >= Duration::from_secs(limit) - Duration::from_millis(100), "after {took:?} already");
        assert!(took < Duration::from_secs(limit + 3), "after {took:?} only");
    }
    edge.wait_for_refusal("timed_out");
}

/// Nor may one read as slowly as it likes: what is written is bounded, and so is the time for it.
#[test]
fn a_client_that_never_reads() {
    let edge = edge()
        .config(format!("[limits]\nhandshake_timeout = \"1s\"\nper_address = 1000\n{}", open_lobby()))
        .start();
    let before = edge.descriptors();
    let silent: Vec<Connection> = (0..50)
        .map(|_| {
            let mut connection = Connection::open(edge.address(), VERSION).unwrap();
            connection.greet("localhost", 25565, Intent::Status).unwrap();
            connection.raw(&[1, 0]).unwrap();
            connection
        })
        .collect();
    edge.serves_others_within(AT_ONCE);
    let gone = eventually(Duration::from_secs(10), || (edge.descriptors() <= before + 2).then_some(()));
    assert!(gone.is_some(), "{} descriptors are still open, {before} were before", edge.descriptors());
    drop(silent);
}

#[test]
fn a_socket_that_says_nothing() {
    for trusted in ["", "[proxy_protocol]\ntrusted = [\"127.0.0.2\"]\n"] {
        let config =
            format!("[limits]\nhandshake_timeout = \"1s\"\nper_address = 1000\n{trusted}{}", open_lobby());
        let edge = edge().config(config).start();
        let start = Instant::now();
        let mut silent: Vec<Connection> = [[127, 0, 0, 1], [127, 0, 0, 2]]
            .into_iter()
            .cycle()
            .take(20)
            .map(|from| Connection::open_from(from.into(), edge.address(), VERSION).unwrap())
            .collect();
        edge.serves_others_within(AT_ONCE);
        for connection in &mut silent {
            connection.within(Duration::from_secs(10)).closed().unwrap();
        }
        let took = start.elapsed();
        assert!(took > Duration::from_millis(900) && took < Duration::from_secs(4), "{took:?}");
        edge.wait_for_refusal("timed_out");
    }
}

#[test]
fn ten_thousand_connections_that_send_nothing() {
    const MANY: usize = 10_000;
    let limits = "[limits]\nhandshake_timeout = \"60s\"\nper_address = 20000\n\
        status = { burst = 1000, per = \"1s\" }\n";
    let edge = edge().config(format!("{limits}{}", open_lobby())).start();
    need_descriptors(MANY as u64 + 200);
    let before = edge.memory().pss;
    let mut silent = Vec::with_capacity(MANY);
    for index in 0..MANY {
        // Of several addresses, since one has not enough ports for tests that run at the same time.
        let from = [127, 0, 1, u8::try_from(index % 8).unwrap()];
        let connection = Connection::open_from(from.into(), edge.address(), VERSION);
        silent.push(connection.unwrap_or_else(|trouble| panic!("after {index} connections: {trouble}")));
    }
    let all = eventually(Duration::from_secs(20), || (edge.descriptors() > MANY).then_some(()));
    assert!(all.is_some(), "{} of {MANY} were accepted", edge.descriptors());
    edge.serves_others_within(AT_ONCE);
    let each = edge.memory().pss.saturating_sub(before) / MANY as u64;
    assert!(each < 10 * 1024, "{each} bytes each");
    drop(silent);
    let gone = eventually(Duration::from_secs(20), || (edge.descriptors() < 100).then_some(()));
    assert!(gone.is_some(), "{} descriptors are still open", edge.descriptors());
    edge.serves_others_within(AT_ONCE);
}

#[test]
fn more_connections_than_descriptors() {
    let limits = "[limits]\nhandshake_timeout = \"60s\"\nper_address = 20000\n";
    let edge = edge().config(format!("{limits}{}", open_lobby())).descriptor_limit(96).start();
    let flood: Vec<_> = (0..400).map(|_| Connection::open(edge.address(), VERSION)).collect();
    drop(flood);
    let serves = eventually(Duration::from_secs(20), || ping(edge.address(), VERSION, "localhost").ok());
    assert!(serves.is_some(), "the accept loop has ended");
    edge.serves_others_within(AT_ONCE);
}

#[test]
fn garbage() {
    let (edge, _) = house();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut noise = |length: usize| -> Vec<u8> {
        (0..length)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_be_bytes()[0]
            })
            .collect()
    };
    survives(&edge, |edge| {
        for length in [1, 7, 64, 700, 9000] {
            let bytes = noise(length);
            for before in [Vec::new(), handshake(b"localhost", 1), handshake(b"localhost", 2)] {
                let mut connection = Connection::open(edge.address(), VERSION).unwrap();
                // The edge may close before it has read all.
                let _ = connection.raw(&[before, bytes.clone()].concat());
                let _ = connection.finish();
                connection.within(Duration::from_secs(5)).closed().unwrap();
            }
        }
    });
}

#[test]
fn other_protocols() {
    let (edge, _) = house();
    // Its first letter claims a frame of 71 bytes: a shorter request would have to be waited for.
    let http = b"GET /index.html HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/8.14\r\nAccept: */*\r\n\r\n";
    let mut hello = vec![0x16, 3, 1, 0x02, 0x00, 1, 0, 1, 0xfc, 3, 3];
    hello.extend([0x42; 506]);
    survives(&edge, |edge| {
        is_closed_after(edge, http);
        is_closed_after(edge, &hello);
        is_closed_after(
            edge,
            b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00",
        );
    });
}

/// Written in one go with what follows, a last packet still comes through: no reset takes it away.
#[test]
fn unread_input_does_not_cost_the_last_word() {
    let edge = edge().config(open_lobby()).start();
    for _ in 0..50 {
        let mut connection = Connection::open(edge.address(), ProtocolVersion(47)).unwrap();
        let mut bytes = Vec::new();
        let mut old = handshake(b"localhost", 2);
        old.splice(2..4, [0x2f]);
        old[0] -= 1;
        bytes.write_all(&old).unwrap();
        bytes.write_all(&[0x55; 6000]).unwrap();
        connection.raw(&bytes).unwrap();
        connection.enter(State::Login);
        let kick = connection.receive().unwrap();
        assert_eq!(kick.id, 0);
        connection.finish().unwrap();
        match connection.receive() {
            Err(Trouble::Closed) => {}
            other => panic!("expected a close in good order: {other:?}"),
        }
    }
}
