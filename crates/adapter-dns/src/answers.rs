//! An answer that is asked for time and again, before it expires.
//!
//! Worked example with `refresh = "30s"`: an answer is good for 10 s and asked for again after these; one that is good for an hour after
//! 30 s, one that is good for nothing after 1 s. That question fails: it is asked again after about 1, 2, 4, 8, 16 and from then
//! on 30 s, each a quarter more or less by chance. Meanwhile the last answer stands, and is said to be stale.
//!
//! What must stay true: the question ends with the last who keeps its answers.

use crate::counts::Counting;
use crate::discovery::Record;
use crate::names::{self, Names, NamesError, Service};
use drawbridge_adapter::background::{Background, Running};
use drawbridge_adapter::backoff;
use drawbridge_model::AdapterError;
use hickory_resolver::proto::rr::RecordType;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// The shortest time between two questions, whatever the answer says of itself.
pub(crate) const SHORTEST: Duration = Duration::from_secs(1);
/// How long it is believed that there is nothing, where the answer doesn't say, and the longest wait while nothing is known.
const NOTHING: Duration = Duration::from_secs(5);
/// How many hosts are looked up at a time.
const LOOKUPS: usize = 32;

/// What is asked, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    /// As it is asked for.
    pub(crate) name: String,
    pub(crate) record: Record,
    pub(crate) nameservers: Vec<SocketAddr>,
    pub(crate) refresh: Duration,
    pub(crate) timeout: Duration,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    Services(Vec<Service>),
    Addresses(Vec<IpAddr>),
}

/// What is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// The last answer, and until when it is good.
    pub(crate) found: Option<(Arc<Found>, Instant)>,
    /// Why the last question has none.
    pub(crate) failed: Option<AdapterError>,
}

/// The answers to a question.
#[derive(Debug)]
pub(crate) struct Answers {
    state: watch::Receiver<State>,
    _running: Running,
}

impl Answers {
    pub(crate) fn new(question: Question, counting: &Arc<Counting>, background: &Background) -> Self {
        let (told, state) = watch::channel(State::default());
        let asking = Asking { question, told, counting: Arc::clone(counting), dead: BTreeSet::new() };
        Self { state, _running: background.run(asking.go_on()) }
    }

    /// What is known now, or as soon as anything is.
    pub(crate) async fn state(&self) -> Result<State, AdapterError> {
        let mut state = self.state.clone();
        let known = state.wait_for(|state| state.found.is_some() || state.failed.is_some()).await;
        let known = known.map_err(|_| AdapterError::Unreachable("nobody asks any more".to_owned()))?;
        Ok(known.clone())
    }
}

/// The work of asking.
struct Asking {
    question: Question,
    told: watch::Sender<State>,
    counting: Arc<Counting>,
    /// The hosts that were left out last.
    dead: BTreeSet<String>,
}

impl Asking {
    async fn go_on(mut self) {
        let mut failures = 0;
        loop {
            let asked = timeout(self.question.timeout, self.ask()).await;
            let wait = match asked.unwrap_or(Err(AdapterError::TimedOut(self.question.timeout))) {
                Ok((found, good)) => {
                    if failures > 0 {
                        tracing::info!(name = self.question.name, failures, "DNS answers again");
                    }
                    failures = 0;
                    self.counting.answered.add(1);
                    self.tell_of_nothing(&found);
                    self.told
                        .send_replace(State { found: Some((found, Instant::now() + good)), failed: None });
                    good
                }
                Err(error) => {
                    let known = self.told.borrow().found.is_some();
                    let most = if known { self.question.refresh } else { self.question.refresh.min(NOTHING) };
                    let wait = wait(failures, most, backoff::chance());
                    self.tell(&error, failures, wait);
                    failures = failures.saturating_add(1);
                    self.counting.failed.add(1);
                    self.told.send_modify(|state| state.failed = Some(error));
                    wait
                }
            };
            sleep(wait).await;
        }
    }

    /// That there is nothing is an answer, and mostly a typing mistake: said once, until there is something.
    fn tell_of_nothing(&self, found: &Found) {
        let was_nothing = self.told.borrow().found.as_ref().is_some_and(|(found, _)| found.len() == 0);
        if found.len() == 0 && !was_nothing {
            tracing::warn!(name = self.question.name, "DNS has no records of this name: there is no target");
        }
    }

    /// One line for an outage; what follows is for those who look closer.
    fn tell(&self, error: &AdapterError, failures: u32, again_in: Duration) {
        let name = &self.question.name;
        let stale = self.told.borrow().found.is_some();
        if failures == 0 {
            tracing::warn!(name, %error, stale, ?again_in, "DNS fails");
        } else {
            tracing::debug!(name, %error, stale, ?again_in, failures, "DNS still fails");
        }
    }

