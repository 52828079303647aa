//! A server of play in this process: any release from 1.8 to 26.1, as many players as come.
//!
//! What must stay true: it is as strict as vanilla. What vanilla disconnects for, and what no vanilla client says, is a [`Fault`].

mod asked;
mod configure;
mod forge;
mod forwarding;
mod login;
mod marks;
mod obey;
mod play;
mod visit;
mod world;

use super::fault::Fault;
use super::mark::Spot;
use crate::PATIENCE;
use crate::wait::eventually;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::packet::handshake::Intent;
use socket2::{Domain, Socket, Type};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinHandle, JoinSet};
use uuid::Uuid;

/// So many may call at the same moment, after a switch of everybody's, without waiting for a second.
const BACKLOG: i32 = 4_096;

/// What a host pushes to each player, a second. A chunk has 5 to 60 KB, a small packet 20 to 300 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Small packets.
    pub small: u32,
    /// Chunks, in batches where the version has them.
    pub chunks: u32,
}

impl Traffic {
    /// Keep-alives alone.
    pub const QUIET: Self = Self { small: 0, chunks: 0 };
}

/// What a host is told to do with a player who is in configuration or play; in login only the first two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Disconnects with this text.
    Kick(String),
    /// Closes without a word.
    Cut,
    /// Sends the player elsewhere (since 766).
    Transfer {
        /// The host to go to.
        host: String,
        /// The port to go to.
        port: u16,
    },
    /// Has the client keep a cookie (since 766).
    StoreCookie {
        /// Its identifier.
        key: String,
        /// Its content.
        payload: Vec<u8>,
    },
    /// Asks for a cookie (since 766); the answer stands in [`Stay::cookies`].
    AskCookie(String),
    /// Has the client configured anew, and then join anew, which counts as a visit of its own (since 764, in play).
    Again,
}

/// Where a host departs from what a server does: once in each connection, and in play after some packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misdeed {
    /// Leaves a marked packet out.
    Skips,
    /// Says a marked packet twice.
    Repeats,
    /// Says a marked packet of the host with the next number.
    Impersonates,
    /// Says a marked packet that is for another player.
    Misdelivers,
    /// Changes a byte of a marked packet.
    Spoils,
    /// Says its Join Game a second time.
    JoinsTwice,
    /// Says a new visit's Join Game without a Respawn (before 764).
    KeepsTheWorld,
    /// Says a new visit's Join Game, and a Respawn to the same dimension (before 735).
    RespawnsInPlace,
    /// Finishes a configuration without having told of registries (since 764).
    KeepsRegistries,
    /// Opens a bundle and disconnects the player inside it (since 762).
    KicksInBundle,
}

/// How far a stay has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Since Login Start.
    Login,
    /// Since Login Acknowledged.
    Configuration,
    /// Since Join Game was said.
    Play,
    /// The connection has ended.
    Over,
}

/// A connection that has said Login Start.
#[derive(Debug, Clone)]
pub struct Stay {
    /// The player's name.
    pub name: String,
    /// The player's UUID: the forwarded one, or vanilla's of offline mode.
    pub id: Uuid,
    /// The version of the handshake.
    pub version: ProtocolVersion,
    /// The host of the handshake.
    pub host: String,
    /// The visit; the latest where there were several by [`Order::Again`].
    pub spot: Spot,
    /// How far it has come.
    pub stage: Stage,
    /// The player's address, where it was forwarded.
    pub address: Option<IpAddr>,
    /// The names of the properties that were forwarded.
    pub properties: Vec<String>,
    /// The language of the Client Information, once it has come.
    pub locale: Option<String>,
    /// The client's brand, once it has come.
    pub brand: Option<String>,
    /// What the player typed and reached this host; commands with their `/`.
    pub typed: Vec<String>,
    /// The cookies that were asked for, and what came.
    pub cookies: Vec<(String, Option<Vec<u8>>)>,
    /// Marked packets of this host so far.
    pub said: u64,
    /// Marked packets of the player so far.
    pub heard: u64,
}

/// How a host is to be.
#[derive(Debug, Clone)]
pub struct HostBuilder {
    number: u16,
    compression: Option<usize>,
    secret: Option<Vec<u8>>,
    takes_transfers: bool,
    shakes_hands: bool,
    beat: Duration,
    traffic: Traffic,
    misdeeds: Vec<Misdeed>,
}

/// What all visits of a host share.
#[derive(Debug)]
struct House {
    rules: HostBuilder,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    traffic: Traffic,
    stays: Vec<Stay>,
    /// To each stay that isn't over.
    orders: HashMap<usize, UnboundedSender<Order>>,
    /// By player.
    visits: HashMap<String, u16>,
    faults: Vec<(String, Fault)>,
}

/// A server that pushes marked packets; until it is dropped.
#[derive(Debug)]
pub struct Host {
    address: SocketAddr,
    house: Arc<House>,
    /// Accepts, and owns all visits; `None` while it is stopped.
    accepting: Mutex<Option<JoinHandle<()>>>,
    runtime: Option<Runtime>,
}

impl HostBuilder {
    /// Compresses packets of at least so many bytes; none otherwise.
    #[must_use]
    pub fn compress(self, threshold: usize) -> Self {
        Self { compression: Some(threshold), ..self }
    }

    /// Asks who the player is by Velocity's forwarding with this secret (since 393), and lets nobody in without.
    #[must_use]
    pub fn velocity(self, secret: &[u8]) -> Self {
        Self { secret: Some(secret.to_vec()), ..self }
    }

