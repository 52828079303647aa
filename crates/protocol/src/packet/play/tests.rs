//! Every packet against what another implementation writes, and against bytes that nobody would.

mod joining;
mod trees;
mod typing;

use super::super::configuration::{PackResult, StoreCookie, Transfer};
use super::super::login::{CookieRequest, CookieResponse};
use super::vectors::{self, Vector, bytes};
use super::*;
use crate::text::NamedColor;
use proptest::prelude::*;
use serde_json::Value;
use std::sync::LazyLock;
use uuid::Uuid;

type Check = (&'static str, fn(&Vector));

/// What each case of the vectors is compared with.
const CHECKS: &[Check] = &[
    ("keep alive", keep_alive),
    ("custom payload", custom_payload),
    ("cookie request", cookie_request),
    ("store cookie", store_cookie),
    ("cookie response", cookie_response),
    ("transfer", transfer),
    ("ping", ping),
    ("pong", pong),
    ("resource pack", resource_pack),
    ("resource pack answer", resource_pack_answer),
    ("remove resource pack", pack_removal),
    ("no server links", |vector| {
        vector.is_said(|version, out| clear_server_links(version, vector.state, out));
    }),
    ("no report details", |vector| {
        vector.is_said(|version, out| clear_report_details(version, vector.state, out));
    }),
    ("kick", |vector| vector.is(&KickDisconnect { reason: component(&vector.values["text"]) })),
    ("message", messages),
    ("title", titles),
    ("list header", list_headers),
    ("boss bar", boss_bar),
    ("objective", objective),
    ("team", team),
    ("effect", effect),
    ("start configuration", |vector| vector.is(&StartConfiguration {})),
    ("bundle delimiter", |vector| vector.is(&BundleDelimiter {})),
    ("configuration acknowledged", |vector| vector.is(&ConfigurationAcknowledged {})),
    ("players", players),
    ("named player", named_player),
    ("join", joining::join),
    ("join elsewhere", joining::join_elsewhere),
    ("respawn", joining::respawn),
    ("respawn elsewhere", joining::respawn_elsewhere),
    ("command", typing::command),
    ("chat", typing::chat),
    ("chat message", typing::chat_message),
    ("acknowledgement", |vector| {
        vector.is_said(|version, out| acknowledge(version, vector.number("offset"), out));
    }),
    ("chat session", typing::chat_session),
    ("client information", typing::client_information),
    ("completion request", typing::completion_request),
    ("completion", typing::completion),
    ("commands", trees::commands),
    ("commands extended", trees::commands_extended),
];

#[test]
fn packets_are_as_another_implementation_writes_them() {
    let vectors = vectors::all();
    for (case, check) in CHECKS {
        let cases: Vec<_> = vectors.iter().filter(|vector| vector.case == *case).collect();
        assert!(!cases.is_empty(), "there is no case {case}");
        cases.into_iter().for_each(check);
    }
    for vector in vectors {
        assert!(
            CHECKS.iter().any(|(case, _)| vector.case == *case),
            "{} is compared with nothing",
            vector.case
        );
    }
}

fn component(value: &Value) -> Component {
    let text = Component::text(value["text"].as_str().unwrap());
    match value.get("color") {
        Some(color) => {
            assert_eq!(color, "red");
            text.colored(NamedColor::Red)
        }
        None => text,
    }
}

fn keep_alive(vector: &Vector) {
    let id = vector.text("id").parse().unwrap();
    if i32::try_from(id).is_err() {
        // Versions before 340 have no place for it, and there is nothing to compare.
        return vector.is_read(
            |_| KeepAlive { id },
            |version, fields| KeepAlive::decode(version, &mut Decoder::new(fields)),
        );
    }
    match vector.direction {
        Direction::Clientbound => vector.is(&KeepAlive { id }),
        Direction::Serverbound => vector.is(&KeepAliveResponse { id }),
    }
}

fn custom_payload(vector: &Vector) {
    let data = bytes(vector.text("data"));
    let payload = CustomPayload { channel: vector.text("channel"), data: &data };
    vector.is_said(|version, out| payload.write(version, vector.state, vector.direction, out));
    vector.is_read(
        |_| true,
        |version, fields| CustomPayload::read(version, fields).map(|read| read == payload),
    );
}

fn cookie_request(vector: &Vector) {
    let request = CookieRequest { key: vector.text("key").to_owned() };
    match vector.state {
        State::Play => vector.is(&InPlay(request)),
        _ => vector.is(&InConfiguration(request)),
    }
}

fn store_cookie(vector: &Vector) {
    let store = StoreCookie { key: vector.text("key").to_owned(), payload: bytes(vector.text("payload")) };
    match vector.state {
        State::Play => vector.is(&InPlay(store)),
        _ => vector.is(&store),
    }
}

fn cookie_response(vector: &Vector) {
    let payload = vector.values["payload"].as_str().map(bytes);
    let response = CookieResponse { key: vector.text("key").to_owned(), payload };
    match vector.state {
        State::Play => vector.is(&InPlay(response)),
        _ => vector.is(&InConfiguration(response)),
    }
}

fn transfer(vector: &Vector) {
    let transfer = Transfer { host: vector.text("host").to_owned(), port: vector.number("port") as u16 };
    match vector.state {
        State::Play => vector.is(&InPlay(transfer)),
        _ => vector.is(&transfer),
    }
}

fn ping(vector: &Vector) {
    let ping = Ping { id: vector.number("id") };
    match vector.state {
        State::Play => vector.is(&ping),
        _ => vector.is(&InConfiguration(ping)),
    }
}

fn pong(vector: &Vector) {
    let pong = Pong { id: vector.number("id") };
    match vector.state {
        State::Play => vector.is(&pong),
        _ => vector.is(&InConfiguration(pong)),
    }
}

fn resource_pack(vector: &Vector) {
    let prompt = Some(&vector.values["prompt"]).filter(|prompt| !prompt.is_null()).map(component);
    let pack = |version| ResourcePack {
        id: (version >= ProtocolVersion::V1_20_3).then(|| vector.uuid("id")),
        url: vector.text("url"),
        hash: vector.text("hash"),
        forced: version >= ProtocolVersion::V1_17,
    };
    vector.is_said(|version, out| pack(version).write(version, vector.state, prompt.as_ref(), out));
    vector.is_read(
        |_| true,
        |version, fields| ResourcePack::read(version, fields).map(|read| read == pack(version)),
    );
}

fn resource_pack_answer(vector: &Vector) {
    let result = if vector.number("result") == 0 { PackResult::Loaded } else { PackResult::Accepted };
    let answer = |version| ResourcePackAnswer {
        id: (version >= ProtocolVersion::V1_20_3).then(|| vector.uuid("id")),
        hash: (version < ProtocolVersion::V1_10).then(|| vector.text("hash")),
        result,
    };
    vector.is_said(|version, out| answer(version).write(version, vector.state, out));
    vector.is_read(
        |_| true,
        |version, fields| ResourcePackAnswer::read(version, fields).map(|read| read == answer(version)),
    );
}

fn pack_removal(vector: &Vector) {
    let removal =
        RemoveResourcePack { id: vector.values["id"].as_str().map(|id| Uuid::parse_str(id).unwrap()) };
    match vector.state {
        State::Play => vector.is(&removal),
        _ => vector.is(&InConfiguration(removal)),
    }
}

fn messages(vector: &Vector) {
    let surface = if vector.text("place") == "chat" { Surface::Chat } else { Surface::ActionBar };
    let text = component(&vector.values["text"]);
    vector.is_said(|version, out| message(version, &text, surface, out));
}

fn titles(vector: &Vector) {
    let text = vector.values.get("text").map(component).unwrap_or_default();
    let part = match vector.text("part") {
        "text" => TitlePart::Text(&text),
        "subtitle" => TitlePart::Subtitle(&text),
        "times" => TitlePart::Times {
            fade_in: vector.number("fadeIn"),
            stay: vector.number("stay"),
            fade_out: vector.number("fadeOut"),
        },
        "hide" => TitlePart::Hide,
        _ => TitlePart::Reset,
    };
    vector.is_said(|version, out| title(version, part, out));
}

fn list_headers(vector: &Vector) {
    let (header, footer) = (component(&vector.values["header"]), component(&vector.values["footer"]));
    vector.is_said(|version, out| list_header(version, &header, &footer, out));
}

fn presence(vector: &Vector) -> Presence {
    match vector.text("presence") {
        "added" => Presence::Added,
        "removed" => Presence::Removed,
        _ => Presence::Changed,
    }
}

fn boss_bar(vector: &Vector) {
    let (id, presence) = (vector.uuid("id"), presence(vector));
    vector.is_read(|_| BossBarSeen { id, presence }, |_, fields| BossBarSeen::read(fields));
    match presence {
        Presence::Added => {
            let title = component(&vector.values["title"]);
            let (color, division) = (BarColor::White, BarDivision::Ten);
            let bar = BossBar { id, title: &title, health: 0.5, color, division };
            vector.is_said(|version, out| bar.add(version, out));
        }
        Presence::Removed => vector.is_said(|version, out| remove_boss_bar(version, id, out)),
        Presence::Changed => {}
    }
}

fn objective(vector: &Vector) {
    let expected = Scoreboard { name: vector.text("name"), presence: presence(vector) };
    vector.is_read(
        |_| true,
        |version, fields| Scoreboard::read_objective(version, fields).map(|read| read == expected),
    );
    if expected.presence == Presence::Removed {
        vector.is_said(|version, out| remove_objective(version, expected.name, out));
    }
}

fn team(vector: &Vector) {
    let expected = Scoreboard { name: vector.text("name"), presence: presence(vector) };
    vector.is_read(|_| true, |_, fields| Scoreboard::read_team(fields).map(|read| read == expected));
    if expected.presence == Presence::Removed {
        vector.is_said(|version, out| remove_team(version, expected.name, out));
    }
}

fn effect(vector: &Vector) {
    let expected = EffectSeen { entity: vector.number("entity"), effect: vector.number("effect") };
    vector.is_read(|_| expected, EffectSeen::read);
    if presence(vector) == Presence::Removed {
        vector.is_said(|version, out| remove_effect(version, expected.entity, expected.effect, out));
    }
}

fn players(vector: &Vector) {
    let uuids: Vec<Uuid> = vector.values["players"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| Uuid::parse_str(id.as_str().unwrap()).unwrap())
        .collect();
    let removed = vector.text("change") == "removed";
    let expected: Vec<_> =
        uuids.iter().map(|&id| if removed { Change::Removed(id) } else { Change::Added(id) }).collect();
    vector.is_read(
        |_| true,
        |version, fields| {
            let mut found = Vec::new();
            if removed && version >= ProtocolVersion::V1_19_3 {
                players_removed(fields, |player| found.push(Change::Removed(player)))?;
            } else {
                players_changed(version, fields, |change| found.push(change))?;
            }
            Ok::<_, DecodeError>(found == expected)
        },
    );
    if removed {
        vector.is_said(|version, out| remove_players(version, &uuids, out));
    }
}

fn named_player(vector: &Vector) {
    let (name, online) = (vector.text("name"), vector.flag("online"));
    let expected = if online { Change::AddedName(name) } else { Change::RemovedName(name) };
    vector.is_read(
        |_| true,
        |version, fields| {
            let mut found = Vec::new();
            players_changed(version, fields, |change| found.push(change))?;
            Ok::<_, DecodeError>(found == [expected])
        },
    );
    if !online {
        vector.is_said(|version, out| remove_named_player(version, name, out));
    }
}

#[test]
fn forge_says_longer_payloads_to_clients_of_1_7() {
    let data = vec![7; 70_000];
    let payload = CustomPayload { channel: "a", data: &data };
    let mut out = Vec::new();
    assert!(payload.write(ProtocolVersion::V1_7_6, State::Play, Direction::Clientbound, &mut out));
    // 70,000 is 2 × 32,768 and 4,464 (0x1170); the upper bit says that a third byte follows.
    assert_eq!(out[..6], [0x3f, 1, b'a', 0x91, 0x70, 2]);
    assert_eq!(CustomPayload::read(ProtocolVersion::V1_7_6, &out[1..]), Ok(payload));
    let data = vec![7; 1 << 23];
    let payload = CustomPayload { channel: "a", data: &data };
    assert!(!payload.write(ProtocolVersion::V1_7_6, State::Play, Direction::Clientbound, &mut out));
    assert_eq!(out.len(), 70_006);
}

#[test]
fn a_kick_of_another_servers_is_read_whatever_its_form() {
    let read =
        |version, fields: &[u8]| KickDisconnect::decode(ProtocolVersion(version), &mut Decoder::new(fields));
    assert_eq!(read(47, b"\x06\"Full\"").unwrap().reason, Component::text("Full"));
    assert_eq!(read(765, b"\x08\0\x04Full").unwrap().reason, Component::text("Full"));
    assert_eq!(read(47, b"\x04Full"), Err(DecodeError::Value { field: "reason", value: 0 }));
}

/// No vectors are there of them: that what is known of their ids is used, and nothing else said.
#[test]
fn releases_without_vectors_are_said_what_has_an_id() {
    let text = Component::text("a");
    for (number, id) in [(776, 0x79), (777, 0x7c)] {
        let mut out = Vec::new();
        assert!(message(ProtocolVersion(number), &text, Surface::ActionBar, &mut out));
        assert_eq!(out, [&[id][..], b"\x0a\x08\0\x04text\0\x01a\0\x01"].concat());
        assert!(!title(ProtocolVersion(number), TitlePart::Text(&text), &mut out));
        assert!(!remove_players(ProtocolVersion(number), &[Uuid::nil()], &mut out));
        assert_eq!(out.len(), 14);
    }
}

/// An entry that claims more than there is must not cost more than there is.
#[test]
fn claims_of_many_players_are_refused_at_once() {
    let claim = [0, 0xff, 0xff, 0xff, 0xff, 0x07];
    let refused = |version, fields: &[u8]| {
        players_changed(ProtocolVersion(version), fields, |_| panic!("there is nobody"))
    };
    assert!(matches!(refused(47, &claim), Err(DecodeError::Length { field: "players", .. })));
    assert!(matches!(refused(766, &[1, 0xff, 0xff, 0xff, 0xff, 0x07]), Err(DecodeError::Length { .. })));
    assert!(players_removed(&claim[1..], |_| panic!("there is nobody")).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(
        fields in proptest::collection::vec(any::<u8>(), 0..200),
        release in 0..crate::version::RELEASES.len(),
    ) {
        let version = crate::version::RELEASES[release].version;
        let _ = CustomPayload::read(version, &fields);
        let _ = ResourcePack::read(version, &fields);
        let _ = ResourcePackAnswer::read(version, &fields);
        let _ = BossBarSeen::read(&fields);
        let _ = Scoreboard::read_objective(version, &fields);
        let _ = Scoreboard::read_team(&fields);
        let _ = EffectSeen::read(version, &fields);
        let _ = players_changed(version, &fields, |_| ());
        let _ = players_removed(&fields, |_| ());
        let _ = KickDisconnect::decode(version, &mut Decoder::new(&fields));
        let _ = ChatSession::read(&fields);
        let _ = RawClientInformation::read(&fields);
        let _ = CompletionRequest::read(version, &fields);
        let _ = extend_completion(version, &fields, &["a"], &mut Vec::new());
        let _ = extend_commands(version, &fields, &[Command { name: "a", argument: None }]);
        let _ = root_commands(&fields);
        for kind in [Kind::Chat, Kind::ChatMessage, Kind::ChatCommand, Kind::ChatCommandSigned] {
            let _ = Typed::read(version, kind, &fields);
        }
        switch(version, &fields);
    }

    /// Vectors that are cut short, and those with a byte changed.
    #[test]
    fn no_spoilt_packet_makes_a_reader_panic(at in any::<proptest::sample::Index>(), byte: u8) {
        for vector in SPOILT.iter() {
            let version = ProtocolVersion(vector.0);
            let at = at.index(vector.1.len());
            let mut spoilt = vector.1.clone();
            spoilt[at] = byte;
            for fields in [&spoilt, &vector.1[..at]] {
                let _ = players_changed(version, fields, |_| ());
                let _ = root_commands(fields);
                let _ = extend_commands(version, fields, &[]);
                let _ = Typed::read(version, Kind::ChatCommandSigned, fields);
                switch(version, fields);
            }
        }
    }
}

/// The longer packets, in each form that they have had.
static SPOILT: LazyLock<Vec<(i32, Vec<u8>)>> = LazyLock::new(|| {
    let cases = ["players", "join", "commands", "command"];
    let vectors = vectors::all().into_iter().filter(|vector| cases.contains(&vector.case.as_str()));
    vectors.flat_map(Vector::forms).collect()
});

/// All that comes of a Join Game.
fn switch(version: ProtocolVersion, fields: &[u8]) {
    let Ok(join) = JoinGame::read(version, fields) else { return };
    for dimension in [Dimension::Real, Dimension::Other] {
        let _ = join.write_join(dimension, &mut Vec::new());
        let _ = join.write_respawn(dimension, &mut Vec::new());
    }
}
