//! Packet compression, in force once Set Compression has been sent: a frame's body begins with a VarInt, the packet's
//! uncompressed length, and a zlib stream follows; length 0 says that the packet follows as it is (Minecraft wiki,
//! "Java Edition protocol/Packets", With compression).
//!
//! The length in front of the whole frame is the frame module's business, as is the bound on a frame's bytes.
//!
//! What must stay true: memory grows with what has really been inflated, never with what a peer claims, and never
//! past the caller's bound; a body that is refused leaves the caller's buffer as it was.

mod peek;
mod recall;
mod shared;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use thiserror::Error;

use crate::varint::{self, VarIntError};

pub use peek::{MAX_BLOCKS, PeekError, peek};
pub(crate) use recall::first_byte;
pub(crate) use shared::{deflate, inflate};

/// The longest uncompressed packet that vanilla takes: 8 MiB (2 MiB before 1.20.5).
pub const MAX_UNCOMPRESSED: usize = 1 << 23;

/// The first piece of room given to a packet that is being inflated, in bytes; each next one doubles it.
const FIRST_STEP: usize = 4096;

/// Why a packet could not be compressed or a body could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CompressionError {
    /// The length in front is not a VarInt.
    #[error("the uncompressed length is not a VarInt")]
    Length(#[from] VarIntError),
    /// The body ends inside the length in front, or right behind a length of 0.
    #[error("the body ends before its packet begins")]
    Empty,
    /// The length in front is negative.
    #[error("the uncompressed length is {0}")]
    Negative(i32),
    /// The packet is, or claims to be, longer than the bound.
    #[error("a packet of {length} bytes, where {bound} are allowed")]
    TooLong {
        /// Bytes of the packet, uncompressed.
        length: usize,
        /// The most that are allowed.
        bound: usize,
    },
    /// A compressed packet that, by its own claim, should not have been compressed.
    #[error("a compressed packet of {length} bytes, where compression begins at {threshold}")]
    BelowThreshold {
        /// Bytes of the packet, uncompressed, as claimed.
        length: usize,
        /// The shortest packet that is compressed.
        threshold: usize,
    },
    /// The stream holds more or fewer bytes than the length in front says.
    #[error("a compressed packet that does not hold the {0} bytes it claims")]
    WrongLength(usize),
    /// Bytes behind the end of the zlib stream.
    #[error("{0} bytes behind the end of a compressed packet")]
    Trailing(usize),
    /// The body ends inside the zlib stream.
    #[error("a compressed packet that is cut off")]
    CutOff,
    /// Not a zlib stream, or its checksum is wrong.
    #[error("a compressed packet that is damaged")]
    Damaged,
    /// The first bytes of a stream.
    #[error(transparent)]
    Peek(#[from] PeekError),
    /// The compressor refused its own state. Nothing that a packet holds brings this about.
    #[error("the compressor failed")]
    Compressor,
}

/// Compresses packets of at least `threshold` bytes.
///
/// The state behind it takes some 370 KiB and is reset for every packet: one for each thread does,
/// rather than one for each connection.
#[derive(Debug)]
pub struct Compressor {
    threshold: usize,
    deflate: Compress,
}

impl Compressor {
    /// A compressor for packets of `threshold` bytes and more, at zlib's `level` from 0 (stored) to 9 (smallest);
    /// anything above counts as 9.
    #[must_use]
    pub fn new(threshold: usize, level: u32) -> Self {
        Self { threshold, deflate: Compress::new(Compression::new(level.min(9)), true) }
    }

    /// Appends the body of `packet`'s frame to `out`: the length VarInt and the bytes.
    ///
    /// # Errors
    /// [`CompressionError::TooLong`] for a packet over [`MAX_UNCOMPRESSED`]; `out` is then as it was.
    pub fn compress(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), CompressionError> {
        let too_long = CompressionError::TooLong { length: packet.len(), bound: MAX_UNCOMPRESSED };
        if packet.len() > MAX_UNCOMPRESSED {
            return Err(too_long);
        }
        if packet.len() < self.threshold {
            varint::write(0, out);
            out.extend_from_slice(packet);
            return Ok(());
        }
        let start = out.len();
        varint::write(i32::try_from(packet.len()).map_err(|_| too_long)?, out);
        self.deflate(packet, out).inspect_err(|_| out.truncate(start))
    }

    fn deflate(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), CompressionError> {
        self.deflate.reset();
        loop {
            let read = usize::try_from(self.deflate.total_in()).unwrap_or(packet.len());
            let rest = packet.get(read..).unwrap_or_default();
            // Room for the usual gain at first, doubled by each further turn; the constant is for header, checksum
            // and what tiny packets grow by.
            out.reserve(rest.len() / 2 + 64);
            match self.deflate.compress_vec(rest, out, FlushCompress::Finish) {
                Ok(Status::StreamEnd) => return Ok(()),
                Ok(Status::Ok | Status::BufError) => {}
                Err(_) => return Err(CompressionError::Compressor),
            }
        }
    }
}

/// Reads the bodies of compressed frames.
///
/// The state behind it takes some 48 KiB and is reset for every packet: one for each thread does, rather
/// than one for each connection.
#[derive(Debug)]
pub struct Decompressor {
    inflate: Decompress,
}

impl Default for Decompressor {
    fn default() -> Self {
        Self::new()
    }
}

impl Decompressor {
    /// A decompressor, ready for any packet.
    #[must_use]
    pub fn new() -> Self {
        Self { inflate: Decompress::new(true) }
    }

    /// Appends the packet in `body` (a frame without the length in front of it) to `out`.
    ///
    /// A packet that was sent uncompressed is taken at any length up to `bound`, also from `threshold` bytes on, as
    /// vanilla does. A compressed one must be at least `threshold` and at most `bound` bytes long, exactly as long as
    /// it says, and nothing may follow it.
    ///
    /// # Errors
    /// See [`CompressionError`]; `out` then holds what it held before.
    pub fn decompress(
        &mut self,
        body: &[u8],
        threshold: usize,
        bound: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CompressionError> {
        let (claim, taken) = varint::read(body)?.ok_or(CompressionError::Empty)?;
        let rest = body.get(taken..).unwrap_or_default();
        let length = usize::try_from(claim).map_err(|_| CompressionError::Negative(claim))?;
        if length == 0 {
            return copy(rest, bound, out);
        }
        if length > bound {
            return Err(CompressionError::TooLong { length, bound });
        }
        if length < threshold {
            return Err(CompressionError::BelowThreshold { length, threshold });
        }
        let start = out.len();
        self.inflate(rest, length, out).inspect_err(|_| out.truncate(start))
    }

    /// Inflates exactly `length` bytes out of `stream`, making room for them as they come.
    fn inflate(&mut self, stream: &[u8], length: usize, out: &mut Vec<u8>) -> Result<(), CompressionError> {
        self.inflate.reset(true);
        let start = out.len();
        let mut input = stream;
        let mut done = 0;
        loop {
            // The byte beyond is where a stream that is longer than it says gives itself away; it never reaches
            // `out`.
            let mut beyond = [0];
            let room = if done < length {
                let step = done.max(FIRST_STEP).min(length - done);
                out.reserve_exact(step);
                out.resize(start + done + step, 0);
                &mut out[start + done..]
            } else {
                &mut beyond[..]
            };
            let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self
                .inflate
                .decompress(input, room, FlushDecompress::Finish)
                .map_err(|_| CompressionError::Damaged)?;
            // Both fit: they count bytes of `input` and `room`.
            let read = (self.inflate.total_in() - read) as usize;
            let written = (self.inflate.total_out() - written) as usize;
            let full = written == room.len();
            input = &input[read..];
            done += written;
            match status {
                _ if done > length => return Err(CompressionError::WrongLength(length)),
                Status::StreamEnd if done < length => return Err(CompressionError::WrongLength(length)),
                Status::StreamEnd if !input.is_empty() => {
                    return Err(CompressionError::Trailing(input.len()));
                }
                Status::StreamEnd => return Ok(()),
                Status::Ok | Status::BufError if full => {}
                Status::Ok | Status::BufError => return Err(CompressionError::CutOff),
            }
        }
    }
}

/// Appends a packet that was sent as it is.
fn copy(packet: &[u8], bound: usize, out: &mut Vec<u8>) -> Result<(), CompressionError> {
    if packet.is_empty() {
        return Err(CompressionError::Empty);
    }
    if packet.len() > bound {
        return Err(CompressionError::TooLong { length: packet.len(), bound });
    }
    out.extend_from_slice(packet);
    Ok(())
}

#[cfg(test)]
mod tests;
