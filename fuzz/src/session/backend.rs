//! A backend's side: what it has said, as the edge reads it, and what it may therefore be told.

use super::OWN_COOKIE;
use super::marks::Mark;
use super::wire::Wire;
use crate::vectors;
use drawbridge_net::Loose;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::{FrameReader, FrameWriter};
use drawbridge_protocol::frame::MAX_FRAME;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::login::{LoginSuccess, SetCompression};
use drawbridge_protocol::packet::play::{KeepAlive, KeepAliveResponse};
use drawbridge_protocol::packet::{Packet as _, RawPacket};
use drawbridge_protocol::profile::Profile;
use drawbridge_protocol::wire::{Decoder, Encoder};
use drawbridge_session::forwarding::Traveller;
use drawbridge_session::{Backend, Forwarding, Introduction, LoggingIn, Step};
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use uuid::Uuid;

/// See the module.
pub(super) struct BackendSide {
    version: ProtocolVersion,
    number: u32,
    wire: Wire,
    writer: FrameWriter,
    /// What it has said, read as the edge does; `None` once that isn't to be read, or has changed how its own side is compressed.
    mirror: Option<FrameReader>,
    /// The state that what it says belongs to.
    pub(super) speaks: State,
    reader: FrameReader,
    compresses: bool,
    /// How many packets it has been told.
    told: usize,
    /// The state that what it is told has to belong to.
    hears: State,
    asked: Asked,
    /// What it has brought the client to, and the client hasn't acknowledged.
    brought: VecDeque<Kind>,
    /// How far a client has to have followed that it may hear.
    pub(super) needs: u32,
    /// The client's last mark.
    heard: Option<Mark>,
    /// How many marks it has said.
    said: u32,
    /// Its marks, as far as the edge reads them.
    pub(super) marks: Vec<Mark>,
    /// Whether it has said another's mark.
    pub(super) forges: bool,
    /// Whether it has said a packet that there is none of.
    is_strange: bool,
}

/// What it has asked of the client.
#[derive(Default)]
struct Asked {
    keep_alives: Vec<i64>,
    cookies: Vec<String>,
    known_packs: usize,
}

impl BackendSide {
    /// One that lets the player in, and what the edge makes of it.
    pub(super) fn log_in(
        version: ProtocolVersion,
        loose: &Loose,
        number: u32,
        how: u8,
        shakes_hands: bool,
    ) -> (Option<Backend>, Self) {
        let (socket, far) = loose.pair().expect("a pair of sockets");
        let configured = version.has_configuration();
        let mut side = Self {
            version,
            number,
            wire: Wire::new(far),
            writer: FrameWriter::new(),
            mirror: None,
            speaks: if configured { State::Configuration } else { State::Play },
            reader: FrameReader::new(MAX_FRAME),
            compresses: false,
            told: 0,
            hears: if configured { State::Login } else { State::Play },
            asked: Asked::default(),
            brought: VecDeque::new(),
            needs: 0,
            heard: None,
            said: 0,
            marks: Vec::new(),
            forges: false,
            is_strange: false,
        };
        let profile = Profile { id: Uuid::from_u128(7), name: "Notch".to_owned(), properties: Vec::new() };
        side.welcome(&profile, how);
        let introduction = Introduction {
            version,
            host: if shakes_hands { "a\0FML\0" } else { "a" },
            port: 25565,
            traveller: Traveller { profile: &profile, address: Ipv4Addr::LOCALHOST.into(), key: None },
            forwarding: &Forwarding::None,
        };
        let mut login = LoggingIn::begin(socket, introduction).expect("each release has a login");
        side.flush();
        let welcomed = matches!(crate::login::poll(loose, login.next()), Some(Ok(Step::Welcomed(_))));
        assert!(welcomed, "a login that keeps to the protocol");
        (Some(login.welcomed()), side)
    }

    fn welcome(&mut self, profile: &Profile, how: u8) {
        let version = self.version;
        let threshold = [None, Some(0), Some(64), Some(256)][usize::from(how & 3)];
        if let Some(threshold) = threshold.filter(|_| version.has_compression()) {
            let packet = SetCompression { threshold: i32::try_from(threshold).unwrap_or(0) };
            self.writer.packet(version, &packet).expect("each version with compression has it");
            self.writer.set_compression(Some(threshold));
            self.compresses = true;
        }
        let success = LoginSuccess { profile: profile.clone(), session_id: Uuid::nil() };
        self.writer.packet(version, &success).expect("each version has it");
        self.wire.send(self.writer.unsent());
        self.writer.discard();
        let mut mirror = FrameReader::new(MAX_FRAME);
        mirror.set_compression(self.compresses);
        self.mirror = Some(mirror);
    }

