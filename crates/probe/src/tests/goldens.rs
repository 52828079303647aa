//! What people and programs read, to the letter.

use super::super::report::Report;
use super::dns::{self, Data};
use super::fixture::{run, status, unused_port};
use super::server::{Server, script};
use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::configuration::{
    ClientInformation, KeepAlive, KeepAliveResponse, StoreCookie, Transfer,
};
use drawbridge_protocol::packet::login::{
    CookieResponse, LoginAcknowledged, LoginDisconnect, LoginStart, LoginSuccess, SetCompression,
};
use drawbridge_protocol::profile::{Profile, Property, offline_uuid};
use uuid::Uuid;

/// The port that stands in the goldens for whichever the system gave.
const PORT: u16 = 25599;

macro_rules! golden {
    ($name:literal, $report:expr, $ports:expr) => {{
        let (text, json) = Report::shown($report, $ports);
        assert_eq!(text, include_str!(concat!("golden/", $name, ".txt")), "{text}");
        assert_eq!(json, include_str!(concat!("golden/", $name, ".json")), "{json}");
    }};
}

#[test]
fn a_server_list_that_works() {
    let server = Server::start(vec![script(|client| {
        client.show(&status(777));
    })]);
    let report = run(&[&server.address.to_string()]);
    server.stop();
    assert!(report.is_ok());
    let port = server_port(&report);
    golden!("status", report, &[(port, PORT)]);
}

fn server_port(report: &Report) -> u16 {
    report.address.port
}

#[test]
fn a_port_on_which_nothing_listens() {
    let port = unused_port();
    let report = run(&[&format!("127.0.0.1:{port}"), "--join", "Notch"]);
    assert!(!report.is_ok());
    golden!("refused", report, &[(port, PORT)]);
}

#[test]
fn a_web_server() {
    let server = Server::start(vec![script(|client| {
        client.say_bytes(b"HTTP/1.1 400 Bad Request\r\nServer: \x1b[2Jx\r\nConnection: close\r\n\r\n");
    })]);
    let report = run(&[&server.address.to_string()]);
    server.stop();
    assert!(!report.is_ok());
    let port = server_port(&report);
    golden!("not_minecraft", report, &[(port, PORT)]);
}

#[test]
fn a_kick_for_the_version() {
    let server = Server::start(vec![
        script(|client| {
            client.show(&status(769));
        }),
        script(|client| {
            client.greeting();
            let _: LoginStart = client.hear();
            let reason =
                r#"{"translate":"multiplayer.disconnect.outdated_client","with":["1.21.4\u001b[5m"]}"#;
            client.say(&LoginDisconnect { reason: reason.into() });
        }),
    ]);
    let report = run(&[&server.address.to_string(), "--join", "Notch", "--protocol", "26.3"]);
    server.stop();
    assert!(!report.is_ok());
    let port = server_port(&report);
    golden!("kicked", report, &[(port, PORT)]);
}

#[test]
fn a_hand_over_behind_an_srv_record() {
    let server = Server::start(vec![
        script(|client| {
            let handshake = client.show(&status(777));
            assert_eq!((handshake.host.as_str(), handshake.port), ("play.example.com", 25565));
        }),
        script(|client| {
            let handshake = client.greeting();
            assert_eq!(handshake.host, "mc.example.com.");
            let LoginStart { name, uuid, .. } = client.hear();
            assert_eq!((name.as_str(), uuid), ("Notch", Some(offline_uuid("Notch"))));
            client.say_fields(Kind::CookieRequest, b"\x03a:b");
            assert_eq!(client.hear::<CookieResponse>(), CookieResponse { key: "a:b".into(), payload: None });
            client.say_fields(Kind::LoginPluginRequest, b"\x07\x03c:ddata");
            assert_eq!(client.hear_fields(Kind::LoginPluginResponse), b"\x07\0");
            client.say(&SetCompression { threshold: 64 });
            client.compress(64);
            client.say(&success());
            let LoginAcknowledged {} = client.hear();
            client.state = State::Configuration;
            configure(client);
            client.say(&Transfer { host: "lobby.example.com".into(), port: 25566 });
        }),
    ]);
    let port = server.address.port();
    let port_of_record = dns::serve(vec![
        ("_minecraft._tcp.play.example.com", Data::Srv(0, 5, port, "mc.example.com")),
        ("mc.example.com", Data::A([127, 0, 0, 1])),
    ]);
    let report = run(&["play.example.com", "--nameserver", &port_of_record.to_string(), "--join", "Notch"]);
    server.stop();
    assert!(report.is_ok());
    golden!("transfer", report, &[(port, PORT)]);
}

fn success() -> LoginSuccess {
    let textures = Property { name: "textures".into(), value: "x".repeat(500), signature: Some("y".into()) };
    let profile = Profile { id: offline_uuid("Notch"), name: "Notch".into(), properties: vec![textures] };
    LoginSuccess { profile, session_id: Uuid::from_u128(1) }
}

fn configure(client: &mut super::server::Client) {
    client.hear_fields(Kind::CustomPayload);
    assert_eq!(client.hear::<ClientInformation>().locale, "en_us");
    client.say(&KeepAlive { id: -5 });
    assert_eq!(client.hear::<KeepAliveResponse>(), KeepAliveResponse { id: -5 });
    client.say_fields(Kind::Ping, &[1, 2, 3, 4]);
    assert_eq!(client.hear_fields(Kind::Pong), [1, 2, 3, 4]);
    client.say_fields(Kind::SelectKnownPacks, b"\x01\x09minecraft\x04core\x041.21");
    assert_eq!(client.hear_fields(Kind::SelectKnownPacks), [0]);
    client.say_fields(Kind::CookieRequest, b"\x03e:f");
    assert_eq!(client.hear_fields(Kind::CookieResponse), b"\x03e:f\0");
    client.say_fields(Kind::RegistryData, &[0; 5_000]);
    client.say(&StoreCookie { key: "drawbridge:session".into(), payload: vec![1; 100] });
}
