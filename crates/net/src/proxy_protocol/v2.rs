//! Version 2: binary (section 2.2 of the specification).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Parsed, ProxyError, crc32c};
use crate::networks::canonical;

pub(super) const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Bytes before the addresses.
const FIXED: usize = 16;

/// Bytes of the longest header taken: what the specification has every receiver take at least.
pub const MAX_HEADER: usize = 536;

/// PP2_TYPE_CRC32C
const CHECKSUM: u8 = 0x03;

/// `bytes` agrees with [`SIGNATURE`] as far as both go. Checks come in the order of the bytes, so that splitting changes nothing.
pub(super) fn parse(bytes: &[u8]) -> Result<Parsed, ProxyError> {
    let Some(&version_command) = bytes.get(12) else {
        return Ok(Parsed::NeedMore);
    };
    if version_command >> 4 != 2 {
        return Err(ProxyError::Version(version_command >> 4));
    }
    let local = match version_command & 0xf {
        0 => true,
        1 => false,
        other => return Err(ProxyError::Command(other)),
    };
    let Some(&transport) = bytes.get(13) else {
        return Ok(Parsed::NeedMore);
    };
    // Of a LOCAL header everything else is to be ignored.
    if !local && !matches!(transport, 0x00 | 0x11 | 0x21) {
        return Err(ProxyError::Transport(transport));
    }
    let Some(&[high, low]) = bytes.get(14..FIXED) else {
        return Ok(Parsed::NeedMore);
    };
    let len = u16::from_be_bytes([high, low]);
    let consumed = FIXED + usize::from(len);
    if consumed > MAX_HEADER {
        return Err(ProxyError::TooLong(len));
    }
    let Some(header) = bytes.get(..consumed) else {
        return Ok(Parsed::NeedMore);
    };
    let source = if local { None } else { source(header, transport)? };
    Ok(Parsed::Header { source, consumed })
}

/// The client's address in a whole header with the PROXY command.
fn source(header: &[u8], transport: u8) -> Result<Option<SocketAddr>, ProxyError> {
    let contents = &header[FIXED..];
    let (source, tlvs) = match transport {
        0x11 => {
            let (addresses, tlvs) = contents.split_first_chunk::<12>().ok_or(ProxyError::Truncated)?;
            let [a, b, c, d, _, _, _, _, high, low, _, _] = *addresses;
            let port = u16::from_be_bytes([high, low]);
            (SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), port), tlvs)
        }
        0x21 => {
            let (addresses, tlvs) = contents.split_first_chunk::<36>().ok_or(ProxyError::Truncated)?;
            let (address, rest) = addresses.split_first_chunk::<16>().ok_or(ProxyError::Truncated)?;
            let port = u16::from_be_bytes([rest[16], rest[17]]);
            (SocketAddr::new(Ipv6Addr::from(*address).into(), port), tlvs)
        }
        // UNSPEC: there are no addresses, and no telling where TLVs would begin.
        _ => return Ok(None),
    };
    check(header, tlvs)?;
    Ok(Some(canonical(source)))
}

/// Walks the TLVs: each has to end inside the header, and a checksum has to be right. The others are none of our business.
fn check(header: &[u8], mut tlvs: &[u8]) -> Result<(), ProxyError> {
    while !tlvs.is_empty() {
        let ([kind, high, low], rest) = tlvs.split_first_chunk().ok_or(ProxyError::Truncated)?;
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        let (value, rest) = rest.split_at_checked(len).ok_or(ProxyError::Truncated)?;
        if *kind == CHECKSUM {
            let stated: [u8; 4] = value.try_into().map_err(|_| ProxyError::Checksum)?;
            // Computed with the checksum itself taken as zeros.
            let after = &header[header.len() - rest.len()..];
            let before = &header[..header.len() - rest.len() - stated.len()];
            if crc32c::of(&[before, &[0; 4], after]) != u32::from_be_bytes(stated) {
                return Err(ProxyError::Checksum);
            }
        }
        tlvs = rest;
    }
    Ok(())
}
