//! How a watch goes: a list, then what changes, from where the list ended; see "Efficient detection of changes" in the Kubernetes
//! documentation, <https://kubernetes.io/docs/reference/using-api/api-concepts/>.
//!
//! What must stay true: a stream that breaks is taken up where it was; where the API has forgotten that (410 Gone), all is listed
//! anew, and so it is where the keeper lacks what it had no room for. Nothing is ever gone in between: the new list replaces the old at once.

use crate::cluster::{Call, Cluster, Resource, Scope, shown};
use crate::error::ApiError;
use drawbridge_adapter::waits::Waits;
use hyper::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// The most objects of a list that are looked at.
pub const MOST: usize = 10_000;
/// Objects in one page of the list, unless that has more bytes than are read: then there are half as many in it, down to one.
const PAGE: usize = 500;
/// The most bytes of a page, which is held beside all that is known.
const PAGE_BYTES: usize = 16 << 20;
/// The most bytes of one change: more than a cluster stores of an object.
const CHANGE: usize = 4 << 20;
/// How long a page may take.
const LIST: Duration = Duration::from_secs(30);
/// How long the API is asked to tell of changes before it is asked again, and how much longer it is listened to.
const STREAM: (Duration, Duration) = (Duration::from_secs(240), Duration::from_secs(30));
/// How soon after a list the keeper may have another.
const ANEW: Duration = Duration::from_secs(10);
/// Where a stream ended sooner than this, the next is waited for.
const TOO_SHORT: Duration = Duration::from_secs(1);
/// The first wait after a failure, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// Whoever keeps what is followed.
pub trait Keeper: Send + Sync {
    /// An object that is followed, as far as it matters.
    type Object: DeserializeOwned + Send + 'static;

    /// The API group and its version, and the name of the kind in it: `agones.dev/v1`, `gameservers`.
    fn kind(&self) -> (&'static str, &'static str);

    /// Where the objects are.
    fn scope(&self) -> Scope;

    /// Which of them, in the API's words; empty: all.
    fn selector(&self) -> &str {
        ""
    }

    /// The resource version of an object.
    fn version(object: &Self::Object) -> &str;

    /// These are all so far of a list that is still being read. Whoever keeps little of them lets go of the rest here: all of them are
    /// held until the list is whole, and objects may be long.
    fn gather(&self, _: &mut [Self::Object]) {}

    /// These are all, or so many of them as are looked at.
    fn replace(&self, objects: Vec<Self::Object>);

    /// One has come or changed.
    fn put(&self, object: Self::Object);

    /// One has gone.
    fn remove(&self, object: &Self::Object);

    /// Waits until another list is wanted, for what there was no room for in the last one. May be dropped before.
    fn wants_list(&self) -> impl Future<Output = ()> + Send {
        pending()
    }

    /// There are more than are looked at.
    fn too_many(&self);

    /// It is known how things are.
    fn well(&self);

    /// It isn't known how things are.
    fn failing(&self, error: ApiError);
}

