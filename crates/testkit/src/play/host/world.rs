//! What a server says of its world, in each version's form and with the least there can be: nobody looks at it.

use crate::play::fault::Fault;
use crate::play::line::Line;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{Kind, State};
use drawbridge_protocol::wire::Encoder;

/// NBT without anything in it: a compound, its empty name, its end.
const NAMED_NBT: &[u8] = &[10, 0, 0, 0];
/// The same as it is sent since 764: without the name.
const NAMELESS_NBT: &[u8] = &[10, 0];
const WORLD: &str = "minecraft:overworld";
/// Vanilla's mark of "no game mode before".
const NO_MODE: u8 = 0xff;

/// The brand, which is also the channel that a client says its own on.
pub(super) const fn brand_channel(version: ProtocolVersion) -> &'static str {
    if version.number() >= ProtocolVersion::V1_13.number() { "minecraft:brand" } else { "MC|Brand" }
}

/// Join Game.
pub(super) fn join(line: &mut Line, entity: i32) -> Result<(), Fault> {
    line.say_kind(State::Play, Kind::Login, |version, out| {
        out.i32(entity);
        if version.has_configuration() {
            join_configured(version, out);
        } else if version >= ProtocolVersion::V1_16 {
            join_named(version, out);
        } else {
            join_numbered(version, out);
        }
    })
}

/// Up to 578: the dimension is a number.
fn join_numbered(version: ProtocolVersion, out: &mut Encoder<'_>) {
    out.u8(0); // game mode
    if version >= ProtocolVersion::V1_9_1 {
        out.i32(0); // dimension
    } else {
        out.u8(0);
    }
    if version >= ProtocolVersion::V1_15 {
        out.i64(0); // hashed seed
    }
    if version < ProtocolVersion::V1_14 {
        out.u8(0); // difficulty
    }
    out.u8(20); // maximum of players
    out.string("flat");
    if version >= ProtocolVersion::V1_14 {
        out.varint(10); // view distance
    }
    out.bool(false); // reduced debug info
    if version >= ProtocolVersion::V1_15 {
        out.bool(true); // respawn screen
    }
}

/// 735 to 763: worlds have names, and the registries stand here.
fn join_named(version: ProtocolVersion, out: &mut Encoder<'_>) {
    if version >= ProtocolVersion::V1_16_2 {
        out.bool(false); // hardcore
    }
    out.bytes(&[0, NO_MODE]);
    write_worlds(out);
    out.bytes(NAMED_NBT); // registries
    if (ProtocolVersion::V1_16_2..ProtocolVersion::V1_19).contains(&version) {
        out.bytes(NAMED_NBT); // dimension
    } else {
        out.string(WORLD);
    }
    out.string(WORLD);
    out.i64(0); // hashed seed
    // Maximum of players: one byte before 751, a VarInt since, which are the same.
    out.varint(20);
    out.varint(10); // view distance
    if version >= ProtocolVersion::V1_18 {
        out.varint(10); // simulation distance
    }
    out.bytes(&[0, 1, 0, 1]); // no reduced debug info, respawn screen, not debug, flat
    if version >= ProtocolVersion::V1_19 {
        out.bool(false); // never died
    }
    if version >= ProtocolVersion::V1_20 {
        out.varint(0); // portal cooldown
    }
}

/// Since 764: registries have been told of in configuration.
fn join_configured(version: ProtocolVersion, out: &mut Encoder<'_>) {
    out.bool(false); // hardcore
    write_worlds(out);
    for distance_or_maximum in [20, 10, 10] {
        out.varint(distance_or_maximum);
    }
    out.bytes(&[0, 1, 0]); // no reduced debug info, respawn screen, no limited crafting
    if version >= ProtocolVersion::V1_20_5 {
        out.varint(0); // kind of dimension
    } else {
        out.string(WORLD);
    }
    out.string(WORLD);
    out.i64(0); // hashed seed
    out.bytes(&[0, NO_MODE, 0, 1]); // game modes, not debug, flat
    out.bool(false); // never died
    out.varint(0); // portal cooldown
    if version >= ProtocolVersion::V1_21_2 {
        out.varint(63); // sea level
    }
    if version >= ProtocolVersion::V1_20_5 {
        out.bool(false); // secure chat isn't enforced
    }
}

