//! Join Game, and the Respawn that is made of it where there is no configuration.

use crate::node::{Written, hex};
use crate::trial::Trial;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::packet::play::{Dimension, JoinGame};
use drawbridge_protocol::wire::DecodeError;
use serde_json::{Map, Value, json};

/// It is passed on as it came, or with another dimension, and a Respawn repeats what it has.
pub(crate) fn join(packet: &Written, trial: &mut Trial) -> Result<(), DecodeError> {
    let version = packet.version;
    let join = JoinGame::read(version, packet.fields())?;
    trial.expect(packet, join.entity == packet.number("entityId"), || format!("is {}'s", join.entity));
    for dimension in [Dimension::Real, Dimension::Other] {
        let mut body = Vec::new();
        let has = join.write_join(dimension, &mut body);
        trial.expect(packet, has, || "has no id".to_owned());
        let is_same = dimension == Dimension::Real || version >= ProtocolVersion::V1_16;
        trial.expect(packet, !is_same || body == packet.body, || format!("is passed on as {}", hex(&body)));
        let mut values = packet.values.clone();
        if !is_same {
            values["dimension"] = elsewhere(&values["dimension"]);
        }
        trial.ask((version, State::Play, Direction::Clientbound, Kind::Login), body, values, &[]);
        respawn(packet, &join, dimension, trial);
    }
    Ok(())
}

/// A dimension that isn't this one.
fn elsewhere(dimension: &Value) -> Value {
    json!(if dimension == 0 { -1 } else { 0 })
}

fn respawn(packet: &Written, join: &JoinGame<'_>, dimension: Dimension, trial: &mut Trial) {
    let mut body = Vec::new();
    let has = join.write_respawn(dimension, &mut body);
    let expected = !packet.version.has_configuration();
    trial.expect(packet, has == expected, || format!("is followed by a Respawn: {has}"));
    if has {
        let values = respawn_of(packet, dimension);
        trial.ask((packet.version, State::Play, Direction::Clientbound, Kind::Respawn), body, values, &[]);
    }
}

/// What a Respawn repeats, in the words of its table: what has the same name there is the same.
fn respawn_of(packet: &Written, dimension: Dimension) -> Value {
    let version = packet.version;
    let mut values = Map::new();
    let mut repeat = |name: &str, from: &str| values.insert(name.to_owned(), packet.values[from].clone());
    for name in
        ["hashedSeed", "difficulty", "levelType", "worldName", "isDebug", "isFlat", "death", "portalCooldown"]
    {
        repeat(name, name);
    }
    // Since 759 a Join Game calls the dimension's name the type of the world.
    repeat("dimension", if version >= ProtocolVersion::V1_19 { "worldType" } else { "dimension" });
    let mut mode = packet.number("gameMode");
    // Before 751 a bit of it says "hardcore".
    if version < ProtocolVersion::V1_16_2 {
        mode &= !8;
    }
    // The tables call the same byte signed in one packet and not in the other.
    if version >= ProtocolVersion::V1_19_1 {
        mode = (mode as u8).cast_signed().into();
    }
    values.insert("gamemode".to_owned(), json!(mode));
    if version >= ProtocolVersion::V1_16 {
        let before = packet.number("previousGameMode") as u8;
        values.insert("previousGamemode".to_owned(), json!(before));
        // Nothing is kept of the old player: a number in 759 and 760.
        values.insert("copyMetadata".to_owned(), json!(false));
    } else if dimension == Dimension::Other {
        let elsewhere = elsewhere(&values["dimension"]);
        values.insert("dimension".to_owned(), elsewhere);
    }
    Value::Object(values)
}
