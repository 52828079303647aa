//! Addresses as other programs write them, made whole: to listen at, to connect to, of networks.

use drawbridge_model::TargetAddress;
use std::net::{IpAddr, SocketAddr};

/// The port that servers have unless they are told otherwise.
const USUAL_PORT: u16 = 25565;

/// An address to listen at: `0.0.0.0:25565`, `[::]:25565`, `:25565`, `localhost:25565`.
pub(super) fn socket_address(text: &str) -> Option<SocketAddr> {
    let text = text.trim();
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let (host, port) = text.rsplit_once(':')?;
    let host = match host {
        "" | "*" => "::",
        "localhost" => "127.0.0.1",
        host => host,
    };
    Some(SocketAddr::new(host.parse().ok()?, port.parse().ok()?))
}

/// An address to connect to; a missing port is the usual one, a missing host this machine.
pub(super) fn target_address(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(IpAddr::V6(address)) = text.parse() {
        return Some(format!("[{address}]:{USUAL_PORT}"));
    }
    if let Some(port) = text.strip_prefix(':') {
        return target_address(&format!("127.0.0.1:{port}"));
    }
    let whole = if text.ends_with(']') || !text.contains(':') {
        format!("{text}:{USUAL_PORT}")
    } else {
        text.to_owned()
    };
    whole.parse::<TargetAddress>().ok().map(|address| address.to_string())
}

/// Whether this is an address, or a network such as `10.0.0.0/8`.
pub(super) fn is_network(text: &str) -> bool {
    let (address, prefix) =
        text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    prefix.is_none_or(|prefix| prefix.parse::<u8>().is_ok_and(|bits| bits <= longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_completed() {
        for (text, whole) in [
            ("10.0.0.1", Some("10.0.0.1:25565")),
            ("hub.internal:25570", Some("hub.internal:25570")),
            (":8080", Some("127.0.0.1:8080")),
            ("::1", Some("[::1]:25565")),
            ("[::1]", Some("[::1]:25565")),
            ("[::1]:25570", Some("[::1]:25570")),
            ("$1.internal:25565", None),
            ("unix:/run/a.sock", None),
            ("hub:0", None),
            ("", None),
        ] {
            assert_eq!(target_address(text).as_deref(), whole, "{text:?}");
        }
        for (text, whole) in [
            ("0.0.0.0:25577", Some("0.0.0.0:25577")),
            (":25565", Some("[::]:25565")),
            ("localhost:25565", Some("127.0.0.1:25565")),
            ("example.com:25565", None),
            ("25565", None),
        ] {
            assert_eq!(socket_address(text).map(|address| address.to_string()).as_deref(), whole, "{text:?}");
        }
    }

    #[test]
    fn networks_are_told_from_other_texts() {
        for text in ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1"] {
            assert!(is_network(text), "{text}");
        }
        for text in ["10.0.0.0/33", "example.com", "", "10.0.0.0/", "::/129"] {
            assert!(!is_network(text), "{text}");
        }
    }
}
