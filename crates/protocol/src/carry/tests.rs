use super::*;
use crate::cipher::{Decryptor, Encryptor};
use crate::frame::MAX_FRAME;
use crate::stream::{Inbound, Outbound, StreamError};
use crate::wire::{DecodeError, Encoder};
use proptest::prelude::*;

const SECRET: [u8; 16] = *b"0123456789abcdef";

/// How a connection compresses and whether it is encrypted.
#[derive(Debug, Clone, Copy)]
struct End {
    threshold: Option<usize>,
    encrypted: bool,
}

fn end() -> impl Strategy<Value = End> {
    (prop::option::of(0usize..600), any::<bool>())
        .prop_map(|(threshold, encrypted)| End { threshold, encrypted })
}

/// Packets as they come: small ones, some that compress well and some that don't.
fn packets() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(any::<u8>(), 200..3_000),
        (any::<u8>(), 1usize..5_000).prop_map(|(byte, count)| vec![byte; count]),
    ];
    let packet = (0i32..300, body).prop_map(|(id, body)| {
        let mut packet = Vec::new();
        crate::varint::write(id, &mut packet);
        packet.extend(body);
        packet
    });
    prop::collection::vec(packet, 1..12)
}

/// The packets' bytes as a sender of this kind writes them.
fn written(packets: &[Vec<u8>], end: End) -> Vec<u8> {
    let mut outbound = Outbound::new();
    if end.encrypted {
        outbound.encrypt(&SECRET);
    }
    if let Some(threshold) = end.threshold {
        outbound.compress(threshold, 6);
    }
    let mut bytes = Vec::new();
    packets.iter().for_each(|packet| outbound.write_body(packet, &mut bytes).unwrap());
    bytes
}

/// A receiver of this kind, who is as strict as vanilla, and has got these bytes.
fn inbound(bytes: &[u8], end: End) -> Inbound {
    let mut inbound = Inbound::new(MAX_FRAME);
    if end.encrypted {
        inbound.decrypt(&SECRET);
    }
    if let Some(threshold) = end.threshold {
        inbound.decompress(threshold);
    }
    inbound.feed(bytes);
    inbound
}

/// What a receiver of this kind reads.
fn read(bytes: &[u8], end: End) -> Vec<Vec<u8>> {
    let mut inbound = inbound(bytes, end);
    let mut packets = Vec::new();
    while let Some(packet) = inbound.next_packet().unwrap() {
        let mut body = Vec::new();
        crate::varint::write(packet.id, &mut body);
        body.extend_from_slice(packet.fields);
        packets.push(body);
    }
    assert!(!inbound.has_rest());
    packets
}

fn reader(end: End) -> FrameReader {
    let mut reader = FrameReader::new(MAX_FRAME).deciphering(end.encrypted.then(|| Decryptor::new(&SECRET)));
    reader.set_compression(end.threshold.is_some());
    reader
}

fn writer(end: End) -> FrameWriter {
    let mut writer = FrameWriter::new().enciphering(end.encrypted.then(|| Encryptor::new(&SECRET)));
    writer.set_compression(end.threshold);
    writer
}

/// Carries bytes that come in pieces of these sizes, in turn.
fn carried(bytes: Vec<u8>, from: End, to: End, cuts: &[usize]) -> Vec<u8> {
    let (out, error) = carry(bytes, from, to, cuts);
    error.unwrap();
    out
}

/// What leaves, up to the first error, and whether there was none.
fn carry(mut bytes: Vec<u8>, from: End, to: End, cuts: &[usize]) -> (Vec<u8>, Result<(), StreamError>) {
    let (mut reader, mut writer) = (reader(from), writer(to));
    let (mut out, mut rest, mut cuts) = (Vec::new(), &mut bytes[..], cuts.iter().cycle());
    while !rest.is_empty() {
        let cut = (*cuts.next().unwrap()).clamp(1, rest.len());
        let (piece, left) = rest.split_at_mut(cut);
        rest = left;
        let carried = forward(&mut reader.frames(piece), &mut writer);
        // Sent in two parts, as sockets do.
        let half = writer.unsent().len() / 2;
        out.extend_from_slice(&writer.unsent()[..half]);
        writer.sent(half);
        out.extend_from_slice(writer.unsent());
        let left = writer.unsent().len();
        writer.sent(left);
        assert!(writer.is_empty());
        if carried.is_err() {
            return (out, carried);
        }
    }
    (
        out,
        if reader.is_within_frame() { Err(DecodeError::Truncated { field: "frame" }.into()) } else { Ok(()) },
    )
}

