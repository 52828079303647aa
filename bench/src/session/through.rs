//! The same through an edge as it runs: real sockets, many players, and CPU time of its process, the kernel's share of it included. In turn
//! with it, an edge that relays the same bytes.

use super::mix::{Mix, Recording};
use super::{AT_ONCE, End, IN_PLAIN_SIGHT};
use crate::edge::{self, Settings};
use crate::login::session_server::SessionServer;
use crate::process::Server;
use crate::report::{Line, Unit};
use crate::rounds::{Plan, Samples};
use anyhow::{Context as _, Result, ensure};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::Direction;
use std::net::TcpListener;
use std::path::Path;
use tempfile::TempDir;

pub(super) mod ends;
mod load;

/// From how many bytes on both sides compress.
pub(super) const THRESHOLD: usize = 256;

/// Players at once: with frames every tick, and with as many as get through.
const PLAYERS: usize = 100;
const BULK: usize = 2;

/// What players in a session speak, but where the mix is carried as it was recorded.
pub(super) const VERSION: ProtocolVersion = ProtocolVersion::V26_1;
const RECORDED: ProtocolVersion = ProtocolVersion::V1_16_4;

/// Who carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    /// An edge, as bytes.
    Relay,
    /// An edge, by sessions without a cipher.
    Plain,
    /// The same in a version in which the edge takes note of lists of players, teams and such.
    Noting,
    /// An edge, by sessions to encrypted clients.
    Encrypted,
}

impl Carrier {
    const ALL: [Self; 4] = [Self::Relay, Self::Plain, Self::Noting, Self::Encrypted];

    const fn version(self) -> ProtocolVersion {
        match self {
            Self::Relay | Self::Noting => RECORDED,
            Self::Plain | Self::Encrypted => VERSION,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Plain => "session, no cipher",
            Self::Noting => "session, no cipher, 1.16.5 (it notes what a switch has to undo)",
            Self::Encrypted => "session, encrypted",
        }
    }
}

/// What is carried, and in which way.
struct Load {
    name: &'static str,
    mix: &'static str,
    /// Of the packets that were recorded once and stand for many none is like another.
    varied: bool,
    direction: Direction,
    /// How many frames come at once; as many as get through where there is no such number.
    at_once: Option<usize>,
}

const LOADS: [Load; 6] = [
    Load {
        name: "mean 231 B, 50 a tick, to clients",
        mix: "small",
        varied: false,
        direction: Direction::Clientbound,
        at_once: Some(AT_ONCE),
    },
    Load {
        name: "mean 231 B, no two alike, 50 a tick, to clients",
        mix: "small",
        varied: true,
        direction: Direction::Clientbound,
        at_once: Some(AT_ONCE),
    },
    Load {
        name: "mean 231 B, 50 a tick, from clients",
        mix: "small",
        varied: false,
        direction: Direction::Serverbound,
        at_once: Some(AT_ONCE),
    },
    Load {
        name: "what players send, 2 a tick",
        mix: "sent",
        varied: false,
        direction: Direction::Serverbound,
        at_once: Some(2),
    },
    Load {
        name: "with chunks, as fast as it goes, to clients",
        mix: "chunks",
        varied: false,
        direction: Direction::Clientbound,
        at_once: None,
    },
    Load {
        name: "mean 231 B, as fast as it goes, from clients",
        mix: "small",
        varied: false,
        direction: Direction::Serverbound,
        at_once: None,
    },
];

impl Load {
    /// Only towards the client, and as it was recorded, the mix has packets that can be noted.
    fn is_for(&self, carrier: Carrier) -> bool {
        carrier != Carrier::Noting || (self.direction == Direction::Clientbound && !self.varied)
    }

    fn mix(&self, recording: &Recording, carrier: Carrier) -> Result<Mix> {
        let mix = recording.mix(self.mix)?;
        let mix = if self.varied { mix.varied() } else { mix };
        match carrier {
            Carrier::Noting => Ok(mix),
            _ => mix.under(carrier.version(), self.direction),
        }
    }
}

struct Subject {
    carrier: Carrier,
    server: Server,
    /// CPU time a frame, of each load.
    samples: [Samples; LOADS.len()],
    _folder: TempDir,
}

