//! A connection as its task sees it.

mod dialer;
mod readiness;

pub use dialer::Dialer;

use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use socket2::{SockRef, TcpKeepalive};

use super::Core;
use super::deadlines::Tick;
use super::slots::Directions;
use crate::networks::canonical;

/// How long [`Socket::close`] waits for a peer to read the last packet and close.
pub const LINGER_TIME: Duration = Duration::from_secs(2);

/// When the system asks a silent peer whether it is still there.
const KEEP_ALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(15));

/// How many bytes a peer may still send, while it is waited for.
const LINGER_BYTES: usize = 256 * 1024;

/// An accepted connection, owned by the task that was made for it.
///
/// It stays on its reactor's thread. What it returns is awaited by that task, directly or inside `join!` and the like, one
/// at a time. Dropping it closes the connection at once, which may cost the peer the last bytes sent: see [`Socket::close`].
///
/// Every operation fails with [`io::ErrorKind::TimedOut`] once the deadline has passed; to say a last word to a client that was
/// too slow, set a new one first. Without a deadline a wait is endless, so set one before the first.
pub struct Socket {
    stream: mio::net::TcpStream,
    core: Rc<Core>,
    slot: u32,
    peer: SocketAddr,
    /// The peer has closed its side and everything that it sent was read.
    ended: bool,
}

/// The slot of a further socket is given back with it; that of an accepted one is its task's.
impl Drop for Socket {
    fn drop(&mut self) {
        self.core.slots.borrow_mut().vacate_further(self.slot);
    }
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Socket {
    pub(super) fn new(stream: mio::net::TcpStream, core: Rc<Core>, slot: u32, peer: SocketAddr) -> Self {
        Self { stream, core, slot, peer, ended: false }
    }

    /// Opens further connections in the same task.
    #[must_use]
    pub fn dialer(&self) -> Dialer {
        Dialer { core: Rc::clone(&self.core), slot: self.slot }
    }

    /// The address that the peer is connected to.
    ///
    /// # Errors
    /// Those of `getsockname(2)`.
    pub fn local(&self) -> io::Result<SocketAddr> {
        // A loose one has none of the Internet's.
        if cfg!(fuzzing) {
            return Ok(self.peer);
        }
        Ok(canonical(self.stream.local_addr()?))
    }

    /// Waits until there is something to be read; false: the peer has closed its side without a further word.
    ///
    /// # Errors
    /// As [`Socket::read`].
    pub async fn speaks(&mut self) -> io::Result<bool> {
        let peeked = poll_fn(|context| {
            self.in_time()?;
            self.poll_try(context, Directions::READ, |stream| stream.peek(&mut [0]))
        });
        Ok(peeked.await? > 0)
    }

    /// Has the system look now and then whether a silent peer is still there.
    pub fn keep_alive(&self) {
        // Without it a peer that is gone is noticed later.
        let _ = SockRef::from(&self.stream).set_tcp_keepalive(&KEEP_ALIVE);
    }

    /// Who is at the other end, in canonical form. Behind a load balancer that is the load balancer.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The time when the reactor's present turn began: precise enough to set deadlines by, and free.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.core.clock.get().now()
    }

    /// Sets the time at which every later wait ends, in place of the one before. Up to 50 ms later than asked; never earlier.
    pub fn set_deadline(&mut self, deadline: Instant) {
        let tick = self.core.clock.get().tick_of(deadline);
        self.core.slots.borrow_mut().set_deadline(self.slot, tick);
    }

    /// From here on a wait may be endless.
    pub fn clear_deadline(&mut self) {
        self.core.slots.borrow_mut().set_deadline(self.slot, Tick::NEVER);
    }

    /// Tells the peer that nothing more comes.
    pub(crate) fn shut_down(&self) {
        // Where even this can't be said any more, the peer knows.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Reads what there is, at least one byte, waiting for it if need be. 0: the peer has closed its side (or `buffer` is empty).
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// `TimedOut` at the deadline, otherwise those of `recv(2)`.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|context| self.poll_read(context, buffer)).await
    }

