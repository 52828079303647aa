//! How many players each route carries.
//!
//! What must stay true: a route's number goes on across reloads, and a route with nobody on it takes no room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The players of each route that has some, by its name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Crowds(Arc<Mutex<HashMap<String, u32>>>);

/// A player's place in the crowd of a route.
#[derive(Debug)]
pub(crate) struct InCrowd {
    crowds: Crowds,
    route: String,
}

impl Crowds {
    /// A place on the route, unless `most` are there.
    pub(crate) fn enter(&self, route: &str, most: Option<u32>) -> Option<InCrowd> {
        let mut routes = self.routes();
        let players = routes.get(route).copied().unwrap_or_default();
        if most.is_some_and(|most| players >= most) {
            return None;
        }
        routes.insert(route.to_owned(), players.saturating_add(1));
        Some(InCrowd { crowds: self.clone(), route: route.to_owned() })
    }

    fn routes(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        // Each change is whole, so that what a panic elsewhere left behind is sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InCrowd {
    fn drop(&mut self) {
        let mut routes = self.crowds.routes();
        match routes.get_mut(&self.route) {
            Some(players) if *players > 1 => *players -= 1,
            _ => drop(routes.remove(&self.route)),
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
        assert_eq!(crowds.routes().len(), 1, "nobody stayed in the arena");
        drop(first);
        assert!(crowds.enter("lobby", Some(2)).is_some());
    }
}
