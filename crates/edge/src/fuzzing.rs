//! An edge that nobody connects to but fuzzing, which has a socket for each connection and polls what becomes of it.

use crate::front;
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use drawbridge_model::Bans;
use drawbridge_net::{Continuation, Socket};
use std::io;
use std::sync::Arc;

/// An edge without listeners or threads, whose connections are driven by whoever fuzzes it.
pub struct LooseEdge(Arc<Shared>);

impl LooseEdge {
    /// With one thread for key exchanges.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(snapshot: Snapshot, bans: Arc<dyn Bans>) -> io::Result<Self> {
        Shared::new(snapshot, bans, 1).map(Arc::new).map(Self)
    }

    /// Waits until keys can be exchanged; whether they ever can.
    pub async fn has_keys(&self) -> bool {
        self.0.keys.pair().await.is_ok()
    }

    /// What becomes of a connection.
    pub fn receive(&self, socket: Socket) -> impl Future<Output = Option<Continuation>> + use<> {
        front::receive(Arc::clone(&self.0), socket)
    }
}
