//! How many connections an edge holds, in steps until it breaks: sockets that say nothing, and players in relays and sessions. What breaks first,
//! and how it shows: to a client, in the log, in metrics.

use crate::figures::{mebibytes, table, time};
use crate::players::{Players, all_sound};
use crate::scene::{Scene, TRANSFER};
use crate::wire::VERSION;
use anyhow::Result;
use drawbridge_testkit::{Connection, Edge, Player, Scrape, need_descriptors, ping};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::{Duration, Instant};

/// The most sockets that this process opens.
const MOST: usize = 30_000;
/// Descriptors of this process beside the connections.
const OWN: usize = 300;
/// What is added in a step, of sockets and of players.
const SOCKETS: usize = 4_000;
const PLAYERS: usize = 1_000;
/// How often each of the players says something.
const SELDOM: Duration = Duration::from_secs(10);
/// How long the edge may take to close a connection that it doesn't want.
const CLOSES: Duration = Duration::from_millis(500);

/// Takes all the steps; what came of them, as text.
///
/// # Errors
/// When something can't be started, or a player loses a packet.
pub fn measure(program: &Path) -> Result<String> {
    let mut text = String::new();
    text.push_str(&silent(program)?);
    text.push_str(&playing(program)?);
    Ok(text)
}

/// How many descriptors this process may open, the system's limit and [`MOST`] considered.
fn allowed() -> Result<usize> {
    let maximum = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    let allowed = usize::try_from(maximum.unwrap_or(MOST as u64))?.min(MOST);
    need_descriptors(allowed as u64);
    Ok(allowed.saturating_sub(OWN))
}

const HEADS: [&str; 6] =
    ["held", "edge's descriptors", "its memory (PSS)", "a connection", "opened in", "another's ping"];

/// A step: what was held, and what a ping of somebody else took then, if it was answered.
fn row(edge: &Edge, held: usize, at_first: u64, opened: Duration) -> (Vec<String>, bool) {
    let memory = edge.memory().pss;
    let pinged = ping(edge.address(), VERSION, TRANSFER);
    let answered = pinged.as_ref().map_or_else(ToString::to_string, |(_, took)| time(*took));
    let each = memory.saturating_sub(at_first) / held.max(1) as u64;
    let row = [
        held.to_string(),
        edge.descriptors().to_string(),
        mebibytes(memory),
        format!("{each} B"),
        time(opened),
        answered,
    ];
    (row.to_vec(), pinged.is_ok())
}

fn silent(program: &Path) -> Result<String> {
    let (scene, most) = (Scene::start(program)?, allowed()?);
    let edge = &scene.edge;
    let (at_first, mut rows, mut held) = (edge.memory().pss, Vec::new(), Vec::new());
    let broken = loop {
        let (start, goal) = (Instant::now(), (held.len() + SOCKETS).min(most));
        while held.len() < goal {
            // Some thousands at each address, for each has 28,000 ports.
            let from = IpAddr::from(Ipv4Addr::new(127, 3, 0, 1 + (held.len() / 5_000) as u8));
            held.push(Connection::open_from(from, edge.address(), VERSION)?);
        }
        let turned_away =
            held.iter_mut().rev().take(100).filter_map(|one| one.has_ended().ok()).filter(|&ended| ended);
        let turned_away = turned_away.count();
        let (row, answered) = row(edge, held.len(), at_first, start.elapsed());
        rows.push(row);
        if turned_away > 0 || !answered {
            break true;
        }
        if held.len() == most {
            break false;
        }
    };
    let mut text = format!("Sockets that say nothing\n{}", table(&HEADS, &rows));
    if broken {
        let kept = kept(&mut held);
        let _ = writeln!(text, "  it keeps {kept} of {} open; how that shows:", held.len());
        text.push_str(&symptoms(edge));
    } else {
        let _ = writeln!(text, "  nothing breaks: this process may open no more sockets ({most})");
    }
    drop(held);
    let back = drawbridge_testkit::eventually(Duration::from_secs(20), || {
        ping(edge.address(), VERSION, TRANSFER).ok().map(|(_, took)| took)
    });
    let back =
        back.map_or_else(|| "no ping is answered".to_owned(), |took| format!("a ping takes {}", time(took)));
    let _ = writeln!(text, "  when they have gone, {back}");
    Ok(text)
}

/// How many are still open, once the edge has closed those that it doesn't want.
fn kept(held: &mut [Connection]) -> usize {
    let mut count = usize::MAX;
    loop {
        let open = held.iter_mut().filter_map(|one| one.has_ended().ok()).filter(|ended| !ended).count();
        if open == count {
            return count;
        }
        count = open;
        std::thread::park_timeout(CLOSES);
    }
}

fn playing(program: &Path) -> Result<String> {
    let (scene, most) = (Scene::start(program)?, allowed()?);
    let edge = &scene.edge;
    let (at_first, mut rows, mut parties, mut held) = (edge.memory().pss, Vec::new(), Vec::new(), 0);
    let broken = loop {
        // Both ends of each are here.
        let more = PLAYERS.min(most.saturating_sub(2 * held) / 2);
        if more < 2 {
            break None;
        }
        let start = Instant::now();
        let (players, turned_away) = Players::come(edge.address(), [more / 2, more / 2], SELDOM)?;
        parties.push(players);
        held += more / 2 * 2 - turned_away.len();
        rows.push(row(edge, held, at_first, start.elapsed()).0);
        if let Some(why) = turned_away.first() {
            break Some(format!("{} players don't get in ({why})", turned_away.len()));
        }
    };
    let mut text =
        format!("\nPlayers, half of them in relays and half in sessions\n{}", table(&HEADS, &rows));
    match broken {
        Some(why) => {
            let _ = writeln!(text, "  {why}; how that shows:");
            text.push_str(&symptoms(edge));
        }
        None => {
            let _ = writeln!(text, "  nothing breaks: this process may open no more sockets ({most})");
        }
    }
    // Those who were in before play on.
    parties.iter().try_for_each(|players| all_sound(&players.take()))?;
    Ok(text)
}

/// What a client sees, what is counted and what is logged.
fn symptoms(edge: &Edge) -> String {
    let mut text = String::new();
    let pinged = ping(edge.address(), VERSION, TRANSFER);
    let pinged = pinged.map_or_else(|trouble| trouble.to_string(), |(_, took)| time(took));
    let visit = Player::new("Stranger", VERSION).host(TRANSFER).join(edge.address());
    let _ = writeln!(text, "    a client's ping: {pinged}; a login: {:?}", visit.outcome);
    let scrape = Scrape::of(edge.metrics_address());
    for name in [
        "drawbridge_limited_total",
        "drawbridge_connections_undecided",
        "process_open_fds",
        "process_max_fds",
    ] {
        for (sample, value) in
            scrape.0.iter().filter(|(sample, value)| sample.starts_with(name) && **value > 0.0)
        {
            let _ = writeln!(text, "    {sample} {value}");
        }
    }
    let log = edge.log();
    let _ = writeln!(
        text,
        "    {} lines of the log, warnings and errors; the last:",
        log.len().saturating_sub(1)
    );
    let loud = log.iter().filter(|line| matches!(line.level(), Some("WARN" | "ERROR")));
    for line in loud.rev().take(2) {
        let _ = writeln!(text, "      {line}");
    }
    text
}
