//! What is known of a namespace: the documents of its marked Services, in the order in which they came.
//!
//! What must stay true: where there are more than can be routes, those that came first are; others wait for their places, as far as there is
//! room to know them.

use crate::desk::Bound;
use drawbridge_model::RouteDocument;
use std::collections::BTreeMap;

/// The most Services that are routes.
const MOST: usize = 2_000;
/// The most that are known, as many as a list has, and the most bytes of their documents.
const KNOWN: (usize, usize) = (drawbridge_kubernetes::MOST, 64 << 20);

/// A namespace and a name.
pub(super) type Key = (String, String);

/// What is known of a namespace.
#[derive(Debug)]
pub(super) struct Seat {
    /// Whether it has been listed, or can't be.
    pub(super) heard: bool,
    pub(super) listed: bool,
    held: BTreeMap<Key, Held>,
    /// How many bytes their documents have.
    bytes: usize,
    /// The first for which there was no room since the last list.
    left_out: Option<String>,
    many: Bound,
    much: Bound,
}

/// A document, and when it came.
#[derive(Debug)]
struct Held {
    /// How many had come before it, to any namespace.
    came: u64,
    document: RouteDocument,
}

impl Seat {
    pub(super) fn new(provider: &'static str, namespace: Option<String>) -> Self {
        Self {
            heard: false,
            listed: false,
            held: BTreeMap::new(),
            bytes: 0,
            left_out: None,
            many: Bound::new(provider, namespace.clone(), MOST, "annotated services"),
            much: Bound::new(provider, namespace, KNOWN.1, "bytes of annotated services"),
        }
    }

    /// These are all, each with when it was made: of those that come together, the oldest were first. `came` counts who comes.
    pub(super) fn replace(&mut self, found: Vec<(Key, String, RouteDocument)>, came: &mut u64) {
        let before = std::mem::take(&mut self.held);
        (self.bytes, self.left_out) = (0, None);
        let mut found: Vec<_> = found
            .into_iter()
            .map(|(key, made, document)| {
                (before.get(&key).map_or(u64::MAX, |held| held.came), made, key, document)
            })
            .collect();
        found.sort_by(|(one, made, key, _), (other, made_other, key_other, _)| {
            (one, made, key).cmp(&(other, made_other, key_other))
        });
        for (rank, _, key, document) in found {
            let rank = if rank == u64::MAX { next(came) } else { rank };
            self.hold(key, rank, document);
        }
        (self.heard, self.listed) = (true, true);
    }

    /// One has come or changed.
    pub(super) fn put(&mut self, key: Key, document: RouteDocument, came: &mut u64) {
        let before = self.take(&key);
        let rank = before.map_or_else(|| next(came), |held| held.came);
        self.hold(key, rank, document);
    }

    /// One has gone.
    pub(super) fn remove(&mut self, key: &Key) {
        drop(self.take(key));
    }

    /// Those that are routes, each with when it came.
    pub(super) fn documents(&self) -> Vec<(u64, &RouteDocument)> {
        let mut all: Vec<_> = self.held.values().map(|held| (held.came, &held.document)).collect();
        all.sort_by_key(|(came, _)| *came);
        self.many.note(all.get(MOST).map(|(_, document)| document.name.as_str()));
        self.much.note(self.left_out.as_deref());
        all.truncate(MOST);
        all
    }

    fn take(&mut self, key: &Key) -> Option<Held> {
        let held = self.held.remove(key)?;
        self.bytes -= held.document.text.len();
        Some(held)
    }

    fn hold(&mut self, key: Key, came: u64, document: RouteDocument) {
        let bytes = self.bytes + document.text.len();
        if self.held.len() < KNOWN.0 && bytes <= KNOWN.1 {
            self.bytes = bytes;
            self.held.insert(key, Held { came, document });
        } else {
            self.left_out.get_or_insert(document.name);
        }
    }
}

fn next(came: &mut u64) -> u64 {
    *came += 1;
    *came
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(namespace: &str, number: usize, made: &str) -> (Key, String, RouteDocument) {
        let name = format!("s{number:04}");
        let document = RouteDocument {
            name: format!("kubernetes:{namespace}/{name}"),
            text: format!("# {namespace}"),
            remarks: Vec::new(),
        };
        ((namespace.to_owned(), name), made.to_owned(), document)
    }

    fn count(seat: &Seat, namespace: &str) -> usize {
        seat.documents().iter().filter(|(_, document)| document.text == format!("# {namespace}")).count()
    }

    const EARLY: &str = "2026-01-01T00:00:00Z";
    const LATE: &str = "2026-02-01T00:00:00Z";

    #[test]
    fn who_came_first_stays_whatever_their_namespace_is_called() {
        let (mut seat, mut came) = (Seat::new("kubernetes", None), 0);
        let first = |made| (0..MOST).map(move |number| service("m", number, made));
        seat.replace(first(LATE).collect(), &mut came);
        // Before them by the alphabet, and older.
        let ((key, _, document), (other, _, later)) = (service("a", 0, EARLY), service("z", 0, EARLY));
        seat.put(key, document, &mut came);
        seat.put(other, later, &mut came);
        assert_eq!([count(&seat, "a"), count(&seat, "m"), count(&seat, "z")], [0, MOST, 0]);
        let others = || (0..3).flat_map(|number| [service("a", number, EARLY), service("z", number, EARLY)]);
        seat.replace(others().chain(first(LATE)).collect(), &mut came);
        assert_eq!(count(&seat, "m"), MOST, "a list changes nothing about it");
        // Who goes makes room for who has waited longest, and who changes keeps their place.
        let (key, _, document) = service("m", 1, LATE);
        seat.put(key, document, &mut came);
        seat.remove(&service("m", 0, LATE).0);
        assert_eq!([count(&seat, "a"), count(&seat, "m"), count(&seat, "z")], [1, MOST - 1, 0]);
        seat.replace(others().collect(), &mut came);
        assert_eq!([count(&seat, "a"), count(&seat, "m"), count(&seat, "z")], [3, 0, 3]);
    }

    #[test]
    fn of_those_that_come_together_the_oldest_are_first() {
        let (mut seat, mut came) = (Seat::new("kubernetes", None), 0);
        let of = |namespace, made| (0..MOST).map(move |number| service(namespace, number, made));
        seat.replace(of("a", LATE).chain(of("z", EARLY)).collect(), &mut came);
        assert_eq!((count(&seat, "a"), count(&seat, "z")), (0, MOST));
    }

    #[test]
    fn what_is_known_has_a_bound() {
        let (mut seat, mut came) = (Seat::new("kubernetes", None), 0);
        let long = |number: usize, bytes: usize| {
            let (key, made, document) = service("m", number, EARLY);
            (key, made, RouteDocument { text: "#".repeat(bytes), ..document })
        };
        seat.replace(vec![long(0, KNOWN.1 - 10), long(1, 11), long(2, 10)], &mut came);
        assert_eq!((seat.documents().len(), seat.bytes), (2, KNOWN.1));
        assert_eq!(seat.left_out.as_deref(), Some("kubernetes:m/s0001"));
        seat.remove(&long(0, 0).0);
        let (key, _, document) = long(1, 11);
        seat.put(key, document, &mut came);
        assert_eq!((seat.documents().len(), seat.bytes), (2, 21));
    }
}
