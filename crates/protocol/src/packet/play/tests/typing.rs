//! What players type, and the answers to half-typed words.

use super::super::vectors::{Vector, bytes};
use super::super::{
    ChatSession, Completion, CompletionRequest, RawClientInformation, Typed, extend_completion,
};
use crate::ids::Kind;
use crate::packet::RawPacket;
use crate::version::ProtocolVersion;
use crate::wire::DecodeError;

fn is_typed(vector: &Vector, expected: impl Fn(ProtocolVersion) -> Typed<'static>) {
    for (version, packet) in vector.releases() {
        let Some((kind, fields)) = packet else { continue };
        let found = Typed::read(version, kind, fields);
        assert_eq!(found, Ok(Some(expected(version))), "{} in {} {}", vector.case, version.0, vector.values);
    }
}

pub(super) fn command(vector: &Vector) {
    assert_eq!(vector.text("text"), "msg Bob hé");
    is_typed(vector, |_| Typed {
        text: "msg Bob hé",
        is_command: true,
        is_signed: vector.flag("signed"),
        seen: vector.number("offset"),
    });
}

pub(super) fn chat(vector: &Vector) {
    let (text, is_command) = match vector.text("message") {
        "/msg Bob hé" => ("msg Bob hé", true),
        _ => ("hé /you", false),
    };
    is_typed(vector, |_| Typed { text, is_command, is_signed: false, seen: 0 });
}

pub(super) fn chat_message(vector: &Vector) {
    is_typed(vector, |version| Typed {
        text: "hé",
        is_command: false,
        is_signed: vector.flag("signed"),
        seen: i32::from(version >= ProtocolVersion::V1_19_3),
    });
}

pub(super) fn chat_session(vector: &Vector) {
    let (key, signature) = (bytes(vector.text("key")), bytes(vector.text("signature")));
    let expected = ChatSession {
        session: vector.uuid("session"),
        expires: vector.text("expires").parse().unwrap(),
        key: &key,
        signature: &signature,
    };
    vector.is_read(|_| true, |_, fields| ChatSession::read(fields).map(|read| read == expected));
}

pub(super) fn client_information(vector: &Vector) {
    let locale = vector.text("locale");
    vector
        .is_read(|_| true, |_, fields| RawClientInformation::read(fields).map(|read| read.locale == locale));
    vector.is_said(|version, out| {
        let Some(packet) = vector.releases().find(|(other, _)| *other == version).unwrap().1 else {
            return RawClientInformation { locale, fields: &[] }.write(version, vector.state, out);
        };
        RawClientInformation::read(packet.1).unwrap().write(version, vector.state, out)
    });
}

pub(super) fn completion_request(vector: &Vector) {
    // (1, 64, -2): before 477 x, y and z in 26, 12 and 26 bits, and since x, z, y in 26, 26 and 12; only the former is sent.
    let block = vector.flag("hasPosition").then_some(1 << 38 | 64 << 26 | 0x3ff_fffe);
    let in_old = |version| version >= ProtocolVersion::V1_8 && version < ProtocolVersion::V1_13;
    let expected = |version| CompletionRequest {
        id: (version >= ProtocolVersion::V1_13).then(|| vector.number("id")),
        text: vector.text("text"),
        assumes_command: in_old(version) && version >= ProtocolVersion::V1_9 && vector.flag("assumeCommand"),
        block: block.filter(|_| in_old(version)),
    };
    vector.is_read(
        |_| true,
        |version, fields| CompletionRequest::read(version, fields).map(|read| read == expected(version)),
    );
}

pub(super) fn completion(vector: &Vector) {
    let matches: Vec<_> =
        vector.values["matches"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    let answer = |matches| Completion {
        id: vector.number("id"),
        start: vector.number("start"),
        length: vector.number("length"),
        matches,
    };
    vector.is_said(|version, out| answer(&matches).write(version, out));
    for split in 0..=matches.len() {
        let (servers, ours) = matches.split_at(split);
        vector.is_said(|version, out| {
            let mut body = Vec::new();
            assert!(answer(servers).write(version, &mut body));
            let packet = RawPacket::parse(&body).unwrap();
            extend_completion(version, packet.fields, ours, out).unwrap()
        });
    }
}

/// Clients of 759 and 760 without a key name the arguments that they would sign.
#[test]
fn an_empty_signature_is_none() {
    let fields =
        |signature: &[u8]| [b"\x03msg".as_slice(), &[0; 16], b"\x01\x07message", signature, b"\0"].concat();
    let read = |fields: &[u8]| {
        let typed = Typed::read(ProtocolVersion::V1_19, Kind::ChatCommand, fields);
        typed.unwrap().unwrap().is_signed
    };
    assert!(!read(&fields(&[0])));
    assert!(read(&fields(&[1, 0xff])));
    let many = [b"\x03msg".as_slice(), &[0; 16], &[9]].concat();
    let refused = Typed::read(ProtocolVersion::V1_19, Kind::ChatCommand, &many);
    assert_eq!(refused, Err(DecodeError::Length { field: "signatures", length: 9, bound: 8 }));
    assert_eq!(Typed::read(ProtocolVersion::V1_19, Kind::Settings, &many), Ok(None));
}
