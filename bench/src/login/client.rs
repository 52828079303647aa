//! The client that logs in, until it has its Transfer or, for the memory's sake, until it is asked for encryption.

use crate::edge::HOST;
use anyhow::{Context as _, Result, ensure};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::Packet;
use drawbridge_protocol::packet::configuration::{ClientInformation, Transfer};
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::login::{
    EncryptionRequest, EncryptionResponse, LoginAcknowledged, LoginStart, LoginSuccess, TokenProof,
};
use drawbridge_protocol::stream::{Inbound, Outbound};
use drawbridge_protocol::varint;
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use uuid::Uuid;

/// Connections at a time.
const CONNECTIONS: usize = 8;
/// How long the clients wait for anything to happen.
const PATIENCE: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };
/// The newest version that real clients have been seen to speak.
const VERSION: ProtocolVersion = ProtocolVersion::V26_1;
/// Longer than any packet here.
const BOUND: usize = 40_000;

/// Logs in `count` times: eight connections at any time on one thread, so that the clients take as little from the edge as they can.
///
/// # Errors
/// When one of them doesn't end in a Transfer.
pub(super) fn run(address: SocketAddr, count: usize) -> Result<()> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let begin = |slot: usize| -> Result<Client> {
        let client = Client::connect(address, &format!("Bench_{slot}"))?;
        let data = epoll::EventData::new_u64(slot as u64);
        epoll::add(&epoll, &client.connection.stream, data, epoll::EventFlags::IN)?;
        Ok(client)
    };
    let mut slots = Vec::with_capacity(CONNECTIONS);
    for slot in 0..CONNECTIONS.min(count) {
        slots.push(Some(begin(slot)?));
    }
    let (mut begun, mut done) = (slots.len(), 0);
    let mut events = Vec::with_capacity(CONNECTIONS);
    while done < count {
        epoll::wait(&epoll, spare_capacity(&mut events), Some(&PATIENCE))?;
        ensure!(!events.is_empty(), "the edge at {address} does not answer");
        for event in events.drain(..) {
            let slot = usize::try_from(event.data.u64())?;
            let client = slots[slot].as_mut().context("an event on a closed connection")?;
            if !client.advance()? {
                continue;
            }
            done += 1;
            // The old connection is closed first, by being dropped.
            slots[slot] = None;
            if begun < count {
                begun += 1;
                slots[slot] = Some(begin(slot)?);
            }
        }
    }
    Ok(())
}

/// A client on its way.
struct Client {
    connection: Connection,
    awaits: Awaits,
}

/// What is to come next.
enum Awaits {
    EncryptionRequest,
    LoginSuccess,
    Transfer,
}

impl Client {
    fn connect(address: SocketAddr, name: &str) -> Result<Self> {
        let connection = Connection::open(address, name)?;
        connection.stream.set_nonblocking(true)?;
        Ok(Self { connection, awaits: Awaits::EncryptionRequest })
    }

    /// Reads what came and answers it; whether the player was handed over.
    fn advance(&mut self) -> Result<bool> {
        let connection = &mut self.connection;
        connection.read_once()?;
        loop {
            match self.awaits {
                Awaits::EncryptionRequest => {
                    let Some(request) = connection.next::<EncryptionRequest>()? else { return Ok(false) };
                    connection.answer(&request)?;
                    self.awaits = Awaits::LoginSuccess;
                }
                Awaits::LoginSuccess => {
                    let Some(_) = connection.next::<LoginSuccess>()? else { return Ok(false) };
                    connection.send(&LoginAcknowledged {})?;
                    connection.send_brand()?;
                    connection.send(&ClientInformation { locale: "en_us".into() })?;
                    connection.flush()?;
                    self.awaits = Awaits::Transfer;
                }
                Awaits::Transfer => return Ok(connection.next::<Transfer>()?.is_some()),
            }
        }
    }
}

/// A connection in login or later.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    inbound: Inbound,
    outbound: Outbound,
    to_send: Vec<u8>,
}

impl Connection {
    /// Connects, says who it is, and waits for the Encryption Request.
    ///
    /// # Errors
    /// When something else comes, or nothing.
    pub(crate) fn until_encryption(address: SocketAddr, name: &str) -> Result<Self> {
        let mut connection = Self::open(address, name)?;
        while connection.next::<EncryptionRequest>()?.is_none() {
            connection.read_once()?;
        }
        Ok(connection)
    }

    /// Connects and says who it is. On the loopback none of this waits: the other side's kernel answers inside the calls.
    fn open(address: SocketAddr, name: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let (inbound, outbound) = (Inbound::new(BOUND), Outbound::new());
        let mut connection = Self { stream, inbound, outbound, to_send: Vec::new() };
        connection.send(&Handshake {
            version: VERSION,
            host: HOST.into(),
            port: 25565,
            intent: Intent::Login,
        })?;
        connection.send(&LoginStart { name: name.into(), uuid: Some(Uuid::nil()), key: None })?;
        connection.flush()?;
        Ok(connection)
    }

    /// Answers an Encryption Request and turns the cipher on.
    fn answer(&mut self, request: &EncryptionRequest) -> Result<()> {
        let secret = *Uuid::new_v4().as_bytes();
        self.send(&EncryptionResponse {
            shared_secret: drawbridge_rsa::encrypt(&request.public_key, &secret)?,
            token: TokenProof::Encrypted(drawbridge_rsa::encrypt(
                &request.public_key,
                &request.verify_token,
            )?),
        })?;
        self.flush()?;
        self.outbound.encrypt(&secret);
        self.inbound.decrypt(&secret);
        Ok(())
    }

    /// Keeps a packet to be sent with the next [`Connection::flush`].
    fn send<P: Packet>(&mut self, packet: &P) -> Result<()> {
        Ok(self.outbound.write(VERSION, packet, &mut self.to_send)?)
    }

    /// What every vanilla client says first in configuration.
    fn send_brand(&mut self) -> Result<()> {
        let id = ids::id(VERSION, State::Configuration, Direction::Serverbound, Kind::CustomPayload);
        let mut body = Vec::new();
        varint::write(id.context("custom_payload has no id")?, &mut body);
        body.extend_from_slice(b"\x0fminecraft:brand\x07vanilla");
        Ok(self.outbound.write_body(&body, &mut self.to_send)?)
    }

    fn flush(&mut self) -> Result<()> {
        self.stream.write_all(&self.to_send)?;
        self.to_send.clear();
        Ok(())
    }

    /// Reads what there is.
    fn read_once(&mut self) -> Result<()> {
        let mut buffer = [0; 4096];
        let count = self.stream.read(&mut buffer).context("waiting for the edge")?;
        ensure!(count > 0, "the edge closed too early");
        self.inbound.feed(&buffer[..count]);
        Ok(())
    }

    /// The next packet, if it is there whole; it must be a `P`.
    fn next<P: Packet>(&mut self) -> Result<Option<P>> {
        let Some(packet) = self.inbound.next_packet()? else { return Ok(None) };
        packet.read(VERSION).map(Some).with_context(|| format!("instead of {}", P::KIND.name()))
    }
}
