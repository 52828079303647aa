//! The containers that the daemon lists, in the order in which they came, and what is known of each.
//!
//! What must stay true: a container that can't be looked at for the moment is known as it was, until it is gone, but by the name that it has in
//! the list: there no two have the same. Where there are too many, those that came first stay.

use super::container::Container;
use super::daemon::{DaemonError, Listed};
use crate::desk::Bound;
use crate::labels::shown;
use std::collections::{BTreeMap, BTreeSet};

/// The most containers that are looked at.
const MOST: usize = 2_000;
/// The most that are named in a round of those that can't be looked at, or can again.
const NAMED: usize = 8;
/// The most bytes of what is known of all of them.
const BYTES: usize = 64 << 20;

/// Containers by their identifiers.
#[derive(Debug)]
pub(super) struct Roster {
    entries: BTreeMap<String, Entry>,
    /// How many have come so far, and how many rounds there were.
    came: u64,
    rounds: u64,
    many: Bound,
    /// How many bytes are known, of so many at most.
    bytes: usize,
    most_bytes: usize,
    much: Bound,
    round: Round,
    /// Whether the time was too short in the round before.
    hurried: bool,
}

/// What comes of looking at all of them once.
#[derive(Debug, Default)]
struct Round {
    /// The first for which there was no room.
    left_out: Option<String>,
    /// How many answers there were.
    seen: usize,
    /// How many couldn't be looked at, though they could be before or are new, and how many can be again.
    lost: usize,
    found: usize,
    /// How many there was no time for.
    skipped: usize,
}

#[derive(Debug)]
struct Entry {
    /// How many had come before it.
    came: u64,
    /// As it was when it was last looked at, if it ever was.
    container: Option<Container>,
    /// Whether it couldn't be looked at the last time.
    unseen: bool,
    /// How many rounds there had been when it was tried last.
    tried: u64,
}

impl Roster {
    pub(super) fn new(provider: &'static str) -> Self {
        Self::of(provider, BYTES)
    }

    fn of(provider: &'static str, most_bytes: usize) -> Self {
        Self {
            entries: BTreeMap::new(),
            came: 0,
            rounds: 0,
            many: Bound::new(provider, None, MOST, "containers"),
            bytes: 0,
            most_bytes,
            much: Bound::new(provider, None, most_bytes, "bytes of containers"),
            round: Round::default(),
            hurried: false,
        }
    }

    /// Those to be looked at, in the order in which they came: first those that could be looked at the last time, or weren't there yet, then those
    /// that couldn't. What isn't listed any more isn't known any more.
    pub(super) fn choose(&mut self, mut listed: Vec<Listed>) -> (Vec<Listed>, Vec<Listed>) {
        let there: BTreeSet<&str> = listed.iter().map(|one| one.id.as_str()).collect();
        self.entries.retain(|id, _| there.contains(id.as_str()));
        for one in &listed {
            if let Some(entry) = self.entries.get_mut(&one.id) {
                entry.container = entry.container.take().map(|container| container.named(one.name()));
            }
        }
        let known = self.entries.values().filter_map(|entry| entry.container.as_ref());
        self.bytes = known.map(Container::bytes).sum();
        self.round = Round::default();
        self.rounds += 1;
        // Of those that come together, the oldest were first.
        listed.sort_by_cached_key(|one| {
            let came = self.entries.get(&one.id).map_or(u64::MAX, |entry| entry.came);
            (came, one.created, one.id.clone())
        });
        listed.dedup_by(|one, other| one.id == other.id);
        self.many.note(listed.get(MOST).map(Listed::name));
        listed.truncate(MOST);
        for one in &listed {
            let came = &mut self.came;
            self.entries.entry(one.id.clone()).or_insert_with(|| {
                *came += 1;
                Entry { came: *came, container: None, unseen: false, tried: 0 }
            });
        }
        let unseen = |one: &Listed| self.entries.get(&one.id).filter(|entry| entry.unseen);
        let (mut doubtful, certain): (Vec<_>, Vec<_>) =
            listed.into_iter().partition(|one| unseen(one).is_some());
        // Where there is no time for all of them, each has its turn.
        doubtful.sort_by_key(|one| unseen(one).map(|entry| entry.tried));
        (certain, doubtful)
    }

    /// There was no time to look at one.
    pub(super) fn skip(&mut self, listed: &Listed) {
        // Of those that are asked for again and again anyhow, most are silent.
        if !self.entries.get(&listed.id).is_some_and(|entry| entry.unseen) {
            self.round.skipped += 1;
        }
    }

