//! How Services are followed: a watch for each namespace, or one for all, of which each keeps documents for those that are marked.

use super::found::{Found, Route};
use super::seat::Seat;
use super::section::KubernetesSection;
use crate::desk::{Desk, Health};
use drawbridge_kubernetes::{ApiError, Cluster, Keeper, Scope, follow};
use drawbridge_model::{Offer, RouteSource};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

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
    seats: Mutex<Seats>,
}

#[derive(Debug)]
struct Seats {
    all: Vec<Seat>,
    /// How many Services have come so far.
    came: u64,
}

/// One watch.
#[derive(Debug)]
struct Watch {
    table: Arc<Table>,
    seat: usize,
    scope: Scope,
    health: Health,
    /// Word that there is room for who was left out.
    room: Notify,
}

impl Kubernetes {
    pub(crate) fn start(section: &KubernetesSection, runtime: &Handle, tasks: &TaskTracker) -> Self {
        let desk = Arc::new(Desk::new("kubernetes"));
        let cluster = Arc::new(Cluster::new(section.cluster()));
        let scopes = section.scopes();
        let all = scopes.iter().map(|scope| Seat::new(desk.provider(), told(scope))).collect();
        let seats = Mutex::new(Seats { all, came: 0 });
        let table = Arc::new(Table { desk: Arc::clone(&desk), seats });
        let start = |(seat, scope): (usize, Scope)| {
            let health = Health::of(desk.provider(), told(&scope));
            let watch = Watch { table: Arc::clone(&table), seat, scope, health, room: Notify::new() };
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
    fn change(&self, change: impl FnOnce(&mut Seat, &mut u64)) {
        let seats = self.seat(change);
        let all = &seats.all;
        if all.iter().all(|seat| seat.heard) && all.iter().any(|seat| seat.listed) {
            let mut documents: Vec<_> = all.iter().flat_map(Seat::documents).collect();
            documents.sort_by_key(|(came, _)| *came);
            self.table.desk.put(documents.into_iter().map(|(_, document)| document.clone()));
        }
    }

    /// Does something with what is known here.
    fn seat(&self, change: impl FnOnce(&mut Seat, &mut u64)) -> MutexGuard<'_, Seats> {
        // Each change is whole, so that what a panic elsewhere left behind is sound.
        let mut seats = self.seats();
        let Seats { all, came } = &mut *seats;
        if let Some(seat) = all.get_mut(self.seat) {
            change(seat, came);
            if seat.roomy {
                self.room.notify_one();
            }
        }
        seats
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.table.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper for Watch {
    type Object = Found;

    fn kind(&self) -> (&'static str, &'static str) {
        ("v1", "services")
    }

    fn scope(&self) -> Scope {
        self.scope.clone()
    }

    fn version(found: &Found) -> &str {
        &found.version
    }

    fn gather(&self, found: &mut [Found]) {
        drop(self.seat(|seat, _| seat.trim(found)));
    }

    fn replace(&self, found: Vec<Found>) {
        self.change(|seat, came| seat.replace(found, came));
    }

    fn put(&self, Found { key, route, .. }: Found) {
        self.change(|seat, came| match route {
            Route::Document(document) => seat.put(key, document, came),
            Route::None | Route::LeftOut(_) => seat.remove(&key),
        });
    }

    fn remove(&self, found: &Found) {
        self.change(|seat, _| seat.gone(&found.key));
    }

    async fn wants_list(&self) {
        // Word of room is old news where there has been a list since.
        while !self.seats().all.get(self.seat).is_some_and(|seat| seat.roomy) {
            self.room.notified().await;
        }
    }

    fn too_many(&self) {
        drop(self.seat(|seat, _| seat.cut()));
    }

    fn well(&self) {
        self.health.well();
    }

    fn failing(&self, error: ApiError) {
        let forbidden = error.status().is_some_and(|status| status.as_u16() == 403);
        let help = "the service account needs the verbs list and watch for services there";
        self.health.failing(&error, forbidden.then_some(help));
        self.change(|seat, _| seat.heard = true);
    }
}
