//! The client's side: what it would say if it kept to the protocol, and what it is told.

use super::OWN_COOKIE;
use super::marks::Mark;
use super::wire::Wire;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::{FrameReader, FrameWriter};
use drawbridge_protocol::frame::MAX_FRAME;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::play::{KeepAlive, KeepAliveResponse};
use drawbridge_protocol::packet::{Packet as _, RawPacket, configuration};
use drawbridge_protocol::wire::Decoder;
use std::collections::VecDeque;
use std::os::unix::net::UnixStream;

/// See the module.
pub(super) struct ClientSide {
    version: ProtocolVersion,
    wire: Wire,
    reader: FrameReader,
    writer: FrameWriter,
    /// The state that what it is told belongs to.
    hears: State,
    /// The state that what it says belongs to, where it keeps to the protocol.
    pub(super) speaks: State,
    /// What it hasn't acknowledged, oldest first.
    due: VecDeque<Kind>,
    asked: VecDeque<i64>,
    /// How often it has acknowledged where it was brought, and how many keep-alives it has answered.
    followed: u32,
    /// How many marks it has said.
    said: u32,
    /// Whether it has acknowledged and answered nothing but what it was asked, in order.
    pub(super) keeps_order: bool,
    /// The backends' marks that it has been told.
    pub(super) marks: Vec<Mark>,
    pub(super) reads: bool,
}

impl ClientSide {
    pub(super) fn new(version: ProtocolVersion, stream: UnixStream, threshold: Option<usize>) -> Self {
        let (mut reader, mut writer) = (FrameReader::new(MAX_FRAME), FrameWriter::new());
        reader.set_compression(threshold.is_some());
        writer.set_compression(threshold);
        let configured = version.has_configuration();
        Self {
            version,
            wire: Wire::new(stream),
            reader,
            writer,
            hears: if configured { State::Configuration } else { State::Play },
            speaks: if configured { State::Login } else { State::Play },
            due: if configured { VecDeque::from([Kind::LoginAcknowledged]) } else { VecDeque::new() },
            asked: VecDeque::new(),
            followed: 0,
            said: 0,
            keeps_order: true,
            marks: Vec::new(),
            reads: true,
        }
    }

    /// Any packet, id and fields.
    pub(super) fn say(&mut self, body: &[u8]) {
        let kind = RawPacket::parse(body)
            .ok()
            .and_then(|packet| ids::kind(self.version, self.speaks, Direction::Serverbound, packet.id));
        self.keeps_order &= !matches!(
            kind,
            Some(
                Kind::LoginAcknowledged
                    | Kind::FinishConfiguration
                    | Kind::ConfigurationAcknowledged
                    | Kind::KeepAlive
            )
        );
        self.write(body);
    }

    fn write(&mut self, body: &[u8]) {
        self.writer.body(body).expect("a short packet");
        self.wire.send(self.writer.unsent());
        self.writer.discard();
    }

    /// Any bytes.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.keeps_order &= bytes.is_empty();
        self.wire.send(bytes);
    }

    /// Acknowledges the oldest that it was brought to.
    pub(super) fn acknowledge(&mut self) {
        let Some(kind) = self.due.pop_front() else { return };
        let id = ids::id(self.version, self.speaks, Direction::Serverbound, kind);
        self.speaks = if kind == Kind::FinishConfiguration { State::Play } else { State::Configuration };
        if let Some(id) = id {
            let mut body = Vec::new();
            drawbridge_protocol::varint::write(id, &mut body);
            self.write(&body);
            self.followed += 1;
        }
    }

    /// Says how far it has followed.
    pub(super) fn mark(&mut self) {
        let mark = Mark { of: self.followed, count: self.said };
        if let Some(body) = mark.body(self.version, self.speaks, Direction::Serverbound) {
            self.write(&body);
            self.said += 1;
        }
    }

    /// How far it has to follow until a backend that takes over now may be told what it says.
    pub(super) fn has_to_follow(&self) -> u32 {
        // It is brought into configuration first, or asked something by the edge: up to 763 behind all that was asked before.
        let asked = if self.version.has_configuration() { 0 } else { self.asked.len() };
        let due = self.due.len() + asked + 1;
        self.followed + u32::try_from(due).expect("a few")
    }

    /// Answers the oldest keep-alive.
    pub(super) fn answer(&mut self) {
        let Some(id) = self.asked.pop_front() else { return };
        let mut writer = std::mem::take(&mut self.writer);
        let written = match self.speaks {
            State::Play => writer.packet(self.version, &KeepAliveResponse { id }),
            _ => writer.packet(self.version, &configuration::KeepAliveResponse { id }),
        };
        if written.is_ok() {
            self.wire.send(writer.unsent());
            self.followed += 1;
        }
        writer.discard();
        self.writer = writer;
    }

    pub(super) fn flush(&mut self) {
        self.wire.flush();
    }

    pub(super) fn leave(&mut self) {
        self.wire.close();
    }

    /// Reads what it has been told; whether there was anything. `known`: nobody has said a packet that there is none of.
    pub(super) fn hear(&mut self, known: bool) -> bool {
        if !self.reads {
            return false;
        }
        let mut bytes = self.wire.receive();
        if bytes.is_empty() {
            return false;
        }
        let mut reader = std::mem::replace(&mut self.reader, FrameReader::new(MAX_FRAME));
        let (mut frames, mut scratch) = (reader.frames(&mut bytes), Vec::new());
        while let Some(frame) = frames.next_frame().expect("the client is sent frames") {
            let kind = ids::kind(self.version, self.hears, Direction::Clientbound, frame.id());
            assert!(kind.is_some() || !known, "the client is told {} in {:?}", frame.id(), self.hears);
            match kind {
                Some(Kind::StartConfiguration) => {
                    self.hears = State::Configuration;
                    self.due.push_back(Kind::ConfigurationAcknowledged);
                }
                Some(Kind::FinishConfiguration) => {
                    self.hears = State::Play;
                    self.due.push_back(Kind::FinishConfiguration);
                }
                Some(Kind::KeepAlive | Kind::CustomPayload | Kind::CookieRequest | Kind::StoreCookie) => {
                    if let Ok(packet) = frame.packet(&mut scratch) {
                        self.understand(kind, &packet);
                    }
                }
                _ => {}
            }
        }
        drop(frames);
        self.reader = reader;
        true
    }

    fn understand(&mut self, kind: Option<Kind>, packet: &RawPacket<'_>) {
        let mut fields = Decoder::new(packet.fields);
        match kind {
            Some(Kind::KeepAlive) => {
                self.asked.extend(KeepAlive::decode(self.version, &mut fields).map(|asked| asked.id));
            }
            Some(Kind::CustomPayload) => self.marks.extend(Mark::read(self.version, packet.fields)),
            _ => {
                let key = fields.string("cookie", 32_767);
                assert_ne!(key.ok(), Some(OWN_COOKIE), "a backend reaches for the edge's own cookie");
            }
        }
    }
}
