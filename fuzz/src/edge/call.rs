//! A connection, from both sides: what its client does, and when the edge is looked at.

use super::made::House;
use super::routes::{ROUTES, Route};
use super::told::{Cookie, Exchange, Told};
use crate::Input;
use crate::session::Woken;
use drawbridge_edge::fuzzing::LooseEdge;
use drawbridge_net::proxy_protocol::{self, Version};
use drawbridge_net::{Continuation, Loose};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::FrameReader;
use drawbridge_protocol::cipher::Decryptor;
use drawbridge_protocol::frame::MAX_FRAME;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::RawPacket;
use drawbridge_protocol::packet::configuration::{self, PackResult, ResourcePackResponse};
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::login::{CookieResponse, EncryptionResponse, LoginStart, TokenProof};
use drawbridge_protocol::packet::play::KeepAliveResponse;
use drawbridge_protocol::packet::status::{PingRequest, StatusRequest};
use drawbridge_protocol::stream::Outbound;
use std::cell::RefCell;
use std::future::Future;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How many turns a connection may take until it rests.
const TURNS: usize = 20_000;

/// How long what other threads do may take, and how often they are asked.
const OTHERS: Duration = Duration::from_secs(8);
const MOMENT: Duration = Duration::from_micros(50);

/// How long the edge may keep a connection whose client has been told its last.
const LAST_WORD: Duration = Duration::from_secs(10);

/// What is typed, or begun.
const TYPED: [&str; 8] = [
    "/server island",
    "/server",
    "/server hub",
    "/drawbridge:server x",
    "hello",
    "/server ",
    "/drawbridge ",
    "/drawbridge:send ",
];

type Task = Pin<Box<dyn Future<Output = Option<Continuation>>>>;

/// By which way somebody comes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Way {
    is_balanced: bool,
    header: Option<(Version, Ipv4Addr)>,
}

impl Way {
    pub(super) fn read(input: &mut Input<'_>) -> Self {
        let choice = input.byte();
        let version = if choice & 4 == 0 { Version::V1 } else { Version::V2 };
        let header = (version, Ipv4Addr::new(192, 0, 2, 1 + (choice >> 3 & 3)));
        Self { is_balanced: choice & 1 == 1, header: (choice & 2 == 2).then_some(header) }
    }
}

/// See the module.
pub(super) struct Call<'a> {
    house: &'a House,
    loose: &'a Loose,
    version: ProtocolVersion,
    task: Task,
    far: Option<UnixStream>,
    unsent: Vec<u8>,
    outbound: Outbound,
    reader: FrameReader,
    told: Told<'a>,
    /// Whether it has begun with frames, and so is answered in frames.
    framed: bool,
    /// Whether it has said what may be no frames, or something about keys that they aren't exchanged by: it isn't known what it is told behind that.
    raw: bool,
    pause: usize,
    /// Whether the edge has nothing more to say to it.
    ended: bool,
    /// How long ago it was told its last.
    since_last: Duration,
}

impl<'a> Call<'a> {
    /// Of somebody who keeps their cookies with those of all.
    pub(super) fn new(
        (house, loose): (&'a House, &'a Loose),
        kept: &'a RefCell<Vec<Cookie>>,
        version: ProtocolVersion,
        way: Way,
    ) -> Self {
        let (socket, far) = loose.pair().expect("a pair of sockets");
        let edge: &LooseEdge = if way.is_balanced { &house.behind_balancer } else { &house.edge };
        let (mut unsent, mut address) = (Vec::new(), IpAddr::V4(Ipv4Addr::LOCALHOST));
        if let Some((version, source)) = way.header {
            let source = SocketAddr::new(source.into(), 4711);
            unsent = proxy_protocol::header(version, source, (Ipv4Addr::LOCALHOST, 25565).into());
            address = source.ip();
        }
        let is_heard = way.is_balanced == way.header.is_some();
        Self {
            house,
            loose,
            version,
            task: Box::pin(edge.receive(socket)),
            far: Some(far),
            unsent,
            outbound: Outbound::new(),
            reader: FrameReader::new(MAX_FRAME),
            told: Told::new(version, is_heard.then_some(address), kept),
            framed: true,
            raw: false,
            pause: 0,
            ended: false,
            since_last: Duration::ZERO,
        }
    }

