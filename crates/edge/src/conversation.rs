//! A client on its way through login and configuration: its socket, both directions of the protocol, and the deadline that
//! every wait is under.
//!
//! What must stay true: dropping any of the futures here in the middle loses nothing: what was read stays in `inbound`, what
//! wasn't written yet in `out`, so that a last word can still be said.

use crate::admission::read_more;
use crate::ended::Ended;
use crate::greeting::Opening;
use drawbridge_model::Refusal;
use drawbridge_net::{Dialer, Socket};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::{FrameReader, FrameWriter};
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::legacy;
use drawbridge_protocol::packet::configuration::Disconnect;
use drawbridge_protocol::packet::login::{AnyLoginStart, LoginDisconnect};
use drawbridge_protocol::packet::{Packet, RawPacket};
use drawbridge_protocol::stream::{Inbound, Outbound};
use drawbridge_protocol::text::{Component, TextFormat};
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

/// How long a client may take to take its last packet.
const LAST_WORD: Duration = Duration::from_secs(2);

/// The longest packet of a client that is identified, in bytes: a plugin message as long as vanilla takes it, and its channel.
const IDENTIFIED: usize = 36 * 1024;

/// A client that has greeted and wants to join.
#[derive(Debug)]
pub(crate) struct Conversation {
    socket: Socket,
    version: ProtocolVersion,
    /// It speaks the protocol of 1.6 and older, of which nothing is read any more and only a kick is written.
    legacy: bool,
    inbound: Inbound,
    outbound: Outbound,
    out: Vec<u8>,
    written: usize,
    state: State,
    deadline: Instant,
    told: bool,
}

/// How much is kept of what a client says before anybody is there to hear it, in bytes. Vanilla clients say nothing.
const KEPT: usize = 8 * 1024;

/// What follows upon bytes that are sent.
#[derive(Debug, Clone, Copy)]
enum Next {
    More,
    Close,
}

impl Conversation {
    /// Goes on where the greeting ended: with `inbound` holding what came behind it. Nothing is waited for before
    /// [`Conversation::until`] says how long.
    pub(crate) fn new(socket: Socket, opening: &Opening, version: ProtocolVersion, inbound: Inbound) -> Self {
        Self {
            deadline: socket.now(),
            socket,
            version,
            legacy: matches!(opening, Opening::Legacy { .. }),
            inbound,
            outbound: Outbound::new(),
            out: Vec::new(),
            written: 0,
            state: State::Login,
            told: false,
        }
    }

    /// With every wait under this deadline.
    pub(crate) fn until(self, deadline: Instant) -> Self {
        Self { deadline, ..self }
    }

    /// Puts every wait from here on under another deadline.
    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    pub(crate) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Login Success was sent: what is told from here on is told in configuration.
    pub(crate) fn enter_configuration(&mut self) {
        self.state = State::Configuration;
        self.inbound.raise_bound(IDENTIFIED);
    }

    /// The cipher is on from here, in both directions.
    pub(crate) fn encrypt(&mut self, shared_secret: &[u8; 16]) {
        self.inbound.decrypt(shared_secret);
        self.outbound.encrypt(shared_secret);
    }

    /// Puts a packet in line; [`Conversation::flush`] sends it.
    ///
    /// # Errors
    /// When the client's version doesn't have it: a fault of the edge, which let such a client come so far.
    pub(crate) fn send<P: Packet>(&mut self, packet: &P) -> Result<(), Ended> {
        let written = self.outbound.write(self.version, packet, &mut self.out);
        written.map_err(|_| Ended::Refused(Refusal::Internal))
    }

    /// Sends what is in line.
    ///
    /// # Errors
    /// When the client is gone, or reads too slowly.
    pub(crate) async fn flush(&mut self) -> Result<(), Ended> {
        self.flush_before(Next::More).await
    }

    /// Sends what is in line, upon which nothing follows but [`Conversation::close`].
    ///
    /// # Errors
    /// As [`Conversation::flush`].
    pub(crate) async fn flush_last(&mut self) -> Result<(), Ended> {
        self.flush_before(Next::Close).await
    }

    async fn flush_before(&mut self, next: Next) -> Result<(), Ended> {
        self.socket.set_deadline(self.deadline);
        while self.written < self.out.len() {
            let rest = &self.out[self.written..];
            let written = match next {
                Next::More => self.socket.write(rest).await,
                Next::Close => self.socket.write_last(rest).await,
            };
            self.written += written?;
        }
        self.out = Vec::new();
        self.written = 0;
        Ok(())
    }

