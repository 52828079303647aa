use proptest::prelude::*;

use super::*;
use crate::text::{Component, NamedColor};

/// The dump of a 1.6 ping on the wiki: protocol 73 (1.6.1), `localhost`, 25565.
const WIKI_PING: &[u8] = b"\xfe\x01\xfa\x00\x0b\
    \x00M\x00C\x00|\x00P\x00i\x00n\x00g\x00H\x00o\x00s\x00t\
    \x00\x19\x49\x00\x09\x00l\x00o\x00c\x00a\x00l\x00h\x00o\x00s\x00t\x00\x00\x63\xdd";

fn string16(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut out = u16::try_from(units.len()).unwrap().to_be_bytes().to_vec();
    out.extend(units.into_iter().flat_map(u16::to_be_bytes));
    out
}

fn login_of_1_6(name: &str, host: &str, port: i32) -> Vec<u8> {
    [&[2, 78][..], &string16(name), &string16(host), &port.to_be_bytes()].concat()
}

fn need(complete_as: Option<LegacyPing>) -> Recognised {
    Recognised::NeedMore { complete_as }
}

#[test]
fn each_ping_is_told_by_its_length() {
    assert_eq!(recognise(&[]), need(None));
    assert_eq!(recognise(&[0xfe]), need(Some(LegacyPing::Beta)));
    assert_eq!(recognise(&[0xfe, 0x01]), need(Some(LegacyPing::V1_4)));
    for end in 3..WIKI_PING.len() {
        assert_eq!(recognise(&WIKI_PING[..end]), need(Some(LegacyPing::V1_4)));
    }
    let ping = LegacyPing::V1_6 { protocol: 73, host: "localhost".to_owned(), port: 25565 };
    assert_eq!(recognise(WIKI_PING), Recognised::Ping(ping));
}

#[test]
fn modern_frames_stay_modern() {
    assert_eq!(recognise(&[0xfe, 0x01, 0x00]), Recognised::Modern, "a handshake of 254 bytes");
    assert_eq!(recognise(&[0xfe, 0x02]), Recognised::Modern, "one of 382 bytes");
    assert_eq!(recognise(&[0x10, 0x00, 0x05]), Recognised::Modern);
    assert_eq!(recognise(&[0x02, 0x80]), Recognised::Modern);
    assert_eq!(recognise(b"GET / HTTP/1.1\r\n"), Recognised::Modern);
    assert_eq!(recognise(&[0x16, 0x03, 0x01]), Recognised::Modern, "TLS");
    assert_eq!(recognise(&[0]), Recognised::Modern, "an empty frame");
}

#[test]
fn pings_that_go_wrong_are_malformed() {
    let with = |at: usize, byte: u8| {
        let mut bytes = WIKI_PING.to_vec();
        bytes[at] = byte;
        recognise(&bytes)
    };
    assert_eq!(with(4, 0x0c), Recognised::Malformed, "the channel's length");
    assert_eq!(with(6, b'X'), Recognised::Malformed, "the channel");
    assert_eq!(with(28, 0x18), Recognised::Malformed, "the length of the rest");
    assert_eq!(with(30, 0x10), Recognised::Malformed, "the host's length");
    assert_eq!(with(32, 0xd8), Recognised::Malformed, "half a surrogate pair in the host");
    assert_eq!(with(50, 0xff), Recognised::Malformed, "the port");
}

#[test]
fn logins_of_1_3_to_1_6_say_their_host() {
    let bytes = login_of_1_6("Notch", "play.example.com", 25565);
    let host = Some("play.example.com".to_owned());
    let login = LegacyLogin { protocol: Some(78), name: "Notch".to_owned(), host };
    assert_eq!(recognise(&bytes), Recognised::Login(login));
    for end in 1..bytes.len() {
        assert_eq!(recognise(&bytes[..end]), need(None));
    }
    assert_eq!(recognise(&login_of_1_6("A_name_of_17_char", "", 1)), Recognised::Malformed);
    assert_eq!(recognise(&login_of_1_6("Notch", "a", -1)), Recognised::Malformed);
}

