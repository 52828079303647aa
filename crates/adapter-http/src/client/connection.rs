//! One connection to a server.

use crate::error::HttpError;
use crate::location::{Location, LocationError};
use crate::tls::Tls;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Collected, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper::http::response::Parts;
use hyper::{Request, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service as _;

/// Requests have none.
pub(super) type NoBody = Empty<Bytes>;

/// The most bytes of an answer's head; a body may be longer, it is read in pieces.
const HEAD: usize = 16 * 1024;

/// A byte stream, encrypted or not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open connection, and what drives it.
#[derive(Debug)]
pub(super) struct Connection {
    requests: http1::SendRequest<NoBody>,
    driver: Driver,
    used: Instant,
}

struct Driver {
    connection: http1::Connection<TokioIo<Box<dyn Stream>>, NoBody>,
    ended: bool,
}

impl Connection {
    /// Connects to the server of `location`.
    pub(super) async fn open(location: &Location, tls: &Tls) -> Result<Self, HttpError> {
        let stream = connect(location).await?;
        let stream: Box<dyn Stream> = if location.https {
            let name = ServerName::try_from(location.host.clone());
            let name = name.map_err(|_| LocationError::Host)?;
            let connector = tls.connector().await?;
            Box::new(connector.connect(name, stream).await.map_err(HttpError::Tls)?)
        } else {
            Box::new(stream)
        };
        let handshake = http1::Builder::new().max_buf_size(HEAD).handshake(TokioIo::new(stream));
        let (requests, connection) = handshake.await?;
        Ok(Self { requests, driver: Driver { connection, ended: false }, used: Instant::now() })
    }

    /// Asks, and reads the answer's head and at most `most` bytes of its body. An error in the inner result came after
    /// the head; the connection isn't to be used again after any.
    pub(super) async fn ask(
        &mut self,
        request: Request<NoBody>,
        most: usize,
    ) -> Result<(Parts, Result<Bytes, HttpError>), HttpError> {
        let Self { requests, driver, .. } = self;
        let call = async {
            requests.ready().await?;
            let (head, body) = requests.send_request(request).await?.into_parts();
            let body = Limited::new(body, most).collect().await;
            Ok((head, body.map(Collected::to_bytes).map_err(|error| body_error(error, most))))
        };
        driver.along(call).await
    }

    /// Whether another request can be sent, as far as is known without waiting.
    pub(super) fn is_open(&mut self) -> bool {
        self.driver.poll(&mut Context::from_waker(Waker::noop()));
        !self.driver.ended && self.requests.is_ready()
    }

    /// When it was used last.
    pub(super) const fn used(&self) -> Instant {
        self.used
    }

    /// Notes that it was used just now.
    pub(super) fn touch(&mut self) {
        self.used = Instant::now();
    }
}

impl Driver {
    /// Does `work` while the connection is driven.
    async fn along<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            if let Poll::Ready(done) = work.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            self.poll(context);
            // What the connection has read or accepted since.
            work.as_mut().poll(context)
        })
        .await
    }

    /// Why a connection ends is told to whoever waits for an answer.
    fn poll(&mut self, context: &mut Context<'_>) {
        self.ended = self.ended || Pin::new(&mut self.connection).poll(context).is_ready();
    }
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// A TCP connection to the first of the host's addresses that answers, IPv6 and IPv4 raced against each other.
async fn connect(location: &Location) -> Result<tokio::net::TcpStream, HttpError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| HttpError::Connect(error);
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    // The scheme only matters for the port, which is always given.
    let host =
        if location.host.contains(':') { format!("[{}]", location.host) } else { location.host.clone() };
    let uri =
        Uri::builder().scheme("http").authority(format!("{host}:{}", location.port)).path_and_query("/");
    let uri = uri.build().map_err(|error| failed(error.into()))?;
    poll_fn(|context| connector.poll_ready(context)).await.map_err(|error| failed(error.into()))?;
    let stream = connector.call(uri).await.map_err(|error| failed(error.into()))?;
    Ok(stream.into_inner())
}

fn body_error(error: Box<dyn std::error::Error + Send + Sync>, most: usize) -> HttpError {
    if error.is::<LengthLimitError>() {
        return HttpError::TooLarge(most);
    }
    match error.downcast::<hyper::Error>() {
        Ok(error) => HttpError::from(*error),
        Err(error) => HttpError::Connect(Box::new(io::Error::other(error))),
    }
}
