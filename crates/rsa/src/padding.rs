//! The padding of PKCS#1 v1.5 for encryption (RFC 8017, section 7.2.2): `00 02`, at least eight random bytes other
//! than zero, `00`, the message.
//!
//! What must stay true: neither what is done nor where memory is read depends on the padding or the message.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::{MODULUS, RsaError};

/// Bytes of padding in front of the longest message.
pub(crate) const OVERHEAD: usize = 11;

/// The message of exactly `N` bytes in `encoded` and true, or the front of `substitute` and false.
pub(crate) fn open_exact<const N: usize>(
    encoded: &[u8; MODULUS],
    substitute: &[u8; 32],
) -> ([u8; N], Choice) {
    const { assert!(N <= 32 && N + OVERHEAD <= MODULUS) };
    let (padding, message) = encoded.split_at(MODULUS - N);
    let mut sound = Choice::from(1);
    for (index, byte) in padding.iter().enumerate() {
        sound &= match index {
            0 => byte.ct_eq(&0),
            1 => byte.ct_eq(&2),
            _ if index == padding.len() - 1 => byte.ct_eq(&0),
            _ => !byte.ct_eq(&0),
        };
    }
    let mut bytes = [0; N];
    for ((byte, right), wrong) in bytes.iter_mut().zip(message).zip(substitute) {
        *byte = u8::conditional_select(wrong, right, sound);
    }
    (bytes, sound)
}

/// Where the message, of any length, begins in `encoded`. The answer itself tells what it tells.
pub(crate) fn message_start(encoded: &[u8; MODULUS]) -> Option<usize> {
    let mut sound = encoded[0].ct_eq(&0) & encoded[1].ct_eq(&2);
    let mut start = 0u32;
    let mut searching = Choice::from(1);
    for (byte, behind) in encoded.iter().zip(1u32..).skip(2) {
        let ends = searching & byte.ct_eq(&0);
        start.conditional_assign(&behind, ends);
        searching &= !ends;
    }
    sound &= !searching;
    let start = start as usize;
    (bool::from(sound) & (start >= OVERHEAD)).then_some(start)
}

/// Writes `message`, padded, to the whole of `encoded`, which has to be [`OVERHEAD`] longer or more.
pub(crate) fn pad(message: &[u8], encoded: &mut [u8]) -> Result<(), RsaError> {
    let (front, back) = encoded.split_at_mut(encoded.len() - message.len());
    back.copy_from_slice(message);
    front.fill(0);
    front[1] = 2;
    let end = front.len() - 1;
    let random = &mut front[2..end];
    crate::random(random)?;
    for byte in random {
        while *byte == 0 {
            crate::random(std::slice::from_mut(byte))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(padding: usize, message: &[u8]) -> [u8; MODULUS] {
        let mut bytes = vec![0, 2];
        bytes.resize(2 + padding, 0xff);
        bytes.push(0);
        bytes.extend(message);
        bytes.try_into().unwrap()
    }

    #[test]
    fn a_message_of_the_length_wanted_is_opened() {
        let (bytes, sound) = open_exact::<16>(&encoded(109, &[7; 16]), &[9; 32]);
        assert!(bool::from(sound));
        assert_eq!(bytes, [7; 16]);
    }

    #[test]
    fn any_wrong_byte_of_the_padding_gives_the_substitute() {
        for index in 0..112 {
            let mut wrong = encoded(109, &[7; 16]);
            wrong[index] = if wrong[index] == 0xff { 0 } else { 0x80 };
            let (bytes, sound) = open_exact::<16>(&wrong, &[9; 32]);
            assert!(!bool::from(sound), "byte {index}");
            assert_eq!(bytes, [9; 16]);
        }
    }

    #[test]
    fn other_lengths_give_the_substitute() {
        for length in (0..=117).filter(|&length| length != 16) {
            let (bytes, sound) = open_exact::<16>(&encoded(125 - length, &vec![7; length]), &[9; 32]);
            assert!(!bool::from(sound), "{length} bytes");
            assert_eq!(bytes, [9; 16]);
        }
    }

    #[test]
    fn padding_is_at_least_eight_bytes() {
        assert_eq!(message_start(&encoded(8, &[7; 117])), Some(11));
        assert_eq!(message_start(&encoded(7, &[7; 118])), None);
        assert_eq!(message_start(&encoded(125, &[])), Some(128));
        assert_eq!(message_start(&[0; MODULUS]), None);
    }

    proptest! {
        #[test]
        fn a_message_starts_behind_the_first_zero(bytes in prop::collection::vec(0..3u8, MODULUS)) {
            let encoded: [u8; MODULUS] = bytes.try_into().unwrap();
            let zero = encoded.iter().skip(2).position(|&byte| byte == 0).map(|index| index + 3);
            let expected = zero.filter(|&start| start >= 11 && encoded.starts_with(&[0, 2]));
            prop_assert_eq!(message_start(&encoded), expected);
        }
    }
}
