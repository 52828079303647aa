//! The first bytes of a compressed packet: its id, and perhaps a field or two behind it. Whoever sends frames on as they
//! came reads no more of them than that, and an inflater that could read all takes longer to be reset than this takes
//! in all.
//!
//! What must stay true: whatever zlib itself inflates is read here, to the same bytes, but for streams that begin with more than
//! [`MAX_BLOCKS`] blocks without a byte in them, which nobody's compressor makes; the work is bounded by that number and by the bytes
//! asked for, whatever the stream holds; nothing is allocated. What lies behind the bytes asked for is not looked
//! at, and neither is the checksum.
//!
//! The format is RFC 1950's around RFC 1951's. A code's symbols are found by counting those of each length (as `puff` does in zlib's
//! contrib folder), since building a table costs more than decoding a few symbols without ([`codes`]); but for the code in which a block
//! gives the lengths of the others, of which there are nearly a hundred to be read ([`rows`]).

mod codes;
mod rows;

use codes::Codes;
use thiserror::Error;

/// How many blocks a stream may have up to the last byte asked for. The first one nearly always holds it.
pub const MAX_BLOCKS: usize = 8;

/// The longest code of literals, lengths and distances, in bits.
const LONGEST: usize = 15;

/// The symbol that ends a block; those below it are bytes, those above it lengths of matches.
const END: usize = 256;

/// The shortest match that a symbol stands for, and how many more bits say how much longer it is.
const LENGTHS: [u16; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
    227, 258,
];
const LENGTH_BITS: [u32; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

/// The same for how far back a match begins.
const DISTANCES: [u16; 30] = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
    4097, 6145, 8193, 12289, 16385, 24577,
];
const DISTANCE_BITS: [u32; 30] =
    [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];

/// Why the first bytes could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PeekError {
    /// The stream ends before the bytes asked for: more of it is needed, or, where there is no more, it is damaged.
    #[error("a compressed packet that is cut off in its first bytes")]
    CutOff,
    /// The first two bytes are not those of a zlib stream, or say that it needs a dictionary.
    #[error("a compressed packet that does not begin as zlib streams do")]
    Header,
    /// A block of the kind that there is none of.
    #[error("a compressed packet with a block of no known kind")]
    BlockKind,
    /// A stored block whose length and its complement disagree.
    #[error("a compressed packet with a stored block of two lengths")]
    StoredLength,
    /// A dynamic block whose codes have more symbols than there are, none for the end of the block, or lengths that make no code.
    #[error("a compressed packet whose codes are none")]
    CodeLengths,
    /// Bits that stand for no symbol.
    #[error("a compressed packet with bits that mean nothing")]
    Symbol,
    /// A match that begins before the first byte.
    #[error("a compressed packet that repeats what lies before it")]
    Distance,
    /// More than [`MAX_BLOCKS`] blocks, and not yet the bytes asked for.
    #[error("a compressed packet of more than {MAX_BLOCKS} blocks in its first bytes")]
    Blocks,
}

/// Inflates the first bytes of the zlib stream `zlib` into `out`, and stops. Gives how many there are: fewer than `out` holds only where the
/// whole packet is shorter. It is meant for a few bytes: each symbol takes a search.
///
/// # Errors
/// See [`PeekError`]; what `out` holds then means nothing.
pub fn peek(zlib: &[u8], out: &mut [u8]) -> Result<usize, PeekError> {
    peek_within(zlib, out).map(|(done, _)| done)
}

/// As [`peek`], and within how many bytes of the stream they were found: any other that begins with these holds the same.
pub(super) fn peek_within(zlib: &[u8], out: &mut [u8]) -> Result<(usize, usize), PeekError> {
    let [method, flags, deflate @ ..] = zlib else { return Err(PeekError::CutOff) };
    let (window, needs_dictionary) = (method >> 4, flags & 0x20 != 0);
    if method & 0x0f != 8 || window > 7 || needs_dictionary || u16::from_be_bytes([*method, *flags]) % 31 != 0
    {
        return Err(PeekError::Header);
    }
    let mut bits = Bits { bytes: deflate, at: 0, held: 0, count: 0 };
    let mut out = Out { bytes: out, done: 0 };
    for _ in 0..MAX_BLOCKS {
        let is_last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => stored(&mut bits, &mut out)?,
            1 => coded(&mut bits, &mut out, Codes::FIXED)?,
            2 => {
                let mut codes = Codes::NONE;
                codes.read(&mut bits)?;
                coded(&mut bits, &mut out, &codes)?;
            }
            _ => return Err(PeekError::BlockKind),
        }
        if is_last || out.is_full() {
            return Ok((out.done, zlib.len() - deflate.len() + bits.used()));
        }
    }
    Err(PeekError::Blocks)
}

