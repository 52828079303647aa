//! Carrying frames: what it costs to hand them on as they came, against a bridge that takes each apart and makes it anew, against
//! the cipher alone, and against copying the same bytes. All of it on one thread, over the same reads, without sockets.
//!
//! What is compared goes in turn in each round. The time is that of whole passes over a mix, from connections that have just begun; making
//! these isn't counted. [`through`] has the same carried by an edge, sockets and all, and [`held`] what players take of its memory.

mod contestant;
pub(crate) mod held;
mod mix;
pub(crate) mod through;

use crate::cipher::thread_time;
use crate::report::{Goal, Line, Unit};
use crate::rounds::{Plan, Samples};
use anyhow::{Context as _, Result, ensure};
use contestant::{Carrying, Ciphering, Contestant, Copying, Rebuilding};
use drawbridge_protocol::varint;
use mix::{Mix, Recording};
use std::time::Duration;

/// Frames that come at once: those of a tick.
const AT_ONCE: usize = 50;

/// Against a bridge that inflates and deflates all there is.
const THAN_REBUILT: Goal = Goal::RatioAtMost(1.0 / 3.0);
/// Against the cipher alone.
const THAN_CIPHER: Goal = Goal::RatioAtMost(1.3);
/// A frame, where nothing is encrypted.
const IN_PLAIN_SIGHT: Goal = Goal::AtMost(1e-6);
const NO_ALLOCATION: Goal = Goal::AtMost(0.0);

/// How a connection compresses and whether it is encrypted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    threshold: Option<usize>,
    encrypted: bool,
}

impl End {
    const fn plain(threshold: usize) -> Self {
        Self { threshold: Some(threshold), encrypted: false }
    }

    const fn encrypted(threshold: usize) -> Self {
        Self { threshold: Some(threshold), encrypted: true }
    }
}

/// What is carried, from where to where.
struct Case {
    name: &'static str,
    mix: Mix,
    /// How many frames come at once.
    at_once: usize,
    from: End,
    to: End,
}

impl Case {
    /// Whether goals hold: not where frames have to be rebuilt by all means, and not for the few bytes of what players send, which nobody
    /// compresses.
    fn has_goals(&self) -> bool {
        self.from.threshold == self.to.threshold && self.at_once == AT_ONCE
    }

    const fn has_cipher(&self) -> bool {
        self.from.encrypted || self.to.encrypted
    }
}

/// Measures all of it.
///
/// # Errors
/// When what is recorded can't be read, or something doesn't arrive.
pub(crate) fn measure(plan: &Plan) -> Result<Vec<Line>> {
    let recording = Recording::read()?;
    let mut lines = Vec::new();
    for case in cases(&recording)? {
        lines.extend(case.measure(plan).context(case.name)?);
    }
    Ok(lines)
}

fn cases(recording: &Recording) -> Result<Vec<Case>> {
    let (plain, encrypted) = (End::plain(256), End::encrypted(256));
    let none = End { threshold: None, encrypted: false };
    let case = |name, mix: &str, at_once, from, to| -> Result<Case> {
        Ok(Case { name, mix: recording.mix(mix)?, at_once, from, to })
    };
    let varied = |name, from, to| -> Result<Case> {
        Ok(Case { name, mix: recording.mix("small")?.varied(), at_once: AT_ONCE, from, to })
    };
    Ok(vec![
        case("mean 231 B, to an encrypted client", "small", AT_ONCE, plain, encrypted)?,
        case("mean 231 B, from an encrypted client", "small", AT_ONCE, encrypted, plain)?,
        varied("mean 231 B, no two alike, to an encrypted client", plain, encrypted)?,
        varied("mean 231 B, no two alike, from an encrypted client", encrypted, plain)?,
        case("with chunks, to an encrypted client", "chunks", AT_ONCE, plain, encrypted)?,
        case("movement of a crowd, to an encrypted client", "crowd", AT_ONCE, plain, encrypted)?,
        case("what a player sends, 2 at once, encrypted", "sent", 2, encrypted, plain)?,
        case("mean 231 B, no cipher", "small", AT_ONCE, plain, plain)?,
        varied("mean 231 B, no two alike, no cipher", plain, plain)?,
        case("with chunks, no cipher", "chunks", AT_ONCE, plain, plain)?,
        case("mean 231 B, threshold 512 to 256, no cipher", "small", AT_ONCE, End::plain(512), plain)?,
        case("mean 231 B, threshold 256 to 512, no cipher", "small", AT_ONCE, plain, End::plain(512))?,
        case("mean 231 B, uncompressed to 256, no cipher", "small", AT_ONCE, none, plain)?,
    ])
}

