//! What is asked of a Docker daemon: its version, lists, what a container is like, and word of what happens
//! (<https://docs.docker.com/reference/api/engine/>).
//!
//! What must stay true: an answer is read within a bound and a deadline; a question takes a connection of its own, which ends with it.
//! (That is why no library asks: those there are read an answer however long it is.)

use super::section::DockerEndpoint;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HOST, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::io;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;

/// How long an answer may take, connecting and all.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long events have been followed that don't end at once.
const STEADY: Duration = Duration::from_secs(10);
/// The version of the API that is spoken where the daemon speaks it: nothing that is read here has changed since.
const SPOKEN: Version = Version(1, 44);
/// The most bytes of the list of containers.
const LIST: usize = 32 << 20;
/// The most bytes that tell what a container is like.
const CONTAINER: usize = 4 << 20;
/// The most bytes of anything else.
const SHORT: usize = 64 << 10;
/// What happens to containers and networks that may change a route.
const EVENTS: &str = r#"{"type":["container","network"],"event":["start","stop","die","destroy","pause","unpause","rename","update","restart","health_status","connect","disconnect"]}"#;

/// Why the daemon can't be followed.
#[derive(Debug, Error)]
pub(crate) enum DaemonError {
    /// No connection.
    #[error("no connection to {endpoint}: {source}")]
    Connect {
        /// Where.
        endpoint: String,
        /// Why.
        source: io::Error,
    },
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// Nobody tells of events any more.
    #[error("its events have ended: {0}")]
    Ended(String),
    /// Nothing came in time.
    #[error("no answer within {PATIENCE:?}")]
    Silent,
    /// Nothing came in the time that somebody who was silent before still has.
    #[error("no answer within {0:?}")]
    Overdue(Duration),
    /// An answer that is an error.
    #[error("the daemon answers {status}: {message}")]
    Status {
        /// Its status.
        status: StatusCode,
        /// What it says.
        message: String,
    },
    /// More than it could have to say.
    #[error("an answer has more than {0} bytes")]
    TooLong(usize),
    /// Nothing that can be read.
    #[error("an answer makes no sense: {0}")]
    Malformed(#[from] serde_json::Error),
}

impl DaemonError {
    /// What may help.
    pub(crate) fn help(&self) -> Option<&'static str> {
        match self {
            Self::Connect { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("the edge's user has to be in the group of the socket, which is docker as a rule")
            }
            Self::Connect { source, .. } if source.kind() == io::ErrorKind::NotFound => Some(
                "is the daemon running, and is its socket mounted where the edge is in a container itself?",
            ),
            _ => None,
        }
    }
}

/// A version of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u16, u16);

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

/// What the daemon says of itself.
#[derive(Debug, Deserialize)]
struct About {
    #[serde(rename = "ApiVersion")]
    newest: String,
    #[serde(rename = "MinAPIVersion", default)]
    oldest: String,
}

impl About {
    /// The version to speak: the one that is known here, as far as the daemon goes along.
    fn spoken(&self) -> Version {
        let newest = Version::parse(&self.newest).unwrap_or(SPOKEN);
        let oldest = Version::parse(&self.oldest).unwrap_or(Version(0, 0));
        SPOKEN.min(newest).max(oldest)
    }
}

/// A container in the list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Listed {
    pub(crate) id: String,
    #[serde(default)]
    names: Option<Vec<String>>,
    /// When it was made, in seconds of Unix.
    #[serde(default)]
    pub(crate) created: i64,
}

impl Listed {
    /// Its name, or its identifier where it has none.
    pub(crate) fn name(&self) -> &str {
        // Others have a slash more, and are what linked containers call it.
        let names = self.names.iter().flatten().filter_map(|name| name.strip_prefix('/'));
        names.into_iter().find(|name| !name.contains('/')).unwrap_or(&self.id)
    }
}

/// A daemon that is asked.
#[derive(Debug)]
pub(crate) struct Daemon<'a> {
    endpoint: &'a DockerEndpoint,
    version: Version,
}

/// An answer that has begun, and the connection that it comes by.
struct Answer {
    response: Response<Incoming>,
    connection: AbortOnDropHandle<()>,
}

impl<'a> Daemon<'a> {
    /// Asks which version is to be spoken.
    pub(crate) async fn meet(endpoint: &'a DockerEndpoint) -> Result<Self, DaemonError> {
        let about: About = read(within(ask(endpoint, "/version")).await?, SHORT).await?;
        Ok(Self { endpoint, version: about.spoken() })
    }

    /// The containers with this label that run, or are about to again.
    pub(crate) async fn containers(&self, label: &str) -> Result<Vec<Listed>, DaemonError> {
        let filters = serde_json::json!({ "label": [label], "status": ["running", "paused", "restarting"] })
            .to_string();
        self.get("/containers/json", &[("all", "true"), ("filters", &filters)], LIST).await
    }

    /// What a container is like; `None` when it is gone.
    pub(crate) async fn container<T: DeserializeOwned>(&self, id: &str) -> Result<Option<T>, DaemonError> {
        let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
        match self.get(&format!("/containers/{id}/json"), &[], CONTAINER).await {
            Err(DaemonError::Status { status: StatusCode::NOT_FOUND, .. }) => Ok(None),
            found => found.map(Some),
        }
    }

