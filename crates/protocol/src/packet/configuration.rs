//! What the edge says and hears in configuration, since 766. Texts are NBT here; see [`crate::text`].

use super::{IDENTIFIER, MAX_COOKIE, Packet, ToField as _, packets};
use crate::ids::{Direction, Kind, State};
use crate::text::Component;
use crate::version::ProtocolVersion;
use crate::wire::{DecodeError, Decoder, Encoder};
use uuid::Uuid;

/// The most characters of a locale (`de_de`).
const LOCALE: usize = 16;
/// The most characters of a text component in JSON.
const TEXT: usize = 262_144;
/// The most characters of a host in a Transfer packet.
const HOST: usize = 32_767;

packets! {
    /// Keep Alive (`keep_alive`), towards the client.
    Configuration Clientbound KeepAlive => KeepAlive {
        /// The client returns it.
        id: i64 = i64,
    }

    /// Keep Alive (`keep_alive`), the client's answer.
    Configuration Serverbound KeepAlive => KeepAliveResponse {
        /// What was sent.
        id: i64 = i64,
    }

    /// Store Cookie (`store_cookie`).
    Configuration Clientbound StoreCookie => StoreCookie {
        /// The cookie's identifier.
        key: String = string(IDENTIFIER),
        /// At most [`MAX_COOKIE`] bytes.
        payload: Vec<u8> = byte_array(MAX_COOKIE),
    }

    /// Finish Configuration (`finish_configuration`), towards the client.
    Configuration Clientbound FinishConfiguration => FinishConfiguration {}
}

/// Client Information (`settings`), as far as anybody here needs it: the rest of its fields is checked in shape and dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientInformation {
    /// The client's language, such as `de_de`; player-supplied.
    pub locale: String,
}

impl Packet for ClientInformation {
    const STATE: State = State::Configuration;
    const DIRECTION: Direction = Direction::Serverbound;
    const KIND: Kind = Kind::Settings;

    /// Vanilla's defaults stand for the fields that are dropped when reading.
    fn encode(&self, version: ProtocolVersion, out: &mut Encoder<'_>) {
        out.string(&self.locale);
        out.u8(12); // view distance
        out.varint(0); // chat mode: enabled
        out.bool(true); // chat colours
        out.u8(0x7f); // displayed skin parts: all
        out.varint(1); // main hand: right
        out.bool(false); // text filtering
        out.bool(true); // allow server listings
        if version.has_particle_status() {
            out.varint(0); // particle status: all
        }
    }

    fn decode(version: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let locale = fields.string("locale", LOCALE)?.to_owned();
        fields.u8("view distance")?;
        fields.varint("chat mode")?;
        fields.bool("chat colours")?;
        fields.u8("displayed skin parts")?;
        fields.varint("main hand")?;
        fields.bool("text filtering")?;
        fields.bool("allow server listings")?;
        if version.has_particle_status() {
            fields.varint("particle status")?;
        }
        Ok(Self { locale })
    }
}

/// Transfer (`transfer`): the client goes to another server, and says intent 3 there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// A host name or an IP address.
    pub host: String,
    /// With 25565 the client asks for an SRV record of the host first.
    pub port: u16,
}

impl Packet for Transfer {
    const STATE: State = State::Configuration;
    const DIRECTION: Direction = Direction::Clientbound;
    const KIND: Kind = Kind::Transfer;

    fn encode(&self, _: ProtocolVersion, out: &mut Encoder<'_>) {
        out.string(&self.host);
        out.varint(self.port.into());
    }

    fn decode(_: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let host = fields.string("host", HOST)?.to_owned();
        let port = fields.varint("port")?;
        let port =
            u16::try_from(port).map_err(|_| DecodeError::Value { field: "port", value: port.into() })?;
        Ok(Self { host, port })
    }
}

/// Disconnect (`disconnect`).
#[derive(Debug, Clone, PartialEq)]
pub struct Disconnect {
    /// What the player reads.
    pub reason: Component,
}

impl Packet for Disconnect {
    const STATE: State = State::Configuration;
    const DIRECTION: Direction = Direction::Clientbound;
    const KIND: Kind = Kind::Disconnect;

