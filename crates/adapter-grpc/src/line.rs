//! One connection to a peer: HTTP/2, over which many calls go at once.
//!
//! What must stay true: the tasks that hyper makes for a connection end with the peer's own task, which cancels `Tasks`.

use crate::endpoint::{PeerUri, Tls};
use crate::error::NotSent;
use drawbridge_telemetry::in_full;
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::header::{HeaderValue, USER_AGENT};
use hyper::http::{Request, Response};
use hyper::{Uri, rt};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower_service::Service;

/// What servers see as the caller.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("Drawbridge/", env!("CARGO_PKG_VERSION")));
/// What a peer may send before somebody reads it, in bytes: on a call, and on all calls of a connection.
const WINDOWS: (u32, u32) = (256 << 10, 2 << 20);
/// The most bytes of headers that an answer may have.
const HEADERS: u32 = 16 << 10;
/// How long a peer may take to give a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// When a connection without calls is looked after by TCP itself, how often, and after what time the peer counts as gone.
/// Servers don't see these, so that they can be asked oftener than by HTTP/2.
const PROBES: (Duration, Duration, u32) = (Duration::from_secs(15), Duration::from_secs(5), 3);
/// So many calls without an answer in a row, and the connection isn't trusted any more.
const SILENT: u32 = 3;

/// A byte stream, encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What drives a connection; it ends when the connection does.
pub(crate) type Driver = http2::Connection<TokioIo<Box<dyn Stream>>, Body, Tasks>;

/// Where hyper's tasks run, until they are cancelled.
#[derive(Debug, Clone)]
pub(crate) struct Tasks(pub(crate) CancellationToken);

impl<F> rt::Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    #[expect(clippy::disallowed_methods, reason = "the peer's task owns it by the token")]
    fn execute(&self, task: F) {
        tokio::spawn(self.0.clone().run_until_cancelled_owned(task));
    }
}

/// A connection that is up, cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    requests: SendRequest<Body>,
    /// Scheme and authority of every call's path.
    pub(crate) origin: Uri,
    /// The peer, for texts.
    pub(crate) peer: Arc<str>,
    state: Arc<State>,
}

/// How the calls on a connection fare.
#[derive(Debug, Default)]
struct State {
    under_way: AtomicUsize,
    unanswered: AtomicU32,
    answered: AtomicBool,
    retired: AtomicBool,
    suspected: Notify,
}

/// A call under way; what came of it is to be told, unless nobody waited for that.
#[derive(Debug)]
pub(crate) struct Call<'a>(&'a State);

impl Line {
    /// Connects. The result's second half is to be polled for the first to work.
    pub(crate) async fn open(
        uri: &PeerUri,
        tls: &Tls,
        keep_alive: Duration,
        tasks: Tasks,
    ) -> Result<(Self, Driver), String> {
        let stream = connect(uri).await?;
        let stream: Box<dyn Stream> = if uri.https {
            let name = ServerName::try_from(uri.host.clone()).map_err(|error| error.to_string())?;
            let connector = tls.connector().await.map_err(|error| error.to_string())?;
            let encrypted = connector.connect(name, stream).await;
            Box::new(encrypted.map_err(|error| format!("no encrypted connection: {error}"))?)
        } else {
            Box::new(stream)
        };
        let handshake = http2::Builder::new(tasks)
            .timer(TokioTimer::new())
            .initial_stream_window_size(WINDOWS.0)
            .initial_connection_window_size(WINDOWS.1)
            .max_header_list_size(HEADERS)
            .keep_alive_interval(keep_alive)
            .keep_alive_timeout(SIGN_OF_LIFE.min(keep_alive))
            .handshake(TokioIo::new(stream));
        let (requests, driver) = handshake.await.map_err(|error| in_full(&error))?;
        let origin = uri.to_string().parse().map_err(|error| format!("{error}"))?;
        Ok((Self { requests, origin, peer: uri.to_string().into(), state: Arc::default() }, driver))
    }

    /// Begins a call.
    pub(crate) fn call(&self) -> Call<'_> {
        self.state.under_way.fetch_add(1, Ordering::Relaxed);
        Call(&self.state)
    }

    /// How many calls are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.state.under_way.load(Ordering::Relaxed)
    }

    /// Whether a call may go over it, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        !self.requests.is_closed() && !self.state.retired.load(Ordering::Relaxed)
    }

    /// Whether any call was answered.
    pub(crate) fn has_answered(&self) -> bool {
        self.state.answered.load(Ordering::Relaxed)
    }

    /// Ends when so many calls in a row weren't answered that it isn't to be trusted.
    pub(crate) async fn suspected(&self) {
        self.state.suspected.notified().await;
    }
}

impl Call<'_> {
    /// Something came back.
    pub(crate) fn answered(self) {
        self.0.unanswered.store(0, Ordering::Relaxed);
        self.0.answered.store(true, Ordering::Relaxed);
    }

    /// Nothing came in time.
    pub(crate) fn unanswered(self) {
        if self.0.unanswered.fetch_add(1, Ordering::Relaxed) + 1 >= SILENT {
            self.0.suspected.notify_one();
        }
    }

    /// The connection takes no more calls.
    pub(crate) fn retired(self) {
        self.0.retired.store(true, Ordering::Relaxed);
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Service<Request<Body>> for Line {
    type Response = Response<Incoming>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        request.headers_mut().insert(USER_AGENT, AGENT);
        let answer = self.requests.try_send_request(request);
        Box::pin(async move {
            answer.await.map_err(|mut failed| {
                let sent = failed.take_message().is_none();
                let error = failed.into_error();
                if sent { error.into() } else { NotSent(error).into() }
            })
        })
    }
}

/// A TCP connection to the first of the host's addresses that answers, IPv6 and IPv4 raced against each other.
async fn connect(uri: &PeerUri) -> Result<tokio::net::TcpStream, String> {
    let (first, interval, times) = PROBES;
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_keepalive(Some(first));
    connector.set_keepalive_interval(Some(interval));
    connector.set_keepalive_retries(Some(times));
    #[cfg(target_os = "linux")]
    connector.set_tcp_user_timeout(Some(first + interval * times));
    // The scheme only matters for the port, which is always given.
    let plain = Uri::builder().scheme("http").authority(uri.authority()).path_and_query("/").build();
    let plain = plain.map_err(|error| error.to_string())?;
    poll_fn(|context| connector.poll_ready(context)).await.map_err(|error| in_full(&error))?;
    let stream = connector.call(plain).await.map_err(|error| in_full(&error))?;
    Ok(stream.into_inner())
}
