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

/// The longest packet in which the edge's own commands are put beside the backend's, in bytes. A longer one would hold up the thread for everybody on it
/// while it is inflated, looked through and deflated again.
const MERGED: usize = 1024 * 1024;

/// The most bytes of a packet that is understood, id and fields: what is longer isn't even inflated. A character may take four bytes, and a text, as
/// whatever else vanilla reads from NBT, 2 MiB.
const fn most(kind: Kind) -> usize {
    const ID: usize = varint::MAX_BYTES;
    const STRING: usize = 4 * KEY + varint::MAX_BYTES;
    const NBT: usize = 2 * 1024 * 1024;
    match kind {
        Kind::FinishConfiguration
        | Kind::StartConfiguration
        | Kind::BundleDelimiter
        | Kind::KeepAlive
        | Kind::Compress => ID + 16,
        Kind::RemoveResourcePack => ID + 32,
        Kind::CookieRequest | Kind::Transfer => ID + STRING + 8,
        Kind::StoreCookie => ID + STRING + 16 * 1024,
        Kind::SelectKnownPacks => ID + 2 * STRING,
        Kind::AddResourcePack | Kind::ResourcePackSend => ID + 2 * STRING + NBT,
        _ => ID + NBT,
    }
}

/// Refuses what is longer than its form allows.
const fn bounded(kind: Kind, frame: &Frame<'_>) -> Result<(), StreamError> {
    let (length, bound) = (frame.length(), most(kind));
    if length > bound { Err(StreamError::Oversized { kind, length, bound }) } else { Ok(()) }
}

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
            Some(kind @ Kind::Transfer) if self.options.follows_transfers => {
                bounded(kind, frame)?;
                let transfer = frame.packet(self.scratch)?;
                let mut fields = Decoder::new(transfer.fields);
                let transfer = Transfer::decode(self.version, &mut fields)?;
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
                self.standing.remains.note(self.version, kind, packet.fields)?;
                self.pass(frame)
            }
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
        let version = self.version;
        let mut scratch = std::mem::take(self.scratch);
        let packet = frame.packet(&mut scratch)?;
        let passes = match kind {
            Kind::KeepAlive => {
                let fields = &mut Decoder::new(packet.fields);
                let KeepAlive { id } = KeepAlive::decode(version, fields)?;
                self.asked.keep_alives.ask(id);
                true
            }
            Kind::Disconnect | Kind::KickDisconnect => {
                let words = packets::read_disconnect(version, *self.speaks, packet.fields);
                *self.scratch = scratch;
                return Ok(Some(Event::Kicked(words)));
            }
            Kind::FinishConfiguration | Kind::StartConfiguration
                if self.standing.transitions.len() >= MOST =>
            {
                return Err(Fault::Misplaced(packet.id));
            }
            Kind::FinishConfiguration => {
                *self.speaks = State::Play;
                self.standing.brought_to(Passage::Finish, true);
                true
            }
            Kind::StartConfiguration => {
                *self.speaks = State::Configuration;
                self.standing.brought_to(Passage::Start, true);
                true
            }
            Kind::BundleDelimiter => {
                self.standing.bundle = !self.standing.bundle;
                true
            }
            Kind::Compress => {
                let threshold = Decoder::new(packet.fields).varint("threshold")?;
                self.standing.new_threshold = Some(usize::try_from(threshold).ok());
                false
            }
            Kind::StoreCookie => !self.is_reserved(&packet)?,
            Kind::CookieRequest => self.cookie_request(&packet)?,
            Kind::SelectKnownPacks => {
                self.asked.known_packs = self.asked.known_packs.saturating_add(1);
                true
            }
            Kind::AddResourcePack => {
                let id = Decoder::new(packet.fields).uuid("pack")?;
                if self.packs.len() < MOST && !self.packs.contains(&id) {
                    self.packs.push(id);
                }
                self.expect_pack(Some(id));
                true
            }
            Kind::RemoveResourcePack => {
                self.forget_packs(&packet)?;
                true
            }
            Kind::ResourcePackSend => {
                self.expect_pack(None);
                true
            }
            Kind::Login => {
                let passes = self.joins(&packet);
                *self.scratch = scratch;
                return if passes? { self.pass(frame) } else { Ok(None) };
            }
            _ => true,
        };
        *self.scratch = scratch;
        if passes { self.pass(frame) } else { Ok(None) }
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
        let id = fields.option("pack", |fields| fields.uuid("pack"))?;
        self.packs.retain(|pack| id.is_some_and(|id| *pack != id));
        Ok(())
    }

    /// Whether a cookie is the edge's own.
    fn is_reserved(&self, packet: &RawPacket<'_>) -> Result<bool, Fault> {
        let key = Decoder::new(packet.fields).string("cookie", KEY)?;
        Ok(is_reserved(&self.options.reserved, key))
    }

    /// Whether a question for a cookie goes to the client; for one of the edge's own there is none.
    fn cookie_request(&mut self, packet: &RawPacket<'_>) -> Result<bool, Fault> {
        let key = Decoder::new(packet.fields).string("cookie", KEY)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    use crate::bridge::commands::Commands;
    use drawbridge_net::PlayLimits;
    use drawbridge_protocol::carry::FrameReader;
    use drawbridge_protocol::ids;
    use std::time::Duration;

    const VERSION: ProtocolVersion = ProtocolVersion::V1_21;

    /// A frame that says of its packet that it is so long when inflated. It isn't whole, which shows when it is inflated.
    fn claims(kind: Kind, length: usize, read: impl FnOnce(&Frame<'_>)) {
        let id = ids::id(VERSION, State::Play, Direction::Clientbound, kind).unwrap();
        let mut body = Vec::new();
        varint::write(i32::try_from(length).unwrap(), &mut body);
        // A stored block of 100 bytes.
        body.extend([0x78, 0x01, 0x01, 100, 0, 155, 255, u8::try_from(id).unwrap()]);
        body.extend([0; 40]);
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes).byte_array(&body);
        let mut reader = FrameReader::new(1024);
        reader.set_compression(true);
        let mut frames = reader.frames(&mut bytes);
        let frame = frames.next_frame().unwrap().unwrap();
        assert_eq!((frame.id(), frame.length()), (id, length));
        assert!(frame.packet(&mut Vec::new()).is_err());
        read(&frame);
    }

    /// By what its sender says, since that bounds what it is inflated to.
    #[test]
    fn packets_are_no_longer_than_their_form() {
        for (kind, longest) in [
            (Kind::KeepAlive, 21),
            (Kind::BundleDelimiter, 21),
            (Kind::RemoveResourcePack, 37),
            (Kind::CookieRequest, 131_086),
            (Kind::KickDisconnect, 2_097_157),
        ] {
            claims(kind, longest, |frame| assert!(bounded(kind, frame).is_ok(), "{kind:?}"));
            claims(kind, longest + 1, |frame| {
                let refused = bounded(kind, frame);
                let StreamError::Oversized { kind: named, length, bound } = refused.unwrap_err() else {
                    panic!("another fault")
                };
                assert_eq!((named, length, bound), (kind, longest + 1, longest));
            });
        }
    }

    /// What a backend says goes to a client who may use a command of the edge's.
    fn takes(frame: &Frame<'_>) -> Result<FrameWriter, Fault> {
        let options = Options {
            stalled: Duration::MAX,
            reserved: Vec::new(),
            commands: &["server"],
            authenticated: false,
            shakes_hands: false,
            follows_transfers: false,
            limits: PlayLimits::default(),
        };
        let now = Instant::now();
        let mut commands = Commands::new(options.commands);
        commands.permit(options.commands);
        let (mut client, mut backend) = (FrameWriter::new(), FrameWriter::new());
        client.set_compression(Some(256));
        let down = &mut Down {
            version: VERSION,
            ledger: &Ledger::of(VERSION),
            options: &options,
            standing: &mut Standing::welcomed(VERSION, commands, now),
            client: &mut client,
            backend: &mut backend,
            asked: &mut Asked::default(),
            packs: &mut Vec::new(),
            speaks: &mut State::Play,
            scratch: &mut Vec::new(),
            now,
        };
        down.take(frame)?;
        Ok(client)
    }

    /// It passes as it came, whatever is in it.
    #[test]
    fn trees_that_are_too_long_are_not_looked_through() {
        claims(Kind::DeclareCommands, MERGED + 1, |frame| assert!(!takes(frame).unwrap().is_empty()));
        claims(Kind::DeclareCommands, MERGED, |frame| assert!(takes(frame).is_err()));
        claims(Kind::KeepAlive, MERGED, |frame| {
            let refused = takes(frame).unwrap_err().to_string();
            assert_eq!(refused, "a keep_alive of 1048576 bytes, where 21 are allowed");
        });
    }

    /// Those of the longest fields that vanilla takes.
    #[test]
    fn packets_of_the_longest_fields_are_taken() {
        let key = "\u{ffff}".repeat(KEY);
        let mut body = vec![0; varint::MAX_BYTES];
        let mut out = Encoder::new(&mut body);
        out.string(&key);
        assert!(body.len() <= most(Kind::CookieRequest));
        let mut out = Encoder::new(&mut body);
        out.byte_array(&[0; 5 * 1024]);
        assert!(body.len() <= most(Kind::StoreCookie));
        assert!(varint::MAX_BYTES + size_of::<i64>() <= most(Kind::KeepAlive));
        assert!(varint::MAX_BYTES + 1 + size_of::<Uuid>() <= most(Kind::RemoveResourcePack));
    }
}
