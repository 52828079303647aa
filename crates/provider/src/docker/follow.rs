//! How a daemon is followed: events first, so that nothing is missed, then a list, and a list again whenever there was word.

use super::daemon::{Daemon, DaemonError, Events, Listed};
use super::roster::Roster;
use super::routes::documents;
use super::section::DockerSection;
use crate::desk::{Desk, Health};
use crate::labels::HOSTS;
use drawbridge_adapter::waits::Waits;
use drawbridge_model::{Offer, RouteSource};
use futures_util::stream::{self, StreamExt as _};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// How many containers are looked at at once, and how long all of them may take.
const AT_ONCE: usize = 8;
const ROUND: Duration = Duration::from_secs(60);
/// How long it may take to look at one that couldn't be looked at the last time, and how long all of these may take: meanwhile
/// nobody hears what else happens.
const DOUBTED: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));
/// How long further word is awaited before the list is asked for.
const QUIET: Duration = Duration::from_millis(50);
/// How long no word is believed, and how long it is where a container couldn't be looked at.
const BELIEVED: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(10));
/// The first wait after a failure, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));

/// A daemon that is followed, until this is dropped.
#[derive(Debug)]
pub(crate) struct Docker {
    desk: Arc<Desk>,
    _running: AbortOnDropHandle<()>,
}

impl Docker {
    pub(crate) fn start(section: &DockerSection, runtime: &Handle, tasks: &TaskTracker) -> Self {
        let desk = Arc::new(Desk::new("docker"));
        let followed = follow(Arc::clone(&desk), section.clone());
        Self { desk, _running: AbortOnDropHandle::new(tasks.spawn_on(followed, runtime)) }
    }
}

impl RouteSource for Docker {
    fn name(&self) -> &'static str {
        self.desk.provider()
    }

    fn offers(&self) -> watch::Receiver<Offer> {
        self.desk.offers()
    }
}

async fn follow(desk: Arc<Desk>, section: DockerSection) {
    let fresh = || Waits::new(WAITS.0, WAITS.1);
    let mut waits = fresh();
    let health = Health::of(desk.provider(), None);
    let mut known = Known { desk: &desk, health: &health, roster: Roster::new(desk.provider()) };
    loop {
        let (error, steady) = session(&mut known, &section).await;
        if steady {
            waits = fresh();
        }
        if let DaemonError::Ended(_) = error {
            // What has changed since is seen by the next list. Where that can't be had, it is told.
            tracing::debug!(%error, "events are asked for again");
        } else {
            health.failing(&error, error.help());
        }
        sleep(waits.next(None)).await;
    }
}

/// What outlasts a session.
struct Known<'a> {
    desk: &'a Desk,
    health: &'a Health,
    roster: Roster,
}

impl Known<'_> {
    /// This is what there is now.
    fn offer(&self, section: &DockerSection) {
        self.desk.put(documents(self.roster.containers(), section.network.as_deref()));
    }
}

/// As long as the daemon is there. Gives why it ended, and whether the daemon had told of events by then, or could have.
async fn session(known: &mut Known<'_>, section: &DockerSection) -> (DaemonError, bool) {
    let met = async {
        let daemon = Daemon::meet(&section.endpoint).await?;
        let events = daemon.events().await?;
        Ok::<_, DaemonError>((daemon, events))
    };
    let (daemon, mut events) = match met.await {
        Ok(met) => met,
        Err(error) => return (error, false),
    };
    let Err(error) = listen(known, section, &daemon, &mut events).await;
    (error, events.are_steady())
}

async fn listen(
    known: &mut Known<'_>,
    section: &DockerSection,
    daemon: &Daemon<'_>,
    events: &mut Events,
) -> Result<Infallible, DaemonError> {
    loop {
        look(known, section, daemon).await?;
        let believed = if known.roster.is_certain() { BELIEVED.0 } else { BELIEVED.1 };
        word(events, believed).await?;
    }
}

/// Waits until it is worth asking again.
async fn word(events: &mut Events, believed: Duration) -> Result<(), DaemonError> {
    match timeout(believed, events.next()).await {
        Err(_) => return Ok(()),
        Ok(word) => word?,
    }
    let further = async { while events.next().await.is_ok() {} };
    // An end of the events shows when they are awaited next.
    let _ = timeout(QUIET, further).await;
    Ok(())
}

/// Looks at everything that is there. Who couldn't be looked at the last time keeps nobody else waiting.
async fn look(
    known: &mut Known<'_>,
    section: &DockerSection,
    daemon: &Daemon<'_>,
) -> Result<(), DaemonError> {
    let listed = daemon.containers(&format!("drawbridge.{HOSTS}")).await?;
    let deadline = Instant::now() + ROUND;
    let (first, then) = known.roster.choose(listed);
    let doubtful = !then.is_empty();
    let mut failed = inspect(&mut known.roster, daemon, first, (deadline, ROUND)).await?;
    if doubtful {
        if !known.roster.is_blind() {
            known.offer(section);
        }
        let deadline = deadline.min(Instant::now() + DOUBTED.1);
        failed = failed.or(inspect(&mut known.roster, daemon, then, (deadline, DOUBTED.0)).await?);
    }
    known.roster.finish();
    match failed.filter(|_| known.roster.is_blind()) {
        None => {
            known.offer(section);
            known.health.well();
        }
        Some(error) => {
            known.health.failing(&error, error.help());
            // Of a daemon that has never told what one of them is like, it isn't known that there are no routes.
            if known.desk.has_offer() {
                known.offer(section);
            }
        }
    }
    Ok(())
}

/// Looks at these until the deadline, and so long at each. Gives why one of them couldn't be looked at, if one couldn't.
async fn inspect(
    roster: &mut Roster,
    daemon: &Daemon<'_>,
    listed: Vec<Listed>,
    (deadline, patience): (Instant, Duration),
) -> Result<Option<DaemonError>, DaemonError> {
    let ask = |one: Listed| async move {
        let start = Instant::now();
        if start >= deadline {
            return (one, None);
        }
        let until = deadline.min(start + patience);
        let found = timeout_at(until, daemon.container(&one.id)).await;
        let found = found.ok().or_else(|| (until < deadline).then_some(Err(DaemonError::Overdue(patience))));
        (one, found)
    };
    let mut failed = None;
    let mut found = pin!(stream::iter(listed).map(ask).buffered(AT_ONCE));
    while let Some((one, found)) = found.next().await {
        match found {
            Some(Err(error @ DaemonError::Connect { .. })) => return Err(error),
            // What is wrong with one is no reason to know nothing of the others.
            Some(found) => failed = roster.note(&one, found).or(failed),
            None => roster.skip(&one),
        }
    }
    Ok(failed)
}
