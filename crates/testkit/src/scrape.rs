//! Asking an edge how it is, over HTTP.

use crate::Edge;
use socket2::{Domain, Socket, Type};
use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long the edge may take to answer.
const SOON: Duration = Duration::from_secs(20);

/// An answer to a request such as `GET /healthz`: status and body. `None`: nobody answers.
#[must_use]
pub fn ask(address: SocketAddr, request: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, SOON).ok()?;
    stream.set_read_timeout(Some(SOON)).ok()?;
    stream
        .write_all(format!("{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())
        .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// Asks the same, and takes as little of the answer as the system allows: some 70 KiB wait on the other side.
///
/// # Errors
/// When nobody is there.
pub fn ask_deaf(address: SocketAddr, request: &str) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_recv_buffer_size(1)?;
    // By which the other side measures how much it keeps.
    socket.set_tcp_mss(536)?;
    socket.connect(&address.into())?;
    let mut stream = TcpStream::from(socket);
    stream.write_all(format!("{request} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())?;
    Ok(stream)
}

/// The samples of a moment: name with labels, as they stand there, and value.
#[derive(Debug)]
pub struct Scrape(pub BTreeMap<String, f64>);

impl Scrape {
    /// Asks for `/metrics`.
    ///
    /// # Panics
    /// When they aren't served there.
    #[must_use]
    pub fn of(address: SocketAddr) -> Self {
        let Some((200, text)) = ask(address, "GET /metrics") else { panic!("no metrics at {address}") };
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Self(samples.filter_map(sample).collect())
    }

    /// The sum of all samples of this name that have these labels, written `key="value"`.
    #[must_use]
    pub fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        let is = |sample: &str| {
            let (of, rest) = sample.split_once('{').unwrap_or((sample, ""));
            of == name && labels.iter().all(|label| rest.contains(label))
        };
        self.0.iter().filter(|(sample, _)| is(sample)).map(|(_, value)| value).sum()
    }
}

impl Edge {
    /// Where it serves metrics, if it is set up to.
    ///
    /// # Panics
    /// When it isn't.
    #[must_use]
    pub fn metrics_address(&self) -> SocketAddr {
        let line = self.wait_for_message("metrics and health are served");
        let address = line.field("address").and_then(|address| address.parse().ok());
        address.unwrap_or_else(|| panic!("no address in {line}"))
    }
}
