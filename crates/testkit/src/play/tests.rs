//! The kit against itself, without an edge: that sound clients and hosts find nothing, and that each fault is found.

mod host;
mod together;

use super::*;
use crate::PATIENCE;
use drawbridge_protocol::ids::Kind;
use drawbridge_protocol::version::RELEASES;
use std::time::Duration;

/// Enough for every kind of packet to pass within a second.
const BUSY: Traffic = Traffic { small: 60, chunks: 6 };
/// Versions of each way to tell of a world.
const KINDS: [i32; 9] = [47, 107, 340, 578, 736, 754, 763, 764, 775];

/// Every release that hosts speak.
fn releases() -> Vec<i32> {
    let numbers = RELEASES.iter().map(|release| release.version.number());
    numbers.filter(|number| (47..=775).contains(number)).collect()
}

/// That nobody has found anything.
#[track_caller]
fn sound(host: &Host, crowd: &Crowd) {
    assert_eq!((host.faults(), crowd.faults()), (vec![], vec![]));
}

/// The first fault that the crowd of one finds.
#[track_caller]
fn found(crowd: &Crowd) -> Fault {
    let fault = crate::eventually(PATIENCE, || crowd.faults().into_iter().next());
    fault.unwrap_or_else(|| panic!("nothing is found: {:?}", crowd.resident(0))).1
}

#[test]
fn each_misdeed_is_found_for_what_it_is() {
    let spot = Spot { server: 7, visit: 1 };
    let next = Spot { server: 7, visit: 2 };
    let cases = [
        (Misdeed::Skips, 775, Fault::OutOfTurn { at: spot, expected: 0, heard: 1 }),
        (Misdeed::Repeats, 340, Fault::OutOfTurn { at: spot, expected: 1, heard: 0 }),
        (
            Misdeed::Impersonates,
            763,
            Fault::Elsewhere { heard: Spot { server: 8, visit: 1 }, at: Some(spot) },
        ),
        (Misdeed::Misdelivers, 47, Fault::AnothersMark(spot)),
        (Misdeed::Spoils, 764, Fault::Spoilt(20)),
        (Misdeed::JoinsTwice, 763, Fault::JoinedTwice(spot)),
        (Misdeed::KeepsTheWorld, 763, Fault::NoRespawn(Some(next))),
        (Misdeed::KeepsTheWorld, 47, Fault::NoRespawn(Some(next))),
        (Misdeed::RespawnsInPlace, 47, Fault::SameDimension(0)),
        (Misdeed::RespawnsInPlace, 340, Fault::SameDimension(0)),
        (Misdeed::RespawnsInPlace, 578, Fault::SameDimension(0)),
        (Misdeed::KeepsRegistries, 764, Fault::Missing(Kind::RegistryData)),
        (Misdeed::KicksInBundle, 775, Fault::InBundle(Kind::KickDisconnect)),
    ];
    for (misdeed, version, fault) in cases {
        let host = Host::builder(7).pushes(BUSY).but(misdeed).start().unwrap();
        let crowd = Crowd::join(1, version, host.address()).unwrap();
        let found = found(&crowd);
        match (found, fault) {
            // How many came before differs from run to run.
            (
                Fault::OutOfTurn { at, expected, heard },
                Fault::OutOfTurn { at: spot, expected: due, heard: came },
            ) => {
                assert_eq!((at, expected.wrapping_sub(heard)), (spot, due.wrapping_sub(came)), "{misdeed:?}");
            }
            (found, fault) => assert_eq!(found, fault, "{misdeed:?} in {version}"),
        }
    }
}

/// A kilobyte or two each for the sockets' sake, in the kernel, isn't counted.
#[test]
fn a_resident_and_its_visit_cost_little_while_nothing_flows() {
    const COUNT: usize = 400;
    let host = Host::builder(1).compress(256).beat(Duration::from_millis(200)).start().unwrap();
    let join = |prefix: &str, count| {
        let crowd = Crowd::of(count, 775).called(prefix).join(host.address()).unwrap();
        crowd.all_at(&host, PATIENCE);
        crowd
    };
    // Threads, tables and zlib's states are there from here on.
    let first = join("a", 50);
    let before = resident_bytes();
    let crowd = join("b", COUNT);
    let each = resident_bytes().saturating_sub(before) / COUNT;
    println!("{each} bytes for a resident and its visit");
    assert!(each < 50_000, "{each} bytes for a resident and its visit");
    sound(&host, &first);
    sound(&host, &crowd);
}

/// What this process holds in memory.
fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * rustix::param::page_size()
}
