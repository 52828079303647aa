//! Asking a target for its status, as a client of the server list does.
//!
//! What must stay true: whatever a target sends is bounded; how long it may take is for whoever asks.

use super::document::DocumentError;
use crate::setting::RelayHost;
use drawbridge_model::TargetAddress;
use drawbridge_net::{proxy_protocol, race};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::packet::Packet;
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::status::{
    MAX_STATUS, PingRequest, PongResponse, StatusRequest, StatusResponse,
};
use drawbridge_protocol::stream::{Inbound, Outbound};
use std::io;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The most bytes of an answer: so many characters of four bytes, and what stands before them.
const ANSWER: usize = 4 * MAX_STATUS + 16;

/// How targets are spoken to.
#[derive(Debug, Clone, Default)]
pub struct Greeting {
    /// They want a PROXY protocol header first.
    pub proxy_protocol: Option<proxy_protocol::Version>,
    /// The host that they are asked for.
    pub host: RelayHost,
}

/// What a target is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// By a client of this version.
    pub version: ProtocolVersion,
    /// The host and port that it typed.
    pub host: String,
    /// See `host`.
    pub port: u16,
    /// Whether it is pinged, too.
    pub ping: bool,
}

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status, as it came.
    pub document: String,
    /// How long it took to answer a ping, once connected.
    pub took: Option<Duration>,
}

/// Why a target has no status.
#[derive(Debug, thiserror::Error)]
pub enum NoStatus {
    /// It can't be connected to, or the connection broke.
    #[error(transparent)]
    Connection(#[from] io::Error),
    /// It said nothing in time.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// It closed without an answer.
    #[error("it closed the connection")]
    Closed,
    /// It said something else.
    #[error("its answer isn't the protocol")]
    Protocol,
    /// What it said is no status.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl NoStatus {
    /// Nobody listens there.
    pub(super) fn is_offline(&self) -> bool {
        matches!(self, Self::Connection(error) if error.kind() == io::ErrorKind::ConnectionRefused)
    }

    /// Whether players would fare no better: nobody listens there, or it hangs.
    pub(super) fn is_targets_fault(&self) -> bool {
        self.is_offline() || matches!(self, Self::Late(_))
    }
}

impl Question {
    /// Asks.
    ///
    /// # Errors
    /// When there is no answer, or another one.
    pub async fn ask(&self, target: &TargetAddress, greeting: &Greeting) -> Result<Answer, NoStatus> {
        let stream = connect(target).await?;
        stream.set_nodelay(true)?;
        let out = greeting.proxy_protocol.map(proxy_protocol::own_header).unwrap_or_default();
        let mut line = Line { version: self.version, stream, inbound: Inbound::new(ANSWER), out };
        line.say(&self.handshake(target, &greeting.host))?;
        line.say(&StatusRequest {})?;
        let StatusResponse { document } = line.hear().await?;
        if !self.ping {
            return Ok(Answer { document, took: None });
        }
        let asked = Instant::now();
        line.say(&PingRequest { payload: 0 })?;
        let PongResponse { .. } = line.hear().await?;
        Ok(Answer { document, took: Some(asked.elapsed()) })
    }

    fn handshake(&self, target: &TargetAddress, asked_for: &RelayHost) -> Handshake {
        let (host, port) = match asked_for {
            RelayHost::Keep => (self.host.clone(), self.port),
            RelayHost::Target => (target.host.clone(), target.port),
            RelayHost::Fixed(host) => (host.clone(), self.port),
        };
        Handshake { version: self.version, host, port, intent: Intent::Status }
    }
}

/// Connects to a target.
pub(crate) async fn connect(target: &TargetAddress) -> io::Result<TcpStream> {
    race::connect(&target.host, target.port).await
}

/// A connection to a target.
struct Line {
    version: ProtocolVersion,
    stream: TcpStream,
    inbound: Inbound,
    /// What is to be sent next.
    out: Vec<u8>,
}

impl Line {
    fn say(&mut self, packet: &impl Packet) -> Result<(), NoStatus> {
        // Those of the server list are the same in all versions.
        Outbound::new().write(self.version, packet, &mut self.out).map_err(|_| NoStatus::Protocol)
    }

    /// Sends what was said, and waits for the next packet.
    async fn hear<P: Packet>(&mut self) -> Result<P, NoStatus> {
        self.stream.write_all(&self.out).await?;
        self.out.clear();
        let mut buffer = [0; 8 * 1024];
        loop {
            if let Some(packet) = self.inbound.next_packet().map_err(|_| NoStatus::Protocol)? {
                return packet.read(self.version).map_err(|_| NoStatus::Protocol);
            }
            match self.stream.read(&mut buffer).await? {
                0 => return Err(NoStatus::Closed),
                read => self.inbound.feed(&buffer[..read]),
            }
        }
    }
}
