//! The whole edge, in process, and clients that say anything to it: a status, logins by every mode that needs nobody else, limbos and commands in them.
//!
//! What must hold: what a client is told are frames, or the answers that clients before 1.7 read; a connection comes to rest when there is nothing to do, and to
//! its end when its client falls silent or goes; memory is bounded.

use crate::house::program::settings::Source;
use crate::session::Woken;
use crate::{Input, input, memory};
use drawbridge_config::Document;
use drawbridge_edge::fuzzing::LooseEdge;
use drawbridge_model::{Ban, Bans};
use drawbridge_net::{Continuation, Loose};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::FrameReader;
use drawbridge_protocol::frame::MAX_FRAME;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::login::LoginStart;
use drawbridge_protocol::packet::play::{KeepAlive, KeepAliveResponse};
use drawbridge_protocol::packet::status::{PingRequest, StatusRequest};
use drawbridge_protocol::packet::{Packet as _, configuration};
use drawbridge_protocol::stream::Outbound;
use drawbridge_protocol::wire::Decoder;
use drawbridge_routing::Services;
use std::future::Future;
use std::io::{Read as _, Write as _};
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// What the edge goes by: each mode that needs nobody else, and targets where nobody listens.
const SETTINGS: &str = include_str!("edge/settings.toml");

/// The hosts of its routes, and one of nobody's.
const HOSTS: [&str; 6] = ["hub", "island", "away", "through", "handed", "nobody"];

/// The most that a client does here.
const MOMENTS: usize = 100;

/// How many turns a connection may take until it rests.
const TURNS: usize = 20_000;

/// The most memory, in bytes.
const MEMORY: usize = 64 * 1024 * 1024;

/// How often a silent client's time goes by, and by how much: longer in all than the edge waits for anybody.
const SILENCE: u32 = 40;
const WHILE: Duration = Duration::from_secs(5);

/// Nobody is banned.
#[derive(Debug)]
struct Nobody(watch::Sender<u64>);

impl Bans for Nobody {
    fn address(&self, _: IpAddr) -> Option<Arc<Ban>> {
        None
    }

    fn name(&self, _: &str) -> Option<Arc<Ban>> {
        None
    }

    fn id(&self, _: Uuid) -> Option<Arc<Ban>> {
        None
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

/// What is made once.
struct House {
    edge: LooseEdge,
    loose: Loose,
    runtime: tokio::runtime::Runtime,
}

thread_local! {
    static HOUSE: House = House::build();
}

impl House {
    fn build() -> Self {
        let source = Source::built_in(Document::parse("drawbridge.toml", SETTINGS));
        let configured = source.load(&Services::default());
        let configured = configured.unwrap_or_else(|error| panic!("the edge's settings: {error}"));
        let bans = Arc::new(Nobody(watch::Sender::new(0)));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let edge = LooseEdge::new(configured.snapshot, bans).expect("threads");
        Self { edge, loose: Loose::new().expect("a poller"), runtime }
    }
}

/// See the module.
pub fn check(data: &[u8]) {
    HOUSE.with(|house| {
        let version = Input::new(data).version();
        let _ = drawbridge_limbo::World::of(version);
        memory::within(MEMORY, || visit(house, data));
    });
}

fn visit(house: &House, data: &[u8]) {
    let mut input = Input::new(data);
    let _entered = house.runtime.enter();
    let mut call = Call::new(house, input.version());
    for _ in 0..MOMENTS {
        if input.is_empty() {
            break;
        }
        if !call.act(&mut input) {
            return;
        }
    }
    for _ in 0..SILENCE {
        if !call.turn(WHILE) {
            return;
        }
    }
    drop(call.far.take());
    for _ in 0..SILENCE {
        if !call.turn(WHILE) {
            return;
        }
    }
    panic!("a connection whose client is gone doesn't end");
}

type Task = Pin<Box<dyn Future<Output = Option<Continuation>>>>;

/// A connection, from both sides.
struct Call<'a> {
    house: &'a House,
    version: ProtocolVersion,
    task: Task,
    far: Option<UnixStream>,
    unsent: Vec<u8>,
    outbound: Outbound,
    reader: FrameReader,
    /// The state that what the client says belongs to, where it keeps to the protocol.
    state: State,
    /// Whether it has begun with frames, and so is answered in frames.
    framed: bool,
    due: Vec<Kind>,
    asked: Vec<i64>,
    pause: usize,
}

impl<'a> Call<'a> {
    fn new(house: &'a House, version: ProtocolVersion) -> Self {
        let (socket, far) = house.loose.pair().expect("a pair of sockets");
        Self {
            house,
            version,
            task: Box::pin(house.edge.receive(socket)),
            far: Some(far),
            unsent: Vec::new(),
            outbound: Outbound::new(),
            reader: FrameReader::new(MAX_FRAME),
            state: State::Handshaking,
            framed: true,
            due: Vec::new(),
            asked: Vec::new(),
            pause: 0,
        }
    }

