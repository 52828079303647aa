//! Sizes in bytes: `"8KiB"`, `"2MiB"`, or a plain number of bytes.

use serde_json::json;

use super::Setting;
use crate::{Json, Reader, Schemas, Value};

const WHAT: &str = "a size such as \"64KiB\"";

/// The units with their sizes in bytes, the largest first.
const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// So many times 1,024 bytes.
    #[must_use]
    pub const fn kib(number: u32) -> Self {
        Self((number as u64) << 10)
    }

    /// So many times 1,048,576 bytes.
    #[must_use]
    pub const fn mib(number: u32) -> Self {
        Self((number as u64) << 20)
    }

    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// The number of bytes as a length; the largest length where it doesn't fit.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Setting for ByteSize {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        if value.as_integer().is_some() {
            return u64::read(value, reader).map(Self);
        }
        match parse(reader.text(value, WHAT)?) {
            Ok(bytes) => Some(Self(bytes)),
            Err(reason) => reader.unfit(value, WHAT, reason),
        }
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({
            "type": ["string", "integer"],
            "pattern": "^[0-9]+(B|KiB|MiB|GiB)$",
            "minimum": 0,
            "maximum": u64::MAX,
            "examples": ["64KiB"],
        })
    }

    fn write(&self) -> Option<Json> {
        if self.0 == 0 {
            return Some(json!(0));
        }
        let (unit, size) = UNITS.into_iter().find(|(_, size)| self.0.is_multiple_of(*size))?;
        Some(json!(format!("{}{unit}", self.0 / size)))
    }
}

fn parse(text: &str) -> Result<u64, &'static str> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err("it begins with a whole number");
    }
    let (_, size) = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or("the unit is one of B, KiB, MiB, GiB (of 1024 each)")?;
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*size));
    bytes.ok_or("this is larger than any size")
}
