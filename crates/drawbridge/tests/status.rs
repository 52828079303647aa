//! The server list: what is shown, to whom, and what a client may ask.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::packet::handshake::Intent;
use drawbridge_protocol::packet::status::{PingRequest, PongResponse, StatusRequest, StatusResponse};
use drawbridge_testkit::{Connection, Edge, NodeClient, Player, Trouble, ping, sees};
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use support::raw::legacy_answer;
use support::{description, edge, open_lobby, turned_away};

const VERSION: ProtocolVersion = ProtocolVersion::V1_21_4;

/// Two routes that are told apart by their status, and none for other hosts.
const TWO: &str = r#"
[[routes]]
name = "play"
hosts = ["play.example.com", "*.play.example.com", "mc-*.example.net", "~^lobby-\\d+\\.example\\.com$"]
mode = "transfer"
[routes.status]
description = "play"

[[routes]]
name = "eu"
hosts = ["*.eu.play.example.com", "[::1]"]
mode = "transfer"
[routes.status]
description = "eu"
"#;

fn shown(edge: &Edge, host: &str) -> String {
    description(&ping(edge.address(), VERSION, host).unwrap().0)
}

#[test]
fn a_route_shows_what_it_is_told() {
    sees!(
        "routes[].status(fixed).name",
        "routes[].status(fixed).description",
        "routes[].status(fixed).players.online",
        "routes[].status(fixed).players.max",
        "routes[].status(fixed).players.sample",
        "routes[].status(fixed).enforces_secure_chat",
    );
    let route = r#"
[[routes]]
name = "lobby"
hosts = ["*"]
mode = "transfer"
[routes.status]
type = "fixed"
name = "Harbour"
description = "<red>Hello</red> there"
players = { online = 3, max = 20, sample = ["a line", { name = "Notch", id = "b50ad385-829d-3141-a216-7e7d7539ba7f" }] }
enforces_secure_chat = true
"#;
    let edge = edge().config(route).start();
    let (document, _) = ping(edge.address(), VERSION, "localhost").unwrap();
    assert_eq!(document["version"], json!({ "name": "Harbour", "protocol": 769 }));
    assert_eq!(description(&document), "Hello there");
    assert!(document["description"].to_string().contains("\"color\":\"red\""), "{document}");
    assert_eq!(document["players"]["online"], 3);
    assert_eq!(document["players"]["max"], 20);
    assert_eq!(document["players"]["sample"][0]["name"], "a line");
    assert_eq!(document["players"]["sample"][1]["id"], "b50ad385-829d-3141-a216-7e7d7539ba7f");
    assert_eq!(document["enforcesSecureChat"], true);
    assert_eq!(NodeClient::start().ping("26.1", edge.address())["version"]["protocol"], 775);
}

#[test]
fn a_client_is_shown_its_own_number_inside_the_range() {
    sees!(
        "routes[].status(fixed).protocol.min",
        "routes[].status(fixed).protocol.max",
        "routes[].status(fixed).protocol.preferred",
    );
    let number = |edge: &Edge, version| {
        ping(edge.address(), ProtocolVersion(version), "localhost").unwrap().0["version"]["protocol"].clone()
    };
    let any = edge().config(open_lobby()).start();
    for version in [4, 47, 765, 769, 777, 0x4000_0000 | 9] {
        assert_eq!(number(&any, version), version);
    }
    assert_eq!(number(&any, -1), 777);
    let protocol = "[routes.status]\nprotocol = { min = 766, max = 770, preferred = 767 }\n";
    let range = edge().config(support::route("lobby", protocol)).start();
    for (version, shown) in [(765, 767), (766, 766), (770, 770), (771, 767)] {
        assert_eq!(number(&range, version), shown);
    }
}

