//! Stands in for the API of a Kubernetes cluster with Agones, over HTTP on 127.0.0.1, as far as their documentation describes it:
//!
//! - `POST …/gameserverallocations` (<https://agones.dev/site/docs/reference/gameserverallocation/>): selectors in order, priorities,
//!   scheduling, counters, lists, metadata; 201 with the state `Allocated`, `UnAllocated` or `Contention`; 422 for what is no
//!   allocation.
//! - `GET …/gameservers` with label selectors, in pages, or as a watch with bookmarks from a resource version on, which is 410 Gone
//!   once the API has forgotten it (<https://kubernetes.io/docs/reference/using-api/api-concepts/>).
//! - `GET …/services` of a namespace or of all, likewise.
//! - `PATCH` (merge patch) and `DELETE …/gameservers/…` with preconditions.
//! - 401 without the bearer token, which may change; 429 with Retry-After, 409 and 5xx on demand.
//!
//! It writes down who asked for what, when, and whether they waited for the answer.

mod allocate;
mod call;
mod selector;
mod serve;

pub use call::ApiCall;

use crate::PATIENCE;
use crate::desk::Desk;
use crate::wait::eventually;
use crate::web;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard};
use tempfile::TempDir;
use uuid::Uuid;

/// What becomes of one request for an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// What is asked for.
    Honest,
    /// 201, no game server.
    UnAllocated,
    /// 201, others were quicker.
    Contention,
    /// This status, with Retry-After in seconds where given.
    Fails(u16, Option<u32>),
    /// What is asked for is done, and answered with this status all the same.
    DoneAndFails(u16),
    /// 200, with something that is no allocation.
    Garbage,
    /// What is asked for is done, but the answer comes only with [`KubernetesApi::release`].
    DoneAndHeld,
    /// Nothing is done or answered before [`KubernetesApi::release`]; then it is honest, unless nobody waits any more.
    Held,
    /// What is asked for is done, and the connection closed instead of an answer.
    DoneAndClosed,
}

/// The API, until the test ends.
#[derive(Debug)]
pub struct KubernetesApi {
    folder: TempDir,
    desk: Arc<Desk<Books>>,
}

#[derive(Debug, Default)]
struct Books {
    token: String,
    /// By name, which no two share whatever their namespace.
    servers: BTreeMap<String, Value>,
    /// Services by namespace and name.
    services: BTreeMap<String, Value>,
    /// The resource version of the last change.
    version: u64,
    /// Every change that isn't forgotten, oldest first: its version, what happened, and the game server.
    history: Vec<(u64, &'static str, Value)>,
    /// Versions before this one are forgotten.
    oldest: u64,
    turns: VecDeque<Turn>,
    /// All that concerns game servers is answered with this.
    down: Option<u16>,
    /// The namespace whose services the caller may not see.
    forbidden: Option<String>,
    /// How many bytes each object of a list takes beside its own.
    weight: usize,
    /// How many bytes the descriptions in a list have beside their own.
    swollen: usize,
    calls: Vec<ApiCall>,
    released: u64,
    bookmarks: u64,
    /// Streams of earlier numbers end: cut off, or with an error that says 410.
    broken: u64,
    forgotten: u64,
}

impl KubernetesApi {
    /// Listens on a free port of 127.0.0.1, and writes a kubeconfig and a token.
    ///
    /// # Errors
    /// When it can't.
    pub fn start() -> io::Result<Self> {
        let desk = Arc::<Desk<Books>>::default();
        let served = Arc::clone(&desk);
        let address = web::listen(move |request| serve::answer(&served, request))?;
        let api = Self { folder: tempfile::tempdir()?, desk };
        api.renew_token();
        let kubeconfig = kubeconfig(address, &api.folder.path().join("token"));
        std::fs::write(api.kubeconfig(), kubeconfig.to_string())?;
        Ok(api)
    }

