//! From Login Start to Login Acknowledged, in every version since 4 (Minecraft wiki, "Java Edition protocol/Packets" in its history; the
//! numbers are in the version's questions).

mod encryption;

use super::{IDENTIFIER, MAX_COOKIE, Packet, RawPacket, ToField as _, packets};
use crate::ids::{Direction, Kind, State};
use crate::profile::{
    NAME, PROPERTIES, PROPERTY_NAME, PROPERTY_SIGNATURE, PROPERTY_VALUE, Profile, Property,
};
use crate::version::ProtocolVersion;
use crate::wire::{DecodeError, Decoder, Encoder};
use encryption::RSA_BLOCK;
use uuid::Uuid;

pub use encryption::{EncryptionRequest, EncryptionResponse, TokenProof};

/// The longest signature of a player's key, in bytes, as vanilla reads it.
const KEY_SIGNATURE: usize = 4_096;
/// The most characters of a UUID that is written as text.
const UUID_TEXT: usize = 36;
/// The most characters of a text component in JSON.
const TEXT: usize = 262_144;

packets! {
    /// Login Acknowledged (`login_acknowledged`): configuration begins.
    Login Serverbound LoginAcknowledged => LoginAcknowledged {}

    /// Login Disconnect (`disconnect`).
    Login Clientbound Disconnect => LoginDisconnect {
        /// The reason, a text component as JSON in every version.
        reason: String = string(TEXT),
    }

    /// Set Compression (`compress`). Itself it still goes uncompressed.
    Login Clientbound Compress => SetCompression {
        /// Packets of at least so many bytes are compressed; negative: none.
        threshold: i32 = varint,
    }

    /// Cookie Request (`cookie_request`).
    Login Clientbound CookieRequest => CookieRequest {
        /// The cookie's identifier.
        key: String = string(IDENTIFIER),
    }
}

/// Login Start (`login_start`): a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginStart {
    /// The name that the client says it has; unchecked beyond its length.
    pub name: String,
    /// The UUID that the client says it has: optional in 760 to 763, always there since 764 (where `None` is written as the nil UUID).
    pub uuid: Option<Uuid>,
    /// The key that the client signs chat with, in 759 and 760.
    pub key: Option<PlayerKey>,
}

/// The key that a client of 759 or 760 signs chat with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerKey {
    /// Until when it is good, in milliseconds since 1970.
    pub expires: i64,
    /// An X.509 SubjectPublicKeyInfo in DER.
    pub public_key: Vec<u8>,
    /// By Mojang, over the rest.
    pub signature: Vec<u8>,
}

impl PlayerKey {
    /// Appends it in the form that all packets have it in.
    pub fn encode(&self, out: &mut Encoder<'_>) {
        out.i64(self.expires);
        out.byte_array(&self.public_key);
        out.byte_array(&self.signature);
    }

    /// Reads it.
    ///
    /// # Errors
    /// When a part is cut off or too long.
    pub fn decode(fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            expires: fields.i64("expiry")?,
            public_key: fields.byte_array("public key", RSA_BLOCK)?.to_vec(),
            signature: fields.byte_array("key signature", KEY_SIGNATURE)?.to_vec(),
        })
    }
}

impl Packet for LoginStart {
    const STATE: State = State::Login;
    const DIRECTION: Direction = Direction::Serverbound;
    const KIND: Kind = Kind::LoginStart;

    fn encode(&self, version: ProtocolVersion, out: &mut Encoder<'_>) {
        out.string(&self.name);
        if version.has_key_in_login() {
            out.option(self.key.as_ref(), |out, key| key.encode(out));
        }
        if version.has_configuration() {
            out.uuid(self.uuid.unwrap_or_default());
        } else if version.has_uuid_in_login() {
            out.option(self.uuid, Encoder::uuid);
        }
    }

    fn decode(version: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let name = fields.string("name", NAME)?.to_owned();
        let key = if version.has_key_in_login() { fields.option("key", PlayerKey::decode)? } else { None };
        let uuid = if version.has_configuration() {
            Some(fields.uuid("uuid")?)
        } else if version.has_uuid_in_login() {
            fields.option("uuid", |fields| fields.uuid("uuid"))?
        } else {
            None
        };
        Ok(Self { name, uuid, key })
    }
}

/// What every version's Login Start begins with.
///
/// The name stands first since 4; the UUID directly behind it since 764. Between 759 and 763 what stands there depends on the
/// version and is left unread, as is whatever a version that isn't known yet may add. Of a snapshot's number nobody can tell what the
/// packet looks like: there it is the UUID if exactly that much stands behind the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnyLoginStart {
    /// The name that the client says it has; unchecked beyond its length.
    pub name: String,
    /// The UUID that the client says it has, where its version says one at a known place.
    pub uuid: Option<Uuid>,
}

impl AnyLoginStart {
    /// Reads it from the first packet of a login.
    ///
    /// # Errors
    /// When it is another packet, or its fields are wrong.
    pub fn read(packet: &RawPacket<'_>, version: ProtocolVersion) -> Result<Self, DecodeError> {
        // It is the first of its state, and has been in all versions.
        if packet.id != 0 {
            return Err(DecodeError::Packet { id: packet.id, expected: Kind::LoginStart.name() });
        }
        let mut fields = Decoder::new(packet.fields);
        let name = fields.string("name", NAME)?.to_owned();
        let uuid = match version {
            snapshot if snapshot.is_snapshot() => Uuid::from_slice(fields.take_rest()).ok(),
            release if release.has_configuration() => Some(fields.uuid("uuid")?),
            _ => None,
        };
        Ok(Self { name, uuid })
    }
}

