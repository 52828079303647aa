//! What backends say to clients.

mod asked;
mod bounds;

use super::event::Next;
use super::standing::{Passage, Standing};
use super::{Event, Fault, Options};
use crate::backend::Asked;
use crate::ledger::Ledger;
use crate::packets;
use bounds::bounded;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::{Frame, FrameWriter};
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::packet::configuration::Transfer;
use drawbridge_protocol::packet::play::{self, JoinGame};
use drawbridge_protocol::packet::{Packet as _, RawPacket};
use drawbridge_protocol::varint;
use drawbridge_protocol::wire::Decoder;
use std::time::Instant;
use uuid::Uuid;

/// The most answers of a kind that a backend may wait for at once.
const MOST: usize = 64;

/// The most characters of a cookie's key.
const KEY: usize = 32_767;

/// The longest packet in which the edge's own commands are put beside the backend's, in bytes. A longer one would hold up the thread for everybody on it
/// while it is inflated, looked through and deflated again.
const MERGED: usize = 1024 * 1024;

/// A turn of the pump towards the client.
pub(super) struct Down<'a> {
    pub(super) version: ProtocolVersion,
    pub(super) ledger: &'a Ledger,
    pub(super) options: &'a Options,
    pub(super) standing: &'a mut Standing,
    pub(super) client: &'a mut FrameWriter,
    pub(super) backend: &'a mut FrameWriter,
    pub(super) asked: &'a mut Asked,
    pub(super) packs: &'a mut Vec<Uuid>,
    pub(super) speaks: &'a mut State,
    /// The state in which the backend takes packets.
    pub(super) hears: State,
    pub(super) scratch: &'a mut Vec<u8>,
    pub(super) now: Instant,
}

