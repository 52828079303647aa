//! A status that somebody else is asked for, shared by all who look at the same list: one question at a time for each key.
//!
//! Worked example with `cache = "1s"` and `patience = "1s"`, where an answer takes 2 s: a ping at 0.0 s begins the question and is
//! shown the text of the state at 1.0 s; so is one at 0.5 s, at 1.5 s. From 2.0 s on all are shown the answer. At 3.0 s it
//! is a second old: that ping begins the next question and is shown the old answer, as all are until 5.0 s.
//!
//! What must stay true: clients choose their host and version, so neither the keys that are kept nor the questions that are asked
//! grow beyond a bound, whatever they say, and what is shown to others stays. Who comes with a new key when there is no room for it
//! is shown the text of the state: another host's answer may be nothing for them.

use super::states::{OnStatusError, StateSection};
use crate::background::{Background, Running};
use crate::guard::Guard;
use async_trait::async_trait;
use drawbridge_model::status::ShownProtocol;
use drawbridge_model::{AdapterError, Client, StatusAdapter, StatusDocument};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_telemetry::metrics::{self, StatusCache};
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// The most keys that are kept. Of those whose answer is old, the one that was looked at longest ago makes room. A document may
/// have 100 KB.
const KEYS: usize = 128;
/// The most keys that become new in a second.
const NEW_KEYS: u32 = 16;
const SECOND: Duration = Duration::from_secs(1);
/// The most questions under way for one adapter.
const QUESTIONS: usize = 32;
/// How long a failure is believed before somebody asks again, at least.
const FAILED: Duration = Duration::from_secs(1);

/// How answers are kept.
#[derive(Debug, Clone)]
pub struct Caching {
    /// How long an answer is shown before it is asked for anew; zero: every ping asks.
    pub cache: Duration,
    /// How long a ping waits for the first answer.
    pub patience: Duration,
    /// What is shown when there is none.
    pub on_error: OnStatusError,
    /// The text of that state.
    pub unreachable: StateSection,
}

/// Asks a status adapter once for many.
#[derive(Debug)]
pub struct Cached {
    house: Arc<House>,
    entries: Arc<Mutex<Entries>>,
    background: Arc<Background>,
}

/// What questions need.
#[derive(Debug)]
struct House {
    adapter: Box<dyn StatusAdapter>,
    guard: Guard,
    caching: Caching,
    unreachable: Arc<StatusDocument>,
}

/// What a status may depend on: the host, and the version as far as it is known; all others are alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    host: String,
    version: Option<ProtocolVersion>,
}

/// The number that clients are shown who share an answer with one of this version, which is `told` a number. Where a version that no
/// release has is told its own, so are the others that no release has.
#[must_use]
pub fn shown_to_class(told: i32, version: ProtocolVersion) -> ShownProtocol {
    // Who doesn't say a number is asked for as 0.
    let own = !version.is_known() && (told == version.0 || told == version.0.max(0));
    let (min, max) = if own { (0, 0) } else { (i32::MAX, i32::MAX) };
    ShownProtocol { min, max, preferred: told }
}

/// A document, or no answer at all.
type Answer = Option<Arc<StatusDocument>>;

/// What is known, by what it may depend on.
#[derive(Debug, Default)]
struct Entries {
    of: HashMap<Key, Entry>,
    /// When the second began in which so many keys are new.
    second: Option<Instant>,
    new: u32,
}

#[derive(Debug)]
struct Entry {
    /// The last answer and since when it is there.
    answer: Option<(Answer, Instant)>,
    failed: Option<Instant>,
    question: Option<Question>,
    looked_at: Instant,
    /// Whether it was looked at more than once.
    comes_back: bool,
}

/// A question under way; it ends with this.
#[derive(Debug)]
struct Question {
    done: watch::Receiver<()>,
    _running: Running,
}

/// What a ping finds.
enum Found {
    Answer {
        answer: Answer,
        fresh: bool,
    },
    /// Nothing yet, but a question is under way.
    Soon(watch::Receiver<()>),
    Nothing,
}

impl Found {
    const fn label(&self) -> StatusCache {
        match self {
            Self::Answer { fresh: true, .. } => StatusCache::Hit,
            Self::Answer { fresh: false, .. } => StatusCache::Stale,
            Self::Soon(_) | Self::Nothing => StatusCache::Miss,
        }
    }
}

impl Cached {
    /// Asks `adapter`, behind `guard`; questions run in `background`. Without a cache a ping waits as long as the guard does.
    #[must_use]
    pub fn new(
        adapter: impl StatusAdapter + 'static,
        guard: Guard,
        caching: Caching,
        background: Arc<Background>,
    ) -> Self {
        let unreachable = Arc::new(caching.unreachable.document());
        let house = House { adapter: Box::new(adapter), guard, caching, unreachable };
        Self { house: Arc::new(house), entries: Arc::default(), background }
    }

    /// What is there for this client now; begins a question where one is due.
    fn look(&self, key: &Key, client: &Client) -> Found {
        let (now, caching) = (Instant::now(), &self.house.caching);
        let mut entries = lock(&self.entries);
        if entries.is_due(key, caching, now) {
            let may_ask = entries.under_way() < QUESTIONS;
            let Some(entry) = entries.entry(key, caching, now) else { return Found::Nothing };
            if may_ask {
                entry.question = Some(self.ask(key.clone(), client.clone()));
            }
        }
        let Some(entry) = entries.of.get_mut(key) else { return Found::Nothing };
        entry.comes_back |= entry.looked_at != now;
        entry.looked_at = now;
        entry.found(caching, now)
    }

