//! Clients and servers made by other hands, in the scripts of `tests/node`: node-minecraft-protocol, mineflayer, flying-squid.

mod player;
mod served;
mod squid;
mod tour;
mod world;

use crate::player::Jar;
use crate::script::{Event, Script};
use crate::session::Account;
use crate::wait::eventually;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use player::{NodePlayer, NodeVisit};
pub use served::{Forwarded, Served};
pub use squid::{Squid, Walker};
pub use tour::Tour;
pub use world::NodeWorld;

/// How long a join may take, the half second that a release's tables take to load included.
const JOIN: Duration = Duration::from_secs(60);

/// A process of real clients. Starting one takes half a second, so a test uses one for many joins.
#[derive(Debug)]
pub struct NodeClient {
    script: Script,
    next: AtomicU64,
}

/// What a client is to do.
#[derive(Debug, Clone)]
pub struct Join(Map<String, Value>);

impl Join {
    /// A player with an account, in a release such as `1.21.1`.
    #[must_use]
    pub fn with_account(account: &Account, release: &str) -> Self {
        let id = account.id().simple().to_string();
        Self::new(account.name(), release)
            .set("account", json!({ "server": account.url(), "token": account.token(), "id": id }))
    }

    /// A player without one.
    #[must_use]
    pub fn new(name: &str, release: &str) -> Self {
        Self(Map::new()).set("name", json!(name)).set("version", json!(release))
    }

    /// The name to claim, whoever the account belongs to.
    #[must_use]
    pub fn claims(self, name: &str) -> Self {
        self.set("name", json!(name))
    }

    /// The host to say in the handshake.
    #[must_use]
    pub fn host(self, host: &str) -> Self {
        self.set("serverHost", json!(host))
    }

    /// The number to say in the handshake, instead of the release's own.
    #[must_use]
    pub fn protocol(self, number: i32) -> Self {
        self.set("protocol", json!(number))
    }

    /// Comes by way of a Transfer packet (intent 3), with the cookies that it held then.
    #[must_use]
    pub fn sent_on(self, jar: &Jar) -> Self {
        let cookies: Map<String, Value> =
            jar.iter().map(|(key, payload)| (key.clone(), json!(BASE64_STANDARD.encode(payload)))).collect();
        self.set("intent", json!(3)).set("cookies", Value::Object(cookies))
    }

    /// The language to ask for.
    #[must_use]
    pub fn locale(self, locale: &str) -> Self {
        self.set("locale", json!(locale))
    }

    /// The results to answer to each resource pack, in order, by their numbers on the wire.
    #[must_use]
    pub fn packs(self, results: &[i32]) -> Self {
        self.set("packs", json!(results))
    }

    /// Signs what it says with a key of the player's, since 1.19; with an account alone.
    #[must_use]
    pub fn signs(self) -> Self {
        self.set("signs", json!(true))
    }

    /// How many packets to exchange with a [`NodeWorld`] each way before it leaves.
    #[must_use]
    pub fn plays(self, packets: u32) -> Self {
        self.set("play", json!({ "packets": packets }))
    }

    /// How many packets to exchange each way at first with every server of a [`NodeWorld`] that it comes to; it stays then.
    #[must_use]
    pub fn stays(self, packets: u32) -> Self {
        self.set("play", json!({ "packets": packets, "stay": true }))
    }

    /// Exchanges packets with a [`NodeWorld`] for as long as it is there, one each time so much has passed.
    #[must_use]
    pub fn plays_on(self, every: Duration) -> Self {
        self.set("play", json!({ "every": every.as_millis(), "stay": true }))
    }

    /// What to say when first in a world: chat, or commands with their `/`. Only of those who play.
    #[must_use]
    pub fn chats(self, words: &[&str]) -> Self {
        self.set("chats", json!(words))
    }

    /// Has a mod that answers servers on this channel during the login.
    #[must_use]
    pub fn with_mod(self, channel: &str, answer: &str) -> Self {
        self.set("mods", json!({ channel: answer }))
    }

    /// The client's own name, instead of `vanilla`.
    #[must_use]
    pub fn brand(self, brand: &str) -> Self {
        self.set("brand", json!(brand))
    }

    fn set(mut self, name: &str, value: Value) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }
}

impl NodeClient {
    /// Starts the process.
    ///
    /// # Panics
    /// When Node or the packages are missing; the text says how to get them.
    #[must_use]
    pub fn start() -> Self {
        Self { script: Script::node("client.mjs", &[]), next: AtomicU64::new(1) }
    }

