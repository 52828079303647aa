//! The containers that the daemon lists, in the order in which they came, and what is known of each.
//!
//! What must stay true: a container that can't be looked at for the moment is known as it was, until it is gone; where there are too many, those
//! that came first stay.

use super::container::Container;
use super::daemon::{DaemonError, Listed};
use crate::desk::Bound;
use crate::labels::shown;
use std::collections::{BTreeMap, BTreeSet};

/// The most containers that are looked at.
const MOST: usize = 2_000;

/// Containers by their identifiers.
#[derive(Debug)]
pub(super) struct Roster {
    entries: BTreeMap<String, Entry>,
    /// How many have come so far.
    came: u64,
    many: Bound,
}

#[derive(Debug)]
struct Entry {
    /// How many had come before it.
    came: u64,
    /// As it was when it was last looked at, if it ever was.
    container: Option<Container>,
    /// Whether it couldn't be looked at the last time.
    unseen: bool,
}

impl Roster {
    pub(super) fn new(provider: &'static str) -> Self {
        Self { entries: BTreeMap::new(), came: 0, many: Bound::new(provider, None, MOST, "containers") }
    }

    /// Those to be looked at, in the order in which they came. What isn't listed any more isn't known any more.
    pub(super) fn choose(&mut self, mut listed: Vec<Listed>) -> Vec<Listed> {
        let there: BTreeSet<&str> = listed.iter().map(|one| one.id.as_str()).collect();
        self.entries.retain(|id, _| there.contains(id.as_str()));
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
                Entry { came: *came, container: None, unseen: false }
            });
        }
        listed
    }

    /// Notes what came of looking at one.
    pub(super) fn note(&mut self, listed: &Listed, found: Result<Option<Container>, DaemonError>) {
        let name = shown(listed.name());
        let Some(entry) = self.entries.get_mut(&listed.id) else { return };
        match found {
            Ok(Some(container)) => {
                entry.container = Some(container);
                if std::mem::take(&mut entry.unseen) {
                    tracing::info!(container = name, "a container can be looked at again");
                }
            }
            Ok(None) => drop(self.entries.remove(&listed.id)),
            Err(_) if entry.unseen => {}
            Err(error) => {
                entry.unseen = true;
                if entry.container.is_some() {
                    tracing::warn!(
                        container = name,
                        %error,
                        "a container can't be looked at: its route stays as it was"
                    );
                } else {
                    tracing::warn!(container = name, %error, "a container can't be looked at yet: it is no route");
                }
            }
        }
    }

    /// What is known of all of them, in the order in which they came.
    pub(super) fn containers(&self) -> impl Iterator<Item = &Container> {
        let mut known: Vec<&Entry> = self.entries.values().collect();
        known.sort_by_key(|entry| entry.came);
        known.into_iter().filter_map(|entry| entry.container.as_ref())
    }

    /// Whether all could be looked at.
    pub(super) fn is_certain(&self) -> bool {
        !self.entries.values().any(|entry| entry.unseen)
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

    #[test]
    fn who_came_first_stays_where_there_are_too_many() {
        let mut roster = Roster::new("docker");
        let many =
            |numbers: std::ops::Range<usize>| numbers.map(|number| listed(&format!("m{number:04}"), 7));
        assert_eq!(names(&roster.choose(vec![listed("b", 1), listed("a", 2)])), ["b", "a"]);
        let all = || many(0..MOST).chain([listed("c", 0), listed("a", 2), listed("b", 1)]).collect();
        let chosen = roster.choose(all());
        assert_eq!(chosen.len(), MOST);
        assert_eq!(names(&chosen[..4]), ["b", "a", "c", "m0000"]);
        // An identifier that is before all others, and a container that is older than all others.
        let mut more: Vec<Listed> = all();
        more.push(listed("0", 0));
        assert_eq!(names(&roster.choose(more)), names(&chosen), "nobody who is there loses their place");
        assert_eq!(names(&roster.choose(vec![listed("a", 2), listed("0", 0)])), ["a", "0"]);
    }
}
