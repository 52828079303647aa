//! From Login Start to Login Acknowledged, in every version since 4 (Minecraft wiki, "Java Edition protocol/Packets" in its history; the
//! numbers are in the version's questions).

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

/// Encryption Response (`encryption_begin`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptionResponse {
    /// The shared secret, encrypted to the server's public key.
    pub shared_secret: Vec<u8>,
    /// What shows that the client has got the verify token.
    pub token: TokenProof,
}

/// How a client shows that it has got the verify token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenProof {
    /// It returns it, encrypted to the server's public key.
    Encrypted(Vec<u8>),
    /// It signs it, and the salt, with the key of its Login Start, in 759 and 760.
    Signed {
        /// Stands behind the token in what is signed.
        salt: i64,
        /// SHA-256 with RSA.
        signature: Vec<u8>,
    },
}

impl Packet for EncryptionResponse {
    const STATE: State = State::Login;
    const DIRECTION: Direction = Direction::Serverbound;
    const KIND: Kind = Kind::EncryptionBegin;

    /// A signature is written where the version has none as the token that it is none of: nobody takes it.
    fn encode(&self, version: ProtocolVersion, out: &mut Encoder<'_>) {
        write_array(version, &self.shared_secret, out);
        let signed = version.has_key_in_login();
        match &self.token {
            TokenProof::Signed { salt, signature } if signed => {
                out.bool(false);
                out.i64(*salt);
                out.byte_array(signature);
            }
            TokenProof::Encrypted(token) | TokenProof::Signed { signature: token, .. } => {
                if signed {
                    out.bool(true);
                }
                write_array(version, token, out);
            }
        }
    }

    fn decode(version: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let shared_secret = read_array(version, "shared secret", RSA_BLOCK, fields)?;
        let token = if version.has_key_in_login() && !fields.bool("has verify token")? {
            let salt = fields.i64("salt")?;
            TokenProof::Signed { salt, signature: fields.byte_array("signature", RSA_BLOCK)?.to_vec() }
        } else {
            TokenProof::Encrypted(read_array(version, "verify token", RSA_BLOCK, fields)?)
        };
        Ok(Self { shared_secret, token })
    }
}

/// An array of login's: its length has 16 bits before 47.
fn write_array(version: ProtocolVersion, array: &[u8], out: &mut Encoder<'_>) {
    if version.has_short_arrays() {
        // Longer ones are cut, which nobody takes either: what is read is at most 1,024 bytes long.
        let length = u16::try_from(array.len()).unwrap_or(u16::MAX);
        out.u16(length);
        out.bytes(&array[..length.into()]);
    } else {
        out.byte_array(array);
    }
}

