//! Status `relay`: what the target itself shows. It is asked once for many, by [`Cached`](super::Cached).
//!
//! What must stay true: whatever a target sends is bounded, and waited for no longer than `timeout`; a ping for the list never makes a
//! discovery find somebody a target.

use super::cached::shown_to_class;
use super::document::{DocumentError, read_own};
use super::favicon::Favicon;
use super::states::{OnStatusError, StateSection};
use crate::setting::{RelayHost, Text};
use async_trait::async_trait;
use drawbridge_config::{Fields, Located, section};
use drawbridge_model::status::Players;
use drawbridge_model::{
    AdapterError, Client, DiscoveryAdapter, Status, StatusAdapter, StatusDocument, Target, TargetAddress,
};
use drawbridge_net::proxy_protocol;
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::status::{MAX_STATUS, StatusRequest, StatusResponse};
use drawbridge_protocol::stream::{Inbound, Outbound};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The most bytes of an answer: 32,767 characters of four bytes.
const ANSWER: usize = 4 * 32_767 + 16;
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
    offline: Arc<StatusDocument>,
}

/// How targets are spoken to.
#[derive(Debug, Clone, Default)]
pub struct Greeting {
    /// They want a PROXY protocol header first.
    pub proxy_protocol: Option<proxy_protocol::Version>,
    /// The host that they are asked for.
    pub host: RelayHost,
}

/// Why a target has no status.
#[derive(Debug, thiserror::Error)]
enum NoStatus {
    #[error(transparent)]
    Connection(#[from] io::Error),
    #[error("no answer within {0:?}")]
    Late(Duration),
    #[error("it closed the connection")]
    Closed,
    #[error("its answer isn't the protocol")]
    Protocol,
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl NoStatus {
    /// Nobody listens there.
    fn is_offline(&self) -> bool {
        matches!(self, Self::Connection(error) if error.kind() == io::ErrorKind::ConnectionRefused)
    }
}

impl Relayed {
    /// Asks the targets of `discovery`; who is asked often is for [`Cached`](super::Cached) before it.
    #[must_use]
    pub fn new(
        section: &RelayedStatusSection,
        discovery: Arc<dyn DiscoveryAdapter>,
        greeting: Greeting,
    ) -> Self {
        let offline = Arc::new(section.states.offline.document());
        Self { section: section.clone(), discovery, greeting, offline }
    }

    /// The status of the first target that has one.
    async fn first(&self, targets: Vec<Target>, client: &Client) -> Result<Option<Status>, AdapterError> {
        let mut trouble = None;
        let mut all_offline = true;
        for target in targets {
            match self.of(target.address.clone(), client).await {
                Ok(status) => return Ok(Some(status)),
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
    async fn all(&self, targets: Vec<Target>, client: &Client) -> Result<Option<Status>, AdapterError> {
        let mut asking = JoinSet::new();
        for (index, target) in targets.into_iter().take(SUMMED).enumerate() {
            let asked = self.of(target.address, client);
            asking.spawn(async move { (index, asked.await) });
        }
        let mut answers = asking.join_all().await;
        answers.sort_by_key(|(index, _)| *index);
        let offline = answers.iter().all(|(_, answer)| answer.as_ref().is_err_and(NoStatus::is_offline));
        let mut statuses = answers.into_iter().filter_map(|(_, answer)| answer.ok());
        let Some(mut first) = statuses.next() else {
            let silent = || AdapterError::Unreachable("no target answers".to_owned());
            return if offline { Ok(None) } else { Err(silent()) };
        };
        for other in statuses.filter_map(|status| status.players) {
            let players = first.players.get_or_insert(Players { online: 0, max: 0, sample: Vec::new() });
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
    ) -> impl Future<Output = Result<Status, NoStatus>> + Send + use<> {
        let (version, host, port) = (client.version, client.host.clone(), client.port);
        let handshake = Handshake { version, host, port, intent: Intent::Status };
        let asked = ask(target, handshake, self.greeting.clone());
        let within = self.section.timeout;
        async move {
            let body = timeout(within, asked).await.map_err(|_| NoStatus::Late(within))??;
            own(&body, version)
        }
    }

    /// With what is set in place of the target's own.
    fn overridden(&self, mut status: Status) -> Result<StatusDocument, AdapterError> {
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
        let document = StatusDocument::new(status);
        match document.size() {
            size if size > MAX_STATUS => {
                let error = format!("with what is set it has {size} bytes, and clients take {MAX_STATUS}");
                Err(AdapterError::Answer(error))
            }
            _ => Ok(document),
        }
    }
}

/// Reads a target's answer for clients of this version, and those who share it.
fn own(body: &str, version: drawbridge_protocol::ProtocolVersion) -> Result<Status, NoStatus> {
    let reading = read_own(body.as_bytes(), |status| {
        status.protocol = shown_to_class(status.protocol.preferred, version);
    })?;
    Ok(reading.document.status().clone())
}

/// Asks a target for its status document.
async fn ask(
    target: TargetAddress,
    mut handshake: Handshake,
    greeting: Greeting,
) -> Result<String, NoStatus> {
    let mut stream = TcpStream::connect((target.host.as_str(), target.port)).await?;
    stream.set_nodelay(true)?;
    match greeting.host {
        RelayHost::Keep => {}
        RelayHost::Target => (handshake.host, handshake.port) = (target.host, target.port),
        RelayHost::Fixed(host) => handshake.host = host,
    }
    let mut bytes = greeting.proxy_protocol.map(proxy_protocol::own_header).unwrap_or_default();
    let (version, mut outbound) = (handshake.version, Outbound::new());
    // Both packets are the same in all versions.
    let written = outbound.write(version, &handshake, &mut bytes);
    written
        .and_then(|()| outbound.write(version, &StatusRequest {}, &mut bytes))
        .map_err(|_| NoStatus::Protocol)?;
    stream.write_all(&bytes).await?;
    let mut inbound = Inbound::new(ANSWER);
    let mut buffer = vec![0; 8 * 1024];
    loop {
        if let Some(packet) = inbound.next_packet().map_err(|_| NoStatus::Protocol)? {
            let response: StatusResponse = packet.read(version).map_err(|_| NoStatus::Protocol)?;
            return Ok(response.document);
        }
        match stream.read(&mut buffer).await? {
            0 => return Err(NoStatus::Closed),
            read => inbound.feed(&buffer[..read]),
        }
    }
}

#[async_trait]
impl StatusAdapter for Relayed {
    async fn status(&self, client: &Client) -> Result<Option<Arc<StatusDocument>>, AdapterError> {
        let targets = self.discovery.shared_targets(client).await?;
        let status = if self.section.sum {
            self.all(targets, client).await?
        } else {
            self.first(targets, client).await?
        };
        let Some(status) = status else { return Ok(Some(Arc::clone(&self.offline))) };
        Ok(Some(Arc::new(self.overridden(status)?)))
    }
}
