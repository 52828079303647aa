//! Where forms differ between versions, byte by byte.

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
    for (version, bytes) in
        [(5, &b"\0\x02se\0\x01t"[..]), (47, b"\x02se\x01t"), (760, b"\x02se\x01\x01t"), (761, b"\x02se\x01t")]
    {
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
