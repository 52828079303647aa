//! Stands in for a Docker daemon's API on a socket of the file system, as far as its documentation describes it
//! (<https://docs.docker.com/reference/api/engine/version/v1.41/>): its version, lists of containers by a label, what a container is like, and a
//! stream of events. It speaks 1.41, as Docker 20.10 does, and refuses whoever speaks a newer version.
//!
//! It can be away, and answer with anything.

mod door;
mod serve;

use crate::PATIENCE;
use crate::desk::Desk;
use crate::wait::eventually;
use crate::web::{self, Request};
use door::Door;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;

/// How lists or inspections are answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Temper {
    /// As they are.
    #[default]
    Honest,
    /// With this status and a message.
    Fails(u16),
    /// With something that is neither a list nor a container.
    Garbage,
    /// With something that has no end.
    Endless,
    /// With half of it, and then a close.
    Half,
    /// Not at all.
    Silent,
}

/// A daemon, until the test ends.
#[derive(Debug)]
pub struct DockerApi {
    folder: TempDir,
    address: SocketAddr,
    desk: Arc<Desk<Books>>,
    door: Mutex<Option<Door>>,
}

#[derive(Debug, Default)]
struct Books {
    /// By identifier, as they are inspected.
    containers: BTreeMap<String, Value>,
    temper: Temper,
    /// How some of them are answered when they are inspected, by identifier.
    spoilt: BTreeMap<String, Temper>,
    /// Whether inspections wait for their answers; how many do, and how many ever did at once.
    held: bool,
    waiting: usize,
    most_waiting: usize,
    /// Events so far: what they happened to, and what did.
    events: Vec<(String, String)>,
    /// Streams of earlier numbers are cut.
    broken: u64,
    /// Whether streams end as soon as they have begun.
    brief: bool,
    /// Streams that are being followed.
    followed: usize,
    requests: Vec<Request>,
}

impl DockerApi {
    /// Listens on a socket in a folder of its own.
    ///
    /// # Errors
    /// When it can't.
    pub fn start() -> io::Result<Self> {
        let desk = Arc::<Desk<Books>>::default();
        let served = Arc::clone(&desk);
        let address = web::listen(move |request| serve::answer(&served, request))?;
        let api = Self { folder: tempfile::tempdir()?, address, desk, door: Mutex::default() };
        api.come()?;
        Ok(api)
    }

    /// Its endpoint as the configuration has it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.folder.path().join("docker.sock").display())
    }

    /// The same daemon over TCP.
    #[must_use]
    pub fn tcp_endpoint(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// It is there again, after [`leave`](Self::leave).
    ///
    /// # Errors
    /// When it can't listen.
    pub fn come(&self) -> io::Result<()> {
        let door = Door::open(self.folder.path().join("docker.sock"), self.address)?;
        *self.door.lock().unwrap_or_else(PoisonError::into_inner) = Some(door);
        Ok(())
    }

    /// Its socket is gone, with all connections.
    pub fn leave(&self) {
        drop(self.door.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.break_events();
    }

    /// Adds a container that runs in the host's network with these labels, and tells of it.
    pub fn run<'a>(&self, name: &str, labels: impl IntoIterator<Item = (&'a str, &'a str)>) {
        self.run_with(name, labels, |_| {});
    }

    /// Adds one that is different.
    pub fn run_with<'a>(
        &self,
        name: &str,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
        change: impl FnOnce(&mut Value),
    ) {
        let labels: serde_json::Map<String, Value> =
            labels.into_iter().map(|(key, text)| (key.to_owned(), text.into())).collect();
        let mut container = json!({
            "Name": format!("/{name}"),
            "State": { "Status": "running", "Running": true, "Paused": false },
            "Config": { "Labels": labels, "ExposedPorts": { "25565/tcp": {} } },
            "HostConfig": { "NetworkMode": "host" },
            "NetworkSettings": { "Networks": { "host": { "IPAddress": "" } } },
        });
        change(&mut container);
        self.desk.books().containers.insert(format!("id-of-{name}"), container);
        self.tell();
    }

    /// Changes a container, and tells of it.
    ///
    /// # Panics
    /// When there is none of this name.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut Value)) {
        self.change_by(name, ("container", "update"), change);
    }

    /// Changes a container, and tells of it by this event: what it happens to, and what does.
    ///
    /// # Panics
    /// When there is none of this name.
    pub fn change_by(&self, name: &str, (kind, action): (&str, &str), change: impl FnOnce(&mut Value)) {
        let mut books = self.desk.books();
        let found = books.containers.get_mut(&format!("id-of-{name}"));
        change(found.unwrap_or_else(|| panic!("there is no container {name:?}")));
        drop(books);
        self.happen(kind, action);
    }

    /// Takes a container away, and tells of it.
    pub fn remove(&self, name: &str) {
        self.desk.books().containers.remove(&format!("id-of-{name}"));
        self.happen("container", "destroy");
    }

    /// Tells of something that has happened.
    pub fn tell(&self) {
        self.happen("container", "start");
    }

    /// Tells of this event those who want to hear of such.
    pub fn happen(&self, kind: &str, action: &str) {
        self.desk.change(|books| books.events.push((kind.to_owned(), action.to_owned())));
    }

    /// Inspections of this container, which need not be there yet, are answered otherwise from now on.
    pub fn spoil(&self, name: &str, temper: Temper) {
        self.desk.books().spoilt.insert(format!("id-of-{name}"), temper);
    }

    /// Whether inspections wait for their answers, from now on.
    pub fn hold(&self, hold: bool) {
        self.desk.change(|books| books.held = hold);
    }

    /// How many inspections wait for their answers, and how many ever did at once.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let books = self.desk.books();
        (books.waiting, books.most_waiting)
    }

    /// Answers lists otherwise from now on.
    pub fn temper(&self, temper: Temper) {
        self.desk.books().temper = temper;
    }

    /// Cuts off all streams of events.
    pub fn break_events(&self) {
        self.desk.change(|books| books.broken += 1);
    }

    /// Whether streams of events end as soon as they have begun, from now on.
    pub fn cut_short(&self, brief: bool) {
        self.desk.change(|books| books.brief = brief);
    }

    /// How often events were asked for.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.requests().iter().filter(|request| request.path().ends_with("/events")).count()
    }

    /// What has been asked so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.desk.books().requests.clone()
    }

    /// How often a list was asked for.
    #[must_use]
    pub fn lists(&self) -> usize {
        self.requests().iter().filter(|request| request.path().ends_with("/containers/json")).count()
    }

    /// Waits until somebody follows the events.
    ///
    /// # Panics
    /// When nobody does.
    pub fn wait_until_followed(&self) {
        let followed = eventually(PATIENCE, || (self.desk.books().followed > 0).then_some(()));
        assert!(followed.is_some(), "nobody follows, but asked: {:?}", self.requests());
    }
}