    /// A packet, id and fields.
    pub(super) fn say(&mut self, body: &[u8]) {
        self.writer.body(body).expect("a short packet");
        let bytes = self.writer.unsent().to_vec();
        self.writer.discard();
        self.send(&bytes);
    }

    /// Any bytes.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.reflect(bytes.to_vec());
        self.wire.send(bytes);
    }

    /// Says which one it is.
    pub(super) fn mark(&mut self) {
        let mark = Mark { of: self.number, count: self.said };
        if let Some(body) = mark.body(self.version, self.speaks, Direction::Clientbound) {
            self.said += 1;
            self.say(&body);
        }
    }

    /// Asks for the edge's own cookie, or for another.
    pub(super) fn ask_for_cookie(&mut self, own: bool) {
        let id = ids::id(self.version, self.speaks, Direction::Clientbound, Kind::CookieRequest);
        let Some(id) = id else { return };
        let mut body = Vec::new();
        drawbridge_protocol::varint::write(id, &mut body);
        Encoder::new(&mut body).string(if own { OWN_COOKIE } else { "a:b" });
        self.say(&body);
    }

    /// Whether each packet that it has said is one.
    pub(super) const fn is_known(&self) -> bool {
        self.mirror.is_some() && !self.is_strange
    }

    /// Whether all that it has said was read as the edge reads it.
    pub(super) const fn is_mirrored(&self) -> bool {
        self.mirror.is_some()
    }

    /// Tells of its world, where that is waited for.
    pub(super) fn join(&mut self) {
        let (version, state) = (self.version, State::Play);
        let Some(id) = ids::id(version, state, Direction::Clientbound, Kind::Login) else { return };
        let fields = vectors::pick(version, state, Direction::Clientbound, Kind::Login, 0);
        if let Some(fields) = fields.filter(|_| !version.has_configuration()) {
            let mut body = Vec::new();
            drawbridge_protocol::varint::write(id, &mut body);
            body.extend_from_slice(fields);
            self.say(&body);
        }
    }

    pub(super) fn leave(&mut self) {
        self.wire.close();
    }

    pub(super) fn flush(&mut self) {
        self.wire.flush();
    }

    /// Notes what the edge will take of what is said.
    fn reflect(&mut self, mut bytes: Vec<u8>) {
        let Some(mut mirror) = self.mirror.take() else { return };
        let (mut frames, mut scratch) = (mirror.frames(&mut bytes), Vec::new());
        let mut sound = true;
        while sound {
            let Ok(Some(frame)) = frames.next_frame() else { break };
            let kind = ids::kind(self.version, self.speaks, Direction::Clientbound, frame.id());
            self.is_strange |= kind.is_none();
            match kind {
                Some(kind @ Kind::FinishConfiguration) => {
                    self.speaks = State::Play;
                    self.brought.push_back(kind);
                }
                Some(kind @ Kind::StartConfiguration) => {
                    self.speaks = State::Configuration;
                    self.brought.push_back(kind);
                }
                Some(Kind::Compress) => sound = false,
                Some(Kind::SelectKnownPacks) => self.asked.known_packs += 1,
                Some(Kind::CustomPayload) => match frame.packet(&mut scratch) {
                    Ok(packet) => self.note_mark(&packet),
                    Err(_) => sound = false,
                },
                Some(Kind::KeepAlive | Kind::CookieRequest) => match frame.packet(&mut scratch) {
                    Ok(packet) => self.asked.note(self.version, kind, &packet),
                    Err(_) => sound = false,
                },
                _ => {}
            }
        }
        drop(frames);
        self.mirror = Some(mirror).filter(|_| sound);
    }

    fn note_mark(&mut self, packet: &RawPacket<'_>) {
        let Some(mark) = Mark::read(self.version, packet.fields) else { return };
        self.forges |= mark.of != self.number;
        self.marks.push(mark);
    }

    /// Reads what it is told; whether there was anything. `in_order`: the client has followed only where it was brought.
    pub(super) fn hear(&mut self, in_order: bool) -> bool {
        let mut bytes = self.wire.receive();
        if bytes.is_empty() {
            return false;
        }
        if self.mirror.is_none() {
            return true;
        }
        let mut reader = std::mem::replace(&mut self.reader, FrameReader::new(MAX_FRAME));
        let (mut frames, mut scratch) = (reader.frames(&mut bytes), Vec::new());
        loop {
            // Handshake and Login Start are said before the threshold is known.
            frames.set_compression(self.compresses && self.told >= 2);
            let Some(frame) = frames.next_frame().expect("a backend is sent frames") else { break };
            self.told += 1;
            if self.told <= 2 {
                continue;
            }
            let kind = ids::kind(self.version, self.hears, Direction::Serverbound, frame.id());
            assert!(
                kind.is_some() || !ids::is_complete(self.version),
                "id {} in {:?}",
                frame.id(),
                self.hears
            );
            match (self.hears, kind) {
                (State::Login, Some(Kind::LoginAcknowledged)) => self.hears = State::Configuration,
                (State::Login, kind) => panic!("{kind:?} before the login's end"),
                (State::Configuration, Some(kind @ Kind::FinishConfiguration)) => {
                    self.hears = State::Play;
                    assert_eq!(self.brought.pop_front(), Some(kind), "it hasn't brought the client to play");
                }
                (State::Play, Some(Kind::ConfigurationAcknowledged)) => {
                    self.hears = State::Configuration;
                    let brought = self.brought.pop_front();
                    assert_eq!(brought, Some(Kind::StartConfiguration), "nor to configuration");
                }
                (_, Some(Kind::SelectKnownPacks)) => {
                    let left = self.asked.known_packs.checked_sub(1);
                    self.asked.known_packs = left.expect("it hasn't asked what packs the client knows");
                }
                (_, Some(Kind::CustomPayload)) if in_order => {
                    let mark = frame
                        .packet(&mut scratch)
                        .ok()
                        .and_then(|packet| Mark::read(self.version, packet.fields));
                    if let Some(mark) = mark {
                        assert!(
                            mark.of >= self.needs,
                            "{mark:?} is for those before, {} is needed",
                            self.needs
                        );
                        assert!(
                            self.heard.is_none_or(|heard| heard.count < mark.count && heard.of <= mark.of),
                            "{mark:?} comes after {:?}",
                            self.heard
                        );
                        self.heard = Some(mark);
                    }
                }
                (_, Some(Kind::KeepAlive | Kind::CookieResponse)) => {
                    if let Ok(packet) = frame.packet(&mut scratch) {
                        self.asked.answered(self.version, kind, &packet);
                    }
                }
                _ => {}
            }
        }
        drop(frames);
        self.reader = reader;
        true
    }
}

