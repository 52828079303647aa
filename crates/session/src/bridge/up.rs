//! What clients say to backends.

use super::commands::Fate;
use super::event::Next;
use super::limits::{Limit, Meter};
use super::standing::{Passage, Standing};
use super::{BEHIND, Event, Fault, Options};
use crate::backend::Backend;
use crate::forge;
use crate::ledger::Ledger;
use crate::packets;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::{Frame, FrameWriter};
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::play::{self, CustomPayload, KeepAliveResponse, Typed};
use drawbridge_protocol::packet::{Packet as _, RawPacket};
use drawbridge_protocol::wire::Decoder;

/// The most bytes of what a client says of itself that are kept for other backends.
const KEPT: usize = 4 * 1024;

/// The most characters of an identifier.
const IDENTIFIER: usize = 32_767;

/// A turn of the pump towards the backend.
pub(super) struct Up<'a> {
    pub(super) version: ProtocolVersion,
    pub(super) ledger: &'a Ledger,
    pub(super) options: &'a Options,
    pub(super) standing: &'a mut Standing,
    pub(super) client: &'a mut FrameWriter,
    pub(super) backend: Option<&'a mut Backend>,
    /// Whether the client is in a limbo.
    pub(super) alone: bool,
    pub(super) meter: &'a mut Meter,
    pub(super) scratch: &'a mut Vec<u8>,
}

