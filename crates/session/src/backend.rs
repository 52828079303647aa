//! The login of a player at a target that authenticates nobody itself.
//!
//! What must stay true: whoever waits here has put a deadline on the target's socket; a target that doesn't ask to be told who the player is,
//! though it was agreed on, doesn't get the player; nothing is read further than Login Success, so that what follows is carried.

use crate::forge;
use crate::forwarding::{Forwarding, Traveller, VELOCITY};
use crate::packets;
use crate::pending::Pending;
use drawbridge_net::Socket;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::{FrameReader, FrameWriter};
use drawbridge_protocol::frame::MAX_FRAME;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::login::{
    CookieRequest, CookieResponse, LoginDisconnect, LoginPluginRequest, LoginPluginResponse, LoginStart,
    LoginSuccess, SetCompression,
};
use drawbridge_protocol::packet::play::CustomPayload;
use drawbridge_protocol::packet::{Packet, RawPacket};
use drawbridge_protocol::profile::Profile;
use drawbridge_protocol::stream::StreamError;
use drawbridge_protocol::text::Component;
use drawbridge_protocol::varint;
use drawbridge_protocol::wire::{DecodeError, Decoder};
use std::io;
use std::time::Instant;
use thiserror::Error;
use uuid::Uuid;

/// The most questions that a target may ask during a login. Forge asks for each of its registries.
const MOST_QUESTIONS: u32 = 1_024;

/// The longest packet of a login, and of all of them, in bytes when inflated. Vanilla takes questions of up to 1 MiB.
const LONGEST: usize = 2 * 1024 * 1024;
const MOST_IN_ALL: usize = 64 * 1024 * 1024;

/// What a target is told of a player who comes.
#[derive(Debug, Clone, Copy)]
pub struct Introduction<'a> {
    /// What the client speaks.
    pub version: ProtocolVersion,
    /// The host that the client typed, with what Forge has hung on it.
    pub host: &'a str,
    /// The port that the client connected to, as it thinks.
    pub port: u16,
    /// Who comes.
    pub traveller: Traveller<'a>,
    /// How the target is told.
    pub forwarding: &'a Forwarding,
}

/// Why a target didn't let a player in.
#[derive(Debug, Error)]
pub enum LoginError {
    /// The connection broke, or took too long.
    #[error(transparent)]
    Connection(#[from] io::Error),
    /// Something that isn't the protocol.
    #[error("it doesn't speak the protocol: {0}")]
    Protocol(#[from] StreamError),
    /// A packet that has no place in a login.
    #[error("it sent a packet that has no place in a login (id {0})")]
    Unexpected(i32),
    /// More questions than any login has.
    #[error("it asked more than {MOST_QUESTIONS} questions")]
    Questions,
    /// Longer packets than any login has.
    #[error("its packets are longer than those of a login are")]
    TooLong,
    /// It wants to authenticate the player itself.
    #[error("it authenticates players itself: a target of a session needs online-mode=false")]
    Authenticates,
    /// It let the player in without having asked who that is.
    #[error(
        "it doesn't ask for Velocity's forwarding: turn that on at the target, or choose another `forwarding`"
    )]
    Unasked,
    /// It turned the player away, with these words.
    #[error("it turned the player away: {}", .0.to_plain())]
    Kicked(Box<Component>),
}

/// What became of a login so far.
#[derive(Debug)]
pub enum Step {
    /// The target asks the client something, and waits for the answer.
    Asks(Question),
    /// The player is in, under this name and UUID.
    Welcomed(Profile),
}

/// A target's question to the client.
#[derive(Debug)]
pub enum Question {
    /// Of a plugin or a mod.
    Plugin(LoginPluginRequest),
    /// For a cookie.
    Cookie(CookieRequest),
}

/// A login under way.
#[derive(Debug)]
pub struct LoggingIn<'a> {
    socket: Socket,
    reader: FrameReader,
    writer: FrameWriter,
    introduction: Introduction<'a>,
    /// Whether the target has been told who comes in an answer.
    told: bool,
    questions: u32,
    /// Bytes of its packets so far.
    heard: usize,
}

