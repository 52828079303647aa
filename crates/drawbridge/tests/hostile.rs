//! Bad input. Throughout each the edge serves others within 100 ms, and however often it is repeated, the edge doesn't grow.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::State;
use drawbridge_protocol::packet::configuration::Transfer;
use drawbridge_protocol::packet::handshake::Intent;
use drawbridge_protocol::packet::login::{EncryptionRequest, LoginAcknowledged, LoginSuccess};
use drawbridge_testkit::{
    Connection, Edge, Player, SessionServer, Trouble, eventually, need_descriptors, ping, sees,
};
use std::io::Write as _;
use std::time::{Duration, Instant};
use support::attack::{
    TIMES, VERSION, answer, anywhere, body, frame, handshake, house, login_start, plugin_message,
    serves_others_during, stays_flat, survives, survives_bytes, survives_waves, target,
};
use support::{AT_ONCE, HUB, edge, lobby, open_lobby};

/// How many attacks are made at once where each takes its time.
const AT_THE_SAME_TIME: usize = 500;

#[test]
fn a_frame_of_length_zero() {
    let (edge, _) = house();
    survives_bytes(&edge, &[anywhere(&[0]), anywhere(&[0x80, 0])].concat());
}

#[test]
fn negative_and_over_long_lengths() {
    let (edge, _) = house();
    let lengths = [
        &[0xff, 0xff, 0xff, 0xff, 0x0f][..],
        &[0x80, 0x80, 0x80, 0x80, 0x08],
        &[0xff; 5],
        &[0xff; 9],
        &[0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
    ];
    survives_bytes(&edge, &lengths.map(anywhere).concat());
}

#[test]
fn negative_and_over_long_lengths_inside_packets() {
    let (edge, _) = house();
    let lengths = [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0xff; 6], &[0xff, 0xff, 0x7f]];
    let of_the_host = |length| frame(&[&[0, 0xff, 5][..], length, b"localhost\0\x50\x02"].concat());
    let of_the_name = |length| {
        let name = frame(&[&[0][..], length, b"Alice", &[7; 16]].concat());
        [handshake(b"localhost", 2), name].concat()
    };
    survives_bytes(&edge, &lengths.map(|length| [of_the_host(length), of_the_name(length)]).concat());
}

#[test]
fn a_claim_of_two_mebibytes() {
    let (edge, _) = house();
    let more_than_allowed = [&[0x81, 0x40][..], &[0; 1000]].concat();
    survives_bytes(&edge, &[anywhere(&[0xff, 0xff, 0x7f]), anywhere(&more_than_allowed)].concat());
}

/// Where so much is allowed, what is claimed still isn't what is kept, nor what the system is asked for.
#[test]
fn claims_of_a_mebibyte_by_many_at_once() {
    sees!("limits.max_packet");
    const MANY: usize = 2_000;
    const CLAIMED: u64 = MANY as u64 * 1024 * 1024;
    let limits = "[limits]\nmax_packet = \"1MiB\"\nhandshake_timeout = \"60s\"\nlogin_timeout = \"60s\"\n";
    let edge = target(format!("{limits}{}", open_lobby())).start();
    need_descriptors(MANY as u64 + 200);
    let before = edge.memory();
    let claims = anywhere(&[0xff, 0xff, 0x3f, 0, 1, 2, 3]);
    let waiting = serves_others_during(&edge, || -> Vec<Connection> {
        let claims = claims.iter().cycle().take(MANY);
        let waiting = claims.map(|claim| {
            let mut connection = Connection::open(edge.address(), VERSION).unwrap();
            connection.raw(claim).unwrap();
            connection
        });
        waiting.collect()
    });
    let all = eventually(Duration::from_secs(20), || (edge.descriptors() > MANY).then_some(()));
    assert!(all.is_some(), "{} of {MANY} are waited for", edge.descriptors());
    edge.serves_others_within(AT_ONCE);
    let after = edge.memory();
    let kept = after.rss.saturating_sub(before.rss) / MANY as u64;
    assert!(kept < 16 * 1024, "{kept} bytes each");
    // Each thread's heap is asked for in large pieces too, but that is far less.
    let asked_for = after.reserved.saturating_sub(before.reserved);
    assert!(asked_for < CLAIMED / 2, "{asked_for} bytes");
    drop(waiting);
}

