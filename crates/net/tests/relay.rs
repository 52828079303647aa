//! What a relay promises to both of its sides, seen from outside.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Edge, SOON, connect};
use drawbridge_net::Socket;
use drawbridge_net::relay::{End, Method, Options, Relay, Traffic};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const METHODS: [Method; 3] = [Method::Adaptive, Method::Copy, Method::Splice];

/// A reactor whose connections are all relayed to one target.
struct House {
    edge: Edge,
    target: TcpListener,
    ends: Receiver<(End, Traffic)>,
}

impl House {
    fn start(options: Options) -> Self {
        let target = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = target.local_addr().unwrap();
        let (told, ends) = channel();
        let told = Arc::new(Mutex::new(told));
        let edge = Edge::start(move |client: Socket| {
            let told = Arc::clone(&told);
            async move {
                let dialer = client.dialer();
                let target = dialer.connect(address, client.now() + SOON).await.unwrap();
                let mut relay = Relay::new(client, target, b"first ".to_vec(), options);
                let end = relay.run().await;
                told.lock().unwrap().send((end, relay.traffic())).unwrap();
            }
        });
        Self { edge, target, ends }
    }

    /// A client, and its target's side of the relay, which has heard what goes first.
    fn pair(&self) -> (TcpStream, TcpStream) {
        let client = self.edge.connect();
        let (mut target, _) = self.target.accept().unwrap();
        target.set_read_timeout(Some(SOON)).unwrap();
        target.set_write_timeout(Some(SOON)).unwrap();
        target.set_nodelay(true).unwrap();
        let mut first = [0; 6];
        target.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"first ");
        (client, target)
    }

    #[track_caller]
    fn ended(&self) -> (End, Traffic) {
        self.ends.recv_timeout(SOON).unwrap()
    }
}

/// Bytes that tell where in the stream they stand.
fn pattern(at: usize, len: usize) -> Vec<u8> {
    (at..at + len).map(|at| (at.wrapping_mul(0x9e37_79b1) >> 11) as u8).collect()
}

/// Sends `total` bytes in pieces from one byte to 200 KB, and says that nothing more comes.
fn say(mut stream: &TcpStream, total: usize, seed: usize) {
    let (mut at, mut piece) = (0, seed);
    while at < total {
        piece = piece.wrapping_mul(1_103_515_245).wrapping_add(12_345) & 0x7fff_ffff;
        // Bulk and small packets, each for a while.
        let most = if at / 3_000_000 % 2 == 0 { 200_000 } else { 400 };
        let len = (1 + piece % most).min(total - at);
        stream.write_all(&pattern(at, len)).unwrap();
        at += len;
    }
    stream.shutdown(Shutdown::Write).unwrap();
}

/// Reads to the end and checks each byte; how many there were.
fn hear(mut stream: &TcpStream) -> usize {
    let (mut at, mut buffer) = (0, vec![0; 50_000]);
    loop {
        let read = stream.read(&mut buffer).unwrap();
        if read == 0 {
            return at;
        }
        assert!(buffer[..read] == pattern(at, read), "other bytes between {at} and {}", at + read);
        at += read;
    }
}

#[test]
fn all_bytes_arrive_in_their_order_both_ways() {
    const UP: usize = 7_000_001;
    const DOWN: usize = 13_000_003;
    for method in METHODS {
        let house = House::start(Options { method, ..Options::default() });
        let (client, target) = house.pair();
        thread::scope(|scope| {
            scope.spawn(|| say(&client, UP, 1));
            scope.spawn(|| say(&target, DOWN, 2));
            let heard = scope.spawn(|| hear(&target));
            assert_eq!(hear(&client), DOWN, "{method:?}");
            assert_eq!(heard.join().unwrap(), UP, "{method:?}");
        });
        let traffic = Traffic { up: UP as u64 + 6, down: DOWN as u64 };
        assert_eq!(house.ended(), (End::Closed, traffic), "{method:?}");
    }
}

/// Pipes of this process: each has two ends.
#[cfg(target_os = "linux")]
fn pipes() -> usize {
    let links =
        std::fs::read_dir("/proc/self/fd").unwrap().flatten().map(|link| std::fs::read_link(link.path()));
    links.flatten().filter(|to| to.to_string_lossy().starts_with("pipe:")).count() / 2
}

/// What a sink doesn't take is kept in a pipe where it came by splice(2), and in memory where it was copied.
#[cfg(target_os = "linux")]
#[test]
fn small_packets_are_copied_and_bulk_is_spliced_through_pipes_that_nobody_holds_for_long() {
    const STALLED: usize = 6;
    for (method, spliced) in
        [(Method::Adaptive, [false, true]), (Method::Copy, [false; 2]), (Method::Splice, [true; 2])]
    {
        let before = pipes();
        let house = House::start(Options { method, ..Options::default() });
        let pairs: Vec<_> = (0..STALLED).map(|_| house.pair()).collect();
        for (client, target) in &pairs {
            let (mut client, mut target) = (client, target);
            for _ in 0..20 {
                target.write_all(&[7; 200]).unwrap();
                client.read_exact(&mut [0; 200]).unwrap();
            }
        }
        assert_eq!(pipes() > before, spliced[0], "{method:?}, small packets");
        for (_, target) in &pairs {
            fill(target);
        }
        let held = pipes() - before;
        assert_eq!(held >= STALLED, spliced[1], "{method:?}: {held} pipes hold bulk");
        for (client, target) in &pairs {
            target.shutdown(Shutdown::Write).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            let _ = std::io::copy(&mut &*client, &mut std::io::sink()).unwrap();
        }
        for _ in &pairs {
            assert_eq!(house.ended().0, End::Closed);
        }
        let kept = pipes() - before;
        assert!(kept <= 4, "{method:?}: {kept} pipes are kept");
        drop(house);
    }
}