    /// Something happens; false: the connection is over.
    fn act(&mut self, input: &mut Input<'_>) -> bool {
        let choice = input.byte();
        let (what, how) = (choice & 0x0f, choice >> 4);
        let mut later = Duration::from_millis(1);
        match what {
            0 | 1 => self.shake(how),
            2 | 3 => self.begin(how),
            4 => self.follow(),
            5 => {
                self.framed &= self.state != State::Handshaking;
                let bytes = input.piece();
                self.unsent.extend_from_slice(bytes);
            }
            6..=9 => {
                if let Some(body) =
                    crate::session::body(self.version, self.state, Direction::Serverbound, what < 8, input)
                {
                    self.body(&body);
                }
            }
            10 => self.answer(),
            11 => later = Duration::from_millis(u64::from(input.byte()).pow(2)),
            12 => drop(self.far.take()),
            13 => self.chat(
                ["/server island", "/server", "/server hub", "/drawbridge:server x", "hello"]
                    [usize::from(how) % 5],
            ),
            _ => self.pause = how.into(),
        }
        if self.pause > 0 {
            self.pause -= 1;
            return true;
        }
        self.turn(later)
    }

    fn body(&mut self, body: &[u8]) {
        // Short ones alone are said.
        let _ = self.outbound.write_body(body, &mut self.unsent);
    }

    fn shake(&mut self, how: u8) {
        let intent =
            [Intent::Status, Intent::Login, Intent::Transfer][usize::from(how >> 3) + usize::from(how == 15)];
        let host = HOSTS[usize::from(how & 7) % HOSTS.len()].to_owned();
        let handshake = Handshake { version: self.version, host, port: 25565, intent };
        self.state = if intent == Intent::Status { State::Status } else { State::Login };
        let _ = self.outbound.write(self.version, &handshake, &mut self.unsent);
    }

    fn begin(&mut self, how: u8) {
        let (version, out) = (self.version, &mut self.unsent);
        let name = if how == 0 { String::new() } else { format!("Player{how}") };
        let start = LoginStart { name, uuid: Some(Uuid::from_u128(how.into())), key: None };
        // What the version doesn't have isn't said.
        let _ = match self.state {
            State::Status if how & 1 == 0 => self.outbound.write(version, &StatusRequest {}, out),
            State::Status => self.outbound.write(version, &PingRequest { payload: 7 }, out),
            _ => self.outbound.write(version, &start, out),
        };
    }

    /// Acknowledges what it was brought to.
    fn follow(&mut self) {
        if self.due.is_empty() {
            return;
        }
        let kind = self.due.remove(0);
        let Some(id) = ids::id(self.version, self.state, Direction::Serverbound, kind) else { return };
        let mut body = Vec::new();
        drawbridge_protocol::varint::write(id, &mut body);
        self.body(&body);
        self.state = if kind == Kind::FinishConfiguration { State::Play } else { State::Configuration };
    }

    fn answer(&mut self) {
        let Some(id) = self.asked.pop() else { return };
        let _ = match self.state {
            State::Play => self.outbound.write(self.version, &KeepAliveResponse { id }, &mut self.unsent),
            _ => {
                self.outbound.write(self.version, &configuration::KeepAliveResponse { id }, &mut self.unsent)
            }
        };
    }

    /// Types something, in the versions whose chat is a text alone.
    fn chat(&mut self, text: &str) {
        let (kind, text) = match text.strip_prefix('/') {
            Some(command) if self.version >= ProtocolVersion::V1_20_5 => (Kind::ChatCommand, command),
            _ => (Kind::Chat, text),
        };
        let Some(id) = ids::id(self.version, State::Play, Direction::Serverbound, kind) else { return };
        let mut body = Vec::new();
        drawbridge_protocol::varint::write(id, &mut body);
        drawbridge_protocol::wire::Encoder::new(&mut body).string(text);
        self.body(&body);
    }

