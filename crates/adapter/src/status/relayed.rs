//! Status `relay`: what the target itself shows. It is asked once for many, by [`Cached`](super::Cached).
//!
//! What must stay true: whatever a target sends is bounded, and waited for no longer than `timeout`; a ping for the list never makes a
//! discovery find somebody a target.

use super::cached::shown_to_class;
use super::document::read_own;
use super::favicon::Favicon;
use super::question::{Answer, Greeting, NoStatus, Question};
use super::states::{OnStatusError, StateSection};
use crate::health::{Health, RouteHealth};
use crate::setting::Text;
use async_trait::async_trait;
use drawbridge_config::{Fields, Located, keywords, section};
use drawbridge_model::status::Players;
use drawbridge_model::{
    AdapterError, Client, DiscoveryAdapter, Status, StatusAdapter, StatusDocument, Target, TargetAddress,
};
use drawbridge_protocol::ProtocolVersion;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The most targets of which the players are summed up.
const SUMMED: usize = 64;

section! {
    /// The target's own status, with what is set here in place of its own.
    #[defaults]
    #[check(RelayedStatusSection::check)]
    pub struct RelayedStatusSection {
        /// How long an answer is shown to all who typed the same host with the same version.
        pub cache: Duration = Duration::from_secs(5),
        /// How long a target may take to answer.
        pub timeout: Duration = Duration::from_secs(2),
        /// How long a ping waits for the first answer.
        pub patience: Duration = Duration::from_secs(1),
        /// To where the list's bars are measured.
        pub ping: Ping = Ping::Edge,
        /// Whether the players of all targets are summed up, instead of those of the first that answers.
        pub sum: bool = false,
        /// The version text.
        pub name: Option<String>,
        /// The two lines.
        pub description: Option<Text>,
        /// A 64×64 PNG: a file, or a `data:` URI.
        pub favicon: Option<Located<Favicon>>,
        /// How many may play.
        pub max: Option<u32>,
        /// What is shown while no target answers.
        pub on_error: OnStatusError = OnStatusError::Stale,
        /// Texts for what isn't there to be shown.
        pub states: RelayedStatesSection,
    }
}

section! {
    /// Texts for what isn't there to be shown.
    #[defaults]
    pub struct RelayedStatesSection {
        /// While targets refuse connections: they don't run.
        pub offline: StateSection = StateSection::plain("offline", "The server is offline"),
        /// While they give no answer.
        pub unreachable: StateSection,
    }
}

keywords! {
    /// To where the list's bars are measured.
    pub enum Ping {
        /// To the edge, which answers at once.
        "edge" => Edge,
        /// To the target: the edge answers as much later as the target took for its own ping when it was asked last. Legacy clients
        /// measure to the edge.
        "target" => Target,
    }
}

impl RelayedStatusSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if matches!(self.favicon.as_deref(), Some(Favicon::Url(_))) {
            fields.error("favicon", "expected a file or a data: URI");
        }
        if self.max.is_some_and(|max| i32::try_from(max).is_err()) {
            fields.error("max", format!("clients count to {} only", i32::MAX));
        }
    }
}

/// Asks targets for their status.
#[derive(Debug)]
pub struct Relayed {
    section: RelayedStatusSection,
    discovery: Arc<dyn DiscoveryAdapter>,
    greeting: Greeting,
    /// How targets are to players.
    health: RouteHealth,
    /// How they are when they are asked for their status.
    asked: RouteHealth,
    offline: Arc<StatusDocument>,
}

/// What a target shows.
struct Shown {
    status: Status,
    /// How long it took for a ping, if it was asked.
    took: Option<Duration>,
}

impl Relayed {
    /// Asks the targets of `discovery`; who is asked often is for [`Cached`](super::Cached) before it.
    #[must_use]
    pub fn new(
        section: &RelayedStatusSection,
        discovery: Arc<dyn DiscoveryAdapter>,
        greeting: Greeting,
        health: &RouteHealth,
    ) -> Self {
        let offline = Arc::new(section.states.offline.document());
        let (section, health, asked) = (section.clone(), health.clone(), Health::default().of_route(""));
        Self { section, discovery, greeting, health, asked, offline }
    }

