//! A target that a player is logged in at, and what it says before there is a world to go to.

use crate::forge;
use crate::logging_in::{Introduction, LoginError};
use crate::packets;
use crate::pending::Pending;
use drawbridge_net::Socket;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::{FrameReader, FrameWriter};
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::RawPacket;
use drawbridge_protocol::packet::play::CustomPayload;
use drawbridge_protocol::varint;
use drawbridge_protocol::wire::Decoder;
use std::collections::VecDeque;
use std::io;
use uuid::Uuid;

/// The most packets that a backend may say up to its Join Game, and their bytes.
const MOST_BEFORE: usize = 64;
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// A target that a player is logged in at.
#[derive(Debug)]
pub struct Backend {
    pub(crate) socket: Socket,
    pub(crate) reader: FrameReader,
    pub(crate) writer: FrameWriter,
    /// Some of what it said may have been read already.
    pub(crate) unread: bool,
    /// The state in which it takes packets.
    pub(crate) hears: State,
    /// The state that its packets belong to.
    pub(crate) speaks: State,
    pub(crate) asked: Asked,
    /// The resource packs that it has had the client load.
    pub(crate) packs: Vec<Uuid>,
    /// What it has said up to its Join Game, where the client is somewhere else the while.
    pub(crate) foreword: Option<Foreword>,
    /// Whether it can check what the player signs.
    pub(crate) signs: bool,
    /// Whether the client would shake hands with it as Forge of 1.7 to 1.12 does.
    shakes_hands: bool,
}

/// What a backend of a version without configuration says to a player who comes from another.
#[derive(Debug, Default)]
pub(crate) struct Foreword {
    /// How many packets have come, and their bytes.
    packets: usize,
    bytes: usize,
    /// Those before its Join Game.
    pub(crate) before: Vec<Vec<u8>>,
    /// The fields of its Join Game. `None`: it shakes hands with the client first.
    pub(crate) join: Option<Vec<u8>>,
}

impl Backend {
    /// One that has let a player in.
    pub(crate) fn new(
        socket: Socket,
        (reader, writer): (FrameReader, FrameWriter),
        introduction: &Introduction<'_>,
    ) -> Self {
        let version = introduction.version;
        let (hears, speaks) = if version.has_configuration() {
            (State::Login, State::Configuration)
        } else {
            (State::Play, State::Play)
        };
        Self {
            socket,
            reader,
            writer,
            unread: true,
            hears,
            speaks,
            asked: Asked::default(),
            packs: Vec::new(),
            foreword: None,
            signs: introduction.forwarding.tells_profile(),
            shakes_hands: forge::shakes_hands(version, introduction.host),
        }
    }

    /// Waits for the world of a target that a player comes to from another: up to 763 its Join Game, without which there is nothing to go to,
    /// or the first word of Forge's handshake.
    /// Since 764 there is nothing to wait for.
    ///
    /// # Errors
    /// See [`LoginError`].
    pub async fn arrive(&mut self, version: ProtocolVersion) -> Result<(), LoginError> {
        if version.has_configuration() {
            return Ok(());
        }
        let (mut read, mut foreword) = (Vec::new(), Foreword::default());
        while !self.take_foreword(version, &mut read, &mut foreword)? {
            if self.socket.read_with::<4096>(|bytes| read.extend_from_slice(bytes)).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
        self.foreword = Some(foreword);
        Ok(())
    }

    /// Takes what has come up to the Join Game; whether that was there.
    fn take_foreword(
        &mut self,
        version: ProtocolVersion,
        read: &mut Vec<u8>,
        foreword: &mut Foreword,
    ) -> Result<bool, LoginError> {
        let mut scratch = Vec::new();
        let mut frames = self.reader.frames(read);
        let joined = loop {
            let Some(frame) = frames.next_frame()? else { break false };
            foreword.packets += 1;
            foreword.bytes += frame.length();
            if foreword.packets > MOST_BEFORE || foreword.bytes > MOST_BYTES {
                return Err(LoginError::Unexpected(frame.id()));
            }
            let packet = frame.packet(&mut scratch)?;
            let kind = ids::kind(version, State::Play, Direction::Clientbound, packet.id);
            match kind {
                Some(Kind::Login) => {
                    foreword.join = Some(packet.fields.to_vec());
                    break true;
                }
                Some(Kind::KickDisconnect) => {
                    let words = packets::read_disconnect(version, State::Play, packet.fields);
                    return Err(LoginError::Kicked(Box::new(words)));
                }
                Some(Kind::Compress) => {
                    let threshold = Decoder::new(packet.fields).varint("threshold")?;
                    let threshold = usize::try_from(threshold).ok();
                    self.writer.set_compression(threshold);
                    frames.set_compression(threshold.is_some());
                }
                _ => {
                    let mut body = Vec::with_capacity(packet.fields.len() + 2);
                    varint::write(packet.id, &mut body);
                    body.extend_from_slice(packet.fields);
                    foreword.before.push(body);
                    if kind == Some(Kind::CustomPayload)
                        && self.shakes_hands
                        && begins_handshake(version, &packet)
                    {
                        break true;
                    }
                }
            }
        };
        drop(frames);
        read.clear();
        Ok(joined)
    }
}

fn begins_handshake(version: ProtocolVersion, packet: &RawPacket<'_>) -> bool {
    CustomPayload::read(version, packet.fields).is_ok_and(|payload| forge::is_handshake(&payload))
}

/// What a backend has asked the client and hasn't been answered yet: an answer that it didn't ask for would have it turn the player away.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) keep_alives: Pending<i64>,
    /// Cookies, by their keys.
    pub(crate) cookies: Vec<String>,
    /// Answers that are still to come about resource packs, by what names the pack.
    pub(crate) packs: Vec<Option<Uuid>>,
    /// How often it has asked which packs of data the client knows.
    pub(crate) known_packs: u32,
    /// Cookies of the edge's own, oldest first, with the state that the question belongs to: the edge says in the client's place that there is none.
    pub(crate) refused: VecDeque<(State, String)>,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            keep_alives: Pending::new(),
            cookies: Vec::new(),
            packs: Vec::new(),
            known_packs: 0,
            refused: VecDeque::new(),
        }
    }
}
