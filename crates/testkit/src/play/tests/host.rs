//! What hosts find in clients that aren't sound: scripted ones, each packet by hand.

use super::*;
use crate::connection::Connection;
use crate::play::mark::{self, CHANNEL, Mark, Turn};
use crate::session::SessionServer;
use crate::web::http;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::configuration::ClientInformation;
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::login::{
    EncryptionRequest, EncryptionResponse, LoginAcknowledged, LoginDisconnect, LoginStart, TokenProof,
};
use drawbridge_protocol::packet::play::KeepAlive;
use drawbridge_protocol::profile::server_hash;
use drawbridge_protocol::stream::{Inbound, Outbound};
use drawbridge_protocol::wire::Encoder;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

const SPOT: Spot = Spot { server: 9, visit: 1 };

/// A client as far as Login Start.
fn knocking(host: &Host, version: i32) -> Connection {
    let mut client = Connection::open(host.address(), ProtocolVersion(version)).unwrap();
    client.greet("localhost", 1, Intent::Login).unwrap();
    client.send(&LoginStart { name: "Eve".into(), uuid: None, key: None }).unwrap();
    client
}

/// A client since 764 up to Login Acknowledged.
fn configuring(host: &Host, version: i32) -> Connection {
    let mut client = knocking(host, version);
    await_kind(&mut client, Kind::Success);
    client.send(&LoginAcknowledged {}).unwrap();
    client.enter(State::Configuration);
    client
}

fn informed(host: &Host, version: i32) -> Connection {
    let mut client = configuring(host, version);
    client.send(&ClientInformation { locale: "de_de".into() }).unwrap();
    client
}

/// A client of 764 in play; there it is asked for no known packs.
fn playing(host: &Host) -> Connection {
    let mut client = informed(host, 764);
    let asked = await_kind(&mut client, Kind::KeepAlive);
    client.send_kind(Kind::KeepAlive, |out| out.bytes(&asked)).unwrap();
    await_kind(&mut client, Kind::FinishConfiguration);
    client.send_kind(Kind::FinishConfiguration, |_| ()).unwrap();
    client.enter(State::Play);
    await_kind(&mut client, Kind::Login);
    client
}

/// Confirms where the host of 764 puts it.
fn confirm_place(client: &mut Connection) {
    let place = await_kind(client, Kind::Position);
    client.send_kind(Kind::TeleportConfirm, |out| out.bytes(&place[33..])).unwrap();
}

/// Waits for a packet, and gives its fields.
fn await_kind(client: &mut Connection, kind: Kind) -> Vec<u8> {
    loop {
        let packet = client.receive().unwrap();
        if packet.kind() == Some(kind) {
            return packet.fields;
        }
    }
}

fn marked(spot: Spot, player: &str, sequence: u32) -> impl FnOnce(&mut Encoder<'_>) {
    let mark = Mark { spot, player: mark::player(player), sequence };
    move |out| {
        out.string(CHANNEL);
        mark.write(50, out.buffer());
    }
}

/// The first fault that the host finds.
#[track_caller]
fn found(host: &Host) -> Fault {
    let fault = crate::eventually(PATIENCE, || host.faults().into_iter().next());
    fault.unwrap_or_else(|| panic!("nothing is found: {:?}", host.stays())).1
}

/// What a host finds in a client that is in play and then does this.
#[track_caller]
fn found_in_play(misdeed: impl FnOnce(&mut Connection)) -> Fault {
    let host = Host::builder(9).beat(Duration::from_millis(50)).start().unwrap();
    let mut client = playing(&host);
    assert_eq!(host.faults(), []);
    misdeed(&mut client);
    found(&host)
}

/// What a host finds in a client that is in configuration and then does this.
#[track_caller]
fn found_in_configuration(misdeed: impl FnOnce(&mut Connection)) -> Fault {
    let host = Host::builder(9).start().unwrap();
    let mut client = informed(&host, 766);
    misdeed(&mut client);
    found(&host)
}

