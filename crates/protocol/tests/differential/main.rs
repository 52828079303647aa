//! The edge's packets and node-minecraft-protocol's, with random values, in every release that minecraft-data has a table of.
//!
//! node-minecraft-protocol writes packets from the tables (`tests/node/random.mjs`). Of every packet the id has to lead to its name here, and back. Those that
//! the edge has a type or a reader for hold here the values that they hold there, and are written again as the same bytes; where the edge has
//! one normal form, node-minecraft-protocol has to find the same values in it. Then it reads what the edge writes: packets with random values, and
//! those that are made of a server's.
//!
//! A run that fails says its seed: `cargo xtask differential --seed` repeats it. What must stay true: nothing is passed over in silence. What the generator
//! can't make is a fault, and what a reader refuses has to be over a bound that stands in [`trial::BOUNDS`], or in [`trial::MEANINGS`].

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on has failed")]

mod joining;
mod node;
mod passing;
mod random;
mod seen;
mod shown;
mod trees;
mod trial;
mod typed;
mod words;

use drawbridge_protocol::ids;
use node::{Node, Written};
use trial::{Known, Trial};

/// The seed of the suite. Any other run has its own.
const SEED: &str = "drawbridge";

/// How often each packet that is known is written, and said, in each release.
const ROUNDS: usize = 4;

#[test]
fn packets_are_as_another_implementation_writes_and_reads_them() {
    let variable = |name: &str| std::env::var(format!("DRAWBRIDGE_DIFFERENTIAL_{name}")).ok();
    let seed = variable("SEED").unwrap_or_else(|| SEED.to_owned());
    let rounds = variable("ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().expect("a number of rounds"));
    let known: Vec<Known> = [typed::KNOWN, passing::KNOWN].concat();
    let mut node = Node::start();
    let written = node.write(&seed, rounds, &known);
    let mut trial = Trial::new(&seed);
    for packet in &written {
        looked_up(packet, &mut trial);
        for known in known.iter().filter(|known| known.is(packet)) {
            trial.check(known, packet);
        }
    }
    let mut versions: Vec<_> = written.iter().map(|packet| packet.version).collect();
    versions.dedup();
    println!("{} packets of {} versions looked up", written.len(), versions.len());
    assert!(versions.len() > 45, "tables are missing");
    for version in versions {
        for round in 0..rounds {
            typed::say(version, round, &mut trial);
            shown::say(version, round, &mut trial);
        }
    }
    trial.every_reader_has_read(&known);
    node.read(&mut trial);
    trial.end();
}

/// The id leads to the name, and the name to the id.
fn looked_up(packet: &Written, trial: &mut Trial) {
    let Written { version, state, direction, .. } = *packet;
    let kind = ids::kind(version, state, direction, packet.id());
    let id = kind.and_then(|kind| ids::id(version, state, direction, kind));
    if kind.map(ids::Kind::name) != Some(&packet.name) || id != Some(packet.id()) {
        trial.fault(packet, &format!("its id is that of {kind:?}, and this one's is {id:?}"));
    }
}
