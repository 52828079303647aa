//! One end of a connection that speaks the protocol, as a client or as a target: blocking, and no faster than it has to be, since only the
//! edge between is measured.

use crate::edge::HOST;
use anyhow::{Context as _, Result, ensure};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::cipher::Encryptor;
use drawbridge_protocol::compression::MAX_UNCOMPRESSED;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::login::{EncryptionRequest, EncryptionResponse, LoginStart, TokenProof};
use drawbridge_protocol::packet::{Packet, RawPacket};
use drawbridge_protocol::stream::{Inbound, Outbound};
use drawbridge_protocol::varint;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use uuid::Uuid;

/// How long the other end may take over anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An end of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    version: ProtocolVersion,
    inbound: Inbound,
    outbound: Outbound,
    /// What is sent can be frames that were made before: so the cipher stands behind what makes them.
    cipher: Option<Encryptor>,
    to_send: Vec<u8>,
}

impl Connection {
    /// The end of a target, or of a client that has said nothing yet.
    ///
    /// # Errors
    /// When the socket can't be set up.
    pub(crate) fn of(stream: TcpStream, version: ProtocolVersion) -> Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let (inbound, outbound) = (Inbound::new(MAX_UNCOMPRESSED), Outbound::new());
        Ok(Self { stream, version, inbound, outbound, cipher: None, to_send: Vec::new() })
    }

    /// Connects and says who it is. On the loopback none of this waits: the other side's kernel answers inside the calls.
    ///
    /// # Errors
    /// When nobody listens.
    pub(crate) fn open(address: SocketAddr, name: &str, version: ProtocolVersion) -> Result<Self> {
        let mut connection = Self::of(TcpStream::connect(address)?, version)?;
        connection.send(&Handshake { version, host: HOST.into(), port: 25565, intent: Intent::Login })?;
        connection.send(&LoginStart { name: name.into(), uuid: Some(Uuid::nil()), key: None })?;
        connection.flush()?;
        Ok(connection)
    }

    /// Answers an Encryption Request and turns the cipher on.
    ///
    /// # Errors
    /// When the request is none, or the edge is gone.
    pub(crate) fn answer(&mut self, request: &EncryptionRequest) -> Result<()> {
        let secret = *Uuid::new_v4().as_bytes();
        self.send(&EncryptionResponse {
            shared_secret: drawbridge_rsa::encrypt(&request.public_key, &secret)?,
            token: TokenProof::Encrypted(drawbridge_rsa::encrypt(
                &request.public_key,
                &request.verify_token,
            )?),
        })?;
        self.flush()?;
        self.cipher = Some(Encryptor::new(&secret));
        self.inbound.decrypt(&secret);
        Ok(())
    }

    /// From here on both ends compress packets of so many bytes and more, at the level that vanilla does.
    pub(crate) fn compress(&mut self, threshold: usize) {
        self.inbound.decompress(threshold);
        self.outbound.compress(threshold, 6);
    }

    /// Keeps a packet to be sent with the next [`Connection::flush`].
    ///
    /// # Errors
    /// When the version doesn't have it.
    pub(crate) fn send<P: Packet>(&mut self, packet: &P) -> Result<()> {
        Ok(self.outbound.write(self.version, packet, &mut self.to_send)?)
    }

    /// The same for a client's packet in configuration, of these fields.
    ///
    /// # Errors
    /// When the version doesn't have it.
    pub(crate) fn send_configuration(&mut self, kind: Kind, fields: &[u8]) -> Result<()> {
        let id = ids::id(self.version, State::Configuration, Direction::Serverbound, kind);
        let mut body = Vec::new();
        varint::write(id.with_context(|| format!("{} has no id", kind.name()))?, &mut body);
        body.extend_from_slice(fields);
        Ok(self.outbound.write_body(&body, &mut self.to_send)?)
    }

    /// Sends what is kept.
    ///
    /// # Errors
    /// When the other end is gone.
    pub(crate) fn flush(&mut self) -> Result<()> {
        if let Some(cipher) = &mut self.cipher {
            cipher.encrypt(&mut self.to_send);
        }
        self.stream.write_all(&self.to_send)?;
        self.to_send.clear();
        Ok(())
    }

    /// Sends frames as they are.
    ///
    /// # Errors
    /// When the other end is gone, or takes nothing.
    pub(crate) fn send_frames(&mut self, frames: &[u8]) -> Result<()> {
        self.to_send.extend_from_slice(frames);
        self.flush()
    }

    /// Reads what there is.
    ///
    /// # Errors
    /// When the other end has closed.
    pub(crate) fn read_once(&mut self) -> Result<()> {
        let mut buffer = [0; 4096];
        let count = self.stream.read(&mut buffer).context("waiting for the other end")?;
        ensure!(count > 0, "the other end closed too early");
        self.inbound.feed(&buffer[..count]);
        Ok(())
    }

    /// The next packet, if it is there whole; it must be a `P`.
    ///
    /// # Errors
    /// When it is another.
    pub(crate) fn next<P: Packet>(&mut self) -> Result<Option<P>> {
        let version = self.version;
        let Some(packet) = self.inbound.next_packet()? else { return Ok(None) };
        packet.read(version).map(Some).with_context(|| format!("instead of {}", P::KIND.name()))
    }

    /// The same, once it has come.
    ///
    /// # Errors
    /// As [`Connection::next`], and when it doesn't come.
    pub(crate) fn await_packet<P: Packet>(&mut self) -> Result<P> {
        loop {
            if let Some(packet) = self.next()? {
                return Ok(packet);
            }
            self.read_once().with_context(|| format!("no {}", P::KIND.name()))?;
        }
    }

    /// The next packet, whatever it is, once it has come.
    ///
    /// # Errors
    /// When it doesn't come.
    pub(crate) fn await_any(&mut self) -> Result<RawPacket<'_>> {
        while !self.inbound.has_packet()? {
            self.read_once()?;
        }
        self.inbound.next_packet()?.context("a packet that was there")
    }
}
