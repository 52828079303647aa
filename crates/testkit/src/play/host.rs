//! A server of play in this process: any release from 1.8 to 26.1, as many players as come.
//!
//! What must stay true: it is as strict as vanilla. What vanilla disconnects for, and what no vanilla client says, is a [`Fault`].

mod asked;
mod builder;
mod configure;
mod forge;
mod forwarding;
mod login;
mod marks;
mod obey;
mod order;
mod play;
mod stay;
mod visit;
mod world;

pub use builder::HostBuilder;
pub use order::{Misdeed, Order, Traffic};
pub use stay::{Stage, Stay};

use super::fault::Fault;
use crate::PATIENCE;
use crate::wait::eventually;
use drawbridge_protocol::packet::handshake::Intent;
use socket2::{Domain, Socket, Type};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinHandle, JoinSet};

/// So many may call at the same moment, after a switch of everybody's, without waiting for a second.
const BACKLOG: i32 = 4_096;

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

impl Host {
    /// A host of this number, which its marks bear; below 16,384, and another for each host of a test.
    ///
    /// # Panics
    /// When the number is too high.
    #[must_use]
    pub fn builder(number: u16) -> HostBuilder {
        assert!(number < 0x4000, "a host's number is below 16,384");
        HostBuilder::new(number)
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
