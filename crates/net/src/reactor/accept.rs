//! Accepting, without an error that could end it.
//!
//! On Linux the poller tells of a listener as long as connections wait (level-triggered): one is accepted each time, and none in
//! vain. Elsewhere it tells once, so readiness is kept until the listener says `WouldBlock`.
//!
//! What must stay true: connections that wait are told of or known; a lack of descriptors or memory pauses a listener through the
//! poller's timeout, never by sleeping.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Registry, Token};

use super::{DOORBELL, PAUSE};
use crate::networks::canonical;

/// Connections accepted per listener and turn, so that tasks under way get theirs.
const PER_TURN: u32 = 64;

/// Connections taken in from each listener on stopping, at most: about what its queue holds.
const LAST: u32 = 4096;

/// A failing listener is logged no more often than this.
const LOG_EVERY: Duration = Duration::from_secs(5);

/// The listeners of one reactor.
pub(super) struct Acceptor {
    doors: Vec<Door>,
    /// Index of the listener to go on with in this turn.
    current: usize,
    /// Attempts on it in this turn.
    attempts: u32,
    last: bool,
    reserve: Reserve,
    complaints: Complaints,
    registry: Registry,
}

struct Door {
    listener: TcpListener,
    token: Token,
    /// A connection waits, as far as is known.
    ready: bool,
    paused_until: Option<Instant>,
}

impl Acceptor {
    pub(super) fn new(listeners: Vec<std::net::TcpListener>, registry: &Registry) -> io::Result<Self> {
        let mut doors = Vec::with_capacity(listeners.len());
        for (number, listener) in listeners.into_iter().enumerate() {
            let token = Token(DOORBELL.0 - 1 - number);
            let mut door =
                Door { listener: TcpListener::from_std(listener), token, ready: false, paused_until: None };
            watch::begin(registry, &mut door)?;
            doors.push(door);
        }
        let (reserve, complaints) = (Reserve::new(), Complaints::default());
        Ok(Self {
            doors,
            current: 0,
            attempts: 0,
            last: false,
            reserve,
            complaints,
            registry: registry.try_clone()?,
        })
    }

    /// Notes that the poller spoke of the listener behind `token`.
    pub(super) fn event(&mut self, token: Token) {
        if let Some(door) =
            (DOORBELL.0 - 1).checked_sub(token.0).and_then(|number| self.doors.get_mut(number))
        {
            door.ready = true;
        }
    }

    /// How long the poller may wait at most: not at all while connections are known to wait and nothing prevents their being taken.
    pub(super) fn timeout(&self, now: Instant) -> Option<Duration> {
        let ready = self.doors.iter().filter(|door| door.ready);
        ready
            .map(|door| {
                door.paused_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
            })
            .min()
    }

    /// Has the coming turn take in all that wait: no other follows.
    pub(super) fn begin_last_turn(&mut self) {
        self.last = true;
        for door in &mut self.doors {
            door.ready = true;
        }
    }

    /// The next connection of this turn; None ends the turn.
    pub(super) fn next(&mut self, now: Instant) -> Option<(TcpStream, SocketAddr)> {
        let bound = if self.last { LAST } else { PER_TURN };
        while let Some(door) = self.doors.get_mut(self.current) {
            if door.paused_until.is_some_and(|until| until <= now) {
                door.paused_until = None;
                watch::resume(&self.registry, door);
            }
            if door.ready && door.paused_until.is_none() && self.attempts < bound {
                self.attempts += 1;
                if let Some(accepted) = self.attempt(now) {
                    return Some(accepted);
                }
            } else {
                self.current += 1;
                self.attempts = 0;
            }
        }
        self.current = 0;
        None
    }

    fn attempt(&mut self, now: Instant) -> Option<(TcpStream, SocketAddr)> {
        let door = self.doors.get_mut(self.current)?;
        let error = match door.listener.accept() {
            Ok((stream, peer)) => {
                door.ready = self.last || !watch::TELLS_AGAIN;
                inherit(&stream);
                return Some((stream, canonical(peer)));
            }
            Err(error) => error,
        };
        if error.kind() == io::ErrorKind::WouldBlock {
            door.ready = false;
        } else if !only_that_connection(&error) {
            self.complaints.log(&error, now);
            match self.reserve.shed(&door.listener) {
                Ok(()) => {}
                // Linux says that there is no descriptor before it looks whether there is a connection.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => door.ready = false,
                Err(_) => {
                    door.paused_until = Some(now + PAUSE);
                    watch::pause(&self.registry, door);
                }
            }
        }
        None
    }

