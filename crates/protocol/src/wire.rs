//! Reading and writing the fields of a packet (Minecraft wiki, "Java Edition protocol/Data types").
//!
//! What must stay true: a [`Decoder`] never panics, never allocates more than the bytes it was given justify, and every
//! length that a peer states is checked against a bound before anything is done with it.

use crate::varint;
use thiserror::Error;
use uuid::Uuid;

/// What can be wrong with the bytes of a packet.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The packet ended inside a field.
    #[error("the packet ended inside {field}")]
    Truncated {
        /// The field that was being read.
        field: &'static str,
    },
    /// Bytes were left after the last field.
    #[error("{count} bytes left after the last field")]
    Trailing {
        /// How many.
        count: usize,
    },
    /// A VarInt of more than 32 bits.
    #[error("{field} is a VarInt of more than 32 bits")]
    VarInt {
        /// The field that was being read.
        field: &'static str,
    },
    /// A length that is negative or over its bound.
    #[error("{field} is {length} long, at most {bound} expected")]
    Length {
        /// The field that was being read.
        field: &'static str,
        /// What the peer stated, in bytes (strings: UTF-16 units once they are read).
        length: i64,
        /// The bound in the same unit.
        bound: usize,
    },
    /// A string that isn't UTF-8.
    #[error("{field} is not UTF-8")]
    Utf8 {
        /// The field that was being read.
        field: &'static str,
    },
    /// A number that stands for nothing, such as an unknown intent.
    #[error("{field} is {value}, which stands for nothing")]
    Value {
        /// The field that was being read.
        field: &'static str,
        /// The number that came.
        value: i64,
    },
    /// Another packet than the one expected, or one that doesn't exist in this version and state.
    #[error("packet id {id:#04x} where {expected} was expected")]
    Packet {
        /// The id that came.
        id: i32,
        /// The packet's name or names.
        expected: &'static str,
    },
}

/// Reads fields from the front of a packet's bytes.
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// Over the bytes of one packet.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes not read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Takes all that is left.
    pub fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Ends the packet.
    ///
    /// # Errors
    /// When bytes are left.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(DecodeError::Trailing { count }),
        }
    }

    /// Takes exactly `count` bytes.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn bytes(&mut self, field: &'static str, count: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(DecodeError::Truncated { field })?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Truncated { field })?;
        self.rest = rest;
        Ok(*taken)
    }

    /// One byte.
    ///
    /// # Errors
    /// When none is left.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        Ok(self.array::<1>(field)?[0])
    }

    /// One byte that is 0 or 1.
    ///
    /// # Errors
    /// When none is left, or it is another number.
    pub fn bool(&mut self, field: &'static str) -> Result<bool, DecodeError> {
        match self.u8(field)? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(DecodeError::Value { field, value: value.into() }),
        }
    }

    /// Two bytes, big-endian.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array(field)?))
    }

    /// Four bytes, big-endian.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn i32(&mut self, field: &'static str) -> Result<i32, DecodeError> {
        Ok(i32::from_be_bytes(self.array(field)?))
    }

    /// Eight bytes, big-endian.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn i64(&mut self, field: &'static str) -> Result<i64, DecodeError> {
        Ok(i64::from_be_bytes(self.array(field)?))
    }

    /// Sixteen bytes.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn uuid(&mut self, field: &'static str) -> Result<Uuid, DecodeError> {
        Ok(Uuid::from_bytes(self.array(field)?))
    }

    /// A VarInt.
    ///
    /// # Errors
    /// When it isn't whole or over 32 bits.
    pub fn varint(&mut self, field: &'static str) -> Result<i32, DecodeError> {
        let (value, size) = varint::read(self.rest)
            .map_err(|_| DecodeError::VarInt { field })?
            .ok_or(DecodeError::Truncated { field })?;
        self.rest = &self.rest[size..];
        Ok(value)
    }

    /// A VarInt that counts something, from 0 to `bound`.
    ///
    /// # Errors
    /// When it is negative or over the bound.
    pub fn length(&mut self, field: &'static str, bound: usize) -> Result<usize, DecodeError> {
        let stated = self.varint(field)?;
        match usize::try_from(stated) {
            Ok(length) if length <= bound => Ok(length),
            _ => Err(DecodeError::Length { field, length: stated.into(), bound }),
        }
    }

    /// A byte array with its length in front, of at most `bound` bytes.
    ///
    /// # Errors
    /// When the length is out of bounds, or more than is left.
    pub fn byte_array(&mut self, field: &'static str, bound: usize) -> Result<&'a [u8], DecodeError> {
        let length = self.length(field, bound)?;
        self.bytes(field, length)
    }

    /// A string of at most `bound` UTF-16 units, as Java counts them.
    ///
    /// # Errors
    /// When it is longer or not UTF-8.
    pub fn string(&mut self, field: &'static str, bound: usize) -> Result<&'a str, DecodeError> {
        // A UTF-16 unit takes at most three bytes of UTF-8.
        let bytes = self.byte_array(field, bound * 3)?;
        let text = std::str::from_utf8(bytes).map_err(|_| DecodeError::Utf8 { field })?;
        let units = text.encode_utf16().count();
        if units > bound {
            return Err(DecodeError::Length { field, length: units as i64, bound });
        }
        Ok(text)
    }

    /// A boolean, and what `read` reads when it says so.
    ///
    /// # Errors
    /// Those of `read`, and of the boolean.
    pub fn option<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if self.bool(field)? { read(self).map(Some) } else { Ok(None) }
    }
}