impl<'a> LoggingIn<'a> {
    /// At the other end of `socket`, which has been told nothing yet.
    ///
    /// # Errors
    /// When the version has no such login.
    pub fn begin(socket: Socket, introduction: Introduction<'a>) -> Result<Self, LoginError> {
        let Introduction { version, host, port, traveller, forwarding } = introduction;
        let mut writer = FrameWriter::new();
        let host = forwarding.host(host, &traveller);
        writer.packet(version, &Handshake { version, host, port, intent: Intent::Login })?;
        writer.packet(
            version,
            &LoginStart {
                name: traveller.profile.name.clone(),
                uuid: Some(traveller.profile.id),
                key: traveller.key.cloned(),
            },
        )?;
        let reader = FrameReader::new(MAX_FRAME);
        Ok(Self { socket, reader, writer, introduction, told: false, questions: 0, heard: 0 })
    }

    /// The target may take until then for what is left.
    pub fn set_deadline(&mut self, deadline: Instant) {
        self.socket.set_deadline(deadline);
    }

    /// Goes on until something has to be decided.
    ///
    /// # Errors
    /// See [`LoginError`].
    pub async fn next(&mut self) -> Result<Step, LoginError> {
        let mut read = Vec::new();
        loop {
            if let Some(step) = self.take(&mut read)? {
                return Ok(step);
            }
            self.flush().await?;
            if self.socket.read_with::<4096>(|bytes| read.extend_from_slice(bytes)).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }

    /// Answers a plugin's question.
    ///
    /// # Errors
    /// When the version has no such answer.
    pub fn answer_plugin(&mut self, answer: &LoginPluginResponse) -> Result<(), LoginError> {
        Ok(self.writer.packet(self.introduction.version, answer)?)
    }

    /// Answers a question for a cookie.
    ///
    /// # Errors
    /// When the version has no such answer.
    pub fn answer_cookie(&mut self, answer: &CookieResponse) -> Result<(), LoginError> {
        Ok(self.writer.packet(self.introduction.version, answer)?)
    }

    /// The player is in: what follows is carried.
    #[must_use]
    pub fn welcomed(self) -> Backend {
        let Self { socket, reader, writer, introduction, .. } = self;
        let begins = if introduction.version.has_configuration() { State::Login } else { State::Play };
        let speaks =
            if introduction.version.has_configuration() { State::Configuration } else { State::Play };
        let (asked, packs) = (Asked::default(), Vec::new());
        Backend {
            socket,
            reader,
            writer,
            hears: begins,
            speaks,
            asked,
            packs,
            arrival: None,
            signs: introduction.forwarding.tells_profile(),
            shakes_hands: forge::shakes_hands(introduction.version, introduction.host),
            unread: true,
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        while !self.writer.is_empty() {
            let written = self.socket.write(self.writer.unsent()).await?;
            self.writer.sent(written);
        }
        Ok(())
    }

    /// Deals with the frames that are there, up to the first that decides something; `read` has come meanwhile.
    fn take(&mut self, read: &mut Vec<u8>) -> Result<Option<Step>, LoginError> {
        let version = self.introduction.version;
        let mut scratch = Vec::new();
        let mut frames = self.reader.frames(read);
        let mut step = None;
        while step.is_none() {
            let Some(frame) = frames.next_frame()? else { break };
            self.heard += frame.length();
            if frame.length() > LONGEST || self.heard > MOST_IN_ALL {
                return Err(LoginError::TooLong);
            }
            let kind = ids::kind(version, State::Login, Direction::Clientbound, frame.id());
            let packet = frame.packet(&mut scratch)?;
            match kind {
                Some(Kind::Compress) => {
                    let SetCompression { threshold } = read_packet(&packet, version)?;
                    let threshold = usize::try_from(threshold).ok();
                    self.writer.set_compression(threshold);
                    frames.set_compression(threshold.is_some());
                }
                Some(Kind::LoginPluginRequest) => {
                    let request: LoginPluginRequest = read_packet(&packet, version)?;
                    let Introduction { traveller, forwarding, .. } = &self.introduction;
                    let ours = (request.channel == VELOCITY)
                        .then(|| forwarding.answer(&request.data, version, traveller))
                        .flatten();
                    match ours {
                        Some(answer) => {
                            self.told = true;
                            let answer = LoginPluginResponse { message: request.message, data: Some(answer) };
                            self.writer.packet(version, &answer)?;
                        }
                        None => step = Some(Step::Asks(Question::Plugin(request))),
                    }
                }
                Some(Kind::CookieRequest) => {
                    step = Some(Step::Asks(Question::Cookie(read_packet(&packet, version)?)));
                }
                Some(Kind::Success) => {
                    if matches!(self.introduction.forwarding, Forwarding::Velocity(_)) && !self.told {
                        return Err(LoginError::Unasked);
                    }
                    step = Some(Step::Welcomed(read_packet::<LoginSuccess>(&packet, version)?.profile));
                }
                Some(Kind::EncryptionBegin) => return Err(LoginError::Authenticates),
                Some(Kind::Disconnect) => {
                    let LoginDisconnect { reason } = read_packet(&packet, version)?;
                    return Err(LoginError::Kicked(Box::new(words(&reason))));
                }
                _ => return Err(LoginError::Unexpected(frame.id())),
            }
            self.questions += 1;
            if self.questions > MOST_QUESTIONS {
                return Err(LoginError::Questions);
            }
        }
        drop(frames);
        read.clear();
        Ok(step)
    }
}

fn read_packet<P: Packet>(packet: &RawPacket<'_>, version: ProtocolVersion) -> Result<P, LoginError> {
    packet.read(version).map_err(|error: DecodeError| StreamError::from(error).into())
}

/// The words of a kick in JSON; what isn't JSON is taken as it is.
pub(crate) fn words(json: &str) -> Component {
    Component::from_json_lenient(json).unwrap_or_else(|_| Component::text(json))
}

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
    pub(crate) arrival: Option<Arrival>,
    /// Whether it can check what the player signs.
    pub(crate) signs: bool,
    /// Whether the client would shake hands with it as Forge of 1.7 to 1.12 does.
    shakes_hands: bool,
}

/// What a backend of a version without configuration says to a player who comes from another.
#[derive(Debug, Default)]
pub(crate) struct Arrival {
    /// How many packets have come, and their bytes.
    packets: usize,
    bytes: usize,
    /// Those before its Join Game.
    pub(crate) before: Vec<Vec<u8>>,
    /// The fields of its Join Game. `None`: it shakes hands with the client first.
    pub(crate) join: Option<Vec<u8>>,
}

/// The most packets that a backend may say up to its Join Game, and their bytes.
const MOST_BEFORE: usize = 64;
const MOST_BYTES: usize = 4 * 1024 * 1024;

impl Backend {
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
        let (mut read, mut arrival) = (Vec::new(), Arrival::default());
        while !self.take_arrival(version, &mut read, &mut arrival)? {
            if self.socket.read_with::<4096>(|bytes| read.extend_from_slice(bytes)).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
        self.arrival = Some(arrival);
        Ok(())
    }

