//! AES-128-CFB8: ours against the `cfb8` crate, both over the same bytes on one thread.

use crate::report::{Goal, Line, Unit};
use crate::rounds::{Plan, Samples};
use aes::Aes128;
use anyhow::{Result, ensure};
use cfb8::cipher::KeyIvInit as _;
use drawbridge_protocol::cipher::{Decryptor, Encryptor};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::time::Duration;

const SECRET: [u8; 16] = *b"sixteen bytes 16";

/// How the stream is cut: a packet of movement, a usual one, a chunk.
const CUTS: [(usize, &str); 3] = [(16, "16 B"), (256, "256 B"), (16 << 10, "16 KiB")];

/// Measures all of it.
///
/// # Errors
/// When the two don't agree on what they make of the same bytes.
pub(crate) fn measure(plan: &Plan) -> Result<Vec<Line>> {
    agree()?;
    let mut lines = Vec::new();
    for (cut, name) in CUTS {
        let mut samples: [Samples; 4] = Default::default();
        for _ in 0..plan.rounds {
            let mut bytes = vec![0x5a; plan.ciphered];
            let mut encryptor = Encryptor::new(&SECRET);
            samples[0].push(rate(&mut bytes, cut, |part| encryptor.encrypt(part)));
            let mut reference = cfb8::Encryptor::<Aes128>::new(&SECRET.into(), &SECRET.into());
            samples[1].push(rate(&mut bytes, cut, |part| reference.encrypt(part)));
            let mut decryptor = Decryptor::new(&SECRET);
            samples[2].push(rate(&mut bytes, cut, |part| decryptor.decrypt(part)));
            let mut reference = cfb8::Decryptor::<Aes128>::new(&SECRET.into(), &SECRET.into());
            samples[3].push(rate(&mut bytes, cut, |part| reference.decrypt(part)));
        }
        let [ours, theirs, ours_back, theirs_back] = &samples;
        lines.push(
            Line::new(format!("encrypt, {name} at a time"), Unit::BytesPerSecond, ours)
                .against("cfb8 crate", ours, theirs)
                .goal(Goal::RatioAtLeast(1.4)),
        );
        lines.push(
            Line::new(format!("decrypt, {name} at a time"), Unit::BytesPerSecond, ours_back)
                .against("cfb8 crate", ours_back, theirs_back)
                .goal(Goal::RatioAtLeast(8.0)),
        );
    }
    Ok(lines)
}

/// Bytes a second of this thread's CPU time.
fn rate(bytes: &mut [u8], cut: usize, mut work: impl FnMut(&mut [u8])) -> f64 {
    let before = thread_time();
    for part in bytes.chunks_mut(cut) {
        work(black_box(part));
    }
    bytes.len() as f64 / (thread_time() - before).as_secs_f64()
}

/// CPU time of this thread.
pub(crate) fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // The clock starts at zero with the thread.
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn agree() -> Result<()> {
    let plain: Vec<u8> = (0..=255).cycle().take(1000).collect();
    let (mut ours, mut theirs) = (plain.clone(), plain.clone());
    Encryptor::new(&SECRET).encrypt(&mut ours);
    cfb8::Encryptor::<Aes128>::new(&SECRET.into(), &SECRET.into()).encrypt(&mut theirs);
    ensure!(ours == theirs, "the ciphers disagree");
    Decryptor::new(&SECRET).decrypt(&mut ours);
    ensure!(ours == plain, "decrypting does not undo encrypting");
    Ok(())
}
