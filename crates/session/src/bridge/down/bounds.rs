//! How long the packets may be that are understood: what is longer isn't even inflated.

use super::KEY;
use drawbridge_protocol::carry::Frame;
use drawbridge_protocol::ids::Kind;
use drawbridge_protocol::stream::StreamError;
use drawbridge_protocol::varint;

/// The most bytes of a packet that is understood, id and fields. A character may take four bytes, and a text, as
/// whatever else vanilla reads from NBT, 2 MiB.
pub(super) const fn most(kind: Kind) -> usize {
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
#[inline]
pub(super) const fn bounded(kind: Kind, frame: &Frame<'_>) -> Result<(), StreamError> {
    let (length, bound) = (frame.length(), most(kind));
    if length > bound { Err(StreamError::Oversized { kind, length, bound }) } else { Ok(()) }
}
