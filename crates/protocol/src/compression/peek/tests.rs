use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use proptest::prelude::*;

use super::*;

/// `0 drawbridge 0;919 drawbridge 1;` and so on, for the first numbers, as zlib compresses it (through Python, level 9): a dynamic block.
const DYNAMIC: [u8; 64] = [
    0x78, 0xda, 0x65, 0x92, 0x41, 0x0e, 0x02, 0x31, 0x0c, 0x03, 0xbf, 0xb2, 0x4f, 0x68, 0xe2, 0x36, 0x69,
    0xe4, 0xd7, 0x80, 0x40, 0x88, 0xeb, 0x5e, 0xf8, 0x3e, 0xe5, 0x56, 0x2f, 0x57, 0xcb, 0x8a, 0x27, 0x4e,
    0xda, 0xf1, 0x38, 0x6f, 0x9f, 0xfb, 0xf9, 0x7e, 0xbc, 0x9e, 0x47, 0x63, 0x59, 0xed, 0x82, 0x31, 0x32,
    0x76, 0xc1, 0xe9, 0x69, 0xbb, 0x00, 0x66, 0xeb, 0xbb, 0xd0, 0x59, 0x39, 0x76,
];

/// `hello world` by zlib, flushed before, within and behind: empty stored blocks stand between fixed ones.
const FLUSHED: [u8; 30] = [
    0x78, 0xda, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00, 0x00, 0xff,
    0xff, 0x53, 0x28, 0xcf, 0x2f, 0xca, 0x49, 0x01, 0x00, 0x1a, 0x0b, 0x04, 0x5d,
];

/// The first bytes, or what is wrong with the stream.
fn peeked(zlib: &[u8], wanted: usize) -> Result<Vec<u8>, PeekError> {
    let mut out = vec![0xaa; wanted];
    let done = peek(zlib, &mut out)?;
    out.truncate(done);
    Ok(out)
}

/// How far flate2 comes in the same stream: the bytes, and what there is behind them.
fn inflated(zlib: &[u8], wanted: usize) -> (Vec<u8>, Behind) {
    let mut inflate = Decompress::new(true);
    let mut out = vec![0; wanted];
    let behind = match inflate.decompress(zlib, &mut out, FlushDecompress::None) {
        Ok(Status::StreamEnd) => Behind::End,
        Ok(_) => Behind::More,
        Err(_) => Behind::Damage,
    };
    out.truncate(inflate.total_out() as usize);
    (out, behind)
}

#[derive(Debug, PartialEq, Eq)]
enum Behind {
    End,
    More,
    Damage,
}

fn compressed(packet: &[u8], level: u32) -> Vec<u8> {
    let mut deflate = Compress::new(Compression::new(level), true);
    let mut out = Vec::with_capacity(packet.len() * 2 + 1000);
    let status = deflate.compress_vec(packet, &mut out, FlushCompress::Finish).unwrap();
    assert_eq!(status, Status::StreamEnd);
    out
}

/// A stream that is written bit by bit.
struct Stream {
    bytes: Vec<u8>,
    bits: u32,
}

impl Stream {
    fn new() -> Self {
        Self { bytes: vec![0x78, 0x9c], bits: 0 }
    }

    /// A number, its lowest bit first.
    fn number(mut self, value: u32, length: u32) -> Self {
        for at in 0..length {
            if self.bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> at & 1) << (self.bits % 8)) as u8;
            self.bits += 1;
        }
        self
    }

    /// A code, its highest bit first.
    fn code(self, bits: &str) -> Self {
        bits.bytes().fold(self, |stream, bit| stream.number((bit == b'1').into(), 1))
    }

    fn block(self, kind: u32) -> Self {
        self.number(0, 1).number(kind, 2)
    }

    /// A stored block with nothing in it.
    fn nothing_stored(mut self) -> Self {
        self = self.block(0);
        self.bits = 0;
        self.bytes.extend([0, 0, 0xff, 0xff]);
        self
    }

    /// The head of a dynamic block whose lengths are written in two bits each: `00` for 0, `01` for 1, `10` for 2, and `11` for a
    /// run of 11 zeros and more.
    fn dynamic(self, symbols: u32, distances: u32) -> Self {
        let lengths = [0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2];
        let head = self
            .block(2)
            .number(symbols - 257, 5)
            .number(distances - 1, 5)
            .number(lengths.len() as u32 - 4, 4);
        // Of the order given in the format: 18 is third, 0 fourth, 2 sixteenth, 1 eighteenth.
        lengths.into_iter().fold(head, |stream, length| stream.number(length, 3))
    }

    fn zeros(self, count: u32) -> Self {
        self.code("11").number(count - 11, 7)
    }

    /// A dynamic block in which there is nothing but its end, of one bit.
    fn nothing_coded(self) -> Self {
        self.dynamic(257, 1).zeros(138).zeros(118).code("01").code("00").code("0")
    }

    fn peeked(&self) -> Result<Vec<u8>, PeekError> {
        peeked(&self.bytes, 5)
    }
}