#[test]
fn answers_that_nobody_asked_for_are_found() {
    let unasked = |kind, write: fn(&mut Encoder<'_>)| {
        let found = found_in_play(|client| client.send_kind(kind, write).unwrap());
        assert_eq!(found, Fault::Unasked(kind));
    };
    unasked(Kind::KeepAlive, |out| out.i64(5));
    unasked(Kind::ConfigurationAcknowledged, |_| ());
    unasked(Kind::TeleportConfirm, |out| out.varint(5));
    unasked(Kind::ResourcePackReceive, |out| out.varint(0));
    unasked(Kind::ChunkBatchReceived, |out| out.i32(0));
    unasked(Kind::Pong, |out| out.i32(0));
    let twice = found_in_play(|client| {
        confirm_place(client);
        let KeepAlive { id } = loop {
            if let Ok(asked) = client.receive().unwrap().read() {
                break asked;
            }
        };
        for _ in 0..2 {
            client.send_kind(Kind::KeepAlive, |out| out.i64(id)).unwrap();
        }
    });
    assert_eq!(twice, Fault::Unasked(Kind::KeepAlive));
    let cookie = found_in_configuration(|client| {
        client.send_kind(Kind::CookieResponse, |out| out.bytes(b"\x03a:b\0")).unwrap();
    });
    assert_eq!(cookie, Fault::Unasked(Kind::CookieResponse));
    let packs = found_in_configuration(|client| {
        for _ in 0..2 {
            client.send_kind(Kind::SelectKnownPacks, |out| out.varint(0)).unwrap();
        }
    });
    assert_eq!(packs, Fault::Unasked(Kind::SelectKnownPacks));
    let finish =
        found_in_configuration(|client| client.send_kind(Kind::FinishConfiguration, |_| ()).unwrap());
    assert_eq!(finish, Fault::Unasked(Kind::FinishConfiguration));
}

#[test]
fn what_a_server_needs_once_is_wanted_once() {
    let again = found_in_configuration(|client| {
        client.send(&ClientInformation { locale: "de_de".into() }).unwrap();
    });
    assert_eq!(again, Fault::Again(Kind::Settings));
    let host = Host::builder(9).start().unwrap();
    let mut client = configuring(&host, 764);
    let asked = await_kind(&mut client, Kind::KeepAlive);
    client.send_kind(Kind::KeepAlive, |out| out.bytes(&asked)).unwrap();
    client.send_kind(Kind::FinishConfiguration, |_| ()).unwrap();
    assert_eq!(found(&host), Fault::Missing(Kind::Settings));
    let host = Host::builder(9).start().unwrap();
    let mut client = informed(&host, 764);
    await_kind(&mut client, Kind::FinishConfiguration);
    client.send_kind(Kind::FinishConfiguration, |_| ()).unwrap();
    assert_eq!(found(&host), Fault::Unanswered(Kind::KeepAlive));
}

#[test]
fn old_clients_tell_of_themselves_in_play() {
    let host = Host::builder(9).start().unwrap();
    let mut client = knocking(&host, 47);
    await_kind(&mut client, Kind::Success);
    client.enter(State::Play);
    await_kind(&mut client, Kind::Login);
    client.send_kind(Kind::CustomPayload, marked(SPOT, "Eve", 0)).unwrap();
    let _ = host.wait_for("Eve", |stay| stay.heard == 1);
    assert_eq!(host.faults(), []);
    drop(client);
    assert_eq!(found(&host), Fault::Missing(Kind::Settings));
}

#[test]
fn versions_that_hosts_do_not_speak_are_told_of() {
    for version in [5, 776, 777, 1_000] {
        let host = Host::builder(9).start().unwrap();
        let _client = knocking(&host, version);
        assert_eq!(found(&host), Fault::Version(version));
    }
}

#[test]
fn a_ping_is_answered_and_is_no_visit() {
    let host = Host::builder(9).start().unwrap();
    let (document, _) = crate::ping(host.address(), ProtocolVersion(767), "localhost").unwrap();
    assert_eq!(document["version"]["protocol"], 767);
    assert!(host.stays().is_empty() && host.faults().is_empty());
}

#[test]
fn what_was_asked_before_a_keep_alive_is_answered_before_it() {
    let unplaced = found_in_play(|client| {
        let asked = await_kind(client, Kind::KeepAlive);
        client.send_kind(Kind::KeepAlive, |out| out.bytes(&asked)).unwrap();
    });
    assert_eq!(unplaced, Fault::Unanswered(Kind::Position));
    let host = Host::builder(9).pushes(BUSY).beat(Duration::from_millis(200)).start().unwrap();
    let mut client = playing(&host);
    confirm_place(&mut client);
    await_kind(&mut client, Kind::ChunkBatchFinished);
    let asked = await_kind(&mut client, Kind::KeepAlive);
    client.send_kind(Kind::KeepAlive, |out| out.bytes(&asked)).unwrap();
    assert_eq!(found(&host), Fault::Unanswered(Kind::ChunkBatchFinished));
}

#[test]
fn packets_of_another_state_are_found() {
    let kind = Kind::CustomPayload;
    let marks = found_in_configuration(|client| client.send_kind(kind, marked(SPOT, "Eve", 0)).unwrap());
    assert_eq!(marks, Fault::Misplaced { state: State::Configuration, kind });
    let play = found_in_configuration(|client| client.send_id(0x30, |_| ()).unwrap());
    assert_eq!(play, Fault::Unknown { state: State::Configuration, id: 0x30 });
    let cut = found_in_play(|client| client.send_kind(Kind::KeepAlive, |out| out.u8(1)).unwrap());
    assert!(matches!(cut, Fault::Fields { kind: Kind::KeepAlive, .. }), "{cut:?}");
}

