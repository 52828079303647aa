//! The packets of play that the edge says and understands itself, in every version from 1.7.2 on.
//!
//! What is said is appended whole to a buffer, id and fields, and nothing is where the version doesn't have it. What is
//! read is given the fields alone ([`super::RawPacket::fields`]) and borrows from them: nothing is allocated on the way of
//! a packet that passes. What must stay true: no version is told by its id's presence, only by its number, and no bytes of
//! a peer's are believed beyond the bounds that vanilla sets.
//!
//! 26.2 and 26.3 (776 and 777) have few ids that are known; what stands here of them is derived from the published changes
//! and **unproven**.

mod chat;
mod commands;
mod completion;
mod display;
mod join;
mod removal;
mod seen;
mod shared;

pub use chat::{ChatSession, RawClientInformation, Typed, acknowledge};
pub use commands::{Argument, Command, NO_COMMANDS, RootCommands, extend_commands, root_commands};
pub use completion::{Completion, CompletionRequest, extend_completion};
pub use display::{
    BarColor, BarDivision, BossBar, Surface, TitlePart, list_header, message, remove_boss_bar, title,
};
pub use join::{Dimension, JoinGame, says_online_mode, set_online_mode};
pub use removal::{
    clear_report_details, clear_server_links, remove_effect, remove_named_player, remove_objective,
    remove_players, remove_team,
};
pub use seen::{BossBarSeen, Change, EffectSeen, Presence, Scoreboard, players_changed, players_removed};
pub use shared::{
    CustomPayload, InConfiguration, InPlay, KeepAlive, KeepAliveResponse, Ping, Pong, RemoveResourcePack,
    ResourcePack, ResourcePackAnswer,
};

use super::{Packet, configuration, packets};
use crate::ids::{self, Direction, Kind, State};
use crate::nbt;
use crate::text::Component;
use crate::version::ProtocolVersion;
use crate::wire::{DecodeError, Decoder, Encoder};

/// The most characters of a text component in JSON.
const TEXT: usize = 262_144;
/// The most characters of a name of anything: newer versions allow more than the sixteen of old.
const NAME: usize = 32_767;

packets! {
    /// Start Configuration (`start_configuration`), since 764: what follows towards the client is of the configuration state.
    Play Clientbound StartConfiguration => StartConfiguration {}

    /// Acknowledge Configuration (`configuration_acknowledged`), since 764: what follows from the client is of the
    /// configuration state.
    Play Serverbound ConfigurationAcknowledged => ConfigurationAcknowledged {}

    /// Bundle Delimiter (`bundle_delimiter`), since 762: opens a bundle, or closes the one that is open.
    Play Clientbound BundleDelimiter => BundleDelimiter {}
}

/// Disconnect (`kick_disconnect`).
#[derive(Debug, Clone, PartialEq)]
pub struct KickDisconnect {
    /// What the player reads.
    pub reason: Component,
}

impl Packet for KickDisconnect {
    const STATE: State = State::Play;
    const DIRECTION: Direction = Direction::Clientbound;
    const KIND: Kind = Kind::KickDisconnect;

    fn encode(&self, version: ProtocolVersion, out: &mut Encoder<'_>) {
        write_text(&self.reason, version, out);
    }

    fn decode(version: ProtocolVersion, fields: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        if version.has_nbt_text() {
            return Ok(Self { reason: configuration::read_text("reason", fields)? });
        }
        let json = fields.string("reason", TEXT)?;
        let reason = Component::from_json_lenient(json)
            .map_err(|_| DecodeError::Value { field: "reason", value: 0 })?;
        Ok(Self { reason })
    }
}

/// Appends the id of a packet towards the client in play, and gives the encoder of its fields.
fn say(version: ProtocolVersion, kind: Kind, out: &mut Vec<u8>) -> Option<Encoder<'_>> {
    begin(version, State::Play, Direction::Clientbound, kind, out)
}

/// Appends a packet's id, and gives the encoder of its fields; `None`, and nothing appended, where there is no such packet.
fn begin(
    version: ProtocolVersion,
    state: State,
    direction: Direction,
    kind: Kind,
    out: &mut Vec<u8>,
) -> Option<Encoder<'_>> {
    let id = ids::id(version, state, direction, kind)?;
    let mut out = Encoder::new(out);
    out.varint(id);
    Some(out)
}

/// A text as it stands in play: JSON before 765, NBT since.
fn write_text(text: &Component, version: ProtocolVersion, out: &mut Encoder<'_>) {
    if version.has_nbt_text() {
        return text.to_nbt(version, out.buffer());
    }
    let mut json = String::new();
    text.to_json(version, &mut json);
    out.string(&json);
}

/// Steps over a text without looking at what it says.
fn skip_text(
    field: &'static str,
    version: ProtocolVersion,
    fields: &mut Decoder<'_>,
) -> Result<(), DecodeError> {
    if version.has_nbt_text() {
        return skip_nbt(field, fields, nbt::skip).map(drop);
    }
    fields.byte_array(field, TEXT * 3).map(drop)
}

/// Steps over NBT, and gives its bytes.
fn skip_nbt<'a>(
    field: &'static str,
    fields: &mut Decoder<'a>,
    skip: fn(&[u8]) -> Result<usize, nbt::NbtError>,
) -> Result<&'a [u8], DecodeError> {
    let size = skip(fields.rest()).map_err(|_| DecodeError::Value { field, value: 0 })?;
    fields.bytes(field, size)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
