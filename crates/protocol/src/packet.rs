//! The packets that Drawbridge reads and writes itself, one module a state. All others pass as bytes.
//!
//! A packet is a struct, its id comes from [`crate::ids`], and a field that differs between versions says so where it is
//! read and written. Names of fields follow the Minecraft wiki's "Java Edition protocol/Packets".

pub mod configuration;
pub mod handshake;
pub mod login;
pub mod play;
pub mod status;

use crate::ids::{self, Direction, Kind, State};
use crate::version::ProtocolVersion;
use crate::wire::{DecodeError, Decoder, Encoder};

/// The most characters an identifier (`namespace:path`) may have.
const IDENTIFIER: usize = 32_767;

/// The largest payload of a cookie, in bytes.
pub const MAX_COOKIE: usize = 5_120;

/// A packet that can be written to and read from the wire.
pub trait Packet: Sized {
    /// The state in which it is sent.
    const STATE: State;
    /// Who sends it.
    const DIRECTION: Direction;
    /// Its name in the id table.
    const KIND: Kind;

    /// Writes its fields, without the id.
    fn encode(&self, version: ProtocolVersion, out: &mut Encoder<'_>);

    /// Reads its fields, without the id.
    ///
    /// # Errors
    /// When the bytes aren't what the version prescribes.
    fn decode(version: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError>;

    /// Its id in `version`, or `None` where it doesn't exist.
    #[must_use]
    fn id(version: ProtocolVersion) -> Option<i32> {
        ids::id(version, Self::STATE, Self::DIRECTION, Self::KIND)
    }
}

/// A packet's id and its fields' bytes.
#[derive(Debug, Clone)]
pub struct RawPacket<'a> {
    /// The id, as it came.
    pub id: i32,
    /// What follows the id.
    pub fields: &'a [u8],
}

impl<'a> RawPacket<'a> {
    /// Splits a frame's body (already inflated) into id and fields.
    ///
    /// # Errors
    /// When the id isn't a whole VarInt.
    pub fn parse(body: &'a [u8]) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new(body);
        let id = decoder.varint("packet id")?;
        Ok(Self { id, fields: decoder.rest() })
    }

    /// Which packet it is, or `None` where the version has no such id.
    #[must_use]
    pub fn kind(&self, version: ProtocolVersion, state: State, direction: Direction) -> Option<Kind> {
        ids::kind(version, state, direction, self.id)
    }

    /// Reads it as a `P`, whole.
    ///
    /// # Errors
    /// When it is another packet, its fields are wrong, or bytes are left.
    pub fn read<P: Packet>(&self, version: ProtocolVersion) -> Result<P, DecodeError> {
        if P::id(version) != Some(self.id) {
            return Err(DecodeError::Packet { id: self.id, expected: P::KIND.name() });
        }
        let mut fields = Decoder::new(self.fields);
        let packet = P::decode(version, &mut fields)?;
        fields.finish()?;
        Ok(packet)
    }
}

/// Declares packets whose fields are the same in all versions and have a method of the same name in [`Decoder`] and [`Encoder`].
macro_rules! packets {
    ($($(#[doc = $doc:literal])* $state:ident $direction:ident $kind:ident => $name:ident {
        $($(#[doc = $field_doc:literal])* $field:ident: $type:ty = $method:ident $(($bound:expr))?,)*
    })*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $($(#[doc = $field_doc])* pub $field: $type,)*
        }

        impl $crate::packet::Packet for $name {
            const STATE: $crate::ids::State = $crate::ids::State::$state;
            const DIRECTION: $crate::ids::Direction = $crate::ids::Direction::$direction;
            const KIND: $crate::ids::Kind = $crate::ids::Kind::$kind;

            #[allow(unused_variables, reason = "a packet may have no fields")]
            fn encode(&self, _: $crate::version::ProtocolVersion, out: &mut $crate::wire::Encoder<'_>) {
                $(out.$method((&self.$field).to_field());)*
            }

            #[allow(unused_variables, reason = "a packet may have no fields")]
            fn decode(
                _: $crate::version::ProtocolVersion,
                fields: &mut $crate::wire::Decoder<'_>,
            ) -> Result<Self, $crate::wire::DecodeError> {
                Ok(Self { $($field: fields.$method(stringify!($field) $(, $bound)?)?.into(),)* })
            }
        }
    )*};
}
use packets;

/// How a field of a struct is passed to the [`Encoder`]: copied, or borrowed.
trait ToField {
    /// What the encoder's method takes.
    type Field<'a>
    where
        Self: 'a;
    fn to_field(&self) -> Self::Field<'_>;
}

macro_rules! copied_fields {
    ($($type:ty),*) => {$(
        impl ToField for $type {
            type Field<'a> = $type;
            fn to_field(&self) -> $type { *self }
        }
    )*};
}
copied_fields!(u8, bool, u16, i32, i64, uuid::Uuid);

impl ToField for String {
    type Field<'a> = &'a str;
    fn to_field(&self) -> &str {
        self
    }
}

impl ToField for Vec<u8> {
    type Field<'a> = &'a [u8];
    fn to_field(&self) -> &[u8] {
        self
    }
}
