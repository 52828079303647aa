//! Frames with compression and cipher.
//!
//! What must hold: any cut of the bytes into reads gives the same packets and the same end; whoever carries frames sees the packets that whoever
//! reads them sees, and the ids without inflating; what is carried on to a connection of another kind arrives there as the same packets; memory is
//! bounded by what frames may be, not by what they say.

use crate::{Input, memory};
use drawbridge_protocol::carry::{FrameReader, FrameWriter};
use drawbridge_protocol::cipher::{Decryptor, Encryptor};
use drawbridge_protocol::compression::{CompressionError, PeekError};
use drawbridge_protocol::frame::MAX_FRAME;
use drawbridge_protocol::stream::{Inbound, Outbound, StreamError};

const SECRET: [u8; 16] = *b"0123456789abcdef";

/// The most bytes that a frame of a login may have here, as in the product.
const BOUND: usize = 8 * 1024;

/// How a connection compresses, and whether it is encrypted.
#[derive(Debug, Clone, Copy)]
struct End {
    threshold: Option<usize>,
    encrypted: bool,
}

impl End {
    fn choose(input: &mut Input<'_>) -> Self {
        let choice = input.byte();
        let threshold = (choice & 1 == 1).then_some(usize::from(choice >> 2) * 8);
        Self { threshold, encrypted: choice & 2 == 2 }
    }
}

/// What was read before the bytes ended or were wrong.
#[derive(Debug, PartialEq)]
struct Heard {
    packets: Vec<Vec<u8>>,
    end: String,
}

/// See the module.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let (from, to) = (End::choose(&mut input), End::choose(&mut input));
    let bound = if input.flag() { MAX_FRAME } else { BOUND };
    let cuts = input.piece();
    let mut bytes = input.rest().to_vec();
    if from.encrypted {
        Encryptor::new(&SECRET).encrypt(&mut bytes);
    }
    // Packets that are kept here, and what the readers keep: a frame, and a packet that it holds.
    let most = 64 * 1024 * 1024 + 4 * bound;
    let whole = memory::within(most, || read(&[&bytes], from, bound));
    let pieces = pieces(&bytes, cuts);
    assert_eq!(read(&pieces, from, bound), whole, "as it is cut");
    carry(&pieces, (from, to), &whole, bound);
}

/// The bytes, cut into pieces of these lengths, over and over.
fn pieces<'a>(bytes: &'a [u8], cuts: &[u8]) -> Vec<&'a [u8]> {
    let mut rest = bytes;
    let mut lengths = cuts.iter().map(|&cut| usize::from(cut).max(1)).cycle();
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (piece, left) = rest.split_at(lengths.next().unwrap_or(rest.len()).min(rest.len()));
        pieces.push(piece);
        rest = left;
    }
    pieces
}

/// Reads as whoever speaks the protocol does.
fn read(pieces: &[&[u8]], from: End, bound: usize) -> Heard {
    let mut inbound = Inbound::new(bound);
    if let Some(threshold) = from.threshold {
        inbound.decompress(threshold);
    }
    if from.encrypted {
        inbound.decrypt(&SECRET);
    }
    let mut packets = Vec::new();
    for piece in pieces {
        inbound.feed(piece);
        loop {
            match inbound.next_packet() {
                Ok(Some(packet)) => packets.push(body(packet.id, packet.fields)),
                Ok(None) => break,
                Err(error) => return Heard { packets, end: error.to_string() },
            }
        }
        assert!(inbound.rest().len() <= bound + 3, "more is kept than a frame");
    }
    Heard { packets, end: String::new() }
}

fn body(id: i32, fields: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    drawbridge_protocol::varint::write(id, &mut body);
    body.extend_from_slice(fields);
    body
}