#[test]
fn hosts_find_their_routes_however_they_are_written() {
    sees!("routes[].hosts", "unknown_host.action");
    let edge = edge().config(TWO).start();
    for host in [
        "play.example.com",
        "PLAY.Example.COM",
        "play.example.com.",
        "play.example.com\0FML\0",
        "Play.example.com.\0FML2\0",
        "play.example.com\0FML3\0",
        "play.example.com\0FORGE",
        "play.example.com///203.0.113.7:4711///1700000000",
        "a.play.example.com",
        "a.b.play.example.com",
        "mc-7.example.net",
        "lobby-12.example.com",
        "LOBBY-12.example.com",
    ] {
        assert_eq!(shown(&edge, host), "play", "{host:?}");
    }
    for host in ["x.eu.play.example.com", "x.y.eu.play.example.com", "::1", "0:0::1"] {
        assert_eq!(shown(&edge, host), "eu", "{host:?}: the longest suffix wins");
    }
    assert_eq!(shown(&edge, "eu.play.example.com"), "play", "a wildcard stands for at least one label");
    for host in
        ["", "example.com", "lobby-x.example.com", "playXexample.com", "ü.example.com", &"a".repeat(255)]
    {
        let text = shown(&edge, host);
        assert!(text != "play" && text != "eu", "{host:?}");
        let visit = Player::new("Alice", 767).host(host).join(edge.address());
        assert!(visit.kicked().starts_with("There is no server at"), "{host:?}: {}", visit.kicked());
    }
}

#[test]
fn unknown_hosts_can_be_dropped() {
    sees!("unknown_host.action");
    let edge = edge().config(format!("[unknown_host]\naction = \"drop\"\n{TWO}")).start();
    assert!(matches!(ping(edge.address(), VERSION, "example.org"), Err(Trouble::Closed | Trouble::Reset)));
    assert_eq!(shown(&edge, "play.example.com"), "play");
    let visit = Player::new("Alice", 767).host("example.org").join(edge.address());
    assert_eq!(visit.kicked(), "There is no server at example.org. Please check the address for typos.");
}

#[test]
fn a_ping_needs_no_status_request() {
    let edge = edge().config(open_lobby()).start();
    let mut connection = Connection::open(edge.address(), VERSION).unwrap();
    connection.greet("localhost", 25565, Intent::Status).unwrap();
    connection.send(&PingRequest { payload: i64::MIN }).unwrap();
    let pong: PongResponse = connection.receive().unwrap().read().unwrap();
    assert_eq!(pong.payload, i64::MIN);
    connection.finish().unwrap();
    connection.closed().unwrap();
}

#[test]
fn a_second_request_is_refused() {
    let edge = edge().config(open_lobby()).start();
    let mut connection = Connection::open(edge.address(), VERSION).unwrap();
    connection.status("localhost").unwrap();
    connection.send(&StatusRequest {}).unwrap();
    connection.closed().unwrap();
    edge.wait_for_refusal("malformed");

    let mut connection = Connection::open(edge.address(), VERSION).unwrap();
    connection.greet("localhost", 25565, Intent::Status).unwrap();
    connection.send(&PingRequest { payload: 1 }).unwrap();
    connection.receive().unwrap();
    // The edge may have closed already.
    let _ = connection.send(&StatusRequest {});
    assert!(turned_away(connection.receive()), "nothing comes after a ping");
}

#[test]
fn requests_may_come_in_any_pieces() {
    let edge = edge().config(format!("threads = 1\n{}", open_lobby())).start();
    // Handshake (769, "localhost", 25565, status), Status Request, Ping Request.
    let mut bytes = vec![16, 0, 0x81, 6, 9];
    bytes.extend_from_slice(b"localhost\x63\xdd\x01\x01\x00\x09\x01\0\0\0\0\0\0\0\x07");
    for cut in 1..bytes.len() {
        let mut connection = Connection::open(edge.address(), VERSION).unwrap();
        connection.enter(drawbridge_protocol::ids::State::Status);
        let (first, second) = bytes.split_at(cut);
        connection.raw(first).unwrap();
        // Answered by the same thread, it knows that the first piece has been read.
        ping(edge.address(), VERSION, "localhost").unwrap();
        connection.raw(second).unwrap();
        connection.receive().unwrap().read::<StatusResponse>().unwrap();
        let pong: PongResponse = connection.receive().unwrap().read().unwrap();
        assert_eq!(pong.payload, 7, "cut at {cut}");
        connection.finish().unwrap();
        connection.closed().unwrap();
    }
}

