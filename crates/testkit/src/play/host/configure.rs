//! Configuration, from 764 on.

use super::asked::{oldest, once};
use super::visit::{End, Visit};
use super::{Misdeed, Stage, world};
use crate::play::fault::Fault;
use crate::play::line::{Heard, in_fields};
use crate::play::mark::CHANNEL;
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::packet::configuration::{
    ClientInformation, FinishConfiguration, KeepAlive, KeepAliveResponse,
};
use drawbridge_protocol::packet::login::CookieResponse;
use drawbridge_protocol::packet::play::CustomPayload;
use drawbridge_protocol::packet::{Packet as _, RawPacket};
use drawbridge_protocol::wire::Decoder;
use std::time::Duration;

/// The most known packs that a client may tell of; vanilla's bound.
const PACKS: usize = 64;

impl Visit {
    /// From the state's begin to the client's Finish Configuration.
    pub(super) async fn configure(&mut self) -> Result<(), End> {
        let version = self.line.version;
        self.say_brand()?;
        if version.has_transfer() {
            self.asked.known_packs = true;
            world::known_packs(&mut self.line)?;
        } else {
            self.finish_configuration()?;
        }
        loop {
            let (kind, heard) = self.next().await?;
            if kind == Kind::FinishConfiguration {
                let asked = once(&mut self.asked.finish, kind);
                self.judge(asked)?;
                break;
            }
            let heard = self.hear_in_configuration(kind, &heard);
            self.judge(heard)?;
        }
        // It was asked before, and clients answer in order.
        self.judge(self.asked.is_late(Duration::ZERO))?;
        if !self.has_information {
            self.entry.tell(Fault::Missing(Kind::Settings));
        }
        self.enter(State::Play, Stage::Configuration);
        Ok(())
    }

    /// The server's brand.
    pub(super) fn say_brand(&mut self) -> Result<(), Fault> {
        let mut body = Vec::new();
        let payload = CustomPayload { channel: world::brand_channel(self.line.version), data: b"\x04host" };
        if payload.write(self.line.version, self.state, Direction::Clientbound, &mut body) {
            self.line.say(&body)?;
        }
        Ok(())
    }

    fn finish_configuration(&mut self) -> Result<(), Fault> {
        let id = self.question();
        // One that was asked in play and is not answered yet is the client's to answer before this one.
        self.asked.keep_alive(id.into());
        if !self.misdeeds.contains(&Misdeed::KeepsRegistries) {
            world::registries(&mut self.line)?;
        }
        self.line.say_packet(&KeepAlive { id: id.into() })?;
        self.asked.finish = true;
        self.line.say_packet(&FinishConfiguration {})
    }

    fn hear_in_configuration(&mut self, kind: Kind, heard: &Heard) -> Result<(), Fault> {
        match kind {
            Kind::SelectKnownPacks => {
                read_packs(heard).map_err(in_fields(State::Configuration, kind))?;
                once(&mut self.asked.known_packs, kind)?;
                self.finish_configuration()
            }
            Kind::KeepAlive => {
                let answer: KeepAliveResponse = heard.read(self.line.version)?;
                self.asked.answered(answer.id)
            }
            Kind::Settings => {
                let ClientInformation { locale } = heard.read(self.line.version)?;
                self.hear_information(locale)
            }
            _ => self.hear_anywhere(kind, heard),
        }
    }

    /// The first Client Information of a connection since 764: after it, it is said only in play, when options change.
    pub(super) fn hear_information(&mut self, locale: String) -> Result<(), Fault> {
        let again = std::mem::replace(&mut self.has_information, true);
        self.entry.stay(|stay| stay.locale = Some(locale));
        if again && self.line.version.has_configuration() {
            Err(Fault::Again(Kind::Settings))
        } else {
            Ok(())
        }
    }

    /// What may be said in configuration and in play.
    pub(super) fn hear_anywhere(&mut self, kind: Kind, heard: &Heard) -> Result<(), Fault> {
        let (version, state) = (self.line.version, self.state);
        match kind {
            Kind::CustomPayload => {
                let payload = CustomPayload::read(version, heard.fields()).map_err(in_fields(state, kind))?;
                if payload.channel == world::brand_channel(version) {
                    let brand = Decoder::new(payload.data).string("brand", 32_767);
                    let brand = brand.map_err(in_fields(state, kind))?.to_owned();
                    self.entry.stay(|stay| stay.brand = Some(brand));
                }
                let is_marks = payload.channel == CHANNEL && state == State::Configuration;
                if is_marks { Err(Fault::Misplaced { state, kind }) } else { Ok(()) }
            }
            Kind::CookieResponse => {
                let fields = &mut Decoder::new(heard.fields());
                let answer = CookieResponse::decode(version, fields).map_err(in_fields(state, kind))?;
                oldest(&mut self.asked.cookies, &answer.key, kind)?;
                self.entry.stay(|stay| stay.cookies.push((answer.key, answer.payload)));
                Ok(())
            }
            Kind::Pong | Kind::ResourcePackReceive => Err(Fault::Unasked(kind)),
            _ if state == State::Configuration => Err(Fault::Misplaced { state, kind }),
            _ => Ok(()),
        }
    }
}

fn read_packs(heard: &Heard) -> Result<(), drawbridge_protocol::wire::DecodeError> {
    let packet = RawPacket { id: heard.id, fields: heard.fields() };
    let mut fields = Decoder::new(packet.fields);
    for _ in 0..fields.length("packs", PACKS)? {
        for part in ["namespace", "id", "version"] {
            fields.string(part, 32_767)?;
        }
    }
    fields.finish()
}
