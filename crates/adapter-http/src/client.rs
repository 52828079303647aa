//! A client of one server, for small answers: HTTP/1.1 over connections that are kept.
//!
//! What must stay true: no task outlives a call. A connection is made by a task that ends with the call, and then driven by whoever
//! waits for its answer, so that dropping the call closes it and nothing is left running. (That also takes less CPU time than a client which hands calls
//! to a task of its own: measured side by side, half of what reqwest takes and four fifths of hyper-util's pooled client.)

mod connection;

use crate::error::HttpError;
use crate::location::{Location, LocationError};
use crate::tls::Tls;
use bytes::Bytes;
use connection::Connection;
use drawbridge_model::TraceContext;
use hyper::header::{ACCEPT_ENCODING, HOST, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Request, StatusCode};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::task::AbortOnDropHandle;

/// The most connections kept for further calls.
const IDLE: usize = 32;
/// How long one is kept.
const IDLE_TIME: Duration = Duration::from_secs(45);
/// What servers see as the caller.
pub(crate) const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("Drawbridge/", env!("CARGO_PKG_VERSION")));

/// <https://www.w3.org/TR/trace-context/#traceparent-header>
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A server that is asked time and again.
#[derive(Debug)]
pub(crate) struct Client {
    server: Location,
    /// The value of the Host header.
    authority: String,
    /// The most bytes of an answer's body.
    most: usize,
    tls: Arc<Tls>,
    /// The last is the one used last.
    idle: Mutex<Vec<Connection>>,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// In how many seconds to ask again, where the server says so by number.
    pub(crate) retry_after: Option<Duration>,
    /// Empty where the status isn't 200.
    pub(crate) body: Bytes,
}

impl Client {
    /// A client of the server that `location` names; its path is left to the calls. Nothing is opened yet.
    pub(crate) fn new(location: &Location, most: usize, tls: Arc<Tls>) -> Self {
        let authority = location.authority();
        Self { server: location.clone(), authority, most, tls, idle: Mutex::default() }
    }

    /// Asks for `path`, which begins with a slash and is encoded. Once more over another connection if the first breaks
    /// before the answer is there; an answer is taken as it comes. The server is told which `trace` it is about.
    pub(crate) async fn get(&self, path: &str, trace: Option<&TraceContext>) -> Result<Answer, HttpError> {
        match self.get_over(self.kept(), path, trace).await {
            Err(error) if error.is_connection() => self.get_over(None, path, trace).await,
            done => done,
        }
    }

    async fn get_over(
        &self,
        kept: Option<Connection>,
        path: &str,
        trace: Option<&TraceContext>,
    ) -> Result<Answer, HttpError> {
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let mut request = Request::get(path)
            .header(HOST, &self.authority)
            .header(USER_AGENT, AGENT)
            .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(trace) = trace {
            request = request.header(TRACEPARENT, trace.to_string());
        }
        let request = request
            .body(connection::NoBody::new())
            .map_err(|error| LocationError::Malformed(error.to_string()))?;
        let (head, body) = connection.ask(request, self.most).await?;
        let retry_after =
            head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let body = match body {
            Ok(body) => {
                self.keep(connection);
                body
            }
            // A page of explanations may be long; what counts is the status.
            Err(HttpError::TooLarge(_)) if head.status != StatusCode::OK => Bytes::new(),
            Err(error) => return Err(error),
        };
        let body = if head.status == StatusCode::OK { body } else { Bytes::new() };
        Ok(Answer { status: head.status, retry_after: retry_after.map(Duration::from_secs), body })
    }

    /// Connects, on the runtime: whoever asks may be on a thread that others wait for too, and a TLS handshake takes that long.
    #[expect(clippy::disallowed_methods, reason = "the call owns the task, which ends with it")]
    async fn connect(&self) -> Result<Connection, HttpError> {
        let (server, tls) = (self.server.clone(), Arc::clone(&self.tls));
        let connecting = tokio::spawn(async move { Connection::open(&server, &tls).await });
        AbortOnDropHandle::new(connecting).await.map_err(|error| HttpError::Connect(error.into()))?
    }

    /// The connection used last that is still open.
    fn kept(&self) -> Option<Connection> {
        let mut idle = self.idle();
        let now = Instant::now();
        idle.retain(|connection| now.duration_since(connection.used()) < IDLE_TIME);
        loop {
            let mut connection = idle.pop()?;
            if connection.is_open() {
                return Some(connection);
            }
        }
    }

    fn keep(&self, mut connection: Connection) {
        if connection.is_open() {
            let mut idle = self.idle();
            if idle.len() < IDLE {
                connection.touch();
                idle.push(connection);
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        // Each change of the list is whole, so that what a panic elsewhere left behind is sound.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
