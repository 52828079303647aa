//! What a server puts on a client's screen, as far as it must be known to take it away again.

use super::{NAME, skip_text};
use crate::version::ProtocolVersion;
use crate::wire::{DecodeError, Decoder};
use uuid::Uuid;

/// The longest public key and signature of a player, in bytes.
const KEY: usize = 512;
const KEY_SIGNATURE: usize = 4_096;

/// Whether something is there from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is added.
    Added,
    /// It is taken away.
    Removed,
    /// It was there and stays.
    Changed,
}

impl Presence {
    /// 0 adds and 1 takes away, wherever there is such a number.
    const fn of(number: i32) -> Self {
        match number {
            0 => Self::Added,
            1 => Self::Removed,
            _ => Self::Changed,
        }
    }
}

/// What happens to a boss bar (`boss_bar`), since 107.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BossBarSeen {
    /// Which one.
    pub id: Uuid,
    /// What happens to it.
    pub presence: Presence,
}

impl BossBarSeen {
    /// Reads the front of its fields, which is all that is of interest.
    ///
    /// # Errors
    /// When they end there.
    pub fn read(fields: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Decoder::new(fields);
        Ok(Self { id: fields.uuid("id")?, presence: Presence::of(fields.varint("action")?) })
    }
}

/// What happens to an objective or a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scoreboard<'a> {
    /// Its name.
    pub name: &'a str,
    /// What happens to it; who comes into or leaves a team changes it.
    pub presence: Presence,
}

impl<'a> Scoreboard<'a> {
    /// Reads the front of an objective's fields (`scoreboard_objective`).
    ///
    /// # Errors
    /// When they end there.
    pub fn read_objective(version: ProtocolVersion, fields: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Decoder::new(fields);
        let name = fields.string("objective", NAME)?;
        if version < ProtocolVersion::V1_8 {
            fields.string("text", NAME)?;
        }
        Ok(Self { name, presence: Presence::of(fields.u8("mode")?.into()) })
    }

    /// Reads the front of a team's fields (`scoreboard_team` to 47, `teams` since).
    ///
    /// # Errors
    /// When they end there.
    pub fn read_team(fields: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Decoder::new(fields);
        let name = fields.string("team", NAME)?;
        Ok(Self { name, presence: Presence::of(fields.u8("mode")?.into()) })
    }
}

/// An effect that comes on an entity (`entity_effect`) or goes (`remove_entity_effect`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EffectSeen {
    /// Whose.
    pub entity: i32,
    /// Which one, as the version counts them; one byte before 758.
    pub effect: i32,
}

impl EffectSeen {
    /// Reads the front of the fields of either packet.
    ///
    /// # Errors
    /// When they end there.
    pub fn read(version: ProtocolVersion, fields: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Decoder::new(fields);
        let entity =
            if version < ProtocolVersion::V1_8 { fields.i32("entity")? } else { fields.varint("entity")? };
        let effect = if version < ProtocolVersion::V1_18_2 {
            fields.u8("effect")?.cast_signed().into()
        } else {
            fields.varint("effect")?
        };
        Ok(Self { entity, effect })
    }
}

/// Who came into the list of players or left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    /// A player is there (since 47).
    Added(Uuid),
    /// A player is gone (since 47).
    Removed(Uuid),
    /// A player of this name is there, or was already (before 47).
    AddedName(&'a str),
    /// A player of this name is gone (before 47).
    RemovedName(&'a str),
}

/// Tells who comes into the list of players, and before 761 who leaves it (`player_info`). What is only changed about players
/// who are there isn't read. On an error, those before it have been told.
///
/// # Errors
/// When the fields aren't what the version prescribes, as far as they are read.
pub fn players_changed<'a>(
    version: ProtocolVersion,
    fields: &'a [u8],
    mut tell: impl FnMut(Change<'a>),
) -> Result<(), DecodeError> {
    let mut fields = Decoder::new(fields);
    if version < ProtocolVersion::V1_8 {
        let name = fields.string("name", NAME)?;
        let online = fields.bool("online")?;
        tell(if online { Change::AddedName(name) } else { Change::RemovedName(name) });
        return Ok(());
    }
    let (adds, removes, actions) = if version < ProtocolVersion::V1_19_3 {
        let action = fields.varint("action")?;
        (action == 0, action == 4, 0)
    } else {
        let actions = fields.u8("actions")?;
        (actions & 1 != 0, false, actions)
    };
    if !adds && !removes {
        return Ok(());
    }
    let mut left = count(&mut fields)?;
    while left > 0 {
        left -= 1;
        let player = fields.uuid("player")?;
        tell(if adds { Change::Added(player) } else { Change::Removed(player) });
        if adds && left > 0 {
            skip_entry(version, actions, &mut fields)?;
        }
    }
    Ok(())
}

/// Tells who leaves the list of players (`player_remove`), since 761. On an error, those before it have been told.
///
/// # Errors
/// When the fields end too early, or bytes are left.
pub fn players_removed(fields: &[u8], mut tell: impl FnMut(Uuid)) -> Result<(), DecodeError> {
    let mut fields = Decoder::new(fields);
    for _ in 0..count(&mut fields)? {
        tell(fields.uuid("player")?);
    }
    fields.finish()
}

/// How many players follow, of which each takes the bytes of a UUID at least.
fn count(fields: &mut Decoder<'_>) -> Result<usize, DecodeError> {
    let bound = fields.rest().len() / 16;
    fields.length("players", bound)
}

/// Steps over what is said about a player who is added, behind the UUID.
fn skip_entry(version: ProtocolVersion, actions: u8, fields: &mut Decoder<'_>) -> Result<(), DecodeError> {
    skip_profile(fields)?;
    if version < ProtocolVersion::V1_19_3 {
        fields.varint("game mode")?;
        fields.varint("ping")?;
        fields.option("shown name", |fields| skip_text("shown name", version, fields))?;
        if version >= ProtocolVersion::V1_19 {
            fields.option("key", skip_key)?;
        }
        return Ok(());
    }
    let has = |bit: u8| actions >> bit & 1 == 1;
    if has(1) {
        fields.option("chat session", |fields| {
            fields.uuid("session")?;
            skip_key(fields)
        })?;
    }
    for (bit, field) in [(2, "game mode"), (3, "listed"), (4, "ping")] {
        if has(bit) {
            fields.varint(field)?;
        }
    }
    if has(5) {
        fields.option("shown name", |fields| skip_text("shown name", version, fields))?;
    }
    // The place in the list and whether a hat is shown: a number and a boolean, which reads as a number too. Sources
    // disagree on which is first, and here it makes no difference.
    for bit in [6, 7] {
        if has(bit) {
            fields.varint("place or hat")?;
        }
    }
    Ok(())
}

/// A name, and properties with their signatures.
fn skip_profile(fields: &mut Decoder<'_>) -> Result<(), DecodeError> {
    // How long these may be has changed, and nothing is kept of them: that they end within the packet is enough.
    let text = |fields: &mut Decoder<'_>, field| fields.byte_array(field, NAME * 3).map(drop);
    text(fields, "name")?;
    let bound = fields.rest().len();
    for _ in 0..fields.length("properties", bound)? {
        text(fields, "property name")?;
        text(fields, "property value")?;
        fields.option("property signature", |fields| text(fields, "property signature"))?;
    }
    Ok(())
}

/// A player's key for signing: its end, itself and its signature.
fn skip_key(fields: &mut Decoder<'_>) -> Result<(), DecodeError> {
    fields.i64("expiry")?;
    fields.byte_array("key", KEY)?;
    fields.byte_array("key signature", KEY_SIGNATURE).map(drop)
}
