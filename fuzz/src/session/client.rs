//! The client's side: what it would say if it kept to the protocol, and what it is told.

use super::wire::Wire;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::{FrameReader, FrameWriter};
use drawbridge_protocol::frame::MAX_FRAME;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::play::{CustomPayload, KeepAlive, KeepAliveResponse};
use drawbridge_protocol::packet::{Packet as _, RawPacket, configuration};
use drawbridge_protocol::wire::Decoder;
use std::collections::VecDeque;
use std::os::unix::net::UnixStream;

/// What stands before the number of a backend in the channel of its marks.
pub(super) const MARK: &str = "mark:";

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
    /// The backend whose mark came last.
    marked: u32,
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
            marked: 0,
            reads: true,
        }
    }

    /// A packet, id and fields.
    pub(super) fn say(&mut self, body: &[u8]) {
        self.writer.body(body).expect("a short packet");
        self.wire.send(self.writer.unsent());
        self.writer.discard();
    }

    /// Any bytes.
    pub(super) fn send(&mut self, bytes: &[u8]) {
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
            self.say(&body);
        }
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

    /// Reads what it has been told; whether there was anything.
    pub(super) fn hear(&mut self) -> bool {
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
            match kind {
                Some(Kind::StartConfiguration) => {
                    self.hears = State::Configuration;
                    self.due.push_back(Kind::ConfigurationAcknowledged);
                }
                Some(Kind::FinishConfiguration) => {
                    self.hears = State::Play;
                    self.due.push_back(Kind::FinishConfiguration);
                }
                Some(Kind::KeepAlive | Kind::CustomPayload) => {
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
        if kind == Some(Kind::KeepAlive) {
            if let Ok(KeepAlive { id }) = KeepAlive::decode(self.version, &mut Decoder::new(packet.fields)) {
                self.asked.push_back(id);
            }
            return;
        }
        let Ok(payload) = CustomPayload::read(self.version, packet.fields) else { return };
        if let Some(number) = payload.channel.strip_prefix(MARK).and_then(|number| number.parse().ok()) {
            assert!(number >= self.marked, "backend {number} is heard behind backend {}", self.marked);
            self.marked = number;
        }
    }
}
