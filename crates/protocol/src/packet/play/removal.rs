//! Taking away what a server left behind on a client. Each function appends a packet and says whether the version has it.

use super::say;
use crate::ids::{Direction, Kind, State};
use crate::version::ProtocolVersion;
use uuid::Uuid;

/// Takes players out of the list (`player_info` to 760, `player_remove` since 761); since 47.
#[must_use]
pub fn remove_players(version: ProtocolVersion, players: &[Uuid], out: &mut Vec<u8>) -> bool {
    let by_action = version < ProtocolVersion::V1_19_3;
    let kind = if by_action { Kind::PlayerInfo } else { Kind::PlayerRemove };
    if version < ProtocolVersion::V1_8 {
        return false;
    }
    let Some(mut out) = say(version, kind, out) else { return false };
    if by_action {
        out.varint(4);
    }
    out.length(players.len());
    for &player in players {
        out.uuid(player);
    }
    true
}

/// Takes a player out of the list by the name shown there (`player_info`); before 47 alone.
#[must_use]
pub fn remove_named_player(version: ProtocolVersion, name: &str, out: &mut Vec<u8>) -> bool {
    if version >= ProtocolVersion::V1_8 {
        return false;
    }
    let Some(mut out) = say(version, Kind::PlayerInfo, out) else { return false };
    out.string(name);
    out.bool(false); // not online
    out.u16(0); // ping
    true
}

/// Takes a scoreboard's objective away (`scoreboard_objective`), and with it what shows it.
#[must_use]
pub fn remove_objective(version: ProtocolVersion, name: &str, out: &mut Vec<u8>) -> bool {
    let Some(mut out) = say(version, Kind::ScoreboardObjective, out) else { return false };
    out.string(name);
    if version < ProtocolVersion::V1_8 {
        out.string(""); // what is shown
    }
    out.u8(1);
    true
}

/// Takes a team away (`scoreboard_team` to 47, `teams` since).
#[must_use]
pub fn remove_team(version: ProtocolVersion, name: &str, out: &mut Vec<u8>) -> bool {
    let kind = if version < ProtocolVersion::V1_9 { Kind::ScoreboardTeam } else { Kind::Teams };
    let Some(mut out) = say(version, kind, out) else { return false };
    out.string(name);
    out.u8(1);
    true
}

/// Takes an effect off an entity (`remove_entity_effect`).
#[must_use]
pub fn remove_effect(version: ProtocolVersion, entity: i32, effect: i32, out: &mut Vec<u8>) -> bool {
    let Some(mut out) = say(version, Kind::RemoveEntityEffect, out) else { return false };
    if version < ProtocolVersion::V1_8 {
        out.i32(entity);
    } else {
        out.varint(entity);
    }
    if version < ProtocolVersion::V1_18_2 {
        out.u8(effect as u8);
    } else {
        out.varint(effect);
    }
    true
}

/// Takes all links of a server away (`server_links`), in play or configuration; since 767.
#[must_use]
pub fn clear_server_links(version: ProtocolVersion, state: State, out: &mut Vec<u8>) -> bool {
    clear_list(Kind::ServerLinks, version, state, out)
}

/// Takes all away that a server has added to reports of crashes (`custom_report_details`), in play or configuration; since 767.
#[must_use]
pub fn clear_report_details(version: ProtocolVersion, state: State, out: &mut Vec<u8>) -> bool {
    clear_list(Kind::CustomReportDetails, version, state, out)
}

/// A list with nothing in it.
fn clear_list(kind: Kind, version: ProtocolVersion, state: State, out: &mut Vec<u8>) -> bool {
    let Some(mut out) = super::begin(version, state, Direction::Clientbound, kind, out) else { return false };
    out.length(0);
    true
}
