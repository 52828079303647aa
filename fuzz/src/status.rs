//! Status documents of other servers, and of services that answer in JSON.
//!
//! What must hold: what is read is shown as JSON to clients of each form; a server's own status, shown and read again, is shown the same; no document that
//! is read is longer than clients take.

use crate::house::status::document::{FieldsSection, Reading, read_own};
use crate::{Input, memory};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::frame::{self, MAX_FRAME};
use drawbridge_protocol::packet::RawPacket;
use drawbridge_protocol::packet::status::{MAX_STATUS, StatusResponse};
use serde_json::Value;

/// See the module.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let (own, version) = (input.flag(), input.version());
    let body = input.rest();
    // A document is kept once for each of the three forms, and its favicon is decoded.
    let read = memory::within(2 * 1024 * 1024 + 2_000 * body.len(), || {
        if own { read_own(body, |_| ()) } else { FieldsSection::default().read(body) }
    });
    let Ok(Reading { document, .. }) = read else { return };
    assert!(document.size() <= MAX_STATUS, "{} bytes", document.size());
    let once = shown(&document, version);
    let Ok(Reading { document, no_favicon }) = read_own(once.as_bytes(), |_| ()) else {
        panic!("what is shown isn't read: {once}");
    };
    assert!(no_favicon.is_none(), "a favicon that was taken isn't");
    let twice = shown(&document, version);
    if own && twice != once {
        let read = |text: &str| serde_json::from_str(text).expect("it is JSON");
        assert!(are_alike(&read(&once), &read(&twice)), "{once}\n{twice}");
    }
}

/// Whether both say the same. Fractions, which no field that Minecraft knows has, are read to the last digit but one.
fn are_alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(ones), Value::Array(others)) => {
            ones.len() == others.len() && ones.iter().zip(others).all(|(one, other)| are_alike(one, other))
        }
        (Value::Object(ones), Value::Object(others)) => {
            // In the same order, too.
            let pairs = ones.iter().zip(others);
            ones.len() == others.len()
                && pairs.into_iter().all(|(one, other)| one.0 == other.0 && are_alike(one.1, other.1))
        }
        (Value::Number(one), Value::Number(other)) if one.is_f64() && other.is_f64() => {
            let (one, other) = (one.as_f64().unwrap_or_default(), other.as_f64().unwrap_or_default());
            (one - other).abs() <= one.abs() * 1e-14
        }
        _ => one == other,
    }
}

fn shown(document: &drawbridge_model::StatusDocument, version: ProtocolVersion) -> String {
    let mut packet = Vec::new();
    document.write_packet(version, &mut packet);
    let body = frame::split(&packet, MAX_FRAME).expect("a frame").expect("all of it");
    assert_eq!(body.end, packet.len());
    let packet = RawPacket::parse(&packet[body]).expect("an id");
    packet.read::<StatusResponse>(version).expect("a status").document
}

/// Documents as servers have them.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let documents = [
        r#"{"version":{"name":"1.21","protocol":767},"players":{"max":20,"online":1,"sample":[{"name":"a","id":"069a79f4-44e9-4726-a5be-fca90e38aaf5"}]},"description":{"text":"A server","color":"red"},"enforcesSecureChat":true}"#,
        r#"{"description":"§cText","players":{"max":-1,"online":5},"version":{"protocol":47,"name":"Paper"},"favicon":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAYAAACqaXHeAAAAAElFTkSuQmCC","modinfo":{"type":"FML","modList":[]}}"#,
        r#"{"description":{"translate":"k","with":["a"]},"forgeData":{"channels":[],"mods":[],"fmlNetworkVersion":3}}"#,
        r#"{"version":{"name":"","protocol":-1},"players":null,"previewsChat":false}"#,
    ];
    documents
        .iter()
        .flat_map(|document| [0, 1].map(|own| [&[own, 40], document.as_bytes()].concat()))
        .collect()
}
