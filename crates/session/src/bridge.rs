//! A session under way: two pumps between a client and a backend, each of which may go away for itself.
//!
//! A pump reads what there is, looks at each whole frame, and has the other side written to once for all of them. Which state a connection is in
//! changes for each direction by itself, when the packet that changes it passes; what the client has been brought to and hasn't
//! acknowledged yet stands in a queue, so that an acknowledgement is always that of the oldest.
//!
//! What must stay true: nothing is read from a side while the other doesn't take what it is to get; a backend hears only what belongs to
//! the state that it is in, and only answers that it asked for.

mod commands;
mod down;
mod limbo;
mod limits;
mod remains;
mod standing;
mod switch;
#[cfg(test)]
mod tests;
mod up;

use crate::backend::Backend;
use crate::ledger::Ledger;
use crate::packets;
use commands::Commands;
pub use commands::Request;
use down::Down;
use drawbridge_net::{Dialer, PlayLimits, Socket};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::{FrameReader, FrameWriter};
use drawbridge_protocol::ids::State;
use drawbridge_protocol::packet::configuration::{StoreCookie, Transfer};
use drawbridge_protocol::packet::play::InPlay;
use drawbridge_protocol::stream::StreamError;
use drawbridge_protocol::text::Component;
use limbo::Held;
use limits::Meter;
use standing::Standing;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use thiserror::Error;
use up::Up;
use uuid::Uuid;

pub use limits::{Excess, Limit};

/// Bytes that are read at once: some fifty packets, or a chunk.
const BUFFER: usize = 64 * 1024;

/// Bytes carried in one direction after which others have their turn.
const TURN: u64 = 1024 * 1024;

/// Bytes of packets, inflated, that are dealt with in one go, after which others have their turn: a few bytes may hold megabytes.
const PIECE: usize = 512 * 1024;

/// The most bytes that wait for a side before nothing is read from the other: more than a piece of that and a packet, so that they
/// are answers.
const MOST_KEPT: usize = 4 * 1024 * 1024;

/// How long a client may take to read its last packet.
const LAST_WORD: Duration = Duration::from_secs(2);

/// The most words that wait for a player to be in a world.
const MOST_WORDS: usize = 16;

/// How much a client may leave unread, in bytes, before what it asks of the edge goes unheard.
const BEHIND: usize = 1024 * 1024;

/// How often a client that no backend speaks to is asked for a sign of life, and how long it may take: vanilla's own patience is 30 s.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers { bytes: vec![0; BUFFER].into(), scratch: Vec::new() });
}

/// What all sessions of a thread read and inflate into, one after the other.
struct Buffers {
    bytes: Box<[u8]>,
    scratch: Vec<u8>,
}

/// What a session goes by.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a side may take none of what is kept for it.
    pub stalled: Duration,
    /// The keys of the edge's own cookies, which no backend may see or change.
    pub reserved: Vec<String>,
    /// The names of the edge's own commands. Which of them the player may use says [`Session::permit`].
    pub commands: &'static [&'static str],
    /// Whether somebody has vouched for the player, by the edge.
    pub authenticated: bool,
    /// Whether the client shakes hands as Forge of 1.7 to 1.12 does.
    pub shakes_hands: bool,
    /// Whether [`Event::SentOn`] is told rather than the client, when a backend sends it elsewhere.
    pub follows_transfers: bool,
    /// What the client may send.
    pub limits: PlayLimits,
}

/// A client that has been told that it is in.
#[derive(Debug)]
pub struct Client {
    /// Its connection.
    pub socket: Socket,
    /// Where its frames come from.
    pub reader: FrameReader,
    /// Where frames for it go.
    pub writer: FrameWriter,
}

/// What has happened, and wants a decision.
#[derive(Debug)]
pub enum Event {
    /// The client has gone.
    Left,
    /// The player typed a command of the edge's, without the slash; in a limbo any command.
    Command(String),
    /// The player has half-typed one, and wants it completed.
    Completion(Request),
    /// The backend sends the client elsewhere. It is still there.
    SentOn(Transfer),
    /// The client doesn't keep to the protocol, or sends too much.
    Refused(Fault),
    /// The client doesn't read.
    ClientStalled,
    /// The client gives no sign of life.
    ClientSilent,
    /// The backend has turned the player away, with these words. It is gone.
    Kicked(Component),
    /// The backend has gone without a word, doesn't read, or has said what isn't the protocol.
    Lost(Loss),
}

