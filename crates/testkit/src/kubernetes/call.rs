//! What has been asked.

use crate::web::Request;
use serde_json::Value;
use std::time::Instant;

/// A request, and what became of it.
#[derive(Debug, Clone)]
pub struct ApiCall {
    /// The request.
    pub request: Request,
    /// When it came.
    pub at: Instant,
    /// When whoever asked hung up before the answer was there, or, of a watch, at all.
    pub cancelled: Option<Instant>,
    /// The status of the answer, once there is one.
    pub status: Option<u16>,
}

impl ApiCall {
    /// Whether a game server is asked for.
    #[must_use]
    pub fn is_allocation(&self) -> bool {
        self.request.method == "POST" && self.request.path().ends_with("/gameserverallocations")
    }

    /// Whether it is a watch on game servers.
    #[must_use]
    pub fn is_watch(&self) -> bool {
        self.is_list_or_watch() && self.request.parameter("watch").is_some()
    }

    /// Whether it is a list of game servers.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.is_list_or_watch() && !self.is_watch()
    }

    fn is_list_or_watch(&self) -> bool {
        self.request.method == "GET" && self.request.path().ends_with("/gameservers")
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.request.body).unwrap_or_default()
    }
}