    /// The status of the first target that has one.
    async fn first(&self, targets: Vec<Target>, client: &Client) -> Result<Option<Shown>, AdapterError> {
        let mut trouble = None;
        let mut all_offline = true;
        for target in targets {
            match self.of(target.address.clone(), client).await {
                Ok(shown) => return Ok(Some(shown)),
                Err(error) => {
                    all_offline &= error.is_offline();
                    trouble.get_or_insert(format!("{}: {error}", target.address));
                }
            }
        }
        match trouble {
            Some(trouble) if !all_offline => Err(AdapterError::Unreachable(trouble)),
            _ => Ok(None),
        }
    }

    /// The status of the first target that has one, with the players of all.
    async fn all(&self, targets: Vec<Target>, client: &Client) -> Result<Option<Shown>, AdapterError> {
        let mut asking = JoinSet::new();
        for (index, target) in targets.into_iter().take(SUMMED).enumerate() {
            let asked = self.of(target.address, client);
            asking.spawn(async move { (index, asked.await) });
        }
        let mut answers = asking.join_all().await;
        answers.sort_by_key(|(index, _)| *index);
        let offline = answers.iter().all(|(_, answer)| answer.as_ref().is_err_and(NoStatus::is_offline));
        let mut shown = answers.into_iter().filter_map(|(_, answer)| answer.ok());
        let Some(mut first) = shown.next() else {
            let silent = || AdapterError::Unreachable("no target answers".to_owned());
            return if offline { Ok(None) } else { Err(silent()) };
        };
        for other in shown.filter_map(|shown| shown.status.players) {
            let players =
                first.status.players.get_or_insert(Players { online: 0, max: 0, sample: Vec::new() });
            // Clients count no further.
            let most = i32::MAX.unsigned_abs();
            players.online = players.online.saturating_add(other.online).min(most);
            players.max = players.max.saturating_add(other.max).min(most);
        }
        Ok(Some(first))
    }

    /// The status of one target, in its time.
    fn of(
        &self,
        target: TargetAddress,
        client: &Client,
    ) -> impl Future<Output = Result<Shown, NoStatus>> + Send + use<> {
        let question = Question {
            version: client.version,
            host: client.host.clone(),
            port: client.port,
            ping: self.section.ping == Ping::Target,
        };
        let (greeting, health, within) = (self.greeting.clone(), self.asked.clone(), self.section.timeout);
        async move {
            let asked = timeout(within, question.ask(&target, &greeting)).await;
            let answer = asked.unwrap_or(Err(NoStatus::Late(within)));
            match &answer {
                Ok(_) => health.answered(&target),
                Err(error) if error.is_targets_fault() => {
                    let _ = health.failed(&target, Instant::now());
                }
                Err(_) => {}
            }
            let Answer { document, took } = answer?;
            Ok(Shown { status: own(&document, question.version)?, took })
        }
    }

    /// With what is set in place of the target's own.
    fn overridden(&self, Shown { mut status, took }: Shown) -> Result<StatusDocument, AdapterError> {
        let RelayedStatusSection { name, description, favicon, max, .. } = &self.section;
        if let Some(name) = name {
            status.version_name.clone_from(name);
        }
        if let Some(description) = description {
            status.description = (**description).clone();
        }
        if let Some(Favicon::Picture(uri)) = favicon.as_deref() {
            status.favicon = Some(uri.clone());
        }
        if let (Some(players), Some(max)) = (&mut status.players, max) {
            players.max = *max;
        }
        let document = StatusDocument::fitting(status);
        let document = document.map_err(|error| AdapterError::Answer(format!("with what is set {error}")))?;
        Ok(document.with_pong_after(took.unwrap_or_default()))
    }
}

/// Reads a target's answer for clients of this version, and those who share it.
fn own(body: &str, version: ProtocolVersion) -> Result<Status, NoStatus> {
    let reading = read_own(body.as_bytes(), |status| {
        status.protocol = shown_to_class(status.protocol.preferred, version);
    })?;
    Ok(reading.document.status().clone())
}

#[async_trait]
impl StatusAdapter for Relayed {
    async fn status(&self, client: &Client) -> Result<Option<Arc<StatusDocument>>, AdapterError> {
        let targets = self.discovery.shared_targets(client).await?;
        // Who hangs is asked last, or a few of them would hide one that answers.
        let targets = self.asked.last(targets, |target| &target.address);
        let targets = self.health.last(targets, |target| &target.address).collect();
        let shown = if self.section.sum {
            self.all(targets, client).await?
        } else {
            self.first(targets, client).await?
        };
        let Some(shown) = shown else { return Ok(Some(Arc::clone(&self.offline))) };
        Ok(Some(Arc::new(self.overridden(shown)?)))
    }
}
