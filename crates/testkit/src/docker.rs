//! Stands in for a Docker daemon's API on a socket of the file system, as far as its documentation describes it
//! (<https://docs.docker.com/reference/api/engine/version/v1.41/>): its version, lists of containers by a label, what a container is like, and a
//! stream of events. It speaks 1.41, as Docker 20.10 does, and refuses whoever speaks a newer version.
//!
//! It can be away, and answer with anything.

use crate::PATIENCE;
use crate::wait::eventually;
use crate::web::http::{Answer, has_left, write_answer};
use crate::web::{self, Request};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

/// How often it is looked whether a stream is to end.
const LOOK: Duration = Duration::from_millis(5);

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
    desk: Arc<Desk>,
    door: Mutex<Option<Door>>,
}

#[derive(Debug, Default)]
struct Desk {
    books: Mutex<Books>,
    changed: Condvar,
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

/// The socket, while it is there.
#[derive(Debug)]
struct Door {
    open: Arc<AtomicBool>,
    path: PathBuf,
    visitors: Arc<Mutex<Vec<UnixStream>>>,
}

impl DockerApi {
    /// Listens on a socket in a folder of its own.
    ///
    /// # Errors
    /// When it can't.
    pub fn start() -> io::Result<Self> {
        let desk = Arc::<Desk>::default();
        let served = Arc::clone(&desk);
        let address = web::listen(move |request| answer(&served, request))?;
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
        self.desk.books().events.push((kind.to_owned(), action.to_owned()));
        self.desk.changed.notify_all();
    }

    /// Inspections of this container, which need not be there yet, are answered otherwise from now on.
    pub fn spoil(&self, name: &str, temper: Temper) {
        self.desk.books().spoilt.insert(format!("id-of-{name}"), temper);
    }

    /// Whether inspections wait for their answers, from now on.
    pub fn hold(&self, hold: bool) {
        self.desk.books().held = hold;
        self.desk.changed.notify_all();
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
        self.desk.books().broken += 1;
        self.desk.changed.notify_all();
    }

    /// Whether streams of events end as soon as they have begun, from now on.
    pub fn cut_short(&self, brief: bool) {
        self.desk.books().brief = brief;
        self.desk.changed.notify_all();
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

impl Door {
    /// Carries whoever comes to the address behind it.
    fn open(path: PathBuf, behind: SocketAddr) -> io::Result<Self> {
        let listener = UnixListener::bind(&path)?;
        let door = Self { open: Arc::new(AtomicBool::new(true)), path, visitors: Arc::default() };
        let (open, visitors) = (Arc::clone(&door.open), Arc::clone(&door.visitors));
        std::thread::spawn(move || {
            for visitor in listener.incoming().flatten() {
                if !open.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(inside) = TcpStream::connect(behind) else { return };
                visitors.lock().unwrap_or_else(PoisonError::into_inner).extend(visitor.try_clone());
                carry(visitor, inside);
            }
        });
        Ok(door)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.open.store(false, Ordering::SeqCst);
        // The last visitor only wakes whoever waits for visitors.
        let _ = UnixStream::connect(&self.path);
        let _ = std::fs::remove_file(&self.path);
        for visitor in self.visitors.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = visitor.shutdown(Shutdown::Both);
        }
    }
}

/// Moves bytes both ways until a side ends.
fn carry(visitor: UnixStream, inside: TcpStream) {
    let (Ok(mut from), Ok(mut to)) = (visitor.try_clone(), inside.try_clone()) else { return };
    std::thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let (mut from, mut to) = (inside, visitor);
    std::thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}

impl Desk {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn says(body: &Value) -> Answer {
    Answer::json(body.to_string().into_bytes())
}

fn fails(status: u16, message: &str) -> Answer {
    let body = json!({ "message": message }).to_string().into_bytes();
    Answer::Status { status, headers: "Content-Type: application/json\r\n".to_owned(), body }
}

/// What is done about a request.
fn answer(desk: &Arc<Desk>, request: &Request) -> Answer {
    let mut books = desk.books();
    books.requests.push(request.clone());
    let segments: Vec<&str> = request.path().trim_start_matches('/').split('/').collect();
    let [version, rest @ ..] = segments.as_slice() else { return fails(404, "page not found") };
    if (*version, rest) == ("version", &[]) {
        return says(&json!({ "ApiVersion": "1.41", "MinAPIVersion": "1.12", "Version": "20.10.24" }));
    }
    if *version != "v1.41" {
        return fails(400, "client version is too new. Maximum supported API version is 1.41");
    }
    match (request.method.as_str(), rest) {
        ("GET", ["events"]) => events(desk, &books, request),
        ("GET", ["containers", "json"]) => books.list(request),
        ("GET", ["containers", id, "json"]) if books.held => held(desk, (*id).to_owned()),
        ("GET", ["containers", id, "json"]) => books.inspect(id),
        _ => fails(404, "page not found"),
    }
}

impl Temper {
    /// The answer that is none; nothing where the honest one is given.
    fn answer(self) -> Option<Answer> {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
        let half = format!("{head}Content-Length: 100\r\n\r\n[{{\"Id\":\"");
        match self {
            Self::Honest => None,
            Self::Fails(status) => Some(fails(status, "as it was told")),
            // Neither a list nor a container, whose name is a text.
            Self::Garbage => Some(says(&json!({ "Name": ["no name"] }))),
            Self::Half => Some(Answer::Raw(half.into_bytes())),
            Self::Endless => Some(Answer::Talk(Box::new(endless))),
            Self::Silent => Some(Answer::Nothing),
        }
    }
}

impl Books {
    fn inspect(&self, id: &str) -> Answer {
        let honest = || match self.containers.get(id) {
            Some(container) => says(container),
            None => fails(404, "No such container"),
        };
        self.spoilt.get(id).and_then(|temper| temper.answer()).unwrap_or_else(honest)
    }

