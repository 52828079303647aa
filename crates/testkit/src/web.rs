//! Servers that speak HTTP on 127.0.0.1.

pub(crate) mod http;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use http::Request;

/// A web server with one page, which may change.
#[derive(Debug)]
pub struct Web {
    address: SocketAddr,
    page: Arc<Mutex<Page>>,
}

/// What a request is answered with.
type Answering = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

struct Page {
    answering: Answering,
    seen: Vec<Request>,
}

/// An answer of [`Web`].
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: String,
    body: Vec<u8>,
    silent: bool,
}

impl Reply {
    /// This status and body.
    #[must_use]
    pub fn new(status: u16, body: impl AsRef<[u8]>) -> Self {
        Self { status, headers: String::new(), body: body.as_ref().to_vec(), silent: false }
    }

    /// Nothing ever comes.
    #[must_use]
    pub fn silence() -> Self {
        Self { silent: true, ..Self::new(200, []) }
    }

    /// With another header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }
}

impl Web {
    /// Listens on a free port of 127.0.0.1, and answers every request with this status and body.
    ///
    /// # Errors
    /// When it can't listen.
    pub fn start(status: u16, body: &[u8]) -> io::Result<Self> {
        let reply = Reply::new(status, body);
        let page = Page { answering: Arc::new(move |_| reply.clone()), seen: Vec::new() };
        let page = Arc::new(Mutex::new(page));
        let served = Arc::clone(&page);
        let address = listen(move |request| {
            let answering = {
                let mut page = served.lock().unwrap_or_else(PoisonError::into_inner);
                page.seen.push(request.clone());
                Arc::clone(&page.answering)
            };
            let Reply { status, headers, body, silent } = answering(request);
            if silent { http::Answer::Nothing } else { http::Answer::Status { status, headers, body } }
        })?;
        Ok(Self { address, page })
    }

    /// Answers otherwise from now on.
    pub fn answer(&self, status: u16, body: &[u8]) {
        let reply = Reply::new(status, body);
        self.answer_by(move |_| reply.clone());
    }

    /// Answers each request as `answering` says from now on.
    pub fn answer_by(&self, answering: impl Fn(&Request) -> Reply + Send + Sync + 'static) {
        self.page().answering = Arc::new(answering);
    }

    /// How many requests have come.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.page().seen.len()
    }

    /// The requests that have come.
    #[must_use]
    pub fn seen(&self) -> Vec<Request> {
        self.page().seen.clone()
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it is, such as `http://127.0.0.1:1234`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("seen", &self.seen).finish_non_exhaustive()
    }
}

/// Serves requests on a free port of 127.0.0.1, each connection on a thread of its own.
pub(crate) fn listen(
    answer: impl Fn(&Request) -> http::Answer + Send + Sync + 'static,
) -> io::Result<SocketAddr> {
    listen_counting(answer, Arc::default())
}

/// The same, with a count of the connections that are open.
pub(crate) fn listen_counting(
    answer: impl Fn(&Request) -> http::Answer + Send + Sync + 'static,
    open: Arc<AtomicUsize>,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for (index, stream) in listener.incoming().flatten().enumerate() {
            let (answer, open) = (Arc::clone(&answer), Arc::clone(&open));
            open.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || {
                http::serve(&stream, index + 1, &*answer);
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    Ok(address)
}
