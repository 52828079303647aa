//! A connection to the server: packets there and back, under deadlines and bounds.

use super::fault::Fault;
use super::foreign::{FIRST, Foreign};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::frame::MAX_FRAME;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::{Packet, RawPacket};
use drawbridge_protocol::stream::{Inbound, Outbound};
use drawbridge_protocol::varint;
use drawbridge_protocol::wire::{DecodeError, Decoder, Encoder};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// The most bytes that are taken from one connection: registries and tags of large modded servers stay far below.
const MOST_BYTES: usize = 64 << 20;

/// When a step must be over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    span: Duration,
}

impl Deadline {
    pub(super) fn after(span: Duration) -> Self {
        Self { at: Instant::now() + span, span }
    }

    /// A deadline for one of `count` attempts that have to share what is left of this one.
    pub(super) fn share(self, count: usize) -> Self {
        let left = self.at.saturating_duration_since(Instant::now());
        Self::after(left / u32::try_from(count.max(1)).unwrap_or(u32::MAX))
    }

    /// Waits for `what`, but no longer than this.
    pub(super) async fn bound<T>(self, what: impl Future<Output = T>) -> Result<T, Fault> {
        tokio::time::timeout_at(self.at, what).await.map_err(|_| Fault::TimedOut(self.span))
    }
}

/// A packet that came.
#[derive(Debug)]
pub(super) struct Received {
    pub id: i32,
    pub kind: Option<Kind>,
    pub fields: Vec<u8>,
    version: ProtocolVersion,
}

impl Received {
    /// Reads it as a `P`, whole.
    pub(super) fn read<P: Packet>(&self) -> Result<P, Fault> {
        let raw = RawPacket { id: self.id, fields: &self.fields };
        raw.read(self.version).map_err(|source| Fault::Packet { version: self.version, source })
    }

    /// Reads its fields, whole, by `read`.
    pub(super) fn read_with<T>(
        &self,
        read: impl FnOnce(&mut Decoder<'_>) -> Result<T, DecodeError>,
    ) -> Result<T, Fault> {
        let mut fields = Decoder::new(&self.fields);
        let result = read(&mut fields).and_then(|value| fields.finish().map(|()| value));
        result.map_err(|source| Fault::Packet { version: self.version, source })
    }

    /// That this packet has no place where `expected` should be.
    pub(super) fn unexpected(&self, expected: &'static str) -> Fault {
        Fault::Unexpected { name: self.kind.map_or("of no known kind", Kind::name), id: self.id, expected }
    }
}

/// A connection to the server, in one version and state.
pub(super) struct Peer {
    stream: TcpStream,
    inbound: Inbound,
    outbound: Outbound,
    version: ProtocolVersion,
    state: State,
    /// What is to be sent with the next [`Peer::flush`].
    pending: Vec<u8>,
    /// The first bytes that came, to recognise other protocols by.
    first: Vec<u8>,
    received: usize,
    /// Room for one read.
    chunk: Vec<u8>,
}

impl Peer {
    /// Opens a connection on which `version` will be spoken.
    pub(super) async fn connect(
        address: SocketAddr,
        version: ProtocolVersion,
        deadline: Deadline,
    ) -> Result<Self, Fault> {
        let stream = deadline.bound(TcpStream::connect(address)).await?.map_err(Fault::Io)?;
        stream.set_nodelay(true).map_err(Fault::Io)?;
        Ok(Self {
            stream,
            inbound: Inbound::new(MAX_FRAME),
            outbound: Outbound::new(),
            version,
            state: State::Handshaking,
            pending: Vec::new(),
            first: Vec::new(),
            received: 0,
            chunk: vec![0; 16 << 10],
        })
    }

    pub(super) const fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// From here on packets are those of `state`, in both directions.
    pub(super) const fn enter(&mut self, state: State) {
        self.state = state;
    }

    /// From here on everything is encrypted, in both directions.
    pub(super) fn encrypt(&mut self, secret: &[u8; 16]) {
        self.inbound.decrypt(secret);
        self.outbound.encrypt(secret);
    }

    /// From here on packets of at least `threshold` bytes are compressed, in both directions.
    pub(super) fn compress(&mut self, threshold: usize) {
        self.inbound.decompress(threshold);
        self.outbound.compress(threshold, 6);
    }

    /// Sends `packet` with the next [`Peer::flush`]. A packet that the version doesn't have isn't sent.
    pub(super) fn say<P: Packet>(&mut self, packet: &P) {
        let version = self.version;
        self.say_fields(P::KIND, |out| packet.encode(version, out));
    }

    /// As [`Peer::say`], for a packet without a type of its own.
    pub(super) fn say_fields(&mut self, kind: Kind, encode: impl FnOnce(&mut Encoder<'_>)) {
        let Some(id) = ids::id(self.version, self.state, Direction::Serverbound, kind) else { return };
        let mut plain = Vec::new();
        varint::write(id, &mut plain);
        encode(&mut Encoder::new(&mut plain));
        // Nothing that is said here comes near the longest packet: names, cookie keys of one frame, RSA blocks.
        self.outbound.write_body(&plain, &mut self.pending).expect("a packet far below the longest");
    }

    /// Answers a cookie request, in login and configuration alike: there is none.
    pub(super) fn say_no_cookie(&mut self, key: &str) {
        self.say_fields(Kind::CookieResponse, |out| {
            out.string(key);
            out.bool(false);
        });
    }

    /// Sends what was said. A connection that the server has closed is no fault yet: a reason may wait to be read.
    pub(super) async fn flush(&mut self, deadline: Deadline) -> Result<(), Fault> {
        let bytes = std::mem::take(&mut self.pending);
        match deadline.bound(self.stream.write_all(&bytes)).await? {
            Err(error) if !is_close(&error) => Err(Fault::Io(error)),
            _ => Ok(()),
        }
    }

    /// The next packet.
    pub(super) async fn hear(&mut self, deadline: Deadline) -> Result<Received, Fault> {
        let heard = self.hear_any(deadline).await;
        heard.map_err(|fault| self.recognise(fault))
    }

    async fn hear_any(&mut self, deadline: Deadline) -> Result<Received, Fault> {
        loop {
            if let Some(packet) = self.inbound.next_packet()? {
                let kind = packet.kind(self.version, self.state, Direction::Clientbound);
                return Ok(Received {
                    id: packet.id,
                    kind,
                    fields: packet.fields.into(),
                    version: self.version,
                });
            }
            let count = match deadline.bound(self.stream.read(&mut self.chunk)).await? {
                Ok(count) => count,
                Err(error) if is_close(&error) => 0,
                Err(error) => return Err(Fault::Io(error)),
            };
            if count == 0 {
                return Err(if self.received == 0 { Fault::Silent } else { Fault::Closed });
            }
            self.received += count;
            if self.received > MOST_BYTES {
                return Err(Fault::TooMuch(MOST_BYTES));
            }
            let kept = count.min(FIRST - self.first.len());
            self.first.extend_from_slice(&self.chunk[..kept]);
            self.inbound.feed(&self.chunk[..count]);
        }
    }

    /// What `fault` really is when the first bytes were another protocol's.
    pub(super) fn recognise(&self, fault: Fault) -> Fault {
        let senseless = matches!(
            fault,
            Fault::TimedOut(_)
                | Fault::Closed
                | Fault::Stream(_)
                | Fault::Packet { .. }
                | Fault::Unexpected { .. }
        );
        match Foreign::recognise(&self.first) {
            Some(foreign) if senseless => Fault::Foreign(foreign),
            _ => fault,
        }
    }
}

fn is_close(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset)
}