#[test]
fn one_direction_may_end_before_the_other() {
    for method in METHODS {
        let house = House::start(Options { method, ..Options::default() });
        let (mut client, mut target) = house.pair();
        client.write_all(b"that is all").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut heard = String::new();
        target.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "that is all");
        for word in ["one ", "two "] {
            target.write_all(word.as_bytes()).unwrap();
            let mut heard = [0; 4];
            client.read_exact(&mut heard).unwrap();
            assert_eq!(heard, word.as_bytes());
        }
        drop(target);
        assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
        assert_eq!(house.ended().0, End::Closed);
    }
}

/// Writes until nothing more is taken.
fn fill(mut stream: &TcpStream) {
    stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let error = loop {
        if let Err(error) = stream.write(&[7; 65_536]) {
            break error;
        }
    };
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
}

#[test]
fn who_does_not_read_stalls_one_direction_and_not_for_ever() {
    for method in METHODS {
        let stalled = Duration::from_secs(2);
        let house = House::start(Options { method, stalled, ..Options::default() });
        let (mut client, mut target) = house.pair();
        fill(&target);
        let start = Instant::now();
        client.write_all(b"I only talk").unwrap();
        let mut heard = [0; 11];
        target.read_exact(&mut heard).unwrap();
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        assert_eq!(house.ended().0, End::ClientStalled, "{method:?}");

        let (client, mut target) = house.pair();
        fill(&client);
        assert_eq!(house.ended().0, End::TargetStalled, "{method:?}");
        target.read_to_end(&mut Vec::new()).unwrap_or_default();
    }
}

/// What a side that reads again hears is what was said meanwhile, in its order.
#[test]
fn who_reads_again_has_missed_nothing() {
    /// More than all sockets hold.
    const PIECES: usize = 450;
    const PIECE: usize = 64 * 1024;
    for method in METHODS {
        let house = House::start(Options { method, ..Options::default() });
        let (client, target) = house.pair();
        for (mut says, hears) in [(&client, &target), (&target, &client)] {
            let said = AtomicUsize::new(0);
            thread::scope(|scope| {
                scope.spawn(|| {
                    for piece in 0..PIECES {
                        says.write_all(&pattern(piece * PIECE, PIECE)).unwrap();
                        said.store(piece + 1, Ordering::Relaxed);
                    }
                    says.shutdown(Shutdown::Write).unwrap();
                });
                let mut before = usize::MAX;
                while before != said.load(Ordering::Relaxed) || before == 0 {
                    before = said.load(Ordering::Relaxed);
                    thread::park_timeout(Duration::from_millis(400));
                }
                assert!(before < PIECES, "{method:?}: all of it was taken");
                assert_eq!(hear(hears), PIECES * PIECE, "{method:?}");
            });
        }
        assert_eq!(house.ended().0, End::Closed, "{method:?}");
    }
}

#[test]
fn silence_ends_a_relay_where_it_may_not_last() {
    let house = House::start(Options { idle: Some(Duration::from_millis(700)), ..Options::default() });
    let (mut client, mut target) = house.pair();
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1_500) {
        client.write_all(b"knock").unwrap();
        target.read_exact(&mut [0; 5]).unwrap();
    }
    let silent = Instant::now();
    assert_eq!(house.ended().0, End::Idle);
    assert!(silent.elapsed() > Duration::from_millis(600), "{:?}", silent.elapsed());

    let half_closed = Duration::from_millis(700);
    let house = House::start(Options { half_closed, ..Options::default() });
    let (client, _target) = house.pair();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(house.ended().0, End::Idle);
}

#[test]
fn a_connection_that_breaks_ends_the_other() {
    for method in METHODS {
        let house = House::start(Options { method, ..Options::default() });
        let (mut client, target) = house.pair();
        // With something unread, closing resets the connection.
        client.write_all(b"unread").unwrap();
        target.peek(&mut [0; 6]).unwrap();
        drop(target);
        let _ = client.read(&mut [0; 1]);
        drop(client);
        assert!(matches!(house.ended().0, End::Broken | End::Closed));
    }
}

#[test]
fn whoever_refuses_is_told_of_at_once_and_whoever_is_silent_at_the_deadline() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // Of a full queue the system answers nothing.
    let full = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = full.local_addr().unwrap();
    let (told, errors) = channel();
    let told = Arc::new(Mutex::new(told));
    let edge = Edge::start(move |client: Socket| {
        let told = Arc::clone(&told);
        async move {
            let kind = |address: SocketAddr, within| {
                let (dialer, now) = (client.dialer(), client.now());
                async move { dialer.connect(address, now + within).await.map(drop).map_err(|error| error.kind()) }
            };
            let refused = kind(nobody, SOON).await;
            told.lock().unwrap().send(refused).unwrap();
            let mut waiting = Vec::new();
            // More than a queue holds.
            let silent = loop {
                let dialer = client.dialer();
                match dialer.connect(address, Instant::now() + Duration::from_millis(500)).await {
                    Ok(socket) => waiting.push(socket),
                    Err(error) => break error.kind(),
                }
                assert!(waiting.len() < 10_000);
            };
            told.lock().unwrap().send(Err(silent)).unwrap();
        }
    });
    let _client = connect(edge.address).unwrap();
    assert_eq!(errors.recv_timeout(SOON).unwrap(), Err(ErrorKind::ConnectionRefused));
    assert_eq!(errors.recv_timeout(SOON).unwrap(), Err(ErrorKind::TimedOut));
    drop(full);
}
