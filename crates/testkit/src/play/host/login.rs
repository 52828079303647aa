//! From the handshake to Login Acknowledged, offline; and the answer to a ping.

use super::visit::{End, Entry, Visit};
use super::{House, Order, Stage, forwarding};
use crate::play::fault::Fault;
use crate::play::line::{Heard, Line, in_fields};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::RawPacket;
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::login::{LoginDisconnect, LoginStart, LoginSuccess, SetCompression};
use drawbridge_protocol::packet::status::{PongResponse, StatusResponse};
use drawbridge_protocol::profile::Profile;
use drawbridge_protocol::wire::Decoder;
use std::sync::Arc;
use uuid::Uuid;

/// The newest version whose packets are known well enough.
const NEWEST: ProtocolVersion = ProtocolVersion::V26_1;

/// Handshake and Login Start; or a ping, which ends there.
pub(super) async fn enter(line: &mut Line, house: &Arc<House>) -> Result<Entry, End> {
    let heard = heard(line).await?;
    let packet = RawPacket { id: heard.id, fields: heard.fields() };
    let read = packet.read(ProtocolVersion(0));
    let Handshake { version, host, intent, .. } =
        read.map_err(in_fields(State::Handshaking, Kind::SetProtocol)).map_err(End::Fault)?;
    line.version = version;
    if intent == Intent::Status {
        return answer_ping(line).await;
    }
    if !version.is_known() || version < ProtocolVersion::V1_8 || version > NEWEST {
        return Err(End::Fault(Fault::Version(version.number())));
    }
    let LoginStart { name, .. } = self::heard(line).await?.read(version)?;
    let entry = Entry::new(house, version, host, name);
    if !house.takes(intent) {
        refuse(line, "transfers aren't accepted")?;
        return Err(End::Said);
    }
    Ok(entry)
}

async fn heard(line: &mut Line) -> Result<Heard, End> {
    loop {
        if let Some(heard) = line.next()? {
            return Ok(heard);
        }
        if !line.turn().await? {
            return Err(End::Left);
        }
    }
}

async fn answer_ping(line: &mut Line) -> Result<Entry, End> {
    loop {
        let heard = heard(line).await?;
        match heard.id {
            0 => {
                let number = line.version.number();
                let document = format!(
                    r#"{{"version":{{"name":"host","protocol":{number}}},"players":{{"max":1000,"online":0}},"description":"host"}}"#
                );
                line.say_packet(&StatusResponse { document })?;
            }
            _ => {
                let payload = Decoder::new(heard.fields()).i64("payload");
                let payload = payload.map_err(in_fields(State::Status, Kind::Ping))?;
                line.say_packet(&PongResponse { payload })?;
                return Err(End::Said);
            }
        }
    }
}

/// Login's Disconnect.
pub(super) fn refuse(line: &mut Line, text: &str) -> Result<(), Fault> {
    line.say_packet(&LoginDisconnect { reason: serde_json::json!({ "text": text }).to_string() })
}

impl Visit {
    /// From Login Start until the login is over on both sides.
    pub(super) async fn log_in(&mut self) -> Result<(), End> {
        if let Some(secret) = self.entry.house.rules.secret.clone() {
            self.identify(&secret).await?;
        }
        if let Some(threshold) = self.entry.house.rules.compression {
            let stated = i32::try_from(threshold).unwrap_or(i32::MAX);
            self.line.say_packet(&SetCompression { threshold: stated })?;
            self.line.compress(threshold);
        }
        let mut id = Uuid::nil();
        self.entry.stay(|stay| id = stay.id);
        let profile = Profile { id, name: self.entry.name.clone(), properties: Vec::new() };
        self.line.say_packet(&LoginSuccess { profile, session_id: Uuid::nil() })?;
        if !self.line.version.has_configuration() {
            return Ok(());
        }
        match self.next().await? {
            (Kind::LoginAcknowledged, _) => {
                self.enter(State::Configuration, Stage::Configuration);
                Ok(())
            }
            (kind, _) => Err(Fault::Misplaced { state: State::Login, kind }.into()),
        }
    }

    /// Has the player's identity forwarded.
    async fn identify(&mut self, secret: &[u8]) -> Result<(), End> {
        let version = self.line.version;
        forwarding::ask(&mut self.line)?;
        let (kind, heard) = self.next().await?;
        if kind != Kind::LoginPluginResponse {
            return Err(Fault::Misplaced { state: State::Login, kind }.into());
        }
        let forwarded = match forwarding::hear(version, &heard, secret) {
            Ok(forwarded) if forwarded.name == self.entry.name => forwarded,
            heard => {
                self.entry.tell(heard.err().unwrap_or(Fault::Forwarding("another name than Login Start's")));
                self.obey(Order::Kick("this server is reached by way of a proxy".to_owned()))?;
                return Err(End::Said);
            }
        };
        self.entry.stay(|stay| {
            stay.id = forwarded.id;
            stay.address = Some(forwarded.address);
            stay.properties = forwarded.properties;
        });
        Ok(())
    }
}