    /// Notes what came of looking at one. Gives why it couldn't be looked at, if it couldn't.
    pub(super) fn note(
        &mut self,
        listed: &Listed,
        found: Result<Option<Container>, DaemonError>,
    ) -> Option<DaemonError> {
        let name = shown(listed.name());
        let most = self.most_bytes;
        let entry = self.entries.get_mut(&listed.id)?;
        entry.tried = self.rounds;
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                if !std::mem::replace(&mut entry.unseen, true) {
                    self.round.lost += 1;
                    if self.round.lost <= NAMED {
                        tell_of(&name, &error, entry.container.is_some());
                    }
                }
                return Some(error);
            }
        };
        self.round.seen += 1;
        self.bytes -= entry.container.take().map_or(0, |before| before.bytes());
        let was_unseen = std::mem::take(&mut entry.unseen);
        let Some(container) = found else {
            self.entries.remove(&listed.id);
            return None;
        };
        if was_unseen {
            self.round.found += 1;
            if self.round.found <= NAMED {
                tracing::info!(container = name, "a container can be looked at again");
            }
        }
        let container = container.named(listed.name());
        let bytes = container.bytes();
        if self.bytes + bytes <= most {
            self.bytes += bytes;
            entry.container = Some(container);
        } else {
            self.round.left_out.get_or_insert(name);
        }
        None
    }

    /// All have been looked at, or there is no more time.
    pub(super) fn finish(&mut self) {
        let Round { left_out, lost, found, skipped, .. } = &self.round;
        self.much.note(left_out.as_deref());
        if let Some(more) = lost.checked_sub(NAMED + 1) {
            tracing::warn!(
                more = more + 1,
                "further containers can't be looked at: what was known of them stays"
            );
        }
        if let Some(more) = found.checked_sub(NAMED + 1) {
            tracing::info!(more = more + 1, "further containers can be looked at again");
        }
        if !std::mem::replace(&mut self.hurried, *skipped > 0) && *skipped > 0 {
            tracing::warn!(
                containers = skipped,
                "there was no time to look at all containers: what was known of the others stays"
            );
        }
    }

    /// Whether nothing could be learnt, though there is something to look at.
    pub(super) fn is_blind(&self) -> bool {
        self.round.seen == 0 && !self.entries.is_empty()
    }

    /// What is known of all of them, in the order in which they came.
    pub(super) fn containers(&self) -> impl Iterator<Item = &Container> {
        let mut known: Vec<&Entry> = self.entries.values().collect();
        known.sort_by_key(|entry| entry.came);
        known.into_iter().filter_map(|entry| entry.container.as_ref())
    }

    /// Whether all could be looked at.
    pub(super) fn is_certain(&self) -> bool {
        self.round.skipped == 0 && !self.entries.values().any(|entry| entry.unseen)
    }
}

