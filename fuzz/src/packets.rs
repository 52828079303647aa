//! The packets that the edge reads and writes itself and that have a type, in each state and version.
//!
//! What must hold: what is read is written to bytes that read as the same; those are the bytes that came, wherever they are as many, since numbers in
//! more bytes than they need are the one thing that has a normal form. Texts and what is dropped on purpose have others: those are written twice
//! to the same bytes. Memory stays within what the bytes are.

use crate::{Input, input, memory, vectors};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::packet::{Packet, RawPacket, configuration, handshake, login, play, status};
use drawbridge_protocol::profile::{Profile, Property};
use drawbridge_protocol::text::Component;
use drawbridge_protocol::wire::Encoder;
use std::fmt::Debug;
use uuid::Uuid;

/// What is done with the fields of a packet.
type Check = fn(ProtocolVersion, &[u8]);

/// Which packet it is.
type Name = (State, Direction, Kind);

const fn name<P: Packet>() -> Name {
    (P::STATE, P::DIRECTION, P::KIND)
}

macro_rules! packets {
    ($($check:ident: $($packet:ty),*;)*) => {
        &[$($((name::<$packet>(), $check::<$packet> as Check),)*)*]
    };
}

/// All of them.
const PACKETS: &[(Name, Check)] = packets! {
    same: handshake::Handshake, status::StatusRequest, status::PingRequest, status::StatusResponse, status::PongResponse,
        login::LoginStart, login::EncryptionRequest, login::EncryptionResponse, login::LoginPluginRequest, login::LoginPluginResponse,
        login::CookieRequest, login::CookieResponse, login::LoginAcknowledged, login::LoginDisconnect, login::SetCompression,
        configuration::KeepAlive, configuration::KeepAliveResponse, configuration::StoreCookie, configuration::FinishConfiguration,
        configuration::Transfer, configuration::ResourcePackResponse, play::StartConfiguration, play::ConfigurationAcknowledged,
        play::BundleDelimiter, play::Ping, play::Pong, play::KeepAlive, play::KeepAliveResponse, play::RemoveResourcePack,
        play::InPlay<login::CookieRequest>, play::InPlay<login::CookieResponse>, play::InPlay<configuration::StoreCookie>,
        play::InPlay<configuration::Transfer>, play::InPlay<configuration::ResourcePackResponse>,
        play::InConfiguration<login::CookieRequest>, play::InConfiguration<login::CookieResponse>,
        play::InConfiguration<play::Ping>, play::InConfiguration<play::Pong>, play::InConfiguration<play::RemoveResourcePack>;
    alike: login::LoginSuccess, configuration::ClientInformation, configuration::Disconnect, configuration::AddResourcePack,
        play::KickDisconnect, play::InPlay<configuration::AddResourcePack>;
};

/// See the module.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let (version, packet) = (input.version(), input.below(PACKETS.len()));
    memory::within(memory::of(data), || {
        PACKETS[packet].1(version, input.rest());
        claims(version, input.rest());
    });
}

fn written<P: Packet>(version: ProtocolVersion, packet: &P) -> Vec<u8> {
    let mut out = Vec::new();
    packet.encode(version, &mut Encoder::new(&mut out));
    out
}

fn read<P: Packet>(version: ProtocolVersion, fields: &[u8]) -> Option<P> {
    let id = P::id(version)?;
    RawPacket { id, fields }.read(version).ok()
}

fn same<P: Packet + PartialEq + Debug>(version: ProtocolVersion, fields: &[u8]) {
    let Some(packet) = read::<P>(version, fields) else { return };
    let written = written(version, &packet);
    assert_eq!(read(version, &written), Some(packet), "{version}");
    assert!(written.len() <= fields.len(), "{version}");
    assert!(written.len() < fields.len() || written == fields, "{version}: other bytes");
}

fn alike<P: Packet + PartialEq + Debug>(version: ProtocolVersion, fields: &[u8]) {
    let Some(packet) = read::<P>(version, fields) else { return };
    let once = written(version, &packet);
    let back = read::<P>(version, &once)
        .unwrap_or_else(|| panic!("{version}: what was written isn't read: {packet:?}"));
    assert_eq!(written(version, &back), once, "{version}");
}

/// What every version's Login Start begins with is what is read of the whole.
fn claims(version: ProtocolVersion, fields: &[u8]) {
    let any = login::AnyLoginStart::read(&RawPacket { id: 0, fields }, version);
    let Some(start) = read::<login::LoginStart>(version, fields) else { return };
    let any = any.expect("a part is read where the whole is");
    assert_eq!(any.name, start.name);
    assert!(any.uuid.is_none() || any.uuid == start.uuid);
}

/// What the edge says itself, and the vectors.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<_> = vectors::all()
        .iter()
        .filter_map(|vector| {
            seed(vector.version, (vector.state, vector.direction, vector.kind), &vector.fields)
        })
        .collect();
    let reason = Component::text("Bye").with(Component::translate("a.key", vec![Component::text("x")]));
    let property = Property { name: "textures".into(), value: "e30=".into(), signature: Some("c2ln".into()) };
    let profile = Profile { id: Uuid::from_u128(7), name: "Notch".to_owned(), properties: vec![property] };
    for version in [4, 5, 47, 340, 393, 754, 758, 759, 760, 763, 764, 765, 766, 768, 776].map(ProtocolVersion)
    {
        let key = login::PlayerKey { expires: 1, public_key: vec![1; 20], signature: vec![2; 30] };
        let host = "play.example.com\0FML2\0".to_owned();
        let intent = handshake::Intent::Login;
        seeds.extend(said(version, &handshake::Handshake { version, host, port: 25565, intent }));
        let uuid = Some(profile.id);
        seeds.extend(said(version, &login::LoginStart { name: "Notch".to_owned(), uuid, key: Some(key) }));
        seeds.extend(said(
            version,
            &login::LoginSuccess { profile: profile.clone(), session_id: Uuid::nil() },
        ));
        seeds.extend(said(version, &configuration::Disconnect { reason: reason.clone() }));
        seeds.extend(said(version, &play::KickDisconnect { reason: reason.clone() }));
        let request = login::EncryptionRequest {
            server_id: String::new(),
            public_key: vec![3; 40],
            verify_token: vec![4; 4],
            should_authenticate: true,
        };
        seeds.extend(said(version, &request));
        let token = login::TokenProof::Encrypted(vec![5; 9]);
        seeds.extend(said(version, &login::EncryptionResponse { shared_secret: vec![6; 9], token }));
        let question = login::LoginPluginRequest { message: 5, channel: "a:b".to_owned(), data: vec![1] };
        seeds.extend(said(version, &question));
        seeds.extend(said(version, &login::CookieResponse { key: "a:b".to_owned(), payload: Some(vec![1]) }));
        seeds.extend(said(version, &configuration::ClientInformation { locale: "de_de".to_owned() }));
        let document = "{\"description\":\"x\"}".to_owned();
        seeds.extend(said(version, &status::StatusResponse { document }));
    }
    seeds
}

fn said<P: Packet>(version: ProtocolVersion, packet: &P) -> Option<Vec<u8>> {
    P::id(version)?;
    seed(version, name::<P>(), &written(version, packet))
}

fn seed(version: ProtocolVersion, name: Name, fields: &[u8]) -> Option<Vec<u8>> {
    let packet = PACKETS.iter().position(|(other, _)| *other == name)?;
    Some([&[input::choice_of(version), u8::try_from(packet).ok()?], fields].concat())
}
