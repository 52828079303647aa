//! Vectors from the specification, and what must hold for any bytes.

use proptest::prelude::*;

use super::*;

const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn v2(version_command: u8, transport: u8, contents: &[u8]) -> Vec<u8> {
    let len = u16::try_from(contents.len()).unwrap().to_be_bytes();
    [V2, &[version_command, transport], &len, contents].concat()
}

fn header(source: Option<&str>, consumed: usize) -> Result<Parsed, ProxyError> {
    Ok(Parsed::Header { source: source.map(|source| source.parse().unwrap()), consumed })
}

/// The longest lines that section 2.1 lists, one per kind.
#[test]
fn takes_the_specifications_lines() {
    let line = b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n";
    assert_eq!(line.len(), 56);
    assert_eq!(parse(line), header(Some("255.255.255.255:65535"), 56));

    let full = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    let line = format!("PROXY TCP6 {full} {full} 65535 65535\r\n");
    assert_eq!(line.len(), 104);
    assert_eq!(parse(line.as_bytes()), header(Some(&format!("[{full}]:65535")), 104));

    assert_eq!(parse(b"PROXY UNKNOWN\r\n"), header(None, 15));
    let line = format!("PROXY UNKNOWN {full} {full} 65535 65535\r\n");
    assert_eq!(line.len(), 107);
    assert_eq!(parse(line.as_bytes()), header(None, 107));

    let example =
        b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET / HTTP/1.1\r\nHost: 192.168.0.11\r\n\r\n";
    assert_eq!(parse(example), header(Some("192.168.0.1:56324"), 47));
}