fn forward(frames: &mut Frames<'_>, writer: &mut FrameWriter) -> Result<(), StreamError> {
    while let Some(frame) = frames.next_frame()? {
        writer.forward(&frame)?;
    }
    Ok(())
}

/// Reads each packet, inflated, and writes it anew: what carrying spares. Ends where something is wrong. A packet that is compressed although its
/// sender's threshold doesn't ask for it isn't: who carries doesn't know the threshold.
fn copied(bytes: &[u8], from: End, to: End) -> Vec<u8> {
    let (mut inbound, mut outbound) = (Inbound::new(MAX_FRAME), Outbound::new());
    if from.encrypted {
        inbound.decrypt(&SECRET);
    }
    if from.threshold.is_some() {
        inbound.decompress(0);
    }
    if to.encrypted {
        outbound.encrypt(&SECRET);
    }
    if let Some(threshold) = to.threshold {
        outbound.compress(threshold, 6);
    }
    inbound.feed(bytes);
    let mut out = Vec::new();
    while let Ok(Some(packet)) = inbound.next_packet() {
        let mut body = Vec::new();
        crate::varint::write(packet.id, &mut body);
        body.extend_from_slice(packet.fields);
        outbound.write_body(&body, &mut out).unwrap();
    }
    out
}

/// Each kind of end: without compression, with all that there is compressed, and with two thresholds; in plain sight or not.
fn ends() -> impl Iterator<Item = End> {
    let thresholds = [None, Some(0), Some(64), Some(256)];
    thresholds.into_iter().flat_map(|threshold| [false, true].map(|encrypted| End { threshold, encrypted }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn carrying_is_reading_and_writing_anew_for_every_pair_of_ends(
        packets in packets(), cuts in prop::collection::vec(1usize..2_000, 1..6),
    ) {
        for from in ends() {
            let bytes = written(&packets, from);
            for to in ends() {
                let carried = carried(bytes.clone(), from, to, &cuts);
                prop_assert_eq!(read(&carried, to), read(&copied(&bytes, from, to), to), "{:?} to {:?}", from, to);
            }
        }
    }

    /// Where a byte is wrong, the receiver gets no packet that it wouldn't have got anew.
    #[test]
    fn carrying_brings_nothing_that_reading_would_not(
        packets in packets(), at: prop::sample::Index, change in 1u8.., cuts in prop::collection::vec(1usize..2_000, 1..6),
    ) {
        for from in ends().filter(|from| !from.encrypted) {
            let mut bytes = written(&packets, from);
            let at = at.index(bytes.len());
            bytes[at] ^= change;
            for to in ends() {
                let anew = until_wrong(&copied(&bytes, from, to), to);
                let carried = until_wrong(&carry(bytes.clone(), from, to, &cuts).0, to);
                prop_assert!(anew.starts_with(&carried), "{from:?} to {to:?}: {carried:02x?}");
            }
        }
    }
}

/// What a receiver reads before something is wrong.
fn until_wrong(bytes: &[u8], end: End) -> Vec<Vec<u8>> {
    let mut inbound = inbound(bytes, end);
    let mut packets = Vec::new();
    while let Ok(Some(packet)) = inbound.next_packet() {
        packets.push([&packet.id.to_be_bytes(), packet.fields].concat());
    }
    packets
}

proptest! {
    #[test]
    fn packets_arrive_whatever_both_ends_are_like(
        packets in packets(), from in end(), to in end(), cuts in prop::collection::vec(1usize..2_000, 1..6),
    ) {
        let out = carried(written(&packets, from), from, to, &cuts);
        prop_assert_eq!(read(&out, to), packets);
    }

    #[test]
    fn frames_leave_as_they_came_where_both_ends_are_alike(packets in packets(), threshold in prop::option::of(0usize..600)) {
        let end = End { threshold, encrypted: false };
        let bytes = written(&packets, end);
        prop_assert_eq!(carried(bytes.clone(), end, end, &[700]), bytes);
    }

    #[test]
    fn a_lower_threshold_on_the_other_side_changes_nothing(packets in packets(), low in 0usize..300, more in 0usize..300) {
        // What is compressed is longer than both, and what isn't may be longer than the lower.
        let (from, to) = (End { threshold: Some(low + more), encrypted: false }, End { threshold: Some(low), encrypted: false });
        let bytes = written(&packets, from);
        prop_assert_eq!(carried(bytes.clone(), from, to, &[700]), bytes);
    }

    #[test]
    fn ids_and_packets_are_seen_as_they_are(packets in packets(), end in end()) {
        let mut bytes = written(&packets, end);
        let mut reader = reader(end);
        let mut frames = reader.frames(&mut bytes);
        let mut scratch = Vec::new();
        for packet in &packets {
            let frame = frames.next_frame().unwrap().unwrap();
            let seen = frame.packet(&mut scratch).unwrap();
            prop_assert_eq!((frame.id(), frame.length()), (seen.id, packet.len()));
            prop_assert!(packet.ends_with(seen.fields));
        }
        prop_assert!(frames.next_frame().unwrap().is_none());
    }

    #[test]
    fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400), from in end(), to in end()) {
        let (mut reader, mut writer) = (reader(from), writer(to));
        let mut frames = reader.frames(&mut bytes);
        while let Ok(Some(frame)) = frames.next_frame() {
            let _ = writer.forward(&frame);
            let _ = frame.packet(&mut Vec::new());
        }
    }
}

