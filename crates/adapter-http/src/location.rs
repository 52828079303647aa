//! URLs that can be asked.

use drawbridge_config::{Json, Reader, Schemas, Setting, Value, json, parsed};
use hyper::Uri;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The longest URL that is taken, in bytes.
const LONGEST: usize = 2_048;

/// An `http` or `https` URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    pub(crate) https: bool,
    /// A host name or IP address, without brackets, in lower case.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Path and query; begins with a slash.
    pub(crate) path: String,
}

/// Why a text is no [`Location`], or no [`BaseUrl`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LocationError {
    /// Not a URL at all.
    #[error("not a URL: {0}")]
    Malformed(String),
    /// Longer than any URL.
    #[error("a URL has at most {LONGEST} characters")]
    TooLong,
    /// Another scheme.
    #[error("expected a URL that begins with http:// or https://")]
    Scheme,
    /// No host, or port 0.
    #[error("the URL names no host that can be asked")]
    Host,
    /// A user or password.
    #[error("a URL with user or password isn't asked")]
    User,
    /// A query or fragment where the adapter adds its own.
    #[error("the URL ends before ? and #: the rest is added to it")]
    Query,
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > LONGEST {
            return Err(LocationError::TooLong);
        }
        let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
        if !lower.starts_with("http://") && !lower.starts_with("https://") {
            return Err(LocationError::Scheme);
        }
        // What stands behind # is never sent.
        let sent = text.split('#').next().unwrap_or_default();
        let uri: Uri = sent.parse().map_err(|error| LocationError::Malformed(format!("{error}")))?;
        let authority = uri.authority().ok_or(LocationError::Host)?;
        if authority.as_str().contains('@') {
            return Err(LocationError::User);
        }
        let https = uri.scheme() == Some(&hyper::http::uri::Scheme::HTTPS);
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        // A port that isn't one is no port to `Uri`, which then keeps it in the authority.
        let written = authority.as_str().len() > authority.host().len();
        let port = authority.port_u16().or((!written).then_some(if https { 443 } else { 80 }));
        let port = port.filter(|&port| port != 0 && !host.is_empty()).ok_or(LocationError::Host)?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { https, host: host.to_ascii_lowercase(), port, path })
    }
}

impl Location {
    /// The value of the Host header: without the port that the scheme means anyway.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let usual = if self.https { 443 } else { 80 };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }
}

impl Location {
    /// For the log: a query may hold what isn't for everybody.
    pub(crate) fn without_query(&self) -> Self {
        let path = self.path.split('?').next().unwrap_or_default().to_owned();
        Self { path, ..self.clone() }
    }
}

impl Setting for Location {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        parsed(value, reader, "a URL such as \"https://status.example.com/lobby.json\"")
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string", "format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://.+$" })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.to_string()))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

/// What an adapter's own paths are added to. Two that mean the same are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl(Location);

impl BaseUrl {
    /// Mojang's session server.
    #[must_use]
    pub fn mojang() -> Self {
        let host = "sessionserver.mojang.com".to_owned();
        Self(Location { https: true, host, port: 443, path: String::new() })
    }

    pub(crate) const fn location(&self) -> &Location {
        &self.0
    }
}

impl FromStr for BaseUrl {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains(['?', '#']) {
            return Err(LocationError::Query);
        }
        let mut location: Location = text.parse()?;
        location.path.truncate(location.path.trim_end_matches('/').len());
        Ok(Self(location))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Setting for BaseUrl {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        parsed(value, reader, "a URL such as \"https://sessionserver.mojang.com\"")
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string", "format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^?#]+$" })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn urls_are_taken_apart() {
        for (text, https, host, port, path) in [
            ("http://example.com", false, "example.com", 80, "/"),
            ("HTTPS://Example.com/icon.png?size=64#x", true, "example.com", 443, "/icon.png?size=64"),
            ("http://127.0.0.1:8080/", false, "127.0.0.1", 8080, "/"),
            ("https://[::1]:1/a", true, "::1", 1, "/a"),
        ] {
            let expected = Location { https, host: host.into(), port, path: path.into() };
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_base_url_is_the_same_however_it_ends() {
        let base: BaseUrl = "https://Sessionserver.Mojang.com:443//".parse().unwrap();
        assert_eq!(base, BaseUrl::mojang());
        assert_eq!(base.to_string(), "https://sessionserver.mojang.com");
        assert_eq!("http://[::1]:80/a/".parse::<BaseUrl>().unwrap().to_string(), "http://[::1]/a");
    }

    #[test]
    fn mistakes_say_what_is_wrong() {
        for (text, error) in [
            ("", LocationError::Scheme),
            ("ftp://example.com", LocationError::Scheme),
            ("example.com", LocationError::Scheme),
            ("http://user:secret@example.com", LocationError::User),
            ("http://example.com:0", LocationError::Host),
            ("http://example.com:", LocationError::Host),
            ("http://example.com?x", LocationError::Query),
            ("http://example.com#x", LocationError::Query),
        ] {
            assert_eq!(text.parse::<BaseUrl>(), Err(error), "{text}");
        }
        for text in ["http://", "http:// example.com", "http://example.com:99999", "http://a b/"] {
            assert!(text.parse::<BaseUrl>().is_err(), "{text}");
        }
        let long = format!("http://example.com/{}", "x".repeat(LONGEST));
        assert_eq!(long.parse::<Location>(), Err(LocationError::TooLong));
    }

    proptest! {
        #[test]
        fn nothing_panics_and_reading_twice_changes_nothing(text in "https?://[a-z:/.@?#\\[\\]0-9]{0,20}|\\PC{0,20}") {
            if let Ok(base) = text.parse::<BaseUrl>() {
                prop_assert_eq!(base.to_string().parse::<BaseUrl>(), Ok(base));
            }
        }
    }
}
