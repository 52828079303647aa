//! A session between a client and backends that follow each other, all of them hostile where the input says so, and at any moment: the product's own
//! session over pairs of sockets, with time that goes by as the input says.
//!
//! What must hold: what the client gets are frames, of the state that it was brought to where backends keep to theirs, and nothing of a backend's once the
//! next one has spoken; what a backend says comes in its order, and whole up to where it ends; a backend gets only packets of the state that it is in, only
//! answers to what it asked, and nothing that the client said before it had followed to it; nobody gets the edge's own cookies; the session rests once it
//! has nothing to do; memory is bounded.

mod backend;
mod client;
mod marks;
mod wire;

use crate::{Input, input, memory, vectors};
use backend::BackendSide;
use client::ClientSide;
use drawbridge_limbo::{World, WorldName};
use drawbridge_net::{Loose, PlayLimits};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::{FrameReader, FrameWriter};
use drawbridge_protocol::frame::MAX_FRAME;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::text::Component;
use drawbridge_session::{Client, Event, Options, Session};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// The most that happens in a session here.
const MOMENTS: usize = 200;

/// How many turns a session may take until it rests: some for each packet that there can be.
const TURNS: usize = 20_000;

/// The most memory, in bytes: what is kept for each side may be 4 MiB and a packet of 8 MiB.
const MEMORY: usize = 96 * 1024 * 1024;

/// A cookie of the edge's own.
const OWN_COOKIE: &str = "edge:own";

const COMMANDS: &[&str] = &["server", "hub"];

thread_local! {
    static LOOSE: Rc<Loose> = Rc::new(Loose::new().expect("a poller"));
}

/// Whether somebody wants the session to be looked at again.
#[derive(Default)]
pub(crate) struct Woken(AtomicBool);

impl Woken {
    /// Whether somebody has wanted it since this was asked last.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// See the module.
pub fn check(data: &[u8]) {
    // What is made once is nobody's session's.
    let loose = LOOSE.with(Rc::clone);
    let version = Input::new(data).version();
    let _ = World::of(version);
    let _ = vectors::shared();
    memory::within(MEMORY, || {
        let mut input = Input::new(data);
        let mut stage = Stage::set(&mut input, loose);
        for _ in 0..MOMENTS {
            if input.is_empty() || !stage.act(&mut input) {
                break;
            }
        }
        stage.end();
    });
}

/// The session and all who have a part in it.
struct Stage {
    version: ProtocolVersion,
    loose: Rc<Loose>,
    session: Session,
    client: ClientSide,
    backends: Vec<BackendSide>,
    woken: Arc<Woken>,
    /// How many moments pass before the session is looked at.
    pause: usize,
    shakes_hands: bool,
}

impl Stage {
    fn set(input: &mut Input<'_>, loose: Rc<Loose>) -> Self {
        let version = input.version();
        let choice = input.byte();
        let bit = |at: u8| choice >> at & 1 == 1;
        let (socket, far) = loose.pair().expect("a pair of sockets");
        let threshold = (bit(0) && version.has_compression()).then_some(64);
        let (mut reader, mut writer) = (FrameReader::new(MAX_FRAME), FrameWriter::new());
        reader.set_compression(threshold.is_some());
        writer.set_compression(threshold);
        let limits = if bit(5) {
            PlayLimits {
                packets: 20,
                chat: 2,
                commands: 1,
                burst: Duration::from_secs(1),
                ..PlayLimits::default()
            }
        } else {
            PlayLimits::default()
        };
        let shakes_hands = bit(2) && version < ProtocolVersion::V1_13;
        let options = Options {
            stalled: Duration::from_secs(30),
            reserved: vec![OWN_COOKIE.to_owned()],
            commands: COMMANDS,
            authenticated: bit(1),
            shakes_hands,
            follows_transfers: bit(3),
            limits,
        };
        let client = ClientSide::new(version, far, threshold);
        let woken = Arc::new(Woken::default());
        let mut backends = Vec::new();
        let first = if bit(4) {
            None
        } else {
            let (backend, side) = BackendSide::log_in(version, &loose, 0, choice, shakes_hands);
            backends.push(side);
            backend
        };
        let session = Session::new(version, Client { socket, reader, writer }, first, options);
        let mut stage = Self { version, loose, session, client, backends, woken, pause: 0, shakes_hands };
        stage.session.permit(COMMANDS);
        stage
    }