impl Down<'_> {
    /// Deals with a frame.
    #[inline]
    pub(super) fn take(&mut self, frame: &Frame<'_>) -> Result<Option<Event>, Fault> {
        let kind = self.ledger.kind(*self.speaks, Direction::Clientbound, frame.id());
        match kind {
            Some(
                kind @ (Kind::KeepAlive
                | Kind::Disconnect
                | Kind::KickDisconnect
                | Kind::FinishConfiguration
                | Kind::StartConfiguration
                | Kind::BundleDelimiter
                | Kind::Compress
                | Kind::StoreCookie
                | Kind::CookieRequest
                | Kind::SelectKnownPacks
                | Kind::AddResourcePack
                | Kind::RemoveResourcePack
                | Kind::ResourcePackSend
                | Kind::Login),
            ) => self.understand(kind, frame),
            Some(Kind::Transfer) if self.options.follows_transfers => self.sends_on(frame),
            Some(
                kind @ (Kind::BossBar
                | Kind::PlayerInfo
                | Kind::PlayerRemove
                | Kind::PlayerlistHeader
                | Kind::ScoreboardObjective
                | Kind::ScoreboardTeam
                | Kind::Teams
                | Kind::EntityEffect
                | Kind::RemoveEntityEffect),
            ) if !self.version.has_configuration() => self.note(kind, frame),
            Some(Kind::DeclareCommands) => self.extend(Kind::DeclareCommands, frame),
            Some(kind @ Kind::TabComplete) if self.standing.commands.awaits_answer() => {
                self.extend(kind, frame)
            }
            _ => self.pass(frame),
        }
    }

    fn pass(&mut self, frame: &Frame<'_>) -> Result<Option<Event>, Fault> {
        self.client.forward(frame)?;
        Ok(None)
    }

    /// Tells the edge where the client is sent, and not the client.
    fn sends_on(&mut self, frame: &Frame<'_>) -> Result<Option<Event>, Fault> {
        bounded(Kind::Transfer, frame)?;
        let packet = frame.packet(self.scratch)?;
        let transfer = Transfer::decode(self.version, &mut Decoder::new(packet.fields))?;
        Ok(Some(Event::SentOn(transfer)))
    }

    /// Notes what stays with a client that no configuration clears.
    #[inline]
    fn note(&mut self, kind: Kind, frame: &Frame<'_>) -> Result<Option<Event>, Fault> {
        let packet = frame.packet(self.scratch)?;
        self.standing.remains.note(self.version, kind, packet.fields)?;
        self.pass(frame)
    }

    /// Puts the edge's own commands beside the backend's. What is too long to be looked through goes on as what can't be read does.
    fn extend(&mut self, kind: Kind, frame: &Frame<'_>) -> Result<Option<Event>, Fault> {
        let is_merged = frame.length() <= MERGED;
        let fields = if is_merged { frame.packet(self.scratch)?.fields } else { &[] };
        let commands = &mut self.standing.commands;
        let extended = match kind {
            Kind::DeclareCommands => commands.beside(self.version, fields),
            _ => commands.answered(self.version, fields),
        };
        let Some(body) = extended else { return self.pass(frame) };
        self.client.body(&body)?;
        Ok(None)
    }

    fn understand(&mut self, kind: Kind, frame: &Frame<'_>) -> Result<Option<Event>, Fault> {
        bounded(kind, frame)?;
        let mut scratch = std::mem::take(self.scratch);
        let packet = frame.packet(&mut scratch)?;
        let next = self.read(kind, &packet);
        *self.scratch = scratch;
        match next? {
            Next::Passes => self.pass(frame),
            Next::Ends => Ok(None),
            Next::Event(event) => Ok(Some(event)),
        }
    }

    /// Takes note of what a packet says.
    #[inline]
    fn read(&mut self, kind: Kind, packet: &RawPacket<'_>) -> Result<Next, Fault> {
        let passes = match kind {
            Kind::KeepAlive => self.asks_for_life(packet)?,
            Kind::Disconnect | Kind::KickDisconnect => {
                let words = packets::read_disconnect(self.version, *self.speaks, packet.fields);
                return Ok(Next::Event(Event::Kicked(words)));
            }
            Kind::FinishConfiguration => self.brings_to(State::Play, Passage::Finish, packet)?,
            Kind::StartConfiguration => self.brings_to(State::Configuration, Passage::Start, packet)?,
            Kind::BundleDelimiter => {
                self.standing.bundle = !self.standing.bundle;
                true
            }
            Kind::Compress => self.sets_threshold(packet)?,
            Kind::StoreCookie => !self.is_reserved(packet)?,
            Kind::CookieRequest => self.asks_for_cookie(packet)?,
            Kind::SelectKnownPacks => self.asks_for_known_packs(),
            Kind::AddResourcePack => self.adds_pack(packet)?,
            Kind::RemoveResourcePack => self.removes_packs(packet)?,
            Kind::ResourcePackSend => self.sends_pack(),
            Kind::Login => self.joins(packet)?,
            _ => true,
        };
        Ok(Next::passes(passes))
    }

    /// Brings the client to another state, which it acknowledges.
    #[inline]
    fn brings_to(&mut self, state: State, passage: Passage, packet: &RawPacket<'_>) -> Result<bool, Fault> {
        if self.standing.transitions.len() >= MOST {
            return Err(Fault::Misplaced(packet.id));
        }
        *self.speaks = state;
        self.standing.brought_to(passage, true);
        Ok(true)
    }

    /// The backend goes over to another threshold. The client and the edge have one of their own.
    #[inline]
    fn sets_threshold(&mut self, packet: &RawPacket<'_>) -> Result<bool, Fault> {
        let threshold = Decoder::new(packet.fields).varint("threshold")?;
        self.standing.new_threshold = Some(usize::try_from(threshold).ok());
        Ok(false)
    }

    /// Tells the client of a world; whether the packet goes on as it came.
    fn joins(&mut self, packet: &RawPacket<'_>) -> Result<bool, Fault> {
        let version = self.version;
        let join = JoinGame::read(version, packet.fields)?;
        if std::mem::take(&mut self.standing.awaits_world) {
            self.standing.change_world(&join, self.options.shakes_hands, self.client);
            self.standing.fence(version, self.client, self.backend, self.now);
            return Ok(false);
        }
        self.standing.enter_world(join.entity);
        if !play::says_online_mode(version) {
            return Ok(true);
        }
        // Who asked the session server, if anybody, was the edge.
        let mut body = Vec::with_capacity(packet.fields.len() + 2);
        varint::write(packet.id, &mut body);
        body.extend_from_slice(packet.fields);
        play::set_online_mode(version, &mut body, self.options.authenticated)?;
        self.client.body(&body)?;
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
