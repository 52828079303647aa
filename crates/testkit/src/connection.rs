//! A client's socket: packets in and out, or any bytes at all.

use crate::PATIENCE;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::frame::MAX_FRAME;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::status::{PingRequest, PongResponse, StatusRequest, StatusResponse};
use drawbridge_protocol::packet::{Packet, RawPacket};
use drawbridge_protocol::stream::{Inbound, Outbound, StreamError};
use drawbridge_protocol::varint;
use drawbridge_protocol::wire::{DecodeError, Encoder};
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use thiserror::Error;

/// Why a connection ended otherwise than hoped for.
#[derive(Debug, Error)]
pub enum Trouble {
    /// The other side closed it in good order.
    #[error("closed by the other side")]
    Closed,
    /// The other side reset it, so that what it sent last may be lost.
    #[error("reset by the other side")]
    Reset,
    /// Nothing came for as long as one waits.
    #[error("nothing came for {0:?}")]
    Silence(Duration),
    /// The socket failed in another way.
    #[error("socket: {0}")]
    Socket(#[from] io::Error),
    /// What came isn't the protocol.
    #[error("not the protocol: {0}")]
    Protocol(#[from] StreamError),
    /// A packet came that wasn't expected, or with other fields.
    #[error("unexpected packet: {0}")]
    Packet(#[from] DecodeError),
    /// The peer broke a rule that no field shows.
    #[error("{0}")]
    Rule(String),
}

impl Trouble {
    fn of(error: io::Error, patience: Duration) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Silence(patience),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
                Self::Reset
            }
            io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Socket(error),
        }
    }
}

/// A packet that came, with what it takes to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The version that the connection speaks.
    pub version: ProtocolVersion,
    /// The state that it was in.
    pub state: State,
    /// The id as it came.
    pub id: i32,
    /// What followed the id.
    pub fields: Vec<u8>,
    /// Whether it came encrypted.
    pub encrypted: bool,
}

impl Received {
    /// Its name in the id table, if it is known.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        ids::kind(self.version, self.state, Direction::Clientbound, self.id)
    }

    /// Reads it as a `P`.
    ///
    /// # Errors
    /// When it is another packet, or its fields are wrong.
    pub fn read<P: Packet>(&self) -> Result<P, Trouble> {
        Ok(RawPacket { id: self.id, fields: &self.fields }.read(self.version)?)
    }
}

/// A client's connection.
#[derive(Debug)]
pub struct Connection {
    socket: TcpStream,
    inbound: Inbound,
    outbound: Outbound,
    version: ProtocolVersion,
    state: State,
    patience: Duration,
    encrypted: bool,
}

impl Connection {
    /// Connects from 127.0.0.1.
    ///
    /// # Errors
    /// When the other side doesn't accept it.
    pub fn open(to: SocketAddr, version: ProtocolVersion) -> Result<Self, Trouble> {
        Self::open_from(Ipv4Addr::LOCALHOST.into(), to, version)
    }

    /// Connects from another address of this machine; all of 127.0.0.0/8 belong to it on Linux.
    ///
    /// # Errors
    /// When the other side doesn't accept it.
    pub fn open_from(from: IpAddr, to: SocketAddr, version: ProtocolVersion) -> Result<Self, Trouble> {
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
        if from.is_ipv4() == to.is_ipv4() {
            socket.bind(&SocketAddr::new(from, 0).into())?;
        }
        socket.connect_timeout(&to.into(), PATIENCE).map_err(|error| Trouble::of(error, PATIENCE))?;
        // Where nobody listens any more, a socket may be given that very port, and meet itself.
        if socket.local_addr()?.as_socket() == Some(to) {
            return Err(io::Error::from(io::ErrorKind::ConnectionRefused).into());
        }
        socket.set_tcp_nodelay(true)?;
        let connection = Self {
            socket: socket.into(),
            inbound: Inbound::new(MAX_FRAME),
            outbound: Outbound::new(),
            version,
            state: State::Handshaking,
            patience: PATIENCE,
            encrypted: false,
        };
        connection.socket.set_write_timeout(Some(PATIENCE))?;
        Ok(connection)
    }