    /// Something happens; false: the connection is over.
    pub(super) fn act(&mut self, choice: u8, input: &mut Input<'_>) -> bool {
        let (what, how) = (choice & 0x0f, choice >> 4);
        let mut later = Duration::from_millis(1);
        match what {
            0 => {
                let intent = [Intent::Status, Intent::Login, Intent::Transfer]
                    [usize::from(how >> 3) + usize::from(how == 15)];
                self.shake(&ROUTES[usize::from(how & 7)], intent, "");
            }
            1 => {
                let more = input.byte();
                let intent = if more & 1 == 0 { Intent::Login } else { Intent::Transfer };
                let behind = if more & 2 == 0 { "" } else { "\0FML2\0" };
                self.shake(&ROUTES[usize::from(how) % ROUTES.len()], intent, behind);
            }
            2 => self.begin(how),
            3 => return self.reply(how),
            4 => self.follow(),
            5 => {
                let bytes = input.piece();
                self.raw |= !bytes.is_empty();
                self.disturb();
                self.unsent.extend_from_slice(bytes);
            }
            6..=9 => {
                let state = self.told.state;
                if let Some(body) =
                    crate::session::body(self.version, state, Direction::Serverbound, what < 8, input)
                {
                    self.disturb();
                    self.raw |= self.is_about_keys(&body);
                    self.body(&body);
                }
            }
            10 => self.answer(),
            11 => later = Duration::from_millis(u64::from(input.byte()).pow(2)),
            12 => self.leave(),
            13 => {
                let begun = TYPED[usize::from(how) % TYPED.len()];
                let rest = if how < 128 { "".into() } else { String::from_utf8_lossy(input.piece()) };
                self.chat(&format!("{begun}{rest}"));
            }
            _ => self.pause = how.into(),
        }
        if self.pause > 0 {
            self.pause -= 1;
            return true;
        }
        self.turn(later)
    }

    /// The client is gone.
    pub(super) fn leave(&mut self) {
        drop(self.far.take());
    }

    fn body(&mut self, body: &[u8]) {
        // Short ones alone are said.
        let _ = self.outbound.write_body(body, &mut self.unsent);
    }

    fn is_about_keys(&self, body: &[u8]) -> bool {
        let id = RawPacket::parse(body).ok().map(|packet| packet.id);
        let kind = id.and_then(|id| ids::kind(self.version, self.told.state, Direction::Serverbound, id));
        kind == Some(Kind::EncryptionBegin)
    }

    fn shake(&mut self, route: &'static Route, intent: Intent, behind: &str) {
        let host = format!("{}{behind}", route.host);
        let handshake = Handshake { version: self.version, host, port: 25565, intent };
        self.told.shook(route, intent);
        let _ = self.outbound.write(self.version, &handshake, &mut self.unsent);
    }

    fn begin(&mut self, how: u8) {
        let (version, out) = (self.version, &mut self.unsent);
        let name = if how == 0 { String::new() } else { format!("Player{how}") };
        // What the version doesn't have isn't said.
        let _ = match self.told.state {
            State::Status if how & 1 == 0 => self.outbound.write(version, &StatusRequest {}, out),
            State::Status => self.outbound.write(version, &PingRequest { payload: 7 }, out),
            _ => {
                self.told.claimed(&name);
                let start = LoginStart { name, uuid: Some(Uuid::from_u128(how.into())), key: None };
                self.outbound.write(version, &start, out)
            }
        };
    }

    /// Acknowledges what it was brought to.
    fn follow(&mut self) {
        if self.told.due.is_empty() {
            return;
        }
        let kind = self.told.due.remove(0);
        let Some(id) = ids::id(self.version, self.told.state, Direction::Serverbound, kind) else { return };
        let mut body = Vec::new();
        drawbridge_protocol::varint::write(id, &mut body);
        self.body(&body);
        self.told.state = if kind == Kind::FinishConfiguration { State::Play } else { State::Configuration };
    }

    /// Answers what is asked of logins: for keys, cookies, and what became of packs. False: the connection is over.
    fn reply(&mut self, how: u8) -> bool {
        if self.told.request.is_some() {
            return self.exchange(how);
        }
        let written = if let Some(key) = self.told.cookie_asked.take() {
            let payload = self.told.cookie(&key, how);
            self.outbound.write(self.version, &CookieResponse { key, payload }, &mut self.unsent)
        } else if !self.told.packs.is_empty() {
            let result = PackResult::ALL[usize::from(how & 7)];
            let (id, is_required) = self.told.packs[0];
            if result.is_final() {
                self.told.packs.remove(0);
                self.told.refused_pack |= is_required && result != PackResult::Loaded;
            }
            self.outbound.write(self.version, &ResourcePackResponse { id, result }, &mut self.unsent)
        } else {
            return true;
        };
        written.expect("its version has what was asked for");
        self.turn(Duration::from_millis(1))
    }

