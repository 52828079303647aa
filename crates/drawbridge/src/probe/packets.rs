//! Login packets of the versions before those that the `protocol` crate reads and writes itself (Minecraft wiki, "Java
//! Edition protocol/Packets" in its history; the numbers are in the version's questions).

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::packet::Packet as _;
use drawbridge_protocol::packet::login::{EncryptionRequest, EncryptionResponse, LoginStart, LoginSuccess};
use drawbridge_protocol::profile::Profile;
use drawbridge_protocol::wire::{DecodeError, Decoder, Encoder};
use uuid::Uuid;

/// The longest key or token that is read, in bytes.
const ARRAY: usize = 1_024;

/// Login Start: the name alone before 759, which added the player's chat key; 760 added the UUID, 761 dropped the key
/// and 764 made the UUID a must.
pub(super) fn write_login_start(version: ProtocolVersion, start: &LoginStart, out: &mut Encoder<'_>) {
    if version >= ProtocolVersion::V1_20_2 {
        return start.encode(version, out);
    }
    out.string(&start.name);
    if version == ProtocolVersion::V1_19 || version == ProtocolVersion::V1_19_1 {
        out.bool(false);
    }
    if version >= ProtocolVersion::V1_19_1 {
        out.option(Some(start.uuid), Encoder::uuid);
    }
}

/// Encryption Request: arrays have 16-bit lengths before 47.
pub(super) fn read_encryption_request(
    version: ProtocolVersion,
    fields: &mut Decoder<'_>,
) -> Result<EncryptionRequest, DecodeError> {
    if version >= ProtocolVersion::V1_8 {
        return EncryptionRequest::decode(version, fields);
    }
    let server_id = fields.string("server id", 20)?.to_owned();
    let public_key = read_short_array("public key", fields)?;
    let verify_token = read_short_array("verify token", fields)?;
    Ok(EncryptionRequest { server_id, public_key, verify_token, should_authenticate: true })
}

fn read_short_array(field: &'static str, fields: &mut Decoder<'_>) -> Result<Vec<u8>, DecodeError> {
    let length = usize::from(fields.u16(field)?);
    if length > ARRAY {
        return Err(DecodeError::Length { field, length: length as i64, bound: ARRAY });
    }
    Ok(fields.bytes(field, length)?.to_vec())
}

/// Encryption Response: 16-bit lengths before 47; 759 and 760 say first that it is the token, not a signature.
pub(super) fn write_encryption_response(
    version: ProtocolVersion,
    response: &EncryptionResponse,
    out: &mut Encoder<'_>,
) {
    if version < ProtocolVersion::V1_8 {
        for array in [&response.shared_secret, &response.verify_token] {
            // An RSA block is at most 1,024 bytes: its key had to fit the request's bound.
            out.u16(array.len() as u16);
            out.bytes(array);
        }
    } else if version == ProtocolVersion::V1_19 || version == ProtocolVersion::V1_19_1 {
        out.byte_array(&response.shared_secret);
        out.bool(true);
        out.byte_array(&response.verify_token);
    } else {
        response.encode(version, out);
    }
}

/// Login Success: the UUID is text up to 578, and there are no properties before 759.
pub(super) fn read_login_success(
    version: ProtocolVersion,
    fields: &mut Decoder<'_>,
) -> Result<Profile, DecodeError> {
    if version >= ProtocolVersion::V1_19 {
        return Ok(LoginSuccess::decode(version, fields)?.profile);
    }
    let id = if version >= ProtocolVersion::V1_16 {
        fields.uuid("uuid")?
    } else {
        Uuid::try_parse(fields.string("uuid", 36)?)
            .map_err(|_| DecodeError::Value { field: "uuid", value: 0 })?
    };
    Ok(Profile { id, name: fields.string("name", 16)?.to_owned(), properties: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(version: i32) -> Vec<u8> {
        let mut out = Vec::new();
        let start = LoginStart { name: "A".into(), uuid: Uuid::from_u128(7) };
        write_login_start(ProtocolVersion(version), &start, &mut Encoder::new(&mut out));
        out
    }

    #[test]
    fn login_start_has_each_versions_fields() {
        let uuid = Uuid::from_u128(7).into_bytes();
        assert_eq!(start(47), b"\x01A");
        assert_eq!(start(758), b"\x01A");
        assert_eq!(start(759), b"\x01A\0");
        assert_eq!(start(760), [&b"\x01A\0\x01"[..], &uuid].concat());
        assert_eq!(start(763), [&b"\x01A\x01"[..], &uuid].concat());
        assert_eq!(start(764), [&b"\x01A"[..], &uuid].concat());
    }

    #[test]
    fn keys_and_tokens_have_short_lengths_before_47() {
        let bytes = b"\0\0\x03key\0\x02to";
        let request = read_encryption_request(ProtocolVersion(5), &mut Decoder::new(bytes)).unwrap();
        assert_eq!(
            (request.public_key.as_slice(), request.verify_token.as_slice()),
            (&b"key"[..], &b"to"[..])
        );
        assert!(request.should_authenticate);
        let response = EncryptionResponse { shared_secret: b"se".into(), verify_token: b"t".into() };
        let written = |version| {
            let mut out = Vec::new();
            write_encryption_response(ProtocolVersion(version), &response, &mut Encoder::new(&mut out));
            out
        };
        assert_eq!(written(5), b"\0\x02se\0\x01t");
        assert_eq!(written(47), b"\x02se\x01t");
        assert_eq!(written(760), b"\x02se\x01\x01t");
        assert_eq!(written(761), b"\x02se\x01t");
    }

    #[test]
    fn login_success_knows_both_forms_of_a_uuid() {
        let id = Uuid::from_u128(0xb50a_d385_829d_3141_a216_7e7d_7539_ba7f);
        let text = b"\x24b50ad385-829d-3141-a216-7e7d7539ba7f\x05Notch";
        let binary = [id.as_bytes(), &b"\x05Notch"[..]].concat();
        for (version, bytes) in [(5, &text[..]), (578, &text[..]), (735, &binary), (758, &binary)] {
            let profile = read_login_success(ProtocolVersion(version), &mut Decoder::new(bytes)).unwrap();
            assert_eq!((profile.id, profile.name.as_str()), (id, "Notch"), "{version}");
        }
        let short = b"\x20b50ad385829d3141a2167e7d7539ba7f\x05Notch";
        assert_eq!(read_login_success(ProtocolVersion(4), &mut Decoder::new(short)).unwrap().id, id);
    }
}
