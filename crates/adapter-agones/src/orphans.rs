//! Game servers that were allocated for a player who then left: there is no call that gives one back.
//!
//! Each allocation writes an id of its own into a label of the game server, so that it can be found again. Where the call was cut
//! before its answer, nobody knows whether a game server was allocated: it is looked for several times, since the API may still have been at
//! it.
//!
//! What must stay true: a game server that somebody else has been given since is left alone; the work ends within [`PATIENCE`], and neither
//! it nor the calls it makes grow without bound, however many players leave.

use crate::cluster::{Call, Cluster, Resource};
use crate::error::ApiError;
use crate::game_server::GameServer;
use bytes::Bytes;
use drawbridge_adapter::background::{Background, Running};
use drawbridge_config::keywords;
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
/// The most bytes of a list of one game server.
const ANSWER: usize = 4 << 20;
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

/// What became of a look.
enum Look {
    Done,
    /// There is none of this id, or not yet.
    Nothing,
    /// It is to be looked again.
    Again(ApiError),
}

#[derive(Debug, Deserialize)]
struct Found {
    #[serde(default)]
    items: Vec<GameServer>,
}

impl Orphans {
    pub(crate) fn new(background: Arc<Background>) -> Self {
        Self { background, at_once: Arc::new(Semaphore::new(AT_ONCE)), work: Mutex::default() }
    }

    /// The game server `name` was allocated for a player who isn't brought there.
    pub(crate) fn left(&self, name: &str, allocation: Allocation, care: &Arc<Care>) {
        report(name, &allocation, care);
        if care.fate == Fate::Report {
            metrics::allocation_orphaned(care.fate.done());
        } else {
            self.look_after(allocation, care, true);
        }
    }

    /// A call was cut, and may have allocated a game server.
    pub(crate) fn cut(&self, allocation: Allocation, care: &Arc<Care>) {
        self.look_after(allocation, care, false);
    }

    fn look_after(&self, allocation: Allocation, care: &Arc<Care>, reported: bool) {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.retain(|(done, _)| done.strong_count() > 0);
        let Allocation { id, player } = &allocation;
        if work.len() >= MOST {
            metrics::allocation_orphaned("lost");
            tracing::warn!(allocation = %id, player, "too many orphans: nobody looks for this one's game server");
            return;
        }
        let alive = Arc::new(());
        let done = Arc::downgrade(&alive);
        let (care, at_once) = (Arc::clone(care), Arc::clone(&self.at_once));
        let looking = async move {
            let _alive = alive;
            if timeout(PATIENCE, look(&allocation, &care, reported, &at_once)).await.is_err() {
                given_up(&allocation, reported, "there was no time");
            }
        };
        work.push((done, self.background.run(looking)));
    }
}

fn report(game_server: &str, Allocation { id, player }: &Allocation, care: &Care) {
    let (namespace, fate) = (care.cluster.namespace(care.namespace.as_deref()), care.fate);
    tracing::warn!(game_server, namespace, player, allocation = %id, %fate, "a game server was allocated for a player who left");
}

/// Looks for the game server of the allocation until something is done about it. Where it is known that there is one, it
/// has been reported.
async fn look(allocation: &Allocation, care: &Care, reported: bool, at_once: &Semaphore) {
    let mut last = None;
    for (attempt, wait) in LOOKS.into_iter().enumerate() {
        if !(reported && attempt == 0) {
            sleep(wait).await;
        }
        // The semaphore is never closed.
        let _permit = at_once.acquire().await;
        match care.settle(allocation, reported).await {
            Ok(Look::Done) => return,
            Ok(Look::Nothing) => {}
            Ok(Look::Again(error)) | Err(error) => last = Some(error),
        }
    }
    if let Some(error) = last {
        given_up(allocation, reported, &error.to_string());
    }
}

fn given_up(Allocation { id, player }: &Allocation, reported: bool, why: &str) {
    metrics::allocation_orphaned(if reported { "failed" } else { "unknown" });
    if reported {
        tracing::warn!(allocation = %id, player, why, "a game server that was allocated for a player who left was not dealt with");
    } else {
        tracing::warn!(allocation = %id, player, why, "nobody knows whether a game server was allocated for a player who left");
    }
}

impl Care {
    /// Finds the game server, and does with it what is to be done.
    async fn settle(&self, allocation: &Allocation, reported: bool) -> Result<Look, ApiError> {
        let selector = format!("{LABEL}={}", allocation.id);
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("labelSelector", &selector)
            .append_pair("limit", "1")
            .finish();
        let call = Call::get(self.game_servers(&format!("?{query}")), ANSWER);
        let found: Found = self.cluster.call(call).await?;
        let Some(server) = found.items.into_iter().next() else { return Ok(Look::Nothing) };
        if !reported {
            report(&server.metadata.name, allocation, self);
        }
        let call = match self.fate {
            Fate::Report => {
                metrics::allocation_orphaned(self.fate.done());
                return Ok(Look::Done);
            }
            Fate::Delete => self.deletion(&server),
            Fate::Relabel => self.relabelling(&server),
        };
        match self.cluster.call::<serde::de::IgnoredAny>(call).await {
            Ok(_) => {
                let (game_server, fate) = (&server.metadata.name, self.fate);
                metrics::allocation_orphaned(fate.done());
                tracing::info!(game_server, %fate, "an orphan's game server was dealt with");
                Ok(Look::Done)
            }
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(Look::Done),
            // Somebody else has changed it, perhaps to give it to another player: then it isn't found again.
            Err(error) => Ok(Look::Again(error)),
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
        Resource { group, namespace, rest: format!("gameservers{which}") }
    }
}
