//! Durations: `"250ms"`, `"5s"`, `"10m"`, `"6h"`, `"1d"`.

use std::time::Duration;

use serde_json::json;

use super::Setting;
use crate::{Data, Diagnostics, Json, Reader, Schemas, Value};

const WHAT: &str = "a duration such as \"5s\"";

/// The units with their length in milliseconds, the longest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A hundred years, so that adding one to a clock can't overflow.
const LONGEST: u64 = 36_500 * 86_400_000;

/// From `"0s"` to a hundred years, in whole milliseconds.
impl Setting for Duration {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        if let Data::Integer(_) | Data::Float(_) = value.data() {
            let mistake = Diagnostics::wrong_kind(value.origin(), WHAT, value.describe());
            reader.report(mistake.help("a duration is text with a unit: ms, s, m, h or d"));
            return None;
        }
        match parse(reader.text(value, WHAT)?) {
            Ok(duration) => Some(duration),
            Err(reason) => reader.unfit(value, WHAT, reason),
        }
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$", "examples": ["5s"] })
    }

    fn write(&self) -> Option<Json> {
        let millis = u64::try_from(self.as_millis()).ok()?;
        if millis == 0 {
            return Some(json!("0s"));
        }
        let (unit, length) = UNITS.into_iter().find(|(_, length)| millis.is_multiple_of(*length))?;
        Some(json!(format!("{}{unit}", millis / length)))
    }
}

fn parse(text: &str) -> Result<Duration, &'static str> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err("it begins with a whole number");
    }
    let (_, length) =
        UNITS.iter().find(|(name, _)| *name == unit).ok_or("the unit is one of ms, s, m, h, d")?;
    let millis = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*length));
    match millis {
        Some(millis) if millis <= LONGEST => Ok(Duration::from_millis(millis)),
        _ => Err("the longest is a hundred years"),
    }
}
