//! A relay: bytes between a client and a target, both ways, as they come.
//!
//! Two pumps, one for each direction, so that a peer that stops reading stalls one of them alone. A pump copies through a buffer that
//! all pumps of the thread share while what flows is small, and turns to splice(2) when whole buffers come, where bytes needn't pass
//! through the process; and back. What the other side doesn't take at once is kept for it, and nothing more is read meanwhile. A pump that
//! waits for its source holds neither buffer nor pipe.
//!
//! Worked example: a player walks about, some 200 bytes a packet: each is read into the shared buffer and written from it, two system calls.
//! A chunk comes, 300 KB: two buffers of 16 KiB are copied, and the rest goes through a pipe. The next packets find the source
//! dry after less than 2 KiB each; after eight of them they are copied again.
//!
//! What must stay true: bytes leave in the order in which they came, and each once; the end of one direction is carried over when all
//! before it was taken, and the other direction goes on; no wait is endless but for a source that a relay may wait for.

#[cfg(target_os = "linux")]
mod pipe;
mod pump;

use crate::reactor::Socket;
use pump::Pump;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// How bytes are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// By what flows.
    #[default]
    Adaptive,
    /// Always through a buffer; the only way where there is no splice(2).
    Copy,
    /// Always by splice(2).
    Splice,
}

impl Method {
    /// Whether the system has it.
    #[must_use]
    pub const fn is_available(self) -> bool {
        cfg!(target_os = "linux") || !matches!(self, Self::Splice)
    }
}

/// How a relay carries, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How bytes are moved.
    pub method: Method,
    /// How long both sides may be silent.
    pub idle: Option<Duration>,
    /// How long a relay may be silent of which one direction has ended.
    pub half_closed: Duration,
    /// How long a side may take none of what is kept for it.
    pub stalled: Duration,
}

impl Default for Options {
    /// By what flows, for as long as both sides live.
    fn default() -> Self {
        Self {
            method: Method::Adaptive,
            idle: None,
            half_closed: Duration::from_secs(60),
            stalled: Duration::from_secs(30),
        }
    }
}

/// How many bytes have been carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// To the target.
    pub up: u64,
    /// To the client.
    pub down: u64,
}

/// Why a relay has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Both sides have closed.
    Closed,
    /// A connection broke.
    Broken,
    /// Nothing was said for as long as a relay may be silent.
    Idle,
    /// The client didn't read.
    ClientStalled,
    /// The target didn't read.
    TargetStalled,
}

/// A client and its target.
#[derive(Debug)]
pub struct Relay {
    client: Socket,
    target: Socket,
    up: Pump,
    down: Pump,
    options: Options,
    traffic: Traffic,
    /// When something was carried last.
    active: Instant,
    /// What the client's deadline stands at.
    due: Option<Instant>,
}

impl Relay {
    /// Between these two. `first` goes to the target before all that the client sends.
    #[must_use]
    pub fn new(mut client: Socket, mut target: Socket, first: Vec<u8>, options: Options) -> Self {
        let now = client.now();
        for socket in [&mut client, &mut target] {
            socket.clear_deadline();
            socket.keep_alive();
        }
        let pump = |first| Pump::new(options.method, first, now);
        let (up, down) = (pump(first), pump(Vec::new()));
        Self { client, target, up, down, options, traffic: Traffic::default(), active: now, due: None }
    }

    /// What has been carried so far.
    #[must_use]
    pub const fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Carries until both sides have ended or one of them makes it end. Dropping the future loses nothing.
    pub async fn run(&mut self) -> End {
        poll_fn(|context| self.poll(context)).await
    }

    /// Closes so that the client surely reads what the target said last; see [`Socket::close`].
    pub async fn close(self) {
        let Self { client, target, .. } = self;
        drop(target);
        client.close().await;
    }

    /// The time when the reactor's present turn began.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.client.now()
    }

    /// As [`Relay::run`], once.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        let now = self.client.now();
        let up = self.up.poll(context, &mut self.client, &mut self.target, now);
        let down = self.down.poll(context, &mut self.target, &mut self.client, now);
        if up + down > 0 {
            self.active = now;
            self.traffic.up += up;
            self.traffic.down += down;
        }
        if self.up.is_over() && self.down.is_over() {
            let broken = self.up.is_broken() || self.down.is_broken();
            return Poll::Ready(if broken { End::Broken } else { End::Closed });
        }
        match self.ended_by_time(now) {
            Some(end) => Poll::Ready(end),
            None => Poll::Pending,
        }
    }

    /// Why the relay has lasted too long; otherwise has it looked at again in time.
    fn ended_by_time(&mut self, now: Instant) -> Option<End> {
        let Options { idle, half_closed, stalled, .. } = self.options;
        let half_closed = (self.up.is_over() || self.down.is_over()).then_some(half_closed);
        let silence = idle.into_iter().chain(half_closed).min();
        let ends = [
            (self.up.stalled_since().map(|since| since + stalled), End::TargetStalled),
            (self.down.stalled_since().map(|since| since + stalled), End::ClientStalled),
            (silence.map(|silence| self.active + silence), End::Idle),
        ];
        let (due, end) =
            ends.into_iter().filter_map(|(at, end)| Some((at?, end))).min_by_key(|(at, _)| *at)?;
        if due <= now {
            return Some(end);
        }
        if self.due != Some(due) {
            self.due = Some(due);
            // It is looked at when either socket's deadline passes: one is enough.
            self.client.set_deadline(due);
        }
        None
    }
}
