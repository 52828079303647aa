//! What answers on a port when it isn't a Minecraft server of today.

use super::clean::clean;
use std::fmt;

/// How many bytes of what comes first are kept to be recognised.
pub(super) const FIRST: usize = 512;

/// How an HTTP answer begins; a server that takes the question for HTTP 0.9 leaves the head out.
const HTTP: [&[u8]; 3] = [b"HTTP/", b"<!DOCTYPE HTML", b"<html"];

/// Another protocol, recognised by its first bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Foreign {
    /// An HTTP answer, with its first line.
    Http(String),
    /// A TLS alert or hello.
    Tls,
    /// An SSH greeting.
    Ssh,
    /// The kick of a Minecraft server before 1.7, with its text.
    LegacyKick(String),
    /// A line of text.
    Text(String),
}

impl Foreign {
    /// Recognises the first bytes that came. A frame that a sensible server begins with is never taken for anything else:
    /// its id is a small number, and its length's VarInt is in the shortest form.
    pub(super) fn recognise(first: &[u8]) -> Option<Self> {
        let line = || {
            let end = first.iter().position(|&byte| byte == b'\n').unwrap_or(first.len());
            clean(&String::from_utf8_lossy(&first[..end]))
        };
        let starts =
            |start: &[u8]| first.get(..start.len()).is_some_and(|first| first.eq_ignore_ascii_case(start));
        match first {
            _ if HTTP.iter().any(|start| starts(start)) => Some(Self::Http(line())),
            [b'S', b'S', b'H', b'-', ..] => Some(Self::Ssh),
            [0x15 | 0x16, 3, 0..=4, ..] => Some(Self::Tls),
            // The length's high byte is 0: kicks are short, and no VarInt in its shortest form begins so.
            [0xff, 0, units, text @ ..] => {
                let units = usize::from(*units);
                let text =
                    text.chunks_exact(2).take(units).map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
                let text: String = char::decode_utf16(text).map(|c| c.unwrap_or('\u{fffd}')).collect();
                Some(Self::LegacyKick(clean(&text)))
            }
            _ => {
                let shown = &first[..first.len().min(16)];
                let is_text = shown.len() >= 4
                    && shown.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t'));
                is_text.then(|| Self::Text(line()))
            }
        }
    }

    pub(super) const fn meaning(&self) -> &'static str {
        match self {
            Self::Http(_) => {
                "A web server answers on this port, not a Minecraft server. Check the port; an HTTP proxy or CDN can't \
                 carry Minecraft (it needs a TCP one)."
            }
            Self::Tls => {
                "Something that speaks TLS answers on this port, not a Minecraft server. Check the port."
            }
            Self::Ssh => "An SSH server answers on this port, not a Minecraft server. Check the port.",
            Self::LegacyKick(_) => {
                "The server answers as those before 1.7 do: it is that old, or it didn't understand the greeting."
            }
            Self::Text(_) => "Another program answers on this port, not a Minecraft server. Check the port.",
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(line) => write!(f, "not Minecraft: an HTTP answer ({line})"),
            Self::Tls => f.write_str("not Minecraft: a TLS answer"),
            Self::Ssh => f.write_str("not Minecraft: an SSH greeting"),
            Self::LegacyKick(text) => write!(f, "a kick from before 1.7: \"{text}\""),
            Self::Text(line) => write!(f, "not Minecraft: \"{line}\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_protocols_are_recognised() {
        let http = Foreign::recognise(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n");
        assert_eq!(http, Some(Foreign::Http("HTTP/1.1 400 Bad Request".into())));
        let http = Foreign::recognise(b"<!doctype html>\n<p>");
        assert_eq!(http, Some(Foreign::Http("<!doctype html>".into())));
        assert_eq!(Foreign::recognise(&[0x15, 3, 1, 0, 2, 2, 70]), Some(Foreign::Tls));
        assert_eq!(Foreign::recognise(b"SSH-2.0-OpenSSH_9.6\r\n"), Some(Foreign::Ssh));
        assert_eq!(Foreign::recognise(b"\xff\0\x02\0h\0i"), Some(Foreign::LegacyKick("hi".into())));
        assert_eq!(Foreign::recognise(b"220 mail ready\r\n"), Some(Foreign::Text("220 mail ready".into())));
    }

    #[test]
    fn frames_and_nothing_are_not() {
        for bytes in [&b""[..], b"\x02\x00\x00", b"\x05\x00\x03abc", b"\xff", b"\xff\x01\0\xfc\x01{", b"abc"]
        {
            assert_eq!(Foreign::recognise(bytes), None, "{bytes:?}");
        }
    }
}
