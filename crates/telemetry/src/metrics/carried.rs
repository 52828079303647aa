//! The players who are carried, by route and target, as they are right now: a target that nobody is carried to is not told of, since a
//! discovery may name a new one for every player.

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most pairs that are told apart at once; further ones are counted together.
const PAIRS: usize = 1000;
/// What all others are counted as.
const OTHER: &str = "other";

/// How many are carried, by route and target.
static CARRIED: Mutex<Option<Counts>> = Mutex::new(None);

type Counts = HashMap<Pair, u64>;

/// A route and a target.
type Pair = (String, String);

/// A player who is carried, until this is dropped.
#[derive(Debug)]
#[must_use = "dropping it ends the count"]
pub struct CountedPassenger(Option<Pair>);

impl CountedPassenger {
    /// Counts nothing.
    pub(super) const fn nowhere() -> Self {
        Self(None)
    }

    pub(super) fn new(route: &str, target: &str) -> Self {
        let mut carried = carried();
        let counts = carried.get_or_insert_default();
        let mut pair = (route.to_owned(), target.to_owned());
        if counts.len() >= PAIRS && !counts.contains_key(&pair) {
            pair = (OTHER.to_owned(), OTHER.to_owned());
        }
        *counts.entry(pair.clone()).or_default() += 1;
        Self(Some(pair))
    }
}

impl Drop for CountedPassenger {
    fn drop(&mut self) {
        let Some(pair) = self.0.take() else { return };
        let mut carried = carried();
        let counts = carried.get_or_insert_default();
        match counts.get_mut(&pair) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&pair)),
        }
    }
}

fn carried() -> MutexGuard<'static, Option<Counts>> {
    // Each change is whole, so that what a panic elsewhere left behind is sound.
    CARRIED.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn observe(meter: &Meter) {
    let _ = meter
        .u64_observable_gauge("drawbridge.target.players.carried")
        .with_description("Players whose connection is carried, by target")
        .with_callback(|seen| {
            for ((route, target), count) in carried().iter().flatten() {
                let labels = [("route", route), ("target", target)];
                seen.observe(*count, &labels.map(|(key, value)| KeyValue::new(key, value.clone())));
            }
        })
        .build();
}
