//! The half of a connection that frames come from.

use super::spare;
use crate::cipher::Decryptor;
use crate::compression::{self, CompressionError, MAX_UNCOMPRESSED};
use crate::frame;
use crate::packet::RawPacket;
use crate::stream::StreamError;
use crate::varint;
use crate::wire::DecodeError;

/// Bytes that came, on their way to become frames.
#[derive(Debug)]
pub struct FrameReader {
    cipher: Option<Decryptor>,
    compresses: bool,
    bound: usize,
    /// The beginning of a frame that isn't whole, deciphered.
    kept: Vec<u8>,
}

impl FrameReader {
    /// For frames of at most `bound` bytes, in plain sight and uncompressed at first.
    #[must_use]
    pub const fn new(bound: usize) -> Self {
        Self { cipher: None, compresses: false, bound, kept: Vec::new() }
    }

    /// Everything that is fed from here on is encrypted.
    #[must_use]
    pub fn deciphering(self, cipher: Option<Decryptor>) -> Self {
        Self { cipher, ..self }
    }

    /// Frames are at most so long from here on.
    pub const fn set_bound(&mut self, bound: usize) {
        self.bound = bound;
    }

    /// Frames say from here on how long they are uncompressed, or don't.
    pub const fn set_compression(&mut self, compresses: bool) {
        self.compresses = compresses;
    }

    /// The whole frames among `bytes` and what was kept before. `bytes` are deciphered in place. What is left is kept when the frames are
    /// dropped.
    pub fn frames<'a>(&'a mut self, bytes: &'a mut [u8]) -> Frames<'a> {
        if let Some(cipher) = &mut self.cipher {
            cipher.decrypt(bytes);
        }
        if !self.kept.is_empty() {
            self.kept.extend_from_slice(bytes);
            return Frames { reader: self, bytes: &[], at: 0 };
        }
        Frames { reader: self, bytes, at: 0 }
    }

    /// Keeps what has come in plain sight before there was anybody to carry it.
    pub fn keep(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
    }

    /// How many bytes it takes to hold what it does.
    #[cfg(test)]
    pub(super) const fn room(&self) -> usize {
        self.kept.capacity()
    }

    /// Whether it holds the beginning of a frame.
    #[cfg(test)]
    pub(crate) const fn is_within_frame(&self) -> bool {
        !self.kept.is_empty()
    }
}

/// Frames, one after the other.
#[derive(Debug)]
pub struct Frames<'a> {
    reader: &'a mut FrameReader,
    /// What they are found in, unless something was kept before: then it stands behind that.
    bytes: &'a [u8],
    at: usize,
}

impl Frames<'_> {
    /// The next frame, or `None` where there is no whole one left.
    ///
    /// # Errors
    /// When its head or its compression is wrong. Nothing sensible can follow.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, StreamError> {
        let all = if self.reader.kept.is_empty() { self.bytes } else { &self.reader.kept };
        let rest = &all[self.at..];
        let Some(body) = frame::split(rest, self.reader.bound)? else { return Ok(None) };
        self.at += body.end;
        Frame::read(&rest[..body.end], &rest[body], self.reader.compresses).map(Some)
    }

    /// As [`FrameReader::set_compression`], for the frames behind the last one.
    pub const fn set_compression(&mut self, compresses: bool) {
        self.reader.set_compression(compresses);
    }
}

impl Drop for Frames<'_> {
    fn drop(&mut self) {
        let kept = &mut self.reader.kept;
        if !kept.is_empty() {
            kept.drain(..self.at);
            spare::fit(kept);
        } else if self.at < self.bytes.len() {
            *kept = spare::take();
            kept.extend_from_slice(&self.bytes[self.at..]);
        }
        if kept.is_empty() {
            spare::give_back(std::mem::take(kept));
        }
    }
}

/// A whole frame.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// As it came, with its head, deciphered.
    pub(super) bytes: &'a [u8],
    pub(super) body: Body<'a>,
    id: i32,
}

/// What is in a frame.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body<'a> {
    /// A packet, whose sender doesn't compress.
    Bare(&'a [u8]),
    /// A packet that could have been compressed.
    Plain(&'a [u8]),
    /// A compressed one, so long when inflated.
    Deflated { length: usize, stream: &'a [u8] },
}

impl<'a> Frame<'a> {
    fn read(bytes: &'a [u8], body: &'a [u8], compresses: bool) -> Result<Self, StreamError> {
        let body = if compresses { Body::read(body)? } else { Body::Bare(body) };
        let id = match body {
            Body::Bare(packet) | Body::Plain(packet) => id_of(packet)?,
            Body::Deflated { stream, .. } => peek_id(stream)?,
        };
        Ok(Self { bytes, body, id })
    }

    /// The id of its packet.
    #[must_use]
    pub const fn id(&self) -> i32 {
        self.id
    }

    /// How many bytes it takes on the wire.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.bytes.len()
    }

    /// How many bytes its packet has, as far as the sender says.
    #[must_use]
    pub const fn length(&self) -> usize {
        match self.body {
            Body::Bare(packet) | Body::Plain(packet) => packet.len(),
            Body::Deflated { length, .. } => length,
        }
    }

    /// How many bytes its packet has when inflated, as far as the sender says; `None` where it isn't compressed.
    #[must_use]
    #[inline]
    pub const fn inflated(&self) -> Option<usize> {
        match self.body {
            Body::Bare(_) | Body::Plain(_) => None,
            Body::Deflated { length, .. } => Some(length),
        }
    }

    /// Its packet, inflated into `scratch` where it is compressed.
    ///
    /// # Errors
    /// When its compression is wrong.
    pub fn packet<'b>(&self, scratch: &'b mut Vec<u8>) -> Result<RawPacket<'b>, StreamError>
    where
        'a: 'b,
    {
        let packet = match self.body {
            Body::Bare(packet) | Body::Plain(packet) => packet,
            Body::Deflated { length, stream } => {
                scratch.clear();
                compression::inflate(stream, length, scratch)?;
                scratch
            }
        };
        Ok(RawPacket::parse(packet)?)
    }
}

impl<'a> Body<'a> {
    fn read(body: &'a [u8]) -> Result<Self, CompressionError> {
        let (claim, taken) = varint::read(body)?.ok_or(CompressionError::Empty)?;
        let rest = &body[taken..];
        match usize::try_from(claim) {
            Err(_) => Err(CompressionError::Negative(claim)),
            Ok(0) if rest.is_empty() => Err(CompressionError::Empty),
            Ok(0) => Ok(Self::Plain(rest)),
            Ok(length) if length > MAX_UNCOMPRESSED => {
                Err(CompressionError::TooLong { length, bound: MAX_UNCOMPRESSED })
            }
            Ok(length) => Ok(Self::Deflated { length, stream: rest }),
        }
    }
}

/// The id of a compressed packet. Most take one byte; for those that don't, it is begun anew.
fn peek_id(stream: &[u8]) -> Result<i32, StreamError> {
    let first = compression::first_byte(stream).map_err(CompressionError::from)?;
    if let Some(id @ ..0x80) = first {
        return Ok(i32::from(id));
    }
    let mut first = [0; varint::MAX_BYTES];
    let read = compression::peek(stream, &mut first).map_err(CompressionError::from)?;
    Ok(id_of(&first[..read])?)
}

fn id_of(packet: &[u8]) -> Result<i32, DecodeError> {
    match varint::read(packet) {
        Ok(Some((id, _))) => Ok(id),
        Ok(None) => Err(DecodeError::Truncated { field: "packet id" }),
        Err(_) => Err(DecodeError::VarInt { field: "packet id" }),
    }
}
