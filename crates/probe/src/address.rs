//! What a player types into the server list.

use hickory_resolver::proto::rr::Name;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// The port of a server without one.
pub(super) const DEFAULT_PORT: u16 = 25565;

/// `HOST`, `HOST:PORT`, an IPv6 address, or one in brackets with a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// The host in ASCII: international names are in their `xn--` form, as the client sends them.
    pub host: String,
    /// [`DEFAULT_PORT`] where none was typed; the client sees no difference either.
    pub port: u16,
}

impl Address {
    /// The host as an IP address, if it is one.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Whether `other` leads to the same place by its looks: hosts in any case, a trailing dot or none.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let bare = |host: &str| host.trim_end_matches('.').to_ascii_lowercase();
        self.port == other.port && bare(&self.host) == bare(&other.host)
    }
}

/// Without the trailing dot that names in DNS records have.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip() {
            Some(ip) => SocketAddr::new(ip, self.port).fmt(f),
            None => write!(f, "{}:{}", self.host.trim_end_matches('.'), self.port),
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(ip) = text.parse::<Ipv6Addr>() {
            return Ok(Self { host: ip.to_string(), port: DEFAULT_PORT });
        }
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((inside, "")) => (inside, None),
            Some((inside, after)) => (inside, Some(after.strip_prefix(':').ok_or("expected [IPv6]:PORT")?)),
            None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        if text.starts_with('[') && host.parse::<Ipv6Addr>().is_err() {
            return Err("only an IPv6 address stands in brackets".into());
        }
        let port = match port.map(str::parse) {
            None => DEFAULT_PORT,
            Some(Ok(port)) if port > 0 => port,
            Some(_) => return Err("the port is a number from 1 to 65535".into()),
        };
        Ok(Self { host: host_in_ascii(host)?, port })
    }
}

fn host_in_ascii(host: &str) -> Result<String, String> {
    if host.parse::<IpAddr>().is_ok() {
        return Ok(host.into());
    }
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_') || !c.is_ascii();
    if host.is_empty() || !host.chars().all(fits) {
        return Err("expected a host name or an IP address, such as play.example.com:25565".into());
    }
    let name = Name::from_utf8(host).map_err(|error| format!("not a host name: {error}"))?;
    Ok(if host.is_ascii() { host.into() } else { name.to_ascii() })
}

/// A DNS server to ask: an IP address, port 53 unless another is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nameserver(pub SocketAddr);

impl FromStr for Nameserver {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let with_port = text.parse().ok();
        let address = with_port.or_else(|| Some(SocketAddr::new(text.parse().ok()?, 53)));
        address.map(Self).ok_or_else(|| "expected IP or IP:PORT, such as 9.9.9.9".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, u16) {
        let address: Address = text.parse().unwrap();
        (address.host, address.port)
    }

    #[test]
    fn hosts_and_ports_are_told_apart() {
        assert_eq!(parsed("play.example.com"), ("play.example.com".into(), 25565));
        assert_eq!(parsed("Play.Example.com.:25570"), ("Play.Example.com.".into(), 25570));
        assert_eq!(parsed("192.0.2.1:1"), ("192.0.2.1".into(), 1));
        assert_eq!(parsed("2001:db8::1"), ("2001:db8::1".into(), 25565));
        assert_eq!(parsed("[2001:db8::1]"), ("2001:db8::1".into(), 25565));
        assert_eq!(parsed("[2001:db8::1]:80"), ("2001:db8::1".into(), 80));
        assert_eq!(parsed("münchen.example"), ("xn--mnchen-3ya.example".into(), 25565));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in
            ["", ":25565", "a:0", "a:65536", "a:b", "http://a", "a b", "[::1", "[a]:1", "[::1]x", "a\u{7}"]
        {
            assert!(text.parse::<Address>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn likeness_ignores_case_and_a_trailing_dot() {
        let address = |text: &str| text.parse::<Address>().unwrap();
        assert!(address("Play.example.com.").is_like(&address("play.EXAMPLE.com:25565")));
        assert!(!address("play.example.com:1").is_like(&address("play.example.com")));
    }

    #[test]
    fn name_servers_have_port_53_unless_told() {
        assert_eq!("9.9.9.9".parse(), Ok(Nameserver(([9, 9, 9, 9], 53).into())));
        assert_eq!("[::1]:5353".parse(), Ok(Nameserver("[::1]:5353".parse().unwrap())));
        assert_eq!("::1".parse(), Ok(Nameserver("[::1]:53".parse().unwrap())));
        assert!("dns.example".parse::<Nameserver>().is_err());
    }
}