/// A text as clients before 1.7 send it: its length in UTF-16 units, and these.
fn utf_16(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let length = u16::try_from(units.len()).unwrap();
    [length].into_iter().chain(units).flat_map(u16::to_be_bytes).collect()
}

/// Everything that leads up to a login, to a pong, or to a legacy client's answer, and a load balancer's header, up to any byte.
/// What follows Login Start stands in `hostile_logins.rs`.
#[test]
fn everything_cut_off() {
    const BALANCER: [u8; 4] = [127, 0, 0, 2];
    let session = SessionServer::start().unwrap();
    let edge = target(format!("[proxy_protocol]\ntrusted = [\"127.0.0.2\"]\n{}", lobby(&session))).start();
    let login = [handshake(b"localhost", 2), login_start(b"Alice")].concat();
    let status = [handshake(b"localhost", 1), vec![1, 0], frame(&[1, 0, 0, 0, 0, 0, 0, 0, 1])].concat();
    let host = utf_16("localhost");
    let length = u16::try_from(host.len() + 5).unwrap().to_be_bytes();
    let legacy_ping =
        [&[0xfe, 1, 0xfa][..], &utf_16("MC|PingHost"), &length, &[73], &host, &[0, 0, 0x63, 0xdd]].concat();
    let legacy_login = [&[2, 78][..], &utf_16("Alice"), &host, &[0, 0, 0x63, 0xdd]].concat();
    let line = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 25565\r\n".to_vec();
    let addresses = [192, 0, 2, 1, 192, 0, 2, 2, 0xdc, 4, 0x63, 0xdd];
    let binary = [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..], &addresses].concat();
    let client = [127, 0, 0, 1];
    let cut_off: Vec<_> = [
        (client, login),
        (client, status),
        (client, legacy_ping),
        (client, legacy_login),
        (BALANCER, line),
        (BALANCER, binary),
    ]
    .into_iter()
    .flat_map(|(from, whole)| (0..whole.len()).map(move |cut| (from, whole[..cut].to_vec())))
    .collect();
    assert!(cut_off.len() <= 2 * TIMES, "not all are sent: {}", cut_off.len());
    let open = |from: &[u8; 4], bytes: &[u8]| {
        let mut connection = Connection::open_from((*from).into(), edge.address(), VERSION).unwrap();
        connection.raw(bytes).unwrap();
        connection
    };
    survives(&edge, &cut_off, |(from, bytes)| {
        let mut connection = open(from, bytes);
        connection.finish().unwrap();
        connection.closed().unwrap();
    });
    survives(&edge, &cut_off, |(from, bytes)| open(from, bytes).reset().unwrap());
    assert_eq!(session.asked(), 0);
}

#[test]
fn fields_cut_off_inside_whole_frames() {
    let (edge, session) = house();
    let body = |whole: &[u8]| whole[1..].to_vec();
    let (greeting, start) = (body(&handshake(b"localhost", 2)), body(&login_start(b"Alice")));
    let after_greeting = |body: &[u8]| [handshake(b"localhost", 2), frame(body)].concat();
    // Two bytes alone, 02 00, may yet become a login from before 1.3, and wait for the deadline.
    let greetings = (1..greeting.len()).filter(|&cut| cut != 2).map(|cut| frame(&greeting[..cut]));
    let starts = (1..start.len()).map(|cut| after_greeting(&start[..cut]));
    let longer = [frame(&[&greeting[..], b"x"].concat()), after_greeting(&[&start[..], b"x"].concat())];
    survives_bytes(&edge, &greetings.chain(starts).chain(longer).collect::<Vec<_>>());
    assert_eq!(session.asked(), 0);
}