    /// Takes what has come up to the Join Game; whether that was there.
    fn take_arrival(
        &mut self,
        version: ProtocolVersion,
        read: &mut Vec<u8>,
        arrival: &mut Arrival,
    ) -> Result<bool, LoginError> {
        let mut scratch = Vec::new();
        let mut frames = self.reader.frames(read);
        let joined = loop {
            let Some(frame) = frames.next_frame()? else { break false };
            arrival.packets += 1;
            arrival.bytes += frame.length();
            if arrival.packets > MOST_BEFORE || arrival.bytes > MOST_BYTES {
                return Err(LoginError::Unexpected(frame.id()));
            }
            let packet = frame.packet(&mut scratch)?;
            let kind = ids::kind(version, State::Play, Direction::Clientbound, packet.id);
            match kind {
                Some(Kind::Login) => {
                    arrival.join = Some(packet.fields.to_vec());
                    break true;
                }
                Some(Kind::KickDisconnect) => {
                    let words = packets::read_disconnect(version, State::Play, packet.fields);
                    return Err(LoginError::Kicked(Box::new(words)));
                }
                Some(Kind::Compress) => {
                    let threshold =
                        Decoder::new(packet.fields).varint("threshold").map_err(StreamError::from)?;
                    let threshold = usize::try_from(threshold).ok();
                    self.writer.set_compression(threshold);
                    frames.set_compression(threshold.is_some());
                }
                _ => {
                    let mut body = Vec::with_capacity(packet.fields.len() + 2);
                    varint::write(packet.id, &mut body);
                    body.extend_from_slice(packet.fields);
                    arrival.before.push(body);
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
}

impl Default for Asked {
    fn default() -> Self {
        Self { keep_alives: Pending::new(), cookies: Vec::new(), packs: Vec::new(), known_packs: 0 }
    }
}
