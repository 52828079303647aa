//! Reloads: time passed from the moment in which files of routes are written until the edge answers by them, while it carries players and
//! answers pings.

use crate::edge::{self, Settings};
use crate::memory;
use crate::relay::Ends;
use crate::report::{Goal, Line, Unit};
use crate::rounds::{Plan, Samples};
use anyhow::{Context as _, Result, ensure};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::status::{StatusRequest, StatusResponse};
use drawbridge_protocol::stream::{Inbound, Outbound};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const FILES: usize = 1_000;
const RELAYS: usize = 1_000;
/// Between two pings.
const EVERY: Duration = Duration::from_millis(2);
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);
const GOAL: Goal = Goal::AtMost(1.0);

/// Measures it.
///
/// # Errors
/// When a route never changes, a ping isn't answered or a relay is dropped.
pub(crate) fn measure(program: &Path, plan: &Plan) -> Result<Vec<Line>> {
    memory::raise_descriptor_limit(2 * RELAYS + memory::OWN_DESCRIPTORS)?;
    let target = TcpListener::bind("127.0.0.1:0")?;
    let (server, folder) = edge::start(program, &Settings::relaying(target.local_addr()?))?;
    let routes = Routes { folder: &folder.path().join("routes"), edge: server.address() };
    std::fs::create_dir(routes.folder)?;
    routes.become_live(0..FILES, "at first")?;
    let relays = Ends::open(server.address(), &target, RELAYS)?;
    let stop = AtomicBool::new(false);
    let samples = thread::scope(|scope| {
        let pinging = scope.spawn(|| routes.ping_until(&stop));
        let samples = changes(&routes, plan);
        stop.store(true, Ordering::Relaxed);
        pinging.join().expect("no panic").context("a ping wasn't answered")?;
        samples
    });
    relays.packets(1).context("a relay was dropped")?;
    let [one, all] = samples?;
    Ok(vec![
        Line::new("one of 1,000 files (time passed)", Unit::Seconds, &one).goal(GOAL),
        Line::new("all of them (time passed)", Unit::Seconds, &all).goal(GOAL),
    ])
}

/// How long changes take of one file each, and of all files.
fn changes(routes: &Routes<'_>, plan: &Plan) -> Result<[Samples; 2]> {
    let (mut one, mut all) = (Samples::new(), Samples::new());
    for round in 0..plan.rounds {
        let number = round * 389 % FILES;
        one.push(routes.become_live(number..=number, &format!("one {round}"))?);
        all.push(routes.become_live(0..FILES, &format!("all {round}"))?);
    }
    Ok([one, all])
}

/// Routes in a folder of files, and where they count.
struct Routes<'p> {
    folder: &'p Path,
    edge: SocketAddr,
}

impl Routes<'_> {
    /// Has routes say this; how long it takes until the last of them does, in seconds.
    fn become_live(&self, numbers: impl IntoIterator<Item = usize>, text: &str) -> Result<f64> {
        let mut last = 0;
        for number in numbers {
            last = number;
            let route = format!(
                "[[routes]]\nname = \"r{number}\"\nhosts = [\"{}\"]\nmode = \"transfer\"\ntargets = [\"backend.example.com:25566\"]\n\
                 [routes.status]\ntype = \"fixed\"\ndescription = \"{text}\"\n",
                host(number)
            );
            std::fs::write(self.folder.join(format!("r{number}.toml")), route)?;
        }
        let written = Instant::now();
        while !says(self.edge, &host(last))?.contains(text) {
            ensure!(written.elapsed() < PATIENCE, "route {last} never says {text:?}");
            thread::park_timeout(EVERY);
        }
        Ok(written.elapsed().as_secs_f64())
    }

    /// Looks at one after the other.
    fn ping_until(&self, stop: &AtomicBool) -> Result<()> {
        let start = Instant::now();
        for number in 0.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            says(self.edge, &host(usize::try_from(number)? % FILES))?;
            thread::park_timeout((number * EVERY).saturating_sub(start.elapsed()));
        }
        Ok(())
    }
}

fn host(number: usize) -> String {
    format!("r{number}.example.com")
}

/// The status at a host.
fn says(edge: SocketAddr, host: &str) -> Result<String> {
    let version = ProtocolVersion::newest();
    let (mut bytes, mut outbound, mut inbound) = (Vec::new(), Outbound::new(), Inbound::new(1 << 20));
    let handshake = Handshake { version, host: host.to_owned(), port: 25565, intent: Intent::Status };
    outbound.write(version, &handshake, &mut bytes)?;
    outbound.write(version, &StatusRequest {}, &mut bytes)?;
    let mut stream = TcpStream::connect(edge)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&bytes)?;
    let mut buffer = [0; 4096];
    loop {
        if let Some(packet) = inbound.next_packet()? {
            return Ok(packet.read::<StatusResponse>(version)?.document);
        }
        let read = stream.read(&mut buffer)?;
        ensure!(read > 0, "the edge hung up");
        inbound.feed(&buffer[..read]);
    }
}
