//! Relays: what it costs to carry bytes, against HAProxy in TCP mode and two bare relays, one of which only copies and one only splices.

pub(crate) mod bare;
mod load;

use crate::edge::{self, Settings};
use crate::memory;
use crate::process::Server;
use crate::report::{Goal, Line, Unit};
use crate::rounds::{Plan, Samples};
use anyhow::{Context as _, Result};
pub(crate) use load::Ends;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What targets say first.
pub(crate) const GREETING: &[u8] = b"\x07welcome";

/// Edge against the best of the others.
const GOAL: Goal = Goal::RatioAtMost(1.05);

/// Edge against HAProxy, in time passed.
const NO_SLOWER: Goal = Goal::RatioAtMost(1.0);
/// Beyond the kernel's buffers.
const IDLE: Goal = Goal::AtMost(4.0 * 1024.0);

/// Connections of bulk at once, and of small packets.
const BULK: usize = 2;
const MANY: usize = 400;
/// Connections of small packets of which it is asked how long they are under way. With 400, two cores are busy with both ends and the relay, and
/// what is measured is who is given a core first.
const FEW: usize = 100;

/// What flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Load {
    /// Writes of 64 KiB.
    Large,
    /// Writes of 1 KiB.
    Middle,
    /// 400 connections with 200 bytes every 20 ms.
    Small,
    /// The same with 100 connections.
    Paced,
}

impl Load {
    const ALL: [Self; 4] = [Self::Large, Self::Middle, Self::Small, Self::Paced];

    const fn name(self) -> &'static str {
        match self {
            Self::Large => "GiB, 64 KiB writes",
            Self::Middle => "GiB, 1 KiB writes",
            Self::Small => "packet, 400 × 200 B every 20 ms",
            Self::Paced => "packet, 100 × 200 B every 20 ms",
        }
    }
}

struct Subject {
    name: &'static str,
    server: Server,
    samples: [Samples; Load::ALL.len()],
    /// How long packets were under way, in seconds, for each load: what half of them took at most, and 99 of 100.
    latencies: [[Samples; 2]; Load::ALL.len()],
    _folder: Option<TempDir>,
}

/// Whether HAProxy is there.
///
/// # Errors
/// When it isn't, with how to get it.
pub(crate) fn check() -> Result<()> {
    let found = Command::new("haproxy").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.map(drop).context(
        "haproxy is needed for comparison: `apt-get install haproxy`, or leave out the section `relay`",
    )
}

/// Measures all of it.
///
/// # Errors
/// When a relay can't be started or loses something.
pub(crate) fn measure(program: &Path, plan: &Plan) -> Result<Vec<Line>> {
    let target = TcpListener::bind("127.0.0.1:0")?;
    let address = target.local_addr()?;
    let (edge, config) = edge::start(program, &Settings::relaying(address))?;
    let bare =
        |way: &str| Server::start(Command::new(std::env::current_exe()?).args([way, &address.to_string()]));
    let (haproxy, haproxy_config) = haproxy(address)?;
    let mut subjects = [
        ("edge", edge, Some(config)),
        ("HAProxy", haproxy, Some(haproxy_config)),
        ("copying alone", bare("relay-copy")?, None),
        ("splicing alone", bare("relay-splice")?, None),
    ]
    .map(|(name, server, folder)| Subject {
        name,
        server,
        samples: Default::default(),
        latencies: Default::default(),
        _folder: folder,
    });
    for round in 0..plan.relay_rounds {
        for load in Load::ALL {
            for turn in 0..subjects.len() {
                let index = (turn + round) % subjects.len();
                subjects[index].carry(load, &target, plan)?;
            }
        }
    }
    let mut lines = lines(&subjects);
    drop(subjects);
    memory::raise_descriptor_limit(2 * (plan.relays + memory::WARM_UP) + memory::OWN_DESCRIPTORS)?;
    let idle = (0..plan.memory_rounds).map(|_| idle(program, plan, &target)).collect::<Result<Vec<_>>>()?;
    let label = format!("edge, memory of one of {} relays that are idle", plan.relays);
    lines.push(Line::new(label, Unit::Bytes, &idle).goal(IDLE));
    Ok(lines)
}

