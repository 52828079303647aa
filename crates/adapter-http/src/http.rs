//! What adapters that speak HTTP share across snapshots.

use crate::background::Background;
use crate::location::BaseUrl;
use crate::session_server::SessionServer;
use crate::tls::Tls;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// One for a process, cheap to clone: a reload finds the connections of the snapshot before, and how its servers were doing.
/// Nothing is loaded or opened, nor does anything run, before somebody asks.
#[derive(Debug, Clone, Default)]
pub struct Http(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    background: Background,
    tls: Arc<Tls>,
    session_servers: Mutex<HashMap<BaseUrl, Weak<SessionServer>>>,
}

impl Http {
    /// From now on, what adapters do in the background runs on `runtime`, tracked by `tasks`; also what adapters that were
    /// built before have to do.
    pub fn start(&self, runtime: &Handle, tasks: &TaskTracker) {
        self.0.background.start(runtime, tasks);
    }

    /// The session server at `url`, the same for all who ask while one of them keeps it.
    pub(crate) fn session_server(&self, url: &BaseUrl) -> Arc<SessionServer> {
        // Each change of the map is whole, so that what a panic elsewhere left behind is sound.
        let mut servers = self.0.session_servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.retain(|_, server| server.strong_count() > 0);
        if let Some(server) = servers.get(url).and_then(Weak::upgrade) {
            return server;
        }
        let server = Arc::new(SessionServer::new(url.clone(), self.tls()));
        servers.insert(url.clone(), Arc::downgrade(&server));
        server
    }

    pub(crate) fn tls(&self) -> Arc<Tls> {
        Arc::clone(&self.0.tls)
    }

    pub(crate) fn background(&self) -> &Background {
        &self.0.background
    }
}
