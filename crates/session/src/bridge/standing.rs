//! How a client stands: the states that its connection is in, what it has been brought to, and what it has said that every new backend
//! has to hear.

use super::commands::Commands;
use super::remains::Remains;
use super::{KEEP_ALIVE, SIGN_OF_LIFE};
use crate::packets;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::FrameWriter;
use drawbridge_protocol::ids::State;
use drawbridge_protocol::packet::play::{self, BundleDelimiter, Surface};
use drawbridge_protocol::text::Component;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a client may take to acknowledge that it was brought to another state: some do so only when their window is looked at.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(60);

/// Something that the client has been brought to and will acknowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Transition {
    pub(super) to: Passage,
    /// Whether the backend that it is with waits for the acknowledgement.
    pub(super) awaited: bool,
}

/// A change of state that the client acknowledges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// Login Success: from the login into configuration.
    Welcome,
    /// Finish Configuration: into play.
    Finish,
    /// Start Configuration: out of play.
    Start,
}

/// Where the client stands: its states, and what it has yet to acknowledge.
#[derive(Debug)]
pub(crate) struct Standing {
    /// The state that packets to the client belong to.
    pub(super) hears: State,
    /// The state that its packets belong to.
    pub(super) speaks: State,
    /// In the order in which they were sent.
    pub(super) transitions: VecDeque<Transition>,
    /// The fields of its latest Client Information, and of the packet with its brand.
    pub(super) settings: Option<Vec<u8>>,
    pub(super) brand: Option<Vec<u8>>,
    /// A bundle has been opened and not closed.
    pub(super) bundle: bool,
    /// Some of what it said may have been read already.
    pub(super) unread: bool,
    /// The backend goes over to this threshold.
    pub(super) new_threshold: Option<Option<usize>>,
    /// The edge's own keep-alives: the last, while it isn't answered, when it was sent, and when the next is due.
    asked: Option<(i64, Instant)>,
    next: Instant,
    /// Since when it answers none of them, however many there were.
    silent: Option<Instant>,
    /// Since when an acknowledgement is waited for.
    unacknowledged: Option<Instant>,
    /// Whether the client has been in any world.
    pub(super) has_been_somewhere: bool,
    /// Whether the client is in a world.
    pub(super) joined: bool,
    /// Whether the client has been told of a world since it is where it is.
    pub(super) has_arrived: bool,
    /// What it is told once it is in one.
    pub(super) words: Vec<Component>,
    /// The edge's own commands, as the client has them.
    pub(super) commands: Commands,
    /// What the backend has left on a client that no configuration clears.
    pub(super) remains: Remains,
    /// Until this one of the edge's keep-alives is answered, what the client says belongs to the backend before.
    pub(super) fence: Option<i64>,
    /// The client is through with Forge's handshake, and has to be told to begin again.
    pub(super) shaken: bool,
    /// The backend shakes hands with the client, which is in the world of the backend before the while.
    pub(super) awaits_world: bool,
}

impl Standing {
    /// Login Success has been written.
    pub(super) fn welcomed(version: ProtocolVersion, commands: Commands, now: Instant) -> Self {
        let (hears, speaks, transitions) = if version.has_configuration() {
            let welcome = Transition { to: Passage::Welcome, awaited: false };
            (State::Configuration, State::Login, VecDeque::from([welcome]))
        } else {
            (State::Play, State::Play, VecDeque::new())
        };
        Self {
            hears,
            speaks,
            transitions,
            settings: None,
            brand: None,
            bundle: false,
            unread: true,
            new_threshold: None,
            asked: None,
            next: now + KEEP_ALIVE,
            silent: None,
            unacknowledged: None,
            has_been_somewhere: false,
            joined: false,
            has_arrived: false,
            words: Vec::new(),
            commands,
            remains: Remains::default(),
            fence: None,
            shaken: false,
            awaits_world: false,
        }
    }

    /// The client has been brought to something.
    pub(super) fn brought_to(&mut self, to: Passage, awaited: bool) {
        self.transitions.push_back(Transition { to, awaited });
        self.hears = if to == Passage::Finish { State::Play } else { State::Configuration };
        self.joined = false;
    }

