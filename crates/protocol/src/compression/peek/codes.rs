//! The codes of a block, and how symbols are found in them.
//!
//! What must stay true: lengths that make no code are refused, as zlib refuses them, but for what it takes all the same.

use super::rows::{LengthCode, Row, Rows};
use super::{Bits, END, LONGEST, PeekError};

/// How many symbols of a code have each length, in bits.
#[derive(Clone, Copy)]
pub(super) struct Counts(pub(super) [u16; LONGEST + 1]);

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
    pub(super) fn symbol(&self, lengths: &[u8], bits: &mut Bits<'_>) -> Result<usize, PeekError> {
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
pub(super) struct Codes {
    /// The lengths of the symbols, then those of the distances.
    pub(super) lengths: [u8; Self::ROOM],
    /// How many of them are symbols'.
    pub(super) symbols: usize,
    pub(super) symbol_counts: Counts,
    pub(super) distance_counts: Counts,
}

impl Codes {
    /// The fixed codes have two symbols and two distances that stand for nothing.
    const MOST: usize = 288 + 32;

    /// With what a row may be written beyond the last.
    pub(super) const ROOM: usize = Self::MOST + Rows::WRITTEN;

    pub(super) const NONE: Self = Self {
        lengths: [0; Self::ROOM],
        symbols: 0,
        symbol_counts: Counts([0; LONGEST + 1]),
        distance_counts: Counts([0; LONGEST + 1]),
    };

    /// The codes that blocks use which bring none.
    pub(super) const FIXED: &Self = &{
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
    pub(super) fn read(&mut self, bits: &mut Bits<'_>) -> Result<(), PeekError> {
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