/// Measures all of it.
///
/// # Errors
/// When an edge can't be started, or loses something.
pub(crate) fn measure(program: &Path, plan: &Plan) -> Result<Vec<Line>> {
    let recording = &Recording::read()?;
    let session_server = SessionServer::start()?;
    let target = TcpListener::bind("127.0.0.1:0")?;
    let address = target.local_addr()?;
    let subject = |carrier| -> Result<Subject> {
        let settings = match carrier {
            Carrier::Relay => Settings::relaying(address),
            Carrier::Plain | Carrier::Noting => Settings::sessions(None, Some(address)),
            Carrier::Encrypted => Settings::sessions(Some(session_server.url()), Some(address)),
        };
        let (server, folder) = edge::start(program, &settings)?;
        Ok(Subject { carrier, server, samples: Default::default(), _folder: folder })
    };
    let mut subjects = Carrier::ALL.into_iter().map(subject).collect::<Result<Vec<_>>>()?;
    for round in 0..plan.relay_rounds {
        for (index, load) in LOADS.iter().enumerate() {
            for turn in 0..subjects.len() {
                let subject = &mut subjects[(turn + round) % Carrier::ALL.len()];
                if load.is_for(subject.carrier) {
                    let cost = subject.carry(load, &target, plan, recording);
                    let cost = cost.with_context(|| format!("{}: {}", subject.carrier.name(), load.name))?;
                    subject.samples[index].push(cost);
                }
            }
        }
    }
    lines(&subjects, recording)
}

impl Subject {
    /// CPU seconds a frame.
    fn carry(
        &mut self,
        load: &Load,
        target: &TcpListener,
        plan: &Plan,
        recording: &Recording,
    ) -> Result<f64> {
        let mix = load.mix(recording, self.carrier)?;
        let reads = mix.reads(End::plain(THRESHOLD), load.at_once.unwrap_or(AT_ONCE))?;
        let count = if load.at_once.is_some() { PLAYERS } else { BULK };
        let mut pairs = ends::open(self.server.address(), target, count, self.carrier)?;
        if let Some(pair) = pairs.first_mut().filter(|_| self.carrier != Carrier::Relay) {
            let arrived = pair.carry(load.direction, &reads, mix.len())?;
            ensure!(arrived == mix.bodies(), "what is carried arrives as something else");
        }
        let before = self.server.cpu_time()?;
        let frames = match load.at_once {
            Some(at_once) => {
                load::ticks(&mut pairs, load.direction, &reads, plan.ticks)?;
                pairs.len() * plan.ticks * at_once
            }
            None => {
                let passes = plan.carried_through.div_ceil(mix.len());
                load::flood(&mut pairs, load.direction, &reads, passes)?;
                pairs.len() * passes * mix.len()
            }
        };
        Ok(self.server.cpu_time()?.saturating_sub(before).as_secs_f64() / frames as f64)
    }
}

fn lines(subjects: &[Subject], recording: &Recording) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    let Some((relay, sessions)) = subjects.split_first() else { return Ok(lines) };
    for (index, load) in LOADS.iter().enumerate() {
        let mix = load.mix(recording, Carrier::Relay)?;
        let bytes: usize = mix.reads(End::plain(THRESHOLD), AT_ONCE)?.iter().map(Vec::len).sum();
        let mean = bytes as f64 / mix.len() as f64;
        for session in sessions.iter().filter(|session| load.is_for(session.carrier)) {
            let (ours, relayed) = (&session.samples[index], &relay.samples[index]);
            let label = format!("{}: {}, CPU a frame", load.name, session.carrier.name());
            let line = Line::new(label, Unit::Seconds, ours).against("relay", ours, relayed);
            let has_goal = session.carrier == Carrier::Plain && load.at_once == Some(AT_ONCE);
            lines.push(if has_goal { line.goal(IN_PLAIN_SIGHT) } else { line });
            let gibibyte: Samples = ours.iter().map(|cost| cost / mean * f64::from(1 << 30)).collect();
            lines.push(Line::new(format!("  CPU a GiB ({mean:.0} B a frame)"), Unit::Seconds, &gibibyte));
        }
    }
    Ok(lines)
}
