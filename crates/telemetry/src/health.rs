//! Whether the edge lives, and whether it takes players: one for a process, as the log is.

use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::timeout;

/// How long the threads that serve players may take to show that they do.
const PULSE: Duration = Duration::from_secs(2);

static READINESS: AtomicU8 = AtomicU8::new(Readiness::Starting as u8);
static PULSES: OnceLock<Pulse> = OnceLock::new();

/// Asks whoever serves players for a sign of life.
type Pulse = Box<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Whether players are taken, or why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Readiness {
    /// The edge doesn't listen yet.
    Starting,
    /// The configuration has no route, so that there is nowhere to bring players.
    NoRoute,
    /// Players are taken.
    Ready,
    /// The edge was told to stop.
    Draining,
}

impl Readiness {
    const ALL: [Self; 4] = [Self::Starting, Self::NoRoute, Self::Ready, Self::Draining];

    /// What `/readyz` says.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::NoRoute => "no route",
            Self::Ready => "ready",
            Self::Draining => "draining",
        }
    }
}

/// From now on the edge is so. An edge that drains goes on to.
pub fn set(readiness: Readiness) {
    let drains = |now| now == Readiness::Draining as u8;
    let _ = READINESS.fetch_update(Relaxed, Relaxed, |now| (!drains(now)).then_some(readiness as u8));
}

/// How the edge is.
#[must_use]
pub fn readiness() -> Readiness {
    let value = READINESS.load(Relaxed);
    Readiness::ALL.into_iter().find(|readiness| *readiness as u8 == value).unwrap_or(Readiness::Starting)
}

/// Whether players are taken.
#[must_use]
pub fn is_ready() -> bool {
    readiness() == Readiness::Ready
}

/// Who is asked for a sign of life, besides the runtime, which shows it by asking. Counts once in a process.
pub fn ask<F: Future<Output = ()> + Send + 'static>(pulse: impl Fn() -> F + Send + Sync + 'static) {
    let _ = PULSES.set(Box::new(move || Box::pin(pulse())));
}

/// Whether everybody showed a sign of life in time.
pub(crate) async fn is_alive() -> bool {
    match PULSES.get() {
        Some(pulse) => timeout(PULSE, pulse()).await.is_ok(),
        None => true,
    }
}
