//! The packets of play that are read where they pass, without a type that owns them.
//!
//! What must hold: what can be written again is written as it came; what is read of a front stands there; a list is told no further than its bytes go; a
//! Join Game is passed on byte for byte but for what the edge says in it, and what it is made into reads as one; memory stays within what the bytes are.

use crate::{Input, input, memory, vectors};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::packet::RawPacket;
use drawbridge_protocol::packet::play::{
    self, BossBarSeen, ChatSession, CompletionRequest, CustomPayload, Dimension, EffectSeen, JoinGame,
    Presence, RawClientInformation, ResourcePack, ResourcePackAnswer, Scoreboard, Typed,
};
use drawbridge_protocol::wire::Encoder;

/// What is read, by its place as a choice.
const KINDS: &[Kind] = &[
    Kind::CustomPayload,
    Kind::AddResourcePack,
    Kind::ResourcePackSend,
    Kind::ResourcePackReceive,
    Kind::TabComplete,
    Kind::Chat,
    Kind::ChatMessage,
    Kind::ChatCommand,
    Kind::ChatCommandSigned,
    Kind::ChatSessionUpdate,
    Kind::Settings,
    Kind::Login,
    Kind::BossBar,
    Kind::ScoreboardObjective,
    Kind::ScoreboardTeam,
    Kind::Teams,
    Kind::EntityEffect,
    Kind::RemoveEntityEffect,
    Kind::PlayerInfo,
    Kind::PlayerRemove,
];

/// See the module.
pub fn check(data: &[u8]) {
    memory::within(memory::of(data), || read(data));
}

fn read(data: &[u8]) {
    let mut input = Input::new(data);
    let (version, kind, choice) = (input.version(), KINDS[input.below(KINDS.len())], input.byte());
    let fields = input.rest();
    let state = if choice & 1 == 0 { State::Play } else { State::Configuration };
    let direction = if choice & 2 == 0 { Direction::Clientbound } else { Direction::Serverbound };
    match kind {
        Kind::CustomPayload => payload(version, state, direction, fields),
        Kind::AddResourcePack | Kind::ResourcePackSend => pack(version, state, fields),
        Kind::ResourcePackReceive => answer(version, state, fields),
        Kind::TabComplete if direction == Direction::Serverbound => completion_request(version, fields),
        Kind::TabComplete => completion(version, fields),
        Kind::ChatSessionUpdate => chat_session(fields),
        Kind::Settings => settings(version, state, fields),
        Kind::Login => join(version, fields),
        Kind::BossBar => boss_bar(fields),
        // Before 47 there is a text between the name and what happens.
        Kind::ScoreboardObjective => {
            scoreboard(Scoreboard::read_objective(version, fields), version >= ProtocolVersion::V1_8, fields);
        }
        Kind::ScoreboardTeam | Kind::Teams => scoreboard(Scoreboard::read_team(fields), true, fields),
        Kind::EntityEffect | Kind::RemoveEntityEffect => effect(version, fields),
        Kind::PlayerInfo => players(fields, |tell| drop(play::players_changed(version, fields, |_| tell()))),
        Kind::PlayerRemove => players(fields, |tell| drop(play::players_removed(fields, |_| tell()))),
        kind => typed(version, kind, fields),
    }
}

/// The fields of a packet that was written.
fn fields_of(body: &[u8]) -> &[u8] {
    RawPacket::parse(body).expect("it has an id").fields
}

/// That fields were written as they came, but for numbers in more bytes than they need.
fn as_it_came(body: &[u8], fields: &[u8]) {
    let written = fields_of(body);
    assert!(written.len() < fields.len() || written == fields, "{written:02x?} of {fields:02x?}");
}

