//! What both sides say, or what is said in play and in configuration alike.

use super::super::configuration::PackResult;
use super::super::{IDENTIFIER, Packet, ToField as _, packets};
use super::{begin, skip_text, write_text};
use crate::ids::{Direction, Kind, State};
use crate::text::Component;
use crate::version::ProtocolVersion;
use crate::wire::{DecodeError, Decoder, Encoder};
use uuid::Uuid;

/// The most characters of a resource pack's URL.
const URL: usize = 32_767;
/// The characters of a SHA-1 in hexadecimal.
const HASH: usize = 40;

/// Whether resource packs have ids, and a client several of them.
fn has_pack_ids(version: ProtocolVersion) -> bool {
    version >= ProtocolVersion::V1_20_3
}

macro_rules! in_another_state {
    ($($(#[doc = $doc:literal])* $name:ident = $state:ident;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name<P>(pub P);

        impl<P: Packet> Packet for $name<P> {
            const STATE: State = State::$state;
            const DIRECTION: Direction = P::DIRECTION;
            const KIND: Kind = P::KIND;

            fn encode(&self, version: ProtocolVersion, out: &mut Encoder<'_>) {
                self.0.encode(version, out);
            }

            fn decode(version: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                P::decode(version, fields).map(Self)
            }
        }
    )*};
}

in_another_state! {
    /// A packet of configuration or login that has the same name and fields in play: `CookieRequest`, `CookieResponse`,
    /// `StoreCookie`, `Transfer`, `AddResourcePack`, `ResourcePackResponse`.
    InPlay = Play;
    /// A packet of login or play that has the same name and fields in configuration: `CookieRequest`, `CookieResponse`,
    /// [`Ping`], [`Pong`], [`RemoveResourcePack`].
    InConfiguration = Configuration;
}

packets! {
    /// Ping (`ping`), since 755: the client returns the number.
    Play Clientbound Ping => Ping {
        /// Any number.
        id: i32 = i32,
    }

    /// Pong (`pong`), since 755.
    Play Serverbound Pong => Pong {
        /// The number of the Ping.
        id: i32 = i32,
    }
}

macro_rules! keep_alives {
    ($($(#[doc = $doc:literal])* $direction:ident $name:ident;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name {
            /// 64 bits since 340, and 32 before, where the upper half is lost.
            pub id: i64,
        }

        impl Packet for $name {
            const STATE: State = State::Play;
            const DIRECTION: Direction = Direction::$direction;
            const KIND: Kind = Kind::KeepAlive;

            fn encode(&self, version: ProtocolVersion, out: &mut Encoder<'_>) {
                if version >= ProtocolVersion::V1_12_2 {
                    out.i64(self.id);
                } else if version >= ProtocolVersion::V1_8 {
                    out.varint(self.id as i32);
                } else {
                    out.i32(self.id as i32);
                }
            }

            fn decode(version: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                let id = if version >= ProtocolVersion::V1_12_2 {
                    fields.i64("id")?
                } else if version >= ProtocolVersion::V1_8 {
                    fields.varint("id")?.into()
                } else {
                    fields.i32("id")?.into()
                };
                Ok(Self { id })
            }
        }
    )*};
}

keep_alives! {
    /// Keep Alive (`keep_alive`), towards the client.
    Clientbound KeepAlive;
    /// Keep Alive (`keep_alive`), the client's answer with the same number.
    Serverbound KeepAliveResponse;
}

/// Plugin Message (`custom_payload`), of either side, in play and configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CustomPayload<'a> {
    /// An identifier since 393; any name before, such as `MC|Brand`.
    pub channel: &'a str,
    /// What follows it. Before 47 at most 32,767 bytes, or 8,388,607 between sides with Forge.
    pub data: &'a [u8],
}

impl<'a> CustomPayload<'a> {
    /// Reads it from its fields.
    ///
    /// # Errors
    /// When they end too early, or bytes are left.
    pub fn read(version: ProtocolVersion, fields: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Decoder::new(fields);
        let channel = fields.string("channel", IDENTIFIER)?;
        if version >= ProtocolVersion::V1_8 {
            return Ok(Self { channel, data: fields.rest() });
        }
        // Forge says lengths over 15 bits with a third byte, which vanilla would take for a negative length.
        let low = usize::from(fields.u16("length")?);
        let high = if low & 0x8000 == 0 { 0 } else { usize::from(fields.u8("length")?) };
        let data = fields.bytes("data", high << 15 | low & 0x7fff)?;
        fields.finish()?;
        Ok(Self { channel, data })
    }

