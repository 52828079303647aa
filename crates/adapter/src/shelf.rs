//! What adapters share beyond a snapshot, so that a reload finds it again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Things by what they are known by, as long as somebody keeps them.
#[derive(Debug)]
pub struct Shelf<K, V>(Mutex<HashMap<K, Weak<V>>>);

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, V> Shelf<K, V> {
    /// The thing of this key, made where nobody keeps it yet.
    pub fn get(&self, key: &K, make: impl FnOnce() -> V) -> Arc<V> {
        // Each change of the map is whole, so that what a panic elsewhere left behind is sound.
        let mut things = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thing) = things.get(key).and_then(Weak::upgrade) {
            return thing;
        }
        things.retain(|_, thing| thing.strong_count() > 0);
        let thing = Arc::new(make());
        things.insert(key.clone(), Arc::downgrade(&thing));
        thing
    }
}
