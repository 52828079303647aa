//! Packets of commands as clients and backends of each kind of version write them.

use super::*;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::RawPacket;
use drawbridge_protocol::wire::Encoder;

const ALL: &[&str] = &["server", "send", "glist"];

fn permitted(names: &[&'static str]) -> Commands {
    let mut commands = Commands::new(ALL);
    assert!(commands.permit(names));
    commands
}

/// A client's request to complete this.
fn request(version: ProtocolVersion, text: &str) -> Vec<u8> {
    let mut fields = Vec::new();
    let mut out = Encoder::new(&mut fields);
    if version >= ProtocolVersion::V1_13 {
        out.varint(7);
    }
    out.string(text);
    if version < ProtocolVersion::V1_13 && version >= ProtocolVersion::V1_9 {
        out.bool(false);
    }
    if version < ProtocolVersion::V1_13 && version >= ProtocolVersion::V1_8 {
        out.bool(false);
    }
    fields
}

/// The packets that a client was sent, each by its kind and its fields.
fn said(version: ProtocolVersion, mut client: FrameWriter) -> Vec<(Option<Kind>, Vec<u8>)> {
    let mut rest = client.unsent();
    let mut packets = Vec::new();
    while let [length, more @ ..] = rest {
        let (body, after) = more.split_at(usize::from(*length));
        let packet = RawPacket::parse(body).unwrap();
        let kind = packet.kind(version, State::Play, Direction::Clientbound);
        packets.push((kind, packet.fields.to_vec()));
        rest = after;
    }
    packets
}

#[test]
fn only_what_a_player_may_use_is_the_edges() {
    let commands = permitted(&["server", "glist"]);
    for (typed, own) in [
        ("server", Some(0)),
        ("server a", Some(0)),
        ("drawbridge:server a", Some(11)),
        // It is refused by the edge: whoever says whose it is doesn't mean the backend.
        ("drawbridge:send a b", Some(11)),
        ("drawbridge:other", None),
        ("send a b", None),
        ("serve", None),
        ("servers", None),
        ("", None),
    ] {
        assert_eq!(commands.own(typed, false), own, "{typed}");
        assert!(commands.own(typed, true).is_some(), "{typed}");
    }
}

#[test]
fn a_name_that_the_backend_has_too_is_the_backends() {
    let mut commands = permitted(&["server", "send"]);
    // A root with the two literals `server` and `glist`.
    let tree = b"\x03\x00\x02\x01\x02\x05\x00\x06server\x05\x00\x05glist\x00";
    let extended = commands.beside(ProtocolVersion::V1_20_5, tree).unwrap();
    let shown = String::from_utf8_lossy(&extended);
    assert!(shown.contains("drawbridge:server") && !shown.contains("drawbridge:send"), "{shown}");
    assert!(shown.contains("send") && !shown.contains("drawbridge:glist"), "{shown}");
    assert_eq!(commands.own("server a", false), None);
    assert_eq!(commands.own("drawbridge:server a", false), Some(11));
    assert_eq!(commands.own("send a", false), Some(0));
    // Who may come to use it later doesn't take it from the backend.
    commands.permit(ALL);
    assert_eq!(commands.own("glist", false), None);
    commands.leave_backend();
    assert_eq!(commands.own("glist", false), Some(0));
    commands.permit(&[]);
    assert_eq!(commands.beside(ProtocolVersion::V1_20_5, tree), None, "the backend's passes as it is");
}

#[test]
fn a_limbo_is_told_of_what_may_be_used_and_of_nothing_too() {
    let version = ProtocolVersion::V1_16_4;
    let mut commands = permitted(&["glist"]);
    let mut client = FrameWriter::new();
    commands.declare(version, &mut client);
    commands.permit(&[]);
    commands.declare(version, &mut client);
    let said = said(version, client);
    assert_eq!(said.len(), 2);
    assert!(said.iter().all(|(kind, _)| *kind == Some(Kind::DeclareCommands)));
    assert!(said[0].1.windows(5).any(|part| part == b"glist"), "{:?}", said[0].1);
    assert_eq!(said[1].1, play::NO_COMMANDS);
    let mut client = FrameWriter::new();
    commands.declare(ProtocolVersion::V1_12_2, &mut client);
    assert!(client.is_empty(), "there are no trees before 1.13");
}

#[test]
fn what_stands_behind_the_edges_commands_is_asked_of_nobody_else() {
    for version in [ProtocolVersion::V1_7_2, ProtocolVersion::V1_12_2, ProtocolVersion::V1_20_5] {
        let mut commands = permitted(&["server"]);
        let mut client = FrameWriter::new();
        for (text, command) in [("/server is", "server is"), ("/drawbridge:server ", "server ")] {
            let asked = commands.asked(version, &request(version, text), false, &mut client);
            let Fate::Own(own) = asked else { panic!("{text}: {asked:?}") };
            assert_eq!(own.command(), command);
        }
        for text in ["/send a", "server a", "/server", "/serv", "hello ", "", "/", "/ "] {
            let asked = commands.asked(version, &request(version, text), false, &mut client);
            assert_eq!(asked, Fate::Passes, "{text}");
        }
        // What can't be read is the backend's business.
        assert_eq!(commands.asked(version, &[0xff], false, &mut client), Fate::Passes);
        assert!(client.is_empty());
    }
}

#[test]
fn names_stand_beside_the_backends_answer_before_1_13() {
    let version = ProtocolVersion::V1_8;
    let mut commands = permitted(&["server", "send"]);
    let mut client = FrameWriter::new();
    let answer = b"\x02\x05/seed\x07/server";
    assert_eq!(commands.asked(version, &request(version, "/se"), false, &mut client), Fate::Passes);
    assert!(commands.awaits_answer());
    let extended = commands.answered(version, answer).unwrap();
    let packet = RawPacket::parse(&extended).unwrap();
    assert_eq!(packet.kind(version, State::Play, Direction::Clientbound), Some(Kind::TabComplete));
    assert_eq!(packet.fields, b"\x03\x05/seed\x07/server\x05/send", "each once");
    assert!(!commands.awaits_answer(), "the next answer is the backend's alone");
    // The request that is open is the last.
    commands.asked(version, &request(version, "/se"), false, &mut client);
    commands.asked(version, &request(version, "/x"), false, &mut client);
    assert!(!commands.awaits_answer());
    commands.asked(version, &request(version, "/drawbridge:s"), false, &mut client);
    let extended = commands.answered(version, b"\x00").unwrap();
    let id = ids::id(version, State::Play, Direction::Clientbound, Kind::TabComplete).unwrap();
    let expected = [&[id as u8, 2][..], b"\x12/drawbridge:server\x10/drawbridge:send"].concat();
    assert_eq!(extended, expected);
    commands.asked(version, &request(version, "/se"), false, &mut client);
    assert_eq!(commands.answered(version, b"\x02\x05/seed"), None, "what can't be read passes");
    assert!(client.is_empty());
}

#[test]
fn command_blocks_are_the_backends() {
    let version = ProtocolVersion::V1_12_2;
    let mut commands = permitted(&["server"]);
    let asked = commands.asked(version, b"\x0a/server is\x01\x00", false, &mut FrameWriter::new());
    assert_eq!(asked, Fate::Passes);
}

#[test]
fn in_limbo_the_edge_answers_all() {
    let version = ProtocolVersion::V1_8;
    let mut commands = permitted(&["server", "send"]);
    let mut client = FrameWriter::new();
    for text in ["/se", "/x", "hello"] {
        let asked = commands.asked(version, &request(version, text), true, &mut client);
        assert_eq!(asked, Fate::Answered, "{text}");
    }
    let matches = [&b"\x02\x07/server\x05/send"[..], b"\x00", b"\x00"];
    let said = said(version, client);
    assert!(said.iter().map(|(_, fields)| &**fields).eq(matches), "{said:?}");
}

#[test]
fn what_is_offered_takes_the_place_of_the_word_that_was_begun() {
    let version = ProtocolVersion::V1_13;
    let mut commands = permitted(&["server"]);
    // The crab takes two units of UTF-16, and four bytes.
    let fields = request(version, "/server 🦀 is");
    let Fate::Own(own) = commands.asked(version, &fields, false, &mut FrameWriter::new()) else {
        panic!("it is the edge's")
    };
    let mut client = FrameWriter::new();
    complete(version, &own, &["island".to_owned()], &mut client);
    let said = said(version, client);
    assert_eq!(said, [(Some(Kind::TabComplete), b"\x07\x0b\x02\x01\x06island\x00".to_vec())]);
}
