//! A server on 127.0.0.1 that answers as a test says.

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What is done with a request.
pub(crate) enum Reply {
    /// These bytes are sent, and the connection stays open.
    Bytes(Vec<u8>),
    /// These bytes are sent, and the connection is closed.
    Last(Vec<u8>),
    /// The connection is reset.
    Reset,
    /// Nothing, until the client closes.
    Silence,
}

/// What a connection did, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The first line of a request.
    Request(String),
    /// The client closed a connection that was kept silent.
    Closed,
}

pub(crate) struct Server {
    pub(crate) url: String,
    connections: Arc<AtomicUsize>,
    events: Mutex<Receiver<Event>>,
}

/// An answer with a body.
pub(crate) fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes =
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

impl Server {
    /// Answers requests by their number, counted from 0 over all connections.
    pub(crate) fn start(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let (sender, events) = channel();
        let (reply, requests, count) =
            (Arc::new(reply), Arc::new(AtomicUsize::new(0)), Arc::clone(&connections));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                let (reply, requests, sender) = (Arc::clone(&reply), Arc::clone(&requests), sender.clone());
                std::thread::spawn(move || {
                    let reply = || reply(requests.fetch_add(1, Ordering::SeqCst));
                    serve(stream.unwrap(), &reply, &sender);
                });
            }
        });
        Self { url, connections, events: Mutex::new(events) }
    }

    pub(crate) fn always(bytes: Vec<u8>) -> Self {
        Self::start(move |_| Reply::Bytes(bytes.clone()))
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The next event; blocks for it.
    pub(crate) fn event(&self) -> Event {
        self.events.lock().unwrap().recv_timeout(PATIENCE).unwrap()
    }

    /// The first lines of all requests that weren't looked at.
    pub(crate) fn requests(&self) -> Vec<String> {
        let lines = |event| match event {
            Event::Request(line) => Some(line),
            Event::Closed => None,
        };
        self.events.lock().unwrap().try_iter().filter_map(lines).collect()
    }
}

fn serve(mut stream: TcpStream, reply: &dyn Fn() -> Reply, events: &Sender<Event>) {
    stream.set_nodelay(true).unwrap();
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        // The test may have ended.
        let _ = events.send(Event::Request(head.lines().next().unwrap().to_owned()));
        match reply() {
            Reply::Bytes(bytes) => stream.write_all(&bytes).unwrap(),
            Reply::Last(bytes) => return stream.write_all(&bytes).unwrap(),
            Reply::Reset => {
                let lingerless = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
                return lingerless.unwrap();
            }
            Reply::Silence => {
                let _ = stream.read(&mut [0]);
                let _ = events.send(Event::Closed);
                return;
            }
        }
    }
}

/// A server with a certificate of its own making that answers with `body`, and a client that trusts it.
pub(crate) fn encrypted(body: &'static str) -> (String, rustls::ClientConfig) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = CertificateDer::from(made.cert.der().to_vec());
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream.unwrap());
            let mut request = [0; 4096];
            // A client that doesn't trust the certificate leaves here.
            while stream.read(&mut request).is_ok_and(|read| read > 0) {
                stream.write_all(&answer("200 OK", "", body)).unwrap();
            }
        }
    });
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (url, client)
}
