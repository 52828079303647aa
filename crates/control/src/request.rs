//! What can be asked, and the line of JSON that it is asked in.

use drawbridge_model::MaintenanceOrder;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

/// The version of requests and answers that this edge speaks.
pub const VERSION: u64 = 1;

/// The key of the version.
pub(crate) const VERSION_KEY: &str = "version";

/// Something asked or ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// How the edge is.
    Status {},
    /// Read the configuration anew.
    Reload {},
    /// Stop as at SIGTERM.
    Drain {
        /// Wait for nobody, as at a second SIGTERM.
        #[serde(default)]
        now: bool,
    },
    /// Who is there.
    Connections {
        /// On this route alone.
        #[serde(default)]
        route: Option<String>,
    },
    /// End connections.
    Kick {
        /// Whose: a name, UUID, address or network, or `#` and the number of a connection.
        whom: String,
        /// What players read who are still in login.
        #[serde(default)]
        reason: String,
    },
    /// Have players who are carried by sessions go elsewhere.
    Switch {
        /// Whom: a name, UUID, address or network, or `#` and the number of a connection.
        whom: String,
        /// Where: the identifier of a target of their route, or the name of another route.
        to: String,
    },
    /// The routes.
    Routes {},
    /// Targets.
    Targets {
        /// Of this route alone.
        #[serde(default)]
        route: Option<String>,
    },
    /// Put a route under maintenance or out of it, whatever is configured, until the process ends.
    Maintenance {
        /// The route's name.
        route: String,
        /// What it is to be.
        switch: MaintenanceOrder,
    },
    /// Ban somebody, and end their connections.
    Ban {
        /// A name, UUID, address or network.
        whom: String,
        /// What the player reads.
        #[serde(default)]
        reason: String,
        /// Who bans.
        by: String,
        /// The end in RFC 3339; none: for ever.
        #[serde(default)]
        until: Option<String>,
    },
    /// Lift a ban.
    Unban {
        /// A name, UUID, address or network.
        whom: String,
        /// Who lifts it.
        by: String,
    },
    /// Who is banned.
    Bans {},
}

/// Why a line is no request.
#[derive(Debug, Error)]
pub enum RequestError {
    /// It isn't a JSON object.
    #[error("expected a request as a JSON object in one line: {0}")]
    Json(#[source] serde_json::Error),
    /// It is of another version.
    #[error("this edge speaks version {VERSION}, and the request is of {0}")]
    Version(String),
    /// It asks for something that doesn't exist, or says it wrongly.
    #[error("no such request: {0}")]
    Unknown(#[source] serde_json::Error),
}

impl RequestError {
    /// The word for it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Json(_) => "malformed",
            Self::Version(_) => "version",
            Self::Unknown(_) => "unknown_request",
        }
    }
}

impl Request {
    /// Reads a line. Without `version` it is taken for this one.
    ///
    /// # Errors
    /// When it isn't a request.
    pub fn read(line: &[u8]) -> Result<Self, RequestError> {
        let mut fields: Map<String, Value> = serde_json::from_slice(line).map_err(RequestError::Json)?;
        match fields.remove(VERSION_KEY) {
            None => {}
            Some(version) if version == VERSION => {}
            Some(version) => return Err(RequestError::Version(version.to_string())),
        }
        serde_json::from_value(Value::Object(fields)).map_err(RequestError::Unknown)
    }

    /// The request as a line.
    ///
    /// # Errors
    /// None, for what this enum can hold.
    pub fn write(&self) -> Result<Vec<u8>, serde_json::Error> {
        line(self)
    }

    /// What is asked for, as metrics and the log name it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Status {} => "status",
            Self::Reload {} => "reload",
            Self::Drain { .. } => "drain",
            Self::Connections { .. } => "connections",
            Self::Kick { .. } => "kick",
            Self::Switch { .. } => "switch",
            Self::Routes {} => "routes",
            Self::Targets { .. } => "targets",
            Self::Maintenance { .. } => "maintenance",
            Self::Ban { .. } => "ban",
            Self::Unban { .. } => "unban",
            Self::Bans {} => "bans",
        }
    }
}

/// A line that begins with the version.
pub(crate) fn line(of: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(Serialize)]
    struct Versioned<'a, T> {
        version: u64,
        #[serde(flatten)]
        of: &'a T,
    }
    let mut line = serde_json::to_vec(&Versioned { version: VERSION, of })?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Request, RequestError> {
        Request::read(line.as_bytes())
    }

    #[test]
    fn requests_are_read_as_they_are_written() {
        for request in [
            Request::Status {},
            Request::Drain { now: true },
            Request::Connections { route: Some("lobby".into()) },
            Request::Kick { whom: "#7".into(), reason: "\"no\"\n".into() },
            Request::Switch { whom: "Alice".into(), to: "hub".into() },
            Request::Ban { whom: "a".into(), reason: String::new(), by: "me".into(), until: None },
        ] {
            let line = request.write().unwrap();
            assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1, "{line:?}");
            assert_eq!(Request::read(&line).unwrap(), request);
            let value: Value = serde_json::from_slice(&line).unwrap();
            assert_eq!((&value["version"], &value["request"]), (&1.into(), &request.kind().into()));
        }
        assert_eq!(read("{\"request\":\"drain\"}").unwrap(), Request::Drain { now: false });
    }

    #[test]
    fn what_isnt_a_request_is_told_apart() {
        for (line, kind) in [
            ("", "malformed"),
            ("[]", "malformed"),
            ("{\"request\":\"status\"", "malformed"),
            ("{\"version\":2,\"request\":\"status\"}", "version"),
            ("{\"version\":\"1\",\"request\":\"status\"}", "version"),
            ("{}", "unknown_request"),
            ("{\"request\":\"dance\"}", "unknown_request"),
            ("{\"request\":\"status\",\"more\":1}", "unknown_request"),
            ("{\"request\":\"kick\"}", "unknown_request"),
            ("{\"request\":\"kick\",\"whom\":7}", "unknown_request"),
        ] {
            assert_eq!(read(line).unwrap_err().kind(), kind, "{line}");
        }
    }
}
