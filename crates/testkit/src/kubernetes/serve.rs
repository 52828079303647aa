//! Requests and their answers.

use super::{ApiCall, Books, Turn, selector};
use crate::desk::Desk;
use crate::web::Request;
use crate::web::http::{Answer, write_answer};
use serde_json::{Value, json};
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

/// What is done about a request.
pub(super) fn answer(desk: &Arc<Desk<Books>>, request: &Request) -> Answer {
    let mut books = desk.books();
    let index = books.calls.len();
    books.calls.push(ApiCall { request: request.clone(), at: Instant::now(), cancelled: None, status: None });
    let token = format!("Bearer {}", books.token);
    if !request.headers.iter().any(|(name, value)| name == "authorization" && *value == token) {
        return books.fails(index, 401, "Unauthorized");
    }
    let segments: Vec<&str> = request.path().split('/').collect();
    match (request.method.as_str(), segments.as_slice()) {
        (
            "POST",
            ["", "apis", "allocation.agones.dev", "v1", "namespaces", namespace, "gameserverallocations"],
        ) => {
            let turn = books.turns.pop_front().unwrap_or(Turn::Honest);
            allocation(desk, &mut books, index, namespace, turn)
        }
        (method, ["", "apis", "agones.dev", "v1", "namespaces", namespace, "gameservers", name @ ..]) => {
            if let Some(status) = books.down {
                return books.fails(index, status, "down");
            }
            let which = Which { kind: "GameServer", namespace: Some((*namespace).to_owned()) };
            match (method, name) {
                ("GET", []) => listed_or_watched(desk, &mut books, index, which),
                ("GET", [name]) => match books.servers.get(*name).cloned() {
                    Some(server) => books.says(index, 200, &server),
                    None => books.fails(index, 404, "not found"),
                },
                ("PATCH", [name]) => books.patch(index, name),
                ("DELETE", [name]) => books.delete(index, name),
                _ => books.fails(index, 405, "the server does not allow this method"),
            }
        }
        ("GET", ["", "api", "v1", within @ .., "services"]) => {
            let namespace = match within {
                [] => None,
                ["namespaces", namespace] => Some((*namespace).to_owned()),
                _ => return books.fails(index, 404, "the server could not find the requested resource"),
            };
            if namespace.is_some() && namespace == books.forbidden {
                return books.fails(index, 403, "services is forbidden");
            }
            match books.down {
                Some(status) => books.fails(index, status, "down"),
                None => listed_or_watched(desk, &mut books, index, Which { kind: "Service", namespace }),
            }
        }
        _ => books.fails(index, 404, "the server could not find the requested resource"),
    }
}

/// Which objects are meant.
struct Which {
    kind: &'static str,
    /// `None`: of all namespaces.
    namespace: Option<String>,
}

fn listed_or_watched(desk: &Arc<Desk<Books>>, books: &mut Books, index: usize, which: Which) -> Answer {
    match books.calls[index].request.parameter("watch") {
        Some(_) => watch(desk, books, index, which),
        None => books.list(index, which),
    }
}

fn allocation(
    desk: &Arc<Desk<Books>>,
    books: &mut Books,
    index: usize,
    namespace: &str,
    turn: Turn,
) -> Answer {
    match turn {
        Turn::Honest => books.allocated(index, namespace),
        Turn::UnAllocated | Turn::Contention => {
            books.says(index, 201, &json!({ "status": { "state": format!("{turn:?}") } }))
        }
        Turn::Fails(status, after) => {
            let failed = books.fails(index, status, "as it was told");
            after.map_or(failed, |after| {
                books.fails(index, status, "later").with("Retry-After", &after.to_string())
            })
        }
        Turn::DoneAndFails(status) => {
            let _ = books.allocated(index, namespace);
            books.fails(index, status, "it may have been done")
        }
        Turn::Garbage => books.says(index, 200, &json!(["this is no allocation"])),
        Turn::DoneAndClosed => {
            let _ = books.allocated(index, namespace);
            Answer::Close
        }
        Turn::DoneAndHeld => {
            let answer = later(books.allocated(index, namespace));
            held(desk, books.released, index, answer)
        }
        Turn::Held => {
            let namespace = namespace.to_owned();
            let desk_then = Arc::clone(desk);
            let then = move || later(desk_then.books().allocated(index, &namespace))();
            held(desk, books.released, index, then)
        }
    }
}