fn write_worlds(out: &mut Encoder<'_>) {
    out.length(1);
    out.string(WORLD);
}

/// Respawn to the dimension of [`join`], before 735.
pub(super) fn respawn_in_place(line: &mut Line) -> Result<(), Fault> {
    line.say_kind(State::Play, Kind::Respawn, |version, out| {
        out.i32(0); // dimension
        if version >= ProtocolVersion::V1_15 {
            out.i64(0); // hashed seed
        }
        if version < ProtocolVersion::V1_14 {
            out.u8(0); // difficulty
        }
        out.u8(0); // game mode
        out.string("flat");
    })
}

/// Synchronize Player Position, which the client confirms by the number since 107.
pub(super) fn place(line: &mut Line, number: i32) -> Result<(), Fault> {
    line.say_kind(State::Play, Kind::Position, |version, out| {
        let has_speed = version >= ProtocolVersion::V1_21_2;
        if has_speed {
            out.varint(number);
        }
        for coordinate in [0.5_f64, 64.0, 0.5] {
            out.i64(coordinate.to_bits().cast_signed());
        }
        if has_speed {
            out.bytes(&[0; 24]);
        }
        out.bytes(&[0; 8]); // yaw and pitch
        if has_speed {
            return out.i32(0); // all of it is absolute
        }
        out.u8(0);
        if version >= ProtocolVersion::V1_9 {
            out.varint(number);
        }
        if (ProtocolVersion::V1_17..ProtocolVersion::V1_19_4).contains(&version) {
            out.bool(false); // no dismount
        }
    })
}

/// The known packs of a server, which the client answers with its own; since 766.
pub(super) fn known_packs(line: &mut Line) -> Result<(), Fault> {
    line.say_kind(State::Configuration, Kind::SelectKnownPacks, |_, out| {
        out.length(1);
        for part in ["minecraft", "core", "1.0"] {
            out.string(part);
        }
    })
}

/// Registries, such as they are.
pub(super) fn registries(line: &mut Line) -> Result<(), Fault> {
    for registry in ["drawbridge:first", "drawbridge:second"] {
        line.say_kind(State::Configuration, Kind::RegistryData, |version, out| {
            if version < ProtocolVersion::V1_20_5 {
                return out.bytes(NAMELESS_NBT);
            }
            out.string(registry);
            out.length(1);
            out.string("drawbridge:entry");
            out.option(Some(NAMELESS_NBT), Encoder::bytes);
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use drawbridge_protocol::packet::play::{Dimension, JoinGame};
    use drawbridge_protocol::version::RELEASES;

    /// The edge reads it to its end up to 763; vectors of other hands prove that reader in `drawbridge-protocol`.
    #[test]
    fn join_games_have_each_versions_fields() {
        for release in RELEASES.iter().filter(|release| !release.version.has_configuration()) {
            let mut fields = Vec::new();
            let mut out = Encoder::new(&mut fields);
            out.i32(7);
            if release.version >= ProtocolVersion::V1_16 {
                join_named(release.version, &mut out);
            } else {
                join_numbered(release.version, &mut out);
            }
            let join = JoinGame::read(release.version, &fields).unwrap_or_else(|error| {
                panic!("{}: {error}", release.name);
            });
            assert_eq!(join.entity, 7);
            assert!(join.write_respawn(Dimension::Real, &mut Vec::new()));
        }
    }

    /// Those since 764, by their lengths in vectors of node-minecraft-protocol: 764, 766 and 768 each add to the one before.
    #[test]
    fn configured_join_games_grow_where_the_wire_changed() {
        let fields = |number| {
            let mut fields = Vec::new();
            join_configured(ProtocolVersion(number), &mut Encoder::new(&mut fields));
            fields.len()
        };
        let name = 1 + WORLD.len();
        let common = 1 + 1 + name + 3 + 3 + name + 8 + 4 + 1 + 1;
        assert_eq!(
            [764, 765, 766, 767, 768, 775].map(fields),
            [
                common + name,
                common + name,
                common + 1 + 1,
                common + 1 + 1,
                common + 1 + 1 + 1,
                common + 1 + 1 + 1
            ]
        );
    }
}
