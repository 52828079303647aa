//! Game servers that were allocated for a player who then left: there is no call that gives one back.
//!
//! Each allocation writes an id of its own into a label of the game server, so that it can be found again. Where the call was cut
//! before its answer, nobody knows whether a game server was allocated: it is looked for several times, since the API may still have been at
//! it. Where the API answered with an error, one look tells.
//!
//! What must stay true: a game server that somebody else has been given since is left alone; the work ends within [`PATIENCE`], and neither
//! it nor the calls it makes grow without bound, however many players leave; an API that fails is asked less for orphans than for players.

use crate::game_server::GameServer;
use bytes::Bytes;
use drawbridge_adapter::background::{Background, Running};
use drawbridge_config::keywords;
use drawbridge_kubernetes::{ApiError, Call, Cluster, Effect, Resource};
use drawbridge_telemetry::metrics;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// The label that names the allocation.
pub(crate) const LABEL: &str = "drawbridge.dev/allocation";
/// When it is looked for a game server, counted from the last time.
const LOOKS: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(750),
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(4),
];
/// How long it is looked after an orphan.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most bytes of a list of game servers that are looked for.
const ANSWER: usize = 4 << 20;
/// The most allocations that are looked for at once: their ids have to fit into a URL.
pub(crate) const MOST_SOUGHT: usize = 32;
/// The most orphans that are looked after.
const MOST: usize = 4_096;
/// The most of them at once.
const AT_ONCE: usize = 8;

keywords! {
    /// What becomes of a game server that was allocated for a player who then left.
    pub enum Fate {
        /// It is reported in the log.
        "report" => Report,
        /// It is deleted too: its fleet makes another.
        "delete" => Delete,
        /// It is given labels too, by which it knows what to do.
        "relabel" => Relabel,
    }
}

impl Fate {
    /// What has become of a game server so, for metrics.
    const fn done(self) -> &'static str {
        match self {
            Self::Report => "reported",
            Self::Delete => "deleted",
            Self::Relabel => "relabelled",
        }
    }
}

/// Where and how orphans of one route are looked after.
#[derive(Debug)]
pub(crate) struct Care {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) namespace: Option<String>,
    pub(crate) fate: Fate,
    /// What [`Fate::Relabel`] writes.
    pub(crate) labels: BTreeMap<String, String>,
}

/// One allocation, and for whom it was.
#[derive(Debug, Clone)]
pub(crate) struct Allocation {
    pub(crate) id: Uuid,
    pub(crate) player: String,
}

/// All that are looked after.
#[derive(Debug)]
pub(crate) struct Orphans {
    background: Arc<Background>,
    at_once: Arc<Semaphore>,
    /// Each until it is done, which the first of the pair knows.
    work: Mutex<Vec<(Weak<()>, Running)>>,
}

/// An allocation that may have given a game server which nobody is to have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sought {
    id: Uuid,
    /// Nothing more comes of it: where a look finds nothing, there is nothing.
    settled: bool,
    /// It is known, and told, that there is a game server.
    reported: bool,
}

/// Those of one player.
struct Search {
    player: String,
    sought: Vec<Sought>,
}

#[derive(Debug, Deserialize)]
struct Found {
    #[serde(default)]
    items: Vec<GameServer>,
}

impl Sought {
    /// An allocation whose call had this effect.
    pub(crate) fn perhaps(id: Uuid, effect: Effect) -> Self {
        Self { id, settled: effect == Effect::Settled, reported: false }
    }
}

impl Orphans {
    pub(crate) fn new(background: Arc<Background>) -> Self {
        Self { background, at_once: Arc::new(Semaphore::new(AT_ONCE)), work: Mutex::default() }
    }

    /// The game server `name` was allocated for a player who isn't brought there.
    pub(crate) fn left(&self, name: &str, allocation: &Allocation, care: &Arc<Care>) {
        let Allocation { id, player } = allocation;
        report(name, *id, player, care);
        if care.fate == Fate::Report {
            metrics::allocation_orphaned(care.fate.done());
        } else {
            self.look_for(player, vec![Sought { id: *id, settled: true, reported: true }], care);
        }
    }

    /// Looks for game servers of which a player will know nothing.
    pub(crate) fn look_for(&self, player: &str, sought: Vec<Sought>, care: &Arc<Care>) {
        let mut search = Search { player: player.to_owned(), sought };
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.retain(|(done, _)| done.strong_count() > 0);
        if work.len() >= MOST {
            search.lost();
            return;
        }
        let alive = Arc::new(());
        let done = Arc::downgrade(&alive);
        let (care, at_once) = (Arc::clone(care), Arc::clone(&self.at_once));
        let looking = async move {
            let _alive = alive;
            let why = match timeout(PATIENCE, search.look(&care, &at_once)).await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "there was no time".to_owned(),
            };
            search.given_up(&why);
        };
        work.push((done, self.background.run(looking)));
    }
}

fn report(game_server: &str, id: Uuid, player: &str, care: &Care) {
    let (namespace, fate) = (care.cluster.namespace(care.namespace.as_deref()), care.fate);
    tracing::warn!(game_server, namespace, player, allocation = %id, %fate, "a game server was allocated for a player who left");
}

