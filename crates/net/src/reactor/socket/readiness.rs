//! When a socket is worth trying: what the poller has said of it, what trying has shown, and whose turn it is.

use super::Socket;
use crate::reactor::slots::Directions;
use mio::{Interest, Token};
use std::io;
use std::task::{Context, Poll, ready};

impl Socket {
    /// Tries something, as often as the socket is worth trying in this direction.
    pub(crate) fn poll_try<T>(
        &mut self,
        context: &mut Context<'_>,
        direction: Directions,
        mut work: impl FnMut(&mio::net::TcpStream) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            ready!(self.poll_ready(context, direction))?;
            match work(&self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let end = if direction == Directions::READ { Directions::END } else { Directions::NONE };
                    self.blocked(direction.with(end));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    /// Whether it is worth trying `direction` now; otherwise has the poller watch it.
    #[inline]
    fn poll_ready(&mut self, context: &mut Context<'_>, direction: Directions) -> Poll<io::Result<()>> {
        let mut slots = self.core.slots.borrow_mut();
        let slot = slots.get(self.slot);
        if slot.ready.contains(direction) {
            // A peer that keeps the socket ready must not keep the thread: after some operations others have their turn.
            let Some(left) = self.core.budget.get().checked_sub(1) else {
                drop(slots);
                context.waker().wake_by_ref();
                return Poll::Pending;
            };
            self.core.budget.set(left);
            return Poll::Ready(Ok(()));
        }
        slots.wait(self.slot, context.waker());
        let slot = slots.get(self.slot);
        if slot.watched.contains(direction) {
            return Poll::Pending;
        }
        let before = slot.watched;
        slot.watched = before.with(direction);
        let interest = match slot.watched {
            Directions::READ => Interest::READABLE,
            Directions::WRITE => Interest::WRITABLE,
            _ => Interest::READABLE | Interest::WRITABLE,
        };
        // The poller tells at once of what is ready already, so nothing that came before is missed.
        let token = Token(self.slot as usize);
        let watched = if before == Directions::NONE {
            self.core.registry.register(&mut self.stream, token, interest)
        } else {
            self.core.registry.reregister(&mut self.stream, token, interest)
        };
        match watched {
            Ok(()) => Poll::Pending,
            Err(error) => {
                slot.watched = before;
                Poll::Ready(Err(error))
            }
        }
    }

    /// Less was moved than asked for: the socket's buffer is at its end, and the poller will tell when that changes. Not so on
    /// Windows, where mio arms the poller only after `WouldBlock`, nor once the peer has closed its side, which isn't told twice.
    #[inline]
    pub(crate) fn drained(&self, direction: Directions) {
        let mut slots = self.core.slots.borrow_mut();
        let slot = slots.get(self.slot);
        if cfg!(unix) && !(direction == Directions::READ && slot.ready.contains(Directions::END)) {
            slot.ready = slot.ready.without(direction);
        }
    }

    /// It is worth trying in this direction, whatever the poller has said.
    #[inline]
    pub(super) fn revive(&self, direction: Directions) {
        let mut slots = self.core.slots.borrow_mut();
        let slot = slots.get(self.slot);
        slot.ready = slot.ready.with(direction);
    }

    #[inline]
    fn blocked(&self, directions: Directions) {
        let mut slots = self.core.slots.borrow_mut();
        let slot = slots.get(self.slot);
        slot.ready = slot.ready.without(directions);
    }
}