#[test]
fn a_name_of_300_bytes() {
    let (edge, session) = house();
    let names = [vec![b'a'; 300], "ü".repeat(150).into_bytes(), vec![b'a'; 17], vec![b'a'; 8000]];
    survives_bytes(&edge, &names.map(|name| [handshake(b"localhost", 2), login_start(&name)].concat()));
    assert_eq!(session.asked(), 0);
}

#[test]
fn what_is_not_utf8() {
    let (edge, _) = house();
    let texts = [&b"\xff"[..], b"\xc3\x28", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"Alice\xfe"];
    let places = texts.map(|text| {
        let name = [handshake(b"localhost", 2), login_start(text)].concat();
        [name, handshake(text, 2), handshake(text, 1)]
    });
    survives_bytes(&edge, &places.concat());
}

#[test]
fn unknown_intents_and_packets_out_of_place() {
    let (edge, _) = house();
    let intents = [0, 4, 0x7f].map(|intent| handshake(b"localhost", intent));
    let packets = [1, 2, 3, 4].map(|id| [handshake(b"localhost", 2), frame(&[id, 0])].concat());
    let unknown = anywhere(&frame(&[0x7f, 1, 2, 3]));
    survives_bytes(&edge, &[&intents[..], &packets, &unknown].concat());
}

/// Clients that send their bytes one by one, and that the edge lets go of after `limit`.
struct Slow<'a> {
    connections: Vec<Connection>,
    rest: std::slice::Iter<'a, u8>,
    limit: Duration,
    since: Instant,
}

impl<'a> Slow<'a> {
    fn open(edge: &Edge, at_once: &[u8], rest: &'a [u8], limit: Duration) -> Self {
        let since = Instant::now();
        let connections = (0..AT_THE_SAME_TIME / 2).map(|_| {
            let mut connection = Connection::open(edge.address(), VERSION).unwrap();
            connection.raw(at_once).unwrap();
            connection
        });
        Self { connections: connections.collect(), rest: rest.iter(), limit, since }
    }

    fn send(&mut self) {
        let byte = *self.rest.next().expect("a byte a second goes on for ever");
        for connection in &mut self.connections {
            // The edge may have closed it by now.
            let _ = connection.raw(&[byte]);
        }
    }

    /// Whether all have been closed, none of them too early or too late.
    fn is_over(&mut self) -> bool {
        let before = self.connections.len();
        self.connections.retain_mut(|connection| !connection.has_ended().unwrap());
        let took = self.since.elapsed();
        if self.connections.len() < before {
            assert!(took >= self.limit - Duration::from_millis(100), "after {took:?} already");
        }
        assert!(took < self.limit + Duration::from_secs(2), "after {took:?} still open");
        self.connections.is_empty()
    }
}

#[test]
fn clients_that_send_a_byte_a_second() {
    sees!("limits.handshake_timeout", "limits.login_timeout");
    let limits = "[limits]\nhandshake_timeout = \"2s\"\nlogin_timeout = \"3s\"\n";
    let edge = target(format!("{limits}{}", open_lobby())).start();
    let (greeting, start) = (handshake(b"localhost", 2), login_start(b"Alice"));
    survives_waves(&edge, AT_THE_SAME_TIME, || {
        let mut slow = [
            Slow::open(&edge, &[], &greeting, Duration::from_secs(2)),
            Slow::open(&edge, &greeting, &start, Duration::from_secs(3)),
        ];
        // Waiting for the close takes the second.
        let all_over = |slow: &mut [Slow<'_>]| {
            let open = slow.iter_mut().filter_map(|slow| (!slow.is_over()).then_some(()));
            (open.count() == 0).then_some(())
        };
        while eventually(Duration::from_secs(1), || all_over(&mut slow)).is_none() {
            slow.iter_mut().for_each(Slow::send);
        }
    });
    edge.wait_for_refusal("timed_out");
}

