//! The first bytes of compressed packets, read without inflating.
//!
//! What must hold: what zlib inflates is read to the same bytes, however few are asked for; what is read is never other than what zlib begins with;
//! what a compressor made of any bytes is read back; memory stays within what the bytes are.

use crate::{Input, memory};
use drawbridge_protocol::compression::{Compressor, Decompressor, PeekError, peek};
use flate2::{Decompress, FlushDecompress, Status};

/// As much is inflated to compare with.
const MOST: usize = 4_096;

/// See the module.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.byte();
    memory::within(memory::of(data), || {
        if choice & 1 == 0 {
            compare(input.rest());
        } else {
            compressed(input.rest(), u32::from(choice >> 1));
        }
    });
}

fn compare(stream: &[u8]) {
    let mut inflated = vec![0; MOST];
    let mut zlib = Decompress::new(true);
    let status = zlib.decompress(stream, &mut inflated, FlushDecompress::Finish);
    inflated.truncate(usize::try_from(zlib.total_out()).expect("it fits the buffer"));
    let ended = matches!(status, Ok(Status::StreamEnd));
    for asked in [1, 2, 5, 64, 1_000] {
        let mut first = vec![0; asked];
        match peek(stream, &mut first) {
            Ok(read) => {
                let common = read.min(inflated.len());
                assert_eq!(first[..common], inflated[..common], "{asked} bytes");
                assert!(!ended || read == asked.min(inflated.len()), "{read} bytes of {}", inflated.len());
            }
            Err(PeekError::Blocks) => {}
            Err(error) => {
                assert!(
                    inflated.len() < asked && !ended,
                    "{error}, though zlib reads {} bytes",
                    inflated.len()
                );
            }
        }
    }
}

fn compressed(packet: &[u8], level: u32) {
    let mut body = Vec::new();
    Compressor::new(0, level % 10).compress(packet, &mut body).expect("a short packet");
    let (claim, taken) = drawbridge_protocol::varint::read(&body).expect("a length").expect("all of it");
    assert_eq!(usize::try_from(claim), Ok(packet.len()));
    if packet.is_empty() {
        return;
    }
    let mut first = vec![0; packet.len().min(100)];
    assert_eq!(peek(&body[taken..], &mut first), Ok(first.len()));
    assert_eq!(first, packet[..first.len()]);
    let mut whole = Vec::new();
    Decompressor::new().decompress(&body, 0, packet.len(), &mut whole).expect("its own work");
    assert_eq!(whole, packet);
}

/// Streams of each kind of block.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let texts = [b"drawbridge ".repeat(30), vec![0; 700], (0..=255).collect(), b"a".to_vec(), Vec::new()];
    for text in texts {
        for level in [0, 1, 4, 9] {
            let mut body = vec![];
            Compressor::new(0, level).compress(&text, &mut body).expect("a short packet");
            let taken =
                drawbridge_protocol::varint::read(&body).expect("a length").map_or(0, |(_, taken)| taken);
            seeds.push([&[0], &body[taken..]].concat());
        }
        seeds.push([&[9][..], &text].concat());
    }
    seeds
}
