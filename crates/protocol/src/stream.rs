//! The two directions of a connection: bytes to packets, and packets to bytes, through cipher and compression.
//!
//! What must stay true: an [`Inbound`] never holds more than one frame's bound and one read's worth of bytes, and any cut of
//! the bytes into reads gives the same packets.

use crate::carry::{FrameReader, FrameWriter};
use crate::cipher::{Decryptor, Encryptor};
use crate::compression::{CompressionError, Compressor, Decompressor};
use crate::frame::{self, FrameError, MAX_FRAME};
use crate::ids::Kind;
use crate::packet::{Packet, RawPacket};
use crate::varint;
use crate::version::ProtocolVersion;
use crate::wire::{DecodeError, Encoder};
use thiserror::Error;

/// What can be wrong with what a peer sent.
#[derive(Debug, Error)]
pub enum StreamError {
    /// A frame's head.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A packet's compression.
    #[error(transparent)]
    Compression(#[from] CompressionError),
    /// A packet's fields.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A packet that is longer than its form allows.
    #[error("a {} of {length} bytes, where {bound} are allowed", .kind.name())]
    Oversized {
        /// The packet.
        kind: Kind,
        /// Its bytes when inflated, as its sender says.
        length: usize,
        /// The most that are allowed.
        bound: usize,
    },
    /// A packet that the version doesn't have.
    #[error("protocol {0} has no {1}", .version.0, .kind.name())]
    Absent {
        /// The version.
        version: ProtocolVersion,
        /// The packet.
        kind: Kind,
    },
}

/// Bytes that came, on their way to become packets.
#[derive(Debug)]
pub struct Inbound {
    buffer: Vec<u8>,
    /// Where the next frame starts in the buffer.
    start: usize,
    bound: usize,
    cipher: Option<Box<Decryptor>>,
    compression: Option<Box<Inflating>>,
}

#[derive(Debug)]
struct Inflating {
    decompressor: Decompressor,
    threshold: usize,
    packet: Vec<u8>,
}

impl Inbound {
    /// For frames of at most `bound` bytes.
    #[must_use]
    pub const fn new(bound: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, bound, cipher: None, compression: None }
    }

    /// Allows longer frames from here on, up to `bound` bytes; at most [`MAX_FRAME`] counts.
    pub fn raise_bound(&mut self, bound: usize) {
        self.bound = self.bound.max(bound.min(MAX_FRAME));
    }

    /// Takes what was read from the peer.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.drain(..std::mem::take(&mut self.start));
        let before = self.buffer.len();
        self.buffer.extend_from_slice(bytes);
        if let Some(cipher) = &mut self.cipher {
            cipher.decrypt(&mut self.buffer[before..]);
        }
    }

    /// From here on everything is encrypted, including what has come already.
    pub fn decrypt(&mut self, shared_secret: &[u8; 16]) {
        let mut cipher = Box::new(Decryptor::new(shared_secret));
        cipher.decrypt(&mut self.buffer[self.start..]);
        self.cipher = Some(cipher);
    }

    /// From here on packets are compressed when they have at least `threshold` bytes.
    pub fn decompress(&mut self, threshold: usize) {
        self.compression =
            Some(Box::new(Inflating { decompressor: Decompressor::new(), threshold, packet: Vec::new() }));
    }

    /// Whether a whole frame is there for [`Inbound::next_packet`].
    ///
    /// # Errors
    /// When the frame's head is wrong.
    pub fn has_packet(&self) -> Result<bool, StreamError> {
        Ok(frame::split(&self.buffer[self.start..], self.bound)?.is_some())
    }

    /// The next packet, or `None` while it isn't whole.
    ///
    /// # Errors
    /// When the frame or its compression is wrong. Nothing sensible can follow.
    pub fn next_packet(&mut self) -> Result<Option<RawPacket<'_>>, StreamError> {
        let Some(body) = frame::split(&self.buffer[self.start..], self.bound)? else {
            return Ok(None);
        };
        let body = self.start + body.start..self.start + body.end;
        self.start = body.end;
        let body = &self.buffer[body];
        let Some(inflating) = &mut self.compression else {
            return Ok(Some(RawPacket::parse(body)?));
        };
        let Inflating { decompressor, threshold, packet } = &mut **inflating;
        packet.clear();
        decompressor.decompress(body, *threshold, self.bound, packet)?;
        Ok(Some(RawPacket::parse(packet)?))
    }

    /// The bytes that no packet has used up.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// The bytes of the last `count` that packets have used up, as they came; those fed before the last time are gone.
    #[must_use]
    pub fn used(&self, count: usize) -> &[u8] {
        &self.buffer[self.start.saturating_sub(count)..self.start]
    }

    /// Leaves out `count` of these bytes: something that isn't a packet stood in front.
    pub fn skip(&mut self, count: usize) {
        self.start = self.buffer.len().min(self.start + count);
    }

    /// Whether there is anything that no packet has used up.
    #[must_use]
    pub fn has_rest(&self) -> bool {
        self.start < self.buffer.len()
    }

    /// What comes from here on is carried: frames of at most `bound` bytes, the first of which may have come already.
    #[must_use]
    pub fn into_reader(self, bound: usize) -> FrameReader {
        let mut reader = FrameReader::new(bound).deciphering(self.cipher.map(|cipher| *cipher));
        reader.set_compression(self.compression.is_some());
        reader.keep(&self.buffer[self.start..]);
        reader
    }

    /// Gives back the memory of an empty buffer, for a connection that will wait.
    pub fn shrink(&mut self) {
        if !self.has_rest() {
            self.buffer = Vec::new();
            self.start = 0;
        }
    }
}

