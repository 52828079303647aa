//! What backends ask clients, and what is kept of it so that only answers pass which are waited for.

use super::{Down, KEY, MOST};
use crate::backend::Asked;
use crate::bridge::Fault;
use crate::cookies::is_reserved;
use crate::packets;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::FrameWriter;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::login::CookieResponse;
use drawbridge_protocol::packet::play::KeepAlive;
use drawbridge_protocol::packet::{Packet as _, RawPacket};
use drawbridge_protocol::varint;
use drawbridge_protocol::wire::{Decoder, Encoder};
use uuid::Uuid;

/// The most bytes of a cookie's key whose answer is waited for.
const LONGEST: usize = 1_024;

/// Each says whether the question goes to the client.
impl Down<'_> {
    #[inline]
    pub(super) fn asks_for_life(&mut self, packet: &RawPacket<'_>) -> Result<bool, Fault> {
        let KeepAlive { id } = KeepAlive::decode(self.version, &mut Decoder::new(packet.fields))?;
        self.asked.keep_alives.ask(id);
        Ok(true)
    }

    #[inline]
    pub(super) const fn asks_for_known_packs(&mut self) -> bool {
        self.asked.known_packs = self.asked.known_packs.saturating_add(1);
        true
    }

    pub(super) fn adds_pack(&mut self, packet: &RawPacket<'_>) -> Result<bool, Fault> {
        let id = Decoder::new(packet.fields).uuid("pack")?;
        if self.packs.len() < MOST && !self.packs.contains(&id) {
            self.packs.push(id);
        }
        self.expect_pack(Some(id));
        Ok(true)
    }

    /// Before 1.20.3 packs had no ids.
    pub(super) fn sends_pack(&mut self) -> bool {
        self.expect_pack(None);
        true
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

    /// One of them, or all.
    pub(super) fn removes_packs(&mut self, packet: &RawPacket<'_>) -> Result<bool, Fault> {
        let mut fields = Decoder::new(packet.fields);
        let id = fields.option("pack", |fields| fields.uuid("pack"))?;
        self.packs.retain(|pack| id.is_some_and(|id| *pack != id));
        Ok(true)
    }

    /// Whether a cookie is the edge's own.
    pub(super) fn is_reserved(&self, packet: &RawPacket<'_>) -> Result<bool, Fault> {
        let key = Decoder::new(packet.fields).string("cookie", KEY)?;
        Ok(is_reserved(&self.options.reserved, key))
    }

    /// For one of the edge's own there is none, and the backend is told so as soon as it takes answers to what it asks now.
    pub(super) fn asks_for_cookie(&mut self, packet: &RawPacket<'_>) -> Result<bool, Fault> {
        let key = Decoder::new(packet.fields).string("cookie", KEY)?;
        let is_reserved = is_reserved(&self.options.reserved, key);
        let asked = if is_reserved { self.asked.refused.len() } else { self.asked.cookies.len() };
        if asked < MOST && key.len() <= LONGEST {
            if is_reserved {
                self.asked.refused.push_back((*self.speaks, key.to_owned()));
            } else {
                self.asked.cookies.push(key.to_owned());
            }
        }
        self.asked.refuse(self.version, self.hears, self.backend);
        Ok(!is_reserved)
    }
}

impl Asked {
    /// Says of the edge's own cookies that there are none, to a backend that takes packets of this state.
    pub(in crate::bridge) fn refuse(
        &mut self,
        version: ProtocolVersion,
        hears: State,
        backend: &mut FrameWriter,
    ) {
        while let Some((_, key)) = self.refused.pop_front_if(|(state, _)| *state == hears) {
            let Some(id) = ids::id(version, hears, Direction::Serverbound, Kind::CookieResponse) else {
                continue;
            };
            packets::say(backend, |out| {
                varint::write(id, out);
                CookieResponse { key, payload: None }.encode(version, &mut Encoder::new(out));
                true
            });
        }
    }
}
