//! The packets that are read where they pass, and what is said again or made of them.

use crate::joining::join;
use crate::node::{Written, hex, name_of};
use crate::random::Random;
use crate::trees::{extended, names};
use crate::trial::{Known, Trial};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::packet::login::AnyLoginStart;
use drawbridge_protocol::packet::play::{
    BossBarSeen, Change, ChatSession, CompletionRequest, CustomPayload, EffectSeen, Presence,
    RawClientInformation, ResourcePack, ResourcePackAnswer, Scoreboard, Typed, extend_completion,
    players_changed, players_removed,
};
use drawbridge_protocol::wire::DecodeError;
use serde_json::{Value, json};
use std::fmt::Debug;
use uuid::Uuid;

type Read = Result<(), DecodeError>;

macro_rules! passing {
    ($($state:ident $direction:ident: $($kind:ident => $check:expr),+;)+) => {
        /// All of them.
        pub(crate) const KNOWN: &[Known] = &[$($(Known {
            state: State::$state,
            direction: Direction::$direction,
            kind: Kind::$kind,
            since: ProtocolVersion::V1_7_2,
            check: $check,
        },)+)+];
    };
}

passing! {
    Login Serverbound: LoginStart => login_start;
    Configuration Clientbound: CustomPayload => payload, AddResourcePack => pack, ResourcePackSend => pack;
    Configuration Serverbound: CustomPayload => payload, ResourcePackReceive => pack_answer, Settings => settings;
    Play Clientbound: CustomPayload => payload, AddResourcePack => pack, ResourcePackSend => pack, TabComplete => completion,
        Login => join, BossBar => boss_bar, ScoreboardObjective => objective, ScoreboardTeam => team, Teams => team,
        EntityEffect => effect, RemoveEntityEffect => effect, PlayerInfo => players, PlayerRemove => players_gone,
        DeclareCommands => extended, DeclareCommands => names;
    Play Serverbound: CustomPayload => payload, ResourcePackReceive => pack_answer, Settings => settings,
        TabComplete => completion_request, Chat => typed, ChatMessage => typed, ChatCommand => typed,
        ChatCommandSigned => typed, ChatSessionUpdate => chat_session;
}

/// That what was read is what was written.
fn equal<T: PartialEq + Debug>(packet: &Written, trial: &mut Trial, read: &T, expected: &T) {
    trial.expect(packet, read == expected, || format!("was read as {read:?}, and not as {expected:?}"));
}

/// That a packet is written again as it came.
fn as_it_came(packet: &Written, trial: &mut Trial, write: impl FnOnce(&mut Vec<u8>) -> bool) {
    let mut body = Vec::new();
    let has = write(&mut body);
    trial.expect(packet, has && body == packet.body, || format!("is written as {}", hex(&body)));
}

/// What a value says as a UUID.
fn uuid(value: &Value) -> Option<Uuid> {
    value.as_str().map(|text| Uuid::parse_str(text).unwrap())
}

fn login_start(packet: &Written, trial: &mut Trial) -> Read {
    let found = AnyLoginStart::read(&packet.raw(), packet.version)?;
    let told = packet.version.has_configuration().then(|| uuid(&packet.values["playerUUID"]).unwrap());
    equal(packet, trial, &(&*found.name, found.uuid), &(packet.text("username"), told));
    Ok(())
}

fn payload(packet: &Written, trial: &mut Trial) -> Read {
    let found = CustomPayload::read(packet.version, packet.fields())?;
    let data = hex(found.data);
    equal(packet, trial, &(found.channel, &*data), &(packet.text("channel"), packet.text("data")));
    as_it_came(packet, trial, |out| found.write(packet.version, packet.state, packet.direction, out));
    Ok(())
}

fn pack(packet: &Written, trial: &mut Trial) -> Read {
    let found = ResourcePack::read(packet.version, packet.fields())?;
    let forced = packet.values["forced"].as_bool().unwrap_or(false);
    let expected = (uuid(&packet.values["uuid"]), packet.text("url"), packet.text("hash"), forced);
    equal(packet, trial, &(found.id, found.url, found.hash, found.forced), &expected);
    if packet.values["promptMessage"].is_null() {
        as_it_came(packet, trial, |out| found.write(packet.version, packet.state, None, out));
    }
    Ok(())
}

