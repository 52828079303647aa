//! Status `http`: a document that is asked for in the background, however many look at the list.
//!
//! Worked example with `refresh = "30s"`: an answer at 0 s is shown until the next at 30 s. That one fails: about 1 s later it is
//! asked again, then after about 2, 4, 8, 16 and from then on 30 s, each a quarter more or less by chance. Meanwhile the last
//! answer is shown, or the text of the state.
//!
//! What must stay true: a ping never waits for anybody; an answer is read within a bound, inflated or not.

use super::header::{HeaderText, Headers};
use crate::error::HttpError;
use crate::http::Http;
use crate::location::Location;
use crate::tls::Tls;
use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use drawbridge_adapter::background::{Background, Running};
use drawbridge_adapter::backoff;
use drawbridge_adapter::status::{DocumentError, FieldsSection, Reading};
use drawbridge_adapter::status::{OnStatusError, StatesSection};
use drawbridge_config::{Fields, section};
use drawbridge_model::{AdapterError, Client, StatusAdapter, StatusDocument};
use drawbridge_telemetry::in_full;
use reqwest::header::{
    ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER,
};
use reqwest::{Response, StatusCode};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use thiserror::Error;
use tokio::time::{sleep, timeout};

/// The most bytes of an answer, inflated. Clients take half of that.
const LARGEST: usize = 64 * 1024;
/// The shortest time between two questions.
const SHORTEST: Duration = Duration::from_secs(1);

section! {
    /// A status from a URL.
    #[check(HttpStatusSection::check)]
    pub struct HttpStatusSection {
        /// What is asked: a status as servers send it, or any JSON document with `fields`.
        pub url: Location,
        /// How often; `1s` at least.
        pub refresh: Duration = Duration::from_secs(30),
        /// How long an answer may take.
        pub timeout: Duration = Duration::from_secs(2),
        /// What is sent along: texts, or `{ file = "…" }` and `{ env = "…" }` for secrets.
        pub headers: BTreeMap<String, HeaderText> = BTreeMap::new(),
        /// Where the parts of the status are.
        pub fields: FieldsSection,
        /// What is shown while no answer comes.
        pub on_error: OnStatusError = OnStatusError::Stale,
        /// Texts for that.
        pub states: StatesSection,
    }
}

impl HttpStatusSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.refresh < SHORTEST {
            fields.error("refresh", "a status is asked for once a second at most");
        }
        if self.timeout.is_zero() {
            fields.error("timeout", "nobody answers in no time");
        }
        if let Err(mistake) = Headers::of(&self.headers) {
            fields.error("headers", mistake);
        }
    }
}

/// Shows what is at a URL.
#[derive(Debug)]
pub struct Polled {
    page: Arc<Page>,
    on_error: OnStatusError,
    unreachable: Arc<StatusDocument>,
}

impl Polled {
    /// As the section says. The page is asked for from now on, as soon as `http` has a runtime.
    #[must_use]
    pub fn new(section: &HttpStatusSection, http: &Http) -> Self {
        // A name that can't be sent has been reported with the section.
        let headers = Headers::of(&section.headers).unwrap_or(Headers(HeaderMap::new()));
        let question = Question {
            url: section.url.clone(),
            headers,
            fields: section.fields.clone(),
            refresh: section.refresh,
            timeout: section.timeout,
        };
        let unreachable = Arc::new(section.states.unreachable.document());
        Self { page: http.page(&question), on_error: section.on_error, unreachable }
    }
}

#[async_trait]
impl StatusAdapter for Polled {
    async fn status(&self, _: &Client) -> Result<Option<Arc<StatusDocument>>, AdapterError> {
        let kept = &self.page.kept;
        let shown = self.on_error == OnStatusError::Stale || !kept.failing.load(Ordering::Relaxed);
        let document = kept.document.load_full().filter(|_| shown);
        Ok(Some(document.unwrap_or_else(|| Arc::clone(&self.unreachable))))
    }
}

/// What is asked, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    url: Location,
    headers: Headers,
    fields: FieldsSection,
    refresh: Duration,
    timeout: Duration,
}

/// A page that is asked for time and again while somebody keeps this.
#[derive(Debug)]
pub(crate) struct Page {
    kept: Arc<Kept>,
    _running: Running,
}

/// What has come of it.
#[derive(Debug, Default)]
struct Kept {
    document: ArcSwapOption<StatusDocument>,
    /// Whether the last question brought nothing.
    failing: AtomicBool,
}

/// Why there is no answer.
#[derive(Debug, Error)]
enum PollError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("{0}")]
    Request(String),
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    #[error("it answers {status} (redirects aren't followed)")]
    Status { status: StatusCode, retry_after: Option<Duration> },
    #[error("the answer has more than {LARGEST} bytes")]
    TooLarge,
    #[error("the answer is no status: {0}")]
    Document(#[from] DocumentError),
}

impl From<reqwest::Error> for PollError {
    fn from(error: reqwest::Error) -> Self {
        // Its query may hold what isn't for the log.
        Self::Request(in_full(&error.without_url()))
    }
}

impl Page {
    pub(crate) fn new(question: Question, tls: Arc<Tls>, background: &Background) -> Self {
        let kept = Arc::<Kept>::default();
        let poll = Poll::new(question, tls, Arc::clone(&kept));
        Self { kept, _running: background.run(poll.go_on()) }
    }
}

/// The work of asking.
struct Poll {
    question: Question,
    tls: Arc<Tls>,
    kept: Arc<Kept>,
    /// Its connections end with the work.
    client: Option<reqwest::Client>,
    /// What says whether the document is another by now.
    validators: HeaderMap,
    /// Why the document's favicon isn't shown.
    no_favicon: Option<String>,
}

