//! Strings of NBT: a 16-bit length in bytes and Java's modified UTF-8 (`java.io.DataInput`), in which NUL takes two bytes
//! and characters beyond U+FFFF are two surrogates of three bytes each.

use super::MAX_STRING;

/// Appends length and text. A text that is too long is cut between two characters.
pub(super) fn write(text: &str, out: &mut Vec<u8>) {
    let head = out.len();
    out.extend([0; 2]);
    let start = out.len();
    // What takes the same bytes either way is copied as it is; that is nearly everything.
    if text.len() <= MAX_STRING && text.bytes().all(|byte| byte != 0 && byte < 0xf0) {
        out.extend_from_slice(text.as_bytes());
    } else {
        for character in text.chars() {
            let before = out.len();
            write_char(character, out);
            if out.len() - start > MAX_STRING {
                out.truncate(before);
                break;
            }
        }
    }
    let length = u16::try_from(out.len() - start).unwrap_or(u16::MAX);
    out[head..start].copy_from_slice(&length.to_be_bytes());
}

fn write_char(character: char, out: &mut Vec<u8>) {
    match character {
        '\0' => out.extend([0xc0, 0x80]),
        '\u{1}'..='\u{ffff}' => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        _ => {
            for &mut unit in character.encode_utf16(&mut [0; 2]) {
                let six_bits = |shift: u16| 0x80 | (unit >> shift & 0x3f) as u8;
                out.extend([0xed, six_bits(6), six_bits(0)]);
            }
        }
    }
}

/// Reads a text without its length, or says that it isn't one: not modified UTF-8, or with half a surrogate pair.
pub(super) fn read(bytes: &[u8]) -> Option<String> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && bytes.iter().all(|&byte| byte < 0xf0)
    {
        return Some(text.to_owned());
    }
    let mut units = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((unit, tail)) = read_unit(rest)? {
        units.push(unit);
        rest = tail;
    }
    String::from_utf16(&units).ok()
}

/// The next UTF-16 unit, if there is one; `None` outside when the bytes are wrong.
#[allow(clippy::option_option, reason = "wrong and at the end are two things")]
fn read_unit(bytes: &[u8]) -> Option<Option<(u16, &[u8])>> {
    let continuation = |byte: u8| (byte & 0xc0 == 0x80).then_some(u16::from(byte & 0x3f));
    Some(Some(match *bytes {
        [] => return Some(None),
        [first @ 0..=0x7f, ref rest @ ..] => (u16::from(first), rest),
        [first @ 0xc0..=0xdf, second, ref rest @ ..] => {
            let unit = u16::from(first & 0x1f) << 6 | continuation(second)?;
            // Two bytes stand for what needs them, and for NUL.
            ((unit >= 0x80 || unit == 0).then_some(unit)?, rest)
        }
        [first @ 0xe0..=0xef, second, third, ref rest @ ..] => {
            let unit = u16::from(first & 0x0f) << 12 | continuation(second)? << 6 | continuation(third)?;
            ((unit >= 0x800).then_some(unit)?, rest)
        }
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        write(text, &mut out);
        out
    }

    /// By the table of `java.io.DataInput`'s specification.
    #[test]
    fn it_is_javas() {
        assert_eq!(written("Añ€"), [0, 6, 0x41, 0xc3, 0xb1, 0xe2, 0x82, 0xac]);
        assert_eq!(written("\0"), [0, 2, 0xc0, 0x80]);
        assert_eq!(written("😀"), [0, 6, 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]);
    }

    #[test]
    fn wrong_bytes_are_no_text() {
        for bytes in [
            &[0x80][..],
            &[0xc3],
            &[0xc3, 0x41],
            &[0xc1, 0x81],
            &[0xe0, 0x80, 0x80],
            &[0xed, 0xa0, 0xbd],
            &[0xed, 0xb8, 0x80, 0xed, 0xa0, 0xbd],
            &[0xf0, 0x9f, 0x98, 0x80],
            &[0xff],
        ] {
            assert_eq!(read(bytes), None, "{bytes:x?}");
        }
        assert_eq!(read(&[0, 0x41]), Some("\0A".to_owned()), "a plain NUL, as Java takes it");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(written(&"a".repeat(70_000)).len(), 2 + 65_535);
        for (text, kept) in [("€", 65_535), ("😀", 65_532), ("\0", 65_534)] {
            let bytes = written(&text.repeat(70_000));
            assert_eq!(bytes.len(), 2 + kept);
            assert_eq!(bytes[..2], u16::try_from(kept).unwrap().to_be_bytes());
            assert!(read(&bytes[2..]).is_some());
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(text in "\\PC*|[\\x00-\\x{10ffff}]{0,40}") {
            let bytes = written(&text);
            prop_assert_eq!(usize::from(u16::from_be_bytes([bytes[0], bytes[1]])), bytes.len() - 2);
            prop_assert_eq!(read(&bytes[2..]), Some(text));
        }

        #[test]
        fn no_bytes_panic_and_none_are_read_two_ways(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0xe0u8..=0xef, 0x80u8..=0xbf], 0..24)) {
            if let Some(text) = read(&bytes) {
                let again = written(&text);
                prop_assert_eq!(read(&again[2..]), Some(text));
            }
        }
    }
}