    /// The client acknowledges this. `None`: it wasn't asked to.
    pub(super) fn acknowledged(&mut self, what: Passage) -> Option<Transition> {
        let oldest = self.transitions.pop_front().filter(|oldest| oldest.to == what)?;
        self.unacknowledged = None;
        self.speaks = if what == Passage::Finish { State::Play } else { State::Configuration };
        Some(oldest)
    }

    /// Whether the client is in a world, which is where it can be told something.
    pub(super) fn is_in_world(&self) -> bool {
        self.joined && self.hears == State::Play
    }

    /// Whether the client has acknowledged all.
    pub(super) fn is_settled(&self) -> bool {
        self.transitions.is_empty()
    }

    /// Closes a bundle that is open: nothing that ends what it belongs to may stand inside.
    pub(super) fn close_bundle(&mut self, version: ProtocolVersion, client: &mut FrameWriter) {
        if std::mem::take(&mut self.bundle) {
            // Who opened one has it.
            let _ = client.packet(version, &BundleDelimiter {});
        }
    }

    /// The client has been told of a world, in which this is its own entity.
    pub(super) fn enter_world(&mut self, entity: i32) {
        self.has_been_somewhere = true;
        self.joined = true;
        self.has_arrived = true;
        self.remains.entity = entity;
    }

    /// The edge has put a boss bar up.
    pub(super) fn note_bar(&mut self, version: ProtocolVersion, bar: Uuid) {
        if !version.has_configuration() {
            self.remains.note_bar(bar);
        }
    }

    /// Tells the client what it is to be told, if it is in a world.
    pub(super) fn say(&mut self, version: ProtocolVersion, client: &mut FrameWriter) {
        // Inside a bundle it would be shown all the same, with what it holds.
        if self.is_in_world() {
            for words in self.words.drain(..) {
                packets::say(client, |out| play::message(version, &words, Surface::Chat, out));
            }
        }
    }

    /// Asks a client that is alone for a sign of life when that is due; true: it has given none for too long, or doesn't acknowledge
    /// what it was brought to.
    pub(super) fn tend(
        &mut self,
        alone: bool,
        version: ProtocolVersion,
        client: &mut FrameWriter,
        now: Instant,
    ) -> bool {
        if self.is_settled() {
            self.unacknowledged = None;
        } else if *self.unacknowledged.get_or_insert(now) + ACKNOWLEDGEMENT <= now {
            return true;
        }
        // Where nothing is acknowledged, who is brought from backend to backend would be waited for by each anew.
        if self.follows_by().is_some_and(|due| due <= now) {
            return true;
        }
        if !alone {
            self.next = now + KEEP_ALIVE;
            return false;
        }
        if let Some((_, asked)) = self.asked {
            return asked + SIGN_OF_LIFE <= now;
        }
        if self.next <= now {
            self.ask(version, client, now);
        }
        false
    }

    /// When the next thing is due.
    pub(super) fn due(&self, alone: bool) -> Option<Instant> {
        let sign_of_life = alone.then(|| self.asked.map_or(self.next, |(_, asked)| asked + SIGN_OF_LIFE));
        let acknowledgement = self.unacknowledged.map(|since| since + ACKNOWLEDGEMENT);
        sign_of_life.into_iter().chain(acknowledgement).chain(self.follows_by()).min()
    }

    /// By when a client has to say that it is where it was brought to, if that isn't acknowledged otherwise.
    fn follows_by(&self) -> Option<Instant> {
        self.silent.filter(|_| self.fence.is_some()).map(|since| since + SIGN_OF_LIFE)
    }

    /// Sends a keep-alive of the edge's own.
    pub(super) fn ask(&mut self, version: ProtocolVersion, client: &mut FrameWriter, now: Instant) -> i64 {
        self.next = now + KEEP_ALIVE;
        // Positive in every version's form, and none that a backend is likely to choose.
        let id = i64::from(rand::random::<u32>() >> 1) | 0x4000_0000;
        packets::keep_alive(version, self.hears, id, client);
        self.asked = Some((id, now));
        self.silent.get_or_insert(now);
        id
    }