    /// Appends it, and says whether the version has it there. Before 47 it hasn't where the data are too long.
    #[must_use]
    pub fn write(
        &self,
        version: ProtocolVersion,
        state: State,
        direction: Direction,
        out: &mut Vec<u8>,
    ) -> bool {
        let length = self.data.len();
        let has_length = version < ProtocolVersion::V1_8;
        if has_length && length >> 23 != 0 {
            return false;
        }
        let Some(mut out) = begin(version, state, direction, Kind::CustomPayload, out) else { return false };
        out.string(self.channel);
        if has_length {
            let high = (length >> 15) as u8;
            let more = if high == 0 { 0 } else { 0x8000 };
            out.u16((length & 0x7fff) as u16 | more);
            if high != 0 {
                out.u8(high);
            }
        }
        out.bytes(self.data);
        true
    }
}

/// Add Resource Pack (`add_resource_pack` since 765, `resource_pack_send` from 47 on), in play and since 764 in configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourcePack<'a> {
    /// Names the pack in the client's answers; since 765. Without one there, it is sent as all zeros.
    pub id: Option<Uuid>,
    /// Where the client loads it from.
    pub url: &'a str,
    /// SHA-1 of the file in 40 hexadecimal digits, or empty. Names the pack in answers before 210.
    pub hash: &'a str,
    /// Whether the client must take it to stay; since 755.
    pub forced: bool,
}

impl<'a> ResourcePack<'a> {
    fn kind(version: ProtocolVersion) -> Kind {
        if has_pack_ids(version) { Kind::AddResourcePack } else { Kind::ResourcePackSend }
    }

    /// Reads it from its fields; the prompt is stepped over.
    ///
    /// # Errors
    /// When they aren't what the version prescribes.
    pub fn read(version: ProtocolVersion, fields: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Decoder::new(fields);
        let id = if has_pack_ids(version) { Some(fields.uuid("id")?) } else { None };
        let url = fields.string("url", URL)?;
        let hash = fields.string("hash", HASH)?;
        let mut forced = false;
        if version >= ProtocolVersion::V1_17 {
            forced = fields.bool("forced")?;
            fields.option("prompt", |fields| skip_text("prompt", version, fields))?;
        }
        fields.finish()?;
        Ok(Self { id, url, hash, forced })
    }

    /// Appends it with what the player reads when asked (since 755), and says whether the version has it there.
    #[must_use]
    pub fn write(
        &self,
        version: ProtocolVersion,
        state: State,
        prompt: Option<&Component>,
        out: &mut Vec<u8>,
    ) -> bool {
        let Some(mut out) = begin(version, state, Direction::Clientbound, Self::kind(version), out) else {
            return false;
        };
        if has_pack_ids(version) {
            out.uuid(self.id.unwrap_or_default());
        }
        out.string(self.url);
        out.string(self.hash);
        if version >= ProtocolVersion::V1_17 {
            out.bool(self.forced);
            out.option(prompt, |out, prompt| write_text(prompt, version, out));
        }
        true
    }
}

/// Resource Pack Response (`resource_pack_receive`), since 47, in play and since 764 in configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourcePackAnswer<'a> {
    /// Which pack, since 765. Without one there, it is sent as all zeros.
    pub id: Option<Uuid>,
    /// The hash that the pack was announced with, before 210. Without one there, it is sent empty.
    pub hash: Option<&'a str>,
    /// What became of it.
    pub result: PackResult,
}

impl<'a> ResourcePackAnswer<'a> {
    /// Reads it from its fields.
    ///
    /// # Errors
    /// When they aren't what the version prescribes.
    pub fn read(version: ProtocolVersion, fields: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Decoder::new(fields);
        let id = if has_pack_ids(version) { Some(fields.uuid("id")?) } else { None };
        let hash = if version < ProtocolVersion::V1_10 { Some(fields.string("hash", HASH)?) } else { None };
        let result = PackResult::read(&mut fields)?;
        fields.finish()?;
        Ok(Self { id, hash, result })
    }

    /// Appends it, and says whether the version has it there.
    #[must_use]
    pub fn write(&self, version: ProtocolVersion, state: State, out: &mut Vec<u8>) -> bool {
        let kind = Kind::ResourcePackReceive;
        let Some(mut out) = begin(version, state, Direction::Serverbound, kind, out) else { return false };
        if has_pack_ids(version) {
            out.uuid(self.id.unwrap_or_default());
        }
        if version < ProtocolVersion::V1_10 {
            out.string(self.hash.unwrap_or_default());
        }
        out.varint(self.result as i32);
        true
    }
}

/// Remove Resource Pack (`remove_resource_pack`), since 765.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveResourcePack {
    /// Which one, or all.
    pub id: Option<Uuid>,
}

impl Packet for RemoveResourcePack {
    const STATE: State = State::Play;
    const DIRECTION: Direction = Direction::Clientbound;
    const KIND: Kind = Kind::RemoveResourcePack;

    fn encode(&self, _: ProtocolVersion, out: &mut Encoder<'_>) {
        out.option(self.id, Encoder::uuid);
    }

    fn decode(_: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { id: fields.option("id", |fields| fields.uuid("id"))? })
    }
}