#[test]
fn a_mapped_client_is_an_ipv4_client() {
    assert_eq!(parse(b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n"), header(Some("192.0.2.1:1"), 37));
}

#[test]
fn refuses_lines_that_are_not_exactly_right() {
    for line in [
        "PROXY \r\n",
        "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        "PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.256 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP6 ::1%1 ::1 1 2\r\n",
        "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n\r\n",
    ] {
        assert_eq!(parse(line.as_bytes()), Err(ProxyError::Line), "{line:?}");
    }
    assert_eq!(parse(b"PROXY TCP4 \xff 1.2.3.4 1 2\r\n"), Err(ProxyError::Line));
}

#[test]
fn a_line_has_107_bytes_at_most() {
    let mut line = format!("PROXY UNKNOWN {}\r\n", "x".repeat(92)).into_bytes();
    assert_eq!(line.len(), 108);
    assert_eq!(parse(&line[..106]), Ok(Parsed::NeedMore));
    assert_eq!(parse(&line[..107]), Err(ProxyError::LineTooLong));
    assert_eq!(parse(&line), Err(ProxyError::LineTooLong));
    line.remove(20);
    assert_eq!(parse(&line), header(None, 107));
}

#[test]
fn takes_binary_headers() {
    let tcp4 = v2(0x21, 0x11, &[192, 0, 2, 1, 198, 51, 100, 7, 0xdc, 0x04, 0x63, 0xdd]);
    assert_eq!(parse(&[&tcp4[..], b"more"].concat()), header(Some("192.0.2.1:56324"), 28));

    let mut addresses = [0; 36];
    addresses[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    addresses[15] = 1;
    addresses[32..].copy_from_slice(&[0xdc, 0x04, 0x63, 0xdd]);
    assert_eq!(parse(&v2(0x21, 0x21, &addresses)), header(Some("[2001:db8::1]:56324"), 52));

    // ::ffff:192.0.2.1
    let mut mapped = [0; 36];
    mapped[10..16].copy_from_slice(&[0xff, 0xff, 192, 0, 2, 1]);
    assert_eq!(parse(&v2(0x21, 0x21, &mapped)), header(Some("192.0.2.1:0"), 52));
}

#[test]
fn a_header_without_a_client_leaves_the_connections_own_address() {
    assert_eq!(parse(&v2(0x20, 0x00, &[])), header(None, 16));
    // Whatever else a LOCAL header says is ignored.
    assert_eq!(parse(&v2(0x20, 0x31, &[1, 2, 3])), header(None, 19));
    assert_eq!(parse(&v2(0x21, 0x00, &[])), header(None, 16));
    assert_eq!(parse(&v2(0x21, 0x00, &[9; 40])), header(None, 56));
}

#[test]
fn refuses_binary_headers_that_are_not_for_tcp() {
    for transport in [0x01, 0x10, 0x12, 0x20, 0x22, 0x31, 0x32, 0x41, 0xff] {
        assert_eq!(parse(&v2(0x21, transport, &[0; 216])), Err(ProxyError::Transport(transport)));
    }
    assert_eq!(parse(&v2(0x11, 0x11, &[0; 12])), Err(ProxyError::Version(1)));
    assert_eq!(parse(&v2(0x22, 0x11, &[0; 12])), Err(ProxyError::Command(2)));
}

#[test]
fn refuses_contents_that_do_not_fit() {
    assert_eq!(parse(&v2(0x21, 0x11, &[0; 11])), Err(ProxyError::Truncated));
    assert_eq!(parse(&v2(0x21, 0x21, &[0; 35])), Err(ProxyError::Truncated));
    for tlv in [&[1][..], &[1, 0], &[1, 0, 1], &[1, 0, 0, 1], &[0xea, 0xff, 0xff, 0]] {
        assert_eq!(parse(&v2(0x21, 0x11, &[&[0; 12], tlv].concat())), Err(ProxyError::Truncated), "{tlv:?}");
    }
    assert_eq!(
        parse(&v2(0x21, 0x11, &[[0; 12].as_slice(), &[1, 0, 0]].concat())),
        header(Some("0.0.0.0:0"), 31)
    );
}

#[test]
fn a_header_has_536_bytes_at_most() {
    let fill = |len: u16| [&[0; 12], &[0xe0][..], &len.to_be_bytes(), &vec![7; usize::from(len)]].concat();
    assert_eq!(parse(&v2(0x21, 0x11, &fill(505))), header(Some("0.0.0.0:0"), 536));
    let longer = v2(0x21, 0x11, &fill(506));
    assert_eq!(parse(&longer), Err(ProxyError::TooLong(521)));
    assert_eq!(parse(&longer[..16]), Err(ProxyError::TooLong(521)), "told before it is waited for");
}

#[test]
fn checks_a_checksum() {
    let alpn = [1, 0, 2, b'h', b'2'];
    let noop = [4, 0, 1, 0];
    let addresses = [192, 0, 2, 1, 198, 51, 100, 7, 0xdc, 0x04, 0x63, 0xdd];
    let with =
        |checksum: [u8; 4]| v2(0x21, 0x11, &[&addresses[..], &alpn, &[3, 0, 4], &checksum, &noop].concat());
    assert_eq!(parse(&with(CHECKSUM_VECTOR)), header(Some("192.0.2.1:56324"), 44));
    assert_eq!(parse(&with([0; 4])), Err(ProxyError::Checksum));
    let short = v2(0x21, 0x11, &[&addresses[..], &[3, 0, 3, 0, 0, 0]].concat());
    assert_eq!(parse(&short), Err(ProxyError::Checksum));
}

/// Of the header in [`checks_a_checksum`], computed bit by bit in another language.
const CHECKSUM_VECTOR: [u8; 4] = 0x22ED_63D8_u32.to_be_bytes();

#[test]
fn other_greetings_are_told_apart_at_the_first_byte() {
    for bytes in
        [&[0x10, 0x00][..], b"\xfe\x01", b"GET / HTTP/1.1\r\n", b"\x16\x03\x01", b"PROXX", b"\r\n\r\nX"]
    {
        assert_eq!(parse(bytes), Err(ProxyError::Missing), "{bytes:?}");
        assert!(!looks_like_header(bytes));
    }
    assert_eq!(parse(b""), Ok(Parsed::NeedMore));
    assert!(looks_like_header(b"PROXY TCP4 whatever"));
    assert!(looks_like_header(&v2(0x21, 0x11, &[])));
}

#[test]
fn the_trusted_are_read_from_the_configuration() {
    let text = "trusted = [\"127.0.0.0/8\", \"::1\"]";
    let section: ProxyProtocol = drawbridge_config::read_text("proxy_protocol.toml", text).unwrap();
    let trusted: crate::Networks = section.trusted.iter().collect();
    assert!(trusted.contains([127, 0, 0, 1].into()));
    assert!(!trusted.contains([10, 0, 0, 1].into()));
    assert!(ProxyProtocol::default().trusted.is_empty());
}

/// Bytes that get past the first checks.
fn plausible() -> impl Strategy<Value = Vec<u8>> {
    let text = "PROXY (TCP4|TCP6|UNKNOWN)?( |[0-9a-f.:]{1,40} ){0,6}[0-9]{0,6}(\r\n|\n|\r)?.{0,8}";
    let contents = proptest::collection::vec(prop_oneof![3 => Just(0u8), 1 => any::<u8>()], 0..64);
    let binary = (0x1fu8..0x23, prop_oneof![Just(0u8), Just(0x11), Just(0x21), any::<u8>()], contents)
        .prop_map(|(command, transport, contents)| v2(command, transport, &contents));
    let garbage = proptest::collection::vec(any::<u8>(), 0..64);
    prop_oneof![text.prop_map(String::into_bytes), binary, garbage]
}

proptest! {
    /// Fed byte by byte, the answer is the same as for all at once, and it is never asked for more once the answer is there.
    #[test]
    fn splitting_changes_nothing(bytes in plausible()) {
        let whole = parse(&bytes);
        let mut answer = None;
        for end in 0..=bytes.len() {
            match (parse(&bytes[..end]), answer) {
                (Ok(Parsed::NeedMore), None) => prop_assert!(end < MAX_HEADER),
                (now, None) => answer = Some(now),
                (now, Some(before)) => prop_assert_eq!(now, before),
            }
        }
        prop_assert_eq!(answer.unwrap_or(Ok(Parsed::NeedMore)), whole);
        if let Ok(Parsed::Header { consumed, .. }) = whole {
            prop_assert!(consumed <= bytes.len());
        }
    }

    #[test]
    fn every_client_is_read_back(source: (u32, u16), destination: (u32, u16), v6: (u128, u16)) {
        use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4};
        let (from, to) = (Ipv4Addr::from(source.0), Ipv4Addr::from(destination.0));
        let line = format!("PROXY TCP4 {from} {to} {} {}\r\n", source.1, destination.1);
        let expected = SocketAddr::V4(SocketAddrV4::new(from, source.1));
        prop_assert_eq!(parse(line.as_bytes()), Ok(Parsed::Header { source: Some(expected), consumed: line.len() }));

        let from = Ipv6Addr::from(v6.0);
        let line = format!("PROXY TCP6 {from} ::1 {} 25565\r\n", v6.1);
        let expected = SocketAddr::new(from.to_canonical(), v6.1);
        prop_assert_eq!(parse(line.as_bytes()), Ok(Parsed::Header { source: Some(expected), consumed: line.len() }));
    }
}