fn tell_of(container: &str, error: &DaemonError, was_known: bool) {
    if was_known {
        tracing::warn!(container, %error, "a container can't be looked at: its route stays as it was");
    } else {
        tracing::warn!(container, %error, "a container can't be looked at yet: it is no route");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str, created: i64) -> Listed {
        serde_json::from_value(
            serde_json::json!({ "Id": id, "Names": ["/other/alias", format!("/{id}")], "Created": created }),
        )
        .unwrap()
    }

    fn names(chosen: &[Listed]) -> Vec<&str> {
        chosen.iter().map(Listed::name).collect()
    }

    /// All of those to be looked at.
    fn choose(roster: &mut Roster, listed: Vec<Listed>) -> Vec<Listed> {
        let (first, then) = roster.choose(listed);
        first.into_iter().chain(then).collect()
    }

    #[test]
    fn who_came_first_stays_where_there_are_too_many() {
        let mut roster = Roster::new("docker");
        let many =
            |numbers: std::ops::Range<usize>| numbers.map(|number| listed(&format!("m{number:04}"), 7));
        assert_eq!(names(&choose(&mut roster, vec![listed("b", 1), listed("a", 2)])), ["b", "a"]);
        let all = || many(0..MOST).chain([listed("c", 0), listed("a", 2), listed("b", 1)]).collect();
        let chosen = choose(&mut roster, all());
        assert_eq!(chosen.len(), MOST);
        assert_eq!(names(&chosen[..4]), ["b", "a", "c", "m0000"]);
        // An identifier that is before all others, and a container that is older than all others.
        let mut more: Vec<Listed> = all();
        more.push(listed("0", 0));
        assert_eq!(
            names(&choose(&mut roster, more)),
            names(&chosen),
            "nobody who is there loses their place"
        );
        assert_eq!(names(&choose(&mut roster, vec![listed("a", 2), listed("0", 0)])), ["a", "0"]);
    }

    #[test]
    fn names_are_those_of_the_list_for_others_may_be_those_of_another_moment() {
        let mut roster = Roster::new("docker");
        let running = || Ok(Some(Container::default()));
        let called = |id: &str, name: &str| -> Listed {
            serde_json::from_value(serde_json::json!({ "Id": id, "Names": [format!("/{name}")] })).unwrap()
        };
        let names = |roster: &Roster| -> Vec<String> {
            roster.containers().map(|container| container.name().to_owned()).collect()
        };
        for one in choose(&mut roster, vec![called("1", "lobby")]) {
            roster.note(&one, running());
        }
        assert_eq!(names(&roster), ["lobby"]);
        let listed = choose(&mut roster, vec![called("1", "old"), called("2", "lobby")]);
        roster.note(&listed[0], Err(DaemonError::Silent));
        roster.note(&listed[1], running());
        assert_eq!(names(&roster), ["old", "lobby"]);
    }

    #[test]
    fn who_couldnt_be_looked_at_is_looked_at_last_and_whom_there_was_no_time_for_in_turn() {
        let mut roster = Roster::new("docker");
        let all = || ["a", "b", "c"].map(|id| listed(id, 0)).into();
        let (first, then) = roster.choose(all());
        assert_eq!((names(&first), names(&then)), (vec!["a", "b", "c"], vec![]));
        roster.note(&first[0], Err(DaemonError::Silent));
        assert!(roster.is_blind());
        roster.note(&first[1], Ok(Some(Container::default())));
        assert!(!roster.is_blind());
        roster.skip(&first[2]);
        let (first, then) = roster.choose(all());
        assert_eq!((names(&first), names(&then)), (vec!["b", "c"], vec!["a"]));
        for one in first.iter().chain(&then) {
            assert!(!roster.is_certain());
            roster.note(one, Ok(Some(Container::default())));
        }
        assert!(roster.is_certain());
        roster.skip(&first[0]);
        assert!(!roster.is_certain(), "it is asked for again soon");
        // One after the other where nobody answers.
        let _ = roster.choose(all());
        for one in first.iter().chain(&then) {
            roster.note(one, Err(DaemonError::Silent));
        }
        let (_, doubtful) = roster.choose(all());
        roster.note(&doubtful[0], Err(DaemonError::Silent));
        assert_eq!(names(&roster.choose(all()).1), ["b", "c", "a"]);
        assert!(roster.choose(Vec::new()).0.is_empty() && !roster.is_blind(), "there is nobody to look at");
    }

    #[test]
    fn what_is_known_has_a_bound_and_who_was_there_first_stays() {
        let container = |name: &str, bytes: usize| -> Container {
            let labels = serde_json::json!({ "drawbridge.hosts": "x".repeat(bytes) });
            let inspected = serde_json::json!({ "Name": name, "State": { "Status": "running" }, "Config": { "Labels": labels } });
            serde_json::from_value(inspected).unwrap()
        };
        let mut roster = Roster::of("docker", 10_000);
        let look = |roster: &mut Roster, all: &[(&str, usize)]| -> Vec<String> {
            let listed = choose(roster, all.iter().map(|(name, _)| listed(name, 0)).collect());
            for one in &listed {
                let (name, bytes) = all.iter().find(|(name, _)| *name == one.id).unwrap();
                roster.note(one, Ok(Some(container(name, *bytes))));
            }
            roster.finish();
            roster.containers().map(|container| container.name().to_owned()).collect()
        };
        assert_eq!(look(&mut roster, &[("c", 4_000), ("d", 4_000)]), ["c", "d"]);
        assert_eq!(
            look(&mut roster, &[("a", 4_000), ("b", 100), ("c", 4_000), ("d", 4_000)]),
            ["c", "d", "b"]
        );
        assert_eq!(look(&mut roster, &[("a", 4_000), ("b", 100), ("d", 4_000)]), ["d", "a", "b"]);
        // It is looked at again, and gone.
        let chosen = choose(&mut roster, vec![listed("a", 0)]);
        roster.note(&chosen[0], Ok(None));
        assert_eq!((roster.bytes, roster.containers().count()), (0, 0));
    }
}
