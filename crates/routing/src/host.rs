//! The host that a client typed, as it arrives in the handshake.
//!
//! What must stay true: this is the one place where it is cleaned; whatever a client sends, the result is a text that the
//! [`Table`](crate::Table) can be asked with, and nothing panics.

use std::borrow::Cow;
use std::net::Ipv6Addr;

/// The longest host name that DNS knows, in bytes.
const LONGEST: usize = 253;

/// What is left of a typed host without what mods and proxies hang on it: everything from the first NUL on (Forge's
/// `\0FML\0`, `\0FML2\0` and so on, BungeeCord's forwarded address), everything from `///` on (`RealIP`, `TCPShield`), trailing
/// dots, and capital letters. IPv6 addresses lose their brackets and are written in their canonical form.
///
/// What is left of nonsense is nonsense: the table finds the default route for it at most. It is cut where no host name can go on,
/// so that a log doesn't hold what a client makes up.
///
/// ```
/// # use drawbridge_routing::clean_host;
/// assert_eq!(clean_host("Play.Example.com.\0FML2\0"), "play.example.com");
/// assert_eq!(clean_host("play.example.com///203.0.113.7:4711///1700000000"), "play.example.com");
/// assert_eq!(clean_host("[2001:DB8:0::1]"), "2001:db8::1");
/// ```
#[must_use]
pub fn clean_host(raw: &str) -> Cow<'_, str> {
    let host = raw.split('\0').next().unwrap_or_default();
    let host = host.split("///").next().unwrap_or_default().trim_end_matches('.');
    let host = &host[..host.floor_char_boundary(LONGEST + 1)];
    if host.contains(':') {
        let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = inside.parse::<Ipv6Addr>() {
            return Cow::Owned(address.to_string());
        }
    }
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}

/// Whether the host carries what a proxy tells a server of a player, after `BungeeCord`: `host\0address\0uuid`, and properties.
///
/// A server that believes that looks at the third part between NULs. Clients and their mods say nothing there: Forge's mark is the second,
/// and so is Floodgate's.
///
/// ```
/// # use drawbridge_routing::is_forwarded;
/// assert!(is_forwarded("play.example.com\0203.0.113.7\0069a79f444e94726a5befca90e38aaf5"));
/// assert!(!is_forwarded("play.example.com\0FML2\0"));
/// ```
#[must_use]
pub fn is_forwarded(raw: &str) -> bool {
    raw.split('\0').skip(2).any(|part| !part.is_empty())
}

/// Whether a cleaned host may be somebody's name: labels of letters, digits, hyphens and underscores, or an IPv6 address.
pub(crate) fn is_sane(host: &str) -> bool {
    let mut at_label_start = true;
    for byte in host.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b':' => at_label_start = false,
            b'.' if !at_label_start => at_label_start = true,
            _ => return false,
        }
    }
    !at_label_start && host.len() <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn marks_dots_and_capitals_fall_away() {
        for (raw, host) in [
            ("play.example.com", "play.example.com"),
            ("PLAY.example.com..", "play.example.com"),
            ("play.example.com\0FML\0", "play.example.com"),
            ("play.example.com.\0FML3\0", "play.example.com"),
            ("play.example.com\0FORGE", "play.example.com"),
            ("play.example.com\x00127.0.0.1\x0000000000000000000000000000000000", "play.example.com"),
            ("play.example.com.///203.0.113.7:4711///1700000000///c2lnbmF0dXJl", "play.example.com"),
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            ("[::1]", "::1"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
            ("", ""),
            ("...", ""),
            ("\0", ""),
            ("///", ""),
        ] {
            assert_eq!(clean_host(raw), host, "{raw:?}");
        }
    }

    #[test]
    fn nonsense_is_told_from_names() {
        for host in ["a", "a.b", "a_b.c-d", "1.2.3.4", "::1", "xn--mnchen-3ya.de"] {
            assert!(is_sane(host), "{host:?}");
        }
        let long = "a.".repeat(127);
        for host in ["", ".", "a.", ".a", "a..b", "a b", "A", "ü", "a\u{1b}[0m", "*", "a/b", long.as_str()] {
            assert!(!is_sane(host), "{host:?}");
        }
    }

    #[test]
    fn what_proxies_say_behind_the_host_is_told_from_marks_of_mods() {
        let player = "069a79f444e94726a5befca90e38aaf5";
        for raw in [
            format!("a.example.com\0203.0.113.7\0{player}"),
            format!("a.example.com\0203.0.113.7\0{player}\0[]"),
            format!("a.example.com\0203.0.113.7\0{player}\0\0"),
            format!("a.example.com\0\0{player}"),
            format!("a.example.com\0FML\0{player}"),
            "a.example.com\0FML\0\x001-1-1-1-1".to_owned(),
        ] {
            assert!(is_forwarded(&raw), "{raw:?}");
        }
        for raw in [
            "a.example.com",
            "a\0FML\0",
            "a\0FML2\0",
            "a\0FML3\0",
            "a\0FORGE",
            "a\0^Floodgate^x!y",
            "",
            "\0",
            "\0\0\0",
        ] {
            assert!(!is_forwarded(raw), "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn cleaning_is_done_once(raw in "[a-zA-Z0-9.:/\\[\\]\0]{0,24}|\\PC{0,12}") {
            let once = clean_host(&raw).into_owned();
            prop_assert!(!once.contains('\0') && !once.ends_with('.'));
            prop_assert_eq!(clean_host(&once), once.as_str());
        }
    }
}
