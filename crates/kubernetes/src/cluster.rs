//! Calls to a cluster's API. Where it is and who we are there comes from a kubeconfig or, in a pod, from the service account.
//!
//! What must stay true: a call ends with whoever waits for it; an answer is read within a bound; a token that is no longer taken
//! is read anew, once for each call.

mod access;
mod lines;

pub(crate) use lines::Lines;

use crate::error::ApiError;
use bytes::Bytes;
use drawbridge_telemetry::in_full;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::task::AbortOnDropHandle;

/// What a cluster sees as the caller.
const AGENT: &str = concat!("Drawbridge/", env!("CARGO_PKG_VERSION"));
/// The most calls under way at once; the API throttles whoever makes more, and all its other callers with it.
const AT_ONCE: usize = 64;
/// The most bytes of an error's body.
const EXPLANATION: usize = 16 << 10;
/// The most characters of it that are told.
const TOLD: usize = 300;

/// Which cluster, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClusterName {
    /// The kubeconfig; the usual ones, or the pod's service account, where none is named.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it; the current one where none is named.
    pub context: Option<String>,
}

/// A cluster that is asked time and again.
#[derive(Debug)]
pub struct Cluster {
    name: ClusterName,
    access: Mutex<Access>,
    /// What the credentials name as the namespace to be in, as they were read last.
    home: RwLock<String>,
    calls: Arc<Semaphore>,
}

/// The client that is used now, and how many there were before it.
#[derive(Default)]
struct Access {
    client: Option<Client>,
    generation: u64,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// Which namespaces are meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The one that the credentials name.
    Home,
    /// This one.
    Named(String),
    /// All of them.
    All,
}

impl From<Option<String>> for Scope {
    fn from(named: Option<String>) -> Self {
        named.map_or(Self::Home, Self::Named)
    }
}

/// Something in a namespace.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The API group and its version, such as `apps/v1`; `v1` alone is the oldest.
    pub group: &'static str,
    /// Where it is.
    pub scope: Scope,
    /// Kind, name and query, encoded.
    pub rest: String,
}

/// What the API is asked.
#[derive(Debug, Clone)]
pub struct Call {
    /// What is done.
    pub method: Method,
    /// To what.
    pub target: Resource,
    /// The body's type.
    pub content_type: &'static str,
    /// The body; empty: none.
    pub body: Bytes,
    /// The most bytes of the answer.
    pub most: usize,
    /// Becomes true just before the API may see the call.
    pub sent: Arc<AtomicBool>,
}

/// How the API explains an error.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    message: String,
    details: Details,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Details {
    retry_after_seconds: Option<u32>,
}

/// Whether a namespace may have this name.
#[must_use]
pub fn is_namespace(name: &str) -> bool {
    let taken = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= 63 && name.bytes().all(taken)
}

impl Call {
    /// Asks for what is there.
    #[must_use]
    pub fn get(target: Resource, most: usize) -> Self {
        Self::with_body(Method::GET, target, "", Bytes::new(), most)
    }

    /// Asks for something to be done.
    #[must_use]
    pub fn with_body(
        method: Method,
        target: Resource,
        content_type: &'static str,
        body: Bytes,
        most: usize,
    ) -> Self {
        Self { method, target, content_type, body, most, sent: Arc::default() }
    }
}

impl Resource {
    fn path(&self, home: &str) -> String {
        // The oldest group has no name, and a root of its own.
        let root = if self.group.contains('/') { "apis" } else { "api" };
        let within = match &self.scope {
            Scope::Home => format!("namespaces/{home}/"),
            Scope::Named(namespace) => format!("namespaces/{namespace}/"),
            Scope::All => String::new(),
        };
        format!("/{root}/{}/{within}{}", self.group, self.rest)
    }
}

impl Cluster {
    /// Nothing is read or opened yet.
    #[must_use]
    pub fn new(name: ClusterName) -> Self {
        let calls = Arc::new(Semaphore::new(AT_ONCE));
        Self { name, access: Mutex::default(), home: RwLock::default(), calls }
    }

    /// The namespace that is meant by `named`. Empty where nobody has asked the cluster yet who needed to know.
    #[must_use]
    pub fn namespace(&self, named: Option<&str>) -> String {
        let home = || self.home.read().unwrap_or_else(PoisonError::into_inner).clone();
        named.map_or_else(home, str::to_owned)
    }