/// The bits of a stream, the lowest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    /// How many bytes have gone into `held`.
    at: usize,
    held: u64,
    /// How many bits of `held` have not been taken. Those above are zeros, or what follows.
    count: u32,
}

impl Bits<'_> {
    /// Holds at least 56 bits, or all that are left.
    fn fill(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if let Some(word) = rest.first_chunk() {
            self.held |= u64::from_le_bytes(*word) << self.count;
            // Below 64, so it fits. Bits that were shifted out are read again.
            self.at += ((63 - self.count) / 8) as usize;
            self.count |= 56;
            return;
        }
        for byte in rest {
            if self.count > 55 {
                return;
            }
            self.held |= u64::from(*byte) << self.count;
            self.count += 8;
            self.at += 1;
        }
    }

    /// As [`fill`](Self::fill), where fewer than `wanted` bits are held.
    fn want(&mut self, wanted: u32) {
        if self.count < wanted {
            self.fill();
        }
    }

    /// Drops `length` bits that are known to be held, or were to be.
    fn drop(&mut self, length: u32) -> Result<(), PeekError> {
        self.count = self.count.checked_sub(length).ok_or(PeekError::CutOff)?;
        self.held >>= length;
        Ok(())
    }

    /// The next `length` bits, at most 16.
    fn take(&mut self, length: u32) -> Result<usize, PeekError> {
        self.want(length);
        let bits = self.held & ((1 << length) - 1);
        self.drop(length)?;
        Ok(bits as usize)
    }

    /// How many bytes have been taken, or a part of them.
    const fn used(&self) -> usize {
        self.at - self.count as usize / 8
    }

    /// The bytes from the next whole one on.
    fn aligned(&mut self) -> &[u8] {
        let held = (self.count / 8) as usize;
        (self.at, self.held, self.count) = (self.at - held, 0, 0);
        self.bytes.get(self.at..).unwrap_or_default()
    }
}

/// What has come out, and room for more.
struct Out<'a> {
    bytes: &'a mut [u8],
    done: usize,
}

impl Out<'_> {
    fn is_full(&self) -> bool {
        self.done == self.bytes.len()
    }

    /// Adds a byte, where there is room.
    fn push(&mut self, byte: u8) {
        if let Some(room) = self.bytes.get_mut(self.done) {
            *room = byte;
            self.done += 1;
        }
    }

    /// Adds `length` bytes again that came out `distance` bytes ago, as far as there is room.
    fn repeat(&mut self, length: usize, distance: usize) -> Result<(), PeekError> {
        let from = self.done.checked_sub(distance).ok_or(PeekError::Distance)?;
        for at in from..from + length.min(self.bytes.len() - self.done) {
            self.push(self.bytes[at]);
        }
        Ok(())
    }
}

/// Copies a block of bytes as they are.
fn stored(bits: &mut Bits<'_>, out: &mut Out<'_>) -> Result<(), PeekError> {
    let [low, high, not_low, not_high, rest @ ..] = bits.aligned() else { return Err(PeekError::CutOff) };
    if (*low, *high) != (!not_low, !not_high) {
        return Err(PeekError::StoredLength);
    }
    let length = usize::from(u16::from_le_bytes([*low, *high]));
    let wanted = length.min(out.bytes.len() - out.done);
    for byte in rest.get(..wanted).ok_or(PeekError::CutOff)? {
        out.push(*byte);
    }
    // The rest of the block may not have come, where nobody wants it.
    bits.at += 4 + length;
    Ok(())
}

/// Decodes a block, or as much of it as there is room for.
fn coded(bits: &mut Bits<'_>, out: &mut Out<'_>, codes: &Codes) -> Result<(), PeekError> {
    let (symbols, distances) = (&codes.lengths[..], &codes.lengths[codes.symbols..]);
    while !out.is_full() {
        let symbol = codes.symbol_counts.symbol(symbols, bits)?;
        if let Ok(byte) = u8::try_from(symbol) {
            out.push(byte);
            continue;
        }
        if symbol == END {
            break;
        }
        let length = value(&LENGTHS, &LENGTH_BITS, symbol - END - 1, bits)?;
        let symbol = codes.distance_counts.symbol(distances, bits)?;
        let distance = value(&DISTANCES, &DISTANCE_BITS, symbol, bits)?;
        out.repeat(length, distance)?;
    }
    Ok(())
}

/// The number that a symbol and the bits behind it stand for.
fn value(bases: &[u16], more: &[u32], symbol: usize, bits: &mut Bits<'_>) -> Result<usize, PeekError> {
    let (Some(base), Some(more)) = (bases.get(symbol), more.get(symbol)) else {
        return Err(PeekError::Symbol);
    };
    Ok(usize::from(*base) + bits.take(*more)?)
}

#[cfg(test)]
mod tests;
