//! The versions that a route takes.

use drawbridge_config::{Json, Reader, Schemas, Setting, Value, json, parsed};
use drawbridge_protocol::version::VersionRange;
use std::ops::Deref;

/// A range of versions, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions(VersionRange);

impl Deref for Versions {
    type Target = VersionRange;

    fn deref(&self) -> &VersionRange {
        &self.0
    }
}

impl Setting for Versions {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        parsed(value, reader, "a range of versions such as \">=766\" or \"1.20.5..=1.21.4\"").map(Self)
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string", "examples": [">=766", "1.20.5..=1.21.4", "1.21.1, 1.21.4"] })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.0.to_string()))
    }
}