    /// Waits until a whole packet is there and hands it to `read`.
    ///
    /// # Errors
    /// When the client leaves, is too slow, or sends what isn't the protocol; and those of `read`.
    pub(crate) async fn next<T>(
        &mut self,
        read: impl FnOnce(Incoming<'_>) -> Result<T, Ended>,
    ) -> Result<T, Ended> {
        self.packet_ready(self.deadline).await?;
        self.take(read)
    }

    /// As [`Conversation::next`]; `None` when `due` comes first.
    ///
    /// # Errors
    /// As [`Conversation::next`].
    pub(crate) async fn next_before<T>(
        &mut self,
        due: Instant,
        read: impl FnOnce(Incoming<'_>) -> Result<T, Ended>,
    ) -> Result<Option<T>, Ended> {
        match self.packet_ready(self.deadline.min(due)).await {
            Ok(()) => self.take(read).map(Some),
            Err(Ended::Refused(Refusal::TimedOut)) if Instant::now() < self.deadline => Ok(None),
            Err(ended) => Err(ended),
        }
    }

    fn take<T>(&mut self, read: impl FnOnce(Incoming<'_>) -> Result<T, Ended>) -> Result<T, Ended> {
        let (version, state) = (self.version, self.state);
        match self.inbound.next_packet() {
            Ok(Some(packet)) => read(Incoming { packet, version, state }),
            // Both callers have just seen that there is one.
            Ok(None) => Err(Ended::Refused(Refusal::Internal)),
            Err(_) => Err(Ended::MALFORMED),
        }
    }

    /// The next packet, which has to be a `P`.
    ///
    /// # Errors
    /// As [`Conversation::next`]; and when it is another.
    pub(crate) async fn expect<P: Packet>(&mut self) -> Result<P, Ended> {
        self.next(|incoming| incoming.read()).await
    }

    /// Waits for something else while the client has to be silent. The client's leaving cancels it.
    ///
    /// The caller has the work pinned, so that it is in the task once: what an `async fn` is given and moves on is there twice.
    ///
    /// # Errors
    /// When the client leaves or says something, or at the deadline.
    pub(crate) async fn meanwhile<T>(&mut self, work: Pin<&mut impl Future<Output = T>>) -> Result<T, Ended> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            said = self.packet_ready(self.deadline) => Err(said.err().unwrap_or(Ended::MALFORMED)),
        }
    }

    /// Waits for something else, and keeps what the client says meanwhile. The client's leaving cancels it. Pinned as for
    /// [`Conversation::meanwhile`].
    ///
    /// # Errors
    /// When the client leaves, or at the deadline.
    pub(crate) async fn keeping<T>(
        &mut self,
        mut work: Pin<&mut impl Future<Output = T>>,
    ) -> Result<T, Ended> {
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                heard = self.hear() => heard?,
            }
        }
    }

    async fn hear(&mut self) -> Result<(), Ended> {
        if self.inbound.rest().len() >= KEPT {
            // Reading on is the only way to notice that it leaves.
            return Err(Ended::MALFORMED);
        }
        self.socket.set_deadline(self.deadline);
        read_more(&mut self.socket, &mut self.inbound).await
    }

    /// Opens further connections in the same task.
    pub(crate) fn dialer(&self) -> Dialer {
        self.socket.dialer()
    }

    /// The address that the client is connected to.
    ///
    /// # Errors
    /// When the connection is gone.
    pub(crate) fn local(&self) -> Result<SocketAddr, Ended> {
        Ok(self.socket.local()?)
    }

    /// Login Start of any version, and the frame that it came in.
    ///
    /// # Errors
    /// As [`Conversation::next`]; and when it is another packet.
    pub(crate) async fn login_start(&mut self) -> Result<(AnyLoginStart, Vec<u8>), Ended> {
        self.packet_ready(self.deadline).await?;
        let (before, version) = (self.inbound.rest().len(), self.version);
        let read = |incoming: Incoming<'_>| AnyLoginStart::read(&incoming.packet, version);
        let start = self.take(|incoming| read(incoming).map_err(|_| Ended::MALFORMED))?;
        let frame = self.inbound.used(before - self.inbound.rest().len());
        Ok((start, frame.to_vec()))
    }

    /// All that the client has said and nothing has used up.
    pub(crate) fn take_rest(&mut self) -> Vec<u8> {
        let rest = self.inbound.rest().to_vec();
        self.inbound.skip(rest.len());
        rest
    }

    /// The socket, and what was kept of what the client said; nothing more is read or written here.
    pub(crate) fn into_relay(mut self) -> (Socket, Vec<u8>) {
        let rest = self.take_rest();
        (self.socket, rest)
    }

    /// Allows longer packets from here on, up to `bound` bytes.
    pub(crate) fn raise_bound(&mut self, bound: usize) {
        self.inbound.raise_bound(bound);
    }

    /// The socket, and where frames come from and go to, those of the client of at most `bound` bytes; nothing more is read or written
    /// here.
    pub(crate) fn into_session(self, bound: usize) -> (Socket, FrameReader, FrameWriter) {
        (self.socket, self.inbound.into_reader(bound), self.outbound.into_writer())
    }

    async fn packet_ready(&mut self, deadline: Instant) -> Result<(), Ended> {
        self.socket.set_deadline(deadline);
        while !self.inbound.has_packet().map_err(|_| Ended::MALFORMED)? {
            self.inbound.shrink();
            let inbound = &mut self.inbound;
            if self.socket.read_with::<4096>(|bytes| inbound.feed(bytes)).await? == 0 {
                return Err(Ended::Left);
            }
        }
        Ok(())
    }

    /// Puts a refusal's text in line, once, in the state's own packet.
    pub(crate) fn tell(&mut self, reason: Component) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        if self.legacy {
            self.out.extend(legacy::kick(&reason.to_legacy()));
            return;
        }
        // Where the version has no such packet there is nobody who could read it.
        let _ = match self.state {
            State::Configuration => self.send(&Disconnect { reason }),
            _ => {
                let mut json = String::new();
                reason.to_json(TextFormat::of(self.version), &mut json);
                self.send(&LoginDisconnect { reason: json })
            }
        };
    }

    /// Sends what is in line and closes so that the client surely reads it.
    pub(crate) async fn close(mut self) {
        self.set_deadline(Instant::now() + LAST_WORD);
        if self.flush_last().await.is_ok() {
            self.socket.close().await;
        }
    }
}

/// A packet that has come.
#[derive(Debug)]
pub(crate) struct Incoming<'a> {
    packet: RawPacket<'a>,
    version: ProtocolVersion,
    state: State,
}

impl Incoming<'_> {
    /// Which it is.
    pub(crate) fn kind(&self) -> Option<Kind> {
        self.packet.kind(self.version, self.state, Direction::Serverbound)
    }

    /// Reads it as a `P`.
    pub(crate) fn read<P: Packet>(&self) -> Result<P, Ended> {
        self.packet.read(self.version).map_err(|_| Ended::MALFORMED)
    }
}
