//! A socket on a runtime that says bytes and hears packets: a stranger's, a player's, or a server's.

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::frame::MAX_FRAME;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::login::LoginStart;
use drawbridge_protocol::packet::{Packet, RawPacket};
use drawbridge_protocol::stream::{Inbound, Outbound, StreamError};
use drawbridge_protocol::varint;
use drawbridge_protocol::wire::{DecodeError, Encoder};
use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use uuid::Uuid;

/// What all of them speak: the newest version that real clients have been seen to speak.
pub(crate) const VERSION: ProtocolVersion = ProtocolVersion::V26_1;

/// Why somebody doesn't get what they came for.
#[derive(Debug)]
pub(crate) enum Miss {
    /// The other side closed instead.
    Closed,
    /// Nothing came of it: no connection, or what came isn't what it should be.
    Failed(String),
}

impl From<io::Error> for Miss {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
                Self::Closed
            }
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<StreamError> for Miss {
    fn from(error: StreamError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<DecodeError> for Miss {
    fn from(error: DecodeError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    inbound: Inbound,
    outbound: Outbound,
}

impl Wire {
    pub(crate) fn of(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, inbound: Inbound::new(MAX_FRAME), outbound: Outbound::new() })
    }

    /// Connects from an address of this machine.
    pub(crate) async fn open(from: IpAddr, to: SocketAddr) -> Result<Self, Miss> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        Ok(Self::of(socket.connect(to).await?)?)
    }

    /// Says bytes as they are, past the cipher.
    pub(crate) async fn raw(&mut self, bytes: &[u8]) -> Result<(), Miss> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// Says a packet.
    pub(crate) async fn say<P: Packet>(&mut self, packet: &P) -> Result<(), Miss> {
        let mut bytes = Vec::new();
        self.outbound.write(VERSION, packet, &mut bytes)?;
        self.raw(&bytes).await
    }

    /// Says a packet's body: its id and its fields.
    pub(crate) async fn say_body(&mut self, body: &[u8]) -> Result<(), Miss> {
        let mut bytes = Vec::new();
        self.outbound.write_body(body, &mut bytes)?;
        self.raw(&bytes).await
    }

    /// Says a client's packet by its kind.
    pub(crate) async fn say_kind(
        &mut self,
        state: State,
        kind: Kind,
        fields: impl FnOnce(&mut Encoder<'_>),
    ) -> Result<(), Miss> {
        let id = ids::id(VERSION, state, Direction::Serverbound, kind)
            .ok_or(StreamError::Absent { version: VERSION, kind })?;
        let mut body = Vec::new();
        varint::write(id, &mut body);
        fields(&mut Encoder::new(&mut body));
        self.say_body(&body).await
    }

    /// Encrypts what is said from here on, and decrypts what comes.
    pub(crate) fn encrypt(&mut self, secret: &[u8; 16]) {
        self.outbound.encrypt(secret);
        self.inbound.decrypt(secret);
    }

    /// The next packet, looked at by `look`.
    pub(crate) async fn hear<T>(&mut self, look: impl FnOnce(&RawPacket<'_>) -> T) -> Result<T, Miss> {
        while !self.inbound.has_packet()? {
            self.fill().await?;
        }
        let packet = self.inbound.next_packet()?.ok_or(Miss::Closed)?;
        Ok(look(&packet))
    }

    /// The next packet, which must be a `P`.
    pub(crate) async fn hear_packet<P: Packet>(&mut self) -> Result<P, Miss> {
        Ok(self.hear(|packet| packet.read(VERSION)).await??)
    }

    /// Passes over all that comes in front of a `P`.
    pub(crate) async fn pass_until<P: Packet>(&mut self) -> Result<P, Miss> {
        loop {
            let read = self.hear(|packet| (P::id(VERSION) == Some(packet.id)).then(|| packet.read(VERSION)));
            if let Some(packet) = read.await? {
                return Ok(packet?);
            }
        }
    }

    /// Waits until bytes have come, and keeps them. Whoever stops waiting has lost nothing.
    pub(crate) async fn fill(&mut self) -> Result<(), Miss> {
        let mut buffer = [0; 4096];
        loop {
            self.stream.readable().await?;
            match self.stream.try_read(&mut buffer) {
                Ok(0) => return Err(Miss::Closed),
                Ok(read) => {
                    self.inbound.feed(&buffer[..read]);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The next packet that has come whole, looked at by `look`.
    pub(crate) fn next<T>(&mut self, look: impl FnOnce(&RawPacket<'_>) -> T) -> Result<Option<T>, Miss> {
        Ok(self.inbound.next_packet()?.map(|packet| look(&packet)))
    }

    /// Takes so many bytes as they are.
    pub(crate) async fn exactly(&mut self, bytes: &mut [u8]) -> Result<(), Miss> {
        self.stream.read_exact(bytes).await?;
        Ok(())
    }

    /// Waits until the other side has closed, whatever it says before.
    pub(crate) async fn closed(&mut self) -> Result<(), Miss> {
        let mut buffer = [0; 1024];
        loop {
            match self.stream.read(&mut buffer).await.map_err(Miss::from) {
                Ok(0) | Err(Miss::Closed) => return Ok(()),
                Ok(_) => {}
                Err(miss) => return Err(miss),
            }
        }
    }
}

/// A packet as it goes over the wire in plain sight.
pub(crate) fn plain<P: Packet>(packet: &P) -> Vec<u8> {
    let mut bytes = Vec::new();
    // All packets here are of the one version.
    Outbound::new().write(VERSION, packet, &mut bytes).expect("the version has it");
    bytes
}

/// What somebody says first.
pub(crate) fn greeting(host: &str, intent: Intent) -> Vec<u8> {
    plain(&Handshake { version: VERSION, host: host.to_owned(), port: 25565, intent })
}

/// What a player says first.
pub(crate) fn joining(host: &str, name: &str) -> Vec<u8> {
    let start = LoginStart { name: name.to_owned(), uuid: Some(Uuid::nil()), key: None };
    [greeting(host, Intent::Login), plain(&start)].concat()
}
