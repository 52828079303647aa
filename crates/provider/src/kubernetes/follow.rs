//! How Services are followed: a watch for each namespace, or one for all, of which each keeps documents for those that are marked.

use super::section::KubernetesSection;
use super::service::Service;
use crate::desk::{Desk, Health};
use drawbridge_kubernetes::{ApiError, Cluster, Keeper, Scope, follow};
use drawbridge_model::{Offer, RouteDocument, RouteSource};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// The most Services that are routes.
const MOST: usize = 2_000;

/// Services that are followed, until this is dropped.
#[derive(Debug)]
pub(crate) struct Kubernetes {
    desk: Arc<Desk>,
    _running: Vec<AbortOnDropHandle<()>>,
}

/// What is known of all namespaces.
#[derive(Debug)]
struct Table {
    desk: Arc<Desk>,
    seats: Mutex<Vec<Seat>>,
}

/// What is known of one.
#[derive(Debug, Default)]
struct Seat {
    /// Whether it has been listed, or can't be.
    heard: bool,
    listed: bool,
    documents: BTreeMap<(String, String), RouteDocument>,
}

/// One watch.
#[derive(Debug)]
struct Watch {
    table: Arc<Table>,
    seat: usize,
    scope: Scope,
    health: Health,
}

impl Kubernetes {
    pub(crate) fn start(section: &KubernetesSection, runtime: &Handle, tasks: &TaskTracker) -> Self {
        let desk = Arc::new(Desk::new("kubernetes"));
        let cluster = Arc::new(Cluster::new(section.place()));
        let scopes = section.scopes();
        let seats = scopes.iter().map(|_| Seat::default()).collect();
        let table = Arc::new(Table { desk: Arc::clone(&desk), seats: Mutex::new(seats) });
        let start = |(seat, scope): (usize, Scope)| {
            let health = Health::of(desk.provider(), told(&scope));
            let watch = Watch { table: Arc::clone(&table), seat, scope, health };
            let followed = follow(Arc::new(watch), Arc::clone(&cluster));
            AbortOnDropHandle::new(tasks.spawn_on(followed, runtime))
        };
        let running = scopes.into_iter().enumerate().map(start).collect();
        Self { desk, _running: running }
    }
}

/// The namespace as it is told.
fn told(scope: &Scope) -> Option<String> {
    match scope {
        Scope::Home => None,
        Scope::Named(namespace) => Some(namespace.clone()),
        Scope::All => Some("*".to_owned()),
    }
}

impl RouteSource for Kubernetes {
    fn name(&self) -> &'static str {
        self.desk.provider()
    }

    fn offers(&self) -> watch::Receiver<Offer> {
        self.desk.offers()
    }
}

impl Watch {
    /// Changes what is known, and offers what comes of it as soon as every namespace has been heard of and one is known at least.
    fn change(&self, change: impl FnOnce(&mut Seat)) {
        // Each change is whole, so that what a panic elsewhere left behind is sound.
        let mut seats = self.table.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(seat) = seats.get_mut(self.seat) else { return };
        change(seat);
        if seats.iter().all(|seat| seat.heard) && seats.iter().any(|seat| seat.listed) {
            let documents = seats.iter().flat_map(|seat| seat.documents.values().cloned());
            self.table.desk.put(documents.collect());
        }
    }

    fn full(&self) {
        let namespace = told(&self.scope);
        tracing::warn!(namespace, most = MOST, "there are too many annotated services: some are no routes");
    }
}

impl Keeper for Watch {
    type Object = Service;

    fn kind(&self) -> (&'static str, &'static str) {
        ("v1", "services")
    }

    fn scope(&self) -> Scope {
        self.scope.clone()
    }

    fn version(service: &Service) -> &str {
        &service.metadata.resource_version
    }

    fn replace(&self, services: Vec<Service>) {
        let documents = services.iter().filter_map(|service| Some((service.key(), service.document()?)));
        let mut documents: BTreeMap<_, _> = documents.collect();
        if documents.len() > MOST {
            self.full();
        }
        while documents.len() > MOST {
            documents.pop_last();
        }
        self.change(|seat| *seat = Seat { heard: true, listed: true, documents });
    }

    fn put(&self, service: Service) {
        let (key, document) = (service.key(), service.document());
        self.change(|seat| match document {
            Some(_) if seat.documents.len() >= MOST && !seat.documents.contains_key(&key) => self.full(),
            Some(document) => {
                seat.documents.insert(key, document);
            }
            None => {
                seat.documents.remove(&key);
            }
        });
    }

    fn remove(&self, service: &Service) {
        let key = service.key();
        self.change(|seat| {
            seat.documents.remove(&key);
        });
    }

    fn too_many(&self) {
        let namespace = told(&self.scope);
        tracing::warn!(
            namespace,
            most = drawbridge_kubernetes::MOST,
            "there are too many services: some aren't looked at"
        );
    }

    fn well(&self) {
        self.health.well();
    }

    fn failing(&self, error: ApiError) {
        let forbidden = error.status().is_some_and(|status| status.as_u16() == 403);
        let help = "the service account needs the verbs list and watch for services there";
        self.health.failing(&error, forbidden.then_some(help));
        self.change(|seat| seat.heard = true);
    }
}