impl Subject {
    fn carry(&mut self, load: Load, target: &TcpListener, plan: &Plan) -> Result<()> {
        let count = match load {
            Load::Large | Load::Middle => BULK,
            Load::Small => MANY,
            Load::Paced => FEW,
        };
        let ends = Ends::open(self.server.address(), target, count)
            .with_context(|| format!("{}: opening connections", self.name))?;
        let before = self.server.cpu_time()?;
        let amount = match load {
            Load::Large => bulk(&ends, 64 * 1024, plan.relayed)?,
            Load::Middle => bulk(&ends, 1024, plan.relayed / 4)?,
            Load::Small | Load::Paced => {
                let latencies = ends.packets(plan.relayed_packets)?;
                for (samples, part) in self.latencies[load as usize].iter_mut().zip([0.5, 0.99]) {
                    samples.push(quantile(&latencies, part));
                }
                latencies.len() as f64
            }
        };
        let used = self.server.cpu_time()?.saturating_sub(before).as_secs_f64();
        self.samples[load as usize].push(used / amount);
        Ok(())
    }
}

/// Carries so many bytes; how many GiB that were.
fn bulk(ends: &Ends, piece: usize, bytes: usize) -> Result<f64> {
    ends.bulk(piece, bytes / BULK)?;
    Ok(bytes as f64 / f64::from(1 << 30))
}

fn lines(subjects: &[Subject]) -> Vec<Line> {
    let mut lines: Vec<_> = Load::ALL.into_iter().flat_map(|load| cost(subjects, load)).collect();
    lines.extend([Load::Small, Load::Paced].into_iter().flat_map(|load| delay(subjects, load)));
    lines
}

/// What it costs to carry this load: the edge against the best of the others, and each of those.
fn cost(subjects: &[Subject], load: Load) -> Vec<Line> {
    let [edge, others @ ..] = subjects else { return Vec::new() };
    let of = |subject: &Subject| subject.samples[load as usize].clone();
    let median = |subject: &&Subject| Line::new("", Unit::Seconds, &of(subject)).value.median;
    let best = others.iter().min_by(|one, other| median(one).total_cmp(&median(other)));
    let ours = best.map(|best| {
        let line = Line::new(format!("edge, CPU a {}", load.name()), Unit::Seconds, &of(edge));
        let line = line.against(best.name, &of(edge), &of(best));
        if load == Load::Paced { line } else { line.goal(GOAL) }
    });
    let theirs = others.iter().map(|other| Line::new(format!("  {}", other.name), Unit::Seconds, &of(other)));
    ours.into_iter().chain(theirs).collect()
}

/// How long packets of this load are under way: the edge against HAProxy, and the others.
fn delay(subjects: &[Subject], load: Load) -> Vec<Line> {
    let [edge, haproxy, bare @ ..] = subjects else { return Vec::new() };
    let mut lines = Vec::new();
    for (index, part) in ["half", "99 of 100"].into_iter().enumerate() {
        let of = |subject: &Subject| subject.latencies[load as usize][index].clone();
        let label = format!("edge, {part} are there within (time passed), a {}", load.name());
        let line = Line::new(label, Unit::Seconds, &of(edge)).against(haproxy.name, &of(edge), &of(haproxy));
        lines.push(if load == Load::Paced { line.goal(NO_SLOWER) } else { line });
        lines.extend(
            bare.iter().map(|other| Line::new(format!("  {}", other.name), Unit::Seconds, &of(other))),
        );
    }
    lines
}

/// What each of as many idle relays as there are descriptors for adds to the edge's memory, in bytes.
fn idle(program: &Path, plan: &Plan, target: &TcpListener) -> Result<f64> {
    let (server, _config) = edge::start(program, &Settings::relaying(target.local_addr()?))?;
    let mut held = Vec::new();
    let mut before = 0.0;
    for count in [memory::WARM_UP, plan.relays] {
        before = server.memory()?;
        let ends =
            Ends::open(server.address(), target, count).with_context(|| format!("opening {count} relays"))?;
        // None is idle from the start: whatever carrying takes has been taken.
        ends.packets(2)?;
        held.push(ends);
    }
    let memory = server.memory()?;
    for ends in &held {
        ends.packets(1).context("a relay that was idle carries nothing")?;
    }
    Ok((memory - before) / plan.relays as f64)
}

fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (sorted.len() as f64 * part) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

fn haproxy(target: SocketAddr) -> Result<(Server, TempDir)> {
    // A port that was free a moment ago: HAProxy doesn't tell which one it got.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let folder = tempfile::tempdir()?;
    let config = format!(
        "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n\
         listen relay\n  bind {address}\n  server target {target}\n"
    );
    let file = folder.path().join("haproxy.cfg");
    std::fs::write(&file, config)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("run-haproxy").arg(address.to_string()).arg(&file);
    Ok((Server::start(&mut command)?, folder))
}
