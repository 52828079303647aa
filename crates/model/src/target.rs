//! Backend servers.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;

/// One backend server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Names it in logs.
    pub identifier: String,
    /// Where it is.
    pub address: TargetAddress,
    /// The lower, the earlier it is tried where nothing else decides.
    pub priority: u32,
    /// What a discovery knows about it; shared, since a discovery may know thousands, and each login goes through all.
    pub meta: Arc<BTreeMap<String, String>>,
    /// What was set aside for this one player, where a discovery does that.
    pub lease: Option<Lease>,
}

/// Something that was set aside for one player, such as a game server of their own. Unless the player is brought there, it is
/// given back when the last clone of this is dropped.
#[derive(Clone)]
pub struct Lease(Arc<Held>);

struct Held {
    give_back: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Lease {
    /// `give_back` is called once, unless the lease is used.
    #[must_use]
    pub fn new(give_back: impl FnOnce() + Send + 'static) -> Self {
        Self(Arc::new(Held { give_back: Mutex::new(Some(Box::new(give_back))) }))
    }

    /// The player was brought there: it isn't given back.
    pub fn used(&self) {
        self.0.take();
    }
}

impl Held {
    fn take(&self) -> Option<Box<dyn FnOnce() + Send>> {
        self.give_back.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(give_back) = self.take() {
            give_back();
        }
    }
}

impl PartialEq for Lease {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Lease {}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lease")
    }
}

/// A host name or IP address, and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TargetAddress {
    /// A host name, or an IP address without brackets.
    pub host: String,
    /// Not 0.
    pub port: u16,
}

/// What is wrong with an address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TargetAddressError {
    /// No `:port` behind the host, or no number there.
    #[error("expected host:port with a port from 1 to 65535")]
    Port,
    /// Neither a host name nor an IP address.
    #[error(
        "{0:?} is neither a host name nor an IP address (an IPv6 address with a port stands in brackets: [::1]:25565)"
    )]
    Host(String),
}

impl TargetAddress {
    /// The address, where the host is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

impl FromStr for TargetAddress {
    type Err = TargetAddressError;

    /// Reads `host:port`, `1.2.3.4:port` or `[::1]:port`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = text.rsplit_once(':').ok_or(TargetAddressError::Port)?;
        let port = port.parse().ok().filter(|&port| port != 0).ok_or(TargetAddressError::Port)?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let sound = match bracketed {
            Some(inside) => inside.parse::<Ipv6Addr>().is_ok(),
            None => is_host_name(host),
        };
        if !sound {
            return Err(TargetAddressError::Host(host.to_owned()));
        }
        Ok(Self { host: bracketed.unwrap_or(host).to_owned(), port })
    }
}

/// Labels of letters, digits, hyphens and underscores, 63 bytes at most each, 253 in all: what DNS takes, and SRV-style names.
fn is_host_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    host.len() <= 253 && host.strip_suffix('.').unwrap_or(host).split('.').all(label)
}

impl fmt::Display for TargetAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_given_back_once_unless_it_is_used() {
        let given_back = Arc::new(Mutex::new(0));
        let lease = || {
            let given_back = Arc::clone(&given_back);
            Lease::new(move || *given_back.lock().unwrap() += 1)
        };
        let one = lease();
        let other = one.clone();
        drop(one);
        assert_eq!(*given_back.lock().unwrap(), 0);
        drop(other);
        assert_eq!(*given_back.lock().unwrap(), 1);
        let used = lease();
        used.clone().used();
        drop(used);
        assert_eq!(*given_back.lock().unwrap(), 1);
    }

    #[test]
    fn addresses_read_and_write_the_same() {
        for text in ["hub.internal:25565", "10.0.1.10:1", "[2001:db8::1]:65535", "_mc.example.com.:25565"] {
            assert_eq!(text.parse::<TargetAddress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn mistaken_ones_say_what_is_expected() {
        for text in ["hub", "hub:", "hub:0", "hub:65536", "hub:x"] {
            assert_eq!(text.parse::<TargetAddress>(), Err(TargetAddressError::Port), "{text}");
        }
        for (text, host) in [("::1:25565", "::1"), ("[hub]:25565", "[hub]"), ("a b:1", "a b"), (":1", "")] {
            assert_eq!(
                text.parse::<TargetAddress>(),
                Err(TargetAddressError::Host(host.to_owned())),
                "{text}"
            );
        }
    }
}
