//! The PROXY protocol header, versions 1 and 2, as a load balancer sends it in front of a connection's own bytes.
//!
//! Source: "The PROXY protocol, Versions 1 & 2", the specification kept with HAProxy (doc/proxy-protocol.txt).
//!
//! Sans I/O: [`parse`] is given what has come so far. What must stay true: however the bytes are split, the result is the same;
//! no more than [`MAX_HEADER`] bytes are ever asked for; and a header is believed only from [`ProxyProtocol::trusted`].

mod crc32c;
mod v1;
mod v2;
mod write;

use std::net::SocketAddr;

use drawbridge_config::section;
use ipnet::IpNet;

pub use v1::MAX_LINE;
pub use v2::MAX_HEADER;
pub use write::{Version, header, own_header};

section! {
    /// Load balancers that say for whom they speak.
    #[defaults]
    pub struct ProxyProtocol {
        /// Networks whose connections must begin with a PROXY protocol header, version 1 or 2. Nobody else may send one.
        pub trusted: Vec<IpNet> = Vec::new(),
    }
}

/// What [`parse`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// So far it looks like a header; there has to come more of it.
    NeedMore,
    /// A whole header.
    Header {
        /// The client, in canonical form. None when the load balancer speaks for itself (health checks) or doesn't know: then the
        /// connection's own address counts.
        source: Option<SocketAddr>,
        /// How many bytes the header has; what follows is the client's.
        consumed: usize,
    },
}

/// Why what came isn't a header, or not one that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ProxyError {
    /// The first bytes are neither version's.
    #[error("no PROXY protocol header")]
    Missing,
    /// A version 1 line of more than 107 bytes.
    #[error("a PROXY protocol line longer than {MAX_LINE} bytes")]
    LineTooLong,
    /// A version 1 line that isn't written as the specification demands.
    #[error("a malformed PROXY protocol line")]
    Line,
    /// A version other than 2 behind the signature of version 2.
    #[error("PROXY protocol version {0} is not known")]
    Version(u8),
    /// A command other than LOCAL and PROXY.
    #[error("PROXY protocol command {0} is not known")]
    Command(u8),
    /// Datagrams, Unix sockets, or a code that the specification doesn't have.
    #[error("PROXY protocol transport {0:#04x} is not TCP")]
    Transport(u8),
    /// A version 2 header of more than [`MAX_HEADER`] bytes; the number is that of the bytes after the first 16.
    #[error("a PROXY protocol header of 16 + {0} bytes, more than {MAX_HEADER}")]
    TooLong(u16),
    /// A version 2 header too short for its addresses, or with a TLV that reaches beyond its end.
    #[error("a PROXY protocol header shorter than its contents")]
    Truncated,
    /// The checksum doesn't match.
    #[error("a PROXY protocol header with a wrong checksum")]
    Checksum,
}

/// Reads a header from the first bytes of a connection.
///
/// # Errors
/// As soon as it is certain that no valid header can come of it.
pub fn parse(bytes: &[u8]) -> Result<Parsed, ProxyError> {
    if begins(bytes, v2::SIGNATURE) {
        v2::parse(bytes)
    } else if begins(bytes, v1::SIGNATURE) {
        v1::parse(bytes)
    } else {
        Err(ProxyError::Missing)
    }
}

/// Whether the bytes are the beginning of a header: to tell somebody who sends one without being trusted from other
/// garbage. True only once a signature is complete.
#[must_use]
pub fn looks_like_header(bytes: &[u8]) -> bool {
    bytes.starts_with(v1::SIGNATURE) || bytes.starts_with(v2::SIGNATURE)
}

/// Whether `bytes` and `signature` agree as far as both go.
fn begins(bytes: &[u8], signature: &[u8]) -> bool {
    bytes.iter().zip(signature).all(|(byte, expected)| byte == expected)
}

#[cfg(test)]
mod tests;
