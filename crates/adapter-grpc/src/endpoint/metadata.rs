//! What is sent along with each call, such as a bearer token.

use drawbridge_adapter::setting::SECRET_HEADERS;
use drawbridge_config::{Diagnostic, Json, Reader, Schemas, Secret, Setting, Value, json};
use std::fmt;
use tonic::metadata::{Ascii, MetadataKey, MetadataMap, MetadataValue};

/// Keys that are gRPC's, HTTP's or the edge's own.
const TAKEN: [&str; 7] =
    ["content-type", "connection", "host", "te", "traceparent", "tracestate", "user-agent"];

/// Metadata by key. Values are never shown.
#[derive(Clone, Default)]
pub struct Metadata(MetadataMap);

impl Metadata {
    /// As it is sent.
    pub(crate) const fn map(&self) -> &MetadataMap {
        &self.0
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Setting for Metadata {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(table) = value.as_table() else {
            return reader.expected(value, "a table of metadata");
        };
        let errors = reader.errors();
        let mut map = MetadataMap::new();
        for (name, value) in table.iter() {
            let key = usable_key(name);
            if key.is_none() {
                let origin = table.key_origin(name).unwrap_or(value.origin());
                let mistake = Diagnostic::error(origin, format!("{name:?} can't be sent as metadata"));
                reader.report(
                    mistake.help(
                        "expected a key in lower case that isn't gRPC's own, such as \"authorization\"",
                    ),
                );
            }
            if let Some((key, value)) = key.zip(read_value(name, value, reader)) {
                map.insert(key, value);
            }
        }
        (reader.errors() == errors).then_some(Self(map))
    }

    fn schema(schemas: &mut Schemas) -> Json {
        let value = json!({ "anyOf": [{ "type": "string" }, Secret::<1>::schema(schemas)] });
        json!({ "type": "object", "additionalProperties": value })
    }

    fn write(&self) -> Option<Json> {
        self.0.is_empty().then(|| json!({}))
    }
}

fn usable_key(name: &str) -> Option<MetadataKey<Ascii>> {
    let usable =
        !name.starts_with("grpc-") && !TAKEN.contains(&name) && !name.bytes().any(|b| b.is_ascii_uppercase());
    // A key that ends with -bin isn't one of text.
    MetadataKey::from_bytes(name.as_bytes()).ok().filter(|_| usable)
}

/// A value: a secret, or a text where it can't be one.
fn read_value(name: &str, value: &Value, reader: &mut Reader<'_>) -> Option<MetadataValue<Ascii>> {
    let sent = match value.as_str() {
        Some(text) if !SECRET_HEADERS.contains(&name) => MetadataValue::try_from(text).ok(),
        _ => MetadataValue::try_from(Secret::<1>::read(value, reader)?.expose()).ok(),
    };
    let Some(mut sent) = sent else {
        let mistake = Diagnostic::error(value.origin(), format!("the value of {name:?} can't be sent"));
        reader.report(mistake.label("expected visible ASCII characters"));
        return None;
    };
    // It stays out of the table by which HTTP/2 compresses headers, and of logs.
    sent.set_sensitive(true);
    Some(sent)
}