/// Login Plugin Request (`login_plugin_request`), since 393.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginPluginRequest {
    /// The answer has the same.
    pub message: i32,
    /// Whose question it is.
    pub channel: String,
    /// The question.
    pub data: Vec<u8>,
}

impl Packet for LoginPluginRequest {
    const STATE: State = State::Login;
    const DIRECTION: Direction = Direction::Clientbound;
    const KIND: Kind = Kind::LoginPluginRequest;

    fn encode(&self, _: ProtocolVersion, out: &mut Encoder<'_>) {
        out.varint(self.message);
        out.string(&self.channel);
        out.bytes(&self.data);
    }

    fn decode(_: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            message: fields.varint("message id")?,
            channel: fields.string("channel", IDENTIFIER)?.to_owned(),
            data: fields.take_rest().to_vec(),
        })
    }
}

/// Login Plugin Response (`login_plugin_response`), since 393.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginPluginResponse {
    /// That of the question.
    pub message: i32,
    /// The answer; `None`: the question isn't understood.
    pub data: Option<Vec<u8>>,
}

impl Packet for LoginPluginResponse {
    const STATE: State = State::Login;
    const DIRECTION: Direction = Direction::Serverbound;
    const KIND: Kind = Kind::LoginPluginResponse;

    fn encode(&self, _: ProtocolVersion, out: &mut Encoder<'_>) {
        out.varint(self.message);
        out.option(self.data.as_deref(), Encoder::bytes);
    }

    fn decode(_: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let message = fields.varint("message id")?;
        Ok(Self { message, data: fields.option("data", |fields| Ok(fields.take_rest().to_vec()))? })
    }
}

/// Login Success (`success`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginSuccess {
    /// Who the player is to be.
    pub profile: Profile,
    /// Sent since 776; ignored before.
    pub session_id: Uuid,
}

impl Packet for LoginSuccess {
    const STATE: State = State::Login;
    const DIRECTION: Direction = Direction::Clientbound;
    const KIND: Kind = Kind::Success;

    fn encode(&self, version: ProtocolVersion, out: &mut Encoder<'_>) {
        match version {
            ProtocolVersion::V1_7_2 => out.string(&self.profile.id.simple().to_string()),
            old if old.has_text_uuid() => out.string(&self.profile.id.to_string()),
            _ => out.uuid(self.profile.id),
        }
        out.string(&self.profile.name);
        if version.has_properties_in_login() {
            write_properties(&self.profile.properties, out);
        }
        if version.has_strict_error_handling() {
            out.bool(true);
        }
        if version.has_login_session_id() {
            out.uuid(self.session_id);
        }
    }

    fn decode(version: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let id = if version.has_text_uuid() {
            let text = fields.string("uuid", UUID_TEXT)?;
            Uuid::try_parse(text).map_err(|_| DecodeError::Value { field: "uuid", value: 0 })?
        } else {
            fields.uuid("uuid")?
        };
        let name = fields.string("name", NAME)?.to_owned();
        let properties =
            if version.has_properties_in_login() { read_properties(fields)? } else { Vec::new() };
        if version.has_strict_error_handling() {
            fields.bool("strict error handling")?;
        }
        let session_id =
            if version.has_login_session_id() { fields.uuid("session id")? } else { Uuid::nil() };
        Ok(Self { profile: Profile { id, name, properties }, session_id })
    }
}

/// Appends the properties of a profile: how many, and for each name, value and perhaps a signature.
pub fn write_properties(properties: &[Property], out: &mut Encoder<'_>) {
    out.length(properties.len());
    for property in properties {
        out.string(&property.name);
        out.string(&property.value);
        out.option(property.signature.as_deref(), Encoder::string);
    }
}

fn read_properties(fields: &mut Decoder<'_>) -> Result<Vec<Property>, DecodeError> {
    let count = fields.length("properties", PROPERTIES)?;
    (0..count).map(|_| read_property(fields)).collect()
}

fn read_property(fields: &mut Decoder<'_>) -> Result<Property, DecodeError> {
    Ok(Property {
        name: fields.string("property name", PROPERTY_NAME)?.to_owned(),
        value: fields.string("property value", PROPERTY_VALUE)?.to_owned(),
        signature: fields.option("property signature", |fields| {
            Ok(fields.string("property signature", PROPERTY_SIGNATURE)?.to_owned())
        })?,
    })
}

/// Cookie Response (`cookie_response`); the same fields in configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieResponse {
    /// The cookie that was asked for.
    pub key: String,
    /// What the client keeps under it, if anything; at most [`MAX_COOKIE`] bytes.
    pub payload: Option<Vec<u8>>,
}

impl Packet for CookieResponse {
    const STATE: State = State::Login;
    const DIRECTION: Direction = Direction::Serverbound;
    const KIND: Kind = Kind::CookieResponse;

    fn encode(&self, _: ProtocolVersion, out: &mut Encoder<'_>) {
        out.string(&self.key);
        out.option(self.payload.as_deref(), Encoder::byte_array);
    }

    fn decode(_: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            key: fields.string("cookie", IDENTIFIER)?.to_owned(),
            payload: fields
                .option("payload", |fields| Ok(fields.byte_array("payload", MAX_COOKIE)?.to_vec()))?,
        })
    }
}

#[cfg(test)]
mod tests;
