//! The first bytes of compressed packets, where they have been found before: what a server tells all its players is compressed to the same bytes for
//! each of them, and an edge carries it once for each.
//!
//! What must stay true: what is recalled is what [`super::peek`] would find, since all bytes that it depends on are compared; the memory is fixed, and
//! taken by threads alone that carry compressed packets.

use super::peek::{PeekError, peek_within};
use std::cell::RefCell;

/// How many bytes of a stream are compared. Nearly all heads of blocks end before.
const HEAD: usize = 64;

/// How many streams are remembered. A stream's place is named by some of its bytes, and who comes takes it.
const PLACES: usize = 256;

thread_local! {
    static RECALLED: RefCell<Vec<Stream>> = const { RefCell::new(Vec::new()) };
}

/// A stream that began like this held this byte first.
#[derive(Clone, Copy)]
struct Stream {
    head: [u8; HEAD],
    first: u8,
}

/// The first byte of the packet in a zlib stream, or `None` where there is nothing in it.
///
/// # Errors
/// See [`PeekError`].
pub(crate) fn first_byte(stream: &[u8]) -> Result<Option<u8>, PeekError> {
    let Some(head) = stream.first_chunk() else { return find(stream).map(|(first, _)| first) };
    RECALLED.with_borrow_mut(|recalled| {
        if recalled.is_empty() {
            // What begins so is no zlib stream.
            recalled.resize(PLACES, Stream { head: [0; HEAD], first: 0 });
        }
        let place = &mut recalled[place(head)];
        if place.head == *head {
            return Ok(Some(place.first));
        }
        let (first, used) = find(stream)?;
        if let Some(first) = first
            && used <= HEAD
        {
            *place = Stream { head: *head, first };
        }
        Ok(first)
    })
}

fn find(stream: &[u8]) -> Result<(Option<u8>, usize), PeekError> {
    let mut first = [0];
    let (read, used) = peek_within(stream, &mut first)?;
    Ok(((read > 0).then_some(first[0]), used))
}

/// By the bytes behind zlib's own, which nearly always say how a block is coded.
fn place(head: &[u8; HEAD]) -> usize {
    let word = |at: usize| head[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let mixed = (word(2) ^ word(10).rotate_left(23)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 56) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compression::{Compressor, peek};
    use proptest::prelude::*;

    /// What `peek` says of it.
    fn found(stream: &[u8]) -> Result<Option<u8>, PeekError> {
        let mut first = [0];
        peek(stream, &mut first).map(|read| (read > 0).then_some(first[0]))
    }

    fn compressed(packet: &[u8], level: u32) -> Vec<u8> {
        let mut body = Vec::new();
        Compressor::new(0, level).compress(packet, &mut body).unwrap();
        let (_, taken) = crate::varint::read(&body).unwrap().unwrap();
        body.split_off(taken)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn what_is_recalled_is_what_is_found(
            packets in prop::collection::vec(prop::collection::vec(0..40_u8, 1..600), 1..12),
            level in 0..10_u32,
            mutations in prop::collection::vec((any::<prop::sample::Index>(), 0..80_usize, any::<u8>()), 0..12),
        ) {
            let mut streams: Vec<_> = packets.iter().map(|packet| compressed(packet, level)).collect();
            // Streams that begin as others do, up to some byte.
            for (which, at, value) in mutations {
                let mut stream = which.get(&streams).clone();
                if let Some(byte) = stream.get_mut(at) {
                    *byte ^= value;
                }
                streams.push(stream);
            }
            for stream in streams.iter().chain(&streams) {
                prop_assert_eq!(first_byte(stream), found(stream));
            }
        }
    }

    #[test]
    fn a_byte_that_lies_beyond_what_is_compared_is_not_recalled() {
        // Blocks with nothing in them, behind which the first byte stands.
        let stream = |byte: u8| {
            let nothing = [0, 0, 0, 0xff, 0xff];
            let mut stream = [&[0x78, 0x9c][..], &nothing.repeat(7)].concat();
            // A stored block of one byte, and what follows it.
            stream.extend([1, 1, 0, 0xfe, 0xff, byte]);
            stream.resize(100, 0);
            stream
        };
        for byte in 0..=u8::MAX {
            assert_eq!(first_byte(&stream(byte)), Ok(Some(byte)));
        }
    }
}
