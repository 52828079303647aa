//! What is known of a namespace: the documents of its marked Services, in the order in which they came.
//!
//! What must stay true: where there are more than can be routes, those that came first are; others wait for their places, as far as there is
//! room to know them.

use super::found::{Found, Route};
use crate::desk::{Bound, bytes};
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
    /// How many bytes their documents have, of so many at most.
    bytes: usize,
    most_bytes: usize,
    /// The first for which there was no room since the last list.
    left_out: Option<String>,
    /// Whether the list that is being read, and the last one, have more than are looked at.
    cutting: bool,
    cut: bool,
    /// Whether there may be room by now for who was left out or not looked at, which another list would tell.
    pub(super) roomy: bool,
    listing: Bound,
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
        Self::of(provider, namespace, KNOWN.1)
    }

    fn of(provider: &'static str, namespace: Option<String>, most_bytes: usize) -> Self {
        Self {
            heard: false,
            listed: false,
            held: BTreeMap::new(),
            bytes: 0,
            most_bytes,
            left_out: None,
            cutting: false,
            cut: false,
            roomy: false,
            listing: Bound::new(provider, namespace.clone(), KNOWN.0, "services")
                .with_fate("those that come last in their list aren't looked at"),
            many: Bound::new(provider, namespace.clone(), MOST, "annotated services"),
            much: Bound::new(provider, namespace, most_bytes, "bytes of annotated services"),
        }
    }

    /// Leaves out of a list what there would be no room for: those that came last.
    pub(super) fn trim(&self, found: &mut [Found]) {
        if found.iter().map(Found::bytes).sum::<usize>() <= self.most_bytes {
            return;
        }
        found.sort_by_cached_key(|found| self.turn(found));
        let mut room = self.most_bytes;
        for found in found {
            match room.checked_sub(found.bytes()) {
                Some(left) => room = left,
                None => found.leave_out(),
            }
        }
    }

    /// Where it stands in line: of those that come together, the oldest were first.
    fn turn(&self, Found { key, made, .. }: &Found) -> (u64, String, Key) {
        (self.held.get(key).map_or(u64::MAX, |held| held.came), made.clone(), key.clone())
    }

    /// The list that is being read has more than are looked at.
    pub(super) const fn cut(&mut self) {
        self.cutting = true;
    }

    /// These are all. `came` counts who comes.
    pub(super) fn replace(&mut self, mut found: Vec<Found>, came: &mut u64) {
        found.sort_by_cached_key(|found| self.turn(found));
        let before = std::mem::take(&mut self.held);
        (self.bytes, self.left_out, self.roomy) = (0, None, false);
        for Found { key, route, .. } in found {
            match route {
                Route::Document(document) => {
                    let rank = before.get(&key).map_or_else(|| next(came), |held| held.came);
                    self.hold(key, rank, document);
                }
                Route::LeftOut(name) => {
                    self.left_out.get_or_insert(name);
                }
                Route::None => {}
            }
        }
        (self.heard, self.listed) = (true, true);
        self.cut = std::mem::take(&mut self.cutting);
        if self.cut { self.listing.exceeded(None) } else { self.listing.held() }
    }

    /// One has come or changed.
    pub(super) fn put(&mut self, key: Key, document: RouteDocument, came: &mut u64) {
        self.change(|seat| {
            let before = seat.take(&key);
            let rank = before.map_or_else(|| next(came), |held| held.came);
            seat.hold(key, rank, document);
        });
    }

    /// One is no route any more.
    pub(super) fn remove(&mut self, key: &Key) {
        self.change(|seat| drop(seat.take(key)));
    }

    /// One has gone, whether it was a route or not.
    pub(super) fn gone(&mut self, key: &Key) {
        self.remove(key);
        self.roomy |= self.cut;
    }

    /// Does something that may make room for those who were left out before.
    fn change(&mut self, change: impl FnOnce(&mut Self)) {
        let (bytes, waited) = (self.bytes, self.left_out.is_some());
        change(self);
        self.roomy |= waited && self.bytes < bytes;
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
        self.bytes -= bytes(&held.document);
        Some(held)
    }

    fn hold(&mut self, key: Key, came: u64, document: RouteDocument) {
        let bytes = self.bytes + bytes(&document);
        if self.held.len() < KNOWN.0 && bytes <= self.most_bytes {
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
    use drawbridge_model::Remark;

    fn service(namespace: &str, number: usize, made: &str) -> Found {
        let name = format!("s{number:04}");
        let document = RouteDocument {
            name: format!("kubernetes:{namespace}/{name}"),
            text: format!("# {namespace}"),
            remarks: Vec::new(),
        };
        let key = (namespace.to_owned(), name);
        Found { key, version: String::new(), made: made.to_owned(), route: Route::Document(document) }
    }

    fn long(namespace: &str, number: usize, made: &str, bytes: usize) -> Found {
        let mut found = service(namespace, number, made);
        if let Route::Document(document) = &mut found.route {
            document.text = "#".repeat(bytes);
        }
        found
    }

    fn put(seat: &mut Seat, found: Found, came: &mut u64) {
        match found.route {
            Route::Document(document) => seat.put(found.key, document, came),
            route => panic!("{route:?}"),
        }
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
        put(&mut seat, service("a", 0, EARLY), &mut came);
        put(&mut seat, service("z", 0, EARLY), &mut came);
        assert_eq!([count(&seat, "a"), count(&seat, "m"), count(&seat, "z")], [0, MOST, 0]);
        let others = || (0..3).flat_map(|number| [service("a", number, EARLY), service("z", number, EARLY)]);
        seat.replace(others().chain(first(LATE)).collect(), &mut came);
        assert_eq!(count(&seat, "m"), MOST, "a list changes nothing about it");
        // Who goes makes room for who has waited longest, and who changes keeps their place.
        put(&mut seat, service("m", 1, LATE), &mut came);
        seat.remove(&service("m", 0, LATE).key);
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
        let (mut seat, mut came) = (Seat::of("kubernetes", None, 1_000), 0);
        let long = |number: usize, bytes: usize| long("m", number, EARLY, bytes);
        seat.replace(vec![long(0, 990), long(1, 11), long(2, 10)], &mut came);
        assert_eq!((seat.documents().len(), seat.bytes), (2, 1_000));
        assert_eq!(seat.left_out.as_deref(), Some("kubernetes:m/s0001"));
        seat.remove(&long(0, 0).key);
        put(&mut seat, long(1, 11), &mut came);
        assert_eq!((seat.documents().len(), seat.bytes), (2, 21));
        let remark = Remark { line: 1, fatal: true, message: "#".repeat(500), help: "#".repeat(500) };
        let mut wordy = long(3, 1);
        if let Route::Document(document) = &mut wordy.route {
            document.remarks.push(remark);
        }
        put(&mut seat, wordy, &mut came);
        assert_eq!((seat.documents().len(), seat.bytes), (2, 21), "what is wrong with it counts too");
    }

    #[test]
    fn room_for_who_was_left_out_is_noticed() {
        let (mut seat, mut came) = (Seat::of("kubernetes", None, 1_000), 0);
        let long = |number: usize, bytes: usize| long("m", number, EARLY, bytes);
        let list = || vec![long(0, 500), long(1, 400), long(2, 300)];
        seat.replace(list(), &mut came);
        for (change, roomy) in [(long(0, 500), false), (long(0, 600), false), (long(0, 550), true)] {
            put(&mut seat, change, &mut came);
            assert_eq!(seat.roomy, roomy);
        }
        seat.replace(list(), &mut came);
        assert!(!seat.roomy);
        seat.gone(&long(2, 0).key);
        assert!(!seat.roomy, "who was left out made no room");
        seat.remove(&long(1, 0).key);
        assert!(seat.roomy);
        // Nobody waits for room.
        seat.replace(list().split_off(1), &mut came);
        seat.remove(&long(1, 0).key);
        assert!(!seat.roomy);
        // Who wasn't looked at may come after any other.
        seat.cut();
        seat.replace(list().split_off(1), &mut came);
        seat.remove(&long(1, 0).key);
        assert!(!seat.roomy, "it is still in the list");
        seat.gone(&("f".to_owned(), "foreign".to_owned()));
        assert!(seat.roomy);
    }

    #[test]
    fn a_list_is_never_held_beyond_the_bound() {
        let (mut seat, mut came) = (Seat::of("kubernetes", None, 1_000), 0);
        seat.replace(vec![long("z", 0, LATE, 400)], &mut came);
        let mut list: Vec<Found> = Vec::new();
        for page in 0..4 {
            // The later pages have the older ones.
            let made = format!("2026-01-{:02}T00:00:00Z", 9 - page);
            list.extend((0..50).map(|number| long("m", page * 50 + number, &made, 100)));
            list.extend((0..50).map(|number| Found { route: Route::None, ..service("f", number, EARLY) }));
            seat.trim(&mut list);
            assert_eq!(list.iter().map(Found::bytes).sum::<usize>(), 1_000, "page {page}");
        }
        list.push(long("z", 0, LATE, 400));
        seat.trim(&mut list);
        seat.replace(list, &mut came);
        let names: Vec<_> = seat.documents().iter().map(|(_, document)| document.name.as_str()).collect();
        let numbers = 150..156;
        let oldest = numbers.map(|number| format!("kubernetes:m/s{number:04}"));
        let first = std::iter::once("kubernetes:z/s0000".to_owned());
        assert_eq!(names, first.chain(oldest).collect::<Vec<_>>());
        assert_eq!(seat.left_out.as_deref(), Some("kubernetes:m/s0156"), "the first of many");
    }
}