#[test]
fn marks_of_clients_are_checked_as_those_of_hosts_are() {
    let say = |spot, player: &str, sequences: &[u32]| {
        found_in_play(|client| {
            for &sequence in sequences {
                client.send_kind(Kind::CustomPayload, marked(spot, player, sequence)).unwrap();
            }
        })
    };
    let before = Spot { visit: 0, ..SPOT };
    assert_eq!(say(before, "Eve", &[0]), Fault::Elsewhere { heard: before, at: Some(SPOT) });
    assert_eq!(say(SPOT, "Bob", &[0]), Fault::AnothersMark(SPOT));
    assert_eq!(say(SPOT, "Eve", &[0, 1, 3]), Fault::OutOfTurn { at: SPOT, expected: 2, heard: 3 });
    assert_eq!(say(SPOT, "Eve", &[1]), Fault::OutOfTurn { at: SPOT, expected: 0, heard: 1 });
    let spoilt = found_in_play(|client| {
        let write = |out: &mut Encoder<'_>| {
            marked(SPOT, "Eve", 0)(out);
            *out.buffer().last_mut().unwrap() ^= 1;
        };
        client.send_kind(Kind::CustomPayload, write).unwrap();
    });
    assert_eq!(spoilt, Fault::Spoilt(50));
}

#[test]
fn nobody_is_let_in_without_the_forwarding_that_is_wanted() {
    let host = Host::builder(1).velocity(b"secret").start().unwrap();
    let crowd = Crowd::of(2, 393).versions(&[393, 775]).join(host.address()).unwrap();
    crowd.until("are turned away", PATIENCE, |resident| {
        resident.place == Place::Gone("this server is reached by way of a proxy".to_owned())
    });
    let faults: Vec<_> = host.faults().into_iter().map(|(_, fault)| fault).collect();
    assert_eq!(faults, vec![Fault::Forwarding("not understood"); 2]);
}

#[test]
fn a_turn_goes_on_behind_what_was_missing() {
    let mut turn = Turn::new(SPOT, 1);
    let mut hear = |sequence| turn.hear(&Mark { spot: SPOT, player: 1, sequence });
    assert_eq!(hear(0), Ok(()));
    assert_eq!(hear(5), Err(Fault::OutOfTurn { at: SPOT, expected: 1, heard: 5 }));
    assert_eq!(hear(6), Ok(()));
}

/// A server in online mode: it lets nobody in, and says `seen` to whom the session server vouches for.
pub(super) fn encrypting(session: &SessionServer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let session = session.url().trim_start_matches("http://").parse().unwrap();
    let pair = drawbridge_rsa::KeyPair::generate().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            greet(stream, session, &pair);
        }
    });
    address
}

fn greet(mut stream: TcpStream, session: SocketAddr, pair: &drawbridge_rsa::KeyPair) {
    let (mut inbound, mut outbound) = (Inbound::new(8_192), Outbound::new());
    let mut version = ProtocolVersion(0);
    let mut name = String::new();
    let mut secret = None;
    let mut out = Vec::new();
    while secret.is_none() {
        let mut buffer = [0; 4_096];
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "{name} has left");
        inbound.feed(&buffer[..read]);
        while let Some(packet) = inbound.next_packet().unwrap() {
            if version.number() == 0 {
                let handshake: Handshake = packet.read(version).unwrap();
                version = handshake.version;
            } else if name.is_empty() {
                name = packet.read::<LoginStart>(version).unwrap().name;
                let request = EncryptionRequest {
                    server_id: String::new(),
                    public_key: pair.public_der().to_vec(),
                    verify_token: b"1234".to_vec(),
                    should_authenticate: true,
                };
                outbound.write(version, &request, &mut out).unwrap();
            } else {
                let answer: EncryptionResponse = packet.read(version).unwrap();
                let mut plain = [0; drawbridge_rsa::MODULUS];
                assert_eq!(pair.decrypt(&answer.shared_secret, &mut plain).unwrap(), 16);
                secret = plain.first_chunk::<16>().copied();
                let TokenProof::Encrypted(token) = answer.token else { panic!("{name} has no key") };
                assert_eq!(pair.decrypt(&token, &mut plain).unwrap(), 4);
                assert_eq!(plain[..4], *b"1234");
            }
        }
        stream.write_all(&std::mem::take(&mut out)).unwrap();
    }
    let secret = secret.unwrap();
    let hash = server_hash("", &secret, pair.public_der());
    let query = format!("/session/minecraft/hasJoined?username={name}&serverId={hash}");
    let known = http::get(session, &query).unwrap().starts_with("HTTP/1.1 200");
    outbound.encrypt(&secret);
    let reason = if known { r#"{"text":"seen"}"# } else { r#"{"text":"who?"}"# };
    outbound.write(version, &LoginDisconnect { reason: reason.to_owned() }, &mut out).unwrap();
    stream.write_all(&out).unwrap();
}
