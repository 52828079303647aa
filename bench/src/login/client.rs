//! The client that logs in, until it has its Transfer or, for the memory's sake, until it is asked for encryption.

use crate::edge::HOST;
use anyhow::{Context as _, Result, ensure};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::Packet;
use drawbridge_protocol::packet::configuration::{ClientInformation, Transfer};
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::login::{
    EncryptionRequest, EncryptionResponse, LoginAcknowledged, LoginStart, LoginSuccess,
};
use drawbridge_protocol::stream::{Inbound, Outbound};
use drawbridge_protocol::varint;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use uuid::Uuid;

/// Clients at a time, a thread each.
const CLIENTS: usize = 8;
/// The newest version that real clients have been seen to speak.
const VERSION: ProtocolVersion = ProtocolVersion::V26_1;
/// Longer than any packet here.
const BOUND: usize = 40_000;

/// Logs in `count` times.
///
/// # Errors
/// When one of them doesn't end in a Transfer.
pub(super) fn run(address: SocketAddr, count: usize) -> Result<()> {
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let logins = (count + client) / CLIENTS;
                scope.spawn(move || (0..logins).try_for_each(|_| join(address, &format!("Bench_{client}"))))
            })
            .collect();
        clients
            .into_iter()
            .try_for_each(|client| client.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn join(address: SocketAddr, name: &str) -> Result<()> {
    let (mut connection, request) = Connection::until_encryption(address, name)?;
    let secret = *Uuid::new_v4().as_bytes();
    connection.send(&EncryptionResponse {
        shared_secret: drawbridge_rsa::encrypt(&request.public_key, &secret)?,
        verify_token: drawbridge_rsa::encrypt(&request.public_key, &request.verify_token)?,
    })?;
    connection.flush()?;
    connection.outbound.encrypt(&secret);
    connection.inbound.decrypt(&secret);

    connection.receive::<LoginSuccess>()?;
    connection.send(&LoginAcknowledged {})?;
    connection.send_brand()?;
    connection.send(&ClientInformation { locale: "en_us".into() })?;
    connection.flush()?;
    connection.receive::<Transfer>()?;
    Ok(())
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
    pub(crate) fn until_encryption(address: SocketAddr, name: &str) -> Result<(Self, EncryptionRequest)> {
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
        connection.send(&LoginStart { name: name.into(), uuid: Uuid::nil() })?;
        connection.flush()?;
        let request = connection.receive()?;
        Ok((connection, request))
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

    /// Waits for a packet, which must be a `P`.
    fn receive<P: Packet>(&mut self) -> Result<P> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(packet) = self.inbound.next_packet()? {
                return packet.read(VERSION).with_context(|| format!("instead of {}", P::KIND.name()));
            }
            let count = self.stream.read(&mut buffer).context("waiting for the edge")?;
            ensure!(count > 0, "the edge closed where {} was expected", P::KIND.name());
            self.inbound.feed(&buffer[..count]);
        }
    }
}
