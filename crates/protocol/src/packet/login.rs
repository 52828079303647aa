//! From Login Start to Login Acknowledged, as spoken since 766; [`LoginDisconnect`] is right for every version since 4.

use super::{IDENTIFIER, MAX_COOKIE, Packet, RawPacket, ToField as _, packets};
use crate::ids::{Direction, Kind, State};
use crate::profile::{
    NAME, PROPERTIES, PROPERTY_NAME, PROPERTY_SIGNATURE, PROPERTY_VALUE, Profile, Property,
};
use crate::version::ProtocolVersion;
use crate::wire::{DecodeError, Decoder, Encoder};
use uuid::Uuid;

/// The longest result of an RSA operation that is read, in bytes: that of a 4,096-bit key.
const RSA_BLOCK: usize = 512;
/// The most characters of a text component in JSON.
const TEXT: usize = 262_144;

packets! {
    /// Login Start (`login_start`): a claim.
    Login Serverbound LoginStart => LoginStart {
        /// The name that the client says it has; unchecked beyond its length.
        name: String = string(NAME),
        /// The UUID that the client says it has.
        uuid: Uuid = uuid,
    }

    /// Encryption Response (`encryption_begin`).
    Login Serverbound EncryptionBegin => EncryptionResponse {
        /// The shared secret, encrypted to the server's public key.
        shared_secret: Vec<u8> = byte_array(RSA_BLOCK),
        /// The verify token, encrypted to the server's public key.
        verify_token: Vec<u8> = byte_array(RSA_BLOCK),
    }

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

/// Encryption Request (`encryption_begin`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptionRequest {
    /// Goes into the server hash; empty since 1.7.
    pub server_id: String,
    /// The server's public key, an X.509 SubjectPublicKeyInfo in DER.
    pub public_key: Vec<u8>,
    /// Random bytes that the client returns encrypted.
    pub verify_token: Vec<u8>,
    /// Whether the client is to tell the session server that it joins (since 766; before it always does).
    pub should_authenticate: bool,
}

impl Packet for EncryptionRequest {
    const STATE: State = State::Login;
    const DIRECTION: Direction = Direction::Clientbound;
    const KIND: Kind = Kind::EncryptionBegin;

    fn encode(&self, version: ProtocolVersion, out: &mut Encoder<'_>) {
        out.string(&self.server_id);
        out.byte_array(&self.public_key);
        out.byte_array(&self.verify_token);
        if version.has_transfer() {
            out.bool(self.should_authenticate);
        }
    }

    fn decode(version: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            server_id: fields.string("server id", 20)?.to_owned(),
            public_key: fields.byte_array("public key", RSA_BLOCK * 2)?.to_vec(),
            verify_token: fields.byte_array("verify token", RSA_BLOCK)?.to_vec(),
            should_authenticate: !version.has_transfer() || fields.bool("should authenticate")?,
        })
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
        out.uuid(self.profile.id);
        out.string(&self.profile.name);
        out.length(self.profile.properties.len());
        for property in &self.profile.properties {
            out.string(&property.name);
            out.string(&property.value);
            out.option(property.signature.as_deref(), Encoder::string);
        }
        if version.has_strict_error_handling() {
            out.bool(true);
        }
        if version.has_login_session_id() {
            out.uuid(self.session_id);
        }
    }

    fn decode(version: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let id = fields.uuid("uuid")?;
        let name = fields.string("name", NAME)?.to_owned();
        let count = fields.length("properties", PROPERTIES)?;
        let properties = (0..count).map(|_| read_property(fields)).collect::<Result<_, _>>()?;
        if version.has_strict_error_handling() {
            fields.bool("strict error handling")?;
        }
        let session_id =
            if version.has_login_session_id() { fields.uuid("session id")? } else { Uuid::nil() };
        Ok(Self { profile: Profile { id, name, properties }, session_id })
    }
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
mod tests {
    use super::*;

    /// A snapshot of 1.17 sends the name alone; its number is higher than that of any release.
    #[test]
    fn a_snapshots_login_start_is_read_by_what_it_holds() {
        let name = b"\x05Alice";
        let read = |behind: &[u8]| {
            let fields = [name, behind].concat();
            AnyLoginStart::read(&RawPacket { id: 0, fields: &fields }, ProtocolVersion(0x4000_000f)).unwrap()
        };
        for behind in [&[][..], &[0], &[0, 0], &[[1; 17], [2; 17]].concat()] {
            assert_eq!(read(behind), AnyLoginStart { name: "Alice".to_owned(), uuid: None });
        }
        assert_eq!(read(&[7; 16]).uuid, Some(Uuid::from_bytes([7; 16])));
        let release = AnyLoginStart::read(&RawPacket { id: 0, fields: name }, ProtocolVersion(777));
        assert!(release.is_err(), "a release has it or is wrong");
    }
}
