//! What adapters that speak HTTP share across snapshots.

use crate::background::Background;
use crate::favicon::LastPicture;
use crate::location::BaseUrl;
use crate::session_server::SessionServer;
use crate::tls::Tls;
use std::collections::HashMap;
use std::hash::Hash;
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
    session_servers: Shelf<BaseUrl, SessionServer>,
    pictures: Shelf<String, LastPicture>,
}

/// Things by what they are known by, as long as somebody keeps them.
#[derive(Debug)]
struct Shelf<K, V>(Mutex<HashMap<K, Weak<V>>>);

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, V> Shelf<K, V> {
    fn get(&self, key: &K, make: impl FnOnce() -> V) -> Arc<V> {
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

impl Http {
    /// From now on, what adapters do in the background runs on `runtime`, tracked by `tasks`; also what adapters that were
    /// built before have to do.
    pub fn start(&self, runtime: &Handle, tasks: &TaskTracker) {
        self.0.background.start(runtime, tasks);
    }

    /// The session server at `url`, the same for all who ask while one of them keeps it.
    pub(crate) fn session_server(&self, url: &BaseUrl) -> Arc<SessionServer> {
        self.0.session_servers.get(url, || SessionServer::new(url.clone(), self.tls()))
    }

    /// The picture that was at `url` last, the same for all who ask while one of them keeps it.
    pub(crate) fn last_picture(&self, url: &str) -> Arc<LastPicture> {
        self.0.pictures.get(&url.to_owned(), LastPicture::default)
    }

    pub(crate) fn tls(&self) -> Arc<Tls> {
        Arc::clone(&self.0.tls)
    }

    pub(crate) fn background(&self) -> &Background {
        &self.0.background
    }
}