/// That fields begin as they are written, but for numbers in more bytes than they need: what follows upon one isn't compared.
fn begin(fields: &[u8], write: impl FnOnce(&mut Encoder<'_>)) {
    let mut written = Vec::new();
    write(&mut Encoder::new(&mut written));
    assert!(written.len() <= fields.len(), "{written:02x?} of {fields:02x?}");
    if let Some(other) = written.iter().zip(fields).position(|(written, came)| written != came) {
        assert_eq!(fields[other], written[other] | 0x80, "{written:02x?} of {fields:02x?}");
    }
}

const fn number(presence: Presence) -> Option<u8> {
    match presence {
        Presence::Added => Some(0),
        Presence::Removed => Some(1),
        Presence::Changed => None,
    }
}

fn boss_bar(fields: &[u8]) {
    let Ok(BossBarSeen { id, presence }) = BossBarSeen::read(fields) else { return };
    begin(fields, |out| {
        out.uuid(id);
        number(presence).into_iter().for_each(|number| out.u8(number));
    });
}

fn scoreboard<E>(read: Result<Scoreboard<'_>, E>, is_next: bool, fields: &[u8]) {
    let Ok(Scoreboard { name, presence }) = read else { return };
    begin(fields, |out| {
        out.string(name);
        number(presence).filter(|_| is_next).into_iter().for_each(|number| out.u8(number));
    });
}

fn effect(version: ProtocolVersion, fields: &[u8]) {
    let Ok(EffectSeen { entity, effect }) = EffectSeen::read(version, fields) else { return };
    begin(fields, |out| {
        if version < ProtocolVersion::V1_8 {
            out.i32(entity)
        } else {
            out.varint(entity)
        }
        match i8::try_from(effect) {
            Ok(effect) if version < ProtocolVersion::V1_18_2 => out.u8(effect.cast_unsigned()),
            _ => out.varint(effect),
        }
    });
}

fn chat_session(fields: &[u8]) {
    let Ok(ChatSession { session, expires, key, signature }) = ChatSession::read(fields) else { return };
    begin(fields, |out| {
        out.uuid(session);
        out.i64(expires);
        out.byte_array(key);
        out.byte_array(signature);
    });
}

fn completion_request(version: ProtocolVersion, fields: &[u8]) {
    let Ok(request) = CompletionRequest::read(version, fields) else { return };
    begin(fields, |out| {
        request.id.into_iter().for_each(|id| out.varint(id));
        out.string(request.text);
        if (ProtocolVersion::V1_9..ProtocolVersion::V1_13).contains(&version) {
            out.bool(request.assumes_command);
        }
        if (ProtocolVersion::V1_8..ProtocolVersion::V1_13).contains(&version) {
            out.option(request.block, Encoder::i64);
        }
    });
}

fn payload(version: ProtocolVersion, state: State, direction: Direction, fields: &[u8]) {
    let Ok(payload) = CustomPayload::read(version, fields) else { return };
    let mut body = Vec::new();
    if payload.write(version, state, direction, &mut body) {
        as_it_came(&body, fields);
        assert_eq!(CustomPayload::read(version, fields_of(&body)), Ok(payload));
    }
}

fn pack(version: ProtocolVersion, state: State, fields: &[u8]) {
    let Ok(pack) = ResourcePack::read(version, fields) else { return };
    let mut body = Vec::new();
    if pack.write(version, state, None, &mut body) {
        assert_eq!(ResourcePack::read(version, fields_of(&body)), Ok(pack));
    }
}

fn answer(version: ProtocolVersion, state: State, fields: &[u8]) {
    let Ok(answer) = ResourcePackAnswer::read(version, fields) else { return };
    let mut body = Vec::new();
    if answer.write(version, state, &mut body) {
        as_it_came(&body, fields);
        assert_eq!(ResourcePackAnswer::read(version, fields_of(&body)), Ok(answer));
    }
}

/// A server's answer with two more matches is longer by these, and is one again.
fn completion(version: ProtocolVersion, fields: &[u8]) {
    let (mut body, mut more) = (Vec::new(), Vec::new());
    let Ok(true) = play::extend_completion(version, fields, &["/a", "/b"], &mut body) else { return };
    assert!(play::extend_completion(version, fields_of(&body), &[], &mut more).expect("it is one again"));
    assert_eq!(more, body, "nothing more changes nothing");
}

fn typed(version: ProtocolVersion, kind: Kind, fields: &[u8]) {
    if let Ok(Some(typed)) = Typed::read(version, kind, fields) {
        assert!(typed.text.len() < fields.len());
    }
}

fn settings(version: ProtocolVersion, state: State, fields: &[u8]) {
    let Ok(settings) = RawClientInformation::read(fields) else { return };
    let mut body = Vec::new();
    if settings.write(version, state, &mut body) {
        assert_eq!(fields_of(&body), fields);
    }
}

fn join(version: ProtocolVersion, fields: &[u8]) {
    let Ok(join) = JoinGame::read(version, fields) else { return };
    let mut body = Vec::new();
    if join.write_join(Dimension::Real, &mut body) {
        assert_eq!(fields_of(&body), fields);
        let mut other = Vec::new();
        assert!(join.write_join(Dimension::Other, &mut other));
        let again = JoinGame::read(version, fields_of(&other)).expect("it is one again");
        assert_eq!((again.entity, other.len()), (join.entity, body.len()));
    }
    for dimension in [Dimension::Real, Dimension::Other] {
        let mut respawn = Vec::new();
        assert!(!join.write_respawn(dimension, &mut respawn) || respawn.len() < fields.len() + 16);
    }
    let mut told = fields.to_vec();
    if play::set_online_mode(version, &mut told, true).is_ok() {
        let changed = told.iter().zip(fields).filter(|(now, before)| now != before).count();
        assert!(changed <= 1);
    }
}

/// Each player takes bytes.
fn players(fields: &[u8], read: impl FnOnce(&mut dyn FnMut())) {
    let mut told = 0;
    read(&mut || told += 1);
    assert!(told <= fields.len(), "{told} players in {} bytes", fields.len());
}

/// The vectors.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let seed = |vector: &vectors::Vector| {
        let kind = KINDS.iter().position(|kind| *kind == vector.kind)?;
        let state = u8::from(vector.state == State::Configuration);
        let direction = u8::from(vector.direction == Direction::Serverbound) << 1;
        let choices = [input::choice_of(vector.version), u8::try_from(kind).ok()?, state | direction];
        Some([&choices, &vector.fields[..]].concat())
    };
    vectors::all().iter().filter_map(seed).collect()
}
