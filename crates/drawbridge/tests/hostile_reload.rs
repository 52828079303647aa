//! Reloads under load: a thousand route files change while players are carried and the list is looked at. Nobody may notice.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_testkit::{Edge, Manner, PATIENCE, Target, eventually, need_descriptors, ping};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use support::raw::Raw;
use support::{description, edge};

const VERSION: ProtocolVersion = ProtocolVersion::V1_21;
const FILES: usize = 1_000;
const RELAYS: usize = 1_000;
const HELLO: &[u8] = b"\x05hello";
/// How soon a change has to count, once it is written; and what a machine that is busy elsewhere may make of that, all but the best time.
const LIVE: Duration = Duration::from_secs(1);
const BUSY: Duration = Duration::from_secs(4);

fn host(number: usize) -> String {
    format!("r{number}.example.com")
}

fn name(number: usize) -> String {
    format!("routes/r{number}.toml")
}

fn file(number: usize, target: SocketAddr, text: &str) -> String {
    format!(
        "[[routes]]\nname = \"r{number}\"\nhosts = [\"{}\"]\nmode = \"passthrough\"\ntargets = [\"{target}\"]\n\
         [routes.status]\ntype = \"fixed\"\ndescription = \"{text}\"\n",
        host(number)
    )
}

/// A player on this route, who has heard the target.
fn carried(edge: &Edge, number: usize) -> TcpStream {
    let mut player = Raw::joins_at(edge, VERSION.0, &host(number));
    player.hears(HELLO);
    player.0
}

fn says(edge: &Edge, number: usize) -> String {
    description(&ping(edge.address(), VERSION, &host(number)).unwrap().0)
}

/// How long it takes from now until the route says so.
#[track_caller]
fn live(edge: &Edge, number: usize, text: &str) -> Duration {
    let start = Instant::now();
    let comes = eventually(PATIENCE, || (says(edge, number) == text).then_some(()));
    assert!(comes.is_some(), "route {number} never says {text:?}");
    start.elapsed()
}

#[test]
fn a_thousand_route_files_change_under_players_and_pings() {
    need_descriptors(3 * RELAYS as u64 + 500);
    let target = Target::start(Manner::Echoes(HELLO.to_vec())).unwrap();
    let at = target.address();
    let mut builder = edge().config("[limits]\nper_address = 100000\n");
    for number in 0..FILES {
        builder = builder.file(&name(number), file(number, at, "zero"));
    }
    let edge = builder.start();
    let mut players: Vec<_> = (0..RELAYS).map(|number| carried(&edge, number % FILES)).collect();

    let (stop, pinged) = (AtomicBool::new(false), AtomicUsize::new(0));
    let started = Instant::now();
    thread::scope(|scope| {
        for worker in 0..4 {
            let (edge, stop, pinged) = (&edge, &stop, &pinged);
            scope.spawn(move || {
                // 125 a second each.
                for turn in 0_u32.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let early = (turn * Duration::from_millis(8)).saturating_sub(started.elapsed());
                    thread::park_timeout(early);
                    says(edge, (worker + turn as usize * 7) % FILES);
                    pinged.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut took = Vec::new();
        for number in [0, 499, 999, 1, 2, 3, 4, 5, 6, 7] {
            edge.rewrite_file(&name(number), file(number, at, "one"));
            took.push(live(&edge, number, "one"));
        }
        // Each by itself, as fast as they can be written; now and then it is looked how soon one counts.
        for number in 0..FILES {
            edge.rewrite_file(&name(number), file(number, at, "each"));
            if number % 50 == 49 {
                took.push(live(&edge, number, "each"));
            }
        }
        let each = |number| says(&edge, number) == "each";
        assert!((0..FILES).all(each), "a file was passed over");
        for number in 0..FILES {
            edge.rewrite_file(&name(number), file(number, at, "all"));
        }
        let written = Instant::now();
        for number in [0, 250, 500, 999] {
            live(&edge, number, "all");
        }
        let all = written.elapsed();
        stop.store(true, Ordering::Relaxed);
        println!("changes are live after {took:?}, all together after {all:?}");
        assert!(took.iter().chain([&all]).all(|took| *took < BUSY), "{took:?}, {all:?}");
        assert!(took.iter().any(|took| *took <= LIVE), "{took:?}");
    });
    let rate = pinged.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64();
    println!("{rate:.0} pings/s, all answered");
    assert!(rate > 200.0, "{rate:.0} pings/s only");
    for (number, player) in players.iter_mut().enumerate() {
        player.write_all(b"still here").unwrap();
        let mut heard = [0; 10];
        player.read_exact(&mut heard).unwrap_or_else(|error| panic!("player {number} was dropped: {error}"));
        assert_eq!(&heard, b"still here");
    }
}
