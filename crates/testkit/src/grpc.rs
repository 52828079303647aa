//! The services that the edge asks over gRPC, made by other hands: `tests/node/grpc.mjs` and `tests/python/service.py`.

use crate::PATIENCE;
use crate::script::{Event, Script};
use crate::wait::eventually;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::cell::Cell;
use std::cell::RefCell;
use std::time::Duration;

/// How long a service may take to come to listen; Python generates its code first.
const START: Duration = Duration::from_secs(60);

/// All services at one address. What isn't set is answered `UNIMPLEMENTED`.
#[derive(Debug)]
pub struct GrpcService {
    script: RefCell<Script>,
    port: u16,
    encrypted: bool,
    orders: Cell<u64>,
}

/// How calls are answered.
#[derive(Debug, Clone)]
pub struct Answer(Value);

impl Answer {
    /// With this message, as JSON; in its texts `$name`, `$host` and `$locale` stand for what the request says.
    #[must_use]
    pub fn says(message: &Value) -> Self {
        Self(json!({ "answer": message }))
    }

    /// So much later.
    #[must_use]
    pub fn after(mut self, time: Duration) -> Self {
        self.0["after"] = json!(time.as_millis() as u64);
        self
    }

    /// With an error.
    #[must_use]
    pub fn error(code: i32, details: &str) -> Self {
        Self(json!({ "error": code, "details": details }))
    }

    /// With the profile that the session server at `url` vouches for, asked with what the request holds.
    #[must_use]
    pub fn has_joined(url: &str) -> Self {
        Self(json!({ "hasJoined": url }))
    }

    /// Not at all.
    #[must_use]
    pub fn hangs() -> Self {
        Self(json!({ "hang": true }))
    }

    /// With bytes that aren't the message.
    #[must_use]
    pub fn garbage() -> Self {
        Self(json!({ "garbage": true }))
    }

    /// By the end of the process.
    #[must_use]
    pub fn dies() -> Self {
        Self(json!({ "die": true }))
    }

    /// So for one player, otherwise as before.
    #[must_use]
    pub fn but_for(self, player: &str, answer: &Self) -> Self {
        Self(json!({ "byPlayer": { player: answer.0 }, "otherwise": self.0 }))
    }
}

impl GrpcService {
    /// In Node, with the options that `tests/node/grpc.mjs` describes.
    ///
    /// # Panics
    /// When Node or the packages are missing, or it doesn't come to listen.
    #[must_use]
    pub fn node(options: &Value) -> Self {
        Self::of(Script::node("grpc.mjs", &[options.to_string()]), options)
    }

    /// In Python, with the same options.
    ///
    /// # Panics
    /// When Python or the packages are missing, or it doesn't come to listen.
    #[must_use]
    pub fn python(options: &Value) -> Self {
        Self::of(Script::python("service.py", &[options.to_string()]), options)
    }

    fn of(script: Script, options: &Value) -> Self {
        let port = eventually(START, || {
            script.said().iter().find(|event| event.name() == "listening")?.field("port").as_u64()
        });
        let port = port.and_then(|port| u16::try_from(port).ok());
        let port = port.unwrap_or_else(|| panic!("the service does not listen: {:?}", script.said()));
        let encrypted = options["tls"].is_object();
        Self { script: RefCell::new(script), port, encrypted, orders: Cell::new(0) }
    }

    /// Where it is.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What an `endpoint` or one of its `uris` is to be.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("{}://127.0.0.1:{}", if self.encrypted { "https" } else { "http" }, self.port)
    }

    /// Answers a method's calls so from now on.
    ///
    /// # Panics
    /// When it has ended.
    pub fn set(&self, method: &str, answer: &Answer) {
        self.order(json!({ "set": { method: answer.0 } }));
    }

    /// Says that its health is another from now on, by the number in its definition: 1 serves, 2 doesn't.
    ///
    /// # Panics
    /// When it has ended.
    pub fn health(&self, status: u32) {
        self.order(json!({ "health": status }));
    }

    /// Tells it something, and waits until it has been heard.
    fn order(&self, mut order: Value) {
        let id = self.orders.get() + 1;
        self.orders.set(id);
        order["id"] = json!(id);
        self.script.borrow_mut().order(&order);
        let heard = || self.events("done").into_iter().find(|event| event.field("id") == id);
        assert!(eventually(PATIENCE, heard).is_some(), "the service doesn't hear");
    }

    /// What has happened under this name: `call` and `cancelled`.
    #[must_use]
    pub fn events(&self, name: &str) -> Vec<Event> {
        self.script.borrow().said().iter().filter(|event| event.name() == name).cloned().collect()
    }

    /// The calls of a method so far.
    #[must_use]
    pub fn calls(&self, method: &str) -> Vec<Event> {
        let mut calls = self.events("call");
        calls.retain(|call| call.field("method") == method);
        calls
    }

    /// The event of this name that a method's call brought, waited for.
    ///
    /// # Panics
    /// When it doesn't happen.
    #[must_use]
    pub fn wait_for(&self, name: &str, method: &str) -> Event {
        let found = eventually(PATIENCE, || {
            self.events(name).into_iter().find(|event| event.field("method") == method)
        });
        found.unwrap_or_else(|| panic!("no {name} of {method}: {:#?}", self.script.borrow().said()))
    }

    /// Stops its process, which then neither answers nor closes anything, until [`Signal::CONT`].
    ///
    /// # Panics
    /// When it is gone.
    pub fn signal(&self, signal: Signal) {
        let sent = kill_process(Pid::from_child(&self.script.borrow().process), signal);
        sent.unwrap_or_else(|error| panic!("the service is gone: {error}"));
    }
}
