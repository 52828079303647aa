//! Sockets that no reactor turns, for fuzzing: whoever has them polls what waits on them, and says how time goes by.
//!
//! What must stay true: they are sockets as all others are, so that what is fuzzed is what runs; nothing here is built otherwise.

use super::deadlines::Clock;
use super::slots::{Directions, Slots};
use super::wake::Mailbox;
use super::{BUDGET, Core, DOORBELL, Socket};
use mio::Poll;
use std::cell::{Cell, RefCell};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What loose sockets share.
pub struct Loose {
    core: Rc<Core>,
    /// The slot of the task that there isn't.
    owner: u32,
    /// Sockets are registered with it, and nobody asks it.
    _poll: Poll,
}

impl Loose {
    /// Without any socket yet.
    ///
    /// # Errors
    /// When the system gives no poller.
    pub fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let mailbox = Arc::new(Mailbox::new(mio::Waker::new(poll.registry(), DOORBELL)?));
        let core = Rc::new(Core {
            registry: poll.registry().try_clone()?,
            slots: RefCell::new(Slots::new(mailbox)),
            clock: Cell::new(Clock::new(Instant::now())),
            budget: Cell::new(BUDGET),
        });
        let owner = core.slots.borrow_mut().occupy(peer()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { core, owner, _poll: poll })
    }

    /// A socket, and whoever is at its other end, who doesn't wait either.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn pair(&self) -> io::Result<(Socket, UnixStream)> {
        let (near, far) = UnixStream::pair()?;
        near.set_nonblocking(true)?;
        far.set_nonblocking(true)?;
        let stream = mio::net::TcpStream::from_std(OwnedFd::from(near).into());
        let mut slots = self.core.slots.borrow_mut();
        let slot = slots.occupy_beside(Some(self.owner), peer()).ok_or(io::ErrorKind::OutOfMemory)?;
        slots.get(slot).ready = Directions::BOTH;
        drop(slots);
        Ok((Socket::new(stream, Rc::clone(&self.core), slot, peer()), far))
    }

    /// Another turn begins, so much later: each socket is worth trying again.
    pub fn turn(&self, later: Duration) {
        let mut clock = self.core.clock.get();
        clock.advance(clock.now() + later);
        self.core.clock.set(clock);
        self.core.budget.set(BUDGET);
        self.core.slots.borrow_mut().revive_all();
    }
}

fn peer() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 25565).into()
}
