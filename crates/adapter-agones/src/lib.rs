//! Discovery by Agones: a game server allocated for each player, and watched fleets that players share.
//!
//! - [`allocation`] asks for a game server of the player's own; [`watch`] knows the game servers that are there.
//! - [`Agones`] is what both share across snapshots: connections to clusters, and what is watched.
//!
//! What must stay true: everything that a cluster answers is read within a bound; nothing is asked for a player who has left,
//! and a game server that was allocated for one all the same is looked after; nothing is read or opened before somebody asks.

#![forbid(unsafe_code)]

pub mod allocation;
mod game_server;
mod orphans;
mod template;
pub mod watch;

pub use drawbridge_kubernetes::ApiError;

use drawbridge_adapter::background::Background;
use drawbridge_adapter::shelf::Shelf;
use drawbridge_kubernetes::{Cluster, ClusterName};
use orphans::Orphans;
use std::sync::Arc;
use watch::{Fleet, Watch};

/// One for a process, cheap to clone: a reload finds the connections of the snapshot before, and what it had watched.
#[derive(Debug, Clone)]
pub struct Agones(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    background: Arc<Background>,
    clusters: Shelf<ClusterName, Cluster>,
    watches: Shelf<Fleet, Watch>,
    orphans: Arc<Orphans>,
}

impl Agones {
    /// What it does by itself, it does in `background`.
    #[must_use]
    pub fn new(background: Arc<Background>) -> Self {
        let orphans = Arc::new(Orphans::new(Arc::clone(&background)));
        Self(Arc::new(Shared { background, clusters: Shelf::default(), watches: Shelf::default(), orphans }))
    }

    /// The cluster there, the same for all who ask while one of them keeps it.
    fn cluster(&self, name: &ClusterName) -> Arc<Cluster> {
        self.0.clusters.get(name, || Cluster::new(name.clone()))
    }

    /// What is known of the fleet, the same for all who ask while one of them keeps it.
    fn watch(&self, fleet: &Fleet) -> Arc<Watch> {
        let cluster = self.cluster(&fleet.cluster);
        self.0.watches.get(fleet, || Watch::start(fleet.clone(), cluster, &self.0.background))
    }

    fn orphans(&self) -> Arc<Orphans> {
        Arc::clone(&self.0.orphans)
    }
}
