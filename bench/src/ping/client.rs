//! The client that pings. It always behaves the same: eight connections at any time on one thread, each sends handshake and
//! status request as soon as it is connected, then the ping when the status is there whole, and closes when the pong is.

use anyhow::{Context as _, Result, bail, ensure};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::frame;
use drawbridge_protocol::packet::RawPacket;
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::status::{PingRequest, StatusRequest, StatusResponse};
use drawbridge_protocol::stream::Outbound;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll;
use rustix::fd::OwnedFd;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Connections at a time.
const CONNECTIONS: usize = 8;
/// How long the client waits for anything to happen.
const PATIENCE: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };
/// Longer than any frame here.
const BOUND: usize = 40_000;
/// What the client pings with.
const PAYLOAD: i64 = 0x0123_4567_89ab_cdef;

/// How handshake and status request are sent. Clients differ, and so does the network in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Requests {
    /// In one write, so that one read finds both: what mostly arrives.
    Together,
    /// In a write each.
    Apart,
}

impl Requests {
    pub(super) const ALL: [Self; 2] = [Self::Together, Self::Apart];

    /// How the report calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Together => "requests in one segment",
            Self::Apart => "requests in two segments",
        }
    }
}

/// Pings `count` times.
///
/// # Errors
/// When the server doesn't answer, or wrongly.
pub(super) fn run(address: SocketAddr, requests: Requests, count: usize) -> Result<()> {
    let mut load = Load {
        epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
        address,
        requests,
        script: Script::new()?,
        buffer: vec![0; BOUND],
    };
    let mut slots = Vec::with_capacity(CONNECTIONS);
    for slot in 0..CONNECTIONS.min(count) {
        slots.push(load.connect(slot)?);
    }
    let (mut begun, mut done) = (slots.len(), 0);
    let mut events = Vec::with_capacity(CONNECTIONS);
    while done < count {
        epoll::wait(&load.epoll, spare_capacity(&mut events), Some(&PATIENCE))?;
        ensure!(!events.is_empty(), "the server at {address} does not answer");
        for event in events.drain(..) {
            let index = usize::try_from(event.data.u64())?;
            if !load.advance(&mut slots[index])? {
                continue;
            }
            done += 1;
            if begun < count {
                begun += 1;
                // The old connection is closed first, by being dropped.
                slots[index].socket = None;
                slots[index] = load.connect(index)?;
            } else {
                slots[index].socket = None;
            }
        }
    }
    Ok(())
}

/// The frame with which the server answers a status request, for others to answer the same.
///
/// # Errors
/// When there is no such answer.
pub(super) fn status_response(address: SocketAddr) -> Result<Vec<u8>> {
    let script = Script::new()?;
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    socket.write_all(&[script.handshake, script.status_request].concat())?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = socket.read(&mut buffer)?;
        ensure!(read > 0, "closed inside the status");
        answer.extend_from_slice(&buffer[..read]);
        if let Some(body) = frame::split(&answer, BOUND)? {
            let response = RawPacket::parse(&answer[body.clone()])?;
            response.read::<StatusResponse>(ProtocolVersion::V26_1).context("the status")?;
            answer.truncate(body.end);
            return Ok(answer);
        }
    }
}

/// What is sent, and what is to come back.
#[derive(Debug)]
struct Script {
    handshake: Vec<u8>,
    status_request: Vec<u8>,
    ping: Vec<u8>,
}

impl Script {
    fn new() -> Result<Self> {
        let version = ProtocolVersion::V26_1;
        let (mut handshake, mut status_request, mut ping) = (Vec::new(), Vec::new(), Vec::new());
        let greeting =
            Handshake { version, host: crate::edge::HOST.to_owned(), port: 25565, intent: Intent::Status };
        let mut outbound = Outbound::new();
        outbound.write(version, &greeting, &mut handshake)?;
        outbound.write(version, &StatusRequest {}, &mut status_request)?;
        outbound.write(version, &PingRequest { payload: PAYLOAD }, &mut ping)?;
        Ok(Self { handshake, status_request, ping })
    }
}

#[derive(Debug)]
struct Slot {
    socket: Option<OwnedFd>,
    received: Vec<u8>,
    pinged: bool,
}

struct Load {
    epoll: OwnedFd,
    address: SocketAddr,
    requests: Requests,
    script: Script,
    buffer: Vec<u8>,
}

impl Load {
    fn connect(&self, slot: usize) -> Result<Slot> {
        // On the loopback a blocking connect doesn't wait: the other side's kernel answers inside the call.
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        match self.requests {
            Requests::Together => {
                stream.write_all(&[&self.script.handshake[..], &self.script.status_request].concat())?;
            }
            Requests::Apart => {
                stream.write_all(&self.script.handshake)?;
                stream.write_all(&self.script.status_request)?;
            }
        }
        stream.set_nonblocking(true)?;
        let socket = OwnedFd::from(stream);
        let data = epoll::EventData::new_u64(slot as u64);
        epoll::add(&self.epoll, &socket, data, epoll::EventFlags::IN)?;
        Ok(Slot { socket: Some(socket), received: Vec::new(), pinged: false })
    }

    /// Reads what came; whether the ping is over.
    fn advance(&mut self, slot: &mut Slot) -> Result<bool> {
        let socket = slot.socket.as_ref().context("an event on a closed connection")?;
        let read = rustix::io::read(socket, &mut self.buffer[..])?;
        if read == 0 {
            bail!(
                "the server at {} closed before the {}",
                self.address,
                if slot.pinged { "pong" } else { "status" }
            );
        }
        // Most answers come in one read and are looked at where they are.
        let received = if slot.received.is_empty() {
            &self.buffer[..read]
        } else {
            slot.received.extend_from_slice(&self.buffer[..read]);
            &slot.received
        };
        let Some(body) = frame::split(received, BOUND)? else {
            if slot.received.is_empty() {
                slot.received.extend_from_slice(&self.buffer[..read]);
            }
            return Ok(false);
        };
        if slot.pinged {
            // A pong has the ping's fields, and its id.
            ensure!(received == self.script.ping, "the pong is not the ping's");
            return Ok(true);
        }
        ensure!(body.end == received.len(), "bytes behind the status");
        slot.received.clear();
        slot.pinged = true;
        rustix::io::write(socket, &self.script.ping)?;
        Ok(false)
    }
}
