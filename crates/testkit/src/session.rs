//! Stands in for Mojang's session server, over HTTP on 127.0.0.1.
//!
//! A client that joins says so with its access token and the server hash (`join`); a server asks whether the name has joined
//! with the hash (`hasJoined`) and learns the profile, or 204. With `ip` it learns it only where that is the address that the
//! client joined from.

use crate::connection::Trouble;
use crate::web::{self, Request, http};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use drawbridge_protocol::profile::Property;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// How the server answers `hasJoined`. `join` always works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// As the real one.
    Honest,
    /// 204: nobody has joined.
    Denies,
    /// 429, with Retry-After in seconds where given.
    Busy(Option<u32>),
    /// An error of the server's own, such as 500.
    Fails(u16),
    /// 200, with this body.
    Says(Vec<u8>),
    /// 200, with this profile instead of the one that joined.
    Vouches(Value),
    /// Not HTTP.
    Garbage,
    /// Nothing; the connection stays open.
    Silent,
    /// As the real one, but only when [`SessionServer::release`] lets it.
    Held,
    /// Closes the connection instead of an answer, so many times, then as the real one.
    Closes(u32),
}

/// A player's account.
#[derive(Debug, Clone)]
pub struct Account {
    name: String,
    id: Uuid,
    token: String,
    server: SocketAddr,
}

impl Account {
    /// The player's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The player's UUID.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// What proves to the session server that it is the player.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Where the account is, such as `http://127.0.0.1:1234`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.server)
    }

    /// Says that the player joins the server with this hash.
    ///
    /// # Errors
    /// When the session server doesn't take it.
    pub fn join(&self, from: IpAddr, hash: &str) -> Result<(), Trouble> {
        let body = json!({ "accessToken": self.token, "selectedProfile": self.id.simple().to_string(), "serverId": hash });
        match http::post(from, self.server, "/session/minecraft/join", &body.to_string())? {
            204 => Ok(()),
            status => Err(Trouble::Rule(format!("the session server answered {status} to join"))),
        }
    }
}

/// The server, until the test ends.
#[derive(Debug)]
pub struct SessionServer {
    address: SocketAddr,
    desk: Arc<Desk>,
    open: Arc<AtomicUsize>,
}

/// What all of its connections share.
#[derive(Debug)]
struct Desk {
    books: Mutex<Books>,
    released: Condvar,
}

#[derive(Debug)]
struct Books {
    mode: Mode,
    accounts: HashMap<Uuid, Account>,
    /// Server hash, and from where, by player.
    joined: HashMap<Uuid, (String, IpAddr)>,
    requests: Vec<Request>,
}

impl SessionServer {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When it can't listen.
    pub fn start() -> io::Result<Self> {
        let books = Books {
            mode: Mode::Honest,
            accounts: HashMap::new(),
            joined: HashMap::new(),
            requests: Vec::new(),
        };
        let desk = Arc::new(Desk { books: Mutex::new(books), released: Condvar::new() });
        let (served, open) = (Arc::clone(&desk), Arc::<AtomicUsize>::default());
        let address = web::listen_counting(move |request| served.answer(request), Arc::clone(&open))?;
        Ok(Self { address, desk, open })
    }

    /// What a route's `url` is to be.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Opens an account.
    #[must_use]
    pub fn account(&self, name: &str) -> Account {
        let account = Account {
            name: name.to_owned(),
            id: Uuid::new_v4(),
            token: Uuid::new_v4().simple().to_string(),
            server: self.address,
        };
        self.desk.books().accounts.insert(account.id, account.clone());
        account
    }

    /// Changes how `hasJoined` is answered from now on.
    pub fn mode(&self, mode: Mode) {
        self.desk.books().mode = mode;
        self.desk.released.notify_all();
    }

    /// Lets answers go that [`Mode::Held`] holds back, and is honest from now on.
    pub fn release(&self) {
        self.mode(Mode::Honest);
    }

    /// Every request so far, in the order in which they came.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.desk.books().requests.clone()
    }

    /// How many times a server has asked who joined.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.desk.books().requests.iter().filter(|request| request.is_has_joined()).count()
    }

    /// The last time that a server asked who joined.
    #[must_use]
    pub fn last_asked(&self) -> Option<Request> {
        self.desk.books().requests.iter().rfind(|request| request.is_has_joined()).cloned()
    }

    /// How many times a client has said that it joins.
    #[must_use]
    pub fn joins(&self) -> usize {
        self.desk.books().requests.iter().filter(|request| request.is_join()).count()
    }

    /// How many connections are open now, to servers and clients.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// On how many connections servers have asked.
    #[must_use]
    pub fn connections(&self) -> usize {
        let requests = self.requests();
        let asked = requests.iter().filter(|request| request.is_has_joined());
        asked.map(|request| request.connection).collect::<HashSet<_>>().len()
    }
}

