//! Counts by route and target, which are named by configuration and by discovery: of the latter there may be a new one for every
//! player, so that those beyond a bound are counted together.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, Counter};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// The most targets with a count of their own, over all routes.
const TARGETS: usize = 500;
/// The most routes, of all configurations that there were.
const ROUTES: usize = 500;
/// What all others are counted as.
const OTHER: &str = "other";

/// A count for each route and target.
#[derive(Debug)]
pub(super) struct Pairs {
    counter: Counter<u64>,
    counts: Mutex<Counts>,
}

/// The routes that are told apart where something is counted by route alone.
#[derive(Debug, Default)]
pub(super) struct Routes(Mutex<HashSet<String>>);

impl Routes {
    /// The route's label.
    pub(super) fn label(&self, route: &str) -> KeyValue {
        // Each change is whole, so that what a panic elsewhere left behind is sound.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(route) {
            if known.len() >= ROUTES {
                return KeyValue::new("route", OTHER);
            }
            known.insert(route.to_owned());
        }
        KeyValue::new("route", route.to_owned())
    }
}

#[derive(Debug, Default)]
struct Counts {
    routes: HashMap<String, HashMap<String, BoundCounter<u64>>>,
    targets: usize,
}

impl Pairs {
    pub(super) fn new(counter: Counter<u64>) -> Self {
        Self { counter, counts: Mutex::default() }
    }

    pub(super) fn add(&self, route: &str, target: &str) {
        // Each change is whole, so that what a panic elsewhere left behind is sound.
        let counts = &mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.routes.get(route).and_then(|targets| targets.get(target)) {
            return count.add(1);
        }
        let known = counts.routes.contains_key(route) || counts.routes.len() < ROUTES;
        let route = if known { route } else { OTHER };
        let targets = counts.routes.entry(route.to_owned()).or_default();
        let target = if known && counts.targets < TARGETS { target } else { OTHER };
        if !targets.contains_key(target) && target != OTHER {
            counts.targets += 1;
        }
        let bind = || {
            let labels = [("route", route), ("target", target)];
            self.counter.bind(&labels.map(|(key, value)| KeyValue::new(key, value.to_owned())))
        };
        targets.entry(target.to_owned()).or_insert_with(bind).add(1);
    }
}
