//! A session server that knows everybody. It runs in this process, so it isn't counted; answers at once, with a profile of
//! the size that real ones have, and keeps connections open.

use anyhow::Result;
use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::fd::OwnedFd;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

/// Real ones: a skin and a cape in base64, and an RSA-4096 signature.
const TEXTURES: usize = 480;
const SIGNATURE: usize = 684;

/// How much of a request is read at once; one is shorter.
const CHUNK: usize = 4096;
/// Stands for the listener among the connections' numbers.
const DOOR: u64 = u64::MAX;

/// A running session server. Its thread ends with the process.
#[derive(Debug)]
pub(crate) struct SessionServer {
    address: SocketAddr,
}

impl SessionServer {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When it can't.
    pub(crate) fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, epoll::EventData::new_u64(DOOR), epoll::EventFlags::IN)?;
        std::thread::spawn(move || serve(&epoll, &listener));
        Ok(Self { address })
    }

    /// What to configure as its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Answers requests on all connections, on one thread, so that it takes as little from the edge as it can.
fn serve(epoll: &OwnedFd, listener: &TcpListener) -> Result<()> {
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut events = Vec::with_capacity(64);
    loop {
        epoll::wait(epoll, spare_capacity(&mut events), None)?;
        for event in events.drain(..) {
            if event.data.u64() == DOOR {
                let (stream, _) = listener.accept()?;
                stream.set_nodelay(true)?;
                let data = epoll::EventData::new_u64(connections.len() as u64);
                epoll::add(epoll, &stream, data, epoll::EventFlags::IN)?;
                connections.push(Some(Connection { stream, received: Vec::new() }));
                continue;
            }
            let place = &mut connections[usize::try_from(event.data.u64())?];
            if place.as_mut().is_none_or(|connection| connection.answer().is_none()) {
                *place = None;
            }
        }
    }
}

struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Reads what came, and answers a request that is there whole. None when the connection has ended, in whatever way.
    fn answer(&mut self) -> Option<()> {
        let mut chunk = [0; CHUNK];
        let count = self.stream.read(&mut chunk).ok().filter(|&count| count > 0)?;
        self.received.extend_from_slice(&chunk[..count]);
        if !self.received.ends_with(b"\r\n\r\n") {
            return Some(());
        }
        let request = String::from_utf8(std::mem::take(&mut self.received)).ok()?;
        let name = request.split_once("username=")?.1.split(['&', ' ']).next()?;
        let body = profile(name);
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length:";
        self.stream.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).ok()
    }
}

fn profile(name: &str) -> String {
    let (value, signature) = ("A".repeat(TEXTURES), "B".repeat(SIGNATURE));
    format!(
        r#"{{"id":"069a79f444e94726a5befca90e38aaf5","name":"{name}","properties":[{{"name":"textures","value":"{value}","signature":"{signature}"}}],"profileActions":[]}}"#
    )
}
