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
//! contrib folder), since building a table costs more than decoding a few symbols without.

use thiserror::Error;

/// How many blocks a stream may have up to the last byte asked for. The first one nearly always holds it.
pub const MAX_BLOCKS: usize = 8;

/// The longest code of literals, lengths and distances, in bits.
const LONGEST: usize = 15;

/// The symbol that ends a block; those below it are bytes, those above it lengths of matches.
const END: usize = 256;

/// The order in which a dynamic block gives the lengths of the code that its other lengths are written in.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

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

/// How many symbols of a code have each length, in bits.
#[derive(Clone, Copy)]
struct Counts([u16; LONGEST + 1]);

impl Counts {
    /// Whether these lengths make a code: one that uses all bits up. `or_one_bit` also takes what zlib does, none at all and
    /// a single symbol of one bit.
    fn make_a_code(&self, or_one_bit: bool) -> bool {
        let of_lengths = self.0.iter().enumerate().skip(1);
        let used: u32 = of_lengths.map(|(length, count)| u32::from(*count) << (LONGEST - length)).sum();
        let is_one_bit = self.0[1] <= 1 && self.0[2..].iter().all(|count| *count == 0);
        used == 1 << LONGEST || or_one_bit && is_one_bit
    }

    /// Decodes the next symbol of a code in which each symbol has so many bits as `lengths` says.
    ///
    /// The codes of one length follow each other in the order of their symbols, and those of a length follow on those of the one
    /// below, a zero behind them: so the code's place among its length's is known from the counts alone.
    fn symbol(&self, lengths: &[u8], bits: &mut Bits<'_>) -> Result<usize, PeekError> {
        bits.want(LONGEST as u32);
        let (mut code, mut first) = (0_u32, 0_u32);
        for (length, count) in (1..).zip(&self.0[1..]) {
            code = code << 1 | (bits.held >> (length - 1)) as u32 & 1;
            first <<= 1;
            let place = code.wrapping_sub(first);
            if place < u32::from(*count) {
                bits.drop(length)?;
                return nth(lengths, length as u8, place).ok_or(PeekError::Symbol);
            }
            first += u32::from(*count);
            if bits.count <= length {
                return Err(PeekError::CutOff);
            }
        }
        Err(PeekError::Symbol)
    }
}

/// Where `length` stands for the time that comes after `before` others.
fn nth(lengths: &[u8], length: u8, mut before: u32) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    for (word, at) in lengths.chunks_exact(8).zip((0..).step_by(8)) {
        // Eight at once: none is above 127, so that nothing is carried from one to the next, and the highest bit of each says whether it is zero.
        let differ = u64::from_le_bytes(word.try_into().ok()?) ^ (ONES * u64::from(length));
        let mut found = !(differ + 0x7f * ONES) & (0x80 * ONES);
        let here = ((found >> 7).wrapping_mul(ONES) >> 56) as u32;
        if before < here {
            (0..before).for_each(|_| found &= found - 1);
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        before -= here;
    }
    None
}

/// The two codes of a block.
struct Codes {
    /// The lengths of the symbols, then those of the distances.
    lengths: [u8; Self::ROOM],
    /// How many of them are symbols'.
    symbols: usize,
    symbol_counts: Counts,
    distance_counts: Counts,
}

impl Codes {
    /// The fixed codes have two symbols and two distances that stand for nothing.
    const MOST: usize = 288 + 32;

    /// With what a row may be written beyond the last.
    const ROOM: usize = Self::MOST + Rows::WRITTEN;

    const NONE: Self = Self {
        lengths: [0; Self::ROOM],
        symbols: 0,
        symbol_counts: Counts([0; LONGEST + 1]),
        distance_counts: Counts([0; LONGEST + 1]),
    };

    /// The codes that blocks use which bring none.
    const FIXED: &Self = &{
        let mut fixed = Self::NONE;
        let mut symbol = 0;
        while symbol < Self::MOST {
            fixed.lengths[symbol] = match symbol {
                0..144 | 280..288 => 8,
                144..256 => 9,
                256..280 => 7,
                _ => 5,
            };
            symbol += 1;
        }
        fixed.symbols = 288;
        let symbol_counts = &mut fixed.symbol_counts.0;
        (symbol_counts[7], symbol_counts[8], symbol_counts[9]) = (24, 152, 112);
        fixed.distance_counts.0[5] = 32;
        fixed
    };

    /// The codes that a dynamic block begins with.
    fn read(&mut self, bits: &mut Bits<'_>) -> Result<(), PeekError> {
        let (symbols, distances) = (257 + bits.take(5)?, 1 + bits.take(5)?);
        if symbols > 286 || distances > 30 {
            return Err(PeekError::CodeLengths);
        }
        self.symbols = symbols;
        let mut code = LengthCode { table: [Row::NONE; 1 << LengthCode::LONGEST] };
        code.read(bits)?;
        bits.fill();
        let first = code.symbol(bits.held);
        if first.keep != 0 && u32::from(first.own) <= bits.count {
            // There is none before it.
            return Err(PeekError::CodeLengths);
        }
        let mut rows = Rows { lengths: &mut self.lengths, at: 0, last: 0 };
        rows.read(&code, bits, &mut self.symbol_counts, symbols)?;
        // A row may begin among the symbols and end among the distances.
        let (last, beyond) = (usize::from(rows.last), (rows.at - symbols) as u16);
        self.symbol_counts.0[last] -= beyond;
        self.distance_counts.0[last] += beyond;
        rows.read(&code, bits, &mut self.distance_counts, symbols + distances)?;
        let fits = rows.at == symbols + distances;
        (self.symbol_counts.0[0], self.distance_counts.0[0]) = (0, 0);
        let is_sound = fits
            && self.lengths[END] != 0
            && self.symbol_counts.make_a_code(true)
            && self.distance_counts.make_a_code(true);
        if is_sound { Ok(()) } else { Err(PeekError::CodeLengths) }
    }
}

