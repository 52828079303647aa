//! Join Game (`login`), and what follows from it where a player changes servers without a configuration: up to 763 the
//! client is told of the new world by the Join Game of the new server, and by a Respawn that is made from it.
//!
//! What must stay true: what isn't understood is passed on byte for byte; ids of entities aren't rewritten.

use super::{NAME, say, skip_nbt};
use crate::ids::Kind;
use crate::nbt;
use crate::version::ProtocolVersion;
use crate::wire::{DecodeError, Decoder, Encoder};

/// The bit of the game mode that said "hardcore" before 751.
const HARDCORE: u8 = 0x08;

/// A server's Join Game (`login`).
#[derive(Debug, Clone)]
pub struct JoinGame<'a> {
    /// The player's own entity id.
    pub entity: i32,
    version: ProtocolVersion,
    fields: &'a [u8],
    world: World<'a>,
}

/// What a Respawn repeats.
#[derive(Debug, Clone)]
enum World<'a> {
    /// Before 735: a dimension by number, which stands in `fields` behind the entity and the game mode.
    Numbered { dimension: i32, seed: i64, difficulty: u8, game_mode: u8, level_type: &'a str },
    /// 735 to 763. `dimension` is its name, or its NBT; what lies behind the maximum of players and so on is `shape` and,
    /// as far as the version has it, where the player died and how long portals wait.
    Named { modes: &'a [u8], dimension: &'a [u8], name_and_seed: &'a [u8], shape: &'a [u8], tail: &'a [u8] },
    /// Since 764 there is no Respawn.
    Configured,
}

/// Which dimension is said.
///
/// Before 735 a client that is told of the dimension it is in keeps its old world. So the Join Game tells of
/// the [`Dimension::Other`], and the Respawn of the [`Dimension::Real`] one. Forge before 393 wants the Join Game to be real: there
/// a Respawn to the other follows, and one to the real. Since 735 there is no difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// The one where the player is to be.
    Real,
    /// Another one.
    Other,
}

impl Dimension {
    const fn number(self, real: i32) -> i32 {
        match self {
            Self::Real => real,
            Self::Other if real == 0 => -1,
            Self::Other => 0,
        }
    }
}

impl<'a> JoinGame<'a> {
    /// Reads it from its fields; since 764 the entity alone.
    ///
    /// # Errors
    /// When they aren't what the version prescribes.
    pub fn read(version: ProtocolVersion, fields: &'a [u8]) -> Result<Self, DecodeError> {
        let mut rest = Decoder::new(fields);
        let entity = rest.i32("entity")?;
        let world = if version.has_configuration() {
            World::Configured
        } else if version >= ProtocolVersion::V1_16 {
            read_named(version, &mut rest)?
        } else {
            read_numbered(version, &mut rest)?
        };
        Ok(Self { entity, version, fields, world })
    }

    /// Of which version it is.
    #[must_use]
    pub const fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// Appends the Join Game with this dimension; all else as it came.
    ///
    /// Returns whether it has an id, which it has in every version that is known.
    #[must_use]
    pub fn write_join(&self, dimension: Dimension, out: &mut Vec<u8>) -> bool {
        let Some(mut out) = say(self.version, Kind::Login, out) else { return false };
        match &self.world {
            World::Numbered { dimension: real, .. } => {
                let number = dimension.number(*real);
                let (front, back) = self.fields.split_at(5);
                out.bytes(front);
                let size = if has_wide_dimension(self.version) {
                    out.i32(number);
                    4
                } else {
                    out.u8(number as u8);
                    1
                };
                out.bytes(&back[size..]);
            }
            World::Named { .. } | World::Configured => out.bytes(self.fields),
        }
        true
    }

    /// Appends the Respawn that follows, and says whether there is one: since 764 there is none.
    #[must_use]
    pub fn write_respawn(&self, dimension: Dimension, out: &mut Vec<u8>) -> bool {
        if matches!(self.world, World::Configured) {
            return false;
        }
        let Some(mut out) = say(self.version, Kind::Respawn, out) else { return false };
        match &self.world {
            World::Numbered { dimension: real, seed, difficulty, game_mode, level_type } => {
                out.i32(dimension.number(*real));
                if self.version >= ProtocolVersion::V1_15 {
                    out.i64(*seed);
                }
                if has_difficulty(self.version) {
                    out.u8(*difficulty);
                }
                out.u8(*game_mode);
                out.string(level_type);
            }
            World::Named { modes, dimension, name_and_seed, shape, tail } => {
                out.bytes(dimension);
                out.bytes(name_and_seed);
                write_modes(self.version, modes, &mut out);
                out.bytes(shape);
                out.u8(0); // nothing of the old player is kept
                out.bytes(tail);
            }
            World::Configured => {}
        }
        true
    }
}

