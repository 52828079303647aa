//! Both ends of what is carried: a client that has joined, and the target that it is on.

use super::{Carrier, THRESHOLD};
use crate::connection::Connection;
use crate::relay::GREETING;
use crate::relay::bare::greet;
use anyhow::{Context as _, Result, ensure};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Direction, Kind};
use drawbridge_protocol::packet::configuration::FinishConfiguration;
use drawbridge_protocol::packet::handshake::Handshake;
use drawbridge_protocol::packet::login::{
    EncryptionRequest, LoginAcknowledged, LoginStart, LoginSuccess, SetCompression,
};
use drawbridge_protocol::profile::{Profile, offline_uuid};
use drawbridge_protocol::varint;
use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};
use std::thread;
use uuid::Uuid;

/// A client and its target.
pub(crate) struct Pair {
    pub(super) client: Connection,
    pub(super) target: Connection,
}

/// So many players through the edge at `edge`, which leads to `target`: by sessions, or relayed.
pub(crate) fn open(
    edge: SocketAddr,
    target: &TcpListener,
    count: usize,
    carrier: Carrier,
) -> Result<Vec<Pair>> {
    let open = |number| match carrier {
        Carrier::Relay => Pair::relayed(edge, target, carrier.version()),
        _ => Pair::in_session(edge, target, number, carrier),
    };
    (0..count).map(open).collect()
}

impl Pair {
    fn relayed(edge: SocketAddr, target: &TcpListener, version: ProtocolVersion) -> Result<Self> {
        let mut client = Connection::open(edge, "Bench", version)?;
        let target = Connection::of(target.accept()?.0, version)?;
        greet(&target.stream)?;
        let mut greeting = [0; GREETING.len()];
        client.stream.read_exact(&mut greeting).context("no greeting comes through")?;
        ensure!(greeting == *GREETING, "another greeting");
        Ok(Self { client, target })
    }

    /// In play, with nothing on the way any more.
    fn in_session(edge: SocketAddr, target: &TcpListener, number: usize, carrier: Carrier) -> Result<Self> {
        let version = carrier.version();
        let mut client = Client::begin(edge, number, version, carrier == Carrier::Encrypted)?;
        let mut target = Connection::of(target.accept()?.0, version)?;
        target.await_packet::<Handshake>()?;
        let LoginStart { name, .. } = target.await_packet()?;
        target.send(&SetCompression { threshold: THRESHOLD as i32 })?;
        target.flush()?;
        target.compress(THRESHOLD);
        let profile = Profile { id: offline_uuid(&name), name, properties: Vec::new() };
        target.send(&LoginSuccess { profile, session_id: Uuid::nil() })?;
        target.flush()?;
        client.welcomed(version)?;
        if version.has_configuration() {
            target.await_packet::<LoginAcknowledged>()?;
            target.send(&FinishConfiguration {})?;
            target.flush()?;
            client.0.await_packet::<FinishConfiguration>()?;
            client.finish()?;
            // The client's own word for the end of configuration.
            target.await_any()?;
        }
        Ok(Self { client: client.0, target })
    }

    /// Carries all of this, and gives the packets that arrive.
    pub(crate) fn carry(&mut self, to: Direction, reads: &[Vec<u8>], count: usize) -> Result<Vec<Vec<u8>>> {
        let (from, to) = match to {
            Direction::Clientbound => (&mut self.target, &mut self.client),
            Direction::Serverbound => (&mut self.client, &mut self.target),
        };
        thread::scope(|scope| {
            let sender = scope.spawn(move || reads.iter().try_for_each(|read| from.send_frames(read)));
            let mut arrived = Vec::with_capacity(count);
            while arrived.len() < count {
                let packet = to.await_any()?;
                let mut body = Vec::new();
                varint::write(packet.id, &mut body);
                body.extend_from_slice(packet.fields);
                arrived.push(body);
            }
            sender.join().expect("no panic")?;
            Ok(arrived)
        })
    }
}

/// A client that joins a session.
pub(crate) struct Client(pub(crate) Connection);

impl Client {
    /// It has said who it is, and goes on under a cipher if it is to be `encrypted`.
    pub(crate) fn begin(
        edge: SocketAddr,
        number: usize,
        version: ProtocolVersion,
        encrypted: bool,
    ) -> Result<Self> {
        let mut client = Connection::open(edge, &format!("Bench_{number}"), version)?;
        if encrypted {
            let request: EncryptionRequest = client.await_packet()?;
            client.answer(&request)?;
        }
        Ok(Self(client))
    }

    /// It hears that it is in.
    pub(crate) fn welcomed(&mut self, version: ProtocolVersion) -> Result<()> {
        let SetCompression { threshold } = self.0.await_packet()?;
        self.0.compress(usize::try_from(threshold)?);
        self.0.await_packet::<LoginSuccess>()?;
        if version.has_configuration() {
            self.0.send(&LoginAcknowledged {})?;
        }
        self.0.flush()
    }

    /// What a vanilla client says when it has been configured.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.0.send_configuration(Kind::FinishConfiguration, &[])?;
        self.0.flush()
    }
}
