//! Requests and their answers.

use super::{Books, Temper};
use crate::desk::Desk;
use crate::web::Request;
use crate::web::http::{Answer, write_answer};
use serde_json::{Value, json};
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

fn says(body: &Value) -> Answer {
    Answer::json(body.to_string().into_bytes())
}

fn fails(status: u16, message: &str) -> Answer {
    let body = json!({ "message": message }).to_string().into_bytes();
    Answer::Status { status, headers: "Content-Type: application/json\r\n".to_owned(), body }
}

/// What is done about a request.
pub(super) fn answer(desk: &Arc<Desk<Books>>, request: &Request) -> Answer {
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
fn held(desk: &Arc<Desk<Books>>, id: String) -> Answer {
    let desk = Arc::clone(desk);
    Answer::Talk(Box::new(move |stream| {
        desk.change(|books| {
            books.waiting += 1;
            books.most_waiting = books.most_waiting.max(books.waiting);
        });
        let free = desk.wait(stream, |books| !books.held)?.is_some();
        let answer = desk.change(|books| {
            books.waiting -= 1;
            books.inspect(&id)
        });
        if let Answer::Status { status, headers, body } = answer {
            write_answer(stream, status, &headers, &body)?;
        }
        Ok(free)
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
fn events(desk: &Arc<Desk<Books>>, books: &Books, request: &Request) -> Answer {
    let (mut told, broken) = (books.events.len(), books.broken);
    let (desk, filters) = (Arc::clone(desk), filters(request));
    Answer::Talk(Box::new(move |mut stream| {
        stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        )?;
        desk.change(|books| books.followed += 1);
        let ends = |books: &Books| books.brief || books.broken != broken;
        let followed = || -> io::Result<bool> {
            while let Some(books) = desk.wait(stream, |books| books.events.len() > told || ends(books))? {
                if ends(&books) {
                    // Some of an event, and then no more.
                    let _ = stream.write_all(b"100\r\n{\"Type\":\"conta");
                    return Ok(false);
                }
                let news = books.events.iter().skip(told).filter(|event| is_wanted(&filters, event));
                let news: Vec<_> = news.cloned().collect();
                told = books.events.len();
                drop(books);
                for (kind, action) in news {
                    let line = format!("{}\n", json!({ "Type": kind, "Action": action }));
                    write!(stream, "{:x}\r\n{line}\r\n", line.len())?;
                }
            }
            Ok(false)
        };
        let ended = { followed }();
        desk.change(|books| books.followed -= 1);
        ended
    }))
}