#[test]
fn older_logins_say_it_in_one_text_or_not_at_all() {
    let host = |text: &str| match recognise(&[&[2][..], &string16(text)].concat()) {
        Recognised::Login(LegacyLogin { protocol: None, name, host }) => {
            assert_eq!(name, "Notch");
            host
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(host("Notch;play.example.com:25565").as_deref(), Some("play.example.com"));
    assert_eq!(host("Notch;::1:25565").as_deref(), Some("::1"));
    assert_eq!(host("Notch;play").as_deref(), Some("play"));
    assert_eq!(host("Notch"), None);
    assert_eq!(recognise(&[2, 0, 0]), Recognised::Malformed);
    assert_eq!(recognise(&[2, 1, 0xff]), Recognised::Malformed);
}

/// The dump of an answer to a 1.4 ping on the wiki.
const WIKI_ANSWER: &[u8] = b"\xff\x00\x23\x00\xa7\x001\x00\x00\x004\x007\x00\x00\
    \x001\x00.\x004\x00.\x002\x00\x00\
    \x00A\x00 \x00M\x00i\x00n\x00e\x00c\x00r\x00a\x00f\x00t\x00 \x00S\x00e\x00r\x00v\x00e\x00r\x00\x00\
    \x000\x00\x00\x002\x000";

/// The dump of an answer to an older ping on the wiki.
const WIKI_BETA_ANSWER: &[u8] = b"\xff\x00\x17\
    \x00A\x00 \x00M\x00i\x00n\x00e\x00c\x00r\x00a\x00f\x00t\x00 \x00S\x00e\x00r\x00v\x00e\x00r\
    \x00\xa7\x000\x00\xa7\x001\x000";

#[test]
fn answers_are_as_on_the_wiki() {
    let description = Component::text("A Minecraft Server");
    let status =
        LegacyStatus { protocol: 47, version: "1.4.2", description: &description, online: 0, max: 20 };
    assert_eq!(ping_answer(&LegacyPing::V1_4, &status), WIKI_ANSWER);
    let status = LegacyStatus { max: 10, ..status };
    assert_eq!(ping_answer(&LegacyPing::Beta, &status), WIKI_BETA_ANSWER);
    assert_eq!(kick("Hi 😀")[..3], [0xff, 0x00, 0x05], "a length in UTF-16 units");
}

#[test]
fn a_description_can_not_break_the_fields() {
    let description = Component::text("a\0b\nc").with(Component::text("d").colored(NamedColor::Red));
    let status = LegacyStatus { protocol: 127, version: "v\0", description: &description, online: 1, max: 2 };
    let answer = ping_answer(&LegacyPing::V1_4, &status);
    assert_eq!(
        answer,
        [&[0xff][..], &string16(&["§1", "127", "v", "ab c§cd", "1", "2"].join("\0"))].concat()
    );
    let answer = ping_answer(&LegacyPing::Beta, &status);
    assert_eq!(answer, [&[0xff][..], &string16("ab cd§1§2")].concat());
}

#[test]
fn a_long_description_is_cut_and_the_players_stay() {
    let description = Component::text("😀".repeat(500));
    let status = LegacyStatus { protocol: 127, version: "v", description: &description, online: 1, max: 2 };
    for ping in [LegacyPing::Beta, LegacyPing::V1_4] {
        let answer = ping_answer(&ping, &status);
        assert!(answer.len() <= 3 + 2 * 256 && answer.len() >= 3 + 2 * 254);
        assert_eq!(answer[answer.len() - 2..], [0, b'2']);
    }
    assert_eq!(kick(&"x".repeat(1000)).len(), 3 + 2 * 256);
}

proptest! {
    #[test]
    fn no_bytes_panic_and_asking_for_more_ends(head in prop::sample::select(vec![&b""[..], b"\xfe\x01\xfa", b"\x02\x4e", b"\x02\x00"]), tail in prop::collection::vec(any::<u8>(), 0..MAX_BYTES)) {
        let bytes = [head, &tail].concat();
        let _ = recognise(&bytes);
        let mut long = bytes;
        long.resize(MAX_BYTES, 0);
        let more = matches!(recognise(&long), Recognised::NeedMore { .. });
        prop_assert!(!more);
    }

    #[test]
    fn a_modern_handshake_is_never_legacy(length in 6u32..2_000, rest in prop::collection::vec(any::<u8>(), 0..8)) {
        let mut bytes = if length < 128 {
            vec![length as u8]
        } else {
            vec![length as u8 | 0x80, (length >> 7) as u8]
        };
        // The packet id.
        bytes.push(0);
        bytes.extend(rest);
        prop_assert_eq!(recognise(&bytes), Recognised::Modern);
    }

    #[test]
    fn what_was_written_is_read(name in "[a-zA-Z0-9_]{1,16}", host in "\\PC{0,100}", port: u16) {
        let login = LegacyLogin { protocol: Some(78), name: name.clone(), host: Some(host.clone()) };
        prop_assert_eq!(recognise(&login_of_1_6(&name, &host, port.into())), Recognised::Login(login));
    }
}