fn pack_answer(packet: &Written, trial: &mut Trial) -> Read {
    let found = ResourcePackAnswer::read(packet.version, packet.fields())?;
    let expected = (uuid(&packet.values["uuid"]), packet.values["hash"].as_str(), packet.number("result"));
    equal(packet, trial, &(found.id, found.hash, found.result as i32), &expected);
    as_it_came(packet, trial, |out| found.write(packet.version, packet.state, out));
    Ok(())
}

/// The fields are the same in play and configuration.
fn settings(packet: &Written, trial: &mut Trial) -> Read {
    let found = RawClientInformation::read(packet.fields())?;
    equal(packet, trial, &found.locale, &packet.text("locale"));
    as_it_came(packet, trial, |out| found.write(packet.version, packet.state, out));
    for state in [State::Play, State::Configuration] {
        let mut body = Vec::new();
        let has = found.write(packet.version, state, &mut body);
        trial.expect(packet, has == (state == State::Play || packet.version.has_configuration()), || {
            format!("is written in {}: {has}", name_of(state))
        });
        if has {
            let which = (packet.version, state, Direction::Serverbound, Kind::Settings);
            trial.ask(which, body, packet.values.clone(), &[]);
        }
    }
    Ok(())
}

/// 0 adds and 1 takes away; newer tables have words for these.
fn presence(packet: &Written, key: &str) -> Presence {
    match &packet.values[key] {
        Value::String(word) if word == "add" => Presence::Added,
        Value::String(word) if word == "remove" => Presence::Removed,
        Value::String(_) => Presence::Changed,
        _ => match packet.number(key) {
            0 => Presence::Added,
            1 => Presence::Removed,
            _ => Presence::Changed,
        },
    }
}

fn boss_bar(packet: &Written, trial: &mut Trial) -> Read {
    let found = BossBarSeen::read(packet.fields())?;
    let id = uuid(&packet.values["entityUUID"]).unwrap();
    equal(packet, trial, &found, &BossBarSeen { id, presence: presence(packet, "action") });
    Ok(())
}

fn objective(packet: &Written, trial: &mut Trial) -> Read {
    let found = Scoreboard::read_objective(packet.version, packet.fields())?;
    equal(
        packet,
        trial,
        &found,
        &Scoreboard { name: packet.text("name"), presence: presence(packet, "action") },
    );
    Ok(())
}

fn team(packet: &Written, trial: &mut Trial) -> Read {
    let found = Scoreboard::read_team(packet.fields())?;
    equal(
        packet,
        trial,
        &found,
        &Scoreboard { name: packet.text("team"), presence: presence(packet, "mode") },
    );
    Ok(())
}

fn effect(packet: &Written, trial: &mut Trial) -> Read {
    let found = EffectSeen::read(packet.version, packet.fields())?;
    let expected = EffectSeen { entity: packet.number("entityId"), effect: packet.number("effectId") };
    equal(packet, trial, &found, &expected);
    Ok(())
}

fn players(packet: &Written, trial: &mut Trial) -> Read {
    let mut found = Vec::new();
    players_changed(packet.version, packet.fields(), |change| found.push(change))?;
    if packet.version < ProtocolVersion::V1_8 {
        let name = packet.text("playerName");
        let is_there = packet.values["online"] == true;
        let change = if is_there { Change::AddedName(name) } else { Change::RemovedName(name) };
        equal(packet, trial, &found, &vec![change]);
        return Ok(());
    }
    let action = &packet.values["action"];
    let change: fn(Uuid) -> Change<'static> = match (action.as_str(), action["add_player"].as_bool()) {
        (Some("add_player"), _) | (_, Some(true)) => Change::Added,
        (Some("remove_player"), _) => Change::Removed,
        _ => {
            equal(packet, trial, &found, &Vec::new());
            return Ok(());
        }
    };
    let players = packet.values["data"].as_array().unwrap();
    let expected: Vec<_> = players.iter().map(|player| change(uuid(&player["uuid"]).unwrap())).collect();
    equal(packet, trial, &found, &expected);
    Ok(())
}

