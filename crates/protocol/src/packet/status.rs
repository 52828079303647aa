//! The server list: a request, its answer, and a ping that is echoed. The ids are the same in all versions.

use super::{ToField as _, packets};

/// The most characters of a status document.
pub const MAX_STATUS: usize = 32_767;

packets! {
    /// Status Request (`ping_start`).
    Status Serverbound PingStart => StatusRequest {}

    /// Ping Request (`ping`).
    Status Serverbound Ping => PingRequest {
        /// Anything; it is echoed.
        payload: i64 = i64,
    }

    /// Status Response (`server_info`).
    Status Clientbound ServerInfo => StatusResponse {
        /// The status document, JSON.
        document: String = string(MAX_STATUS),
    }

    /// Pong Response (`ping`).
    Status Clientbound Ping => PongResponse {
        /// The request's payload.
        payload: i64 = i64,
    }
}