    /// Something happens; false: the session is over.
    fn act(&mut self, input: &mut Input<'_>) -> bool {
        let choice = input.byte();
        let (what, how) = (choice & 0x0f, choice >> 4);
        let mut later = Duration::from_millis(1);
        match what {
            0 | 1 => {
                let state = self.client.speaks;
                if let Some(body) = body(self.version, state, Direction::Serverbound, what == 0, input) {
                    self.client.say(&body);
                }
            }
            2 => self.client.acknowledge(),
            3 => self.client.answer(),
            4 => self.client.send(input.piece()),
            5 | 6 => {
                if let Some(backend) = self.backends.last_mut()
                    && let Some(body) =
                        body(self.version, backend.speaks, Direction::Clientbound, what == 5, input)
                {
                    backend.say(&body);
                }
            }
            7 if how & 8 == 8 => {
                if let Some(backend) = self.backends.last_mut() {
                    backend.ask_for_cookie(how & 1 == 1);
                }
            }
            // One that is gone goes on speaking.
            7 => {
                let count = self.backends.len().max(1);
                if let Some(backend) = self.backends.get_mut(count - 1 - usize::from(how) % count) {
                    backend.mark();
                }
            }
            8 => {
                if let Some(backend) = self.backends.last_mut() {
                    backend.send(input.piece());
                }
            }
            9 => self.switch(how),
            10 => self.hold(),
            11 => later = Duration::from_millis(u64::from(input.byte()).pow(2) * 4),
            12 if how & 1 == 1 => self.client.leave(),
            12 => {
                if let Some(backend) = self.backends.last_mut() {
                    backend.leave();
                }
            }
            13 => self.call(how),
            14 => self.client.reads = !self.client.reads,
            _ if how & 1 == 0 => self.client.mark(),
            _ => self.pause = usize::from(how >> 1),
        }
        if self.pause > 0 {
            self.pause -= 1;
            return true;
        }
        self.turn(later)
    }

    /// The edge finds another target.
    fn switch(&mut self, how: u8) {
        // Sockets are few.
        if self.backends.len() > 12 {
            return;
        }
        let number = u32::try_from(self.backends.len()).unwrap_or(0);
        let (backend, mut side) =
            BackendSide::log_in(self.version, &self.loose, number, how, self.shakes_hands);
        let Some(mut backend) = backend else { return };
        if how & 4 == 4 {
            side.mark();
        }
        side.join();
        side.flush();
        let arrived = matches!(crate::login::poll(&self.loose, backend.arrive(self.version)), Some(Ok(())));
        if arrived {
            side.needs = self.client.has_to_follow();
            self.session.take_over(backend);
            self.backends.push(side);
        }
    }

    fn hold(&mut self) {
        let name = WorldName::new("hub").expect("a short name");
        if let Some(world) = World::of(self.version) {
            self.session.hold(world, name);
        }
    }

    /// The edge says something, as operators and commands have it.
    fn call(&mut self, how: u8) {
        let words = Component::text("words");
        match how & 3 {
            0 => self.session.say(words),
            1 => self.session.show_waiting(&words),
            2 => self.session.permit(&COMMANDS[..usize::from(how >> 2 & 1)]),
            _ => drop((self.session.traffic(), self.session.is_behind(), self.session.has_arrived())),
        }
    }

    /// The session is looked at until it rests; false: it is over.
    fn turn(&mut self, later: Duration) -> bool {
        self.loose.turn(later);
        for _ in 0..TURNS {
            self.flush();
            self.woken.take();
            let waker = Waker::from(Arc::clone(&self.woken));
            let polled = self.session.poll(&mut Context::from_waker(&waker));
            let heard = self.hear();
            match polled {
                Poll::Ready(event) => {
                    if !self.happen(event) {
                        return false;
                    }
                }
                Poll::Pending if !heard && !self.woken.take() => return true,
                Poll::Pending => {}
            }
            self.loose.turn(Duration::ZERO);
        }
        panic!("the session doesn't come to rest");
    }

    fn flush(&mut self) {
        self.client.flush();
        self.backends.iter_mut().for_each(BackendSide::flush);
    }

    /// Whether anybody has been told anything.
    fn hear(&mut self) -> bool {
        let known = ids::is_complete(self.version) && self.backends.iter().all(BackendSide::is_known);
        let mut heard = self.client.hear(known);
        for backend in &mut self.backends {
            heard |= backend.hear(self.client.keeps_order);
        }
        if heard && !self.backends.iter().any(|backend| backend.forges) {
            self.compare_marks();
        }
        heard
    }

