//! The session cookie: JSON with the trace context and until when the authentication cookie is good.

use super::seconds;
use drawbridge_model::TraceContext;
use serde::Deserialize;
use serde_json::json;
use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the session cookie hints at. Anybody may have written it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// The trace that the player's way belongs to.
    pub trace: Option<TraceContext>,
    /// Until when the authentication cookie is said to be good.
    pub good_until: Option<SystemTime>,
}

/// What is read of the cookie: all else in it is passed over, and takes no memory.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said<'a> {
    #[serde(borrow)]
    traceparent: Option<Cow<'a, str>>,
    good_until: Option<u64>,
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
        let said: Said<'_> = serde_json::from_slice(cookie).unwrap_or_default();
        let time = |stated| UNIX_EPOCH.checked_add(Duration::from_secs(stated));
        Self {
            trace: said.traceparent.as_deref().and_then(TraceContext::parse),
            good_until: said.good_until.and_then(time),
        }
    }
}
