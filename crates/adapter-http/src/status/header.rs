//! Headers that are sent along: plain text, or secrets.

use drawbridge_adapter::setting::SECRET_HEADERS;
use drawbridge_config::{Json, Reader, Schemas, Secret, Setting, Value, json};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};

/// What the client of the adapter says itself.
const OWN: [&str; 8] = [
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "if-modified-since",
    "if-none-match",
    "te",
    "transfer-encoding",
];

/// The value of a header: a text, or where to find a secret.
#[derive(Clone)]
pub struct HeaderText(HeaderValue);

impl fmt::Debug for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A value that is sensitive says so in place of itself.
        self.0.fmt(f)
    }
}

impl Setting for HeaderText {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        const WHAT: &str = "the value of a header";
        if let Some(text) = value.as_str() {
            let Ok(text) = HeaderValue::from_str(text) else {
                return reader.unfit(value, WHAT, "a header holds no line ends and other control characters");
            };
            return Some(Self(text));
        }
        if value.as_table().is_none() {
            return reader.expected(value, "a text, { file = \"…\" } or { env = \"…\" }");
        }
        let secret = Secret::<1>::read(value, reader)?;
        let Ok(mut secret) = HeaderValue::from_bytes(secret.expose()) else {
            return reader.expected(value, "a secret without line ends and other control characters");
        };
        secret.set_sensitive(true);
        Some(Self(secret))
    }

    fn schema(schemas: &mut Schemas) -> Json {
        json!({ "anyOf": [{ "type": "string" }, Secret::<1>::schema(schemas)] })
    }
}

/// All headers of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Headers(pub(super) HeaderMap);

impl Hash for Headers {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Equal maps have equally many; telling more of them apart is left to `==`.
        self.0.len().hash(state);
    }
}

impl Headers {
    /// Those of a section.
    ///
    /// # Errors
    /// The first name that can't be sent, and why.
    pub(super) fn of(section: &BTreeMap<String, HeaderText>) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        for (name, HeaderText(value)) in section {
            let header: HeaderName = name.parse().map_err(|_| format!("{name:?} can't name a header"))?;
            if OWN.contains(&header.as_str()) {
                return Err(format!("{name:?} is said by the edge itself"));
            }
            if SECRET_HEADERS.contains(&header.as_str()) && !value.is_sensitive() {
                return Err(format!(
                    "{name:?} holds a secret: write {{ file = \"…\" }} or {{ env = \"…\" }}"
                ));
            }
            headers.insert(header, value.clone());
        }
        Ok(Self(headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use drawbridge_config::read_text;

    drawbridge_config::section! {
        /// Headers.
        struct All {
            /// Them.
            headers: BTreeMap<String, HeaderText>,
        }
    }

    fn read(headers: &str) -> Result<Headers, String> {
        let all: All = read_text("headers.toml", headers).map_err(|error| format!("{error:?}"))?;
        Headers::of(&all.headers)
    }

    #[test]
    fn secrets_are_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "Bearer abc\n").unwrap();
        let headers = read(&format!(
            "[headers]\naccept = 'application/json'\nauthorization = {{ file = '{}' }}",
            file.display()
        ))
        .unwrap();
        assert_eq!(headers.0["authorization"], "Bearer abc");
        let shown = format!("{headers:?}");
        assert!(shown.contains("application/json") && !shown.contains("abc"), "{shown}");
    }

    #[test]
    fn what_cannot_be_sent_is_a_mistake() {
        for (text, words) in [
            ("[headers]\n'a b' = 'x'", "can't name a header"),
            ("[headers]\nHost = 'x'", "said by the edge itself"),
            ("[headers]\nIf-None-Match = 'x'", "said by the edge itself"),
            ("[headers]\na = \"x\\ny\"", "no line ends"),
            ("[headers]\na = 1", "expected a text"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
