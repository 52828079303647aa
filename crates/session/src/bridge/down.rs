//! What backends say to clients.

use super::standing::{Passage, Standing};
use super::{Event, Fault, Options};
use crate::backend::Asked;
use crate::cookies::is_reserved;
use crate::ledger::Ledger;
use crate::packets;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::{Frame, FrameWriter};
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::packet::configuration::Transfer;
use drawbridge_protocol::packet::login::CookieResponse;
use drawbridge_protocol::packet::play::{self, JoinGame, KeepAlive};
use drawbridge_protocol::packet::{Packet as _, RawPacket};
use drawbridge_protocol::stream::StreamError;
use drawbridge_protocol::varint;
use drawbridge_protocol::wire::{Decoder, Encoder};
use std::time::Instant;
use uuid::Uuid;

/// The most answers of a kind that a backend may wait for at once.
const MOST: usize = 64;

/// The most characters of a cookie's key, and the most bytes of one whose answer is waited for.
const KEY: usize = 32_767;
const LONGEST: usize = 1_024;

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
                Kind::KeepAlive
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
                | Kind::Login
                | Kind::DeclareCommands,
            ) => self.understand(kind, frame),
            Some(Kind::Transfer) if self.options.follows_transfers => {
                let transfer = frame.packet(self.scratch)?;
                let mut fields = Decoder::new(transfer.fields);
                let transfer = Transfer::decode(self.version, &mut fields).map_err(StreamError::from)?;
                Ok(Some(Event::SentOn(transfer)))
            }
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
            ) if !self.version.has_configuration() => {
                let packet = frame.packet(self.scratch)?;
                self.standing.remains.note(self.version, kind, packet.fields).map_err(StreamError::from)?;
                self.pass(frame)
            }
            Some(kind @ Kind::TabComplete) if self.standing.commands.awaits_answer() => {
                self.understand(Some(kind), frame)
            }
            _ => self.pass(frame),
        }
    }

    fn pass(&mut self, frame: &Frame<'_>) -> Result<Option<Event>, Fault> {
        self.client.forward(frame)?;
        Ok(None)
    }

    fn understand(&mut self, kind: Option<Kind>, frame: &Frame<'_>) -> Result<Option<Event>, Fault> {
        let version = self.version;
        let mut scratch = std::mem::take(self.scratch);
        let packet = frame.packet(&mut scratch)?;
        let passes = match kind {
            Some(Kind::KeepAlive) => {
                let fields = &mut Decoder::new(packet.fields);
                let KeepAlive { id } = KeepAlive::decode(version, fields).map_err(StreamError::from)?;
                self.asked.keep_alives.ask(id);
                true
            }
            Some(Kind::Disconnect | Kind::KickDisconnect) => {
                let words = packets::read_disconnect(version, *self.speaks, packet.fields);
                *self.scratch = scratch;
                return Ok(Some(Event::Kicked(words)));
            }
            Some(Kind::FinishConfiguration | Kind::StartConfiguration)
                if self.standing.transitions.len() >= MOST =>
            {
                return Err(Fault::Misplaced(packet.id));
            }
            Some(Kind::FinishConfiguration) => {
                *self.speaks = State::Play;
                self.standing.brought_to(Passage::Finish, true);
                true
            }
            Some(Kind::StartConfiguration) => {
                *self.speaks = State::Configuration;
                self.standing.brought_to(Passage::Start, true);
                true
            }
            Some(Kind::BundleDelimiter) => {
                self.standing.bundle = !self.standing.bundle;
                true
            }
            Some(Kind::Compress) => {
                let threshold = Decoder::new(packet.fields).varint("threshold").map_err(StreamError::from)?;
                self.standing.new_threshold = Some(usize::try_from(threshold).ok());
                false
            }
            Some(Kind::StoreCookie) => !self.is_reserved(&packet)?,
            Some(Kind::CookieRequest) => self.cookie_request(&packet)?,
            Some(Kind::SelectKnownPacks) => {
                self.asked.known_packs = self.asked.known_packs.saturating_add(1);
                true
            }
            Some(Kind::AddResourcePack) => {
                let id = Decoder::new(packet.fields).uuid("pack").map_err(StreamError::from)?;
                if self.packs.len() < MOST && !self.packs.contains(&id) {
                    self.packs.push(id);
                }
                self.expect_pack(Some(id));
                true
            }
            Some(Kind::RemoveResourcePack) => {
                self.forget_packs(&packet)?;
                true
            }
            Some(Kind::ResourcePackSend) => {
                self.expect_pack(None);
                true
            }
            Some(Kind::Login) => {
                let passes = self.joins(&packet);
                *self.scratch = scratch;
                return if passes? { self.pass(frame) } else { Ok(None) };
            }
            Some(kind @ (Kind::DeclareCommands | Kind::TabComplete)) => {
                let commands = &mut self.standing.commands;
                let extended = match kind {
                    Kind::DeclareCommands => commands.beside(version, packet.fields),
                    _ => commands.answered(version, packet.fields),
                };
                *self.scratch = scratch;
                let Some(body) = extended else { return self.pass(frame) };
                self.client.body(&body)?;
                return Ok(None);
            }
            _ => true,
        };
        *self.scratch = scratch;
        if passes { self.pass(frame) } else { Ok(None) }
    }

    /// Tells the client of a world; whether the packet goes on as it came.
    fn joins(&mut self, packet: &RawPacket<'_>) -> Result<bool, Fault> {
        let version = self.version;
        let join = JoinGame::read(version, packet.fields).map_err(StreamError::from)?;
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
        play::set_online_mode(version, &mut body, self.options.authenticated).map_err(StreamError::from)?;
        self.client.body(&body)?;
        Ok(false)
    }

    /// What the client says of a pack it says more than once, so that none counts as answered; where there are too many, the oldest is.
    fn expect_pack(&mut self, id: Option<Uuid>) {
        let packs = &mut self.asked.packs;
        if packs.contains(&id) {
            return;
        }
        if packs.len() >= MOST {
            packs.remove(0);
        }
        packs.push(id);
    }

    fn forget_packs(&mut self, packet: &RawPacket<'_>) -> Result<(), Fault> {
        let mut fields = Decoder::new(packet.fields);
        let id = fields.option("pack", |fields| fields.uuid("pack")).map_err(StreamError::from)?;
        self.packs.retain(|pack| id.is_some_and(|id| *pack != id));
        Ok(())
    }

    /// Whether a cookie is the edge's own.
    fn is_reserved(&self, packet: &RawPacket<'_>) -> Result<bool, Fault> {
        let key = Decoder::new(packet.fields).string("cookie", KEY).map_err(StreamError::from)?;
        Ok(is_reserved(&self.options.reserved, key))
    }

    /// Whether a question for a cookie goes to the client; for one of the edge's own there is none.
    fn cookie_request(&mut self, packet: &RawPacket<'_>) -> Result<bool, Fault> {
        let key = Decoder::new(packet.fields).string("cookie", KEY).map_err(StreamError::from)?;
        if !is_reserved(&self.options.reserved, key) {
            if self.asked.cookies.len() < MOST && key.len() <= LONGEST {
                self.asked.cookies.push(key.to_owned());
            }
            return Ok(true);
        }
        let response = CookieResponse { key: key.to_owned(), payload: None };
        let Some(id) = drawbridge_protocol::ids::id(
            self.version,
            *self.speaks,
            Direction::Serverbound,
            Kind::CookieResponse,
        ) else {
            return Ok(false);
        };
        let mut body = Vec::new();
        varint::write(id, &mut body);
        response.encode(self.version, &mut Encoder::new(&mut body));
        self.backend.body(&body)?;
        Ok(false)
    }
}
