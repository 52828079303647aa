//! Cipher, compression and frames together, as connections have them: both turn on in the middle of a stream, for each direction by itself, the bytes
//! come in any pieces, and leave in any.

use super::{Inbound, Outbound};
use crate::carry::{FrameReader, FrameWriter};
use crate::frame::MAX_FRAME;
use crate::varint;
use proptest::collection::vec;
use proptest::prelude::*;

const SECRET: [u8; 16] = *b"0123456789abcdef";

/// What one side says, and behind how many packets it turns something on.
#[derive(Debug, Clone)]
struct Speech {
    packets: Vec<Vec<u8>>,
    encrypted_behind: usize,
    compressed_behind: usize,
    threshold: usize,
    level: u32,
}

fn speech() -> impl Strategy<Value = Speech> {
    let body = prop_oneof![
        3 => vec(any::<u8>(), 0..60),
        1 => vec(any::<u8>(), 200..2_000),
        1 => (any::<u8>(), 1..4_000_usize).prop_map(|(byte, count)| vec![byte; count]),
    ];
    let packet = (0..300_i32, body).prop_map(|(id, body)| packet(id, &body));
    (vec(packet, 0..10), 0..10_usize, 0..10_usize, 0..600_usize, 0..10_u32).prop_map(
        |(packets, encrypted_behind, compressed_behind, threshold, level)| Speech {
            packets,
            encrypted_behind,
            compressed_behind,
            threshold,
            level,
        },
    )
}

fn packet(id: i32, fields: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    varint::write(id, &mut packet);
    packet.extend_from_slice(fields);
    packet
}

impl Speech {
    /// All of it, as one side writes it.
    fn bytes(&self) -> Vec<u8> {
        let (mut outbound, mut out) = (Outbound::new(), Vec::new());
        for (said, packet) in self.packets.iter().enumerate() {
            self.turn_on(said, || outbound.encrypt(&SECRET));
            if said == self.compressed_behind {
                outbound.compress(self.threshold, self.level);
            }
            // Whether what came before is sent already makes no difference.
            let mut alone = Vec::new();
            outbound.write_body(packet, if said % 2 == 0 { &mut alone } else { &mut out }).unwrap();
            out.extend(alone);
        }
        out
    }

    fn turn_on(&self, said: usize, encrypt: impl FnOnce()) {
        if said == self.encrypted_behind {
            encrypt();
        }
    }
}

/// The other side, which turns on what the speaker does when it has heard as much.
struct Listener<'a> {
    speech: &'a Speech,
    inbound: Inbound,
    heard: Vec<Vec<u8>>,
}

impl<'a> Listener<'a> {
    fn new(speech: &'a Speech) -> Self {
        let mut listener = Self { speech, inbound: Inbound::new(MAX_FRAME), heard: Vec::new() };
        listener.follow();
        listener
    }

    fn follow(&mut self) {
        let Self { speech, inbound, heard } = self;
        speech.turn_on(heard.len(), || inbound.decrypt(&SECRET));
        if heard.len() == speech.compressed_behind {
            inbound.decompress(speech.threshold);
        }
    }

    fn hear(&mut self, piece: &[u8]) {
        self.inbound.feed(piece);
        self.hear_up_to(usize::MAX);
    }

    /// Reads what is there, until so many packets have been heard.
    fn hear_up_to(&mut self, most: usize) {
        while self.heard.len() < most {
            let has_packet = self.inbound.has_packet().unwrap();
            let Some(found) = self.inbound.next_packet().unwrap() else {
                assert!(!has_packet);
                return;
            };
            let found = packet(found.id, found.fields);
            assert!(has_packet);
            self.heard.push(found);
            self.follow();
        }
    }
}

/// The bytes in pieces of these lengths, in turn.
fn pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let (mut rest, mut cuts, mut pieces) = (bytes, cuts.iter().cycle(), Vec::new());
    while !rest.is_empty() {
        let (piece, left) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
        pieces.push(piece);
        rest = left;
    }
    pieces
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![1 => Just(1_usize), 2 => 1..20_usize, 1 => 1..2_000_usize], 1..6)
}