    /// Whether the client answers a keep-alive of the edge's own.
    pub(super) fn answered(&mut self, id: i64) -> bool {
        // Whichever it answers, it lives.
        self.silent = None;
        let ours = self.asked.is_some_and(|(asked, _)| asked == id);
        if ours {
            self.asked = None;
        }
        if self.fence == Some(id) {
            self.fence = None;
        }
        ours
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Up to 763, where each backend that the client is brought to asks anew.
    #[test]
    fn who_follows_nowhere_is_silent_wherever_it_is_brought() {
        let (version, start) = (ProtocolVersion::V1_19, Instant::now());
        let (client, backend) = (&mut FrameWriter::new(), &mut FrameWriter::new());
        let mut standing = Standing::welcomed(version, Commands::new(&[]), start);
        let quarter = SIGN_OF_LIFE / 4;
        for passed in 0..4 {
            let now = start + quarter * passed;
            assert!(!standing.tend(false, version, client, now));
            standing.fence(version, client, backend, now);
            assert_eq!(standing.due(false), Some(start + SIGN_OF_LIFE));
        }
        assert!(standing.tend(false, version, client, start + SIGN_OF_LIFE));
        // A keep-alive of the backend's does too.
        standing.answered(7);
        assert!(!standing.tend(false, version, client, start + SIGN_OF_LIFE));
        assert_eq!(standing.due(false), None);
    }

    #[test]
    fn who_does_not_acknowledge_is_silent_after_a_while() {
        let (version, start) = (ProtocolVersion::V1_21, Instant::now());
        let client = &mut FrameWriter::new();
        let mut standing = Standing::welcomed(version, Commands::new(&[]), start);
        for alone in [false, true] {
            standing.transitions.clear();
            assert!(!standing.tend(alone, version, client, start));
            standing.brought_to(Passage::Finish, true);
            assert!(!standing.tend(alone, version, client, start));
            let due = standing.due(false).unwrap();
            assert_eq!(due, start + ACKNOWLEDGEMENT);
            // It answers all else.
            standing.asked = None;
            assert!(!standing.tend(alone, version, client, due - Duration::from_millis(1)));
            standing.asked = None;
            assert!(standing.tend(alone, version, client, due));
            // The next one is waited for anew.
            standing.brought_to(Passage::Start, true);
            standing.acknowledged(Passage::Finish).unwrap();
            standing.asked = None;
            assert!(!standing.tend(alone, version, client, due));
            assert_eq!(standing.due(false), Some(due + ACKNOWLEDGEMENT));
            standing.acknowledged(Passage::Start).unwrap();
            standing.asked = None;
            assert!(!standing.tend(false, version, client, due + ACKNOWLEDGEMENT));
            assert_eq!(standing.due(false), None);
        }
    }

    #[test]
    fn who_is_alone_and_gives_no_sign_of_life_is_silent_after_a_while() {
        let (version, start) = (ProtocolVersion::V1_21, Instant::now());
        let client = &mut FrameWriter::new();
        let moment = Duration::from_millis(1);
        let mut standing = Standing::welcomed(version, Commands::new(&[]), start);
        standing.transitions.clear();
        let asked = start + KEEP_ALIVE;
        assert!(!standing.tend(true, version, client, asked - moment));
        assert!(client.is_empty(), "it isn't time yet");
        assert!(!standing.tend(true, version, client, asked));
        assert!(!client.is_empty());
        let due = asked + SIGN_OF_LIFE;
        assert_eq!(standing.due(true), Some(due));
        assert!(!standing.tend(true, version, client, due - moment));
        assert!(standing.tend(true, version, client, due));
        // Another's answer is none, and its own counts once.
        let (id, _) = standing.asked.unwrap();
        assert!(!standing.answered(id ^ 1) && standing.answered(id) && !standing.answered(id));
        assert!(!standing.tend(true, version, client, due));
    }
}
