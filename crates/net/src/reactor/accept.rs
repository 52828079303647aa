//! Accepting, without an error that could end it.
//!
//! What must stay true: readiness is told once (edge-triggered), so it is kept until the listener says `WouldBlock`; a lack of
//! descriptors or memory pauses a listener through the poller's timeout, never by sleeping.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};

use super::DOORBELL;
use crate::networks::canonical;

/// Connections accepted per listener and turn, so that tasks under way get theirs.
const PER_TURN: u32 = 64;

/// Connections taken in from each listener on stopping, at most: about what its queue holds.
const LAST: u32 = 4096;

/// Pause after running out of something.
const PAUSE: Duration = Duration::from_millis(50);

/// A failing listener is logged no more often than this.
const LOG_EVERY: Duration = Duration::from_secs(5);

/// The listeners of one reactor.
pub(super) struct Acceptor {
    doors: Vec<Door>,
    /// Index of the listener to go on with in this turn.
    current: usize,
    /// Attempts on it in this turn.
    attempts: u32,
    reserve: Reserve,
    complaints: Complaints,
}

struct Door {
    listener: TcpListener,
    ready: bool,
    paused_until: Option<Instant>,
}

impl Acceptor {
    pub(super) fn new(listeners: Vec<std::net::TcpListener>, registry: &Registry) -> io::Result<Self> {
        let mut doors = Vec::with_capacity(listeners.len());
        for (number, listener) in listeners.into_iter().enumerate() {
            let mut listener = TcpListener::from_std(listener);
            registry.register(&mut listener, Token(DOORBELL.0 - 1 - number), Interest::READABLE)?;
            doors.push(Door { listener, ready: true, paused_until: None });
        }
        let (reserve, complaints) = (Reserve::new(), Complaints::default());
        Ok(Self { doors, current: 0, attempts: 0, reserve, complaints })
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

    /// The next connection of this turn; None ends the turn. With `last` it is the last turn, for all that wait.
    pub(super) fn next(&mut self, now: Instant, last: bool) -> Option<(TcpStream, SocketAddr)> {
        let bound = if last { LAST } else { PER_TURN };
        while let Some(door) = self.doors.get_mut(self.current) {
            door.paused_until = door.paused_until.filter(|until| *until > now);
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
                Err(_) => door.paused_until = Some(now + PAUSE),
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