proptest! {
    /// The pieces of both directions come in turns.
    #[test]
    fn both_sides_hear_what_is_said_however_it_is_cut(
        one in speech(), other in speech(), one_cuts in cuts(), other_cuts in cuts(), turns in vec(any::<bool>(), 1..8),
    ) {
        let (one_bytes, other_bytes) = (one.bytes(), other.bytes());
        let (mut ones, mut others) = (pieces(&one_bytes, &one_cuts).into_iter(), pieces(&other_bytes, &other_cuts).into_iter());
        let (mut hears_one, mut hears_other) = (Listener::new(&one), Listener::new(&other));
        for turn in turns.iter().cycle() {
            match if *turn { (ones.next(), true) } else { (others.next(), false) } {
                (Some(piece), true) => hears_one.hear(piece),
                (Some(piece), false) => hears_other.hear(piece),
                (None, _) if ones.len() + others.len() == 0 => break,
                (None, true) => hears_other.hear(others.next().unwrap()),
                (None, false) => hears_one.hear(ones.next().unwrap()),
            }
            prop_assert!(one.packets.starts_with(&hears_one.heard) && other.packets.starts_with(&hears_other.heard));
        }
        prop_assert_eq!((&hears_one.heard, &hears_other.heard), (&one.packets, &other.packets));
        prop_assert!(!hears_one.inbound.has_rest() && !hears_other.inbound.has_rest());
    }

    /// As a login ends: packets are read until all is turned on, what has come behind them is carried, and what is said goes on in the same
    /// cipher.
    #[test]
    fn who_carries_goes_on_where_who_read_left_off(speech in speech(), cuts in cuts(), more in 0..3_000_usize) {
        let mut bytes = speech.bytes();
        let mut listener = Listener::new(&speech);
        let read = speech.encrypted_behind.max(speech.compressed_behind);
        let mut taken = 0;
        while listener.heard.len() < read && taken < bytes.len() {
            listener.inbound.feed(&bytes[taken..=taken]);
            taken += 1;
            listener.hear_up_to(read);
        }
        let more = more.min(bytes.len() - taken);
        listener.inbound.feed(&bytes[taken..taken + more]);
        taken += more;
        let Listener { inbound, mut heard, .. } = listener;
        let mut reader: FrameReader = inbound.into_reader(MAX_FRAME);
        let (mut rest, mut cuts) = (&mut bytes[taken..], cuts.iter().cycle());
        loop {
            let (piece, left) = rest.split_at_mut((*cuts.next().unwrap()).min(rest.len()));
            rest = left;
            let is_last = rest.is_empty();
            let mut frames = reader.frames(piece);
            while let Some(frame) = frames.next_frame().unwrap() {
                let mut scratch = Vec::new();
                let found = frame.packet(&mut scratch).unwrap();
                heard.push(packet(found.id, found.fields));
            }
            drop(frames);
            if is_last {
                break;
            }
        }
        prop_assert_eq!(heard, speech.packets);
        prop_assert!(!reader.is_within_frame());
    }

    /// What leaves is the same whether a socket takes it at once, byte by byte, or not for a while.
    #[test]
    fn bytes_leave_the_same_however_they_are_taken(speech in speech(), takes in vec(0..700_usize, 1..6)) {
        let writer = || {
            let mut outbound = Outbound::new();
            outbound.encrypt(&SECRET);
            let mut writer: FrameWriter = outbound.into_writer();
            writer.set_compression(None);
            writer
        };
        let write = |writer: &mut FrameWriter, said: usize, packet: &[u8]| {
            if said == speech.compressed_behind {
                writer.set_compression(Some(speech.threshold));
            }
            writer.body(packet).unwrap();
        };
        let (mut at_once, mut slowly, mut left) = (writer(), writer(), Vec::new());
        let mut takes = takes.iter().cycle();
        let mut take = |writer: &mut FrameWriter, most: usize| {
            let count = most.min(writer.len());
            left.extend_from_slice(&writer.unsent()[..count]);
            writer.sent(count);
        };
        for (said, packet) in speech.packets.iter().enumerate() {
            write(&mut at_once, said, packet);
            write(&mut slowly, said, packet);
            take(&mut slowly, *takes.next().unwrap());
            take(&mut slowly, *takes.next().unwrap());
        }
        while !slowly.is_empty() {
            take(&mut slowly, 1 + *takes.next().unwrap());
        }
        prop_assert_eq!(at_once.unsent(), &left[..]);
    }
}
