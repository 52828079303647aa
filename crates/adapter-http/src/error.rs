//! What can go wrong with a call.

use crate::location::LocationError;
use drawbridge_model::AdapterError;
use drawbridge_telemetry::in_full;
use std::error::Error;
use std::io;
use thiserror::Error;

/// Why a call brought no answer.
#[derive(Debug, Error)]
pub enum HttpError {
    /// The URL can't be asked.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// The system's root certificates can't be loaded, so that no server can be trusted.
    #[error("no root certificates: {0}")]
    Certificates(String),
    /// No connection came about.
    #[error("no connection: {}", in_full(.0.as_ref()))]
    Connect(#[source] Box<dyn Error + Send + Sync>),
    /// No encrypted connection came about.
    #[error("no encrypted connection: {0}")]
    Tls(#[source] io::Error),
    /// The connection ended before the answer did.
    #[error("the connection broke: {}", in_full(.0))]
    Connection(#[source] hyper::Error),
    /// What came isn't HTTP.
    #[error("the answer is no HTTP: {0}")]
    Protocol(#[source] hyper::Error),
    /// The answer's body has more bytes than are read.
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
}

impl HttpError {
    /// Whether asking again over another connection may help.
    pub(crate) const fn is_connection(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::Tls(_) | Self::Connection(_))
    }

    /// Whether the server is there, but says what nobody expects.
    pub(crate) const fn is_answer(&self) -> bool {
        matches!(self, Self::Protocol(_) | Self::TooLarge(_))
    }
}

impl From<hyper::Error> for HttpError {
    fn from(error: hyper::Error) -> Self {
        if error.is_parse() { Self::Protocol(error) } else { Self::Connection(error) }
    }
}

impl From<HttpError> for AdapterError {
    fn from(error: HttpError) -> Self {
        match error {
            _ if error.is_answer() => Self::Answer(error.to_string()),
            _ => Self::Unreachable(error.to_string()),
        }
    }
}
