//! Where something is in a JSON document: JSON pointers (RFC 6901).

use drawbridge_config::{Json, Reader, Schemas, Setting, Value, json, parsed};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A JSON pointer, such as `/players/0/name`; in a key, `~1` stands for a slash and `~0` for `~`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pointer(String);

/// Why a text is no [`Pointer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PointerError {
    /// It begins with something else.
    #[error("a JSON pointer is empty or begins with /")]
    Start,
    /// A `~` that stands for nothing.
    #[error("behind ~ stands 0 (for ~) or 1 (for /)")]
    Escape,
}

impl Pointer {
    /// What it points at in `document`.
    pub(crate) fn of<'d>(&self, document: &'d Json) -> Option<&'d Json> {
        document.pointer(&self.0)
    }
}

impl FromStr for Pointer {
    type Err = PointerError;

    fn from_str(text: &str) -> Result<Self, PointerError> {
        if !text.is_empty() && !text.starts_with('/') {
            return Err(PointerError::Start);
        }
        if text.split('~').skip(1).any(|behind| !behind.starts_with(['0', '1'])) {
            return Err(PointerError::Escape);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "the whole document" } else { &self.0 })
    }
}

impl Setting for Pointer {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        parsed(value, reader, "a JSON pointer such as \"/players/online\"")
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string", "format": "json-pointer", "examples": ["/players/online"] })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 6901, section 5.
    #[test]
    fn they_point_as_the_rfc_says() {
        let document = json!({
            "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8,
        });
        for (pointer, expected) in [
            ("", document.clone()),
            ("/foo", json!(["bar", "baz"])),
            ("/foo/0", json!("bar")),
            ("/", json!(0)),
            ("/a~1b", json!(1)),
            ("/c%d", json!(2)),
            ("/e^f", json!(3)),
            ("/g|h", json!(4)),
            ("/i\\j", json!(5)),
            ("/k\"l", json!(6)),
            ("/ ", json!(7)),
            ("/m~0n", json!(8)),
        ] {
            assert_eq!(pointer.parse::<Pointer>().unwrap().of(&document), Some(&expected), "{pointer}");
        }
        assert_eq!("/nobody".parse::<Pointer>().unwrap().of(&document), None);
    }

    #[test]
    fn what_is_none_says_why() {
        for (text, error) in
            [("players", PointerError::Start), ("/a~2", PointerError::Escape), ("/a~", PointerError::Escape)]
        {
            assert_eq!(text.parse::<Pointer>(), Err(error), "{text}");
        }
    }
}