    fn encode(&self, version: ProtocolVersion, out: &mut Encoder<'_>) {
        // In 764 alone texts are JSON here too.
        if version.has_nbt_text() {
            return self.reason.to_nbt(version, out.buffer());
        }
        let mut json = String::new();
        self.reason.to_json(version, &mut json);
        out.string(&json);
    }

    fn decode(version: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        if version.has_nbt_text() {
            return Ok(Self { reason: read_text("reason", fields)? });
        }
        let json = fields.string("reason", TEXT)?;
        let reason = Component::from_json_lenient(json);
        Ok(Self { reason: reason.map_err(|_| DecodeError::Value { field: "reason", value: 0 })? })
    }
}

pub(super) fn read_text(field: &'static str, fields: &mut Decoder<'_>) -> Result<Component, DecodeError> {
    let (reason, size) =
        Component::from_nbt(fields.rest()).map_err(|_| DecodeError::Value { field, value: 0 })?;
    fields.bytes(field, size)?;
    Ok(reason)
}

/// Add Resource Pack (`add_resource_pack`).
#[derive(Debug, Clone, PartialEq)]
pub struct AddResourcePack {
    /// Names the pack in the client's answers.
    pub id: Uuid,
    /// Where the client loads it from.
    pub url: String,
    /// SHA-1 of the file in 40 hexadecimal digits, or empty.
    pub hash: String,
    /// Whether the client must take it to stay.
    pub forced: bool,
    /// What the player reads when asked.
    pub prompt: Option<Component>,
}

impl Packet for AddResourcePack {
    const STATE: State = State::Configuration;
    const DIRECTION: Direction = Direction::Clientbound;
    const KIND: Kind = Kind::AddResourcePack;

    fn encode(&self, version: ProtocolVersion, out: &mut Encoder<'_>) {
        out.uuid(self.id);
        out.string(&self.url);
        out.string(&self.hash);
        out.bool(self.forced);
        out.option(self.prompt.as_ref(), |out, prompt| prompt.to_nbt(version, out.buffer()));
    }

    fn decode(_: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            id: fields.uuid("id")?,
            url: fields.string("url", 32_767)?.to_owned(),
            hash: fields.string("hash", 40)?.to_owned(),
            forced: fields.bool("forced")?,
            prompt: fields.option("prompt", |fields| read_text("prompt", fields))?,
        })
    }
}

/// What a client says of a resource pack (`result` of Resource Pack Response).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackResult {
    /// 0: loaded and in use.
    Loaded,
    /// 1: the player said no.
    Declined,
    /// 2: the download failed.
    DownloadFailed,
    /// 3: the player said yes; more follows.
    Accepted,
    /// 4: downloaded; more follows.
    Downloaded,
    /// 5: the URL can't be read.
    InvalidUrl,
    /// 6: it couldn't be applied.
    ReloadFailed,
    /// 7: removed before it was applied.
    Discarded,
}

impl PackResult {
    /// All of them, by their numbers.
    pub const ALL: [Self; 8] = [
        Self::Loaded,
        Self::Declined,
        Self::DownloadFailed,
        Self::Accepted,
        Self::Downloaded,
        Self::InvalidUrl,
        Self::ReloadFailed,
        Self::Discarded,
    ];

    pub(super) fn read(fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let number = fields.varint("result")?;
        let result = usize::try_from(number).ok().and_then(|index| Self::ALL.get(index).copied());
        result.ok_or(DecodeError::Value { field: "result", value: number.into() })
    }

    /// Whether nothing more is to come about the pack.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Accepted | Self::Downloaded)
    }
}

/// Resource Pack Response (`resource_pack_receive`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePackResponse {
    /// Which pack.
    pub id: Uuid,
    /// What became of it.
    pub result: PackResult,
}

impl Packet for ResourcePackResponse {
    const STATE: State = State::Configuration;
    const DIRECTION: Direction = Direction::Serverbound;
    const KIND: Kind = Kind::ResourcePackReceive;

    fn encode(&self, _: ProtocolVersion, out: &mut Encoder<'_>) {
        out.uuid(self.id);
        out.varint(self.result as i32);
    }

    fn decode(_: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { id: fields.uuid("id")?, result: PackResult::read(fields)? })
    }
}