    /// How long to wait for each next packet or close; [`PATIENCE`] at first.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The same of a connection under way.
    pub const fn within(&mut self, patience: Duration) -> &mut Self {
        self.patience = patience;
        self
    }

    /// This side's address.
    ///
    /// # Errors
    /// When the socket has none any more.
    pub fn local(&self) -> Result<SocketAddr, Trouble> {
        Ok(self.socket.local_addr()?)
    }

    /// The state that packets are sent and read in.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Goes on in another state.
    pub const fn enter(&mut self, state: State) {
        self.state = state;
    }

    /// Sends bytes as they are, past the cipher.
    ///
    /// # Errors
    /// When the other side is gone.
    pub fn raw(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.socket.write_all(bytes).map_err(|error| Trouble::of(error, PATIENCE))
    }

    /// Sends a packet.
    ///
    /// # Errors
    /// When the other side is gone, or the version has no such packet.
    pub fn send<P: Packet>(&mut self, packet: &P) -> Result<(), Trouble> {
        let mut out = Vec::new();
        self.outbound.write(self.version, packet, &mut out)?;
        self.raw(&out)
    }

    /// Sends a packet of the current state by its kind.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_kind(&mut self, kind: Kind, fields: impl FnOnce(&mut Encoder<'_>)) -> Result<(), Trouble> {
        let id = ids::id(self.version, self.state, Direction::Serverbound, kind)
            .ok_or_else(|| Trouble::Rule(format!("{} has no {} here", self.version, kind.name())))?;
        self.send_id(id, fields)
    }

    /// Sends a packet by a number, which need not be any packet's.
    ///
    /// # Errors
    /// When the other side is gone.
    pub fn send_id(&mut self, id: i32, fields: impl FnOnce(&mut Encoder<'_>)) -> Result<(), Trouble> {
        let mut plain = Vec::new();
        varint::write(id, &mut plain);
        fields(&mut Encoder::new(&mut plain));
        let bytes = self.frame(&plain)?;
        self.raw(&bytes)
    }

    /// Any body as the bytes that go over the wire, encrypted once the cipher is on: for [`Self::raw`], whole, several at once or
    /// in part. What is sent after a part is no longer understood.
    ///
    /// # Errors
    /// When it is longer than any frame may be.
    pub fn frame(&mut self, body: &[u8]) -> Result<Vec<u8>, Trouble> {
        let mut out = Vec::new();
        self.outbound.write_body(body, &mut out)?;
        Ok(out)
    }

    /// Sends a handshake and enters the state that it asks for.
    ///
    /// # Errors
    /// When the other side is gone.
    pub fn greet(&mut self, host: &str, port: u16, intent: Intent) -> Result<(), Trouble> {
        self.send(&Handshake { version: self.version, host: host.to_owned(), port, intent })?;
        self.state = if intent == Intent::Status { State::Status } else { State::Login };
        Ok(())
    }

    /// Waits for the next packet.
    ///
    /// # Errors
    /// When none comes, or what comes is no packet.
    pub fn receive(&mut self) -> Result<Received, Trouble> {
        let deadline = Instant::now() + self.patience;
        loop {
            if let Some(RawPacket { id, fields }) = self.inbound.next_packet()? {
                let fields = fields.to_vec();
                let (version, state, encrypted) = (self.version, self.state, self.encrypted);
                return Ok(Received { version, state, id, fields, encrypted });
            }
            let mut buffer = [0; 4096];
            let size = self.read(&mut buffer, deadline)?;
            if size == 0 {
                return Err(Trouble::Closed);
            }
            self.inbound.feed(&buffer[..size]);
        }
    }

    /// Waits for the other side's close, and gives what came before it, not decrypted.
    ///
    /// # Errors
    /// When it doesn't close, or resets the connection.
    pub fn rest(&mut self) -> Result<Vec<u8>, Trouble> {
        let deadline = Instant::now() + self.patience;
        let mut came = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match self.read(&mut buffer, deadline)? {
                0 => return Ok(came),
                size => came.extend_from_slice(&buffer[..size]),
            }
        }
    }

    /// Waits until the other side has closed, in good order or by a reset.
    ///
    /// # Errors
    /// When it doesn't.
    pub fn closed(&mut self) -> Result<(), Trouble> {
        match self.rest() {
            Ok(_) | Err(Trouble::Reset | Trouble::Closed) => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }

    /// Whether the other side has closed by now, in good order or by a reset. What came before is passed over.
    ///
    /// # Errors
    /// When the socket refuses.
    pub fn has_ended(&mut self) -> Result<bool, Trouble> {
        self.socket.set_nonblocking(true)?;
        let mut buffer = [0; 4096];
        let ended = loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => break true,
                Ok(_) => {}
                Err(error) => break error.kind() != io::ErrorKind::WouldBlock,
            }
        };
        self.socket.set_nonblocking(false)?;
        Ok(ended)
    }

    /// Says that nothing more will be sent.
    ///
    /// # Errors
    /// When the other side is gone.
    pub fn finish(&mut self) -> Result<(), Trouble> {
        Ok(self.socket.shutdown(Shutdown::Write)?)
    }

    /// Closes with a reset.
    ///
    /// # Errors
    /// When the socket refuses.
    pub fn reset(self) -> Result<(), Trouble> {
        Ok(socket2::SockRef::from(&self.socket).set_linger(Some(Duration::ZERO))?)
    }

    /// Encrypts what is sent from here on, and decrypts what comes.
    pub fn encrypt(&mut self, secret: &[u8; 16]) {
        self.outbound.encrypt(secret);
        self.inbound.decrypt(secret);
        self.encrypted = true;
    }

    /// Compresses what is sent from here on, and inflates what comes.
    pub fn compress(&mut self, threshold: usize) {
        self.outbound.compress(threshold, 6);
        self.inbound.decompress(threshold);
    }

    fn read(&mut self, buffer: &mut [u8], deadline: Instant) -> Result<usize, Trouble> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Trouble::Silence(self.patience));
        }
        self.socket.set_read_timeout(Some(left))?;
        self.socket.read(buffer).map_err(|error| Trouble::of(error, self.patience))
    }
}