impl Up<'_> {
    /// Deals with a frame.
    #[inline]
    pub(super) fn take(&mut self, frame: &Frame<'_>) -> Result<Option<Event>, Fault> {
        self.meter.packet(frame)?;
        let state = self.standing.speaks;
        let kind = match state {
            State::Login => ids::kind(self.version, state, Direction::Serverbound, frame.id()),
            state => self.ledger.kind(state, Direction::Serverbound, frame.id()),
        };
        match kind {
            None if state == State::Login || self.ledger.is_complete() => Err(Fault::Unknown(frame.id())),
            Some(kind) if state == State::Login && kind != Kind::LoginAcknowledged => {
                Err(Fault::Misplaced(frame.id()))
            }
            Some(
                kind @ (Kind::LoginAcknowledged
                | Kind::FinishConfiguration
                | Kind::ConfigurationAcknowledged
                | Kind::KeepAlive
                | Kind::Settings
                | Kind::CustomPayload
                | Kind::CookieResponse
                | Kind::SelectKnownPacks
                | Kind::ResourcePackReceive
                | Kind::ChatSessionUpdate
                | Kind::Chat
                | Kind::ChatCommand
                | Kind::ChatCommandSigned
                | Kind::TabComplete),
            ) => self.understand(kind, frame),
            // Since 1.19 no command is one.
            Some(Kind::ChatMessage) => {
                self.meter.take(Limit::Chat, 1)?;
                self.pass(frame)
            }
            _ => self.pass(frame),
        }
    }

    /// Hands a frame on to the backend, if that is in the state that it belongs to.
    fn pass(&mut self, frame: &Frame<'_>) -> Result<Option<Event>, Fault> {
        if self.standing.fence.is_none() && !self.standing.awaits_world {
            self.hand_on(frame)?;
        }
        Ok(None)
    }

    /// The same of what doesn't belong to any world.
    fn hand_on(&mut self, frame: &Frame<'_>) -> Result<(), Fault> {
        if let Some(backend) = &mut self.backend
            && backend.hears == self.standing.speaks
        {
            backend.writer.forward(frame)?;
        }
        Ok(())
    }

    fn understand(&mut self, kind: Kind, frame: &Frame<'_>) -> Result<Option<Event>, Fault> {
        self.count(kind)?;
        let mut scratch = std::mem::take(self.scratch);
        let packet = frame.packet(&mut scratch)?;
        let next = self.read(kind, &packet, frame);
        *self.scratch = scratch;
        match next? {
            Next::Passes => self.pass_on(kind, frame),
            Next::Ends => Ok(None),
            Next::Event(event) => Ok(Some(event)),
        }
    }

    /// Counts what is limited by its kind alone, before it is looked into.
    #[inline]
    fn count(&mut self, kind: Kind) -> Result<(), Fault> {
        let limit = match kind {
            Kind::Settings => Limit::Settings,
            Kind::CustomPayload => Limit::PluginMessages,
            Kind::TabComplete => Limit::Completions,
            _ => return Ok(()),
        };
        Ok(self.meter.take(limit, 1)?)
    }

    /// Takes note of what a packet says.
    #[inline]
    fn read(&mut self, kind: Kind, packet: &RawPacket<'_>, frame: &Frame<'_>) -> Result<Next, Fault> {
        let passes = match kind {
            Kind::LoginAcknowledged => self.acknowledges(Passage::Welcome, frame)?,
            Kind::FinishConfiguration => self.acknowledges(Passage::Finish, frame)?,
            Kind::ConfigurationAcknowledged => self.acknowledges(Passage::Start, frame)?,
            Kind::KeepAlive => self.answers_keep_alive(packet)?,
            Kind::Settings => {
                keep(&mut self.standing.settings, packet.fields);
                true
            }
            Kind::CustomPayload => self.sends_plugin_message(packet, frame)?,
            Kind::CookieResponse => self.answers_cookie(packet)?,
            Kind::SelectKnownPacks => self.answers_known_packs(),
            Kind::ResourcePackReceive => self.answers_pack(packet)?,
            Kind::ChatSessionUpdate => self.begins_chat_session(frame)?,
            Kind::Chat | Kind::ChatCommand | Kind::ChatCommandSigned => return self.types(kind, packet),
            Kind::TabComplete => return Ok(self.asks_to_complete(packet)),
            _ => true,
        };
        Ok(Next::passes(passes))
    }

    /// As [`Up::pass`]; an acknowledgement changes the state that the backend hears, and belongs to the one before.
    fn pass_on(&mut self, kind: Kind, frame: &Frame<'_>) -> Result<Option<Event>, Fault> {
        let (before, after) = match kind {
            Kind::FinishConfiguration => (State::Configuration, State::Play),
            Kind::ConfigurationAcknowledged => (State::Play, State::Configuration),
            _ => return self.pass(frame),
        };
        if let Some(backend) = &mut self.backend
            && backend.hears == before
        {
            backend.writer.forward(frame)?;
            backend.hears = after;
            backend.asked.refuse(self.version, after, &mut backend.writer);
        }
        Ok(None)
    }

    /// Whether the backend waits for an acknowledgement that the client gives.
    fn acknowledges(&mut self, what: Passage, frame: &Frame<'_>) -> Result<bool, Fault> {
        let transition = self.standing.acknowledged(what).ok_or(Fault::Misplaced(frame.id()))?;
        if let Some(backend) = &mut self.backend {
            backend.open_to(self.standing, self.version);
        }
        Ok(transition.awaited)
    }

    /// Whether there is a backend that has asked.
    fn asked(&mut self, ask: impl FnOnce(&mut Backend) -> bool) -> bool {
        self.backend.as_mut().is_some_and(|backend| ask(backend))
    }

    /// Whether the backend waits for a sign of life, rather than the edge or nobody.
    #[inline]
    fn answers_keep_alive(&mut self, packet: &RawPacket<'_>) -> Result<bool, Fault> {
        let fields = &mut Decoder::new(packet.fields);
        let KeepAliveResponse { id } = KeepAliveResponse::decode(self.version, fields)?;
        let is_the_edges = self.standing.answered(id);
        if let Some(backend) = &mut self.backend {
            backend.open_to(self.standing, self.version);
        }
        Ok(!is_the_edges && self.asked(|backend| backend.asked.keep_alives.answer(id)))
    }

    /// Whether the backend waits for a cookie.
    fn answers_cookie(&mut self, packet: &RawPacket<'_>) -> Result<bool, Fault> {
        let key = Decoder::new(packet.fields).string("cookie", IDENTIFIER)?;
        Ok(self.asked(|backend| remove(&mut backend.asked.cookies, |asked| asked == key)))
    }

    /// Whether the backend waits for what packs the client knows.
    fn answers_known_packs(&mut self) -> bool {
        self.asked(|backend| {
            let asked = backend.asked.known_packs > 0;
            backend.asked.known_packs = backend.asked.known_packs.saturating_sub(1);
            asked
        })
    }

    /// Keeps the client's brand; whether a message to plugins is still to go on.
    #[inline]
    fn sends_plugin_message(&mut self, packet: &RawPacket<'_>, frame: &Frame<'_>) -> Result<bool, Fault> {
        if is_brand(packet) {
            keep(&mut self.standing.brand, packet.fields);
        }
        Ok(!self.shakes_hands(packet, frame)?)
    }

    /// Takes note of Forge's handshake; whether the packet went on already, as it has to while the backend has no world yet.
    fn shakes_hands(&mut self, packet: &RawPacket<'_>, frame: &Frame<'_>) -> Result<bool, Fault> {
        if !self.options.shakes_hands {
            return Ok(false);
        }
        let payload = CustomPayload::read(self.version, packet.fields)?;
        self.standing.shaken |= forge::is_complete(&payload);
        if self.standing.awaits_world && forge::comes_first(payload.channel) {
            self.hand_on(frame)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Hands on by what the player signs, unless the backend doesn't check it.
    fn begins_chat_session(&mut self, frame: &Frame<'_>) -> Result<bool, Fault> {
        // It is the player's, whatever world they said it in: said on the way into a new one, it is said once.
        if self.backend.as_ref().is_some_and(|backend| backend.signs) {
            self.hand_on(frame)?;
        }
        Ok(false)
    }

    /// What becomes of what the player typed: a command, or said to others.
    #[inline]
    fn types(&mut self, kind: Kind, packet: &RawPacket<'_>) -> Result<Next, Fault> {
        let command = self.command(kind, packet)?;
        self.meter.take(if command.is_some() { Limit::Commands } else { Limit::Chat }, 1)?;
        Ok(command.map_or(Next::Passes, |command| Next::Event(Event::Command(command))))
    }

    /// The edge's command that the player typed, if it is one. What of it the backend has to know all the same, it is told.
    fn command(&mut self, kind: Kind, packet: &RawPacket<'_>) -> Result<Option<String>, Fault> {
        let typed = Typed::read(self.version, kind, packet.fields)?;
        let Some(Typed { text, is_signed: false, seen, .. }) = typed.filter(|typed| typed.is_command) else {
            return Ok(None);
        };
        let Some(begin) = self.standing.commands.own(text, self.alone) else { return Ok(None) };
        // Behind a fence it belongs to the backend before.
        if seen != 0
            && self.standing.fence.is_none()
            && let Some(backend) = &mut self.backend
            && backend.hears == State::Play
        {
            packets::say(&mut backend.writer, |out| play::acknowledge(self.version, seen, out));
        }
        Ok(Some(text[begin..].to_owned()))
    }

    /// What becomes of what the client wants completed.
    fn asks_to_complete(&mut self, packet: &RawPacket<'_>) -> Next {
        // On its way to a limbo, or out of one, it still says what it said in the world before.
        let is_answered = self.standing.is_in_world() && self.client.unsent().len() <= BEHIND;
        if self.alone && !is_answered {
            return Next::Ends;
        }
        match self.standing.commands.asked(self.version, packet.fields, self.alone, self.client) {
            Fate::Passes => Next::Passes,
            Fate::Answered => Next::Ends,
            Fate::Own(half_typed) => Next::Event(Event::Completion(half_typed)),
        }
    }

    /// Whether the backend waits for what the client says of a resource pack.
    fn answers_pack(&mut self, packet: &RawPacket<'_>) -> Result<bool, Fault> {
        // Since 1.20.3 packs have ids.
        let id = self.version.has_nbt_text();
        let mut fields = Decoder::new(packet.fields);
        let id = if id { Some(fields.uuid("pack")?) } else { None };
        // What is under way with a pack is told more than once.
        Ok(self.asked(|backend| backend.asked.packs.contains(&id)))
    }
}

/// Keeps the fields of a packet, unless there are too many of them to be any client's.
fn keep(kept: &mut Option<Vec<u8>>, fields: &[u8]) {
    if fields.len() <= KEPT {
        let kept = kept.get_or_insert_default();
        kept.clear();
        kept.extend_from_slice(fields);
    }
}

fn is_brand(packet: &RawPacket<'_>) -> bool {
    let channel = Decoder::new(packet.fields).string("channel", IDENTIFIER);
    matches!(channel, Ok("minecraft:brand" | "MC|Brand"))
}

/// Takes the first of a list that fits; whether there was one.
fn remove(list: &mut Vec<String>, fits: impl Fn(&str) -> bool) -> bool {
    let at = list.iter().position(|item| fits(item));
    at.map(|at| list.remove(at)).is_some()
}
