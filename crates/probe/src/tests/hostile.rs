//! Servers that mean harm, or are broken.

use super::super::report::{Outcome, Step};
use super::fixture::{run, status};
use super::server::{Script, Server, script};
use drawbridge_protocol::ids::State;
use drawbridge_protocol::packet::login::{LoginAcknowledged, LoginDisconnect, LoginStart, LoginSuccess};
use drawbridge_protocol::packet::status::{PingRequest, PongResponse, StatusRequest, StatusResponse};
use drawbridge_protocol::profile::Profile;
use proptest::prelude::*;
use uuid::Uuid;

fn bytes(bytes: impl Into<Vec<u8>>) -> Script {
    let bytes = bytes.into();
    script(move |client| {
        client.greeting();
        let _: StatusRequest = client.hear();
        client.say_bytes(&bytes);
    })
}

#[test]
fn broken_answers_fail_with_a_meaning() {
    let answers: [&[u8]; 9] = [
        &[0],
        &[0xff; 10],
        &[0x80, 0x80, 0x80, 0x80, 0x80, 1],
        &[1, 0xff],
        &[1, 0],
        &[3, 0, 0xff, 0xff],
        &[6, 0, 4, b'n', b'u', b'l', b'l'],
        &[4, 0, 2, 0xc3, 0x28],
        &[3, 9, 1, b'x'],
    ];
    for answer in answers {
        let server = Server::start(vec![bytes(answer)]);
        let report = run(&[&server.address.to_string()]);
        server.stop();
        assert_eq!(report.failed(), [Step::Status], "{answer:?}");
        assert!(!report.entry(Step::Status).meaning.is_empty(), "{answer:?}");
    }
}

#[test]
fn a_pong_with_another_number_is_none() {
    let server = Server::start(vec![script(|client| {
        client.greeting();
        let _: StatusRequest = client.hear();
        client.say(&StatusResponse { document: status(777).to_string() });
        let PingRequest { payload } = client.hear();
        client.say(&PongResponse { payload: payload.wrapping_add(1) });
    })]);
    let report = run(&[&server.address.to_string()]);
    server.stop();
    assert_eq!(report.failed(), [Step::Ping]);
}

#[test]
fn silence_ends_at_the_deadline() {
    let server = Server::start(vec![script(super::server::Client::await_end)]);
    let report = run(&[&server.address.to_string(), "--timeout", "200ms"]);
    server.stop();
    assert_eq!(report.failed(), [Step::Status]);
    assert_eq!(report.entry(Step::Status).detail, "no answer within 0.2 s");
}

#[test]
fn a_flood_ends_at_the_bound() {
    let server = Server::start(vec![
        script(|client| {
            client.show(&status(766));
        }),
        script(|client| {
            client.greeting();
            let LoginStart { name, uuid, .. } = client.hear();
            let profile = Profile { id: uuid.unwrap(), name, properties: Vec::new() };
            client.say(&LoginSuccess { profile, session_id: Uuid::nil() });
            let LoginAcknowledged {} = client.hear();
            client.state = State::Configuration;
            let mut frame = vec![0xff, 0xff, 0x7f, 0x01];
            frame.resize(3 + (1 << 21) - 1, 0);
            while client.say_bytes(&frame) {}
        }),
    ]);
    let report = run(&[&server.address.to_string(), "--join", "Notch", "--timeout", "60s"]);
    server.stop();
    assert_eq!(report.failed(), [Step::Configuration]);
    assert_eq!(report.entry(Step::Configuration).detail, "more than 64 MiB came before the end");
}

#[test]
fn nothing_from_the_server_steers_the_terminal() {
    let evil = "\u{1b}]0;title\u{7}\u{9b}31m\u{202e}\r\n".repeat(500);
    let server = Server::start(vec![
        script(move |client| {
            let text = "\u{1b}[31m\u{202e}".repeat(40);
            let document = serde_json::json!({
                "version": { "name": text, "protocol": 777 },
                "description": { "text": text, "extra": [{ "translate": text }] },
            });
            client.show(&document);
        }),
        script(move |client| {
            client.greeting();
            let _: LoginStart = client.hear();
            client.say(&LoginDisconnect { reason: evil });
        }),
    ]);
    let report = run(&[&server.address.to_string(), "--join", "Notch"]);
    server.stop();
    assert_eq!(report.entry(Step::Login).outcome, Outcome::Failed);
    let (text, json) = report.shown(&[]);
    for shown in [text, json] {
        assert!(!shown.chars().any(|c| c != '\n' && c.is_control() || c == '\u{202e}'), "{shown:?}");
        assert!(shown.len() < 16_000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_survived(garbage in proptest::collection::vec(any::<u8>(), 0..200)) {
        let server = Server::start(vec![bytes(garbage)]);
        let report = run(&[&server.address.to_string()]);
        server.stop();
        prop_assert_eq!(report.failed().len(), 1);
    }
}
