//! Discovery `agones`: a game server is allocated for each player, by a GameServerAllocation.
//!
//! What must stay true: a player who has left is asked nothing for; attempts end within the deadline; a game server that may
//! have been allocated for nobody is handed to [`Orphans`].

mod request;
mod section;

pub use section::{AgonesSection, OnAllocationError};

use crate::Agones;
use crate::game_server::{GameServer, Metadata, NoTarget, Status};
use crate::orphans::{Allocation, Care, MOST_SOUGHT, Orphans, Sought};
use crate::template::Facts;
use async_trait::async_trait;
use bytes::Bytes;
use drawbridge_adapter::waits::Waits;
use drawbridge_kubernetes::{ApiError, Call, Cluster, Effect, Resource};
use drawbridge_model::{AdapterError, Client, DiscoveryAdapter, Identity, Lease, Target};
use hyper::Method;
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// The most bytes of an answer.
const ANSWER: usize = 4 << 20;

/// Allocates a game server for each player.
#[derive(Debug)]
pub struct Allocated {
    section: AgonesSection,
    cluster: Arc<Cluster>,
    care: Arc<Care>,
    orphans: Arc<Orphans>,
}

/// What an allocation became, in the API's words.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    status: Outcome,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Outcome {
    game_server_name: String,
    /// What the game server is labelled with.
    metadata: Option<Metadata>,
    #[serde(flatten)]
    server: Status,
}

/// Why an attempt gave no game server.
enum Failed {
    /// No game server is free.
    UnAllocated,
    /// Others were quicker, several times.
    Contention,
    Api(ApiError),
    /// There is one, but players can't be sent there.
    Useless(String, NoTarget),
}

impl Allocated {
    /// As the section says. The cluster is asked when the first player comes, not before.
    #[must_use]
    pub fn new(section: &AgonesSection, agones: &Agones) -> Self {
        let cluster = agones.cluster(&section.cluster());
        let care = Care {
            cluster: Arc::clone(&cluster),
            namespace: section.namespace.clone(),
            fate: section.orphans,
            labels: section.relabel.clone(),
        };
        Self { section: section.clone(), cluster, care: Arc::new(care), orphans: agones.orphans() }
    }

    /// One attempt. Dropping it ends the call; what it may have done is told to `attempts`.
    async fn attempt(&self, facts: Facts<'_>, attempts: &mut Attempts<'_>) -> Result<Target, Failed> {
        let allocation = Allocation { id: Uuid::new_v4(), player: facts.identity.name().to_owned() };
        let body = request::body(&self.section, facts, allocation.id);
        let target = Resource {
            group: "allocation.agones.dev/v1",
            scope: self.section.namespace.clone().into(),
            rest: "gameserverallocations".to_owned(),
        };
        let body = Bytes::from(body.to_string());
        let call = Call::with_body(Method::POST, target, "application/json", body, ANSWER);
        attempts.under_way = Some((allocation.id, Arc::clone(&call.sent)));
        let answer = self.cluster.call::<Answer>(call).await;
        attempts.under_way = None;
        match answer {
            Ok(Answer { status }) => self.landed(status, allocation, attempts),
            Err(error) => {
                attempts.may_have_done(allocation.id, error.effect());
                Err(Failed::Api(error))
            }
        }
    }

    /// What the answer to an allocation means.
    fn landed(
        &self,
        outcome: Outcome,
        allocation: Allocation,
        attempts: &mut Attempts<'_>,
    ) -> Result<Target, Failed> {
        let Outcome { game_server_name: name, metadata, server: status } = outcome;
        match status.state.as_str() {
            "Allocated" => {
                let Metadata { labels, annotations, .. } = metadata.unwrap_or_default();
                let metadata = Metadata { name: name.clone(), labels, annotations, ..Metadata::default() };
                let server = GameServer { metadata, status }.bounded();
                let found = server.target(self.section.port.as_deref(), &Arc::new(server.meta()));
                let mut target = match found {
                    Ok(target) => target,
                    Err(error) => {
                        self.orphans.left(&name, &allocation, &self.care);
                        return Err(Failed::Useless(name, error));
                    }
                };
                let (orphans, care) = (Arc::clone(&self.orphans), Arc::clone(&self.care));
                target.lease = Some(Lease::new(move || orphans.left(&name, &allocation, &care)));
                Ok(target)
            }
            "UnAllocated" => Err(Failed::UnAllocated),
            "Contention" => Err(Failed::Contention),
            other => {
                attempts.may_have_done(allocation.id, Effect::Settled);
                Err(Failed::Api(ApiError::Malformed(format!("an allocation whose state is {other:?}"))))
            }
        }
    }
}

impl Failed {
    /// Whether another attempt may do better, and when at the earliest.
    fn passes(&self, section: &AgonesSection) -> Option<Duration> {
        match self {
            Self::UnAllocated => section.backoff.unallocated.then_some(Duration::ZERO),
            Self::Contention => Some(Duration::ZERO),
            Self::Api(error) => error.passes().then(|| error.retry_after().unwrap_or_default()),
            Self::Useless(..) => None,
        }
    }

    /// What it means for the player, when there is no further attempt.
    fn outcome(self) -> Result<Vec<Target>, AdapterError> {
        match self {
            Self::UnAllocated => Ok(Vec::new()),
            Self::Contention => {
                Err(AdapterError::Answer("others were given the game servers first".to_owned()))
            }
            Self::Api(error) => Err(error.into()),
            Self::Useless(name, error) => {
                Err(AdapterError::Answer(format!("players can't be sent to {name:?}: {error}")))
            }
        }
    }
}

#[async_trait]
impl DiscoveryAdapter for Allocated {
    async fn targets(&self, client: &Client, identity: &Identity) -> Result<Vec<Target>, AdapterError> {
        let deadline = Instant::now() + *self.section.timeout;
        let mut waits = Waits::new(self.section.backoff.first, self.section.backoff.longest);
        let mut attempts = Attempts {
            orphans: &self.orphans,
            care: &self.care,
            player: identity.name(),
            under_way: None,
            sought: Vec::new(),
        };
        loop {
            let failed = match self.attempt(Facts { client, identity }, &mut attempts).await {
                Ok(target) => return Ok(vec![target]),
                Err(failed) => failed,
            };
            let Some(asked) = failed.passes(&self.section) else { return failed.outcome() };
            let wait = waits.next(Some(asked));
            if Instant::now() + wait >= deadline {
                return failed.outcome();
            }
            sleep(wait).await;
        }
    }
}

/// The attempts for one player. What those without an answer may have done is looked for all at once, when the last has ended.
struct Attempts<'a> {
    orphans: &'a Orphans,
    care: &'a Arc<Care>,
    player: &'a str,
    /// The call of which the answer isn't there, and whether the API may have seen it.
    under_way: Option<(Uuid, Arc<AtomicBool>)>,
    sought: Vec<Sought>,
}

impl Attempts<'_> {
    fn may_have_done(&mut self, id: Uuid, effect: Effect) {
        if effect != Effect::None {
            self.sought.push(Sought::perhaps(id, effect));
        }
        if self.sought.len() >= MOST_SOUGHT {
            self.look();
        }
    }

    fn look(&mut self) {
        let sought = std::mem::take(&mut self.sought);
        if !sought.is_empty() {
            self.orphans.look_for(self.player, sought, self.care);
        }
    }
}

impl Drop for Attempts<'_> {
    fn drop(&mut self) {
        if let Some((id, sent)) = self.under_way.take()
            && sent.load(Ordering::Relaxed)
        {
            self.may_have_done(id, Effect::Pending);
        }
        self.look();
    }
}
