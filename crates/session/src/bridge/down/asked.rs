//! What backends ask clients, and what is kept of it so that only answers pass which are waited for.

use super::{Down, KEY, MOST};
use crate::bridge::Fault;
use crate::cookies::is_reserved;
use drawbridge_protocol::ids::{self, Direction, Kind};
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

    /// For one of the edge's own there is none, and the backend is told so at once.
    pub(super) fn asks_for_cookie(&mut self, packet: &RawPacket<'_>) -> Result<bool, Fault> {
        let key = Decoder::new(packet.fields).string("cookie", KEY)?;
        if !is_reserved(&self.options.reserved, key) {
            if self.asked.cookies.len() < MOST && key.len() <= LONGEST {
                self.asked.cookies.push(key.to_owned());
            }
            return Ok(true);
        }
        let response = CookieResponse { key: key.to_owned(), payload: None };
        let Some(id) = ids::id(self.version, *self.speaks, Direction::Serverbound, Kind::CookieResponse)
        else {
            return Ok(false);
        };
        let mut body = Vec::new();
        varint::write(id, &mut body);
        response.encode(self.version, &mut Encoder::new(&mut body));
        self.backend.body(&body)?;
        Ok(false)
    }
}