fn read_array(
    version: ProtocolVersion,
    field: &'static str,
    bound: usize,
    fields: &mut Decoder<'_>,
) -> Result<Vec<u8>, DecodeError> {
    if !version.has_short_arrays() {
        return Ok(fields.byte_array(field, bound)?.to_vec());
    }
    let length = usize::from(fields.u16(field)?);
    if length > bound {
        return Err(DecodeError::Length { field, length: length as i64, bound });
    }
    Ok(fields.bytes(field, length)?.to_vec())
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
        write_array(version, &self.public_key, out);
        write_array(version, &self.verify_token, out);
        if version.has_transfer() {
            out.bool(self.should_authenticate);
        }
    }

    fn decode(version: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            server_id: fields.string("server id", 20)?.to_owned(),
            public_key: read_array(version, "public key", RSA_BLOCK * 2, fields)?,
            verify_token: read_array(version, "verify token", RSA_BLOCK, fields)?,
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

    fn written(version: i32, packet: &impl Packet) -> Vec<u8> {
        let mut out = Vec::new();
        packet.encode(ProtocolVersion(version), &mut Encoder::new(&mut out));
        out
    }

    fn read<P: Packet>(version: i32, bytes: &[u8]) -> P {
        let mut fields = Decoder::new(bytes);
        let packet = P::decode(ProtocolVersion(version), &mut fields).unwrap();
        fields.finish().unwrap();
        packet
    }

    #[test]
    fn login_start_has_each_versions_fields() {
        let uuid = Uuid::from_u128(7);
        let start = LoginStart { name: "A".into(), uuid: Some(uuid), key: None };
        let bytes = uuid.into_bytes();
        assert_eq!(written(47, &start), b"\x01A");
        assert_eq!(written(758, &start), b"\x01A");
        assert_eq!(written(759, &start), b"\x01A\0");
        assert_eq!(written(760, &start), [&b"\x01A\0\x01"[..], &bytes].concat());
        assert_eq!(written(763, &start), [&b"\x01A\x01"[..], &bytes].concat());
        assert_eq!(written(764, &start), [&b"\x01A"[..], &bytes].concat());
        for version in [760, 763, 764, 777] {
            assert_eq!(read::<LoginStart>(version, &written(version, &start)), start);
        }
        let key = PlayerKey { expires: 5, public_key: b"key".into(), signature: b"s".into() };
        let start = LoginStart { uuid: None, key: Some(key), ..start };
        assert_eq!(written(759, &start), b"\x01A\x01\0\0\0\0\0\0\0\x05\x03key\x01s");
        assert_eq!(read::<LoginStart>(759, &written(759, &start)), start);
    }

    #[test]
    fn keys_and_tokens_have_short_lengths_before_47() {
        let request: EncryptionRequest = read(5, b"\0\0\x03key\0\x02to");
        let (key, token) = (request.public_key.as_slice(), request.verify_token.as_slice());
        assert_eq!((key, token), (&b"key"[..], &b"to"[..]));
        assert!(request.should_authenticate);
        assert_eq!(written(5, &request), b"\0\0\x03key\0\x02to");
        let token = TokenProof::Encrypted(b"t".into());
        let response = EncryptionResponse { shared_secret: b"se".into(), token };
        for (version, bytes) in [
            (5, &b"\0\x02se\0\x01t"[..]),
            (47, b"\x02se\x01t"),
            (760, b"\x02se\x01\x01t"),
            (761, b"\x02se\x01t"),
        ] {
            assert_eq!(written(version, &response), bytes, "{version}");
            assert_eq!(read::<EncryptionResponse>(version, bytes), response, "{version}");
        }
        let token = TokenProof::Signed { salt: 1, signature: b"sign".into() };
        let signed = EncryptionResponse { shared_secret: b"se".into(), token };
        let bytes = b"\x02se\0\0\0\0\0\0\0\0\x01\x04sign";
        assert_eq!((written(759, &signed), read::<EncryptionResponse>(759, bytes)), (bytes.to_vec(), signed));
    }

    #[test]
    fn login_success_knows_all_forms_of_a_uuid() {
        let id = Uuid::from_u128(0xb50a_d385_829d_3141_a216_7e7d_7539_ba7f);
        let profile = Profile { id, name: "Notch".into(), properties: Vec::new() };
        let success = LoginSuccess { profile, session_id: Uuid::nil() };
        let short = b"\x20b50ad385829d3141a2167e7d7539ba7f\x05Notch";
        let text = b"\x24b50ad385-829d-3141-a216-7e7d7539ba7f\x05Notch";
        let binary = [id.as_bytes(), &b"\x05Notch"[..]].concat();
        for (version, bytes) in
            [(4, &short[..]), (5, &text[..]), (578, &text[..]), (735, &binary), (758, &binary)]
        {
            assert_eq!(written(version, &success), bytes, "{version}");
            assert_eq!(read::<LoginSuccess>(version, bytes), success, "{version}");
        }
    }

    #[test]
    fn questions_of_plugins_are_answered_or_not() {
        let request: LoginPluginRequest = read(393, b"\x05\x03a:bdata");
        assert_eq!((request.message, &*request.channel, &*request.data), (5, "a:b", &b"data"[..]));
        assert_eq!(written(393, &LoginPluginResponse { message: 5, data: None }), b"\x05\0");
        let answer = LoginPluginResponse { message: 5, data: Some(b"x".into()) };
        assert_eq!(
            (written(393, &answer), read::<LoginPluginResponse>(393, b"\x05\x01x")),
            (b"\x05\x01x".to_vec(), answer)
        );
    }
}