/// Nor may anybody keep a connection by not reading what was written to it.
#[test]
fn clients_that_never_read() {
    let limits = "[limits]\nhandshake_timeout = \"1s\"\n";
    let edge = target(format!("{limits}{}", open_lobby())).start();
    let before = edge.descriptors();
    survives_waves(&edge, AT_THE_SAME_TIME, || {
        let silent: Vec<Connection> = (0..AT_THE_SAME_TIME)
            .map(|_| {
                let mut connection = Connection::open(edge.address(), VERSION).unwrap();
                connection.greet("localhost", 25565, Intent::Status).unwrap();
                connection.raw(&[1, 0]).unwrap();
                connection
            })
            .collect();
        // But for those of the others' pings.
        let gone = eventually(Duration::from_secs(10), || (edge.descriptors() <= before + 4).then_some(()));
        assert!(gone.is_some(), "{} descriptors are still open, {before} were before", edge.descriptors());
        drop(silent);
    });
}

#[test]
fn sockets_that_say_nothing() {
    for trusted in ["", "[proxy_protocol]\ntrusted = [\"127.0.0.2\"]\n"] {
        let config = format!("[limits]\nhandshake_timeout = \"1s\"\n{trusted}{}", open_lobby());
        let edge = target(config).start();
        survives_waves(&edge, AT_THE_SAME_TIME, || {
            let start = Instant::now();
            let mut silent: Vec<Connection> = [[127, 0, 0, 1], [127, 0, 0, 2]]
                .into_iter()
                .cycle()
                .take(AT_THE_SAME_TIME)
                .map(|from| Connection::open_from(from.into(), edge.address(), VERSION).unwrap())
                .collect();
            for connection in &mut silent {
                connection.within(Duration::from_secs(10)).closed().unwrap();
            }
            let took = start.elapsed();
            assert!(took > Duration::from_millis(900) && took < Duration::from_secs(4), "{took:?}");
        });
        edge.wait_for_refusal("timed_out");
    }
}

#[test]
fn ten_thousand_connections_that_send_nothing() {
    const MANY: usize = 10_000;
    let limits = "[limits]\nhandshake_timeout = \"60s\"\n";
    let edge = target(format!("{limits}{}", open_lobby())).start();
    need_descriptors(MANY as u64 + 200);
    // The code that answers them is read from the file when it first runs.
    edge.serves_others_within(AT_ONCE);
    let before = edge.memory().pss;
    survives_waves(&edge, MANY, || {
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
        // They take 2.7 KiB, where nothing is optimised: a slot, a task, and what is known of an address. What the slots took before they
        // were so many, and waves before this one, is given back within seconds.
        let each = || edge.memory().pss.saturating_sub(before) / MANY as u64;
        let small = eventually(Duration::from_secs(20), || (each() < 2_944).then_some(()));
        assert!(small.is_some(), "{} bytes each", each());
        drop(silent);
        let gone = eventually(Duration::from_secs(20), || (edge.descriptors() < 100).then_some(()));
        assert!(gone.is_some(), "{} descriptors are still open", edge.descriptors());
    });
}

/// How many descriptors the edge has in the tests of what happens when they run out.
const DESCRIPTORS: u32 = 96;

/// More connections than that, and how many of them a flood is, and a wave of floods.
const FLOOD: usize = 400;
const FLOODS: usize = 5;

fn flood(edge: &Edge, from: [u8; 4]) -> Vec<Connection> {
    (0..FLOOD).filter_map(|_| Connection::open_from(from.into(), edge.address(), VERSION).ok()).collect()
}

#[test]
fn more_connections_of_one_address_than_descriptors() {
    let limits = "[limits]\nhandshake_timeout = \"60s\"\nper_address = 30\n";
    let edge = target(format!("{limits}{}", open_lobby())).descriptor_limit(DESCRIPTORS).start();
    survives_waves(&edge, FLOODS * FLOOD, || {
        for _ in 0..FLOODS {
            drop(flood(&edge, [127, 0, 0, 3]));
        }
    });
    edge.wait_for_refusal("address_full");
}

