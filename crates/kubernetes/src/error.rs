//! Why a cluster's API gave no answer, or none that helps.

use drawbridge_model::AdapterError;
use hyper::StatusCode;
use std::time::Duration;
use thiserror::Error;

/// What can happen to a call.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApiError {
    /// How to reach the cluster, or who to be there, can't be found out.
    #[error("no access to the cluster: {0}")]
    Access(String),
    /// No connection was made: the API hasn't seen the call.
    #[error("no connection to the cluster: {0}")]
    Connect(String),
    /// The connection broke: the API may have seen the call.
    #[error("the connection to the cluster broke: {0}")]
    Broken(String),
    /// It answered with an error.
    #[error("the cluster answers {status}: {message}")]
    Status {
        /// Its status.
        status: StatusCode,
        /// What it says about it.
        message: String,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The answer is longer than any should be.
    #[error("the cluster's answer is longer than {0} bytes")]
    TooLong(usize),
    /// The answer isn't what was asked for.
    #[error("the cluster's answer makes no sense: {0}")]
    Malformed(String),
}

/// What a call may have brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing, for sure.
    None,
    /// Perhaps what was asked for, but nothing more from now on.
    Settled,
    /// Perhaps what was asked for, now or later.
    Pending,
}

/// How long whoever asks too often is told to wait, where the API doesn't say.
const THROTTLED: Duration = Duration::from_secs(1);

impl ApiError {
    /// The status that the API answered with.
    #[must_use]
    pub const fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// How long the API wants to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { status: StatusCode::TOO_MANY_REQUESTS, retry_after, .. } => {
                Some(retry_after.unwrap_or(THROTTLED))
            }
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// What the API may have done all the same.
    #[must_use]
    pub fn effect(&self) -> Effect {
        match self {
            Self::Access(_) | Self::Connect(_) => Effect::None,
            Self::Status { status, .. } if !status.is_server_error() => Effect::None,
            // A gateway tells that it has no answer, not what becomes of the call behind it.
            Self::Status { status: StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT, .. }
            | Self::Broken(_) => Effect::Pending,
            Self::Status { .. } | Self::TooLong(_) | Self::Malformed(_) => Effect::Settled,
        }
    }

    /// Whether the same call may succeed a little later.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::Connect(_) | Self::Broken(_) => true,
            Self::Status { status, .. } => {
                status.is_server_error()
                    || matches!(*status, StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS)
            }
            Self::Access(_) | Self::TooLong(_) | Self::Malformed(_) => false,
        }
    }
}

impl From<ApiError> for AdapterError {
    fn from(error: ApiError) -> Self {
        match &error {
            ApiError::Access(_) | ApiError::Connect(_) | ApiError::Broken(_) => {
                Self::Unreachable(error.to_string())
            }
            ApiError::Status { status, .. } => match *status {
                StatusCode::TOO_MANY_REQUESTS => Self::BackingOff(error.retry_after().unwrap_or(THROTTLED)),
                // Without credentials every call fails alike, as without a server.
                status if status.is_server_error() || status == StatusCode::UNAUTHORIZED => {
                    Self::Unreachable(error.to_string())
                }
                _ => Self::Answer(error.to_string()),
            },
            ApiError::TooLong(_) | ApiError::Malformed(_) => Self::Answer(error.to_string()),
        }
    }
}
