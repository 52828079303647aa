//! Booleans, numbers and text.

use serde_json::json;

use super::Setting;
use crate::{Data, Diagnostic, Json, Reader, Schemas, Value};

impl Setting for bool {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        match value.data() {
            Data::Boolean(truth) => Some(*truth),
            _ => reader.expected(value, "true or false"),
        }
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "boolean" })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self))
    }
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl Setting for $integer {
            fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
                let Some(number) = value.as_integer() else {
                    return reader.expected(value, "an integer");
                };
                Self::try_from(number).map_err(|_| reader.report(out_of_range(value, Self::MIN, Self::MAX))).ok()
            }

            fn schema(_: &mut Schemas) -> Json {
                json!({ "type": "integer", "minimum": Self::MIN, "maximum": Self::MAX })
            }

            fn write(&self) -> Option<Json> {
                Some(json!(self))
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, i32, i64);

fn out_of_range(value: &Value, least: impl std::fmt::Display, most: impl std::fmt::Display) -> Diagnostic {
    let number = value.as_integer().unwrap_or_default();
    Diagnostic::error(value.origin(), format!("{number} is out of range"))
        .label(format!("expected {least} to {most}"))
}

impl Setting for f64 {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        match value.data() {
            Data::Float(number) if number.is_finite() => Some(*number),
            // Whole numbers beyond 2^53 lose their last digits, as they would when written with a point.
            #[expect(clippy::cast_precision_loss, reason = "as above")]
            Data::Integer(number) => Some(*number as Self),
            _ => reader.expected(value, "a number"),
        }
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "number" })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self))
    }
}

impl Setting for String {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        reader.text(value, "a string").map(str::to_owned)
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string" })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self))
    }
}
