//! Servers that speak HTTP on 127.0.0.1.

pub(crate) mod http;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

pub use http::Request;

/// A web server with one page, which may change.
#[derive(Debug)]
pub struct Web {
    address: SocketAddr,
    page: Arc<Mutex<Page>>,
}

#[derive(Debug)]
struct Page {
    status: u16,
    body: Vec<u8>,
    requests: usize,
}

impl Web {
    /// Listens on a free port of 127.0.0.1, and answers every request with this status and body.
    ///
    /// # Errors
    /// When it can't listen.
    pub fn start(status: u16, body: &[u8]) -> io::Result<Self> {
        let page = Arc::new(Mutex::new(Page { status, body: body.to_vec(), requests: 0 }));
        let served = Arc::clone(&page);
        let address = listen(move |_| {
            let mut page = served.lock().unwrap_or_else(PoisonError::into_inner);
            page.requests += 1;
            http::Answer::Status { status: page.status, headers: String::new(), body: page.body.clone() }
        })?;
        Ok(Self { address, page })
    }

    /// Answers otherwise from now on.
    pub fn answer(&self, status: u16, body: &[u8]) {
        let mut page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        (page.status, page.body) = (status, body.to_vec());
    }

    /// How many requests have come.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.page.lock().unwrap_or_else(PoisonError::into_inner).requests
    }

    /// Where it is, such as `http://127.0.0.1:1234`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Serves requests on a free port of 127.0.0.1, each connection on a thread of its own.
pub(crate) fn listen(
    answer: impl Fn(&Request) -> http::Answer + Send + Sync + 'static,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for (index, stream) in listener.incoming().flatten().enumerate() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || http::serve(&stream, index + 1, &*answer));
        }
    });
    Ok(address)
}