/// Of a load balancer's connection it isn't known whose it is until it says so, and one that never does takes every place; but
/// three eighths of the descriptors are kept for the edge's own, and afterwards others are served at once.
#[test]
fn more_connections_than_descriptors() {
    let limits = "[limits]\nhandshake_timeout = \"60s\"\n[proxy_protocol]\ntrusted = [\"127.0.0.2\"]\n";
    let edge = target(format!("{limits}{}", open_lobby())).descriptor_limit(DESCRIPTORS).start();
    let places = DESCRIPTORS as usize * 5 / 8;
    stays_flat(&edge, FLOODS * places, || {
        for _ in 0..2 * FLOODS {
            let flood = flood(&edge, [127, 0, 0, 2]);
            let full = eventually(Duration::from_secs(10), || (edge.descriptors() > places).then_some(()));
            assert!(full.is_some(), "{} of {DESCRIPTORS} descriptors are taken", edge.descriptors());
            assert!(edge.descriptors() < DESCRIPTORS as usize, "nothing is left for the edge's own");
            drop(flood);
            let serves = || ping(edge.address(), VERSION, "localhost").ok();
            assert!(eventually(Duration::from_secs(20), serves).is_some(), "the accept loop has ended");
            edge.serves_others_within(AT_ONCE);
        }
    });
    edge.wait_for_refusal("full");
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
    let starts = [Vec::new(), handshake(b"localhost", 1), handshake(b"localhost", 2)];
    let ways: Vec<_> = [1, 7, 64, 700, 9000]
        .into_iter()
        .flat_map(|length| starts.iter().map(move |start| (start, length)))
        .collect();
    survives(&edge, &ways, |(start, length)| {
        let mut connection = Connection::open(edge.address(), VERSION).unwrap();
        // The edge may close before it has read all.
        let _ = connection.raw(&[start.as_slice(), &noise(*length)].concat());
        let _ = connection.finish();
        connection.within(Duration::from_secs(5)).closed().unwrap();
    });
}

#[test]
fn other_protocols() {
    let (edge, _) = house();
    // Its first letter claims a frame of 71 bytes: a shorter request would have to be waited for.
    let http = b"GET /index.html HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/8.14\r\nAccept: */*\r\n\r\n";
    let mut tls_hello = vec![0x16, 3, 1, 0x02, 0x00, 1, 0, 1, 0xfc, 3, 3];
    tls_hello.extend([0x42; 506]);
    let remote_desktop = b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00";
    survives_bytes(&edge, &[http.to_vec(), tls_hello, remote_desktop.to_vec()]);
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

/// Nor the hand-over, of a client that has sent far more by then than anybody reads.
#[test]
fn unread_input_does_not_cost_the_transfer() {
    const MESSAGES: usize = 40;
    let edge = edge().config(open_lobby()).start();
    for _ in 0..50 {
        let mut connection = Player::new("Alice", VERSION).knock(edge.address()).unwrap();
        let request: EncryptionRequest = connection.receive().unwrap().read().unwrap();
        connection.send(&answer(&request, &[1; 16], &request.verify_token)).unwrap();
        connection.encrypt(&[1; 16]);
        connection.receive().unwrap().read::<LoginSuccess>().unwrap();
        let mut bytes = connection.frame(&body(&LoginAcknowledged {})).unwrap();
        for _ in 0..MESSAGES {
            bytes.extend(connection.frame(&plugin_message(5_000)).unwrap());
        }
        connection.raw(&bytes).unwrap();
        connection.enter(State::Configuration);
        let Transfer { host, port } = connection.receive().unwrap().read().unwrap();
        assert_eq!((host.as_str(), port), HUB);
        match connection.receive() {
            Err(Trouble::Closed) => {}
            other => panic!("expected a close in good order: {other:?}"),
        }
    }
}