/// Carries from an end to another, and compares with what was `read` there.
fn carry(pieces: &[&[u8]], (from, to): (End, End), read: &Heard, bound: usize) {
    let mut reader = FrameReader::new(bound).deciphering(from.encrypted.then(|| Decryptor::new(&SECRET)));
    reader.set_compression(from.threshold.is_some());
    let mut writer = FrameWriter::new().enciphering(to.encrypted.then(|| Encryptor::new(&SECRET)));
    writer.set_compression(to.threshold);
    let (mut carried, mut scratch) = (Vec::new(), Vec::new());
    let (mut sound, mut number, mut ended) = (true, 0, false);
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut frames = reader.frames(&mut piece);
        loop {
            let frame = match frames.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(error) => {
                    // Of what nobody's compressor makes less is looked at than could be inflated.
                    let refused =
                        matches!(error, StreamError::Compression(CompressionError::Peek(PeekError::Blocks)));
                    assert!(
                        refused || number >= read.packets.len(),
                        "fewer packets are carried than read: {error}"
                    );
                    ended = true;
                    break;
                }
            };
            let packet = frame.packet(&mut scratch).map(|packet| body(packet.id, packet.fields));
            if let Ok(packet) = &packet {
                let id = drawbridge_protocol::varint::read(packet)
                    .expect("it was parsed")
                    .expect("it has an id")
                    .0;
                assert_eq!(
                    (frame.id(), frame.length() >= packet.len()),
                    (id, true),
                    "looked at without inflating"
                );
            }
            sound &= packet.is_ok();
            // Who reads strictly may have stopped before, at a packet below the threshold, for instance.
            if let Some(expected) = read.packets.get(number) {
                assert_eq!(packet.as_ref().ok(), Some(expected), "packet {number}");
            }
            number += 1;
            match writer.forward(&frame) {
                Ok(()) => carried.extend(packet.ok()),
                Err(_) => assert!(
                    packet.is_err() || frame.length() > MAX_FRAME - 8,
                    "a sound packet is not carried"
                ),
            }
        }
        if ended {
            break;
        }
    }
    assert!(ended || number >= read.packets.len(), "fewer packets are carried than read");
    if sound {
        arrive(&mut writer, to, from, &carried);
    }
}

/// What was carried arrives as it was, read by whoever is as strict as vanilla.
fn arrive(writer: &mut FrameWriter, to: End, from: End, carried: &[Vec<u8>]) {
    let mut inbound = Inbound::new(MAX_FRAME);
    if to.encrypted {
        inbound.decrypt(&SECRET);
    }
    if let Some(threshold) = to.threshold {
        // Frames that a sender has compressed below its own threshold are passed on where it is no lower than the receiver's.
        inbound.decompress(threshold);
    }
    inbound.feed(writer.unsent());
    for packet in carried {
        match inbound.next_packet() {
            Ok(Some(seen)) => {
                // An id may be written in more bytes than it needs; the packet is the same.
                assert_eq!(&body(seen.id, seen.fields), packet, "{from:?} to {to:?}");
            }
            // A packet over the bound of a strict reader.
            Err(_) if packet.len() > MAX_FRAME => return,
            other => panic!("{other:?} from {from:?} to {to:?}"),
        }
    }
    assert!(!inbound.has_rest(), "something more arrives");
}

/// Packets as senders of each kind write them.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let packets: [&[u8]; 5] =
        [b"\x00hello", &[7; 300], b"\x80\x01more", &[0x24; 2_000], b"\xff\xff\xff\xff\x0f\x01"];
    for from in [0u8, 1, 2, 3, 0x41, 0xff] {
        for to in [0u8, 1, 0x23] {
            let choices = [from];
            let mut outbound = Outbound::new();
            if let Some(threshold) = End::choose(&mut Input::new(&choices)).threshold {
                outbound.compress(threshold, 6);
            }
            let mut seed = vec![from, to, 0, 3, 1, 7, 200];
            for packet in packets {
                outbound.write_body(packet, &mut seed).expect("a short packet");
            }
            seeds.push(seed);
        }
    }
    seeds
}