    fn list(&self, request: &Request) -> Answer {
        self.temper.answer().unwrap_or_else(|| self.honest_list(request))
    }

    fn honest_list(&self, request: &Request) -> Answer {
        let filters = filters(request);
        let label = filters["label"][0].as_str().unwrap_or_default();
        let all = request.parameter("all") == Some("true");
        let listed = self.containers.iter().filter(|(_, container)| {
            let runs = matches!(container["State"]["Status"].as_str(), Some("running" | "paused"));
            (all || runs) && !container["Config"]["Labels"][label].is_null()
        });
        let listed: Vec<Value> =
            listed.map(|(id, container)| json!({ "Id": id, "Names": [container["Name"]] })).collect();
        says(&json!(listed))
    }
}

/// An inspection that is answered only when none is held any more.
fn held(desk: &Arc<Desk>, id: String) -> Answer {
    let desk = Arc::clone(desk);
    Answer::Talk(Box::new(move |stream| {
        let mut books = desk.books();
        books.waiting += 1;
        books.most_waiting = books.most_waiting.max(books.waiting);
        while books.held && !has_left(stream)? {
            books = desk.changed.wait_timeout(books, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
        books.waiting -= 1;
        let answer = books.inspect(&id);
        drop(books);
        if let Answer::Status { status, headers, body } = answer {
            write_answer(stream, status, &headers, &body)?;
        }
        Ok(true)
    }))
}

fn endless(mut stream: &TcpStream) -> io::Result<bool> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[")?;
    let line = b"{\"Id\":\"0123456789abcdef0123456789abcdef0123456789abcdef\"},".repeat(1_000);
    loop {
        stream.write_all(&line)?;
    }
}

/// Whether this event is among those that are asked for. An action such as `health_status: healthy` is one by its first word too.
fn is_wanted(filters: &Value, (kind, action): &(String, String)) -> bool {
    let among = |filter: &str, fits: &dyn Fn(&str) -> bool| {
        let words = filters[filter].as_array();
        words.is_none_or(|words| words.iter().filter_map(Value::as_str).any(fits))
    };
    let first = action.split(':').next().unwrap_or_default();
    among("type", &|word| word == kind) && among("event", &|word| word == action || word == first)
}

/// The filters of a request.
fn filters(request: &Request) -> Value {
    request.parameter("filters").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// A stream of events, until it is cut.
fn events(desk: &Arc<Desk>, books: &Books, request: &Request) -> Answer {
    let (mut told, broken) = (books.events.len(), books.broken);
    let (desk, filters) = (Arc::clone(desk), filters(request));
    Answer::Talk(Box::new(move |mut stream| {
        stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        )?;
        desk.books().followed += 1;
        let followed = || -> io::Result<bool> {
            loop {
                let mut books = desk.books();
                let ends = |books: &Books| books.brief || books.broken != broken;
                while books.events.len() == told && !ends(&books) && !has_left(stream)? {
                    books = desk.changed.wait_timeout(books, LOOK).unwrap_or_else(PoisonError::into_inner).0;
                }
                if ends(&books) || books.events.len() == told {
                    // Some of an event, and then no more.
                    let _ = stream.write_all(b"100\r\n{\"Type\":\"conta");
                    return Ok(false);
                }
                let news: Vec<_> =
                    books.events[told..].iter().filter(|event| is_wanted(&filters, event)).cloned().collect();
                told = books.events.len();
                drop(books);
                for (kind, action) in news {
                    let line = format!("{}\n", json!({ "Type": kind, "Action": action }));
                    write!(stream, "{:x}\r\n{line}\r\n", line.len())?;
                }
            }
        };
        let ended = { followed }();
        desk.books().followed -= 1;
        ended
    }))
}
