//! The client that logs in, until it has its Transfer or, for the memory's sake, until it is asked for encryption.

use crate::connection::Connection;
use anyhow::{Context as _, Result, ensure};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::Kind;
use drawbridge_protocol::packet::configuration::{ClientInformation, Transfer};
use drawbridge_protocol::packet::login::{EncryptionRequest, LoginAcknowledged, LoginSuccess};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use std::net::SocketAddr;

/// Connections at a time.
const CONNECTIONS: usize = 8;
/// How long the clients wait for anything to happen.
const PATIENCE: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };
/// The newest version that real clients have been seen to speak.
pub(crate) const VERSION: ProtocolVersion = ProtocolVersion::V26_1;

/// What every vanilla client says first in configuration.
const BRAND: &[u8] = b"\x0fminecraft:brand\x07vanilla";

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
        let connection = Connection::open(address, name, VERSION)?;
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
                    connection.send_configuration(Kind::CustomPayload, BRAND)?;
                    connection.send(&ClientInformation { locale: "en_us".into() })?;
                    connection.flush()?;
                    self.awaits = Awaits::Transfer;
                }
                Awaits::Transfer => return Ok(connection.next::<Transfer>()?.is_some()),
            }
        }
    }
}

/// A connection that has been asked for encryption.
///
/// # Errors
/// When something else comes, or nothing.
pub(crate) fn until_encryption(address: SocketAddr, name: &str) -> Result<Connection> {
    let mut connection = Connection::open(address, name, VERSION)?;
    connection.await_packet::<EncryptionRequest>()?;
    Ok(connection)
}