    /// Makes the call, on the runtime: whoever asks may be on a thread that others wait for too. Dropping the future ends the call
    /// and closes its connection.
    ///
    /// # Errors
    /// When there is no answer, one of an error, or none that is a `T`.
    #[expect(clippy::disallowed_methods, reason = "the call owns the task, which ends with it")]
    pub async fn call<T: DeserializeOwned + Send + 'static>(
        self: &Arc<Self>,
        call: Call,
    ) -> Result<T, ApiError> {
        let cluster = Arc::clone(self);
        let calling = tokio::spawn(async move {
            // The semaphore is never closed.
            let _permit = cluster.calls.acquire().await;
            let answer = cluster.send(&call).await?;
            let body = read(answer, call.most).await?;
            serde_json::from_slice(&body).map_err(|error| ApiError::Malformed(error.to_string()))
        });
        let ended = AbortOnDropHandle::new(calling).await;
        ended.unwrap_or_else(|error| Err(ApiError::Broken(error.to_string())))
    }

    /// The lines of an answer that goes on and on. To be awaited on the runtime.
    pub(crate) async fn follow(&self, call: &Call) -> Result<Lines, ApiError> {
        let answer = self.send(call).await?;
        Ok(Lines::new(answer.into_body(), call.most))
    }

    /// The answer, if it is none of an error. A call that isn't let in is made once more with credentials read anew.
    async fn send(&self, call: &Call) -> Result<Response<Body>, ApiError> {
        let (client, generation) = self.client().await?;
        match sent(&client, call).await {
            Err(error) if error.status() == Some(StatusCode::UNAUTHORIZED) => {
                self.forget(generation).await;
                let (client, _) = self.client().await?;
                sent(&client, call).await
            }
            answer => answer,
        }
    }

    async fn client(&self) -> Result<(Client, u64), ApiError> {
        let mut access = self.access.lock().await;
        let client = match &access.client {
            Some(client) => client.clone(),
            None => {
                let client = access::client(&self.name).await?;
                client
                    .default_namespace()
                    .clone_into(&mut self.home.write().unwrap_or_else(PoisonError::into_inner));
                access.client.insert(client).clone()
            }
        };
        Ok((client, access.generation))
    }

    /// The client of that generation is of no more use.
    async fn forget(&self, generation: u64) {
        let mut access = self.access.lock().await;
        if access.generation == generation {
            *access = Access { client: None, generation: generation + 1 };
        }
    }
}

async fn sent(client: &Client, call: &Call) -> Result<Response<Body>, ApiError> {
    let request = Request::builder()
        .method(&call.method)
        .uri(call.target.path(client.default_namespace()))
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "application/json");
    let request =
        if call.body.is_empty() { request } else { request.header(CONTENT_TYPE, call.content_type) };
    let request =
        request.body(Body::from(call.body.clone())).map_err(|error| ApiError::Access(error.to_string()))?;
    call.sent.store(true, Ordering::Relaxed);
    let answer = client.send(request).await.map_err(|error| access::failed(&error))?;
    if answer.status().is_success() { Ok(answer) } else { Err(explained(answer).await) }
}

/// What the cluster says, as a log may hold it: cut, and without control characters.
#[must_use]
pub fn shown(text: &str) -> String {
    text.chars().take(TOLD).map(|character| if character.is_control() { ' ' } else { character }).collect()
}

async fn explained(answer: Response<Body>) -> ApiError {
    let status = answer.status();
    let header = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    // A page of explanations may be long, or never come; what counts is the status.
    let body = tokio::time::timeout(Duration::from_secs(1), read(answer, EXPLANATION)).await;
    let body = body.ok().and_then(Result::ok).unwrap_or_default();
    let said = serde_json::from_slice::<Status>(&body).unwrap_or_default();
    let seconds = header.or(said.details.retry_after_seconds);
    ApiError::Status {
        status,
        message: shown(&said.message),
        retry_after: seconds.map(|seconds| Duration::from_secs(seconds.into())),
    }
}

async fn read(answer: Response<Body>, most: usize) -> Result<Bytes, ApiError> {
    let collected = Limited::new(answer.into_body(), most).collect().await;
    let collected = collected.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
        Some(_) => ApiError::TooLong(most),
        None => ApiError::Broken(in_full(&*error)),
    })?;
    Ok(collected.to_bytes())
}
