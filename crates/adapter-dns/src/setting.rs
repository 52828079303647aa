//! Settings: names, and name servers.

use drawbridge_config::{Json, Reader, Schemas, Setting, Value, json, parsed};
use drawbridge_model::TargetAddress;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use thiserror::Error;

/// The port of DNS.
const PORT: u16 = 53;

/// A name that DNS is asked for. With a dot at its end it is asked for as it is, else the system's search list applies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Domain(String);

/// Why a text is no [`Domain`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DomainError {
    /// An address.
    #[error("it is an address, which needs no DNS: use discovery \"fixed\"")]
    Address,
    /// A port behind it.
    #[error("a name alone: the port is a key of its own, or stands in the SRV record")]
    Port,
    /// Something that no name can be.
    #[error("a name has labels of letters, digits, - and _, 63 at most in each and 236 in all")]
    Name,
}

impl Domain {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Domain {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        /// Leaves room for the service of an SRV record.
        const LONGEST: usize = 236;
        if text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
            return Err(DomainError::Address);
        }
        if text.contains(':') {
            return Err(DomainError::Port);
        }
        if format!("{text}:1").parse::<TargetAddress>().is_err() || text.len() > LONGEST {
            return Err(DomainError::Name);
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl Setting for Domain {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        parsed(value, reader, "a name such as \"lobby.example.com\"")
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string", "minLength": 1, "examples": ["lobby.example.com"] })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.0))
    }
}

/// A name server: an address, with a port where it isn't 53.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NameServer(pub SocketAddr);

/// Why a text is no [`NameServer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a name server is an IP address, with or without a port: 10.0.0.2, [::1]:5353")]
pub struct NameServerError;

impl FromStr for NameServer {
    type Err = NameServerError;

    fn from_str(text: &str) -> Result<Self, NameServerError> {
        let alone = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        let address = match alone.parse::<IpAddr>() {
            Ok(ip) => SocketAddr::new(ip, PORT),
            Err(_) => text.parse().map_err(|_| NameServerError)?,
        };
        if address.port() == 0 { Err(NameServerError) } else { Ok(Self(address)) }
    }
}

impl fmt::Display for NameServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Setting for NameServer {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        parsed(value, reader, "a name server such as \"10.0.0.2\"")
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string", "examples": ["10.0.0.2", "127.0.0.1:5353", "[2001:db8::53]:53"] })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_servers_are_read_with_and_without_a_port() {
        for (text, expected) in [
            ("10.0.0.2", "10.0.0.2:53"),
            ("127.0.0.1:5353", "127.0.0.1:5353"),
            ("::1", "[::1]:53"),
            ("[::1]", "[::1]:53"),
            ("[2001:db8::53]:54", "[2001:db8::53]:54"),
        ] {
            assert_eq!(text.parse::<NameServer>().unwrap().to_string(), expected);
        }
        for text in ["", "dns.example.com", "10.0.0.2:0", "10.0.0.2:", "10.0.0.2:70000"] {
            assert_eq!(text.parse::<NameServer>(), Err(NameServerError), "{text}");
        }
    }

    #[test]
    fn what_is_no_name_says_why() {
        assert_eq!(
            "_minecraft._tcp.Example.com.".parse::<Domain>().unwrap().as_str(),
            "_minecraft._tcp.example.com."
        );
        let long = format!("{}com", "label.".repeat(39));
        for (text, error) in [
            ("10.0.0.1", DomainError::Address),
            ("::1", DomainError::Address),
            ("example.com:25565", DomainError::Port),
            ("", DomainError::Name),
            ("a..b", DomainError::Name),
            ("a b", DomainError::Name),
            (&long, DomainError::Name),
        ] {
            assert_eq!(text.parse::<Domain>(), Err(error), "{text}");
        }
    }
}
