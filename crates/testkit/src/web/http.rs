//! As much of HTTP/1.1 as the servers here need: requests with Content-Length, keep-alive, and one call of a client.

use crate::PATIENCE;
use crate::connection::Trouble;
use socket2::{Domain, Socket, Type};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long a connection may stay idle.
const IDLE: Duration = Duration::from_secs(60);
/// The most bytes of a body that are read.
const BODY: usize = 1 << 20;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST` …
    pub method: String,
    /// Path and query, not decoded.
    pub target: String,
    /// The decoded parameters of the query, in order.
    pub query: Vec<(String, String)>,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Where it came from.
    pub from: IpAddr,
    /// Which of the server's connections brought it, counted from 1.
    pub connection: usize,
}

impl Request {
    /// A parameter of the query, decoded; the first of that name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// A server's question who has joined.
    #[must_use]
    pub fn is_has_joined(&self) -> bool {
        self.method == "GET" && self.path() == "/session/minecraft/hasJoined"
    }

    /// A client's saying that it joins.
    #[must_use]
    pub fn is_join(&self) -> bool {
        self.method == "POST" && self.path() == "/session/minecraft/join"
    }

    /// The target without the query, not decoded.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// What is done about a request.
pub(crate) enum Answer {
    Status {
        status: u16,
        headers: String,
        body: Vec<u8>,
    },
    /// These bytes, whatever they are.
    Raw(Vec<u8>),
    Nothing,
    Close,
    /// Whatever this writes; afterwards the connection goes on where it says so.
    Talk(Talk),
}

/// Speaks on a connection, and says whether it goes on.
pub(crate) type Talk = Box<dyn FnOnce(&TcpStream) -> io::Result<bool>>;

impl Answer {
    pub(crate) const fn status(status: u16) -> Self {
        Self::Status { status, headers: String::new(), body: Vec::new() }
    }

    pub(crate) fn json(body: Vec<u8>) -> Self {
        Self::Status { status: 200, headers: "Content-Type: application/json\r\n".to_owned(), body }
    }

    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        match self {
            Self::Status { status, headers, body } => {
                Self::Status { status, headers: format!("{headers}{name}: {value}\r\n"), body }
            }
            other => other,
        }
    }
}

/// Answers the requests of a connection until it closes.
pub(crate) fn serve(stream: &TcpStream, connection: usize, answer: impl Fn(&Request) -> Answer) {
    let ended = || -> io::Result<()> {
        stream.set_read_timeout(Some(IDLE))?;
        stream.set_nodelay(true)?;
        let from = stream.peer_addr()?.ip();
        let mut reader = BufReader::new(stream);
        while let Some(request) = read_request(&mut reader, from, connection)? {
            match answer(&request) {
                Answer::Status { status, headers, body } => write_answer(stream, status, &headers, &body)?,
                Answer::Raw(bytes) => return (&*stream).write_all(&bytes),
                Answer::Nothing => {}
                Answer::Close => return Ok(()),
                Answer::Talk(talk) => {
                    if !talk(stream)? {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    };
    // Whoever hangs up is done with; that is for the test to notice.
    let _ = ended();
}

pub(crate) fn write_answer(
    mut stream: &TcpStream,
    status: u16,
    headers: &str,
    body: &[u8],
) -> io::Result<()> {
    let length = if matches!(status, 204 | 304) {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    let mut bytes = format!("HTTP/1.1 {status} Answer\r\n{headers}{length}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    stream.write_all(&bytes)
}

/// Whether whoever asked has hung up.
pub(crate) fn has_left(stream: &TcpStream) -> io::Result<bool> {
    stream.set_nonblocking(true)?;
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    match peeked {
        Ok(read) => Ok(read == 0),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(_) => Ok(true),
    }
}

fn read_request(
    reader: &mut BufReader<&TcpStream>,
    from: IpAddr,
    connection: usize,
) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length.min(BODY)];
    reader.read_exact(&mut body)?;
    let query = target.split_once('?').map(|(_, query)| parse_query(query)).unwrap_or_default();
    Ok(Some(Request { method, target, query, headers, body, from, connection }))
}

fn parse_query(query: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    };
    query.split('&').map(pair).collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (byte, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(decoded)) => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Posts JSON and gives the answer's status.
pub(crate) fn post(from: IpAddr, to: SocketAddr, path: &str, body: &str) -> Result<u16, Trouble> {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {to}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut answer = BufReader::new(send(from, to, &request)?);
    let mut line = String::new();
    answer.read_line(&mut line)?;
    // Closed by a reset, its port is free at once: tests make more of these calls within a minute than there are ports.
    socket2::SockRef::from(answer.get_ref()).set_linger(Some(Duration::ZERO))?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| Trouble::Rule(format!("the session server answered {line:?}")))
}

fn send(from: IpAddr, to: SocketAddr, request: &str) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    let from = if from.is_ipv4() == to.is_ipv4() { from } else { Ipv4Addr::LOCALHOST.into() };
    socket.bind(&SocketAddr::new(from, 0).into())?;
    socket.connect_timeout(&to.into(), PATIENCE)?;
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    Ok(stream)
}

/// The whole answer to a GET.
#[cfg(test)]
pub(crate) fn get(to: SocketAddr, path: &str) -> io::Result<String> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\r\n");
    let stream = send(Ipv4Addr::LOCALHOST.into(), to, &request)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut answer = String::new();
    (&stream).read_to_string(&mut answer)?;
    Ok(answer)
}
