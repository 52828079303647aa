//! Greeting: the handshake, or a legacy client's first bytes.

use crate::admission::{Admitted, read_more};
use crate::ended::Ended;
use crate::shared::new_trace;
use crate::snapshot::Snapshot;
use drawbridge_model::{Client, Refusal};
use drawbridge_net::{Knock, Pass, Socket, proxy_protocol};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::legacy::{self, LegacyLogin, LegacyPing, Recognised};
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::stream::Inbound;
use drawbridge_protocol::varint;
use drawbridge_routing::{clean_host, is_forwarded};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the rest of a legacy ping may take that could be complete as it is.
const LEGACY_PAUSE: Duration = Duration::from_millis(300);

/// Stands for every version before 1.7, whose numbers were counted otherwise.
const LEGACY: ProtocolVersion = ProtocolVersion(0);

/// A client that has said which host it wants, and what for.
#[derive(Debug)]
pub(crate) struct Greeted {
    pub(crate) socket: Socket,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) arrived: Instant,
    pub(crate) inbound: Inbound,
    pub(crate) pass: Pass,
    pub(crate) client: Client,
    pub(crate) purpose: Purpose,
}

/// What a client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The server list.
    Status,
    /// A join.
    Login(Box<Opening>),
    /// The server list of a client of 1.6 or older.
    LegacyPing(LegacyPing),
}

/// How a join begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Opening {
    /// With a handshake, and the frame that it came in.
    Modern { handshake: Handshake, frame: Vec<u8> },
    /// Of 1.6 and older: under this name, in a packet that nothing has used up yet.
    Legacy { name: String },
}

impl Opening {
    /// The host as it was typed.
    pub(crate) fn host(&self) -> &str {
        match self {
            Self::Modern { handshake, .. } => &handshake.host,
            Self::Legacy { .. } => "",
        }
    }

    /// Whether the client says behind its host who the player is, as proxies do to servers that believe them.
    pub(crate) fn is_forwarded(&self) -> bool {
        matches!(self, Self::Modern { handshake, .. } if is_forwarded(&handshake.host))
    }

    /// Whether the client says that a Transfer packet brought it. Of a version without that packet, it has no cookies to be asked for either.
    pub(crate) fn is_returning(&self) -> bool {
        let Self::Modern { handshake, .. } = self else { return false };
        handshake.intent == Intent::Transfer && handshake.version.has_transfer()
    }
}

impl Purpose {
    /// Which rate counts it.
    pub(crate) fn knock(&self) -> Knock {
        match self {
            Self::Status | Self::LegacyPing(_) => Knock::Status,
            Self::Login(opening) if opening.is_returning() => Knock::Transfer,
            Self::Login(_) => Knock::Login,
        }
    }
}

/// What the first bytes turned out to be.
enum First {
    /// And how many bytes its frame has.
    Handshake(Handshake, usize),
    Ping(LegacyPing),
    Login(LegacyLogin),
}

impl Admitted {
    /// Waits until the client has said what it wants.
    pub(crate) async fn greet(mut self) -> Result<Greeted, Ended> {
        let first = self.first().await?;
        let (version, host, port, purpose) = match first {
            First::Handshake(handshake, length) => {
                let (version, port) = (handshake.version, handshake.port);
                if handshake.intent == Intent::Status {
                    (version, handshake.host, port, Purpose::Status)
                } else {
                    let (host, frame) = (handshake.host.clone(), self.inbound.used(length).to_vec());
                    (version, host, port, Purpose::Login(Box::new(Opening::Modern { handshake, frame })))
                }
            }
            First::Ping(ping) => {
                let (host, port) = match &ping {
                    LegacyPing::V1_6 { host, port, .. } => (host.clone(), *port),
                    LegacyPing::Beta | LegacyPing::V1_4 => (String::new(), 0),
                };
                (LEGACY, host, port, Purpose::LegacyPing(ping))
            }
            First::Login(LegacyLogin { name, host, .. }) => {
                (LEGACY, host.unwrap_or_default(), 0, Purpose::Login(Box::new(Opening::Legacy { name })))
            }
        };
        let client = Client {
            address: self.address,
            version,
            host: clean_host(&host).into_owned(),
            port,
            trace: new_trace(),
        };
        let Self { socket, snapshot, arrived, inbound, pass, .. } = self;
        Ok(Greeted { socket, snapshot, arrived, inbound, pass, client, purpose })
    }

    async fn first(&mut self) -> Result<First, Ended> {
        if !self.inbound.has_rest() {
            read_more(&mut self.socket, &mut self.inbound).await?;
        }
        loop {
            match legacy::recognise(self.inbound.rest()) {
                Recognised::Modern => return self.handshake().await,
                Recognised::Ping(ping) => return Ok(First::Ping(ping)),
                Recognised::Login(login) => return Ok(First::Login(login)),
                Recognised::NeedMore { complete_as: None } => {
                    read_more(&mut self.socket, &mut self.inbound).await?;
                }
                Recognised::NeedMore { complete_as: Some(ping) } => {
                    let whole = self.arrived + self.snapshot.limits.handshake_timeout;
                    self.socket.set_deadline(whole.min(self.socket.now() + LEGACY_PAUSE));
                    let more = read_more(&mut self.socket, &mut self.inbound).await;
                    self.socket.set_deadline(whole);
                    match more {
                        Ok(()) => {}
                        // Nothing more comes; whoever has only closed its own side still reads.
                        Err(Ended::Refused(Refusal::TimedOut) | Ended::Left) => return Ok(First::Ping(ping)),
                        Err(ended) => return Err(ended),
                    }
                }
                Recognised::Malformed => return Err(Ended::MALFORMED),
            }
        }
    }

    async fn handshake(&mut self) -> Result<First, Ended> {
        loop {
            if proxy_protocol::looks_like_header(self.inbound.rest()) {
                return Err(Refusal::ProxyHeader.into());
            }
            if !could_be_handshake(self.inbound.rest()) {
                return Err(Ended::MALFORMED);
            }
            let before = self.inbound.rest().len();
            match self.inbound.next_packet() {
                Ok(Some(packet)) => {
                    // The version is in the packet; the handshake itself is the same in all.
                    let handshake = packet.read(ProtocolVersion(0)).map_err(|_| Ended::MALFORMED)?;
                    return Ok(First::Handshake(handshake, before - self.inbound.rest().len()));
                }
                Ok(None) => read_more(&mut self.socket, &mut self.inbound).await?,
                Err(_) => return Err(Ended::MALFORMED),
            }
        }
    }
}

/// Whether the bytes, as far as they have come, can be a handshake: a length, then the id 0. What speaks another protocol is
/// told from it so, instead of being waited for.
fn could_be_handshake(bytes: &[u8]) -> bool {
    match varint::read(bytes) {
        Ok(Some((_, size))) => bytes.get(size).is_none_or(|&id| id == 0),
        Ok(None) => true,
        Err(_) => false,
    }
}
