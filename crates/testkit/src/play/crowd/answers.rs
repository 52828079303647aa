//! What a vanilla client answers in configuration and play.

use super::journey::{Lead, Stint, marked, turns_over};
use super::resident::{Passage, Place};
use super::words;
use crate::play::fault::Fault;
use crate::play::line::{Heard, in_fields};
use crate::play::mods;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::Packet as _;
use drawbridge_protocol::packet::configuration;
use drawbridge_protocol::packet::configuration::{
    Disconnect, FinishConfiguration, PackResult, StoreCookie, Transfer,
};
use drawbridge_protocol::packet::login::{CookieRequest, CookieResponse};
use drawbridge_protocol::packet::play::{
    ConfigurationAcknowledged, CustomPayload, KeepAlive, KickDisconnect, ResourcePack, ResourcePackAnswer,
};
use drawbridge_protocol::text::Component;
use drawbridge_protocol::wire::{DecodeError, Decoder};
use tokio::time::Instant;

/// How a connection ended.
#[derive(Debug)]
pub(super) enum Done {
    /// The client is sent on.
    Transfer(Lead),
    /// It is at the disconnect screen.
    Gone(String),
    /// What came is such that nothing sensible can follow.
    Fault(Fault),
}

impl From<Fault> for Done {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Stint<'_> {
    pub(super) fn hear_in_configuration(&mut self, kind: Kind, heard: &Heard) -> Result<(), Done> {
        let version = self.line.version;
        match kind {
            Kind::Disconnect => {
                let Disconnect { reason } = heard.read(version)?;
                return Err(Done::Gone(reason.to_plain()));
            }
            Kind::FinishConfiguration => {
                let _: FinishConfiguration = heard.read(version)?;
                if !std::mem::take(&mut self.has_registries) {
                    // No world can be made without.
                    self.shared.tell(Fault::Missing(Kind::RegistryData));
                }
                self.line.say_kind(State::Configuration, kind, |_, _| ())?;
                self.state = State::Play;
            }
            Kind::KeepAlive => {
                let configuration::KeepAlive { id } = heard.read(version)?;
                self.line.say_packet(&configuration::KeepAliveResponse { id })?;
            }
            Kind::RegistryData => self.has_registries = true,
            Kind::SelectKnownPacks => {
                self.line.say_kind(State::Configuration, kind, |_, out| out.varint(0))?;
            }
            _ => self.hear_anywhere(kind, heard)?,
        }
        Ok(())
    }

    pub(super) fn hear_in_play(&mut self, kind: Kind, heard: &Heard) -> Result<(), Done> {
        let (version, state) = (self.line.version, State::Play);
        if turns_over(kind) {
            self.judge(self.ledger.turns_over(kind));
        }
        match kind {
            Kind::KickDisconnect => {
                let KickDisconnect { reason } = heard.read(version)?;
                return Err(Done::Gone(reason.to_plain()));
            }
            Kind::Login => {
                if self.passage == Passage::Switch && !self.has_typed && !version.has_configuration() {
                    // Nothing was said of the switch before.
                    self.since = Instant::now();
                }
                let joined = self.ledger.joins(heard.fields());
                self.judge(joined);
                self.greet()?;
                self.arrive();
            }
            Kind::Respawn => {
                let respawned = self.ledger.respawns(heard.fields());
                self.judge(respawned);
            }
            Kind::BundleDelimiter => self.ledger.delimiter(),
            Kind::StartConfiguration => self.leave_play()?,
            Kind::KeepAlive => {
                let KeepAlive { id } = heard.read(version)?;
                self.line.say_packet(&drawbridge_protocol::packet::play::KeepAliveResponse { id })?;
            }
            Kind::Position if version >= ProtocolVersion::V1_9 => {
                let number = teleport(version, heard.fields()).map_err(in_fields(state, kind))?;
                self.line.say_kind(state, Kind::TeleportConfirm, |_, out| out.varint(number))?;
            }
            Kind::ChunkBatchFinished => {
                let rate = 25.0_f32.to_bits().cast_signed();
                self.line.say_kind(state, Kind::ChunkBatchReceived, |_, out| out.i32(rate))?;
            }
            Kind::Chat | Kind::SystemChat => {
                let text = read_text(version, heard.fields()).map_err(in_fields(state, kind))?;
                self.shared.reads(text);
            }
            Kind::CustomPayload => {
                let payload = CustomPayload::read(version, heard.fields()).map_err(in_fields(state, kind))?;
                if let Some(data) = marked(&payload) {
                    self.hear_mark(data);
                } else if payload.channel == mods::CHANNEL {
                    self.hear_mods(payload.data)?;
                }
            }
            _ => self.hear_anywhere(kind, heard)?,
        }
        Ok(())
    }

