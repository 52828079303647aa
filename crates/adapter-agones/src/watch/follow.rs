//! How a watch goes: a list, then what changes, from where the list ended; see "Efficient detection of changes" in the Kubernetes
//! documentation, <https://kubernetes.io/docs/reference/using-api/api-concepts/>.
//!
//! What must stay true: a stream that breaks is taken up where it was; where the API has forgotten that (410 Gone), all is listed
//! anew. A fleet never loses a game server in between: the new list replaces the old at once.

use super::{Fleet, Known, MOST, Server};
use crate::cluster::{Call, Cluster, Resource, shown};
use crate::error::ApiError;
use crate::game_server::GameServer;
use drawbridge_adapter::waits::Waits;
use hyper::StatusCode;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Game servers in one page of the list.
const PAGE: usize = 500;
/// The most bytes of a page.
const PAGE_BYTES: usize = 64 << 20;
/// The most bytes of one change: more than a cluster stores of an object.
const CHANGE: usize = 4 << 20;
/// How long a page may take.
const LIST: Duration = Duration::from_secs(30);
/// How long the API is asked to tell of changes before it is asked again, and how much longer it is listened to.
const STREAM: (Duration, Duration) = (Duration::from_secs(240), Duration::from_secs(30));
/// Where a stream ended sooner than this, the next is waited for.
const TOO_SHORT: Duration = Duration::from_secs(1);
/// The first wait after a failure, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMetadata,
    #[serde(default)]
    items: Vec<GameServer>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PageMetadata {
    resource_version: String,
    r#continue: String,
}

/// One change. The object of an error is a `Status`.
#[derive(Debug, Deserialize)]
struct Change {
    r#type: String,
    object: serde_json::Value,
}

/// Why a stream ended.
enum Ended {
    /// As streams do.
    Well,
    /// The API has forgotten where it was.
    Gone,
    Failed(ApiError),
}

impl From<ApiError> for Ended {
    fn from(error: ApiError) -> Self {
        match error.status() {
            Some(StatusCode::GONE) => Self::Gone,
            _ => Self::Failed(error),
        }
    }
}

/// Keeps what is known up to date, for as long as it runs.
pub(super) async fn follow(known: Arc<Known>, cluster: Arc<Cluster>) {
    let fresh = || Waits::new(WAITS.0, WAITS.1);
    let mut waits = fresh();
    let mut position = None;
    loop {
        let from = match position.take() {
            Some(from) => Ok(from),
            None => list(&known, &cluster).await,
        };
        let mut from = match from {
            Ok(from) => from,
            Err(error) => {
                let asked = error.retry_after();
                known.failing(error);
                sleep(waits.next(asked)).await;
                continue;
            }
        };
        let (start, mut began) = (Instant::now(), false);
        let ended = changes(&known, &cluster, &mut from, &mut began).await;
        let lasted = start.elapsed() >= TOO_SHORT;
        if lasted {
            waits = fresh();
        }
        let mut asked = None;
        match ended {
            Ended::Well => position = Some(from),
            Ended::Gone => {
                tracing::debug!(namespace = known.fleet.namespace, "the list is too old: it is made anew");
            }
            Ended::Failed(error) => {
                // What makes no sense is not asked for again.
                let sense = !matches!(error, ApiError::Malformed(_) | ApiError::TooLong(_));
                position = sense.then_some(from);
                asked = error.retry_after();
                // A stream that breaks is taken up again; one that can't be had is a failure.
                if !began {
                    known.failing(error);
                }
            }
        }
        if !lasted || asked.is_some() {
            sleep(waits.next(asked)).await;
        }
    }
}

/// Lists all, and says from where on changes are to be told.
async fn list(known: &Known, cluster: &Arc<Cluster>) -> Result<String, ApiError> {
    let mut servers = BTreeMap::new();
    let mut next = String::new();
    for _ in 0..=MOST / PAGE {
        let limit = PAGE.to_string();
        let call = Call::get(target(&known.fleet, &[("limit", &limit), ("continue", &next)]), PAGE_BYTES);
        let page = timeout(LIST, cluster.call::<Page>(call)).await;
        let Page { metadata, items } =
            page.unwrap_or_else(|_| Err(ApiError::Broken(format!("no list within {LIST:?}"))))?;
        servers.extend(
            items
                .into_iter()
                .map(|server| (server.metadata.name.clone(), Arc::new(Server::of(server.bounded())))),
        );
        next = metadata.r#continue;
        if next.is_empty() || servers.len() >= MOST {
            if !next.is_empty() || servers.len() > MOST {
                let Fleet { namespace, selector, .. } = &known.fleet;
                tracing::warn!(namespace, selector, "a fleet has too many game servers: some aren't known");
            }
            while servers.len() > MOST {
                servers.pop_last();
            }
            known.replace(servers);
            known.well();
            return Ok(metadata.resource_version);
        }
    }
    Err(ApiError::Broken("its list has no end".to_owned()))
}

/// Takes over changes from `position` on, which moves along. `began` tells whether the API said that it would tell of them.
async fn changes(known: &Known, cluster: &Cluster, position: &mut String, began: &mut bool) -> Ended {
    let seconds = STREAM.0.as_secs().to_string();
    let parameters = [
        ("watch", "true"),
        ("allowWatchBookmarks", "true"),
        ("timeoutSeconds", seconds.as_str()),
        ("resourceVersion", position.as_str()),
    ];
    let call = Call::get(target(&known.fleet, &parameters), CHANGE);
    let following = async {
        let mut lines = match timeout(LIST, cluster.follow(&call)).await {
            Ok(lines) => lines?,
            Err(_) => return Err(ApiError::Broken(format!("no watch within {LIST:?}")).into()),
        };
        known.well();
        *began = true;
        while let Some(line) = lines.next().await? {
            let change =
                serde_json::from_slice(&line).map_err(|error| ApiError::Malformed(error.to_string()))?;
            take(known, change, position)?;
        }
        Ok::<_, Ended>(Ended::Well)
    };
    match timeout(STREAM.0 + STREAM.1, following).await {
        Ok(Ok(ended) | Err(ended)) => ended,
        Err(_) => Ended::Failed(ApiError::Broken("a watch that is overdue".to_owned())),
    }
}

fn take(known: &Known, change: Change, position: &mut String) -> Result<(), Ended> {
    let Change { r#type, object } = change;
    if r#type == "ERROR" {
        let code = object.get("code").and_then(serde_json::Value::as_u64);
        if code == Some(410) {
            return Err(Ended::Gone);
        }
        let message = object.get("message").and_then(serde_json::Value::as_str).unwrap_or_default();
        return Err(ApiError::Broken(shown(message)).into());
    }
    let server: GameServer =
        serde_json::from_value(object).map_err(|error| ApiError::Malformed(error.to_string()))?;
    if !server.metadata.resource_version.is_empty() {
        position.clone_from(&server.metadata.resource_version);
    }
    match r#type.as_str() {
        "ADDED" | "MODIFIED" => known.put(server.bounded()),
        "DELETED" => known.remove(&server.metadata.name),
        // A bookmark, which only moves the position.
        _ => {}
    }
    Ok(())
}

fn target(fleet: &Fleet, parameters: &[(&str, &str)]) -> Resource {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let selector = [("labelSelector", fleet.selector.as_str())];
    let said = parameters.iter().chain(&selector).filter(|(_, value)| !value.is_empty());
    for (name, value) in said {
        query.append_pair(name, value);
    }
    let (group, namespace) = ("agones.dev/v1", fleet.namespace.clone());
    Resource { group, namespace, rest: format!("gameservers?{}", query.finish()) }
}
