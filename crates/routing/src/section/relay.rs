//! `[routes.relay]`: how connections are relayed.

use drawbridge_config::{Json, Located, Reader, Schemas, Setting, Value, json, parsed, section};
use drawbridge_model::TargetAddress;
use drawbridge_model::target::TargetAddressError;
use drawbridge_net::proxy_protocol;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

section! {
    /// How connections are relayed.
    #[defaults]
    pub struct RelaySection {
        /// The PROXY protocol header that a target gets first, which tells it the client's address; none without.
        pub proxy_protocol: Option<proxy_protocol::Version>,
        /// The host in the handshake that a target gets: `keep` (as the client typed it), `target` (the target's own), or any other.
        /// What Forge and others hang on it stays.
        pub host: RelayHost = RelayHost::Keep,
        /// Whether targets take players who come by a Transfer packet; otherwise these come to them as all others do. Vanilla servers do
        /// with `accepts-transfers=true`.
        pub transfers: bool = false,
        /// How long a target may take to accept a connection.
        pub connect: Located<Duration> = Located::built_in(Duration::from_secs(5)),
        /// How long a target may take to answer a login at all; then the next one is asked.
        pub answer: Located<Duration> = Located::built_in(Duration::from_secs(10)),
        /// How long both sides may be silent; `"0s"`: for ever.
        pub idle: Duration = Duration::ZERO,
    }
}

/// The host in a forwarded handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayHost {
    /// As the client typed it.
    Keep,
    /// The target's.
    Target,
    /// This one.
    Fixed(String),
}

impl FromStr for RelayHost {
    type Err = TargetAddressError;

    fn from_str(text: &str) -> Result<Self, TargetAddressError> {
        match text {
            "keep" => Ok(Self::Keep),
            "target" => Ok(Self::Target),
            // What may be a target's host, with any port.
            host => format!("{host}:1").parse().map(|target: TargetAddress| Self::Fixed(target.host)),
        }
    }
}

impl fmt::Display for RelayHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep => "keep",
            Self::Target => "target",
            Self::Fixed(host) => host,
        })
    }
}

impl Setting for RelayHost {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        parsed(value, reader, "\"keep\", \"target\" or a host name")
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string", "minLength": 1, "maxLength": 253, "examples": ["keep", "target", "lobby.example.com"] })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.to_string()))
    }
}