/// Packets on their way to become bytes.
#[derive(Debug, Default)]
pub struct Outbound {
    cipher: Option<Box<Encryptor>>,
    compression: Option<Box<Deflating>>,
}

#[derive(Debug)]
struct Deflating {
    compressor: Compressor,
    body: Vec<u8>,
}

impl Outbound {
    /// In plain sight and uncompressed at first.
    #[must_use]
    pub const fn new() -> Self {
        Self { cipher: None, compression: None }
    }

    /// Encrypts all that is written from here on.
    pub fn encrypt(&mut self, shared_secret: &[u8; 16]) {
        self.cipher = Some(Box::new(Encryptor::new(shared_secret)));
    }

    /// Compresses packets of at least `threshold` bytes from here on, at zlib's `level`.
    pub fn compress(&mut self, threshold: usize, level: u32) {
        self.compression =
            Some(Box::new(Deflating { compressor: Compressor::new(threshold, level), body: Vec::new() }));
    }

    /// What is sent from here on is carried, uncompressed at first.
    #[must_use]
    pub fn into_writer(self) -> FrameWriter {
        FrameWriter::new().enciphering(self.cipher.map(|cipher| *cipher))
    }

    /// Appends a packet, ready for the socket.
    ///
    /// # Errors
    /// When `version` doesn't have it, or it is too long to be compressed. Nothing is appended then.
    pub fn write<P: Packet>(
        &mut self,
        version: ProtocolVersion,
        packet: &P,
        out: &mut Vec<u8>,
    ) -> Result<(), StreamError> {
        let id = P::id(version).ok_or(StreamError::Absent { version, kind: P::KIND })?;
        let mut plain = Vec::with_capacity(64);
        varint::write(id, &mut plain);
        packet.encode(version, &mut Encoder::new(&mut plain));
        self.write_body(&plain, out)
    }

    /// Appends a packet given as its id and fields.
    ///
    /// # Errors
    /// When it is too long to be compressed. Nothing is appended then.
    pub fn write_body(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), StreamError> {
        let body = match &mut self.compression {
            None => plain,
            Some(deflating) => {
                deflating.body.clear();
                deflating.compressor.compress(plain, &mut deflating.body)?;
                &deflating.body
            }
        };
        let before = out.len();
        Encoder::new(out).byte_array(body);
        if let Some(cipher) = &mut self.cipher {
            cipher.encrypt(&mut out[before..]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod cuts;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::login::{CookieResponse, LoginStart};
    use proptest::prelude::*;
    use uuid::Uuid;

    const VERSION: ProtocolVersion = ProtocolVersion::V1_21;
    const SECRET: [u8; 16] = *b"0123456789abcdef";

    /// Two packets, the second encrypted from its first byte on, as a client sends them.
    fn conversation(payload: &[u8]) -> (Vec<u8>, LoginStart, CookieResponse) {
        let start = LoginStart { name: "Notch".into(), uuid: Some(Uuid::nil()), key: None };
        let cookie = CookieResponse { key: "a:b".into(), payload: Some(payload.to_vec()) };
        let mut outbound = Outbound::new();
        let mut bytes = Vec::new();
        outbound.write(VERSION, &start, &mut bytes).unwrap();
        outbound.compress(64, 4);
        outbound.encrypt(&SECRET);
        outbound.write(VERSION, &cookie, &mut bytes).unwrap();
        (bytes, start, cookie)
    }

    proptest! {
        #[test]
        fn any_cut_into_reads_gives_the_same_packets(
            payload in proptest::collection::vec(any::<u8>(), 0..600),
            cuts in proptest::collection::vec(0usize..700, 0..6),
        ) {
            let (bytes, start, cookie) = conversation(&payload);
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let mut inbound = Inbound::new(8192);
            let mut seen = 0;
            for pair in cuts.windows(2) {
                inbound.feed(&bytes[pair[0]..pair[1]]);
                while let Some(packet) = inbound.next_packet().unwrap() {
                    if seen == 0 {
                        prop_assert_eq!(packet.read::<LoginStart>(VERSION).unwrap(), start.clone());
                        inbound.decompress(64);
                        inbound.decrypt(&SECRET);
                    } else {
                        prop_assert_eq!(packet.read::<CookieResponse>(VERSION).unwrap(), cookie.clone());
                    }
                    seen += 1;
                }
            }
            prop_assert_eq!(seen, 2);
            prop_assert!(!inbound.has_rest());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), encrypted: bool, compressed: bool) {
            let mut inbound = Inbound::new(256);
            if encrypted { inbound.decrypt(&SECRET); }
            if compressed { inbound.decompress(16); }
            inbound.feed(&bytes);
            while let Ok(Some(_)) = inbound.next_packet() {}
        }
    }

    #[test]
    fn a_packet_that_the_version_lacks_is_an_error() {
        let cookie = CookieResponse { key: "a:b".into(), payload: None };
        let mut out = Vec::new();
        let written = Outbound::new().write(ProtocolVersion::V1_8, &cookie, &mut out);
        assert!(matches!(written, Err(StreamError::Absent { kind: Kind::CookieResponse, .. })));
        assert!(out.is_empty());
    }
}