impl SessionServer {
    /// The properties of every profile that it vouches for: one signed, one not.
    #[must_use]
    pub fn properties() -> Vec<Property> {
        let textures = BASE64_STANDARD.encode(r#"{"textures":{"SKIN":{"url":"http://127.0.0.1/skin.png"}}}"#);
        let signature = BASE64_STANDARD.encode("signed by nobody");
        vec![
            Property { name: "textures".into(), value: textures, signature: Some(signature) },
            Property { name: "flavour".into(), value: "vanilla".into(), signature: None },
        ]
    }
}

impl Desk {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request) -> http::Answer {
        let mut books = self.books();
        books.requests.push(request.clone());
        if request.is_join() {
            return books.join(request);
        }
        if !request.is_has_joined() {
            return http::Answer::status(404);
        }
        while books.mode == Mode::Held {
            books = self.released.wait(books).unwrap_or_else(PoisonError::into_inner);
        }
        match &mut books.mode {
            Mode::Denies => http::Answer::status(204),
            Mode::Busy(None) => http::Answer::status(429),
            Mode::Busy(Some(seconds)) => http::Answer::status(429).with("Retry-After", &seconds.to_string()),
            Mode::Fails(status) => http::Answer::status(*status),
            Mode::Says(body) => http::Answer::json(body.clone()),
            Mode::Vouches(profile) => http::Answer::json(profile.to_string().into_bytes()),
            Mode::Garbage => http::Answer::Raw(b"\x00\xff this is not HTTP \r\n\r\n".to_vec()),
            Mode::Silent => http::Answer::Nothing,
            Mode::Closes(times) if *times > 0 => {
                *times -= 1;
                http::Answer::Close
            }
            Mode::Honest | Mode::Held | Mode::Closes(_) => books.has_joined(request),
        }
    }
}

impl Books {
    fn join(&mut self, request: &Request) -> http::Answer {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let field = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let account = Uuid::parse_str(&field("selectedProfile")).ok().and_then(|id| self.accounts.get(&id));
        match account {
            Some(account) if account.token == field("accessToken") => {
                self.joined.insert(account.id, (field("serverId"), request.from));
                http::Answer::status(204)
            }
            _ => http::Answer::status(403),
        }
    }

    fn has_joined(&self, request: &Request) -> http::Answer {
        let name = request.parameter("username").unwrap_or_default();
        let account = self.accounts.values().find(|account| account.name.eq_ignore_ascii_case(name));
        let joined = account.and_then(|account| Some((account, self.joined.get(&account.id)?)));
        match joined {
            Some((account, (hash, from)))
                if request.parameter("serverId") == Some(hash)
                    && request.parameter("ip").is_none_or(|ip| ip.parse() == Ok(*from)) =>
            {
                http::Answer::json(profile(account).to_string().into_bytes())
            }
            _ => http::Answer::status(204),
        }
    }
}

fn profile(account: &Account) -> Value {
    let properties: Vec<Value> = SessionServer::properties()
        .into_iter()
        .map(|Property { name, value, signature }| match signature {
            Some(signature) => json!({ "name": name, "value": value, "signature": signature }),
            None => json!({ "name": name, "value": value }),
        })
        .collect();
    json!({
        "id": account.id.simple().to_string(),
        "name": account.name,
        "properties": properties,
        "profileActions": [],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn ask(account: &Account, query: &str) -> String {
        let path = format!("/session/minecraft/hasJoined?{query}");
        http::get(account.server, &path).unwrap()
    }

    #[test]
    fn only_who_has_joined_with_the_same_hash_is_vouched_for() {
        let server = SessionServer::start().unwrap();
        let alice = server.account("Alice");
        assert!(ask(&alice, "username=Alice&serverId=-1f").starts_with("HTTP/1.1 204"));
        alice.join(Ipv4Addr::new(127, 0, 0, 2).into(), "-1f").unwrap();
        assert!(ask(&alice, "username=Alice&serverId=-1e").starts_with("HTTP/1.1 204"));
        assert!(ask(&alice, "username=Bob&serverId=-1f").starts_with("HTTP/1.1 204"));
        assert!(ask(&alice, "username=alice&serverId=-1f").contains(r#""name":"Alice""#));
        assert!(ask(&alice, "username=Alice&serverId=-1f&ip=127.0.0.2").contains(r#""name":"Alice""#));
        assert!(ask(&alice, "username=Alice&serverId=-1f&ip=127.0.0.3").starts_with("HTTP/1.1 204"));
        assert_eq!((server.joins(), server.asked()), (1, 6));
    }

    #[test]
    fn a_wrong_token_joins_nothing() {
        let server = SessionServer::start().unwrap();
        let thief = Account { token: "stolen".into(), ..server.account("Alice") };
        assert!(thief.join(Ipv4Addr::LOCALHOST.into(), "1f").is_err());
        assert!(ask(&thief, "username=Alice&serverId=1f").starts_with("HTTP/1.1 204"));
    }

    #[test]
    fn a_name_that_is_a_query_stays_a_name() {
        let server = SessionServer::start().unwrap();
        let alice = server.account("Alice");
        alice.join(Ipv4Addr::LOCALHOST.into(), "1f").unwrap();
        assert!(ask(&alice, "username=Alice%26serverId%3D1f%23&serverId=2").starts_with("HTTP/1.1 204"));
        let requests = server.requests();
        assert_eq!(requests[1].parameter("username"), Some("Alice&serverId=1f#"));
    }
}
