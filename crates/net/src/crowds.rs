//! How many connections are carried, by the name of whatever carries them: a route, a target.
//!
//! What must stay true: a number goes on across reloads, and a name with nobody under it takes no room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The connections under each name that has some; every clone is the same.
#[derive(Debug, Clone, Default)]
pub struct Crowds(Arc<Mutex<HashMap<String, u32>>>);

/// A connection's place in a crowd, until it is dropped.
#[derive(Debug)]
pub struct InCrowd {
    crowds: Crowds,
    name: String,
}

impl Crowds {
    /// A place under this name, unless `most` are there.
    #[must_use]
    pub fn enter(&self, name: impl Into<String>, most: Option<u32>) -> Option<InCrowd> {
        let name = name.into();
        let mut crowds = self.crowds();
        let count = crowds.get(&name).copied().unwrap_or_default();
        if most.is_some_and(|most| count >= most) {
            return None;
        }
        crowds.insert(name.clone(), count.saturating_add(1));
        Some(InCrowd { crowds: self.clone(), name })
    }

    /// How many are there.
    #[must_use]
    pub fn count(&self, name: &str) -> u32 {
        self.crowds().get(name).copied().unwrap_or_default()
    }

    fn crowds(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        // Each change is whole, so that what a panic elsewhere left behind is sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InCrowd {
    fn drop(&mut self) {
        let mut crowds = self.crowds.crowds();
        match crowds.get_mut(&self.name) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(crowds.remove(&self.name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_player_leaves() {
        let crowds = Crowds::default();
        let first = crowds.enter("lobby", Some(2)).unwrap();
        let _second = crowds.enter("lobby", Some(2)).unwrap();
        assert!(crowds.enter("lobby", Some(2)).is_none());
        assert!(crowds.enter("arena", Some(2)).is_some());
        assert_eq!(crowds.crowds().len(), 1, "nobody stayed in the arena");
        assert_eq!((crowds.count("lobby"), crowds.count("arena")), (2, 0));
        drop(first);
        assert!(crowds.enter("lobby", Some(2)).is_some());
    }
}