#[derive(Debug, Deserialize)]
struct Page<T> {
    #[serde(default)]
    metadata: PageMetadata,
    #[serde(default = "Vec::new")]
    items: Vec<T>,
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
    /// The keeper has room for more than the list gave it.
    Outgrown,
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
pub async fn follow<K: Keeper>(keeper: Arc<K>, cluster: Arc<Cluster>) {
    let fresh = || Waits::new(WAITS.0, WAITS.1);
    let mut waits = fresh();
    let mut position = None;
    let mut listed = Instant::now();
    loop {
        let from = match position.take() {
            Some(from) => Ok(from),
            None => {
                let list = list(&*keeper, &cluster).await;
                listed = Instant::now();
                list
            }
        };
        let mut from = match from {
            Ok(from) => from,
            Err(error) => {
                let asked = error.retry_after();
                keeper.failing(error);
                sleep(waits.next(asked)).await;
                continue;
            }
        };
        let (start, mut began) = (Instant::now(), false);
        let anew = async {
            sleep_until(listed + ANEW).await;
            keeper.wants_list().await;
        };
        let ended = tokio::select! {
            ended = changes(&*keeper, &cluster, &mut from, &mut began) => ended,
            () = anew => Ended::Outgrown,
        };
        let lasted = start.elapsed() >= TOO_SHORT;
        if lasted {
            waits = fresh();
        }
        let mut asked = None;
        match ended {
            Ended::Well => position = Some(from),
            Ended::Outgrown => {}
            Ended::Gone => {
                tracing::debug!(kind = keeper.kind().1, scope = ?keeper.scope(), "the list is too old: it is made anew");
            }
            Ended::Failed(error) => {
                // What makes no sense is not asked for again.
                let sense = !matches!(error, ApiError::Malformed(_) | ApiError::TooLong(_));
                position = sense.then_some(from);
                asked = error.retry_after();
                // A stream that breaks is taken up again; one that can't be had is a failure.
                if !began {
                    keeper.failing(error);
                }
            }
        }
        if !lasted || asked.is_some() {
            sleep(waits.next(asked)).await;
        }
    }
}

/// Lists all, and says from where on changes are to be told.
async fn list<K: Keeper>(keeper: &K, cluster: &Arc<Cluster>) -> Result<String, ApiError> {
    let mut objects = Vec::new();
    let mut next = String::new();
    let mut limit = PAGE;
    let mut calls = MOST / limit + 1;
    while calls > 0 {
        calls -= 1;
        let count = limit.to_string();
        let call = Call::get(target(keeper, &[("limit", &count), ("continue", &next)]), PAGE_BYTES);
        let page = timeout(LIST, cluster.call::<Page<K::Object>>(call)).await;
        let Page { metadata, items } =
            match page.unwrap_or_else(|_| Err(ApiError::Broken(format!("no list within {LIST:?}")))) {
                Err(ApiError::TooLong(_)) if limit > 1 => {
                    // Of smaller pages there are more.
                    limit /= 2;
                    calls = MOST / limit + 1;
                    continue;
                }
                page => page?,
            };
        objects.extend(items);
        keeper.gather(&mut objects);
        next = metadata.r#continue;
        if next.is_empty() || objects.len() >= MOST {
            if !next.is_empty() || objects.len() > MOST {
                keeper.too_many();
            }
            objects.truncate(MOST);
            keeper.replace(objects);
            keeper.well();
            return Ok(metadata.resource_version);
        }
    }
    Err(ApiError::Broken("its list has no end".to_owned()))
}

/// Takes over changes from `position` on, which moves along. `began` tells whether the API said that it would tell of them.
async fn changes<K: Keeper>(keeper: &K, cluster: &Cluster, position: &mut String, began: &mut bool) -> Ended {
    let seconds = STREAM.0.as_secs().to_string();
    let parameters = [
        ("watch", "true"),
        ("allowWatchBookmarks", "true"),
        ("timeoutSeconds", seconds.as_str()),
        ("resourceVersion", position.as_str()),
    ];
    let call = Call::get(target(keeper, &parameters), CHANGE);
    let following = async {
        let mut lines = match timeout(LIST, cluster.follow(&call)).await {
            Ok(lines) => lines?,
            Err(_) => return Err(ApiError::Broken(format!("no watch within {LIST:?}")).into()),
        };
        keeper.well();
        *began = true;
        while let Some(line) = lines.next().await? {
            let change =
                serde_json::from_slice(&line).map_err(|error| ApiError::Malformed(error.to_string()))?;
            take(keeper, change, position)?;
        }
        Ok::<_, Ended>(Ended::Well)
    };
    match timeout(STREAM.0 + STREAM.1, following).await {
        Ok(Ok(ended) | Err(ended)) => ended,
        Err(_) => Ended::Failed(ApiError::Broken("a watch that is overdue".to_owned())),
    }
}

fn take<K: Keeper>(keeper: &K, change: Change, position: &mut String) -> Result<(), Ended> {
    let Change { r#type, object } = change;
    if r#type == "ERROR" {
        let code = object.get("code").and_then(serde_json::Value::as_u64);
        if code == Some(410) {
            return Err(Ended::Gone);
        }
        let message = object.get("message").and_then(serde_json::Value::as_str).unwrap_or_default();
        return Err(ApiError::Broken(shown(message)).into());
    }
    let object: K::Object =
        serde_json::from_value(object).map_err(|error| ApiError::Malformed(error.to_string()))?;
    if !K::version(&object).is_empty() {
        K::version(&object).clone_into(position);
    }
    match r#type.as_str() {
        "ADDED" | "MODIFIED" => keeper.put(object),
        "DELETED" => keeper.remove(&object),
        // A bookmark, which only moves the position.
        _ => {}
    }
    Ok(())
}

fn target<K: Keeper>(keeper: &K, parameters: &[(&str, &str)]) -> Resource {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let selector = [("labelSelector", keeper.selector())];
    let said = parameters.iter().chain(&selector).filter(|(_, value)| !value.is_empty());
    for (name, value) in said {
        query.append_pair(name, value);
    }
    let (group, kind) = keeper.kind();
    Resource { group, scope: keeper.scope(), rest: format!("{kind}?{}", query.finish()) }
}