/// An answer for later.
fn later(answer: Answer) -> impl FnOnce() -> (u16, Vec<u8>) {
    move || match answer {
        Answer::Status { status, body, .. } => (status, body),
        _ => (500, Vec::new()),
    }
}

/// Waits until answers are released once more than `before`, and writes this one unless nobody waits for it.
fn held(
    desk: &Arc<Desk<Books>>,
    before: u64,
    index: usize,
    then: impl FnOnce() -> (u16, Vec<u8>) + 'static,
) -> Answer {
    let desk = Arc::clone(desk);
    Answer::Talk(Box::new(move |stream| {
        if desk.wait(stream, |books| books.released > before)?.is_none() {
            desk.books().calls[index].cancelled = Some(Instant::now());
            return Ok(false);
        }
        let (status, body) = then();
        write_answer(stream, status, "Content-Type: application/json\r\n", &body)?;
        Ok(true)
    }))
}

impl Books {
    fn says(&mut self, index: usize, status: u16, body: &Value) -> Answer {
        self.calls[index].status = Some(status);
        let headers = "Content-Type: application/json\r\n".to_owned();
        Answer::Status { status, headers, body: body.to_string().into_bytes() }
    }

    fn fails(&mut self, index: usize, status: u16, message: &str) -> Answer {
        let body = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status });
        self.says(index, status, &body)
    }

    fn allocated(&mut self, index: usize, namespace: &str) -> Answer {
        let body = self.calls[index].request.body.clone();
        match self.allocate(namespace, &body) {
            Ok(answer) => self.says(index, 201, &answer),
            Err((status, message)) => self.fails(index, status, &message),
        }
    }

    /// The objects that the request selects.
    fn selected(&self, index: usize, which: Which) -> impl Fn(&Value) -> bool + 'static {
        let request = &self.calls[index].request;
        let wanted = request.parameter("labelSelector").unwrap_or_default().to_owned();
        move |object| {
            object["kind"] == which.kind
                && which
                    .namespace
                    .as_ref()
                    .is_none_or(|namespace| object["metadata"]["namespace"] == **namespace)
                && selector::fits(&object["metadata"]["labels"], &wanted)
        }
    }

    fn list(&mut self, index: usize, which: Which) -> Answer {
        let kind = which.kind;
        let selected = self.selected(index, which);
        let parameter = |name: &str| self.calls[index].request.parameter(name)?.parse::<usize>().ok();
        let (from, limit) = (parameter("continue").unwrap_or(0), parameter("limit").unwrap_or(usize::MAX));
        let all = self.servers.values().chain(self.services.values());
        let all: Vec<&Value> = all.filter(|object| selected(object)).collect();
        let page: Vec<Value> =
            all.iter().skip(from).take(limit).map(|object| swollen(object, self.swollen)).collect();
        let more = from + page.len() < all.len();
        let next = if more { (from + page.len()).to_string() } else { String::new() };
        let list = json!({
            "kind": format!("{kind}List"),
            "metadata": { "resourceVersion": self.version.to_string(), "continue": next },
            "items": page,
        });
        match page.len() * self.weight {
            0 => self.says(index, 200, &list),
            padding => {
                self.calls[index].status = Some(200);
                padded(list.to_string().into_bytes(), padding)
            }
        }
    }

    fn patch(&mut self, index: usize, name: &str) -> Answer {
        let call = &self.calls[index];
        if !call
            .request
            .headers
            .iter()
            .any(|(name, value)| name == "content-type" && value == "application/merge-patch+json")
        {
            return self.fails(index, 415, "the body of the request was in an unknown format");
        }
        let patch = call.json();
        let Some(mut server) = self.servers.get(name).cloned() else {
            return self.fails(index, 404, "not found");
        };
        if conflicts(&patch["metadata"], &server) {
            return self.fails(index, 409, "the object has been modified");
        }
        merge(&mut server, &patch);
        self.record("MODIFIED", server.clone());
        self.says(index, 200, &server)
    }

    fn delete(&mut self, index: usize, name: &str) -> Answer {
        let options = self.calls[index].json();
        let Some(server) = self.servers.get(name).cloned() else {
            return self.fails(index, 404, "not found");
        };
        if conflicts(&options["preconditions"], &server) {
            return self.fails(index, 409, "the object has been modified");
        }
        self.record("DELETED", server);
        self.says(index, 200, &json!({ "kind": "Status", "status": "Success" }))
    }
}