#[test]
fn streams_of_zlibs_are_read() {
    let text = b"0 drawbridge 0;919 drawbridge 1;676 d";
    for wanted in 1..=text.len() {
        assert_eq!(peeked(&DYNAMIC, wanted), Ok(text[..wanted].to_vec()));
    }
    for wanted in 1..=64 {
        assert_eq!(peeked(&FLUSHED, wanted), Ok(b"hello world"[..wanted.min(11)].to_vec()));
    }
}

#[test]
fn a_header_that_is_none_is_refused() {
    for head in 0..=u16::MAX {
        let mut stream = DYNAMIC;
        stream[..2].copy_from_slice(&head.to_be_bytes());
        match inflated(&stream, 5) {
            (out, _) if out.is_empty() => {
                assert_eq!(peeked(&stream, 5), Err(PeekError::Header), "{head:04x}");
            }
            (out, _) => assert_eq!(peeked(&stream, 5), Ok(out)),
        }
    }
}

#[test]
fn blocks_that_are_none_are_refused() {
    assert_eq!(Stream::new().block(3).number(0, 16).peeked(), Err(PeekError::BlockKind));
    let stored = |head: [u8; 4]| peeked(&[&[0x78, 0x9c, 0][..], &head, b"hello"].concat(), 5);
    assert_eq!(stored([5, 0, 0xfa, 0xff]), Ok(b"hello".to_vec()));
    assert_eq!(stored([5, 0, 0xfb, 0xff]), Err(PeekError::StoredLength));
    assert_eq!(stored([6, 0, 0xf9, 0xff]), Ok(b"hello".to_vec()), "the sixth isn't asked for");
}

#[test]
fn symbols_that_stand_for_nothing_are_refused() {
    let fixed = || Stream::new().block(1);
    assert_eq!(fixed().code("11000110").number(0, 16).peeked(), Err(PeekError::Symbol), "286");
    assert_eq!(
        fixed().code("00110000").code("0000001").code("11110").number(0, 16).peeked(),
        Err(PeekError::Symbol)
    );
    // A code of one bit has a bit that means nothing.
    let one_bit = Stream::new().dynamic(257, 1).zeros(138).zeros(118).code("01").code("00");
    assert_eq!(one_bit.code("1").number(0, 32).peeked(), Err(PeekError::Symbol));
}

#[test]
fn a_match_reaches_back_to_the_first_byte_and_no_further() {
    // Byte 0, then a match of three bytes from one, two bytes ago.
    let of = |distance: &str| {
        Stream::new()
            .block(1)
            .code("00110000")
            .code("0000001")
            .code(distance)
            .code("0000000")
            .number(0, 32)
            .peeked()
    };
    assert_eq!(of("00000").map(|out| out[..4].to_vec()), Err(PeekError::CutOff), "the next block is cut off");
    assert_eq!(of("00001"), Err(PeekError::Distance));
    let whole = Stream::new()
        .number(1, 1)
        .number(1, 2)
        .code("00110000")
        .code("0000001")
        .code("00000")
        .code("0000000");
    assert_eq!(whole.peeked(), Ok(vec![0; 4]));
}

#[test]
fn lengths_that_make_no_code_are_refused() {
    let refused =
        |stream: Stream| assert_eq!(stream.number(0, 32).number(0, 32).peeked(), Err(PeekError::CodeLengths));
    let head = |symbols, distances| Stream::new().block(2).number(symbols, 5).number(distances, 5);
    refused(head(30, 0).number(0, 4));
    refused(head(0, 30).number(0, 4));
    // Of the lengths' own code: none, one symbol of one bit, three of one bit.
    refused(head(0, 0).number(0, 4));
    refused(head(0, 0).number(0, 4).number(1, 3));
    refused(head(0, 0).number(0, 4).number(1, 3).number(1, 3).number(1, 3));
    let begun = || Stream::new().dynamic(257, 1).zeros(138);
    // Without an end; with symbols that leave codes over, or have too few; with a run past the last.
    refused(begun().zeros(118).code("00").code("00"));
    refused(begun().zeros(118).code("10").code("00"));
    refused(begun().zeros(116).code("01").code("01").code("01").code("00"));
    refused(begun().zeros(138));
    // Distances of two bits, one alone.
    refused(begun().zeros(118).code("01").code("10"));
    // The one before is repeated, where there is none: 16 alone and 17 have one bit.
    refused(head(0, 0).number(0, 4).number(1, 3).number(1, 3).number(0, 6).number(0, 1));
}

