//! `[metrics]`: a small HTTP listener for whoever watches over the edge: `/metrics`, `/healthz`, `/readyz`.
//!
//! What must stay true: it answers until the very end, and costs no more than a few connections for a few seconds, whoever finds it.

use crate::health;
use crate::metrics::Metrics;
use bytes::Bytes;
use drawbridge_config::section;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

section! {
    /// Metrics and health over HTTP, without encryption: for a network that is the operator's own.
    #[defaults]
    pub struct MetricsSection {
        /// Where `/metrics`, `/healthz` and `/readyz` are served; nowhere when left out. Read at start.
        pub bind: Option<SocketAddr>,
    }
}

/// The most connections at once; more wait to be accepted.
const CONNECTIONS: usize = 64;
/// How long a request may take to come.
const REQUEST: Duration = Duration::from_secs(5);
/// How long a connection may take in all, however slowly the answer is read.
const WHOLE: Duration = Duration::from_secs(10);
/// The most bytes of a request's head.
const HEAD: usize = 16 * 1024;
/// Pause after running out of descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// Version 0.0.4 of the text format.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// An address that is listened on.
#[derive(Debug)]
pub(crate) struct Listener(TcpListener);

impl Listener {
    /// Listens.
    ///
    /// # Errors
    /// When the address can't be bound, such as because another program has.
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self)
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Serves until it is dropped.
    pub(crate) async fn serve(self, metrics: Arc<Metrics>) {
        let mut tasks = tokio::task::JoinSet::new();
        let mut oldest = VecDeque::with_capacity(CONNECTIONS);
        loop {
            match self.0.accept().await {
                Ok((stream, _)) => {
                    let metrics = Arc::clone(&metrics);
                    oldest.retain(|task: &AbortHandle| !task.is_finished());
                    // Whoever holds connections open takes nobody's place: the oldest goes for the newest.
                    while oldest.len() >= CONNECTIONS {
                        oldest.pop_front().into_iter().for_each(|task| task.abort());
                    }
                    oldest.push_back(tasks.spawn(async move {
                        // Who doesn't speak HTTP, or is too slow, is nobody to be told about.
                        let _ = timeout(WHOLE, converse(stream, &metrics)).await;
                    }));
                }
                Err(error) => {
                    tracing::debug!(%error, "the metrics' listener can't accept");
                    sleep(PAUSE).await;
                }
            }
            while tasks.try_join_next().is_some() {}
        }
    }
}

/// One request a connection: nobody asks often, and whoever holds one open takes another's place.
async fn converse(stream: TcpStream, metrics: &Metrics) -> hyper::Result<()> {
    let service = service_fn(|request| async move { Ok::<_, Infallible>(answer(&request, metrics).await) });
    http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

async fn answer(request: &Request<Incoming>, metrics: &Metrics) -> Response<Full<Bytes>> {
    let known = matches!(request.uri().path(), "/metrics" | "/healthz" | "/readyz");
    if known && !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match request.uri().path() {
        "/metrics" => written(StatusCode::OK, TEXT, metrics.text()),
        "/healthz" if health::is_alive().await => plain(StatusCode::OK, "alive"),
        "/healthz" => plain(StatusCode::SERVICE_UNAVAILABLE, "stuck"),
        "/readyz" => {
            let ready = health::is_ready();
            let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            plain(status, health::readiness().label())
        }
        _ => plain(StatusCode::NOT_FOUND, "/metrics, /healthz or /readyz"),
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    written(status, PLAIN, format!("{text}\n"))
}

fn written(status: StatusCode, kind: HeaderValue, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