/// Whether a Join Game says whether players were authenticated: since 776.
#[must_use]
pub const fn says_online_mode(version: ProtocolVersion) -> bool {
    version.0 >= ProtocolVersion::V26_2.0
}

/// Says the edge's own online mode in a Join Game, where it has one (since 776). It is the last byte but one, so `packet` may be
/// the fields or all of the packet. Unproven, as is all of these versions.
///
/// # Errors
/// When both last bytes aren't booleans.
pub fn set_online_mode(version: ProtocolVersion, packet: &mut [u8], online: bool) -> Result<(), DecodeError> {
    if !says_online_mode(version) {
        return Ok(());
    }
    let [.., mode, secure_chat] = packet else { return Err(DecodeError::Truncated { field: "online mode" }) };
    let both = [*mode, *secure_chat];
    if let Some(value) = both.into_iter().find(|&value| value > 1) {
        return Err(DecodeError::Value { field: "online mode", value: value.into() });
    }
    *mode = online.into();
    Ok(())
}

/// Before 108 a Join Game says the dimension in one byte.
fn has_wide_dimension(version: ProtocolVersion) -> bool {
    version >= ProtocolVersion::V1_9_1
}

fn has_difficulty(version: ProtocolVersion) -> bool {
    version < ProtocolVersion::V1_14
}

fn read_numbered<'a>(version: ProtocolVersion, fields: &mut Decoder<'a>) -> Result<World<'a>, DecodeError> {
    let game_mode = fields.u8("game mode")? & !HARDCORE;
    let dimension = if has_wide_dimension(version) {
        fields.i32("dimension")?
    } else {
        fields.u8("dimension")?.cast_signed().into()
    };
    let seed = if version >= ProtocolVersion::V1_15 { fields.i64("hashed seed")? } else { 0 };
    let difficulty = if has_difficulty(version) { fields.u8("difficulty")? } else { 0 };
    fields.u8("maximum of players")?;
    let level_type = fields.string("level type", NAME)?;
    Ok(World::Numbered { dimension, seed, difficulty, game_mode, level_type })
}

fn read_named<'a>(version: ProtocolVersion, fields: &mut Decoder<'a>) -> Result<World<'a>, DecodeError> {
    let has_hardcore = version >= ProtocolVersion::V1_16_2;
    if has_hardcore {
        fields.bool("hardcore")?;
    }
    let modes = fields.bytes("game modes", 2)?;
    let bound = fields.rest().len();
    for _ in 0..fields.length("worlds", bound)? {
        fields.byte_array("world", NAME * 3)?;
    }
    skip_nbt("registries", fields, nbt::skip_named)?;
    let is_name = !(ProtocolVersion::V1_16_2..ProtocolVersion::V1_19).contains(&version);
    let dimension = if is_name {
        taken(fields, |fields| fields.byte_array("dimension", NAME * 3).map(drop))?
    } else {
        skip_nbt("dimension", fields, nbt::skip_named)?
    };
    let name_and_seed = taken(fields, |fields| {
        fields.byte_array("world", NAME * 3)?;
        fields.i64("hashed seed").map(drop)
    })?;
    if has_hardcore {
        fields.varint("maximum of players")?;
    } else {
        fields.u8("maximum of players")?;
    }
    fields.varint("view distance")?;
    if version >= ProtocolVersion::V1_18 {
        fields.varint("simulation distance")?;
    }
    fields.bytes("reduced debug info, respawn screen", 2)?;
    let shape = fields.bytes("debug, flat", 2)?;
    // Where the player died since 759, and how long portals wait in 763: said in a Respawn in the same way.
    let tail = fields.rest();
    if version >= ProtocolVersion::V1_19 {
        fields.option("death", |fields| {
            fields.byte_array("dimension of death", NAME * 3)?;
            fields.i64("place of death")
        })?;
    }
    if version >= ProtocolVersion::V1_20 {
        fields.varint("portal cooldown")?;
    }
    fields.clone().finish()?;
    Ok(World::Named { modes, dimension, name_and_seed, shape, tail })
}

/// The game mode and the one before. In 735 and 736 the first has the bit of hardcore in a Join Game, but not in a Respawn.
fn write_modes(version: ProtocolVersion, modes: &[u8], out: &mut Encoder<'_>) {
    match modes {
        [mode, before] if version < ProtocolVersion::V1_16_2 => out.bytes(&[mode & !HARDCORE, *before]),
        modes => out.bytes(modes),
    }
}

/// The bytes that `read` reads.
fn taken<'a>(
    fields: &mut Decoder<'a>,
    read: impl FnOnce(&mut Decoder<'a>) -> Result<(), DecodeError>,
) -> Result<&'a [u8], DecodeError> {
    let before = fields.rest();
    read(fields)?;
    Ok(&before[..before.len() - fields.rest().len()])
}
