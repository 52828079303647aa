//! What can go wrong with a call.

use drawbridge_model::AdapterError;
use drawbridge_telemetry::in_full;
use std::error::Error;
use std::time::Duration;
use thiserror::Error;
use tonic::{Code, Status};

/// The longest text of a peer's that is repeated, in characters.
const REPEATED: usize = 200;

/// Why a call brought no answer.
#[derive(Debug, Clone, Error)]
pub(crate) enum GrpcError {
    /// There is no connection to any peer.
    #[error("{0}")]
    Unconnected(String),
    /// There are connections, but whoever is there says that it doesn't serve.
    #[error("{0} says that it isn't serving")]
    NotServing(String),
    /// The connection ended before the call was sent.
    #[error("the connection to {0} ended")]
    Unsent(String),
    /// The connection ended after that.
    #[error("the connection to {0} broke: {1}")]
    Broken(String, String),
    /// No answer in time.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// An error instead of an answer.
    #[error("it answers {0:?}: {1}")]
    Status(Code, String),
}

/// The call didn't get as far as the peer.
#[derive(Debug, Error)]
#[error("not sent: {0}")]
pub(crate) struct NotSent(#[source] pub(crate) hyper::Error);

impl GrpcError {
    /// What a status says that came, or was made up here, in place of an answer of `peer`.
    pub(crate) fn of(status: &Status, peer: &str, timeout: Duration) -> Self {
        let source = status.source();
        if source.and_then(|source| source.downcast_ref::<NotSent>()).is_some() {
            return Self::Unsent(peer.to_owned());
        }
        if let Some(error) = source.and_then(|source| source.downcast_ref::<hyper::Error>()) {
            return Self::Broken(peer.to_owned(), in_full(error));
        }
        match status.code() {
            // The peer keeps the deadline that it was told.
            Code::DeadlineExceeded => Self::TimedOut(timeout),
            code => Self::Status(code, shown(status.message())),
        }
    }
}

impl From<GrpcError> for AdapterError {
    fn from(error: GrpcError) -> Self {
        match error {
            GrpcError::TimedOut(timeout) => Self::TimedOut(timeout),
            // What the codes mean: https://grpc.io/docs/guides/status-codes/. Exhausted may be what one player is allowed, which says
            // nothing of how the service is.
            GrpcError::Status(Code::Unavailable | Code::Cancelled, _)
            | GrpcError::Unconnected(_)
            | GrpcError::NotServing(_)
            | GrpcError::Unsent(_)
            | GrpcError::Broken(..) => Self::Unreachable(error.to_string()),
            GrpcError::Status(..) => Self::Answer(error.to_string()),
        }
    }
}

/// A peer's text, short and on one line.
pub(crate) fn shown(text: &str) -> String {
    let plain = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    let mut shown: String = plain.take(REPEATED).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: Code, message: &str) -> AdapterError {
        GrpcError::of(&Status::new(code, message), "hub", Duration::from_secs(2)).into()
    }

    #[test]
    fn who_cannot_answer_now_is_unreachable_and_who_refuses_has_answered() {
        for code in [Code::Unavailable, Code::Cancelled] {
            assert!(matches!(told(code, ""), AdapterError::Unreachable(_)), "{code:?}");
        }
        // Who is exhausted may be so for one player alone.
        let answers = [
            Code::Unknown,
            Code::Unimplemented,
            Code::PermissionDenied,
            Code::Internal,
            Code::ResourceExhausted,
        ];
        for code in answers {
            assert!(matches!(told(code, ""), AdapterError::Answer(_)), "{code:?}");
        }
        assert_eq!(told(Code::DeadlineExceeded, ""), AdapterError::TimedOut(Duration::from_secs(2)));
    }

    #[test]
    fn a_peers_text_is_short_and_on_one_line() {
        let AdapterError::Answer(words) = told(Code::Internal, &"a\n\u{1b}[2J".repeat(1_000)) else {
            panic!("another error")
        };
        assert!(words.chars().count() < 250 && words.ends_with('…'), "{words}");
        assert!(!words.contains(['\n', '\u{1b}']), "{words}");
    }
}
