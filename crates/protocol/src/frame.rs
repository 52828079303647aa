//! Frames: a VarInt of at most three bytes that states how many bytes follow, and those bytes
//! (Minecraft wiki, "Java Edition protocol/Packets", Packet format).
//!
//! What must stay true: a claim is checked against the bound of the state before anything is kept for it, an empty frame
//! is an error, and "not enough bytes yet" is `Ok(None)`.

use std::ops::Range;
use thiserror::Error;

/// The longest frame there is, in bytes: what three bytes of VarInt can state.
pub const MAX_FRAME: usize = (1 << 21) - 1;

/// What can be wrong with a frame's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// Length zero: a packet has at least an id.
    #[error("an empty frame")]
    Empty,
    /// A length that doesn't end within three bytes (negative ones take five).
    #[error("a frame length of more than 21 bits")]
    Length,
    /// Longer than this state allows.
    #[error("a frame of {length} bytes, at most {bound} are allowed here")]
    TooLong {
        /// What the peer stated, in bytes.
        length: usize,
        /// The bound, in bytes.
        bound: usize,
    },
}

/// Finds the first frame in `bytes`: where its body stands, the body's end being where the next one starts. `None` while
/// it isn't whole; an error as early as the head shows it.
///
/// # Errors
/// As [`FrameError`] lists them.
pub fn split(bytes: &[u8], bound: usize) -> Result<Option<Range<usize>>, FrameError> {
    let mut length = 0usize;
    for (index, &byte) in bytes.iter().take(3).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 != 0 {
            continue;
        }
        if length == 0 {
            return Err(FrameError::Empty);
        }
        if length > bound {
            return Err(FrameError::TooLong { length, bound });
        }
        let body = index + 1..index + 1 + length;
        return Ok((body.end <= bytes.len()).then_some(body));
    }
    if bytes.len() >= 3 { Err(FrameError::Length) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn heads_that_are_wrong_are_told_at_once() {
        assert_eq!(split(&[0], 100), Err(FrameError::Empty));
        assert_eq!(split(&[0x80, 0x80, 0x00], 100), Err(FrameError::Empty));
        assert_eq!(split(&[0xff, 0xff, 0xff, 0xff, 0x0f], 100), Err(FrameError::Length), "-1");
        assert_eq!(split(&[0xff, 0xff, 0xff], 100), Err(FrameError::Length));
        assert_eq!(split(&[101], 100), Err(FrameError::TooLong { length: 101, bound: 100 }));
        assert_eq!(
            split(&[0xff, 0xff, 0x7f], 8192),
            Err(FrameError::TooLong { length: MAX_FRAME, bound: 8192 })
        );
    }

    #[test]
    fn a_frame_that_is_not_whole_waits() {
        assert_eq!(split(&[], 100), Ok(None));
        assert_eq!(split(&[0x80], 100), Ok(None));
        assert_eq!(split(&[3, 1, 2], 100), Ok(None));
        assert_eq!(split(&[3, 1, 2, 3, 9], 100), Ok(Some(1..4)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_point_outside(bytes in proptest::collection::vec(any::<u8>(), 0..300), bound in 0usize..MAX_FRAME) {
            if let Ok(Some(body)) = split(&bytes, bound) {
                prop_assert!(body.end <= bytes.len() && !body.is_empty() && body.len() <= bound);
            }
        }
    }
}