    /// What there is once somebody was waited for.
    fn look_again(&self, key: &Key) -> Found {
        let entries = lock(&self.entries);
        entries.of.get(key).map_or(Found::Nothing, |entry| entry.found(&self.house.caching, Instant::now()))
    }

    fn ask(&self, key: Key, client: Client) -> Question {
        let (told, done) = watch::channel(());
        let (house, entries) = (Arc::clone(&self.house), Arc::downgrade(&self.entries));
        let running = self.background.run(async move {
            let answer = house.guard.ask(house.adapter.status(&client)).await;
            house.settle(&entries, &key, answer);
            // Whoever waits is told by its going away.
            drop(told);
        });
        Question { done, _running: running }
    }
}

impl House {
    /// Puts down what a question came to.
    fn settle(&self, entries: &Weak<Mutex<Entries>>, key: &Key, answer: Result<Answer, AdapterError>) {
        let Some(entries) = entries.upgrade() else { return };
        let mut entries = lock(&entries);
        let Some(entry) = entries.of.get_mut(key) else { return };
        entry.question = None;
        let now = Instant::now();
        match answer {
            Ok(answer) => {
                entry.answer = Some((answer, now));
                entry.failed = None;
            }
            Err(error) => {
                entry.failed = Some(now);
                if self.caching.on_error == OnStatusError::States {
                    entry.answer = None;
                }
                self.guard.tell(&error, "a status can't be had");
            }
        }
    }
}

impl Entry {
    fn found(&self, caching: &Caching, now: Instant) -> Found {
        match (&self.answer, &self.question) {
            (Some((answer, since)), _) => {
                let fresh = now.saturating_duration_since(*since) < caching.cache;
                Found::Answer { answer: answer.clone(), fresh }
            }
            (None, Some(question)) => Found::Soon(question.done.clone()),
            (None, None) => Found::Nothing,
        }
    }

    const fn new(now: Instant) -> Self {
        Self { answer: None, failed: None, question: None, looked_at: now, comes_back: false }
    }

    /// Whether it is time to ask.
    fn is_due(&self, caching: &Caching, now: Instant) -> bool {
        let younger = |since: Instant, age| now.saturating_duration_since(since) < age;
        let fresh = self.answer.as_ref().is_some_and(|(_, since)| younger(*since, caching.cache));
        let failed = self.failed.is_some_and(|since| younger(since, caching.cache.max(FAILED)));
        !fresh && !failed
    }
}

impl Entries {
    /// Whether it is time to ask for a key, and nobody does.
    fn is_due(&self, key: &Key, caching: &Caching, now: Instant) -> bool {
        self.of.get(key).is_none_or(|entry| entry.question.is_none() && entry.is_due(caching, now))
    }

    /// How many questions are under way.
    fn under_way(&self) -> usize {
        self.of.values().filter(|entry| entry.question.is_some()).count()
    }

    /// The entry of a key, which may be new if there is room for it.
    fn entry(&mut self, key: &Key, caching: &Caching, now: Instant) -> Option<&mut Entry> {
        if !self.of.contains_key(key) {
            if !self.take_in(caching, now) {
                return None;
            }
            self.of.insert(key.clone(), Entry::new(now));
        }
        self.of.get_mut(key)
    }

    /// Whether there is room for a new key, which may be made by forgetting one.
    fn take_in(&mut self, caching: &Caching, now: Instant) -> bool {
        if self.second.is_none_or(|since| now.saturating_duration_since(since) >= SECOND) {
            (self.second, self.new) = (Some(now), 0);
        }
        if self.new >= NEW_KEYS || !self.make_room(caching, now) {
            return false;
        }
        self.new += 1;
        true
    }

    fn make_room(&mut self, caching: &Caching, now: Instant) -> bool {
        if self.of.len() < KEYS {
            return true;
        }
        let old = self.of.iter().filter(|(_, entry)| entry.question.is_none() && entry.is_due(caching, now));
        // Who is looked at again and again stays before whoever came once.
        let oldest =
            old.min_by_key(|(_, entry)| (entry.comes_back, entry.looked_at)).map(|(key, _)| key.clone());
        oldest.is_some_and(|key| self.of.remove(&key).is_some())
    }
}

fn lock(entries: &Mutex<Entries>) -> MutexGuard<'_, Entries> {
    // Each change is whole, so that what a panic elsewhere left behind is sound.
    entries.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl StatusAdapter for Cached {
    async fn status(&self, client: &Client) -> Result<Answer, AdapterError> {
        if self.house.caching.cache.is_zero() {
            return Ok(self.house.at_once(client).await);
        }
        let key = Key {
            host: client.host.clone(),
            version: Some(client.version).filter(|version| version.is_known()),
        };
        let mut found = self.look(&key, client);
        metrics::status_looked_up(found.label());
        if let Found::Soon(mut done) = found {
            // An error says that the question is answered, too.
            let _ = timeout(self.house.caching.patience, done.changed()).await;
            found = self.look_again(&key);
        }
        Ok(match found {
            Found::Answer { answer, .. } => answer,
            Found::Soon(_) | Found::Nothing => Some(Arc::clone(&self.house.unreachable)),
        })
    }
}

impl House {
    /// Asks for this ping alone.
    async fn at_once(&self, client: &Client) -> Answer {
        match self.guard.ask(self.adapter.status(client)).await {
            Ok(answer) => answer,
            Err(error) => {
                self.guard.tell(&error, "a status can't be had");
                Some(Arc::clone(&self.unreachable))
            }
        }
    }
}

#[cfg(test)]
mod tests;
