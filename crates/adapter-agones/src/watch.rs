//! Discovery `agones_watch`: the game servers of a fleet that many players share, known by a watch on them.
//!
//! What must stay true: a login asks nobody, but waits for the first list at most; what is known stays known while the API fails.

mod section;

pub(crate) use section::check_cluster;
pub use section::{AgonesWatchSection, ExpressionSection, WatchSelectorSection};

use crate::Agones;
use crate::game_server::GameServer;
use async_trait::async_trait;
use drawbridge_adapter::background::{Background, Running};
use drawbridge_adapter::discovery::OnDiscoveryError;
use drawbridge_kubernetes::{ApiError, Cluster, ClusterName, Keeper, MOST, Scope, follow};
use drawbridge_model::{AdapterError, Client, DiscoveryAdapter, Identity, Target};
use drawbridge_telemetry::metrics;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;
use tokio::time::timeout;

/// Which game servers are watched.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Fleet {
    pub(crate) cluster: ClusterName,
    pub(crate) namespace: Option<String>,
    /// In the API's words: `a=b,c in (d,e)`.
    pub(crate) selector: String,
}

/// A watch, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    known: Arc<Known>,
    _running: Running,
}

/// What is known of a fleet.
#[derive(Debug)]
struct Known {
    fleet: Fleet,
    servers: RwLock<Servers>,
    health: watch::Sender<Health>,
}

/// How the watch is doing.
#[derive(Debug, Clone, Default)]
struct Health {
    /// Whether there has been a list.
    listed: bool,
    /// Why it isn't followed now.
    failing: Option<ApiError>,
}

type Servers = BTreeMap<String, Arc<Server>>;

/// A game server, and what its targets know of it, made once: each login goes through all of them, on a thread that others wait for.
#[derive(Debug)]
struct Server {
    told: GameServer,
    meta: Arc<BTreeMap<String, String>>,
}

impl Server {
    fn of(told: GameServer) -> Self {
        Self { meta: Arc::new(told.meta()), told }
    }
}

impl Watch {
    /// Lists and follows the fleet from now on.
    pub(crate) fn start(fleet: Fleet, cluster: Arc<Cluster>, background: &Background) -> Self {
        let servers = RwLock::default();
        let known = Arc::new(Known { fleet, servers, health: watch::Sender::default() });
        let running = background.run(follow(Arc::clone(&known), cluster));
        Self { known, _running: running }
    }
}

impl Known {
    /// All, by name.
    fn all(&self) -> Vec<Arc<Server>> {
        self.servers.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

impl Keeper for Known {
    type Object = GameServer;

    fn kind(&self) -> (&'static str, &'static str) {
        ("agones.dev/v1", "gameservers")
    }

    fn scope(&self) -> Scope {
        self.fleet.namespace.clone().into()
    }

    fn selector(&self) -> &str {
        &self.fleet.selector
    }

    fn version(server: &GameServer) -> &str {
        &server.metadata.resource_version
    }

    fn replace(&self, servers: Vec<GameServer>) {
        let servers = servers.into_iter().map(GameServer::bounded);
        let servers = servers.map(|server| (server.metadata.name.clone(), Arc::new(Server::of(server))));
        let servers: Servers = servers.collect();
        *self.servers.write().unwrap_or_else(PoisonError::into_inner) = servers;
    }

    fn put(&self, server: GameServer) {
        let mut servers = self.servers.write().unwrap_or_else(PoisonError::into_inner);
        if servers.len() >= MOST && !servers.contains_key(&server.metadata.name) {
            self.too_many();
            return;
        }
        servers.insert(server.metadata.name.clone(), Arc::new(Server::of(server.bounded())));
    }

    fn remove(&self, server: &GameServer) {
        self.servers.write().unwrap_or_else(PoisonError::into_inner).remove(&server.metadata.name);
    }

    fn too_many(&self) {
        let Fleet { namespace, selector, .. } = &self.fleet;
        tracing::warn!(namespace, selector, "a fleet has too many game servers: some aren't known");
    }

    fn well(&self) {
        let Fleet { namespace, selector, .. } = &self.fleet;
        self.health.send_if_modified(|health| {
            let changed = !health.listed || health.failing.is_some();
            if changed && health.listed {
                tracing::info!(namespace, selector, "game servers are watched again");
            }
            *health = Health { listed: true, failing: None };
            changed
        });
    }

    fn failing(&self, error: ApiError) {
        let Fleet { namespace, selector, .. } = &self.fleet;
        self.health.send_modify(|health| {
            if health.failing.is_none() {
                tracing::warn!(namespace, selector, %error, "game servers can't be watched");
            }
            health.failing = Some(error);
        });
    }
}

/// Finds the game servers of a fleet.
#[derive(Debug)]
pub struct Watched {
    section: AgonesWatchSection,
    watch: Arc<Watch>,
}

impl Watched {
    /// As the section says. The watch begins as soon as there is a runtime.
    #[must_use]
    pub fn new(section: &AgonesWatchSection, agones: &Agones) -> Self {
        Self { section: section.clone(), watch: agones.watch(&section.fleet()) }
    }

    /// The targets of all game servers that players can be sent to.
    fn known(&self) -> Vec<Target> {
        let AgonesWatchSection { states, port, .. } = &self.section;
        let usable = |server: &GameServer| {
            server.metadata.deletion_timestamp.is_none()
                && states.iter().any(|state| state.as_str() == server.status.state)
        };
        let servers = self.watch.known.all();
        let servers = servers.iter().filter(|server| usable(&server.told));
        let target = |Server { told: server, meta }: &Server| match server.target(port.as_deref(), meta) {
            Ok(target) => Some(target),
            Err(error) => {
                tracing::debug!(game_server = server.metadata.name, %error, "players can't be sent to a game server");
                None
            }
        };
        servers.filter_map(|server| target(server)).collect()
    }
}

#[async_trait]
impl DiscoveryAdapter for Watched {
    async fn targets(&self, client: &Client, _: &Identity) -> Result<Vec<Target>, AdapterError> {
        self.shared_targets(client).await
    }

    async fn shared_targets(&self, _: &Client) -> Result<Vec<Target>, AdapterError> {
        let mut health = self.watch.known.health.subscribe();
        // Who can't be asked isn't waited for.
        let known = health.wait_for(|health| health.listed || health.failing.is_some());
        let waited = timeout(self.section.timeout, known).await.is_ok();
        let listed = waited && self.watch.known.health.borrow().listed;
        let failing = self.watch.known.health.borrow().failing.clone();
        match failing {
            Some(error) if !listed || self.section.on_error != OnDiscoveryError::Stale => Err(error.into()),
            None if !listed => Err(AdapterError::TimedOut(self.section.timeout)),
            failing => {
                if failing.is_some() {
                    metrics::discovery_stale("agones_watch");
                }
                Ok(self.known())
            }
        }
    }
}
