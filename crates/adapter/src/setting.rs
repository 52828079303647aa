//! Settings that several sections share: texts, addresses, UUIDs.

use drawbridge_config::{Json, Reader, Schemas, Setting, Value, json, parsed};
use drawbridge_model::TargetAddress;
use drawbridge_model::target::TargetAddressError;
use drawbridge_protocol::text::Component;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use uuid::Uuid;

/// Headers, and the metadata of calls, whose values are secrets wherever they are sent.
pub const SECRET_HEADERS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// A text component, written as JSON, MiniMessage or with `§` codes.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    written: String,
    component: Component,
}

impl Text {
    /// A text without markup, for defaults.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Self { written: text.to_owned(), component: Component::text(text) }
    }
}

impl Deref for Text {
    type Target = Component;

    fn deref(&self) -> &Component {
        &self.component
    }
}

impl Setting for Text {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        let written = reader.text(value, "a text")?;
        match Component::parse_config(written) {
            Ok(component) => Some(Self { written: written.to_owned(), component }),
            Err(error) => reader.unfit(value, "a text component", error.to_string()),
        }
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({
            "description": "A text as JSON component, as MiniMessage or with § codes.",
            "type": "string",
            "examples": ["<gold>Welcome</gold>", "§6Welcome", "{\"text\":\"Welcome\",\"color\":\"gold\"}"],
        })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.written))
    }
}

/// Where a target is, written as `host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(pub TargetAddress);

impl Setting for Address {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        parsed(value, reader, "an address such as \"hub.internal:25565\"").map(Self)
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({
            "description": "A host name or IP address with a port.",
            "type": "string",
            "pattern": "^.+:[0-9]{1,5}$",
            "examples": ["hub.internal:25565", "10.0.1.10:25565", "[2001:db8::1]:25565"],
        })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.0.to_string()))
    }
}

/// A UUID, with or without hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id(pub Uuid);

impl Setting for Id {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        const WHAT: &str = "a UUID such as \"069a79f4-44e9-4726-a5be-fca90e38aaf5\"";
        let text = reader.text(value, WHAT)?;
        match Uuid::try_parse(text) {
            Ok(id) if matches!(text.len(), 32 | 36) => Some(Self(id)),
            _ => reader.unfit(value, WHAT, "expected 32 hexadecimal digits, with or without hyphens"),
        }
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({
            "type": "string",
            "pattern": "^[0-9A-Fa-f]{8}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{4}-?[0-9A-Fa-f]{12}$",
        })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.0.to_string()))
    }
}

/// The host in a handshake that a target gets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RelayHost {
    /// As the client typed it.
    #[default]
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

#[cfg(test)]
mod tests {
    use super::*;
    use drawbridge_config::read_text;

    drawbridge_config::section! {
        /// One of each.
        struct All {
            /// A text.
            text: Option<Text>,
            /// An address.
            address: Option<Address>,
            /// A UUID.
            id: Option<Id>,
        }
    }

    #[test]
    fn they_are_read_as_they_are_written() {
        let all: All = read_text(
            "all.toml",
            "text = '<red>Hi'\naddress = '[::1]:1'\nid = '069a79f444e94726a5befca90e38aaf5'",
        )
        .unwrap();
        assert_eq!(all.text.unwrap().to_plain(), "Hi");
        assert_eq!(all.address.unwrap().0.to_string(), "[::1]:1");
        assert_eq!(all.id.unwrap().0.to_string(), "069a79f4-44e9-4726-a5be-fca90e38aaf5");
    }

    #[test]
    fn mistakes_say_what_was_expected() {
        for (text, words) in [
            ("text = 1", "expected a text"),
            ("text = '{\"'", "is not a text component"),
            ("address = 'hub'", "expected host:port"),
            ("id = '069a'", "32 hexadecimal digits"),
            ("id = '{069a79f4-44e9-4726-a5be-fca90e38aaf5}'", "32 hexadecimal digits"),
        ] {
            let error = format!("{:?}", read_text::<All>("all.toml", text).unwrap_err());
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
