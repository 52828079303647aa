use proptest::prelude::*;

use super::*;

const BOUND: usize = 1 << 21;

/// `drawbridge ` thirty times, as zlib itself compresses it (through Python, level 9), and two bytes that don't
/// belong to it.
const STREAM: [u8; 26] = [
    0x78, 0xda, 0x4b, 0x29, 0x4a, 0x2c, 0x4f, 0x2a, 0xca, 0x4c, 0x49, 0x4f, 0x55, 0x48, 0x19, 0x65, 0x52,
    0xc2, 0x04, 0x00, 0x41, 0xd5, 0x7e, 0xeb, 0x00, 0x00,
];

fn text() -> Vec<u8> {
    b"drawbridge ".repeat(30)
}

fn body(claim: i32, stream: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    varint::write(claim, &mut body);
    body.extend(stream);
    body
}

fn stream() -> &'static [u8] {
    &STREAM[..24]
}

/// What becomes of `body`, behind bytes that are in the buffer already and must stay.
fn decompressed(body: &[u8], threshold: usize, bound: usize) -> Result<Vec<u8>, CompressionError> {
    let mut out = b"before".to_vec();
    let result = Decompressor::new().decompress(body, threshold, bound, &mut out);
    assert!(out.starts_with(b"before"));
    let packet = out.split_off(6);
    if result.is_err() {
        assert!(packet.is_empty(), "a refused body leaves nothing behind");
    }
    result.map(|()| packet)
}

fn compressed(packet: &[u8], threshold: usize, level: u32) -> Vec<u8> {
    let mut out = Vec::new();
    Compressor::new(threshold, level).compress(packet, &mut out).unwrap();
    out
}

#[test]
fn a_stream_of_zlibs_is_read() {
    assert_eq!(decompressed(&body(330, stream()), 256, BOUND), Ok(text()));
}

#[test]
fn packets_from_the_threshold_on_are_compressed() {
    let text = text();
    assert_eq!(compressed(&text, 331, 4), body(0, &text));
    let body = compressed(&text, 330, 4);
    assert!(body.len() < 40);
    assert_eq!(body[..2], [0xca, 0x02]);
    assert_eq!(decompressed(&body, 330, 330), Ok(text));
}

#[test]
fn every_level_and_those_above_work() {
    for level in [0, 1, 4, 6, 9, 10, u32::MAX] {
        assert_eq!(decompressed(&compressed(&text(), 0, level), 0, BOUND), Ok(text()), "level {level}");
    }
}

#[test]
fn an_uncompressed_packet_may_be_longer_than_the_threshold_but_not_than_the_bound() {
    let text = text();
    assert_eq!(decompressed(&body(0, &text), 64, 330), Ok(text.clone()));
    assert_eq!(
        decompressed(&body(0, &text), 64, 329),
        Err(CompressionError::TooLong { length: 330, bound: 329 })
    );
}

#[test]
fn what_is_cut_off_is_refused() {
    let whole = body(330, stream());
    for length in 0..whole.len() {
        let expected = if length < 2 { CompressionError::Empty } else { CompressionError::CutOff };
        assert_eq!(decompressed(&whole[..length], 256, BOUND), Err(expected), "{length} bytes");
    }
    assert_eq!(decompressed(&body(0, &[]), 256, BOUND), Err(CompressionError::Empty));
}

#[test]
fn lengths_that_are_out_of_bounds_are_refused() {
    use CompressionError::{BelowThreshold, Length, Negative, TooLong};
    let refused =
        |claim, threshold, bound| decompressed(&body(claim, stream()), threshold, bound).unwrap_err();
    assert_eq!(refused(330, 331, BOUND), BelowThreshold { length: 330, threshold: 331 });
    assert_eq!(refused(330, 0, 329), TooLong { length: 330, bound: 329 });
    assert_eq!(refused(i32::MAX, 0, BOUND), TooLong { length: i32::MAX as usize, bound: BOUND });
    assert_eq!(refused(-1, 0, BOUND), Negative(-1));
    assert_eq!(refused(i32::MIN, 0, BOUND), Negative(i32::MIN));
    assert_eq!(decompressed(&[0xff; 9], 0, BOUND), Err(Length(VarIntError)));
}

#[test]
fn a_wrong_length_is_refused() {
    for claim in [1, 329, 331, 5000, 100_000] {
        let expected = Err(CompressionError::WrongLength(claim as usize));
        assert_eq!(decompressed(&body(claim, stream()), 0, BOUND), expected, "{claim} bytes claimed");
    }
}

