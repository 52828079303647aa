//! Who is on the edge: logins under way and players who are carried, for operators to see and to send away.
//!
//! What must stay true: a ping never appears here, and a packet costs nothing; a player is known by the address that counts, which
//! behind a load balancer isn't the balancer's; what a client merely claims is never shown as verified.

use crate::passenger::Way;
use crate::places::Whereabouts;
use drawbridge_model::identity::folded;
use drawbridge_model::{Client, Identity, Refused, Subject, SubjectError, TargetAddress};
use drawbridge_protocol::ProtocolVersion;
use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;
use tokio::sync::Notify;
use uuid::Uuid;

/// A player as an operator sees them, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Player {
    /// The number of the connection, which no other of this process has.
    pub connection: u64,
    /// Where the player calls from.
    pub address: SocketAddr,
    /// The host that the player typed, cleaned.
    pub host: String,
    /// The protocol version.
    pub version: ProtocolVersion,
    /// The route.
    pub route: String,
    /// When the connection got as far as its route.
    pub since: SystemTime,
    /// Who the player is, once they have said so.
    pub who: Option<Who>,
    /// How far the player has come.
    pub stage: Stage,
    /// Where the player is; `None` while the login is under way.
    pub at: Option<Whereabouts>,
}

impl Player {
    /// The name of the place where the player is, for somebody who came by the route `home`.
    pub(crate) fn place(&self, home: &str) -> Option<String> {
        Some(self.at.as_ref()?.name(&self.route, home))
    }
}

/// How far a player has come, and in which way they are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The login is under way.
    Login,
    /// Carried as bytes.
    Relayed,
    /// Carried by a session, on a target or in limbo.
    Session,
}

impl Stage {
    /// As operators read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Relayed => "relayed",
            Self::Session => "session",
        }
    }
}

/// Who a player is, or says they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The name.
    pub name: String,
    /// The UUID.
    pub id: Uuid,
    /// Whether somebody vouches for both.
    pub verified: bool,
}

impl From<&Identity> for Who {
    fn from(identity: &Identity) -> Self {
        let (name, id, verified) = match identity {
            Identity::Verified(profile) => (&profile.name, profile.id, true),
            Identity::Claimed(claim) => (&claim.name, claim.id, false),
        };
        Self { name: name.clone(), id, verified }
    }
}

/// Whom an operator means: a connection by its number (`#12`), or whoever has the name, UUID or address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// The connection of this number.
    Connection(u64),
    /// All whom it fits.
    Subject(Subject),
}

impl FromStr for Whom {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        match text.strip_prefix('#').map(str::parse) {
            Some(Ok(number)) => Ok(Self::Connection(number)),
            _ => text.parse().map(Self::Subject),
        }
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(number) => write!(f, "#{number}"),
            Self::Subject(subject) => subject.fmt(f),
        }
    }
}

impl Whom {
    /// Whether the player is meant. A UUID that is only claimed counts: it is what an operator sees of the player.
    #[must_use]
    pub fn is(&self, player: &Player) -> bool {
        match self {
            Self::Connection(number) => player.connection == *number,
            Self::Subject(Subject::Id(id)) => player.who.as_ref().is_some_and(|who| who.id == *id),
            Self::Subject(subject) => would_ban(subject, player),
        }
    }
}

/// Whether a ban of `subject` keeps the player out: a UUID counts where somebody vouches for it.
#[must_use]
pub fn would_ban(subject: &Subject, player: &Player) -> bool {
    let who = player.who.as_ref();
    match subject {
        Subject::Network(network) => network.contains(&player.address.ip()),
        Subject::Name(name) => who.is_some_and(|who| folded(&who.name) == **name),
        Subject::Id(id) => who.is_some_and(|who| who.verified && who.id == *id),
    }
}

/// The players of an edge.
#[derive(Debug, Default)]
pub(crate) struct Players {
    entered: AtomicU64,
    present: Mutex<HashMap<u64, Arc<Entry>>>,
}

/// What is known of a player. For as long as the player is carried nobody else keeps it.
#[derive(Debug)]
struct Entry {
    connection: u64,
    client: Client,
    route: String,
    since: SystemTime,
    who: Mutex<Option<Who>>,
    at: Mutex<Option<Whereabouts>>,
    /// In which way the player is carried, once they are.
    way: OnceLock<Way>,
    /// Where an operator has the player go.
    order: Mutex<Option<String>>,
    why: OnceLock<Box<Refused>>,
    called: Notify,
}

/// Tells a player's task that the player has to go.
#[derive(Debug, Clone)]
pub(crate) struct Summons(Arc<Entry>);

impl Summons {
    /// Waits until the player has to go.
    pub(crate) async fn comes(&self) -> Refused {
        loop {
            if let Some(why) = self.0.why.get() {
                return Refused::clone(why);
            }
            self.0.called.notified().await;
        }
    }
}

impl Players {
    /// A client has a route, and wants to join.
    pub(crate) fn enter(self: &Arc<Self>, client: &Client, route: &str) -> Presence {
        let connection = self.entered.fetch_add(1, Ordering::Relaxed) + 1;
        let entry = Arc::new(Entry {
            connection,
            client: client.clone(),
            route: route.to_owned(),
            since: SystemTime::now(),
            who: Mutex::default(),
            at: Mutex::default(),
            way: OnceLock::new(),
            order: Mutex::default(),
            why: OnceLock::new(),
            called: Notify::new(),
        });
        self.present().insert(connection, Arc::clone(&entry));
        Presence { players: Arc::clone(self), entry }
    }