#[test]
fn a_frame_over_the_bound_is_told_by_its_head() {
    let mut reader = FrameReader::new(100);
    let mut head = [101, 0];
    assert!(reader.frames(&mut head).next_frame().is_err());
}

#[test]
fn claims_that_no_packet_can_have_are_told_before_anything_is_inflated() {
    let mut reader = FrameReader::new(MAX_FRAME);
    reader.set_compression(true);
    // 8 MiB and a byte; negative; nothing behind the claim.
    for frame in [&b"\x06\x81\x80\x80\x04\x78\x9c"[..], b"\x06\xff\xff\xff\xff\x0f\x00", b"\x01\x00"] {
        assert!(reader.frames(&mut frame.to_vec()).next_frame().is_err(), "{frame:02x?}");
    }
}

/// The most bytes that a connection may take for next to nothing: what buffers that are kept for others take.
const SPARE: usize = 256 * 1024;

#[test]
fn what_a_long_frame_took_is_given_back_though_another_begins() {
    let mut reader = FrameReader::new(MAX_FRAME);
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes).byte_array(&vec![0; 2_000_000]);
    // The next one's head.
    bytes.push(2);
    let mut whole = 0;
    for piece in bytes.chunks_mut(60_000) {
        assert!(reader.room() <= 4_000_000);
        let mut frames = reader.frames(piece);
        while frames.next_frame().unwrap().is_some() {
            whole += 1;
        }
    }
    assert_eq!(whole, 1);
    for _ in 0..3 {
        assert!((1..=SPARE).contains(&reader.room()), "{} bytes are held", reader.room());
        let mut bytes = [0, 0, 2];
        let mut frames = reader.frames(&mut bytes);
        assert!(frames.next_frame().unwrap().is_some());
        assert!(frames.next_frame().unwrap().is_none());
    }
}

#[test]
fn a_receiver_that_never_takes_all_has_no_more_kept_than_it_leaves() {
    for end in ends() {
        let (mut writer, mut reader, mut received) = (writer(end), reader(end), 0);
        let packet: Vec<u8> =
            (0..10_000u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for round in 0..1_000 {
            writer.body(&packet).unwrap();
            let left = if round == 999 { 0 } else { 1 + round % 50_000 };
            let unsent = writer.unsent();
            let sent = unsent.len().saturating_sub(left);
            let mut bytes = unsent[..sent].to_vec();
            writer.sent(sent);
            assert!(writer.is_empty() || writer.len() <= left);
            assert!(writer.room() <= SPARE, "{} bytes are held", writer.room());
            let mut frames = reader.frames(&mut bytes);
            while let Some(frame) = frames.next_frame().unwrap() {
                assert!(packet.ends_with(frame.packet(&mut Vec::new()).unwrap().fields));
                received += 1;
            }
        }
        assert_eq!(received, 1_000);
    }
}
