//! Further connections of a task: to targets, and whoever else it asks.

use super::Socket;
use crate::reactor::Core;
use crate::reactor::slots::Directions;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

/// Opens connections for the task of a socket.
#[derive(Clone)]
pub struct Dialer {
    pub(super) core: Rc<Core>,
    pub(super) slot: u32,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer").finish_non_exhaustive()
    }
}

impl Dialer {
    /// Connects until `deadline`, which then is the new socket's.
    ///
    /// # Errors
    /// `TimedOut` at the deadline, otherwise those of `socket(2)` and `connect(2)`.
    pub async fn connect(&self, address: SocketAddr, deadline: Instant) -> io::Result<Socket> {
        let stream = mio::net::TcpStream::connect(address)?;
        let further = self.core.slots.borrow_mut().occupy_beside(Some(self.slot), address);
        let slot = further.ok_or(io::ErrorKind::OutOfMemory)?;
        let mut socket = Socket::new(stream, Rc::clone(&self.core), slot, address);
        socket.set_deadline(deadline);
        poll_fn(|context| {
            socket.in_time()?;
            socket.poll_try(context, Directions::WRITE, connected)
        })
        .await?;
        socket.stream.set_nodelay(true)?;
        socket.revive(Directions::READ);
        Ok(socket)
    }
}

/// Whether a connection is there; not yet is `WouldBlock`.
fn connected(stream: &mio::net::TcpStream) -> io::Result<()> {
    match (stream.take_error()?, stream.peer_addr()) {
        (Some(error), _) => Err(error),
        (None, Ok(_)) => Ok(()),
        // The poller tells of more than the connection's being there.
        (None, Err(error)) if error.kind() == io::ErrorKind::NotConnected => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        (None, Err(error)) => Err(error),
    }
}