impl Case {
    fn measure(&self, plan: &Plan) -> Result<Vec<Line>> {
        let reads = self.mix.reads(self.from, self.at_once)?;
        let mut carrying = Carrying::new(self.from, self.to, self.mix.table()?);
        let mut rebuilding = Rebuilding::new(self.from, self.to);
        let written = carrying.written(&reads)?;
        ensure!(self.arrives(&written)?, "what is carried arrives as something else");
        ensure!(self.arrives(&rebuilding.written(&reads)?)?, "what is rebuilt arrives as something else");
        let mut ciphering = Ciphering::new(self.from, self.to, written);
        let mut copying = Copying::default();
        let mut samples: [Samples; 4] = Default::default();
        for _ in 0..plan.rounds {
            let contestants: [&mut dyn Contestant; 4] =
                [&mut carrying, &mut rebuilding, &mut ciphering, &mut copying];
            for (contestant, samples) in contestants.into_iter().zip(&mut samples) {
                samples.push(self.cost(contestant, &reads, plan.carried)?);
            }
        }
        let allocations = allocations(&mut carrying, &reads)? / self.mix.len() as f64;
        Ok(self.lines(&reads, &samples, allocations))
    }

    /// Whether the receiver reads the mix's packets in these bytes.
    fn arrives(&self, written: &[Vec<u8>]) -> Result<bool> {
        let mut inbound = contestant::inbound(self.to);
        written.iter().for_each(|bytes| inbound.feed(bytes));
        for body in self.mix.bodies() {
            let Some(packet) = inbound.next_packet()? else { return Ok(false) };
            let mut seen = Vec::new();
            varint::write(packet.id, &mut seen);
            seen.extend_from_slice(packet.fields);
            if seen != *body {
                return Ok(false);
            }
        }
        Ok(!inbound.has_rest())
    }

    /// CPU seconds a frame, over at least so many frames.
    fn cost(&self, contestant: &mut dyn Contestant, reads: &[Vec<u8>], frames: usize) -> Result<f64> {
        let passes = frames.div_ceil(self.mix.len());
        let mut time = Duration::ZERO;
        for _ in 0..passes {
            contestant.begin();
            let before = thread_time();
            contestant.pass(reads)?;
            time += thread_time() - before;
        }
        Ok(time.as_secs_f64() / (passes * self.mix.len()) as f64)
    }

    fn lines(&self, reads: &[Vec<u8>], samples: &[Samples; 4], allocations: f64) -> Vec<Line> {
        let [carried, rebuilt, ciphered, copied] = samples;
        let bytes: usize = reads.iter().map(Vec::len).sum();
        let mean = bytes as f64 / self.mix.len() as f64;
        let gibibyte: Samples = carried.iter().map(|cost| cost / mean * f64::from(1 << 30)).collect();
        let goal = |line: Line, goal| if self.has_goals() { line.goal(goal) } else { line };
        let frame = Line::new(format!("{}: CPU a frame", self.name), Unit::Seconds, carried);
        let mut lines = vec![goal(frame.against("rebuilding it", carried, rebuilt), THAN_REBUILT)];
        let (name, least, bound) = if self.has_cipher() {
            ("cipher alone", ciphered, THAN_CIPHER)
        } else {
            ("copying alone", copied, IN_PLAIN_SIGHT)
        };
        let line = Line::new(format!("  against {name}"), Unit::Seconds, carried);
        lines.push(goal(line.against(name, carried, least), bound));
        lines.push(Line::new(format!("  CPU a GiB ({mean:.0} B a frame)"), Unit::Seconds, &gibibyte));
        lines.push(Line::new("  allocations a frame", Unit::Number, &[allocations]).goal(NO_ALLOCATION));
        lines
    }
}

/// Allocations in a pass, once whatever is kept has been made.
fn allocations(carrying: &mut Carrying, reads: &[Vec<u8>]) -> Result<f64> {
    carrying.begin();
    carrying.pass(reads)?;
    carrying.begin();
    let mut passed = Ok(());
    let counted = allocation_counter::measure(|| passed = carrying.pass(reads));
    passed?;
    Ok(counted.count_total as f64)
}
