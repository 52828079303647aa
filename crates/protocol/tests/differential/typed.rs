//! The packets that have a type: what they hold in node-minecraft-protocol's words, both ways.

use crate::node::{Written, hex};
use crate::random::Random;
use crate::trial::{Known, Trial, same, without};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::packet::configuration::{self, AddResourcePack, StoreCookie, Transfer};
use drawbridge_protocol::packet::handshake::Handshake;
use drawbridge_protocol::packet::login::{self, CookieRequest, CookieResponse, LoginStart};
use drawbridge_protocol::packet::play::{self, InConfiguration, InPlay};
use drawbridge_protocol::packet::status;
use drawbridge_protocol::packet::{Packet, RawPacket};
use drawbridge_protocol::varint;
use drawbridge_protocol::wire::{DecodeError, Encoder};
use serde_json::Value;
use std::fmt::Debug;

/// A packet in node-minecraft-protocol's words.
pub(crate) trait Typed: Packet + PartialEq + Debug {
    /// Fields that are dropped when it is read, and have one value when it is written.
    const DROPPED: &[&str] = &[];

    /// Whether it is written in one normal form: it holds a text for players.
    const HAS_TEXT: bool = false;

    /// What it holds.
    fn values(&self, version: ProtocolVersion) -> Value;

    /// One that can be said in the version.
    fn random(random: &mut Random, version: ProtocolVersion) -> Self;
}

type Say = fn(ProtocolVersion, usize, &mut Trial);

macro_rules! typed {
    ($($since:ident: $($packet:ty),+;)+) => {
        /// All of them.
        pub(crate) const KNOWN: &[Known] = &[$($(Known {
            state: <$packet>::STATE,
            direction: <$packet>::DIRECTION,
            kind: <$packet>::KIND,
            since: ProtocolVersion::$since,
            check: check::<$packet>,
        },)+)+];

        const SAID: &[(ProtocolVersion, Say)] = &[$($((ProtocolVersion::$since, say_one::<$packet>),)+)+];
    };
}

typed! {
    V1_7_2: Handshake, status::StatusRequest, status::PingRequest, status::StatusResponse, status::PongResponse,
        LoginStart, login::EncryptionRequest, login::EncryptionResponse, login::LoginPluginRequest,
        login::LoginPluginResponse, CookieRequest, CookieResponse, login::LoginAcknowledged, login::LoginDisconnect,
        login::SetCompression, login::LoginSuccess, configuration::KeepAlive, configuration::KeepAliveResponse,
        StoreCookie, configuration::FinishConfiguration, Transfer, configuration::ClientInformation,
        configuration::Disconnect, AddResourcePack, play::StartConfiguration, play::ConfigurationAcknowledged,
        play::BundleDelimiter, play::Ping, play::Pong, play::KeepAlive, play::KeepAliveResponse,
        play::RemoveResourcePack, play::KickDisconnect, InPlay<CookieRequest>, InPlay<CookieResponse>,
        InPlay<StoreCookie>, InPlay<Transfer>, InPlay<AddResourcePack>, InConfiguration<CookieRequest>,
        InConfiguration<CookieResponse>, InConfiguration<play::Ping>, InConfiguration<play::Pong>,
        InConfiguration<play::RemoveResourcePack>;
    // Before, answers name no pack: `play::ResourcePackAnswer` is for these.
    V1_20_3: configuration::ResourcePackResponse, InPlay<configuration::ResourcePackResponse>;
}

/// Says one of each in a version, for node-minecraft-protocol to read.
pub(crate) fn say(version: ProtocolVersion, round: usize, trial: &mut Trial) {
    for (_, say) in SAID.iter().filter(|(since, _)| *since <= version) {
        say(version, round, trial);
    }
}

fn say_one<P: Typed>(version: ProtocolVersion, round: usize, trial: &mut Trial) {
    if P::id(version).is_none() {
        return;
    }
    let words = format!("{:?} {:?} {:?} {} {round}", P::STATE, P::DIRECTION, P::KIND, version.number());
    let packet = P::random(&mut trial.random(&words), version);
    let body = written(version, &packet);
    let read = RawPacket::parse(&body).unwrap().read::<P>(version);
    if !P::HAS_TEXT && P::DROPPED.is_empty() {
        assert_eq!(read.as_ref(), Ok(&packet), "in {}", version.number());
    }
    trial.ask((version, P::STATE, P::DIRECTION, P::KIND), body, packet.values(version), P::DROPPED);
}

fn written<P: Packet>(version: ProtocolVersion, packet: &P) -> Vec<u8> {
    let mut body = Vec::new();
    varint::write(P::id(version).unwrap(), &mut body);
    packet.encode(version, &mut Encoder::new(&mut body));
    body
}

/// It is read whole with the values that were written, and is written as it came, or so that the same is read.
fn check<P: Typed>(packet: &Written, trial: &mut Trial) -> Result<(), DecodeError> {
    let version = packet.version;
    let found = packet.raw().read::<P>(version)?;
    let values = without(&found.values(version), P::DROPPED);
    let expected = without(&packet.values, P::DROPPED);
    trial.expect(packet, same(&values, &expected), || format!("was read as {values}"));
    let again = written(version, &found);
    if again == packet.body {
        return Ok(());
    }
    trial.expect(packet, P::HAS_TEXT || !P::DROPPED.is_empty(), || format!("is written as {}", hex(&again)));
    trial.ask((version, P::STATE, P::DIRECTION, P::KIND), again, packet.values.clone(), P::DROPPED);
    Ok(())
}