    /// Where the kubeconfig is. Its current context is `edge`; in the context `stranger` the token is wrong.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// From now on only another token is taken, which stands in the file of the old one.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn renew_token(&self) {
        let token = Uuid::new_v4().simple().to_string();
        // In one step, as the kubelet does it.
        let beside = self.folder.path().join("token.beside");
        let written = std::fs::write(&beside, &token)
            .and_then(|()| std::fs::rename(&beside, self.folder.path().join("token")));
        written.unwrap_or_else(|error| panic!("the token can't be written: {error}"));
        self.books().token = token;
    }

    /// Adds a service in a namespace with these annotations, or changes the one of that name. Its address is 127.0.0.1, its only port this one.
    pub fn serve<'a>(
        &self,
        namespace: &str,
        name: &str,
        port: u16,
        annotations: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) {
        let annotations: serde_json::Map<String, Value> =
            annotations.into_iter().map(|(key, text)| (key.to_owned(), text.into())).collect();
        let service = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": name, "namespace": namespace, "annotations": annotations, "labels": {} },
            "spec": {
                "type": "ClusterIP",
                "clusterIP": "127.0.0.1",
                "clusterIPs": ["127.0.0.1"],
                "ports": [{ "name": "minecraft", "protocol": "TCP", "port": port, "targetPort": port }],
            },
            "status": { "loadBalancer": {} },
        });
        self.desk.change(|books| {
            let known = books.services.contains_key(&format!("{namespace}/{name}"));
            books.record(if known { "MODIFIED" } else { "ADDED" }, service);
        });
    }

    /// Takes a service away.
    pub fn withdraw(&self, namespace: &str, name: &str) {
        self.desk.change(|books| {
            let service = books.services.get(&format!("{namespace}/{name}")).cloned();
            service.into_iter().for_each(|service| books.record("DELETED", service));
        });
    }

    /// The caller may not see the services of this namespace.
    pub fn forbid(&self, namespace: &str) {
        self.books().forbidden = Some(namespace.to_owned());
    }

    /// Each object of a list takes so many bytes more from now on.
    pub fn weigh(&self, bytes: usize) {
        self.books().weight = bytes;
    }

    /// Each service of a list that says something in the server list says so many bytes more from now on.
    pub fn swell(&self, bytes: usize) {
        self.books().swollen = bytes;
    }

    /// Adds a game server of a fleet, ready, in the namespace `default`, on the node `node-a`, at 127.0.0.1 with the port `game`.
    pub fn add(&self, name: &str, fleet: &str, port: u16) {
        self.add_with(name, fleet, port, |_| {});
    }

    /// Adds one that is different.
    pub fn add_with(&self, name: &str, fleet: &str, port: u16, change: impl FnOnce(&mut Value)) {
        let mut server = json!({
            "apiVersion": "agones.dev/v1",
            "kind": "GameServer",
            "metadata": {
                "name": name,
                "namespace": "default",
                "uid": Uuid::new_v4().to_string(),
                "labels": { "agones.dev/fleet": fleet },
                "annotations": { "agones.dev/sdk-version": "1.50.0" },
                "managedFields": [],
            },
            "spec": { "container": "server", "scheduling": "Packed" },
            "status": {
                "state": "Ready",
                "address": "127.0.0.1",
                "addresses": [{ "type": "InternalIP", "address": "127.0.0.1" }],
                "nodeName": "node-a",
                "ports": [{ "name": "game", "port": port }],
                "players": null,
                "counters": {},
                "lists": {},
            },
        });
        change(&mut server);
        self.desk.change(|books| books.record("ADDED", server));
    }

    /// Changes a game server.
    ///
    /// # Panics
    /// When there is none of this name.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut server = self.server(name).unwrap_or_else(|| panic!("there is no game server {name:?}"));
        change(&mut server);
        self.desk.change(|books| books.record("MODIFIED", server));
    }

    /// Takes a game server away.
    pub fn remove(&self, name: &str) {
        let server = self.server(name);
        server.into_iter().for_each(|server| self.desk.change(|books| books.record("DELETED", server)));
    }

    /// A game server as it is now.
    #[must_use]
    pub fn server(&self, name: &str) -> Option<Value> {
        self.books().servers.get(name).cloned()
    }

    /// All game servers as they are now, by name.
    #[must_use]
    pub fn servers(&self) -> Vec<Value> {
        self.books().servers.values().cloned().collect()
    }

    /// What becomes of the next requests for an allocation, one after the other; those behind are honest.
    pub fn turns(&self, turns: impl IntoIterator<Item = Turn>) {
        self.books().turns.extend(turns);
    }

    /// Lets the answers go that are held back.
    pub fn release(&self) {
        self.desk.change(|books| books.released += 1);
    }

    /// Answers everything about game servers and services with this status, or as it should.
    pub fn down(&self, status: Option<u16>) {
        self.books().down = status;
    }

    /// Cuts off all watches, in the middle of the stream.
    pub fn break_streams(&self) {
        self.desk.change(|books| books.broken += 1);
    }

    /// Forgets what happened until now: watches are told 410 Gone, and so is who wants to begin one from an earlier version.
    pub fn forget(&self) {
        self.desk.change(|books| {
            books.history.clear();
            // Time goes on in the rest of the cluster, so that even the latest version of a game server is an old one.
            books.version += 1;
            books.oldest = books.version;
            books.forgotten += 1;
        });
    }

    /// Tells all watches who want to know where they are, as the API does about once a minute; things have happened elsewhere
    /// in the cluster since.
    pub fn bookmark(&self) {
        self.desk.change(|books| {
            books.version += 1;
            books.bookmarks += 1;
        });
    }

    /// The resource version of the last change.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.books().version
    }

    /// Every request so far, in the order in which they came.
    #[must_use]
    pub fn calls(&self) -> Vec<ApiCall> {
        self.books().calls.clone()
    }

    /// The requests for an allocation.
    #[must_use]
    pub fn allocations(&self) -> Vec<ApiCall> {
        self.calls().into_iter().filter(ApiCall::is_allocation).collect()
    }

    /// Watches that are being followed now.
    #[must_use]
    pub fn watches(&self) -> usize {
        let calls = self.calls();
        calls
            .iter()
            .filter(|call| call.is_watch() && call.status == Some(200) && call.cancelled.is_none())
            .count()
    }

    /// Waits until `found` finds something in what has been asked.
    ///
    /// # Panics
    /// When it doesn't.
    pub fn wait_for<T>(&self, what: &str, found: impl Fn(&[ApiCall]) -> Option<T>) -> T {
        let waited = eventually(PATIENCE, || found(&self.calls()));
        waited.unwrap_or_else(|| panic!("the API has not seen {what}, but {:#?}", self.calls()))
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.desk.books()
    }
}

impl Books {
    /// Something happened to a game server or service.
    fn record(&mut self, what: &'static str, mut server: Value) {
        self.version += 1;
        server["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let name = server["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        self.history.push((self.version, what, server.clone()));
        let (objects, name) = if server["kind"] == "Service" {
            let namespace = server["metadata"]["namespace"].as_str().unwrap_or_default();
            (&mut self.services, format!("{namespace}/{name}"))
        } else {
            (&mut self.servers, name)
        };
        if what == "DELETED" {
            objects.remove(&name);
        } else {
            objects.insert(name, server);
        }
    }
}

fn kubeconfig(address: SocketAddr, token: &Path) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "edge",
        "clusters": [{ "name": "test", "cluster": { "server": format!("http://{address}") } }],
        "contexts": [
            { "name": "edge", "context": { "cluster": "test", "user": "edge" } },
            { "name": "stranger", "context": { "cluster": "test", "user": "stranger" } },
        ],
        "users": [
            { "name": "edge", "user": { "tokenFile": token } },
            { "name": "stranger", "user": { "token": "guessed" } },
        ],
    })
}
