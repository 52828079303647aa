//! VarInts: 32-bit numbers in one to five bytes, seven bits each, least significant first
//! (Minecraft wiki, "Java Edition protocol/Data types").
//!
//! What must stay true: no input makes these functions panic or read past five bytes.

use thiserror::Error;

/// The longest encoding of a 32-bit number.
pub const MAX_BYTES: usize = 5;

/// Five bytes that don't end a VarInt, or that hold more than 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a VarInt of more than 32 bits")]
pub struct VarIntError;

/// Reads a VarInt from the front of `bytes`: its value and how many bytes it took, or `None` while its end hasn't come.
///
/// # Errors
/// When five bytes don't end it, or hold more than 32 bits.
pub fn read(bytes: &[u8]) -> Result<Option<(i32, usize)>, VarIntError> {
    let mut value = 0u32;
    for (index, &byte) in bytes.iter().take(MAX_BYTES).enumerate() {
        if index == MAX_BYTES - 1 && byte > 0x0f {
            return Err(VarIntError);
        }
        value |= u32::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((value.cast_signed(), index + 1)));
        }
    }
    Ok(None)
}

/// Appends `value` in its shortest form.
pub fn write(value: i32, out: &mut Vec<u8>) {
    let mut rest = value.cast_unsigned();
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// How many bytes [`write`] appends for `value`.
#[must_use]
pub const fn size(value: i32) -> usize {
    let bits = 32 - (value.cast_unsigned() | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The sample table of the Minecraft wiki's "Data types" page.
    const SAMPLES: [(i32, &[u8]); 10] = [
        (0, &[0x00]),
        (1, &[0x01]),
        (127, &[0x7f]),
        (128, &[0x80, 0x01]),
        (255, &[0xff, 0x01]),
        (25565, &[0xdd, 0xc7, 0x01]),
        (2_097_151, &[0xff, 0xff, 0x7f]),
        (i32::MAX, &[0xff, 0xff, 0xff, 0xff, 0x07]),
        (-1, &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        (i32::MIN, &[0x80, 0x80, 0x80, 0x80, 0x08]),
    ];

    #[test]
    fn samples_of_the_wiki_round_trip() {
        for (value, bytes) in SAMPLES {
            let mut out = Vec::new();
            write(value, &mut out);
            assert_eq!(out, bytes);
            assert_eq!(size(value), bytes.len());
            assert_eq!(read(bytes), Ok(Some((value, bytes.len()))));
        }
    }

    #[test]
    fn over_long_ones_are_errors() {
        assert_eq!(read(&[0xff; 5]), Err(VarIntError));
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0x1f]), Err(VarIntError));
        assert_eq!(read(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x01]), Err(VarIntError));
    }

    #[test]
    fn an_unfinished_one_waits() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[0x80, 0x80, 0x80, 0x80]), Ok(None));
    }

    proptest! {
        #[test]
        fn any_number_round_trips(value: i32, tail in proptest::collection::vec(any::<u8>(), 0..4)) {
            let mut out = Vec::new();
            write(value, &mut out);
            let length = out.len();
            prop_assert_eq!(length, size(value));
            out.extend(tail);
            prop_assert_eq!(read(&out), Ok(Some((value, length))));
        }
    }
}
