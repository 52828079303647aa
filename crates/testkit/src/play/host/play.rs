//! Play: the world, keep-alives, and what the client says.

use super::asked::{KEEP_ALIVE, oldest};
use super::visit::{End, Visit};
use super::{Order, Stage, world};
use crate::play::fault::Fault;
use crate::play::line::{Heard, in_fields};
use crate::play::mark::{CHANNEL, Mark};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::packet::play::{
    CustomPayload, KeepAlive, KeepAliveResponse, RawClientInformation, Typed,
};
use drawbridge_protocol::wire::Decoder;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Vanilla's tick, in which packets are pushed.
pub(super) const TICK: Duration = Duration::from_millis(50);
/// How often a host that pushes nothing looks after keep-alives.
const QUIET_TICK: Duration = Duration::from_millis(250);

impl Visit {
    /// From Join Game until the client agrees to be configured anew.
    pub(super) async fn play(&mut self) -> Result<(), End> {
        self.state = State::Play;
        world::join(&mut self.line, self.said.spot().entity())?;
        if !self.line.version.has_configuration() {
            self.say_brand()?;
        }
        let number = self.question();
        if self.line.version >= ProtocolVersion::V1_9 {
            self.asked.teleports.push_back(number);
        }
        world::place(&mut self.line, number)?;
        self.entry.stay(|stay| stay.stage = Stage::Play);
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.state == State::Play {
            tokio::select! {
                turn = self.line.turn() => {
                    if !turn? { return Err(End::Left); }
                    self.hear_all()?;
                }
                _ = tick.tick() => {
                    if !self.tick()? { tick.reset_after(QUIET_TICK); }
                }
                order = self.entry.orders.recv() => self.obey(order.unwrap_or(Order::Cut))?,
            }
        }
        Ok(())
    }

    /// Keep-alives and traffic; false where there is no traffic.
    fn tick(&mut self) -> Result<bool, End> {
        self.asked.is_late(KEEP_ALIVE)?;
        // A client that agrees to a new configuration has an end to put to this one first.
        if self.asked.configuration {
            return Ok(true);
        }
        if self.asked.wants_keep_alive(self.entry.house.rules.beat) {
            self.close_bundle()?;
            let id = self.question();
            self.asked.keep_alive(id.into());
            self.line.say_packet(&KeepAlive { id: id.into() })?;
        }
        self.push()
    }

    /// What has come, as long as the client is in play.
    fn hear_all(&mut self) -> Result<(), End> {
        while self.state == State::Play
            && let Some(heard) = self.line.next()?
        {
            let kind = self.kind(&heard)?;
            let heard = self.hear_in_play(kind, &heard);
            self.judge(heard)?;
        }
        Ok(())
    }

    fn hear_in_play(&mut self, kind: Kind, heard: &Heard) -> Result<(), Fault> {
        let (version, state) = (self.line.version, State::Play);
        match kind {
            Kind::KeepAlive => {
                let KeepAliveResponse { id } = heard.read(version)?;
                self.asked.answered(id)
            }
            Kind::CustomPayload => {
                let payload = CustomPayload::read(version, heard.fields()).map_err(in_fields(state, kind))?;
                if payload.channel != CHANNEL {
                    return self.hear_anywhere(kind, heard);
                }
                let mark = Mark::read(payload.data)?;
                self.entry.stay(|stay| stay.heard += 1);
                self.heard.hear(&mark)
            }
            Kind::Settings => {
                let read = RawClientInformation::read(heard.fields());
                let locale = read.map_err(in_fields(state, kind))?.locale.to_owned();
                self.hear_information(locale)
            }
            Kind::TeleportConfirm => {
                let number =
                    Decoder::new(heard.fields()).varint("teleport").map_err(in_fields(state, kind))?;
                oldest(&mut self.asked.teleports, &number, kind)
            }
            Kind::ChunkBatchReceived => self.asked.batch_received(),
            Kind::ConfigurationAcknowledged => {
                let agreed = self.asked.configured();
                if agreed != Err(Fault::Unasked(kind)) {
                    self.enter(State::Configuration, Stage::Configuration);
                }
                agreed
            }
            Kind::Chat | Kind::ChatMessage | Kind::ChatCommand | Kind::ChatCommandSigned => {
                let typed = Typed::read(version, kind, heard.fields()).map_err(in_fields(state, kind))?;
                let Some(typed) = typed else { return Ok(()) };
                let slash = if typed.is_command { "/" } else { "" };
                let text = format!("{slash}{}", typed.text);
                self.entry.stay(|stay| stay.typed.push(text));
                Ok(())
            }
            _ => self.hear_anywhere(kind, heard),
        }
    }
}
