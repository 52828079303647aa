//! What a player types, and what else a client says of itself: chat, commands, completions, settings.

use super::{NAME, begin};
use crate::ids::{Direction, Kind, State};
use crate::version::ProtocolVersion;
use crate::wire::{DecodeError, Decoder};
use uuid::Uuid;

/// The most characters that are typed at once.
const TYPED: usize = 32_767;
/// The most signed arguments of a command; vanilla's bound.
const SIGNATURES: usize = 8;
/// The bytes of a signature since 761.
const SIGNATURE: usize = 256;
/// The longest signature before, and the longest of a key, in bytes.
const OLD_SIGNATURE: usize = 4_096;
/// The longest public key of a player, in bytes.
const KEY: usize = 512;
/// The most characters of a locale (`de_de`).
const LOCALE: usize = 16;

/// What a player typed into the chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Typed<'a> {
    /// What stands there; of a command, without the `/`.
    pub text: &'a str,
    /// Whether it is a command.
    pub is_command: bool,
    /// Whether it, or arguments of it, are signed. Such a packet must reach the server, or the next one that is signed costs the
    /// player the connection.
    pub is_signed: bool,
    /// How many messages the player has seen since the last acknowledgement (761 on). Who keeps the packet from the
    /// server says so in its place, by [`acknowledge`], unless it is 0.
    pub seen: i32,
}

impl<'a> Typed<'a> {
    /// Reads it from the front of the fields of a `chat` (up to 758), `chat_message`, `chat_command` (both since 759) or
    /// `chat_command_signed` (since 766). `None` for every other kind.
    ///
    /// # Errors
    /// When the fields aren't what the version prescribes, as far as they are read.
    pub fn read(version: ProtocolVersion, kind: Kind, fields: &'a [u8]) -> Result<Option<Self>, DecodeError> {
        let mut fields = Decoder::new(fields);
        match kind {
            Kind::Chat => {
                let text = fields.string("message", TYPED)?;
                let (text, is_command) = text.strip_prefix('/').map_or((text, false), |text| (text, true));
                Ok(Some(Self { text, is_command, is_signed: false, seen: 0 }))
            }
            Kind::ChatMessage => read_message(version, &mut fields).map(Some),
            Kind::ChatCommand | Kind::ChatCommandSigned => read_command(version, kind, &mut fields).map(Some),
            _ => Ok(None),
        }
    }
}

fn read_message<'a>(version: ProtocolVersion, fields: &mut Decoder<'a>) -> Result<Typed<'a>, DecodeError> {
    let text = fields.string("message", TYPED)?;
    fields.bytes("time and salt", 16)?;
    let (is_signed, seen) = if version >= ProtocolVersion::V1_19_3 {
        let signature = fields.option("signature", |fields| fields.bytes("signature", SIGNATURE))?;
        (signature.is_some(), fields.varint("seen messages")?)
    } else {
        (!fields.byte_array("signature", OLD_SIGNATURE)?.is_empty(), 0)
    };
    Ok(Typed { text, is_command: false, is_signed, seen })
}

fn read_command<'a>(
    version: ProtocolVersion,
    kind: Kind,
    fields: &mut Decoder<'a>,
) -> Result<Typed<'a>, DecodeError> {
    let text = fields.string("command", TYPED)?;
    let mut typed = Typed { text, is_command: true, is_signed: false, seen: 0 };
    if kind == Kind::ChatCommand && version >= ProtocolVersion::V1_20_5 {
        return Ok(typed);
    }
    fields.bytes("time and salt", 16)?;
    let has_fixed_size = version >= ProtocolVersion::V1_19_3;
    for _ in 0..fields.length("signatures", SIGNATURES)? {
        fields.byte_array("argument", NAME)?;
        if has_fixed_size {
            fields.bytes("signature", SIGNATURE)?;
            typed.is_signed = true;
        } else {
            // Clients without a key name the arguments too, with nothing for a signature.
            typed.is_signed |= !fields.byte_array("signature", OLD_SIGNATURE)?.is_empty();
        }
    }
    if has_fixed_size {
        typed.seen = fields.varint("seen messages")?;
    }
    Ok(typed)
}

/// Appends what says to a server how many messages the player has seen (`message_acknowledgement`), and whether it can be said:
/// since 761, but not in 776 and 777, whose id isn't known. Where it can't, what carries [`Typed::seen`] has to reach the server.
#[must_use]
pub fn acknowledge(version: ProtocolVersion, seen: i32, out: &mut Vec<u8>) -> bool {
    if version < ProtocolVersion::V1_19_3 {
        return false;
    }
    let kind = Kind::MessageAcknowledgement;
    let Some(mut out) = begin(version, State::Play, Direction::Serverbound, kind, out) else { return false };
    out.varint(seen);
    true
}

/// Player Session (`chat_session_update`), since 761: with which key the client signs from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatSession<'a> {
    /// Names the session.
    pub session: Uuid,
    /// Until when the key is good, in milliseconds since 1970.
    pub expires: i64,
    /// The public key, an X.509 SubjectPublicKeyInfo in DER.
    pub key: &'a [u8],
    /// Mojang's signature of the key, the time and the player's UUID.
    pub signature: &'a [u8],
}

impl<'a> ChatSession<'a> {
    /// Reads it from its fields.
    ///
    /// # Errors
    /// When they end too early, are too long, or bytes are left.
    pub fn read(fields: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Decoder::new(fields);
        let session = Self {
            session: fields.uuid("session")?,
            expires: fields.i64("expiry")?,
            key: fields.byte_array("key", KEY)?,
            signature: fields.byte_array("key signature", OLD_SIGNATURE)?,
        };
        fields.finish()?;
        Ok(session)
    }
}

/// Client Information (`settings`) as it came, to be said again to another server: the fields are the same in play and
/// configuration, the id isn't.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawClientInformation<'a> {
    /// The client's language, such as `de_de`; player-supplied.
    pub locale: &'a str,
    /// All fields, the locale among them.
    pub fields: &'a [u8],
}

impl<'a> RawClientInformation<'a> {
    /// Reads the locale, and leaves the rest to the server.
    ///
    /// # Errors
    /// When the locale isn't a short text.
    pub fn read(fields: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(Self { locale: Decoder::new(fields).string("locale", LOCALE)?, fields })
    }

    /// Appends it for this state, and says whether the version has it there.
    #[must_use]
    pub fn write(&self, version: ProtocolVersion, state: State, out: &mut Vec<u8>) -> bool {
        let Some(mut out) = begin(version, state, Direction::Serverbound, Kind::Settings, out) else {
            return false;
        };
        out.bytes(self.fields);
        true
    }
}