    /// Exchanges keys, soundly or not. False: the connection is over.
    fn exchange(&mut self, how: u8) -> bool {
        // All that was said before is heard first, so that it is known what comes behind it.
        self.pause = 0;
        if !self.turn(Duration::ZERO) {
            return false;
        }
        if !self.unsent.is_empty() || self.far.is_none() || self.ended {
            return true;
        }
        let Some(request) = self.told.request.take() else { return true };
        let secret = [how; 16];
        let seal =
            |plain: &[u8]| drawbridge_rsa::encrypt(&request.public_key, plain).expect("the edge's key");
        let token = &request.verify_token;
        let (shared_secret, token) = match how & 7 {
            0..=3 => (seal(&secret), seal(token)),
            4 => (seal(&secret), seal(&[how; 16])),
            5 => (seal(&secret[..15]), seal(token)),
            6 => (vec![how; 128], seal(token)),
            _ => (seal(&secret), token.clone()),
        };
        let response = EncryptionResponse { shared_secret, token: TokenProof::Encrypted(token) };
        self.outbound.write(self.version, &response, &mut self.unsent).expect("each version has it");
        // Behind what may be half a frame this may be anything.
        self.framed &= !self.raw;
        if how & 7 < 4 {
            self.told.exchange = Exchange::Sound;
            self.outbound.encrypt(&secret);
            let reader = std::mem::replace(&mut self.reader, FrameReader::new(MAX_FRAME));
            self.reader = reader.deciphering(Some(Decryptor::new(&secret)));
        } else {
            self.told.exchange = Exchange::Unsound;
        }
        self.turn_until(Duration::ZERO, self.framed)
    }

    fn answer(&mut self) {
        let Some(id) = self.told.asked.pop() else { return };
        let _ = match self.told.state {
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
        self.disturb();
        self.body(&body);
    }

    /// It says what may be anything.
    fn disturb(&mut self) {
        self.framed &= self.told.state != State::Handshaking;
        self.told.disturb();
    }

    /// The connection is looked at until it rests; false: it is over.
    pub(super) fn turn(&mut self, later: Duration) -> bool {
        self.turn_until(later, false)
    }

    /// As [`Call::turn`]; `waits`: not before the client has been told something, for which other threads are waited for.
    fn turn_until(&mut self, later: Duration, mut waits: bool) -> bool {
        self.loose.turn(later);
        let had_last = self.told.last.is_some() || self.ended;
        let began = Instant::now();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut turns = 0;
        while turns < TURNS {
            turns += 1;
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
                    let heard = self.hear();
                    waits &= !heard && !self.ended;
                    if !heard && !woken.take() {
                        if !waits {
                            self.rest(if had_last { later } else { Duration::ZERO });
                            return true;
                        }
                        assert!(began.elapsed() < OTHERS, "an exchange of keys isn't answered");
                        thread::sleep(MOMENT);
                        turns -= 1;
                    }
                }
            }
            self.loose.turn(Duration::ZERO);
        }
        panic!("a connection doesn't come to rest");
    }

    /// Who has been told their last is let go of soon.
    fn rest(&mut self, later: Duration) {
        self.since_last += later;
        assert!(self.since_last < LAST_WORD, "a connection goes on behind its last word");
    }

    fn flush(&mut self) {
        if let Some(far) = &mut self.far {
            match far.write(&self.unsent) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(_) if self.unsent.len() > MAX_FRAME => {
                    self.unsent.clear();
                    self.raw = true;
                }
                Err(_) => {}
            }
        }
    }

    /// Reads what the client is told; whether there was anything.
    fn hear(&mut self) -> bool {
        let Some(far) = &mut self.far else { return false };
        let mut bytes = Vec::new();
        // That nothing more is there yet is all that can go wrong.
        self.ended = far.read_to_end(&mut bytes).is_ok();
        if bytes.is_empty() || !self.framed {
            return !bytes.is_empty();
        }
        let mut reader = std::mem::replace(&mut self.reader, FrameReader::new(MAX_FRAME));
        let (mut frames, mut scratch) = (reader.frames(&mut bytes), Vec::new());
        while let Some(frame) = frames.next_frame().expect("the client is sent frames") {
            let packet = frame.packet(&mut scratch).expect("the edge's own");
            if self.told.hear(&packet) {
                frames.set_compression(true);
                self.outbound.compress(MAX_FRAME, 1);
            }
        }
        drop(frames);
        self.reader = reader;
        true
    }
}