#[test]
fn blocks_without_a_byte_are_passed_over_up_to_the_bound() {
    let fills: [fn(Stream) -> Stream; 3] =
        [Stream::nothing_stored, Stream::nothing_coded, |stream| stream.block(1).code("0000000")];
    for fill in fills {
        let filled = |blocks| (0..blocks).fold(Stream::new(), |stream, _| fill(stream));
        let with_byte = |blocks| filled(blocks).number(1, 1).number(1, 2).code("00110001").code("0000000");
        assert_eq!(with_byte(MAX_BLOCKS - 1).peeked(), Ok(vec![1]));
        assert_eq!(inflated(&with_byte(MAX_BLOCKS - 1).bytes, 1).0, [1]);
        assert_eq!(with_byte(MAX_BLOCKS).peeked(), Err(PeekError::Blocks));
        assert_eq!(filled(100_000).peeked(), Err(PeekError::Blocks));
    }
}

#[test]
fn a_short_packet_is_given_whole() {
    for level in 0..=9 {
        for length in 0..5 {
            assert_eq!(peeked(&compressed(&b"abcde"[..length], level), 5), Ok(b"abcde"[..length].to_vec()));
        }
    }
}

/// Packets as they are: noise, and what compresses well in more or less regular ways.
fn packets() -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(any::<u8>(), 1..3000);
    let few_symbols = prop::collection::vec(0..4u8, 1..3000);
    let skewed = prop::collection::vec((any::<u8>(), any::<u8>()), 1..3000).prop_map(|pairs| {
        pairs.into_iter().map(|(one, other)| (one.leading_zeros() as u8 * 7) ^ (other & 1)).collect()
    });
    let repeated = (prop::collection::vec(any::<u8>(), 1..100), 1..100usize)
        .prop_map(|(part, times)| part.repeat(times));
    prop_oneof![noise, few_symbols, skewed, repeated]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_first_bytes_are_those_of_the_packet(packet in packets(), level in 0..10u32, wanted in 1..=64usize) {
        let stream = compressed(&packet, level);
        prop_assert_eq!(peeked(&stream, wanted), Ok(packet[..wanted.min(packet.len())].to_vec()));
    }

    #[test]
    fn a_mutated_stream_is_read_as_flate2_reads_it(
        packet in packets(),
        level in 0..10u32,
        wanted in 1..=64usize,
        mutations in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        near_the_head: bool,
    ) {
        let mut stream = compressed(&packet, level);
        let reach = if near_the_head { stream.len().min(80) } else { stream.len() };
        for (at, value) in mutations {
            stream[at.index(reach - 2) + 2] ^= value;
        }
        agree(&stream, wanted)?;
    }

    #[test]
    fn any_bytes_are_read_as_flate2_reads_them(kind in 0..8u8, bytes in prop::collection::vec(any::<u8>(), 0..400), wanted in 1..=64usize) {
        agree(&[&[0x78, 0x9c, kind][..], &bytes].concat(), wanted)?;
        let _ = peeked(&bytes, wanted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn a_stream_that_is_cut_off_gives_the_same_or_wants_more(packet in packets(), level in 0..10u32, wanted in 1..=64usize) {
        let stream = compressed(&packet, level);
        let expected = &packet[..wanted.min(packet.len())];
        for cut in 0..stream.len().min(700) {
            match peeked(&stream[..cut], wanted) {
                Ok(out) => prop_assert_eq!(out, expected),
                Err(error) => {
                    prop_assert_eq!(error, PeekError::CutOff);
                    // Nothing is waited for in vain.
                    let (out, _) = inflated(&stream[..cut], wanted);
                    prop_assert!(out.len() < wanted, "{cut} bytes do");
                }
            }
        }
    }
}

/// What flate2 gives is given here, and where it finds damage before the bytes asked for, so it is here.
fn agree(stream: &[u8], wanted: usize) -> Result<(), TestCaseError> {
    let ours = peeked(stream, wanted);
    if ours == Err(PeekError::Blocks) {
        return Ok(());
    }
    let (out, behind) = inflated(stream, wanted);
    match behind {
        _ if out.len() == wanted => prop_assert_eq!(ours, Ok(out)),
        Behind::End => prop_assert_eq!(ours, Ok(out)),
        // The whole packet is there then, and the checksum wrong or not yet.
        _ if ours.is_ok() => prop_assert_eq!(ours, Ok(out)),
        // Damage may show here before flate2 has what it needs to see it.
        Behind::More | Behind::Damage => {}
    }
    Ok(())
}