fn players_gone(packet: &Written, trial: &mut Trial) -> Read {
    let mut found = Vec::new();
    players_removed(packet.fields(), |player| found.push(player))?;
    let expected: Vec<_> =
        packet.values["players"].as_array().unwrap().iter().map(|player| uuid(player).unwrap()).collect();
    equal(packet, trial, &found, &expected);
    Ok(())
}

/// What is typed, in any of the packets that say it.
fn typed(packet: &Written, trial: &mut Trial) -> Read {
    let kind = packet.raw().kind(packet.version, packet.state, packet.direction).unwrap();
    let found = Typed::read(packet.version, kind, packet.fields())?;
    let values = &packet.values;
    let seen = |key: &str| values[key].as_i64().unwrap_or(0) as i32;
    let expected = match kind {
        Kind::Chat => {
            let message = packet.text("message");
            let command = message.strip_prefix('/');
            Typed {
                text: command.unwrap_or(message),
                is_command: command.is_some(),
                is_signed: false,
                seen: 0,
            }
        }
        Kind::ChatMessage => {
            let is_signed = values["signature"].as_str().is_some_and(|signature| !signature.is_empty());
            Typed { text: packet.text("message"), is_command: false, is_signed, seen: seen("offset") }
        }
        _ => {
            let signatures = values["argumentSignatures"].as_array().map(Vec::as_slice).unwrap_or_default();
            let is_signed = signatures.iter().any(|signature| signature["signature"] != "");
            Typed { text: packet.text("command"), is_command: true, is_signed, seen: seen("messageCount") }
        }
    };
    equal(packet, trial, &found, &Some(expected));
    Ok(())
}

fn chat_session(packet: &Written, trial: &mut Trial) -> Read {
    let found = ChatSession::read(packet.fields())?;
    let read = json!({
        "sessionUUID": found.session.to_string(),
        "expireTime": found.expires.to_string(),
        "publicKey": hex(found.key),
        "signature": hex(found.signature),
    });
    equal(packet, trial, &read, &packet.values);
    Ok(())
}

/// Positions were packed as x, y and z before 477, and none is asked for since 393.
fn packed(position: &Value) -> Option<i64> {
    let part = |axis: &str, bits: u32| position[axis].as_i64().map(|number| number & ((1 << bits) - 1));
    Some(part("x", 26)? << 38 | part("y", 12)? << 26 | part("z", 26)?)
}

fn completion_request(packet: &Written, trial: &mut Trial) -> Read {
    let found = CompletionRequest::read(packet.version, packet.fields())?;
    let values = &packet.values;
    let block = [&values["block"], &values["lookedAtBlock"]].into_iter().find_map(packed);
    let expected = CompletionRequest {
        id: values["transactionId"].as_i64().map(|id| id as i32),
        text: packet.text("text"),
        assumes_command: values["assumeCommand"] == true,
        block,
    };
    equal(packet, trial, &found, &expected);
    Ok(())
}

/// A server's answer has the edge's matches behind its own.
fn completion(packet: &Written, trial: &mut Trial) -> Read {
    let mut random: Random = trial.random(&hex(&packet.body));
    let more = random.some(4, |random| random.text(20));
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    let mut body = Vec::new();
    let has = extend_completion(packet.version, packet.fields(), &more, &mut body)?;
    trial.expect(packet, has, || "has no id".to_owned());
    let has_tooltips = packet.version >= ProtocolVersion::V1_13;
    let mut values = packet.values.clone();
    let matches = values["matches"].as_array_mut().unwrap();
    matches.extend(more.iter().map(|text| if has_tooltips { json!({ "match": text }) } else { json!(text) }));
    let which = (packet.version, State::Play, Direction::Clientbound, Kind::TabComplete);
    trial.ask(which, body, values, &[]);
    Ok(())
}