    /// Asks once: what was found, and for how long it is good.
    async fn ask(&mut self) -> Result<(Arc<Found>, Duration), AdapterError> {
        let Question { name, record, nameservers, refresh, timeout } = &self.question.clone();
        let deadline = Instant::now() + *timeout;
        // What a record leads to is looked up as well, in the other half.
        let patience = if *record == Record::Srv { *timeout / 2 } else { *timeout };
        let unanswered = |error: NamesError| AdapterError::Unreachable(error.to_string());
        let names = Names::open(nameservers.clone(), patience).await.map_err(unanswered)?;
        let (found, empty, ttl) = match record {
            Record::Srv => {
                let answer =
                    names.records(name, RecordType::SRV, names::service).await.map_err(unanswered)?;
                let mut services = self.living(&names, answer.records, deadline).await?;
                services.sort_unstable();
                (Found::Services(services.clone()), services.is_empty(), answer.ttl)
            }
            Record::A => {
                let mut answer = names.addresses(name).await.map_err(unanswered)?;
                answer.records.sort_unstable();
                let empty = answer.records.is_empty();
                (Found::Addresses(answer.records), empty, answer.ttl)
            }
        };
        let good = ttl.map(|seconds| Duration::from_secs(seconds.into()));
        let good = good.unwrap_or(if empty { NOTHING } else { *refresh });
        let found = self.unless_same(found);
        Ok((found, good.min(*refresh).max(SHORTEST)))
    }

    /// An answer like the last is the last. Both are sorted, as servers tell the same in ever another order.
    fn unless_same(&self, found: Found) -> Arc<Found> {
        let known = self.told.borrow().found.as_ref().map(|(found, _)| Arc::clone(found));
        if let Some(known) = known.filter(|known| **known == found) {
            return known;
        }
        let targets = found.len();
        tracing::debug!(name = self.question.name, targets, "DNS names other targets");
        Arc::new(found)
    }

    /// The services whose hosts have an address. A host that can't be looked up is there if it was there the last time; if nothing else
    /// is left, that is no answer.
    async fn living(
        &mut self,
        names: &Names,
        services: Vec<Service>,
        deadline: Instant,
    ) -> Result<Vec<Service>, AdapterError> {
        let known = self.hosts();
        let hosts: HashSet<String> = services.iter().map(|service| service.host.clone()).collect();
        let mut lives: HashMap<String, bool> = look_up(names, hosts.clone(), deadline).await;
        let mut unsure = None;
        for host in hosts {
            lives.entry(host).or_insert_with_key(|host| {
                unsure.get_or_insert_with(|| host.clone());
                known.contains(host)
            });
        }
        let dead = lives.iter().filter(|(_, lives)| !**lives).map(|(host, _)| host.clone());
        let dead: BTreeSet<String> = dead.collect();
        if let (Some(host), true) = (unsure, dead.len() == lives.len()) {
            return Err(AdapterError::Unreachable(format!("no host can be looked up, such as {host}")));
        }
        self.leave_out(dead);
        Ok(services.into_iter().filter(|service| lives.get(&service.host) == Some(&true)).collect())
    }

    /// Counts the hosts that are left out, and tells when they are others than before.
    fn leave_out(&mut self, dead: BTreeSet<String>) {
        /// As many as a line of the log has room for.
        const SHOWN: usize = 8;
        self.counting.left_out.add(dead.len());
        if dead != self.dead && !dead.is_empty() {
            let hosts: Vec<_> = dead.iter().take(SHOWN).collect();
            let (name, count) = (&self.question.name, dead.len());
            tracing::warn!(name, count, ?hosts, "hosts without an address are left out");
        }
        self.dead = dead;
    }

    /// The hosts of the last answer.
    fn hosts(&self) -> HashSet<String> {
        match self.told.borrow().found.as_ref().map(|(found, _)| &**found) {
            Some(Found::Services(services)) => services.iter().map(|service| service.host.clone()).collect(),
            _ => HashSet::new(),
        }
    }
}

impl Found {
    fn len(&self) -> usize {
        match self {
            Self::Services(services) => services.len(),
            Self::Addresses(addresses) => addresses.len(),
        }
    }
}

/// Whether hosts have an address; those that nobody knows of in time are left out.
async fn look_up(names: &Names, hosts: HashSet<String>, deadline: Instant) -> HashMap<String, bool> {
    let turns = Arc::new(Semaphore::new(LOOKUPS));
    let mut lookups = JoinSet::new();
    for host in hosts {
        let (names, turns) = (names.clone(), Arc::clone(&turns));
        lookups.spawn(async move {
            if host.parse::<IpAddr>().is_ok() {
                return Some((host, true));
            }
            let _turn = turns.acquire().await.ok()?;
            let answer = names.addresses(&format!("{host}.")).await.ok()?;
            Some((host, !answer.records.is_empty()))
        });
    }
    let mut lives = HashMap::new();
    // A little before the whole question is late, so that what is known by then counts.
    let deadline = deadline.checked_sub(Duration::from_millis(50)).unwrap_or(deadline);
    while let Ok(Some(looked_up)) = timeout_at(deadline, lookups.join_next()).await {
        lives.extend(looked_up.ok().flatten());
    }
    lives
}

/// Twice as long after each failure, up to `most`.
fn wait(failures: u32, most: Duration, chance: u8) -> Duration {
    backoff::spread(backoff::doubled(SHORTEST, failures, most), chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_example_holds() {
        let refresh = Duration::from_secs(30);
        for (failures, expected) in [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 30), (40, 30)] {
            assert_eq!(wait(failures, refresh, 128), Duration::from_secs(expected));
        }
    }
}
