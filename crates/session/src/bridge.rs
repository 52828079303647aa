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
mod ending;
mod event;
mod limbo;
mod limits;
mod pumps;
mod remains;
mod standing;
mod switch;
#[cfg(test)]
mod tests;
mod up;

use crate::backend::Backend;
use crate::ledger::Ledger;
use commands::Commands;
pub use commands::HalfTyped;
use drawbridge_net::relay::Traffic;
use drawbridge_net::{Dialer, PlayLimits, Socket};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::{FrameReader, FrameWriter};
use drawbridge_protocol::text::Component;
use limbo::Held;
use limits::Meter;
use standing::Standing;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use uuid::Uuid;

pub use event::{Event, Fault, Loss};
pub use limits::{Excess, Limit};

/// The most words that wait for a player to be in a world.
const MOST_WORDS: usize = 16;

/// How much a client may leave unread, in bytes, before what it asks of the edge goes unheard.
const BEHIND: usize = 1024 * 1024;

/// How often a client that no backend speaks to is asked for a sign of life, and how long it may take: vanilla's own patience is 30 s.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// How long a backend may say nothing. Servers ask for a sign of life every 15 s, and a client waits 30 s for anything at all.
const SILENCE: Duration = Duration::from_secs(25);

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
    /// When the backend said something last, or came.
    heard: Instant,
    due: Option<Instant>,
    is_handed_over: bool,
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
        let meter = Meter::new(options.limits.clone(), now);
        client.reader.set_bound(meter.longest_frame());
        Self {
            version,
            ledger: Ledger::of(version),
            standing: Standing::welcomed(version, Commands::new(options.commands), now),
            meter,
            options,
            client,
            backend,
            held: None,
            packs: Vec::new(),
            events: VecDeque::new(),
            traffic: Traffic::default(),
            worked: 0,
            client_stuck: None,
            backend_stuck: None,
            heard: now,
            due: None,
            is_handed_over: false,
        }
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
    pub fn complete(&mut self, request: &HalfTyped, matches: &[String]) {
        if self.standing.is_in_world() {
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

    /// Whether the client has been told of a world since it is with its backend, or in its limbo.
    #[must_use]
    pub const fn has_arrived(&self) -> bool {
        self.standing.has_arrived
    }
}
