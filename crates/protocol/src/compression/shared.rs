//! A compressor and a decompressor for all connections of a thread: their state is large, and is reset for each packet.

use super::{CompressionError, Compressor, Decompressor};
use std::cell::RefCell;

/// How much trouble is taken to make packets smaller: what more costs a multiple of the time for some hundredths of the size.
const LEVEL: u32 = 4;

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor>> = const { RefCell::new(None) };
}

/// Appends the body of a frame whose packet is compressed: its length, and the zlib stream.
///
/// # Errors
/// [`CompressionError::TooLong`]; `out` is then as it was.
pub(crate) fn deflate(packet: &[u8], out: &mut Vec<u8>) -> Result<(), CompressionError> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        compressor.get_or_insert_with(|| Compressor::new(0, LEVEL)).compress(packet, out)
    })
}

/// Appends the packet of exactly `length` bytes that a zlib stream holds.
///
/// # Errors
/// See [`CompressionError`]; `out` is then as it was.
pub(crate) fn inflate(stream: &[u8], length: usize, out: &mut Vec<u8>) -> Result<(), CompressionError> {
    let start = out.len();
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        let decompressor = decompressor.get_or_insert_with(Decompressor::new);
        decompressor.inflate(stream, length, out).inspect_err(|_| out.truncate(start))
    })
}