impl Poll {
    fn new(question: Question, tls: Arc<Tls>, kept: Arc<Kept>) -> Self {
        Self { question, tls, kept, client: None, validators: HeaderMap::new(), no_favicon: None }
    }

    async fn go_on(mut self) {
        let mut failures = 0;
        loop {
            let asked = timeout(self.question.timeout, self.ask()).await;
            let outcome = asked.unwrap_or(Err(PollError::TimedOut(self.question.timeout)));
            let failed = outcome.is_err();
            let wait = match outcome {
                Ok(()) => self.question.refresh,
                Err(error) => {
                    let wait = wait(failures, self.question.refresh, backoff::chance());
                    let wait = wait.max(error.retry_after());
                    self.tell(&error, failures, wait);
                    wait
                }
            };
            if failures > 0 && !failed {
                tracing::info!(url = %self.question.url.without_query(), failures, "the status is there again");
            }
            failures = if failed { failures.saturating_add(1) } else { 0 };
            self.kept.failing.store(failed, Ordering::Relaxed);
            sleep(wait).await;
        }
    }

    /// One line for an outage; what follows is for those who look closer.
    fn tell(&self, error: &PollError, failures: u32, again_in: Duration) {
        let url = self.question.url.without_query();
        if failures == 0 {
            tracing::warn!(%url, %error, ?again_in, "the status can't be had");
        } else {
            tracing::debug!(%url, %error, ?again_in, failures, "the status still can't be had");
        }
    }

    async fn ask(&mut self) -> Result<(), PollError> {
        let client = match &self.client {
            Some(client) => client.clone(),
            None => self.client.insert(client(&self.question.url, &self.tls).await?).clone(),
        };
        let request = client.get(self.question.url.to_string()).headers(self.question.headers.0.clone());
        let response = request.headers(self.validators.clone()).send().await?;
        match response.status() {
            StatusCode::NOT_MODIFIED if !self.validators.is_empty() => return Ok(()),
            StatusCode::OK => {}
            status => {
                let retry_after = response.headers().get(RETRY_AFTER);
                let retry_after = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
                return Err(PollError::Status { status, retry_after: retry_after.map(Duration::from_secs) });
            }
        }
        let validators = validators(response.headers());
        let body = body(response).await?;
        let Reading { document, no_favicon } = self.question.fields.read(&body)?;
        let no_favicon = no_favicon.map(|error| error.to_string());
        if let Some(error) = no_favicon.as_ref().filter(|_| no_favicon != self.no_favicon) {
            let url = self.question.url.without_query();
            tracing::warn!(%url, error, "the status is shown without its favicon");
        }
        self.no_favicon = no_favicon;
        self.kept.document.store(Some(Arc::new(document)));
        self.validators = validators;
        Ok(())
    }
}

impl PollError {
    /// How long the server wants to be left alone.
    fn retry_after(&self) -> Duration {
        match self {
            Self::Status { retry_after: Some(asked), .. } => (*asked).min(backoff::LONGEST),
            _ => Duration::ZERO,
        }
    }
}

/// Proxies are the environment's; for plain HTTP no root certificates are needed.
async fn client(url: &Location, tls: &Tls) -> Result<reqwest::Client, PollError> {
    let config = match tls.config().await {
        Ok(config) => (*config).clone(),
        Err(_) if !url.https => Tls::trusting_nobody()?,
        Err(error) => return Err(error.into()),
    };
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(crate::client::AGENT);
    Ok(client.build()?)
}

/// What the next question is to say of the answer that this one brought.
fn validators(answer: &HeaderMap) -> HeaderMap {
    let mut validators = HeaderMap::new();
    for (from, to) in [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)] {
        if let Some(value) = answer.get(from) {
            validators.insert(to, HeaderValue::clone(value));
        }
    }
    validators
}

/// The body, inflated piece by piece, so that a small one that is large inside is never held whole.
async fn body(mut response: Response) -> Result<Vec<u8>, PollError> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if body.len() + piece.len() > LARGEST {
            return Err(PollError::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// Twice as long after each failure, up to `refresh`.
fn wait(failures: u32, refresh: Duration, chance: u8) -> Duration {
    backoff::spread(backoff::doubled(SHORTEST, failures, refresh), chance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::encrypted;

    async fn asked(url: &str, tls: Tls) -> Result<String, String> {
        let (refresh, timeout) = (Duration::from_secs(30), Duration::from_secs(2));
        let (url, headers) = (url.parse().unwrap(), Headers(HeaderMap::new()));
        let question = Question { url, headers, fields: FieldsSection::default(), refresh, timeout };
        let kept = Arc::<Kept>::default();
        let mut poll = Poll::new(question, Arc::new(tls), Arc::clone(&kept));
        poll.ask().await.map_err(|error| error.to_string())?;
        Ok(kept.document.load_full().unwrap().status().description.to_plain())
    }

    #[tokio::test]
    async fn encrypted_pages_are_asked_for_when_they_are_trusted() {
        let (url, client) = encrypted(r#"{"description":"there"}"#);
        assert_eq!(asked(&url, Tls::of(client)).await.unwrap(), "there");
        // One that trusts another server of that name.
        let (_, stranger) = encrypted("");
        let error = asked(&format!("{url}/?secret"), Tls::of(stranger)).await.unwrap_err();
        assert!(error.contains("certificate") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn the_worked_example_holds() {
        let refresh = Duration::from_secs(30);
        for (failures, expected) in [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 30), (6, 30), (40, 30)] {
            assert_eq!(wait(failures, refresh, 128), Duration::from_secs(expected));
            let (least, most) = (wait(failures, refresh, 0), wait(failures, refresh, 255));
            assert!(
                least * 4 == Duration::from_secs(expected) * 3
                    && most < Duration::from_secs(expected) * 5 / 4
            );
        }
    }
}
