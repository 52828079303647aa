//! What stands first on a connection: PROXY headers, pings and logins of clients before 1.7, and the host that a client typed.
//!
//! What must hold: once the first bytes have decided something, no further ones change it, and asking for more ends; a header that was written is
//! read as it was meant; a cleaned host is a text that a log and the table can take; an answer to an old client has the fields that it reads, whatever
//! stands in them; memory stays within what the bytes are.

use crate::house::routing::host::{clean_host, is_forwarded};
use crate::{Input, memory};
use drawbridge_net::proxy_protocol::{self, Parsed, Version};
use drawbridge_protocol::legacy::{self, LegacyPing, LegacyStatus, Recognised, kick, ping_answer, recognise};
use drawbridge_protocol::text::Component;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// See the module.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    memory::within(memory::of(data), || match input.below(4) {
        0 => recognised(input.rest()),
        1 => proxied(input.rest()),
        2 => written(&mut input),
        _ => {
            let text = String::from_utf8_lossy(input.rest()).into_owned();
            cleaned(&text);
            answered(&text);
        }
    });
}

fn recognised(bytes: &[u8]) {
    let mut decided: Option<Recognised> = None;
    for end in 0..=bytes.len() {
        let now = recognise(&bytes[..end]);
        if let Some(decided) = &decided {
            assert_eq!(&now, decided, "{end} bytes");
        }
        match now {
            Recognised::NeedMore { .. } => assert!(end < legacy::MAX_BYTES, "{end} bytes aren't enough"),
            now => decided = Some(now),
        }
    }
}

fn proxied(bytes: &[u8]) {
    let mut decided = None;
    for end in 0..=bytes.len() {
        let now = proxy_protocol::parse(&bytes[..end]);
        if let Some(decided) = &decided {
            assert_eq!(&now, decided, "{end} bytes");
        }
        match now {
            Ok(Parsed::NeedMore) => assert!(end < proxy_protocol::MAX_HEADER, "{end} bytes aren't enough"),
            Ok(Parsed::Header { consumed, .. }) => {
                assert!(consumed <= end);
                decided = Some(now);
            }
            Err(_) => decided = Some(now),
        }
    }
}

fn address(input: &mut Input<'_>) -> SocketAddr {
    let ip: IpAddr = if input.flag() {
        let octets = std::array::from_fn(|_| input.byte());
        Ipv4Addr::from_octets(octets).into()
    } else {
        Ipv6Addr::from_octets(std::array::from_fn(|_| input.byte())).into()
    };
    SocketAddr::new(ip, input.short())
}

fn written(input: &mut Input<'_>) {
    let (source, destination) = (address(input), address(input));
    for version in [Version::V1, Version::V2] {
        let header = proxy_protocol::header(version, source, destination);
        let canonical = SocketAddr::new(source.ip().to_canonical(), source.port());
        let expected = Parsed::Header { source: Some(canonical), consumed: header.len() };
        let long = [&header[..], input.rest()].concat();
        assert_eq!(proxy_protocol::parse(&long), Ok(expected), "{source} to {destination}");
    }
}

fn cleaned(raw: &str) {
    let host = clean_host(raw);
    assert!(host.len() <= 254 && !host.contains('\0') && !host.bytes().any(|byte| byte.is_ascii_uppercase()));
    // A server that believes forwarding needs an address and a UUID behind the host.
    let mut parts = raw.split('\0').skip(1);
    let told = |part: Option<&str>| part.is_some_and(|part| !part.is_empty());
    if told(parts.next()) && told(parts.next()) {
        assert!(is_forwarded(raw), "{raw:?}");
    }
    assert!(!is_forwarded(&host), "{host:?}");
    // As far as it isn't cut, cleaning it again changes nothing.
    if host.len() < 250 {
        assert_eq!(clean_host(&host), host);
    }
}

/// The fields of an answer, as old clients read them.
fn answered(text: &str) {
    let description = Component::parse_config(text).unwrap_or_else(|_| Component::text(text));
    let status =
        LegacyStatus { protocol: 127, version: text, description: &description, online: 12, max: u32::MAX };
    let words = |packet: &[u8]| {
        let units = u16::from_be_bytes([packet[1], packet[2]]);
        assert_eq!((packet[0], usize::from(units) * 2), (0xff, packet.len() - 3));
        let units: Vec<_> =
            packet[3..].chunks(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]])).collect();
        String::from_utf16(&units).expect("whole characters")
    };
    let new = words(&ping_answer(&LegacyPing::V1_4, &status));
    let fields: Vec<_> = new.split('\0').collect();
    assert_eq!(
        (fields.len(), fields[0], fields[1], fields[4], fields[5]),
        (6, "§1", "127", "12", "4294967295")
    );
    let old = words(&ping_answer(&LegacyPing::Beta, &status));
    let fields: Vec<_> = old.split('§').collect();
    assert_eq!((fields.len(), fields[1], fields[2]), (3, "12", "4294967295"));
    let _ = words(&kick(text));
}

/// One of each, as the wiki and the specification have them.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let string16 = |text: &str| {
        let units: Vec<u16> = text.encode_utf16().collect();
        let length = u16::try_from(units.len()).unwrap_or(0).to_be_bytes().to_vec();
        [length, units.into_iter().flat_map(u16::to_be_bytes).collect()].concat()
    };
    let ping = [
        &b"\xfe\x01\xfa"[..],
        &string16("MC|PingHost"),
        &[0, 25, 73],
        &string16("localhost"),
        &[0, 0, 0x63, 0xdd],
    ]
    .concat();
    let login = [&[2, 78][..], &string16("Notch"), &string16("localhost"), &[0, 0, 0x63, 0xdd]].concat();
    let old = [&[2][..], &string16("Notch;play.example.com:25565")].concat();
    let mut seeds: Vec<Vec<u8>> =
        [&ping[..], &login, &old, b"\x10\x00\x05"].iter().map(|seed| [&[0], *seed].concat()).collect();
    let (four, six) = (
        SocketAddr::from(([192, 0, 2, 1], 4711)),
        SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 4711)),
    );
    for version in [Version::V1, Version::V2] {
        for source in [four, six] {
            seeds.push([&[1][..], &proxy_protocol::header(version, source, source), b"rest"].concat());
        }
        seeds.push([&[1][..], &proxy_protocol::own_header(version)].concat());
    }
    // With a checksum and what TLS said, behind the addresses.
    seeds.push([&[1][..], b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x16\xc0\x00\x02\x01\xc0\x00\x02\x02\x12\x67\x63\xdd\x03\x00\x04\0\0\0\0\x04\0\0"].concat());
    seeds.push(vec![2, 1, 192, 0, 2, 1, 0, 80, 1, 192, 0, 2, 2, 0, 81]);
    for host in
        ["Play.Example.com.\0FML2\0", "a///203.0.113.7:1///1", "[2001:DB8:0::1]", "§cMOTD <red>x", "a\0b\nc"]
    {
        seeds.push([&[3], host.as_bytes()].concat());
    }
    seeds
}
