//! `drawbridge demo`: an edge to look at, with two worlds of its own, without any set-up.

use crate::run;
use crate::settings::Source;
use drawbridge_config::Document;
use drawbridge_limbo::World;
use drawbridge_protocol::version::RELEASES;
use std::process::ExitCode;

/// What there is to run.
const CONFIGURATION: &str = include_str!("demo.toml");

/// Runs it until it is told to stop.
pub(crate) fn run() -> ExitCode {
    let mut known = RELEASES.iter().filter(|release| World::of(release.version).is_some());
    let oldest = known.next().map_or("?", |release| release.first);
    let newest = known.next_back().map_or("?", |release| release.last);
    println!("Join localhost with Minecraft {oldest} to {newest}, under any name.");
    println!("In the game, /server island brings you to the other world, and /server hub back.");
    println!("Ctrl+C ends the edge. Nobody but this machine reaches it.\n");
    run::run(Source::built_in(Document::parse("demo.toml", CONFIGURATION)))
}