    /// Lets players in who say that they come by a Transfer packet, as a server with `accepts-transfers`.
    #[must_use]
    pub fn takes_transfers(self) -> Self {
        Self { takes_transfers: true, ..self }
    }

    /// Shakes hands with players whose host says that they have Forge of 1.7 to 1.12.
    #[must_use]
    pub fn shakes_hands(self) -> Self {
        Self { shakes_hands: true, ..self }
    }

    /// How long after an answer the next keep-alive is said; 2 s otherwise.
    #[must_use]
    pub fn beat(self, beat: Duration) -> Self {
        Self { beat, ..self }
    }

    /// What it pushes from the start; nothing otherwise.
    #[must_use]
    pub fn pushes(self, traffic: Traffic) -> Self {
        Self { traffic, ..self }
    }

    /// Departs from what a server does; may be said several times.
    #[must_use]
    pub fn but(mut self, misdeed: Misdeed) -> Self {
        self.misdeeds.push(misdeed);
        self
    }

    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When it can't listen, or has no thread to run on.
    pub fn start(self) -> io::Result<Host> {
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).thread_name("host").enable_all().build()?;
        let book = Book { traffic: self.traffic, ..Book::default() };
        let house = Arc::new(House { rules: self, book: Mutex::new(book) });
        let host = Host { address, house, accepting: Mutex::new(None), runtime: Some(runtime) };
        host.accept(listener)?;
        Ok(host)
    }
}

impl Host {
    /// A host of this number, which its marks bear; below 16,384, and another for each host of a test.
    ///
    /// # Panics
    /// When the number is too high.
    #[must_use]
    pub fn builder(number: u16) -> HostBuilder {
        assert!(number < 0x4000, "a host's number is below 16,384");
        HostBuilder {
            number,
            compression: None,
            secret: None,
            takes_transfers: false,
            shakes_hands: false,
            beat: Duration::from_secs(2),
            traffic: Traffic::QUIET,
            misdeeds: Vec::new(),
        }
    }

    /// Where it listens, also while it is stopped.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.house.rules.number
    }

    /// What it pushes from now on.
    pub fn push(&self, traffic: Traffic) {
        self.house.book().traffic = traffic;
    }

    /// All stays so far, oldest first.
    #[must_use]
    pub fn stays(&self) -> Vec<Stay> {
        self.house.book().stays.clone()
    }

    /// The player's latest stay.
    #[must_use]
    pub fn stay(&self, player: &str) -> Option<Stay> {
        self.house.book().stays.iter().rfind(|stay| stay.name == player).cloned()
    }

    /// How many players are in play.
    #[must_use]
    pub fn playing(&self) -> usize {
        self.house.book().stays.iter().filter(|stay| stay.stage == Stage::Play).count()
    }

    /// What was wrong so far, and with whom; `?` before a name was said.
    #[must_use]
    pub fn faults(&self) -> Vec<(String, Fault)> {
        self.house.book().faults.clone()
    }

    /// Waits until the player's latest stay is as `look` wants it, and gives it.
    ///
    /// # Panics
    /// When it never is.
    #[must_use]
    pub fn wait_for(&self, player: &str, look: impl Fn(&Stay) -> bool) -> Stay {
        let found = eventually(PATIENCE, || self.stay(player).filter(|stay| look(stay)));
        found.unwrap_or_else(|| panic!("{player}: {:#?}; faults: {:#?}", self.stay(player), self.faults()))
    }

    /// Tells it what to do with the player's latest stay; false where that is over.
    #[must_use]
    pub fn order(&self, player: &str, order: Order) -> bool {
        let book = self.house.book();
        let Some(index) = book.stays.iter().rposition(|stay| stay.name == player) else { return false };
        book.orders.get(&index).is_some_and(|orders| orders.send(order).is_ok())
    }

    /// The same of all stays that aren't over; gives how many these are.
    #[must_use]
    pub fn order_all(&self, order: &Order) -> usize {
        let book = self.house.book();
        book.orders.values().filter(|orders| orders.send(order.clone()).is_ok()).count()
    }

    /// Stops listening and cuts all connections, as a server that crashes does. Its books stay.
    pub fn stop(&self) {
        let accepting = self.accepting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(accepting), Some(runtime)) = (accepting, &self.runtime) {
            accepting.abort();
            // It has ended by being aborted, which is what was wanted.
            let _ = runtime.block_on(accepting);
        }
    }

    /// Listens again, on the same port.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn resume(&self) -> io::Result<()> {
        self.stop();
        self.accept(listen(self.address)?)
    }

    fn accept(&self, listener: std::net::TcpListener) -> io::Result<()> {
        let Some(runtime) = &self.runtime else { return Ok(()) };
        listener.set_nonblocking(true)?;
        let _in_runtime = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        let task = runtime.spawn(accept(listener, Arc::clone(&self.house)));
        *self.accepting.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        Ok(())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

async fn accept(listener: TcpListener, house: Arc<House>) {
    let mut visits = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                visits.spawn(visit::receive(stream, Arc::clone(&house)));
            }
            Some(_) = visits.join_next() => {}
        }
    }
}

impl House {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a stranger with this intent is let in.
    fn takes(&self, intent: Intent) -> bool {
        intent == Intent::Login || self.rules.takes_transfers
    }
}