    /// Closes the listeners.
    pub(super) fn close(&mut self) {
        self.doors.clear();
    }

    pub(super) fn closed(&self) -> bool {
        self.doors.is_empty()
    }
}

/// Having the poller tell of connections that wait, as long as they do.
#[cfg(target_os = "linux")]
mod watch {
    use super::{Door, Registry};
    use rustix::event::epoll::{EventData, EventFlags, add, delete};
    use std::io;

    /// Whether the poller tells again of a listener from which one connection was accepted while others wait.
    pub(super) const TELLS_AGAIN: bool = true;

    pub(super) fn begin(registry: &Registry, door: &mut Door) -> io::Result<()> {
        let token = EventData::new_u64(door.token.0 as u64);
        Ok(add(registry, &door.listener, token, EventFlags::IN)?)
    }

    /// The poller would tell of it all the while.
    pub(super) fn pause(registry: &Registry, door: &Door) {
        // It was added, and can't have been removed.
        let _ = delete(registry, &door.listener);
    }

    pub(super) fn resume(registry: &Registry, door: &mut Door) {
        // Where even this fails for want of memory, the listener is tried as if it had been told of.
        door.ready = begin(registry, door).is_err();
    }
}

/// Having the poller tell once of connections that wait.
#[cfg(not(target_os = "linux"))]
mod watch {
    use super::{Door, Registry};
    use mio::Interest;
    use std::io;

    pub(super) const TELLS_AGAIN: bool = false;

    pub(super) fn begin(registry: &Registry, door: &mut Door) -> io::Result<()> {
        registry.register(&mut door.listener, door.token, Interest::READABLE)?;
        door.ready = true;
        Ok(())
    }

    pub(super) fn pause(_: &Registry, _: &Door) {}

    pub(super) fn resume(_: &Registry, _: &mut Door) {}
}

/// An accepted socket has the listener's options on Linux.
#[cfg(target_os = "linux")]
fn inherit(_: &TcpStream) {}

#[cfg(not(target_os = "linux"))]
fn inherit(stream: &TcpStream) {
    // Without it the connection is slower, but no less right.
    let _ = stream.set_nodelay(true);
}

/// Whether an error of `accept(2)` is about the connection it would have returned (Linux passes on what is pending on it), so
/// that the next attempt may well succeed.
fn only_that_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::Interrupted
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown
    ) || protocol_error(error)
}

#[cfg(unix)]
fn protocol_error(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(
        Errno::from_io_error(error),
        Some(Errno::PROTO | Errno::NOPROTOOPT | Errno::OPNOTSUPP | Errno::PERM)
    )
}

#[cfg(not(unix))]
fn protocol_error(_: &io::Error) -> bool {
    false
}

/// A descriptor kept for the day when there are no others: given up, it lets one connection be accepted and closed, so that its
/// client learns that nobody will answer.
struct Reserve(Option<std::fs::File>);

impl Reserve {
    fn new() -> Self {
        Self(Self::open())
    }

    #[cfg(unix)]
    fn open() -> Option<std::fs::File> {
        std::fs::File::open("/dev/null").ok()
    }

    #[cfg(not(unix))]
    fn open() -> Option<std::fs::File> {
        None
    }

    /// Turns away one connection.
    fn shed(&mut self, listener: &TcpListener) -> io::Result<()> {
        let shed = match self.0.take() {
            Some(given_up) => {
                drop(given_up);
                listener.accept().map(drop)
            }
            None => Err(io::ErrorKind::Unsupported.into()),
        };
        self.0 = Self::open();
        shed
    }
}

#[derive(Default)]
struct Complaints {
    last: Option<Instant>,
    unsaid: u64,
}

impl Complaints {
    fn log(&mut self, error: &io::Error, now: Instant) {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < LOG_EVERY) {
            self.unsaid += 1;
            return;
        }
        tracing::error!(%error, unsaid = self.unsaid, "connections can't be accepted");
        *self = Self { last: Some(now), unsaid: 0 };
    }
}
