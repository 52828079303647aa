//! What adapters that speak gRPC share across snapshots.

use crate::endpoint::{Connections, Endpoint};
use crate::peers::Peers;
use crate::service::Service;
use drawbridge_adapter::background::Background;
use drawbridge_adapter::shelf::Shelf;
use std::sync::Arc;

/// One for a process, cheap to clone: a reload finds the connections of the snapshot before.
#[derive(Debug, Clone, Default)]
pub struct Grpc(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    background: Arc<Background>,
    peers: Shelf<Connections, Peers>,
}

impl Grpc {
    /// What it does by itself, it does in `background`.
    #[must_use]
    pub fn new(background: Arc<Background>) -> Self {
        Self(Arc::new(Shared { background, peers: Shelf::default() }))
    }

    /// The service at an endpoint; its connections are the same for all who ask while one of them keeps it.
    #[must_use]
    pub fn service(&self, endpoint: &Endpoint) -> Service {
        let connections = endpoint.connections();
        let peers = self.0.peers.get(&connections, || Peers::new(&connections, &self.0.background));
        Service::new(endpoint, peers)
    }
}