/// Appends fields to a packet's bytes.
#[derive(Debug)]
pub struct Encoder<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Encoder<'a> {
    /// Appends to `out`.
    pub const fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// The buffer itself, for what has a writer of its own.
    pub const fn buffer(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    /// One byte, 0 or 1.
    pub fn bool(&mut self, value: bool) {
        self.out.push(value.into());
    }

    /// Two bytes, big-endian.
    pub fn u16(&mut self, value: u16) {
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    /// Four bytes, big-endian.
    pub fn i32(&mut self, value: i32) {
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    /// Eight bytes, big-endian.
    pub fn i64(&mut self, value: i64) {
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    /// Sixteen bytes.
    pub fn uuid(&mut self, value: Uuid) {
        self.out.extend_from_slice(value.as_bytes());
    }

    /// A VarInt.
    pub fn varint(&mut self, value: i32) {
        varint::write(value, self.out);
    }

    /// A VarInt that counts something. Nothing that is written here is over 2³¹ − 1 long; what were would be cut by the frame's bound.
    pub fn length(&mut self, value: usize) {
        self.varint(i32::try_from(value).unwrap_or(i32::MAX));
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, value: &[u8]) {
        self.out.extend_from_slice(value);
    }

    /// A byte array with its length in front.
    pub fn byte_array(&mut self, value: &[u8]) {
        self.length(value.len());
        self.bytes(value);
    }

    /// A string with its length in bytes in front.
    pub fn string(&mut self, value: &str) {
        self.byte_array(value.as_bytes());
    }

    /// A boolean that says whether there is a value, and the value.
    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.bool(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_string_over_its_bound_is_refused_in_utf16_units() {
        let mut out = Vec::new();
        Encoder::new(&mut out).string("😀😀");
        assert_eq!(Decoder::new(&out).string("name", 4), Ok("😀😀"));
        assert_eq!(
            Decoder::new(&out).string("name", 3),
            Err(DecodeError::Length { field: "name", length: 4, bound: 3 })
        );
    }

    #[test]
    fn a_negative_length_is_refused() {
        let mut out = Vec::new();
        Encoder::new(&mut out).varint(-1);
        assert_eq!(
            Decoder::new(&out).byte_array("data", 10),
            Err(DecodeError::Length { field: "data", length: -1, bound: 10 })
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), bound in 0usize..100_000) {
            let mut decoder = Decoder::new(&bytes);
            while !decoder.rest().is_empty() {
                let before = decoder.rest().len();
                let _ = decoder.clone().string("a", bound);
                let _ = decoder.clone().byte_array("a", bound);
                let _ = decoder.clone().option("a", |d| d.uuid("a"));
                let _ = decoder.clone().i64("a");
                if decoder.varint("a").is_err() {
                    let _ = decoder.u8("a");
                }
                prop_assert!(decoder.rest().len() < before);
            }
        }
    }
}
