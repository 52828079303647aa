//! The login of a player at a target that authenticates nobody itself.
//!
//! What must stay true: whoever waits here has put a deadline on the target's socket; a target that doesn't ask to be told who the player is,
//! though it was agreed on, doesn't get the player; nothing is read further than Login Success, so that what follows is carried.

use crate::backend::Backend;
use crate::forwarding::{Forwarding, Traveller, VELOCITY};
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
use drawbridge_protocol::packet::{Packet, RawPacket};
use drawbridge_protocol::profile::Profile;
use drawbridge_protocol::stream::StreamError;
use drawbridge_protocol::text::Component;
use drawbridge_protocol::wire::DecodeError;
use std::io;
use std::time::Instant;
use thiserror::Error;

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

impl From<DecodeError> for LoginError {
    fn from(error: DecodeError) -> Self {
        Self::Protocol(error.into())
    }
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
        Backend::new(socket, (reader, writer), &introduction)
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
    Ok(packet.read(version)?)
}

/// The words of a kick in JSON; what isn't JSON is taken as it is.
fn words(json: &str) -> Component {
    Component::from_json_lenient(json).unwrap_or_else(|_| Component::text(json))
}
