//! Regular expressions.

use regex::{Regex, RegexBuilder};
use serde_json::json;

use super::Setting;
use crate::{Json, Reader, Schemas, Value};

const WHAT: &str = "a regular expression";

/// The largest compiled expression in bytes, and the most memory of its lazy automaton.
const LARGEST: usize = 1 << 20;

/// Bounded in size and depth; matching takes time linear in the text.
impl Setting for Regex {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(value, WHAT)?;
        match RegexBuilder::new(text).size_limit(LARGEST).dfa_size_limit(LARGEST).nest_limit(50).build() {
            Ok(expression) => Some(expression),
            Err(error) => reader.unfit(value, WHAT, reason(&error)),
        }
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string", "format": "regex" })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.as_str()))
    }
}

/// The last line of the error says what is wrong; those before draw the expression.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}