    /// Word of what happens from now on.
    pub(crate) async fn events(&self) -> Result<Events, DaemonError> {
        let answer = within(ask(self.endpoint, &self.path("/events", &[("filters", EVENTS)]))).await?;
        let Answer { response, connection } = good(answer).await?;
        Ok(Events {
            body: response.into_body(),
            began: Instant::now(),
            heard: false,
            _connection: connection,
        })
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        most: usize,
    ) -> Result<T, DaemonError> {
        let answer = within(ask(self.endpoint, &self.path(path, parameters))).await?;
        read(answer, most).await
    }

    fn path(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let Version(major, minor) = self.version;
        format!("/v{major}.{minor}{path}?{query}")
    }
}

/// Word of what happens.
pub(crate) struct Events {
    body: Incoming,
    began: Instant,
    heard: bool,
    _connection: AbortOnDropHandle<()>,
}

impl Events {
    /// Waits for word, whatever it says. May be dropped before.
    pub(crate) async fn next(&mut self) -> Result<(), DaemonError> {
        match self.body.frame().await {
            Some(Ok(frame)) => {
                // Each event ends with its line: half of one is the end of them all.
                self.heard |= frame.data_ref().is_some_and(|data| data.contains(&b'\n'));
                Ok(())
            }
            Some(Err(error)) => Err(DaemonError::Ended(error.to_string())),
            None => Err(DaemonError::Ended("the daemon has closed them".to_owned())),
        }
    }

    /// Whether they can be relied on: there was word, or they have been followed for a while.
    pub(crate) fn are_steady(&self) -> bool {
        self.heard || self.began.elapsed() >= STEADY
    }
}

async fn within<T>(answer: impl Future<Output = Result<T, DaemonError>>) -> Result<T, DaemonError> {
    timeout(PATIENCE, answer).await.unwrap_or(Err(DaemonError::Silent))
}

async fn ask(endpoint: &DockerEndpoint, path: &str) -> Result<Answer, DaemonError> {
    let unreachable = |source| DaemonError::Connect { endpoint: endpoint.to_string(), source };
    match endpoint {
        #[cfg(unix)]
        DockerEndpoint::Unix(socket) => {
            let stream = tokio::net::UnixStream::connect(socket).await.map_err(unreachable)?;
            asked(stream, "docker", path).await
        }
        #[cfg(not(unix))]
        DockerEndpoint::Unix(_) => Err(unreachable(io::ErrorKind::Unsupported.into())),
        DockerEndpoint::Tcp(authority) => {
            let stream = TcpStream::connect(authority.as_str()).await.map_err(unreachable)?;
            asked(stream, authority, path).await
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the answer owns the task, which ends with it")]
async fn asked<S>(stream: S, host: &str, path: &str) -> Result<Answer, DaemonError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let broken = |error: hyper::Error| DaemonError::Broken(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // What breaks it shows where the answer is read.
    let connection = AbortOnDropHandle::new(tokio::spawn(async move { drop(connection.await) }));
    let request = Request::get(path)
        .header(HOST, host)
        .header(USER_AGENT, concat!("Drawbridge/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .map_err(|error| DaemonError::Broken(error.to_string()))?;
    let response = sender.send_request(request).await.map_err(broken)?;
    Ok(Answer { response, connection })
}

/// An answer that is none of an error.
async fn good(answer: Answer) -> Result<Answer, DaemonError> {
    let status = answer.response.status();
    if status.is_success() {
        return Ok(answer);
    }
    #[derive(Deserialize)]
    struct Explained {
        message: String,
    }
    let body = within(body(answer, SHORT)).await.unwrap_or_default();
    let said = serde_json::from_slice::<Explained>(&body).map(|explained| explained.message);
    let message = crate::labels::shown(&said.unwrap_or_default());
    Err(DaemonError::Status { status, message })
}

async fn read<T: DeserializeOwned>(answer: Answer, most: usize) -> Result<T, DaemonError> {
    let body = within(body(good(answer).await?, most)).await?;
    Ok(serde_json::from_slice(&body)?)
}

async fn body(answer: Answer, most: usize) -> Result<Bytes, DaemonError> {
    let Answer { response, connection } = answer;
    let collected = Limited::new(response.into_body(), most).collect().await;
    drop(connection);
    let collected = collected.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
        Some(_) => DaemonError::TooLong(most),
        None => DaemonError::Broken(error.to_string()),
    })?;
    Ok(collected.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn daemons_are_spoken_to_in_a_version_that_they_take() {
        for (newest, oldest, spoken) in [
            ("1.41", "1.12", Version(1, 41)),
            ("1.44", "1.24", Version(1, 44)),
            ("1.52", "1.44", Version(1, 44)),
            ("1.60", "1.50", Version(1, 50)),
            ("1.40", "", Version(1, 40)),
            ("nonsense", "", SPOKEN),
        ] {
            let about = About { newest: newest.to_owned(), oldest: oldest.to_owned() };
            assert_eq!(about.spoken(), spoken, "{newest}, {oldest}");
        }
    }
}