/// Ids, to be told in a line.
fn told<'a>(sought: impl IntoIterator<Item = &'a Sought>) -> String {
    sought.into_iter().map(|sought| sought.id.to_string()).collect::<Vec<_>>().join(",")
}

impl Search {
    /// Looks until something is done about all game servers that there are.
    async fn look(&mut self, care: &Care, at_once: &Semaphore) -> Result<(), ApiError> {
        let mut outcome = Ok(());
        for (attempt, wait) in LOOKS.into_iter().enumerate() {
            let known = self.sought.iter().any(|sought| sought.reported);
            if !(known && attempt == 0) {
                sleep(wait).await;
            }
            // The semaphore is never closed.
            let _permit = at_once.acquire().await;
            outcome = care.settle(self).await;
            if self.sought.is_empty() {
                break;
            }
        }
        outcome
    }

    /// There is no room for another search.
    fn lost(&mut self) {
        self.sought.iter().for_each(|_| metrics::allocation_orphaned("lost"));
        let (player, allocation) = (&self.player, told(&self.sought));
        tracing::warn!(allocation, player, "too many orphans: nobody looks for this one's game server");
    }

    fn given_up(&mut self, why: &str) {
        let player = &self.player;
        let (known, unknown): (Vec<_>, Vec<_>) = self.sought.iter().partition(|sought| sought.reported);
        known.iter().for_each(|_| metrics::allocation_orphaned("failed"));
        unknown.iter().for_each(|_| metrics::allocation_orphaned("unknown"));
        if !known.is_empty() {
            let allocation = told(known);
            tracing::warn!(
                allocation,
                player,
                why,
                "a game server that was allocated for a player who left was not dealt with"
            );
        }
        if !unknown.is_empty() {
            let allocation = told(unknown);
            tracing::warn!(
                allocation,
                player,
                why,
                "nobody knows whether a game server was allocated for a player who left"
            );
        }
    }
}

impl Care {
    /// Finds the game servers, and does with them what is to be done. What needs no further look is no longer sought.
    async fn settle(&self, search: &mut Search) -> Result<(), ApiError> {
        let ids = told(&search.sought);
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("labelSelector", &format!("{LABEL} in ({ids})"))
            .append_pair("limit", &search.sought.len().to_string())
            .finish();
        let call = Call::get(self.game_servers(&format!("?{query}")), ANSWER);
        let Found { items } = self.cluster.call(call).await?;
        let Search { player, sought: all } = search;
        let (mut outcome, mut at) = (Ok(()), 0);
        while let Some(sought) = all.get_mut(at) {
            let label = sought.id.to_string();
            let found = items.iter().find(|server| server.metadata.labels.get(LABEL) == Some(&label));
            let done = match found {
                Some(server) => {
                    if !std::mem::replace(&mut sought.reported, true) {
                        report(&server.metadata.name, sought.id, player, self);
                    }
                    self.deal_with(server).await.map_err(|error| outcome = Err(error)).is_ok()
                }
                None => sought.settled,
            };
            if done {
                all.swap_remove(at);
            } else {
                at += 1;
            }
        }
        outcome
    }

    async fn deal_with(&self, server: &GameServer) -> Result<(), ApiError> {
        let call = match self.fate {
            Fate::Report => {
                metrics::allocation_orphaned(self.fate.done());
                return Ok(());
            }
            Fate::Delete => self.deletion(server),
            Fate::Relabel => self.relabelling(server),
        };
        match self.cluster.call::<serde::de::IgnoredAny>(call).await {
            Ok(_) => {
                let (game_server, fate) = (&server.metadata.name, self.fate);
                metrics::allocation_orphaned(fate.done());
                tracing::info!(game_server, %fate, "an orphan's game server was dealt with");
                Ok(())
            }
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(()),
            // Somebody else has changed it, perhaps to give it to another player: then it isn't found again.
            Err(error) => Err(error),
        }
    }

    /// Goes, unless it has changed since it was looked at.
    fn deletion(&self, GameServer { metadata, .. }: &GameServer) -> Call {
        let preconditions = json!({ "uid": metadata.uid, "resourceVersion": metadata.resource_version });
        let body = json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions });
        self.change(Method::DELETE, &metadata.name, "application/json", &body)
    }

    /// Has the labels, unless it has changed since it was looked at.
    fn relabelling(&self, GameServer { metadata, .. }: &GameServer) -> Call {
        let body = json!({ "metadata": {
            "uid": metadata.uid, "resourceVersion": metadata.resource_version, "labels": self.labels,
        } });
        self.change(Method::PATCH, &metadata.name, "application/merge-patch+json", &body)
    }

    fn change(
        &self,
        method: Method,
        name: &str,
        content_type: &'static str,
        body: &serde_json::Value,
    ) -> Call {
        let target = self.game_servers(&format!("/{name}"));
        Call::with_body(method, target, content_type, Bytes::from(body.to_string()), ANSWER)
    }

    fn game_servers(&self, which: &str) -> Resource {
        let (group, namespace) = ("agones.dev/v1", self.namespace.clone());
        Resource { group, scope: namespace.into(), rest: format!("gameservers{which}") }
    }
}
