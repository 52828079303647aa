//! Targets of sessions that say anything at all.

use super::body;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::Packet;
use drawbridge_protocol::packet::configuration::FinishConfiguration;
use drawbridge_protocol::packet::handshake::Handshake;
use drawbridge_protocol::packet::login::{LoginStart, LoginSuccess, SetCompression};
use drawbridge_protocol::profile::{Profile, offline_uuid};
use drawbridge_protocol::stream::{Inbound, Outbound};
use drawbridge_protocol::wire::Encoder;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use uuid::Uuid;

/// A target that does this with everybody who logs in, and then listens until they leave.
pub(crate) struct Liar {
    pub(crate) address: SocketAddr,
}

/// A player's connection, at the target.
pub(crate) struct Caller {
    pub(crate) stream: TcpStream,
    pub(crate) name: String,
    /// As the handshake says it.
    pub(crate) host: String,
    pub(crate) version: ProtocolVersion,
    inbound: Inbound,
    outbound: Outbound,
}

impl Liar {
    /// The edge closes as it sees fit: what the deed can't say any more isn't told.
    pub(crate) fn start(deed: impl Fn(&mut Caller) -> io::Result<()> + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let deed = deed.clone();
                thread::spawn(move || {
                    let Ok(mut caller) = Caller::greet(stream) else { return };
                    if deed(&mut caller).is_ok() {
                        while caller.next().is_ok() {}
                    }
                });
            }
        });
        Self { address }
    }
}

impl Caller {
    /// Takes handshake and Login Start.
    fn greet(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let (inbound, outbound) = (Inbound::new(1 << 21), Outbound::new());
        let mut caller = Self {
            stream,
            name: String::new(),
            host: String::new(),
            version: ProtocolVersion(0),
            inbound,
            outbound,
        };
        let Handshake { version, host, .. } = caller.hears()?;
        (caller.version, caller.host) = (version, host);
        let LoginStart { name, .. } = caller.hears()?;
        caller.name = name;
        Ok(caller)
    }

    /// The next packet: id and fields.
    pub(crate) fn next(&mut self) -> io::Result<(i32, Vec<u8>)> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(packet) = self.inbound.next_packet().map_err(io::Error::other)? {
                return Ok((packet.id, packet.fields.to_vec()));
            }
            match self.stream.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => self.inbound.feed(&buffer[..read]),
            }
        }
    }

    fn hears<P: Packet>(&mut self) -> io::Result<P> {
        let (id, fields) = self.next()?;
        let packet = drawbridge_protocol::packet::RawPacket { id, fields: &fields };
        packet.read(self.version).map_err(io::Error::other)
    }

    /// Waits for a packet of the client's.
    pub(crate) fn waits_for(&mut self, state: State, kind: Kind) -> io::Result<Vec<u8>> {
        let due = ids::id(self.version, state, Direction::Serverbound, kind);
        loop {
            let (id, fields) = self.next()?;
            if Some(id) == due {
                return Ok(fields);
            }
        }
    }

    /// Compresses packets from so many bytes on.
    pub(crate) fn compress(&mut self, threshold: usize) -> io::Result<()> {
        self.says(&SetCompression { threshold: i32::try_from(threshold).unwrap() })?;
        self.outbound.compress(threshold, 6);
        self.inbound.decompress(threshold);
        Ok(())
    }

    /// Lets the player in, into configuration where the version has it.
    pub(crate) fn welcome(&mut self) -> io::Result<()> {
        let profile =
            Profile { id: offline_uuid(&self.name), name: self.name.clone(), properties: Vec::new() };
        self.says(&LoginSuccess { profile, session_id: Uuid::nil() })?;
        if self.version.has_configuration() {
            self.waits_for(State::Login, Kind::LoginAcknowledged)?;
        }
        Ok(())
    }

    /// Lets the player in, and on into play.
    pub(crate) fn plays(&mut self) -> io::Result<()> {
        self.welcome()?;
        if self.version.has_configuration() {
            self.says(&FinishConfiguration {})?;
            self.waits_for(State::Configuration, Kind::FinishConfiguration)?;
        }
        Ok(())
    }

    /// Says a packet.
    pub(crate) fn says(&mut self, packet: &impl Packet) -> io::Result<()> {
        let mut out = Vec::new();
        self.outbound.write(self.version, packet, &mut out).map_err(io::Error::other)?;
        self.stream.write_all(&out)
    }

    /// A packet's body.
    pub(crate) fn body(&self, state: State, kind: Kind, fields: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
        body((self.version, state, Direction::Clientbound), kind, fields)
    }

    /// The frame of a body.
    pub(crate) fn frame(&mut self, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.outbound.write_body(body, &mut out).unwrap();
        out
    }

    /// Says a body over and over.
    pub(crate) fn repeats(&mut self, body: &[u8], times: usize) -> io::Result<()> {
        let frame = self.frame(body);
        (0..times).try_for_each(|_| self.stream.write_all(&frame))
    }
}