    /// All, in the order in which they came.
    pub(crate) fn all(&self) -> Vec<Player> {
        self.entries().iter().map(|entry| entry.player()).collect()
    }

    /// One of those whom `is` means, as their greeting showed them.
    pub(crate) fn client(&self, is: impl Fn(&Player) -> bool) -> Option<Client> {
        let entries = self.entries();
        entries.iter().find(|entry| is(&entry.player())).map(|entry| entry.client.clone())
    }

    /// Where the players of a route are, in the order in which they came.
    pub(crate) fn of_route(&self, route: &str) -> Vec<Whereabouts> {
        let entries = self.entries();
        let of_route = entries.iter().filter(|entry| entry.route == route);
        of_route.filter_map(|entry| entry.at().clone()).collect()
    }

    /// Shows the name and the place of each who is carried, in no order, to somebody who came by the route `home`.
    pub(crate) fn carried(&self, home: &str, mut show: impl FnMut(&str, &str)) {
        let entries: Vec<_> = self.present().values().cloned().collect();
        for entry in entries {
            if let (Some(who), Some(at)) = (&*entry.who(), &*entry.at()) {
                show(&who.name, &at.name(&entry.route, home));
            }
        }
    }

    /// Has all those go whom `is` means, and gives them. Who is carried notices at the next look.
    pub(crate) fn send_away(&self, is: impl Fn(&Player) -> bool, why: &Refused) -> Vec<Player> {
        let entries = self.entries();
        let meant = entries.iter().map(|entry| (entry, entry.player())).filter(|(_, player)| is(player));
        meant.filter(|(entry, _)| entry.call(why)).map(|(_, player)| player).collect()
    }

    /// Has all those go to the place of this name whom `is` means, and gives them.
    pub(crate) fn send_to(&self, is: impl Fn(&Player) -> bool, place: &str) -> Vec<Player> {
        let entries = self.entries();
        let meant = entries.iter().map(|entry| (entry, entry.player())).filter(|(_, player)| is(player));
        meant
            .map(|(entry, player)| {
                *entry.order() = Some(place.to_owned());
                player
            })
            .collect()
    }

    fn entries(&self) -> Vec<Arc<Entry>> {
        let mut entries: Vec<_> = self.present().values().cloned().collect();
        entries.sort_unstable_by_key(|entry| entry.connection);
        entries
    }

    fn present(&self) -> MutexGuard<'_, HashMap<u64, Arc<Entry>>> {
        // Each change is whole, so that what a panic elsewhere left behind is sound.
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn who(&self) -> MutexGuard<'_, Option<Who>> {
        self.who.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn order(&self) -> MutexGuard<'_, Option<String>> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at(&self) -> MutexGuard<'_, Option<Whereabouts>> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn player(&self) -> Player {
        let Client { address, host, version, .. } = &self.client;
        Player {
            connection: self.connection,
            address: *address,
            host: host.clone(),
            version: *version,
            route: self.route.clone(),
            since: self.since,
            who: self.who().clone(),
            stage: match self.way.get() {
                None => Stage::Login,
                Some(Way::Relay) => Stage::Relayed,
                Some(Way::Session) => Stage::Session,
            },
            at: self.at().clone(),
        }
    }

    /// Has the player go; whether nobody has said so before.
    fn call(&self, why: &Refused) -> bool {
        let first = self.why.set(Box::new(why.clone())).is_ok();
        // Whoever isn't waiting yet finds that it was said.
        self.called.notify_one();
        first
    }
}

/// A player's place among those who are there, until it is dropped.
#[derive(Debug)]
pub(crate) struct Presence {
    players: Arc<Players>,
    entry: Arc<Entry>,
}

impl Presence {
    /// Who the player is, as far as is known.
    pub(crate) fn learn_who(&self, identity: &Identity) {
        *self.entry.who() = Some(identity.into());
    }

    /// The player is here from now on, carried in the way in which they have been from the start.
    pub(crate) fn carried_to(&self, at: Whereabouts, way: Way) {
        let _ = self.entry.way.set(way);
        *self.entry.at() = Some(at);
    }

    /// The address of the target that the player is on.
    pub(crate) fn target_address(&self) -> Option<TargetAddress> {
        self.entry.at().as_ref().and_then(|at| at.address().cloned())
    }

    /// Where an operator has the player go, once.
    pub(crate) fn take_order(&self) -> Option<String> {
        self.entry.order().take()
    }

    /// The other end, as its greeting showed it.
    pub(crate) fn client(&self) -> &Client {
        &self.entry.client
    }

    /// The route.
    pub(crate) fn route(&self) -> &str {
        &self.entry.route
    }

    /// The target that the player is on, by identifier, or the route of the limbo.
    pub(crate) fn target(&self) -> String {
        self.entry.at().as_ref().map(|at| at.identifier().to_owned()).unwrap_or_default()
    }

    /// The name by which the player finds back to where they are.
    pub(crate) fn place(&self) -> String {
        let route = &self.entry.route;
        self.entry.at().as_ref().map(|at| at.name(route, route)).unwrap_or_default()
    }

    /// Why the player has to go, if so.
    pub(crate) fn sent_away(&self) -> Option<&Refused> {
        self.entry.why.get().map(|why| &**why)
    }

    /// What calls the player away.
    pub(crate) fn summons(&self) -> Summons {
        Summons(Arc::clone(&self.entry))
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.players.present().remove(&self.entry.connection);
    }
}

#[cfg(test)]
mod tests;
