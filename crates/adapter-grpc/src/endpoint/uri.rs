//! Where a service is.

use drawbridge_config::{Json, Reader, Schemas, Setting, Value, json, parsed};
use hyper::Uri;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The longest URI that is taken, in bytes.
const LONGEST: usize = 2_048;

/// `http://host:port` or `https://host:port`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PeerUri {
    pub(crate) https: bool,
    /// A host name or IP address, without brackets, in lower case.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Why a text is no [`PeerUri`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PeerUriError {
    /// Not a URI at all.
    #[error("not a URI: {0}")]
    Malformed(String),
    /// Longer than any URI.
    #[error("a URI has at most {LONGEST} characters")]
    TooLong,
    /// Another scheme.
    #[error("expected a URI that begins with http:// or https://")]
    Scheme,
    /// No host, or no port that can be asked.
    #[error("the URI names no host and port that can be asked")]
    Host,
    /// A user or password.
    #[error("a URI holds no user or password: metadata is the place for what proves who asks")]
    User,
    /// A path, which the calls have of their own.
    #[error("the URI ends behind the port")]
    Path,
}

impl FromStr for PeerUri {
    type Err = PeerUriError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > LONGEST {
            return Err(PeerUriError::TooLong);
        }
        let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
        if !lower.starts_with("http://") && !lower.starts_with("https://") {
            return Err(PeerUriError::Scheme);
        }
        if text.contains(['?', '#']) {
            return Err(PeerUriError::Path);
        }
        let uri: Uri = text.parse().map_err(|error| PeerUriError::Malformed(format!("{error}")))?;
        let authority = uri.authority().ok_or(PeerUriError::Host)?;
        if authority.as_str().contains('@') {
            return Err(PeerUriError::User);
        }
        if !matches!(uri.path(), "" | "/") {
            return Err(PeerUriError::Path);
        }
        let https = uri.scheme() == Some(&hyper::http::uri::Scheme::HTTPS);
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        // A port that isn't one is no port to `Uri`, which then keeps it in the authority.
        let written = authority.as_str().len() > authority.host().len();
        let port = authority.port_u16().or((!written).then_some(if https { 443 } else { 80 }));
        let port = port.filter(|&port| port != 0 && !host.is_empty()).ok_or(PeerUriError::Host)?;
        Ok(Self { https, host: host.to_ascii_lowercase(), port })
    }
}

impl PeerUri {
    /// The host and port as they stand in a URI.
    pub(crate) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for PeerUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.https { "https" } else { "http" }, self.authority())
    }
}

impl Setting for PeerUri {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        parsed(value, reader, "a URI such as \"http://127.0.0.1:50051\"")
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string", "format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+/?$" })
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
    fn uris_are_taken_apart() {
        for (text, shown) in [
            ("http://127.0.0.1:50051", "http://127.0.0.1:50051"),
            ("HTTPS://Hub.Internal/", "https://hub.internal:443"),
            ("http://[::1]", "http://[::1]:80"),
        ] {
            assert_eq!(text.parse::<PeerUri>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn mistakes_say_what_is_wrong() {
        for (text, error) in [
            ("hub:50051", PeerUriError::Scheme),
            ("grpc://hub:50051", PeerUriError::Scheme),
            ("http://user:secret@hub:1", PeerUriError::User),
            ("http://hub:1/path", PeerUriError::Path),
            ("http://hub:1?x", PeerUriError::Path),
            ("http://hub:0", PeerUriError::Host),
        ] {
            assert_eq!(text.parse::<PeerUri>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_reading_twice_changes_nothing(text in "https?://[a-z:/.@?#\\[\\]0-9]{0,20}|\\PC{0,20}") {
            if let Ok(uri) = text.parse::<PeerUri>() {
                prop_assert_eq!(uri.to_string().parse::<PeerUri>(), Ok(uri));
            }
        }
    }
}