/// Pings as a vanilla client does; gives the status document and how long all of it took.
///
/// # Errors
/// When the server doesn't answer as one does.
pub fn ping(to: SocketAddr, version: ProtocolVersion, host: &str) -> Result<(Value, Duration), Trouble> {
    let start = Instant::now();
    let mut connection = Connection::open(to, version)?;
    let document = connection.status(host)?;
    let request = PingRequest { payload: 0x0123_4567_89ab_cdef };
    connection.send(&request)?;
    let pong: PongResponse = connection.receive()?.read()?;
    if pong.payload != request.payload {
        return Err(Trouble::Rule(format!("the pong holds {:#x}", pong.payload)));
    }
    let took = start.elapsed();
    // A vanilla client closes first.
    connection.finish()?;
    connection.closed()?;
    Ok((document, took))
}

impl Connection {
    /// Greets and asks for the status document.
    ///
    /// # Errors
    /// When none comes.
    pub fn status(&mut self, host: &str) -> Result<Value, Trouble> {
        let port = self.socket.peer_addr()?.port();
        self.greet(host, port, Intent::Status)?;
        self.send(&StatusRequest {})?;
        let response: StatusResponse = self.receive()?.read()?;
        serde_json::from_str(&response.document)
            .map_err(|error| Trouble::Rule(format!("the status document: {error}")))
    }
}