/// How a backend was lost.
#[derive(Debug, Error)]
pub enum Loss {
    /// It closed the connection.
    #[error("it closed the connection")]
    Closed,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(#[from] std::io::Error),
    /// It takes nothing any more.
    #[error("it stopped reading")]
    Stalled,
    /// What it said isn't the protocol.
    #[error("it doesn't keep to the protocol: {0}")]
    Fault(#[from] Fault),
}

/// What isn't the protocol.
#[derive(Debug, Error)]
pub enum Fault {
    /// A frame, its compression, or a packet's fields.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// A packet that the version doesn't have in this state.
    #[error("an unknown packet (id {0})")]
    Unknown(i32),
    /// A packet that has no place here.
    #[error("a packet out of its place (id {0})")]
    Misplaced(i32),
    /// Of a client: more than it may send.
    #[error(transparent)]
    Excess(#[from] Excess),
}

/// How many bytes have been carried, as they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// From the client.
    pub up: u64,
    /// From backends.
    pub down: u64,
}

/// A client, and the backend that it is with.
#[derive(Debug)]
pub struct Session {
    version: ProtocolVersion,
    ledger: Ledger,
    options: Options,
    client: Client,
    /// What the client may still send.
    meter: Meter,
    standing: Standing,
    backend: Option<Backend>,
    /// The limbo that the client is in instead.
    held: Option<Held>,
    /// The resource packs that backends before have left behind.
    packs: Vec<Uuid>,
    events: VecDeque<Event>,
    traffic: Traffic,
    /// Bytes of packets that were dealt with in this turn.
    worked: usize,
    /// Since when each side has taken none of what is kept for it.
    client_stuck: Option<Instant>,
    backend_stuck: Option<Instant>,
    due: Option<Instant>,
}

impl Session {
    /// Of a client that Login Success has been written for, and that nobody has spoken to since. Without a backend it is to be held.
    #[must_use]
    pub fn new(
        version: ProtocolVersion,
        mut client: Client,
        backend: Option<Backend>,
        options: Options,
    ) -> Self {
        let now = client.socket.now();
        client.socket.clear_deadline();
        client.socket.keep_alive();
        let mut session = Self {
            version,
            ledger: Ledger::of(version),
            standing: Standing::welcomed(version, Commands::new(options.commands), now),
            meter: Meter::new(options.limits.clone(), now),
            options,
            client,
            backend: None,
            held: None,
            packs: Vec::new(),
            events: VecDeque::new(),
            traffic: Traffic::default(),
            worked: 0,
            client_stuck: None,
            backend_stuck: None,
            due: None,
        };
        session.backend = backend;
        session
    }

    /// What has been carried so far.
    #[must_use]
    pub const fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// The time when the reactor's present turn began.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.client.socket.now()
    }

    /// Opens further connections in the same task.
    #[must_use]
    pub fn dialer(&self) -> Dialer {
        self.client.socket.dialer()
    }

    /// Tells the player something in the chat, now or once they are in a world.
    pub fn say(&mut self, words: Component) {
        if self.standing.words.len() < MOST_WORDS {
            self.standing.words.push(words);
        }
        self.standing.say(self.version, &mut self.client.writer);
    }

    /// The player may use these commands of the edge's from now on, and no others. Where a backend has told the client of its commands, the
    /// change shows when it does so again.
    pub fn permit(&mut self, commands: &[&'static str]) {
        if self.standing.commands.permit(commands) {
            self.declare_in_limbo();
        }
    }

    /// Offers the player these for the word that they have begun.
    pub fn complete(&mut self, request: &Request, matches: &[String]) {
        if self.standing.joined && self.standing.hears == State::Play {
            commands::complete(self.version, request, matches, &mut self.client.writer);
        }
    }

    /// Whether the client leaves so much unread that it isn't to be answered.
    #[must_use]
    pub fn is_behind(&mut self) -> bool {
        self.client.writer.unsent().len() > BEHIND
    }

    /// Whether there is a backend.
    #[must_use]
    pub const fn has_backend(&self) -> bool {
        self.backend.is_some()
    }

    /// Carries until something happens. Polled once more after that it goes on.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        let now = self.now();
        let mut carried = 0;
        self.worked = 0;
        while self.events.is_empty() && carried < TURN && self.worked < PIECE {
            let down = self.pump_down(context);
            let up = self.pump_up(context);
            match (down, up) {
                (Poll::Pending, Poll::Pending) => break,
                (down, up) => {
                    carried += [down, up]
                        .iter()
                        .map(|bytes| if let Poll::Ready(bytes) = bytes { *bytes } else { 0 })
                        .sum::<u64>();
                }
            }
        }
        if carried >= TURN || self.worked >= PIECE {
            context.waker().wake_by_ref();
        }
        if self.events.is_empty() {
            self.tend(now);
            // What tending has written; whatever comes of that is noticed at the next turn.
            let _ = self.flush_client(context);
        }
        match self.events.pop_front() {
            Some(event) => Poll::Ready(event),
            None => Poll::Pending,
        }
    }

    /// Reads once from the backend, and hands on.
    fn pump_down(&mut self, context: &mut Context<'_>) -> Poll<u64> {
        ready!(self.flush_client(context));
        if self.backend.as_ref().is_some_and(|backend| backend.writer.len() > MOST_KEPT) {
            ready!(self.flush_backend(context));
        }
        let now = self.now();
        let Self { version, ledger, options, client, standing, backend, events, worked, .. } = self;
        let Some(backend) = backend.as_mut().filter(|backend| backend.is_open()) else {
            return Poll::Pending;
        };
        let read = BUFFERS.with_borrow_mut(|Buffers { bytes, scratch }| {
            let read = if std::mem::take(&mut backend.unread) {
                // What came along with the end of the login.
                0
            } else {
                match ready!(backend.socket.poll_receive(context, bytes)) {
                    Ok(0) => return Poll::Ready(Err(Loss::Closed)),
                    Ok(read) => read,
                    Err(error) => return Poll::Ready(Err(error.into())),
                }
            };
            let enough = *worked + PIECE;
            let mut frames = backend.reader.frames(&mut bytes[..read]);
            let mut down = Down {
                version: *version,
                ledger,
                options,
                standing,
                client: &mut client.writer,
                backend: &mut backend.writer,
                asked: &mut backend.asked,
                packs: &mut backend.packs,
                speaks: &mut backend.speaks,
                scratch,
                now,
            };
            loop {
                match frames.next_frame() {
                    Ok(Some(frame)) => {
                        *worked += frame.length();
                        match down.take(&frame) {
                            Ok(None) => {}
                            Ok(Some(event)) => {
                                events.push_back(event);
                                break;
                            }
                            Err(fault) => return Poll::Ready(Err(fault.into())),
                        }
                    }
                    Ok(None) => break,
                    Err(error) => return Poll::Ready(Err(Fault::from(error).into())),
                }
                // A backend changes its threshold in play in 1.8 alone.
                if let Some(threshold) = down.standing.new_threshold.take() {
                    frames.set_compression(threshold.is_some());
                    down.backend.set_compression(threshold);
                }
                if *worked >= enough {
                    backend.unread = true;
                    break;
                }
            }
            Poll::Ready(Ok(read as u64))
        });
        let read = match ready!(read) {
            Ok(read) => read,
            Err(loss) => {
                self.events.push_back(Event::Lost(loss));
                0
            }
        };
        self.traffic.down += read;
        if let Some(Event::Kicked(_) | Event::Lost(_)) = self.events.back()
            && let Some(lost) = self.backend.take()
        {
            self.packs.extend(lost.packs);
        }
        let _ = self.flush_client(context);
        let _ = self.flush_backend(context);
        Poll::Ready(read)
    }

    /// Reads once from the client, and hands on.
    fn pump_up(&mut self, context: &mut Context<'_>) -> Poll<u64> {
        ready!(self.flush_backend(context));
        if self.client.writer.len() > MOST_KEPT {
            ready!(self.flush_client(context));
        }
        self.meter.fill(self.client.socket.now());
        let Self { version, ledger, options, client, meter, standing, backend, held, events, worked, .. } =
            self;
        let Client { socket, reader, writer } = client;
        let read = BUFFERS.with_borrow_mut(|Buffers { bytes, scratch }| {
            let read = if std::mem::take(&mut standing.unread) {
                // What came along with the end of the login, or was too much at once.
                0
            } else {
                match ready!(socket.poll_receive(context, bytes)) {
                    Ok(0) | Err(_) => return Poll::Ready(Err(Event::Left)),
                    Ok(read) => read,
                }
            };
            if let Err(excess) = meter.take(Limit::Bytes, read as u64) {
                return Poll::Ready(Err(Event::Refused(excess.into())));
            }
            let enough = *worked + PIECE;
            let mut frames = reader.frames(&mut bytes[..read]);
            let mut up = Up {
                version: *version,
                ledger,
                options,
                standing,
                client: writer,
                backend: backend.as_mut(),
                alone: held.is_some(),
                meter,
                scratch,
            };
            loop {
                let taken = match frames.next_frame() {
                    Ok(None) => break,
                    Ok(Some(frame)) => {
                        *worked += frame.length();
                        up.take(&frame)
                    }
                    Err(error) => Err(error.into()),
                };
                match taken {
                    Ok(None) => {}
                    Ok(Some(event)) => events.push_back(event),
                    Err(fault) => return Poll::Ready(Err(Event::Refused(fault))),
                }
                if *worked >= enough {
                    up.standing.unread = true;
                    break;
                }
            }
            Poll::Ready(Ok(read as u64))
        });
        let read = match ready!(read) {
            Ok(read) => read,
            Err(event) => {
                self.events.push_back(event);
                0
            }
        };
        self.traffic.up += read;
        self.play_limbo();
        let _ = self.flush_backend(context);
        let _ = self.flush_client(context);
        Poll::Ready(read)
    }

    /// Gives the client what is kept for it; pending while some is left.
    fn flush_client(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let now = self.client.socket.now();
        let Client { socket, writer, .. } = &mut self.client;
        while !writer.is_empty() {
            match socket.poll_write_some(context, writer.unsent()) {
                Poll::Ready(Ok(written)) => {
                    writer.sent(written);
                    self.client_stuck = Some(now);
                }
                Poll::Ready(Err(_)) => {
                    self.events.push_back(Event::Left);
                    return Poll::Pending;
                }
                Poll::Pending => {
                    self.client_stuck.get_or_insert(now);
                    return Poll::Pending;
                }
            }
        }
        self.client_stuck = None;
        Poll::Ready(())
    }

    /// As [`Session::flush_client`], to the backend.
    fn flush_backend(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let now = self.client.socket.now();
        let Some(Backend { socket, writer, .. }) = &mut self.backend else { return Poll::Ready(()) };
        while !writer.is_empty() {
            match socket.poll_write_some(context, writer.unsent()) {
                Poll::Ready(Ok(written)) => {
                    writer.sent(written);
                    self.backend_stuck = Some(now);
                }
                Poll::Ready(Err(error)) => {
                    // What it has said before may still be there, such as why it turns the player away: reading goes on to its end.
                    writer.discard();
                    drop(error);
                    break;
                }
                Poll::Pending => {
                    self.backend_stuck.get_or_insert(now);
                    return Poll::Pending;
                }
            }
        }
        self.backend_stuck = None;
        Poll::Ready(())
    }

    /// Does what is due, and has the session looked at again in time.
    fn tend(&mut self, now: Instant) {
        let stalled = self.options.stalled;
        if self.client_stuck.is_some_and(|since| since + stalled <= now) {
            return self.events.push_back(Event::ClientStalled);
        }
        if self.backend_stuck.is_some_and(|since| since + stalled <= now) {
            self.packs.extend(self.backend.take().into_iter().flat_map(|lost| lost.packs));
            self.backend_stuck = None;
            return self.events.push_back(Event::Lost(Loss::Stalled));
        }
        self.standing.say(self.version, &mut self.client.writer);
        let alone = self.standing.awaits_world || !self.backend.as_ref().is_some_and(Backend::is_open);
        let silent = self.standing.tend(alone, self.version, &mut self.client.writer, now);
        if silent {
            return self.events.push_back(Event::ClientSilent);
        }
        let stuck =
            [self.client_stuck, self.backend_stuck].into_iter().flatten().map(|since| since + stalled);
        let due = stuck.chain(self.standing.due(alone)).min();
        if let Some(due) = due
            && self.due != Some(due)
        {
            self.due = Some(due);
            self.client.socket.set_deadline(due);
        }
    }

    /// Has the client go elsewhere, with these cookies: key and payload. What follows is [`Session::close`], without words.
    pub fn hand_over(&mut self, transfer: Transfer, cookies: Vec<(String, Vec<u8>)>) {
        let (version, client) = (self.version, &mut self.client.writer);
        self.standing.close_bundle(version, client);
        let in_play = self.standing.hears == State::Play;
        // Who is handed over has a version that has all of these.
        for (key, payload) in cookies {
            let cookie = StoreCookie { key, payload };
            let _ = if in_play {
                client.packet(version, &InPlay(cookie))
            } else {
                client.packet(version, &cookie)
            };
        }
        let _ = if in_play {
            client.packet(version, &InPlay(transfer))
        } else {
            client.packet(version, &transfer)
        };
    }

    /// Ends the session: the client reads `reason`, where there is one, and both connections are closed.
    pub async fn close(mut self, reason: Option<&Component>) {
        self.backend = None;
        if let Some(reason) = reason {
            self.standing.close_bundle(self.version, &mut self.client.writer);
            packets::disconnect(self.version, self.standing.hears, reason, &mut self.client.writer);
        }
        let deadline = Instant::now() + LAST_WORD;
        self.client.socket.set_deadline(deadline);
        let written =
            poll_fn(
                |context| {
                    if Instant::now() >= deadline { Poll::Ready(()) } else { self.flush_client(context) }
                },
            );
        written.await;
        self.client.socket.close().await;
    }
}