fn utf16(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let length = u16::try_from(units.len()).unwrap();
    std::iter::once(length).chain(units).flat_map(u16::to_be_bytes).collect()
}

fn ping_of_1_6(host: &str) -> Vec<u8> {
    let mut data = vec![74];
    data.extend(utf16(host));
    data.extend(25565u32.to_be_bytes());
    let mut request = vec![0xfe, 0x01, 0xfa];
    request.extend(utf16("MC|PingHost"));
    request.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    request.extend(data);
    request
}

#[test]
fn legacy_pings_are_answered() {
    let status = r#"
[[routes]]
name = "lobby"
hosts = ["*"]
mode = "transfer"
[routes.status]
name = "Harbour"
description = "§cOld§r friends"
players = { online = 3, max = 20 }

[[routes]]
name = "other"
hosts = ["other.example.com"]
mode = "transfer"
[routes.status]
description = "other"
"#;
    let edge = edge().config(status).start();
    assert_eq!(legacy_answer(&edge, &[0xfe]), "Old friends§3§20", "beta to 1.3");
    let modern = legacy_answer(&edge, &[0xfe, 0x01]);
    let fields: Vec<&str> = modern.split('\0').collect();
    assert_eq!((fields[0], fields[2], fields[4], fields[5]), ("§1", "Harbour", "3", "20"), "1.4 and 1.5");
    assert!(fields[3].contains("Old") && fields[3].contains("friends"), "{modern:?}");
    let fields = legacy_answer(&edge, &ping_of_1_6("OTHER.example.com"));
    assert_eq!(fields.split('\0').nth(3), Some("other"), "1.6 says its host");
    let fields = legacy_answer(&edge, &ping_of_1_6("localhost"));
    assert!(fields.split('\0').nth(3).unwrap().contains("friends"));
    for request in [&[0xfe][..], &[0xfe, 0x01]] {
        let mut connection = TcpStream::connect(edge.address()).unwrap();
        connection.write_all(request).unwrap();
        connection.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap();
        assert_eq!(answer.first(), Some(&0xff), "{request:x?} by one that closes its side at once");
    }
}

#[test]
fn a_legacy_login_is_kicked_in_words() {
    let edge = edge().config(open_lobby()).start();
    let mut login = vec![2, 74];
    login.extend(utf16("Alice"));
    login.extend(utf16("localhost"));
    login.extend(25565u32.to_be_bytes());
    let text = legacy_answer(&edge, &login);
    assert!(text.starts_with("This server can't be joined with Minecraft"), "{text}");
}

#[test]
fn a_modern_handshake_that_begins_like_a_legacy_ping_is_modern() {
    let edge = edge().config(open_lobby()).start();
    // 254 bytes of frame: the length is FE 01, the packet id 00.
    let host = "h".repeat(254 - 8);
    let (document, _) = ping(edge.address(), ProtocolVersion(769), &host).unwrap();
    assert_eq!(document["version"]["protocol"], 769);
}

/// A 64×64 PNG, grey.
fn png() -> Vec<u8> {
    include_bytes!("support/icon.png").to_vec()
}

#[test]
fn the_favicon_comes_from_a_file_or_a_data_uri() {
    sees!("routes[].status(fixed).favicon");
    use base64::Engine as _;
    let uri = format!("data:image/png;base64,{}", base64::prelude::BASE64_STANDARD.encode(png()));
    for favicon in ["icons/icon.png", uri.as_str()] {
        let route = support::route("lobby", &format!("[routes.status]\nfavicon = \"{favicon}\"\n"));
        let edge = edge().file("icons/icon.png", png()).config(route).start();
        let (document, _) = ping(edge.address(), VERSION, "localhost").unwrap();
        assert_eq!(document["favicon"], uri.as_str());
    }
}