/// A service whose description has so many bytes more, if it has any.
fn swollen(object: &Value, bytes: usize) -> Value {
    let mut object = object.clone();
    if let Some(Value::String(text)) =
        object.pointer_mut("/metadata/annotations/drawbridge.dev~1status.description")
    {
        text.push_str(&"x".repeat(bytes));
    }
    object
}

/// An answer with so many blanks behind it, for as long as they are read.
fn padded(body: Vec<u8>, padding: usize) -> Answer {
    Answer::Talk(Box::new(move |mut stream| {
        let length = body.len() + padding;
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )?;
        stream.write_all(&body)?;
        io::copy(&mut io::repeat(b' ').take(u64::try_from(padding).unwrap_or(u64::MAX)), &mut stream)?;
        Ok(true)
    }))
}

/// Whether what is said of the game server isn't so any more.
fn conflicts(said: &Value, server: &Value) -> bool {
    ["uid", "resourceVersion"].iter().any(|key| !said[key].is_null() && said[key] != server["metadata"][key])
}

/// RFC 7396.
fn merge(into: &mut Value, patch: &Value) {
    let (Some(object), Some(patch)) = (into.as_object_mut(), patch.as_object()) else {
        *into = patch.clone();
        return;
    };
    for (key, value) in patch {
        if value.is_null() {
            object.remove(key);
        } else {
            merge(object.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

fn watch(desk: &Arc<Desk<Books>>, books: &mut Books, index: usize, which: Which) -> Answer {
    let request = &books.calls[index].request;
    let Some(from) = request.parameter("resourceVersion").and_then(|version| version.parse::<u64>().ok())
    else {
        return books.fails(index, 400, "resourceVersion: Invalid value");
    };
    if from < books.oldest {
        return books.fails(index, 410, "too old resource version");
    }
    let stream = Stream {
        kind: which.kind,
        selected: Box::new(books.selected(index, which)),
        bookmarks: request.parameter("allowWatchBookmarks") == Some("true"),
        told: from,
        seen: (books.broken, books.forgotten, books.bookmarks),
    };
    books.calls[index].status = Some(200);
    let desk = Arc::clone(desk);
    Answer::Talk(Box::new(move |connection| {
        let ended = stream.run(&desk, connection);
        desk.books().calls[index].cancelled = Some(Instant::now());
        ended.map(|()| false)
    }))
}

/// One watch.
struct Stream {
    kind: &'static str,
    selected: Box<dyn Fn(&Value) -> bool>,
    bookmarks: bool,
    /// Changes up to this version have been told.
    told: u64,
    /// How often streams were broken, versions forgotten, and bookmarks told.
    seen: (u64, u64, u64),
}

impl Stream {
    fn run(mut self, desk: &Desk<Books>, mut connection: &TcpStream) -> io::Result<()> {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        connection.write_all(head.as_bytes())?;
        loop {
            let mut news = Vec::new();
            let seen = self.seen;
            let ready = |books: &Books| {
                news = self.news(books);
                !news.is_empty() || books.broken > seen.0
            };
            let Some(books) = desk.wait(connection, ready)? else { return Ok(()) };
            if books.broken > seen.0 {
                // Some of a change, and then no more.
                return connection.write_all(b"100\r\n{\"type\":\"ADDED\",\"obj");
            }
            let gone = books.forgotten > seen.1;
            drop(books);
            for change in news {
                let line = format!("{change}\n");
                write!(connection, "{:x}\r\n{line}\r\n", line.len())?;
            }
            if gone {
                return connection.write_all(b"0\r\n\r\n");
            }
        }
    }

    /// What there is to tell.
    fn news(&mut self, books: &Books) -> Vec<Value> {
        if books.forgotten > self.seen.1 {
            let status = json!({ "kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version" });
            return vec![json!({ "type": "ERROR", "object": status })];
        }
        let changes = books.history.iter().filter(|(version, _, _)| *version > self.told);
        let mut news: Vec<Value> = changes
            .filter(|(_, _, server)| (self.selected)(server))
            .map(|(_, what, server)| json!({ "type": what, "object": server }))
            .collect();
        self.told = books.history.last().map_or(self.told, |(version, _, _)| self.told.max(*version));
        if self.bookmarks && books.bookmarks > self.seen.2 {
            self.seen.2 = books.bookmarks;
            let object = json!({
                "kind": self.kind,
                "metadata": { "resourceVersion": books.version.to_string() },
            });
            news.push(json!({ "type": "BOOKMARK", "object": object }));
        }
        news
    }
}