impl Asked {
    fn note(&mut self, version: ProtocolVersion, kind: Option<Kind>, packet: &RawPacket<'_>) {
        let mut fields = Decoder::new(packet.fields);
        if kind == Some(Kind::KeepAlive) {
            self.keep_alives.extend(KeepAlive::decode(version, &mut fields).map(|asked| asked.id));
        } else {
            self.cookies.extend(fields.string("cookie", 32_767).map(str::to_owned));
        }
    }

    /// An answer is to something that was asked, once; and the edge's own cookie is nobody else's.
    fn answered(&mut self, version: ProtocolVersion, kind: Option<Kind>, packet: &RawPacket<'_>) {
        let mut fields = Decoder::new(packet.fields);
        if kind == Some(Kind::KeepAlive) {
            let KeepAliveResponse { id } =
                KeepAliveResponse::decode(version, &mut fields).expect("it was read");
            let at = self.keep_alives.iter().position(|asked| *asked == id);
            self.keep_alives.remove(at.unwrap_or_else(|| panic!("keep-alive {id} wasn't asked")));
        } else {
            let key = fields.string("cookie", 32_767).expect("it was read");
            let at = self.cookies.iter().position(|asked| asked == key);
            self.cookies.remove(at.unwrap_or_else(|| panic!("cookie {key:?} wasn't asked for")));
            assert!(key != OWN_COOKIE || fields.rest() == [0], "a backend has the edge's own cookie");
        }
    }
}