    /// The client has been told what each backend in turn has said, from the beginning and without a gap.
    fn compare_marks(&self) {
        let mut told = self.client.marks.as_slice();
        for (number, backend) in self.backends.iter().enumerate() {
            let of = |mark: &marks::Mark| usize::try_from(mark.of) == Ok(number);
            let (these, rest) = told.split_at(told.iter().take_while(|mark| of(mark)).count());
            told = rest;
            let both = these.len().min(backend.marks.len());
            assert_eq!(these[..both], backend.marks[..both], "marks of backend {number}");
            assert!(
                these.len() == both || !backend.is_mirrored(),
                "backend {number} hasn't said all of {these:?}"
            );
        }
        assert!(told.is_empty(), "{told:?} are heard too late");
    }

    /// What the edge does when something has happened; false: it ends the session.
    fn happen(&mut self, event: Event) -> bool {
        match event {
            Event::Left | Event::Refused(_) | Event::ClientStalled | Event::ClientSilent => return false,
            Event::Command(command) => self.session.say(Component::text(command)),
            Event::Completion(request) => {
                let matches = [request.command().to_owned(), "b".to_owned()];
                self.session.complete(&request, &matches);
            }
            Event::SentOn(_) => {}
            Event::Kicked(_) | Event::Lost(_) => {
                assert!(!self.session.has_backend(), "a backend that is lost is gone");
            }
        }
        true
    }

    /// The client is told that it is over.
    fn end(mut self) {
        let reason = Component::text("Bye");
        let mut closing = std::pin::pin!(self.session.close(Some(&reason)));
        let mut context = Context::from_waker(Waker::noop());
        self.client.reads = true;
        for _ in 0..8 {
            self.loose.turn(Duration::ZERO);
            if closing.as_mut().poll(&mut context).is_ready() {
                break;
            }
            self.client.hear(false);
        }
    }
}

/// A packet by its place in the table of a state; with the fields that others wrote, or any.
pub(crate) fn body(
    version: ProtocolVersion,
    state: State,
    direction: Direction,
    known: bool,
    input: &mut Input<'_>,
) -> Option<Vec<u8>> {
    let table = ids::table(version, state, direction)?;
    let count = table.iter().count();
    let (id, kind) = table.iter().nth(usize::from(input.byte()) % count.max(1))?;
    let mut body = Vec::new();
    drawbridge_protocol::varint::write(id, &mut body);
    if known {
        let number = input.byte();
        body.extend_from_slice(vectors::pick(version, state, direction, kind, number)?);
    } else {
        body.extend_from_slice(input.piece());
    }
    Some(body)
}

/// The place of a packet in the table of a state.
fn place(version: ProtocolVersion, state: State, direction: Direction, kind: Kind) -> u8 {
    let place = ids::table(version, state, direction)
        .and_then(|table| table.iter().position(|(_, other)| other == kind));
    place.and_then(|place| u8::try_from(place).ok()).unwrap_or(0)
}

/// A player who is welcomed, plays, switches, waits in limbo and comes out, and each vector said once.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    use Direction::Clientbound;
    let mut seeds = Vec::new();
    for version in [5, 47, 340, 393, 758, 760, 763, 764, 766, 770, 775].map(ProtocolVersion) {
        let choice = input::choice_of(version);
        let finish = place(version, State::Configuration, Clientbound, Kind::FinishConfiguration);
        let login = place(version, State::Play, Clientbound, Kind::Login);
        let into_play: &[u8] = if version.has_configuration() { &[2, 6, finish, 0, 2] } else { &[] };
        let joined = [into_play, &[5, login, 0, 7, 3]].concat();
        let life = [
            &joined[..],
            &[0x0f, 0x97, 0x29, 2, 0x0f],
            &joined,
            &[10, 2, 2, 3, 0x1d, 0x09, 2],
            &joined,
            &[0x17, 11, 200, 3, 12],
        ]
        .concat();
        for options in [0, 1, 2, 4, 8, 0x10, 0x20, 0x31] {
            seeds.push([&[choice, options], &life[..]].concat());
        }
        for vector in vectors::shared().iter().filter(|vector| vector.version == version) {
            let speaks = if vector.direction == Clientbound { 5 } else { 0 };
            let place = place(version, vector.state, vector.direction, vector.kind);
            let before = if vector.state == State::Play { &joined[..] } else { &[2] };
            seeds.push([&[choice, 0], before, &[speaks, place, 0, 3, 0x29, 2]].concat());
        }
    }
    seeds
}
