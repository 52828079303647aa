//! The header for a target, which says who the client is.

use super::v2::SIGNATURE;
use drawbridge_config::keywords;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

keywords! {
    /// How a header is written.
    pub enum Version {
        /// A line of text.
        "v1" => V1,
        /// Binary.
        "v2" => V2,
    }
}

/// The header of a connection that `source` made to `destination`. Addresses of both families in one are written as IPv6, of which
/// the IPv4 one is mapped (`::ffff:192.0.2.1`): a header has one family.
#[must_use]
pub fn header(version: Version, source: SocketAddr, destination: SocketAddr) -> Vec<u8> {
    let addresses = match (source.ip(), destination.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            Addresses::V4([source.octets(), destination.octets()])
        }
        (source, destination) => Addresses::V6([mapped(source), mapped(destination)]),
    };
    let ports = [source.port(), destination.port()];
    match version {
        Version::V1 => line(&addresses, ports),
        Version::V2 => binary(&addresses, ports),
    }
}

/// The header of a connection that is made for nobody else.
#[must_use]
pub fn own_header(version: Version) -> Vec<u8> {
    match version {
        Version::V1 => b"PROXY UNKNOWN\r\n".to_vec(),
        // Command LOCAL, without addresses.
        Version::V2 => [SIGNATURE, &[0x20, 0x00, 0x00, 0x00]].concat(),
    }
}

/// Source and destination.
enum Addresses {
    V4([[u8; 4]; 2]),
    V6([Ipv6Addr; 2]),
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

fn line(addresses: &Addresses, [from, to]: [u16; 2]) -> Vec<u8> {
    let addresses = match addresses {
        Addresses::V4(addresses) => {
            let [source, destination] = addresses.map(std::net::Ipv4Addr::from);
            format!("TCP4 {source} {destination}")
        }
        Addresses::V6([source, destination]) => format!("TCP6 {source} {destination}"),
    };
    format!("PROXY {addresses} {from} {to}\r\n").into_bytes()
}

fn binary(addresses: &Addresses, ports: [u16; 2]) -> Vec<u8> {
    let (family, addresses) = match addresses {
        Addresses::V4(addresses) => (0x11, addresses.concat()),
        Addresses::V6(addresses) => (0x21, addresses.map(|address| address.octets()).concat()),
    };
    let mut header = SIGNATURE.to_vec();
    // Version 2, command PROXY; the family, over TCP.
    header.extend([0x21, family]);
    // Two addresses of 16 bytes at most, and two ports.
    let length = u16::try_from(addresses.len() + 4).unwrap_or(u16::MAX);
    header.extend(length.to_be_bytes());
    header.extend(addresses);
    ports.iter().for_each(|port| header.extend(port.to_be_bytes()));
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy_protocol::{Parsed, parse};

    /// The examples of the specification, sections 2.1 and 2.2.
    #[test]
    fn headers_are_as_specified() {
        let (source, destination) =
            ("192.168.0.1:56324".parse().unwrap(), "192.168.0.11:443".parse().unwrap());
        let line = header(Version::V1, source, destination);
        assert_eq!(line, b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n");
        let binary = header(Version::V2, source, destination);
        let expected = [
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c".as_slice(),
            &[192, 168, 0, 1, 192, 168, 0, 11, 0xdc, 0x04, 0x01, 0xbb],
        ];
        assert_eq!(binary, expected.concat());
        let mixed = header(Version::V1, source, "[2001:db8::1]:443".parse().unwrap());
        assert_eq!(mixed, b"PROXY TCP6 ::ffff:192.168.0.1 2001:db8::1 56324 443\r\n");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let addresses = ["192.0.2.7:1", "[2001:db8::7]:65535"].map(|address| address.parse().unwrap());
        for version in [Version::V1, Version::V2] {
            let own = own_header(version);
            assert_eq!(parse(&own).unwrap(), Parsed::Header { source: None, consumed: own.len() });
            for source in addresses {
                for destination in addresses {
                    let bytes = header(version, source, destination);
                    let parsed = parse(&bytes).unwrap();
                    assert_eq!(parsed, Parsed::Header { source: Some(source), consumed: bytes.len() });
                }
            }
        }
    }
}
