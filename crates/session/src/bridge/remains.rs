//! What a server leaves behind on a client before 764, where no configuration clears it away: boss bars, the list of players, objectives,
//! teams, effects.
//!
//! What must stay true: the client is told to forget what it was told of and nothing else; what a server may have remembered here is bounded,
//! and what is beyond the bound stays behind.

use crate::packets;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::carry::FrameWriter;
use drawbridge_protocol::ids::Kind;
use drawbridge_protocol::packet::play::{
    self, BossBarSeen, Change, EffectSeen, Presence, Scoreboard, TitlePart,
};
use drawbridge_protocol::text::Component;
use drawbridge_protocol::wire::DecodeError;
use std::collections::HashSet;
use std::hash::Hash;
use uuid::Uuid;

/// The most of each kind that is remembered.
const MOST: usize = 4_096;

/// The most bytes of all names of a kind.
const MOST_BYTES: usize = 256 * 1024;

/// Players that are taken from the list by one packet.
const AT_ONCE: usize = 256;

/// What a backend has put on the client's screen, to be taken back.
#[derive(Debug, Default)]
pub(super) struct Remains {
    /// The client's own entity.
    pub(super) entity: i32,
    bars: HashSet<Uuid>,
    players: HashSet<Uuid>,
    /// Before 47 players are in the list by their names.
    names: Names,
    objectives: Names,
    teams: Names,
    effects: HashSet<i32>,
    /// Something was put over or under the list of players.
    header: bool,
}

impl Remains {
    /// Takes note of what a packet changes.
    pub(super) fn note(
        &mut self,
        version: ProtocolVersion,
        kind: Kind,
        fields: &[u8],
    ) -> Result<(), DecodeError> {
        match kind {
            Kind::BossBar => {
                let BossBarSeen { id, presence } = BossBarSeen::read(fields)?;
                change(&mut self.bars, presence, id);
            }
            Kind::ScoreboardObjective => {
                let seen = Scoreboard::read_objective(version, fields)?;
                self.objectives.change(seen.presence, seen.name);
            }
            Kind::Teams | Kind::ScoreboardTeam => {
                let seen = Scoreboard::read_team(fields)?;
                self.teams.change(seen.presence, seen.name);
            }
            Kind::EntityEffect | Kind::RemoveEntityEffect => {
                let EffectSeen { entity, effect } = EffectSeen::read(version, fields)?;
                let gone = kind == Kind::RemoveEntityEffect;
                if entity == self.entity {
                    change(&mut self.effects, if gone { Presence::Removed } else { Presence::Added }, effect);
                }
            }
            Kind::PlayerInfo => play::players_changed(version, fields, |player| self.player(player))?,
            Kind::PlayerRemove => play::players_removed(fields, |id| self.player(Change::Removed(id)))?,
            Kind::PlayerlistHeader => self.header = true,
            _ => {}
        }
        Ok(())
    }

    /// A boss bar of the edge's own is up.
    pub(super) fn note_bar(&mut self, bar: Uuid) {
        change(&mut self.bars, Presence::Added, bar);
    }

    fn player(&mut self, player: Change<'_>) {
        match player {
            Change::Added(id) => change(&mut self.players, Presence::Added, id),
            Change::Removed(id) => change(&mut self.players, Presence::Removed, id),
            Change::AddedName(name) => self.names.change(Presence::Added, name),
            Change::RemovedName(name) => self.names.change(Presence::Removed, name),
        }
    }

    /// Has the client forget all of it.
    pub(super) fn clear(&mut self, version: ProtocolVersion, client: &mut FrameWriter) {
        let Self { entity, bars, players, names, objectives, teams, effects, header } = std::mem::take(self);
        packets::say(client, |out| play::title(version, TitlePart::Reset, out));
        for bar in bars {
            packets::say(client, |out| play::remove_boss_bar(version, bar, out));
        }
        let players: Vec<_> = players.into_iter().collect();
        for some in players.chunks(AT_ONCE) {
            packets::say(client, |out| play::remove_players(version, some, out));
        }
        for name in names.all {
            packets::say(client, |out| play::remove_named_player(version, &name, out));
        }
        for name in objectives.all {
            packets::say(client, |out| play::remove_objective(version, &name, out));
        }
        for name in teams.all {
            packets::say(client, |out| play::remove_team(version, &name, out));
        }
        for effect in effects {
            packets::say(client, |out| play::remove_effect(version, entity, effect, out));
        }
        if header {
            let nothing = Component::text("");
            packets::say(client, |out| play::list_header(version, &nothing, &nothing, out));
        }
    }
}

/// Names that servers make up, of up to 32,767 characters each.
#[derive(Debug, Default)]
struct Names {
    all: HashSet<String>,
    bytes: usize,
}

impl Names {
    fn change(&mut self, presence: Presence, name: &str) {
        match presence {
            Presence::Added => {
                let fits = self.all.len() < MOST && self.bytes + name.len() <= MOST_BYTES;
                if fits && !self.all.contains(name) {
                    self.bytes += name.len();
                    self.all.insert(name.to_owned());
                }
            }
            Presence::Removed if self.all.remove(name) => self.bytes -= name.len(),
            Presence::Removed | Presence::Changed => {}
        }
    }
}

fn change<T: Eq + Hash>(all: &mut HashSet<T>, presence: Presence, item: T) {
    match presence {
        Presence::Added if all.len() < MOST => drop(all.insert(item)),
        Presence::Removed => drop(all.remove(&item)),
        Presence::Added | Presence::Changed => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of so many names of a length are remembered.
    fn remembered(count: usize, length: usize) -> usize {
        let mut names = Names::default();
        for number in 0..count {
            names.change(Presence::Added, &format!("{number:0>length$}"));
        }
        assert_eq!(names.bytes, names.all.iter().map(String::len).sum::<usize>());
        let all: Vec<_> = names.all.iter().cloned().collect();
        all.iter().for_each(|name| names.change(Presence::Added, name));
        assert_eq!(names.all.len(), all.len());
        all.iter().chain(&all).for_each(|name| names.change(Presence::Removed, name));
        assert_eq!((names.all.len(), names.bytes), (0, 0));
        all.len()
    }

    #[test]
    fn names_are_bounded_by_number_and_length() {
        assert_eq!(remembered(10_000, 16), MOST);
        assert_eq!(remembered(1_000, 1_024), MOST_BYTES / 1_024);
        assert_eq!(remembered(10, 65_535), 4);
        assert_eq!(remembered(100, 40), 100);
    }
}