/// What a symbol of the lengths' code says: so many symbols that follow each other have codes of this length.
#[derive(Clone, Copy)]
#[repr(align(8))]
struct Row {
    /// How many bits it takes, with those that say how much longer the row is.
    bits: u8,
    /// How many of these are its own.
    own: u8,
    /// What the others are, when its own are gone.
    mask: u8,
    /// How long the row is at least.
    least: u8,
    length: u8,
    /// All ones where the length is that of the row before.
    keep: u8,
}

impl Row {
    const NONE: Self = Self { bits: 0, own: 0, mask: 0, least: 1, length: 0, keep: 0 };

    /// By symbol, without its own bits.
    const ALL: [Self; ORDER.len()] = {
        let mut all = [Self::NONE; ORDER.len()];
        let mut symbol = 0;
        while symbol <= LONGEST {
            all[symbol].length = symbol as u8;
            symbol += 1;
        }
        all[16] = Self { bits: 2, mask: 0b11, least: 3, keep: u8::MAX, ..Self::NONE };
        all[17] = Self { bits: 3, mask: 0b111, least: 3, ..Self::NONE };
        all[18] = Self { bits: 7, mask: 0b111_1111, least: 11, ..Self::NONE };
        all
    };
}

/// The code that the lengths of the others are written in.
struct LengthCode {
    /// By the next seven bits.
    table: [Row; 1 << Self::LONGEST],
}

impl LengthCode {
    /// The most bits that one of its symbols has.
    const LONGEST: u32 = 7;

    fn read(&mut self, bits: &mut Bits<'_>) -> Result<(), PeekError> {
        let given = 4 + bits.take(4)?;
        let (mut lengths, mut counts) = ([0_u8; ORDER.len()], [0_usize; Self::LONGEST as usize + 1]);
        for symbol in &ORDER[..given] {
            let length = bits.take(3)?;
            lengths[*symbol] = length as u8;
            counts[length] += 1;
        }
        counts[0] = 0;
        let used: usize = counts.iter().enumerate().map(|(length, count)| count << (7 - length)).sum();
        if used != self.table.len() {
            return Err(PeekError::CodeLengths);
        }
        // In the order of their codes: by length, and by symbol among those of one. Those without a code stand behind.
        let mut begin = [0; Self::LONGEST as usize + 1];
        for length in 1..Self::LONGEST as usize {
            begin[length + 1] = begin[length] + counts[length];
        }
        begin[0] = ORDER.len();
        let mut sorted = [Row::NONE; 2 * ORDER.len()];
        for (row, length) in Row::ALL.iter().zip(lengths) {
            let place = &mut begin[usize::from(length)];
            sorted[*place] = Row { bits: row.bits + length, own: length, ..*row };
            *place += 1;
        }
        self.fill(&sorted, &counts);
        Ok(())
    }

    /// Makes the table of rows in the order of their codes, of which each length has so many. For each length it is as long as there are codes of that
    /// length, and doubled for the next.
    fn fill(&mut self, mut sorted: &[Row], counts: &[usize; Self::LONGEST as usize + 1]) {
        // Codes begin with their highest bit, and the stream with its lowest.
        let mut code = 0_usize;
        for (length, count) in (1..).zip(&counts[1..]) {
            let highest = 1_usize << (length - 1);
            if length > 1 {
                let (done, next) = self.table.split_at_mut(highest);
                next[..highest].copy_from_slice(done);
            }
            let (rows, others) = sorted.split_at((*count).min(sorted.len()));
            sorted = others;
            for row in rows {
                self.table[code % self.table.len()] = *row;
                // The next one, where a carry goes downwards.
                let mut bit = highest;
                while code & bit != 0 {
                    bit >>= 1;
                }
                code = code & bit.wrapping_sub(1) | bit;
            }
        }
    }

    const fn symbol(&self, held: u64) -> &Row {
        &self.table[held as usize % self.table.len()]
    }
}

/// Lengths as they are read, row by row.
struct Rows<'a> {
    lengths: &'a mut [u8; Codes::ROOM],
    at: usize,
    /// The length that came last.
    last: u8,
}

impl Rows<'_> {
    /// How many lengths are written for a row, whatever its own: what is too many, the next row writes over. Longer ones than this are
    /// zeros, which stand there already.
    const WRITTEN: usize = 8;

    /// Rows that take so many bits in all are read at once: of at most 14 each.
    const AT_ONCE: usize = 4;

    /// Goes on until `end` is reached or passed. Nothing in here depends on which row it is: they come in no order that a processor
    /// could guess, and a wrong guess costs as much as two rows.
    #[inline]
    fn read(
        &mut self,
        code: &LengthCode,
        bits: &mut Bits<'_>,
        counts: &mut Counts,
        end: usize,
    ) -> Result<(), PeekError> {
        let Self { lengths, at, last } = self;
        while *at < end {
            bits.fill();
            let (mut held, mut taken) = (bits.held, 0);
            for _ in 0..Self::AT_ONCE {
                let row = code.symbol(held);
                let times = ((held >> (row.own & 63)) as u8 & row.mask) + row.least;
                *last = row.length | *last & row.keep;
                held >>= row.bits & 63;
                taken += u32::from(row.bits);
                lengths[*at..*at + Self::WRITTEN].copy_from_slice(&[*last; Self::WRITTEN]);
                counts.0[usize::from(*last) % counts.0.len()] += u16::from(times);
                *at += usize::from(times);
                if *at >= end {
                    break;
                }
            }
            bits.drop(taken)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