#[test]
fn bytes_behind_the_end_are_refused() {
    assert_eq!(decompressed(&body(330, &STREAM), 0, BOUND), Err(CompressionError::Trailing(2)));
}

#[test]
fn damage_is_refused() {
    for bit in 0..8 * stream().len() {
        let mut damaged = stream().to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        // Some bits mean nothing: those between the last block's end and the checksum.
        if let Ok(packet) = decompressed(&body(330, &damaged), 0, BOUND) {
            assert_eq!(packet, text(), "bit {bit}");
        }
    }
    let mut checksum = stream().to_vec();
    checksum[23] ^= 1;
    assert_eq!(decompressed(&body(330, &checksum), 0, BOUND), Err(CompressionError::Damaged));
}

#[test]
fn a_stream_that_wants_a_dictionary_is_refused() {
    // Header 78 bb: the dictionary bit is set, and the dictionary's checksum follows.
    let refused = decompressed(&body(330, &[0x78, 0xbb, 1, 2, 3, 4, 5, 6]), 0, BOUND);
    assert_eq!(refused, Err(CompressionError::Damaged));
}

#[test]
fn a_claim_alone_takes_no_memory() {
    let mut out = Vec::new();
    let claim = body(BOUND as i32, stream());
    assert!(Decompressor::new().decompress(&claim, 0, BOUND, &mut out).is_err());
    assert!(out.capacity() <= 2 * FIRST_STEP, "{} bytes", out.capacity());
}

#[test]
fn a_bomb_is_stopped_at_its_claim() {
    let bomb = compressed(&vec![0; MAX_UNCOMPRESSED], 0, 9);
    let (_, taken) = varint::read(&bomb).unwrap().unwrap();
    let mut out = Vec::new();
    let refused = Decompressor::new().decompress(&body(10_000, &bomb[taken..]), 0, BOUND, &mut out);
    assert_eq!(refused, Err(CompressionError::WrongLength(10_000)));
    assert!(out.capacity() <= 10_000, "{} bytes", out.capacity());
}

#[test]
fn memory_never_passes_the_packets_length() {
    let packet: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
    let mut out = Vec::new();
    let body = compressed(&packet, 0, 4);
    Decompressor::new().decompress(&body, 0, BOUND, &mut out).unwrap();
    assert_eq!(out, packet);
    assert!(out.capacity() <= packet.len(), "{} bytes", out.capacity());
}

#[test]
fn too_long_a_packet_is_not_compressed() {
    let mut out = b"before".to_vec();
    let packet = vec![0; MAX_UNCOMPRESSED + 1];
    let refused = CompressionError::TooLong { length: packet.len(), bound: MAX_UNCOMPRESSED };
    assert_eq!(Compressor::new(256, 4).compress(&packet, &mut out), Err(refused));
    assert_eq!(out, b"before");
}

#[test]
fn state_is_used_again_after_success_and_failure() {
    let (mut compressor, mut decompressor) = (Compressor::new(0, 4), Decompressor::new());
    for length in [1, 300, 70_000, 2] {
        let packet: Vec<u8> = (0..length).map(|at: u32| at.wrapping_mul(at) as u8).collect();
        let (mut body, mut out) = (Vec::new(), Vec::new());
        compressor.compress(&packet, &mut body).unwrap();
        assert!(decompressor.decompress(&body[..body.len() - 1], 0, BOUND, &mut out).is_err());
        decompressor.decompress(&body, 0, BOUND, &mut out).unwrap();
        assert_eq!(out, packet);
    }
}

proptest! {
    #[test]
    fn any_packet_round_trips(
        packet in prop::collection::vec(any::<u8>(), 1..20_000),
        repeats in 1..5usize,
        threshold in 0..1000usize,
        level in 0..10u32,
    ) {
        let packet = packet.repeat(repeats);
        let body = compressed(&packet, threshold, level);
        prop_assert_eq!(decompressed(&body, threshold, BOUND), Ok(packet));
    }

    #[test]
    fn any_bytes_are_read_or_refused_within_the_bound(
        claim in -1..5000i32,
        head: bool,
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let stream = [if head { &[0x78, 0x9c][..] } else { &[] }, &bytes].concat();
        if let Ok(packet) = decompressed(&body(claim, &stream), 0, 4000) {
            prop_assert!(packet.len() <= 4000);
        }
    }
}
