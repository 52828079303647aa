//! The Minecraft: Java Edition wire protocol, sans I/O: no sockets, no clock, no async. Bytes go in, packets come out, and
//! the other way round.
//!
//! What must stay true: nothing that a peer sends makes this crate panic or allocate beyond the bounds given to it, and
//! "not enough bytes yet" is `Ok(None)`, never an error.

#![deny(unsafe_code)]

pub mod carry;
pub mod cipher;
pub mod compression;
pub mod frame;
pub mod ids;
pub mod legacy;
pub mod nbt;
pub mod packet;
pub mod profile;
pub mod stream;
pub mod text;
pub mod varint;
pub mod version;
pub mod wire;

pub use version::ProtocolVersion;
