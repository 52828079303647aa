//! The lengths of a dynamic block's codes: rows of one or more that are alike, written in a code of their own.
//!
//! What must stay true: no row leads beyond the room that there is for lengths, whatever the stream says.

use super::codes::{Codes, Counts};
use super::{Bits, LONGEST, PeekError};

/// The order in which a dynamic block gives the lengths of the code that its other lengths are written in.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// What a symbol of the lengths' code says: so many symbols that follow each other have codes of this length.
#[derive(Clone, Copy)]
#[repr(align(8))]
pub(super) struct Row {
    /// How many bits it takes, with those that say how much longer the row is.
    bits: u8,
    /// How many of these are its own.
    pub(super) own: u8,
    /// What the others are, when its own are gone.
    mask: u8,
    /// How long the row is at least.
    least: u8,
    length: u8,
    /// All ones where the length is that of the row before.
    pub(super) keep: u8,
}

impl Row {
    pub(super) const NONE: Self = Self { bits: 0, own: 0, mask: 0, least: 1, length: 0, keep: 0 };

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
pub(super) struct LengthCode {
    /// By the next seven bits.
    pub(super) table: [Row; 1 << Self::LONGEST],
}

impl LengthCode {
    /// The most bits that one of its symbols has.
    pub(super) const LONGEST: u32 = 7;

    pub(super) fn read(&mut self, bits: &mut Bits<'_>) -> Result<(), PeekError> {
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

    pub(super) const fn symbol(&self, held: u64) -> &Row {
        &self.table[held as usize % self.table.len()]
    }
}

/// Lengths as they are read, row by row.
pub(super) struct Rows<'a> {
    pub(super) lengths: &'a mut [u8; Codes::ROOM],
    pub(super) at: usize,
    /// The length that came last.
    pub(super) last: u8,
}

impl Rows<'_> {
    /// How many lengths are written for a row, whatever its own: what is too many, the next row writes over. Longer ones than this are
    /// zeros, which stand there already.
    pub(super) const WRITTEN: usize = 8;

    /// Rows that take so many bits in all are read at once: of at most 14 each.
    const AT_ONCE: usize = 4;

    /// Goes on until `end` is reached or passed. Nothing in here depends on which row it is: they come in no order that a processor
    /// could guess, and a wrong guess costs as much as two rows.
    #[inline]
    pub(super) fn read(
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