    fn hear_mark(&mut self, data: &[u8]) {
        let heard = self.ledger.hears(data);
        self.judge(heard);
        self.unanswered = true;
        let mut resident = self.shared.lock();
        resident.heard += 1;
        resident.heard_here = self.ledger.heard_here();
    }

    /// What a client says of itself in each world; since 764 in configuration.
    fn greet(&mut self) -> Result<(), Fault> {
        if !self.line.version.has_configuration() {
            words::information(&mut self.line, State::Play)?;
            return words::brand(&mut self.line, State::Play);
        }
        if self.line.version >= ProtocolVersion::V1_21_4 {
            self.line.say_kind(State::Play, Kind::PlayerLoaded, |_, _| ())?;
        }
        Ok(())
    }

    fn leave_play(&mut self) -> Result<(), Fault> {
        self.ledger.leave_play();
        self.has_registries = false;
        self.line.say_packet(&ConfigurationAcknowledged {})?;
        self.state = State::Configuration;
        let mut resident = self.shared.lock();
        // Where nothing was typed in this visit, the switch begins here.
        if !self.has_typed {
            self.since = Instant::now();
        }
        resident.place = Place::Configuration;
        Ok(())
    }

    /// What is said in configuration and in play alike.
    fn hear_anywhere(&mut self, kind: Kind, heard: &Heard) -> Result<(), Done> {
        let (version, state) = (self.line.version, self.state);
        let fields = &mut Decoder::new(heard.fields());
        match kind {
            Kind::Transfer => {
                let Transfer { host, port } =
                    Transfer::decode(version, fields).map_err(in_fields(state, kind))?;
                return Err(Done::Transfer(Lead { host, port }));
            }
            Kind::CookieRequest => {
                let CookieRequest { key } =
                    CookieRequest::decode(version, fields).map_err(in_fields(state, kind))?;
                self.answer_cookie(key)?;
            }
            Kind::StoreCookie => {
                let StoreCookie { key, payload } =
                    StoreCookie::decode(version, fields).map_err(in_fields(state, kind))?;
                self.shared.lock().jar.insert(key, payload);
            }
            Kind::Ping => {
                let number = fields.i32("number").map_err(in_fields(state, kind))?;
                self.line.say_kind(state, Kind::Pong, |_, out| out.i32(number))?;
            }
            Kind::AddResourcePack | Kind::ResourcePackSend => {
                let pack = ResourcePack::read(version, heard.fields()).map_err(in_fields(state, kind))?;
                self.take_pack(&pack)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Accepts a pack, and says that it is in use.
    fn take_pack(&mut self, pack: &ResourcePack<'_>) -> Result<(), Fault> {
        let has_download = self.line.version >= ProtocolVersion::V1_20_3;
        for result in [PackResult::Accepted, PackResult::Downloaded, PackResult::Loaded] {
            if result == PackResult::Downloaded && !has_download {
                continue;
            }
            let mut body = Vec::new();
            let answer = ResourcePackAnswer { id: pack.id, hash: Some(pack.hash), result };
            if answer.write(self.line.version, self.state, &mut body) {
                self.line.say(&body)?;
            }
        }
        Ok(())
    }

    /// Gives a cookie, or says that there is none.
    pub(super) fn answer_cookie(&mut self, key: String) -> Result<(), Fault> {
        let payload = self.shared.lock().jar.get(&key).cloned();
        let answer = CookieResponse { key, payload };
        self.line.say_kind(self.state, Kind::CookieResponse, |version, out| answer.encode(version, out))
    }
}

/// The number of a Synchronize Player Position.
fn teleport(version: ProtocolVersion, fields: &[u8]) -> Result<i32, DecodeError> {
    let mut fields = Decoder::new(fields);
    if version < ProtocolVersion::V1_21_2 {
        // Three coordinates, two angles, flags.
        fields.bytes("position", 3 * 8 + 2 * 4 + 1)?;
    }
    fields.varint("teleport")
}

/// The text that a chat packet begins with.
fn read_text(version: ProtocolVersion, fields: &[u8]) -> Result<String, DecodeError> {
    let wrong = DecodeError::Value { field: "text", value: 0 };
    if version.has_nbt_text() {
        return Component::from_nbt(fields).map(|(text, _)| text.to_plain()).map_err(|_| wrong);
    }
    let json = Decoder::new(fields).string("text", 262_144)?;
    Component::from_json_lenient(json).map(|text| text.to_plain()).map_err(|_| wrong)
}