    /// The connection is looked at until it rests; false: it is over.
    fn turn(&mut self, later: Duration) -> bool {
        self.house.loose.turn(later);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        for _ in 0..TURNS {
            self.flush();
            match self.task.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(None) => {
                    self.hear();
                    return false;
                }
                Poll::Ready(Some(next)) => self.task = next.into_task(),
                Poll::Pending => {
                    // What waits for the runtime, of which nothing does for long.
                    self.house.runtime.block_on(tokio::task::yield_now());
                    if !self.hear() && !woken.take() {
                        return true;
                    }
                }
            }
            self.house.loose.turn(Duration::ZERO);
        }
        panic!("a connection doesn't come to rest");
    }

    fn flush(&mut self) {
        if let Some(far) = &mut self.far {
            match far.write(&self.unsent) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(_) if self.unsent.len() > MAX_FRAME => self.unsent.clear(),
                Err(_) => {}
            }
        }
    }

    /// Reads what the client is told; whether there was anything.
    fn hear(&mut self) -> bool {
        let Some(far) = &mut self.far else { return false };
        let mut bytes = Vec::new();
        // That nothing more is there, or ever comes, is all that can go wrong.
        let _ = far.read_to_end(&mut bytes);
        if bytes.is_empty() || !self.framed {
            return !bytes.is_empty();
        }
        let mut reader = std::mem::replace(&mut self.reader, FrameReader::new(MAX_FRAME));
        let (mut frames, mut scratch) = (reader.frames(&mut bytes), Vec::new());
        while let Some(frame) = frames.next_frame().expect("the client is sent frames") {
            // What it hears belongs to the state that it was brought to last.
            let hears = match self.due.last() {
                Some(Kind::LoginAcknowledged | Kind::ConfigurationAcknowledged) => State::Configuration,
                Some(Kind::FinishConfiguration) => State::Play,
                _ => self.state,
            };
            let kind = ids::kind(self.version, hears, Direction::Clientbound, frame.id());
            assert!(kind.is_some() || !ids::is_complete(self.version), "id {} in {hears:?}", frame.id());
            match kind {
                Some(Kind::Success) if self.version.has_configuration() => {
                    self.due.push(Kind::LoginAcknowledged)
                }
                Some(Kind::Success) => self.state = State::Play,
                Some(Kind::StartConfiguration) => self.due.push(Kind::ConfigurationAcknowledged),
                Some(Kind::FinishConfiguration) => self.due.push(Kind::FinishConfiguration),
                Some(Kind::Compress) if hears == State::Login => {
                    frames.set_compression(true);
                    self.outbound.compress(MAX_FRAME, 1);
                }
                Some(Kind::KeepAlive) => {
                    let packet = frame.packet(&mut scratch).expect("the edge's own");
                    let mut fields = Decoder::new(packet.fields);
                    let asked = if hears == State::Play {
                        KeepAlive::decode(self.version, &mut fields).map(|asked| asked.id)
                    } else {
                        configuration::KeepAlive::decode(self.version, &mut fields).map(|asked| asked.id)
                    };
                    self.asked.push(asked.expect("the edge's own"));
                }
                _ => {}
            }
        }
        drop(frames);
        self.reader = reader;
        true
    }
}

/// Pings, logins and stays.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for version in [4, 5, 47, 340, 393, 758, 759, 763, 764, 766, 770, 775, 776].map(ProtocolVersion) {
        let choice = input::choice_of(version);
        for host in 0..6u8 {
            seeds.push(vec![choice, host << 4, 0x02, 0x12]);
            let join = [choice, (host | 8) << 4, 0x12];
            let stay = [4, 4, 10, 0x0d, 4, 4, 11, 200, 10, 0x2d, 4, 4, 11, 255, 12];
            seeds.push([&join[..], &stay].concat());
        }
        seeds.push(vec![choice, 0xf0, 0x12, 4]);
    }
    seeds.push([&[0, 5, 1, 0xfe, 5, 1, 1, 11, 60][..]].concat());
    seeds
}
