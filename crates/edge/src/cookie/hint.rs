//! The session cookie: JSON with the trace context and until when the authentication cookie is good.

use super::seconds;
use drawbridge_model::TraceContext;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the session cookie hints at. Anybody may have written it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// The trace that the player's way belongs to.
    pub trace: Option<TraceContext>,
    /// Until when the authentication cookie is said to be good.
    pub good_until: Option<SystemTime>,
}

impl Hint {
    /// Writes the cookie.
    #[must_use]
    pub fn to_cookie(self) -> Vec<u8> {
        json!({
            "traceparent": self.trace.map(|trace| trace.to_string()),
            "good_until": self.good_until.map(seconds),
        })
        .to_string()
        .into_bytes()
    }

    /// Reads the cookie; whatever isn't as it should be is no hint.
    #[must_use]
    pub fn from_cookie(cookie: &[u8]) -> Self {
        let document: Value = serde_json::from_slice(cookie).unwrap_or_default();
        Self {
            trace: document["traceparent"].as_str().and_then(TraceContext::parse),
            good_until: document["good_until"]
                .as_u64()
                .and_then(|stated| UNIX_EPOCH.checked_add(Duration::from_secs(stated))),
        }
    }
}