    /// Joins, and waits until the connection has ended.
    ///
    /// # Panics
    /// When it doesn't end.
    #[must_use]
    pub fn join(&self, join: &Join, to: SocketAddr) -> NodeVisit {
        self.begin(join, to).ended()
    }

    /// Begins to join.
    ///
    /// # Panics
    /// When the process has ended.
    #[must_use]
    pub fn begin(&self, join: &Join, to: SocketAddr) -> NodePlayer<'_> {
        let order = join.clone().set("host", json!(to.ip().to_string())).set("port", json!(to.port()));
        let mut jar = Jar::new();
        if let Some(Value::Object(cookies)) = order.0.get("cookies") {
            keep(&mut jar, cookies.iter().map(|(key, payload)| (key.as_str(), payload)));
        }
        let id = self.order(json!({ "join": order.0 }));
        NodePlayer::new(self, id, jar)
    }

    /// Every version that there is a table of, and its protocol number: one for each number.
    ///
    /// # Panics
    /// When the script doesn't tell.
    #[must_use]
    pub fn versions(&self) -> Vec<(String, i32)> {
        let id = self.order(json!({ "versions": true }));
        let events = self.ended(id);
        let versions = events.first().and_then(|event| event.field("versions").as_array());
        let versions = versions.unwrap_or_else(|| panic!("no versions: {events:#?}")).iter();
        let number = |version: &Value| i32::try_from(version["protocol"].as_i64()?).ok();
        let known = |version: &Value| Some((version["version"].as_str()?.to_owned(), number(version)?));
        versions.filter_map(known).collect()
    }

    /// Pings, and gives the status document.
    ///
    /// # Panics
    /// When none comes.
    #[must_use]
    pub fn ping(&self, release: &str, to: SocketAddr) -> Value {
        let order = json!({ "host": to.ip().to_string(), "port": to.port(), "version": release });
        let events = self.ended(self.order(json!({ "ping": order })));
        let status = events.iter().find(|event| event.name() == "status");
        status.unwrap_or_else(|| panic!("no status: {events:#?}")).field("document").clone()
    }

    /// Gives the order an id and the script the order.
    fn order(&self, mut order: Value) -> u64 {
        let id = self.next.fetch_add(1, Ordering::SeqCst);
        order["id"] = json!(id);
        self.script.order(&order);
        id
    }

    /// What has happened so far on this order.
    fn events(&self, id: u64) -> Vec<Event> {
        self.script.said().iter().filter(|event| event.0["id"] == id).cloned().collect()
    }

    /// What has happened on this order when it is over.
    fn ended(&self, id: u64) -> Vec<Event> {
        let ended = eventually(JOIN, || {
            let events = self.events(id);
            events.iter().any(|event| event.name() == "end").then_some(events)
        });
        ended.unwrap_or_else(|| panic!("order {id} did not end: {:#?}", self.events(id)))
    }
}

fn keep<'a>(jar: &mut Jar, cookies: impl Iterator<Item = (&'a str, &'a Value)>) {
    for (key, payload) in cookies {
        let payload = payload.as_str().and_then(|payload| BASE64_STANDARD.decode(payload).ok());
        jar.insert(key.to_owned(), payload.unwrap_or_default());
    }
}

/// A server made by other hands, for the testkit's own client to prove itself against.
#[derive(Debug)]
pub struct NodeServer {
    script: Script,
    address: SocketAddr,
}

impl NodeServer {
    /// Starts it with the options that `tests/node/server.mjs` describes.
    ///
    /// # Panics
    /// When Node or the packages are missing, or it doesn't come to listen.
    #[must_use]
    pub fn start(options: &Value) -> Self {
        let script = Script::node("server.mjs", &[options.to_string()]);
        let port = listening(&script).field("port").as_u64().and_then(|port| u16::try_from(port).ok());
        let port = port.unwrap_or_else(|| panic!("the Node server tells no port: {:?}", script.said()));
        Self { script, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The first event of this name, waited for.
    ///
    /// # Panics
    /// When it doesn't happen.
    #[must_use]
    pub fn event(&self, name: &str) -> Event {
        said(&self.script, name, |event| event.name() == name)
    }
}

/// The first event that `is` recognises, waited for.
fn said(script: &Script, what: &str, is: impl Fn(&Event) -> bool) -> Event {
    let found = eventually(JOIN, || script.said().iter().find(|event| is(event)).cloned());
    found.unwrap_or_else(|| panic!("no {what}: {:#?}", script.said()))
}

/// That a server listens, waited for.
fn listening(script: &Script) -> Event {
    said(script, "listening", |event| event.name() == "listening")
}
