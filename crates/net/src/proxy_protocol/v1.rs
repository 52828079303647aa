//! Version 1: a line of text (section 2.1 of the specification).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::{Parsed, ProxyError};
use crate::networks::canonical;

pub(super) const SIGNATURE: &[u8] = b"PROXY ";

/// Bytes of the longest line, CRLF included.
pub const MAX_LINE: usize = 107;

/// `bytes` agrees with [`SIGNATURE`] as far as both go.
pub(super) fn parse(bytes: &[u8]) -> Result<Parsed, ProxyError> {
    let window = &bytes[..bytes.len().min(MAX_LINE)];
    let Some(end) = window.windows(2).position(|pair| pair == b"\r\n") else {
        return if bytes.len() < MAX_LINE { Ok(Parsed::NeedMore) } else { Err(ProxyError::LineTooLong) };
    };
    let line = window[..end].strip_prefix(SIGNATURE).ok_or(ProxyError::Line)?;
    Ok(Parsed::Header { source: source(line)?, consumed: end + 2 })
}

/// The client's address in what follows the signature.
fn source(line: &[u8]) -> Result<Option<SocketAddr>, ProxyError> {
    // What follows UNKNOWN is to be ignored, whatever it is.
    if line == b"UNKNOWN" || line.starts_with(b"UNKNOWN ") {
        return Ok(None);
    }
    let line = std::str::from_utf8(line).map_err(|_| ProxyError::Line)?;
    let mut fields = line.split(' ');
    let mut next = || fields.next().ok_or(ProxyError::Line);
    let family = next()?;
    let (source, destination, source_port, destination_port) = (next()?, next()?, next()?, next()?);
    if fields.next().is_some() {
        return Err(ProxyError::Line);
    }
    let source = match family {
        "TCP4" => addresses::<Ipv4Addr>(source, destination),
        "TCP6" => addresses::<Ipv6Addr>(source, destination),
        _ => None,
    };
    let (Some(source), Some(port), Some(_)) = (source, port(source_port), port(destination_port)) else {
        return Err(ProxyError::Line);
    };
    Ok(Some(canonical(SocketAddr::new(source, port))))
}

/// The first of two addresses of one family.
fn addresses<T: FromStr + Into<IpAddr>>(source: &str, destination: &str) -> Option<IpAddr> {
    destination.parse::<T>().ok()?;
    source.parse::<T>().ok().map(Into::into)
}

/// Decimal, without sign and leading zeros.
fn port(text: &str) -> Option<u16> {
    let plain = text == "0" || text.starts_with(|first: char| matches!(first, '1'..='9'));
    plain.then(|| text.parse().ok()).flatten()
}