    /// As [`Socket::read`], of up to `N` bytes, which `take` gets. The buffer lives only while something is read, and so is no part
    /// of a future that waits.
    ///
    /// # Errors
    /// As [`Socket::read`].
    pub async fn read_with<const N: usize>(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<usize> {
        poll_fn(|context| {
            let mut buffer = [0; N];
            let read = ready!(self.poll_read(context, &mut buffer))?;
            take(&buffer[..read]);
            Poll::Ready(Ok(read))
        })
        .await
    }

    /// Writes some of `bytes`, as many as the peer's window takes, and returns how many. Dropping the future loses nothing.
    ///
    /// # Errors
    /// As [`Socket::write_all`].
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        poll_fn(|context| self.poll_write(context, bytes.len(), |mut stream| stream.write(bytes))).await
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// `TimedOut` at the deadline, `WriteZero`, otherwise those of `send(2)`. How much was sent is then unknown.
    pub async fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = self.write(bytes).await?;
            bytes = &bytes[written.min(bytes.len())..];
        }
        Ok(())
    }

    /// As [`Socket::write`], for what [`Socket::close`] follows at once: where the system can, the end of the connection travels in the
    /// same segment, and the peer is woken once.
    ///
    /// # Errors
    /// As [`Socket::write`].
    pub async fn write_last(&mut self, bytes: &[u8]) -> io::Result<usize> {
        poll_fn(|context| self.poll_write(context, bytes.len(), |stream| send_more(stream, bytes))).await
    }

    /// Closes the connection so that the peer surely reads the last packet.
    ///
    /// Closing a socket while something that the peer sent is still unread makes the system send RST, and RST makes the peer's
    /// system throw away what its program hasn't read yet: the Transfer or Disconnect packet. So the write side is shut down
    /// first, what still comes is read and discarded until the peer closes too, and only then is the socket closed. Bounded by
    /// [`LINGER_TIME`] (the deadline no longer counts) and 256 KiB.
    pub async fn close(self) {
        self.close_within(LINGER_TIME).await;
    }

    /// As [`Socket::close`], with another bound.
    pub async fn close_within(mut self, patience: Duration) {
        if self.ended || self.stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        self.set_deadline(self.now() + patience);
        let mut left = LINGER_BYTES;
        while left > 0 {
            match self.read_with::<4096>(|_| {}).await {
                Ok(0) | Err(_) => return,
                Ok(bytes) => left = left.saturating_sub(bytes),
            }
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.in_time()?;
        self.poll_receive(context, buffer)
    }

    /// As [`Socket::read`], polled once, whatever the deadline; but its passing has the task polled.
    ///
    /// # Errors
    /// Those of `recv(2)`.
    pub fn poll_receive(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let read = ready!(self.poll_try(context, Directions::READ, |mut stream| stream.read(buffer)))?;
        self.ended = read == 0 && !buffer.is_empty();
        if read > 0 && read < buffer.len() {
            self.drained(Directions::READ);
        }
        Poll::Ready(Ok(read))
    }

    /// Tries `write`, which has `len` bytes to write, once the socket takes some.
    fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        len: usize,
        write: impl FnMut(&mio::net::TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        self.in_time()?;
        self.poll_send(context, len, write)
    }

    /// As [`Socket::write`], polled once, whatever the deadline.
    ///
    /// # Errors
    /// `WriteZero`, otherwise those of `send(2)`.
    pub fn poll_write_some(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send(context, bytes.len(), |mut stream| stream.write(bytes))
    }

    /// As [`Socket::poll_write`], whatever the deadline.
    pub(crate) fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        len: usize,
        write: impl FnMut(&mio::net::TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        match ready!(self.poll_try(context, Directions::WRITE, write))? {
            0 => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            written => {
                if written < len {
                    self.drained(Directions::WRITE);
                }
                Poll::Ready(Ok(written))
            }
        }
    }

    /// An error once the deadline has passed.
    #[inline]
    fn in_time(&self) -> io::Result<()> {
        let deadline = self.core.slots.borrow_mut().get(self.slot).due.deadline;
        let passed = deadline <= self.core.clock.get().tick();
        if passed { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    }
}

/// Sends what more follows upon: the system may wait for that, for at most 200 ms on Linux.
#[cfg(target_os = "linux")]
fn send_more(stream: &mio::net::TcpStream, bytes: &[u8]) -> io::Result<usize> {
    use rustix::net::{SendFlags, send};
    Ok(send(stream, bytes, SendFlags::MORE | SendFlags::NOSIGNAL)?)
}

#[cfg(not(target_os = "linux"))]
fn send_more(mut stream: &mio::net::TcpStream, bytes: &[u8]) -> io::Result<usize> {
    stream.write(bytes)
}
