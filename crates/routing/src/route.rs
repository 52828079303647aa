//! A route: these hosts, this mode, these adapters.

use crate::adapters::Services;
use crate::maintenance::Maintenance;
use crate::placement::Placement;
use crate::section::{Delivery, LimboKind, Mode, RelaySection, RouteSection};
use crate::session::Session;
use crate::transfer::Transfer;
use drawbridge_adapter::background::Running;
use drawbridge_adapter::health::RouteHealth;
use drawbridge_limbo::World;
use drawbridge_model::{
    AdapterError, AuthenticationAdapter, Client, Identity, LocalizationAdapter, Refused, StatusAdapter,
    Target,
};
use drawbridge_net::{AddressRules, Crowds};
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::version::{RELEASES, Release, VersionRange};
use drawbridge_telemetry::Seldom;
use regex::Regex;
use std::sync::Arc;

/// A route that is ready to be used.
#[derive(Debug)]
pub struct Route {
    /// Names it in logs.
    pub name: String,
    /// The hosts that belong to it, as written.
    pub hosts: Vec<String>,
    /// How its players reach the target.
    pub mode: Mode,
    /// The addresses that may join.
    pub access: AddressRules,
    /// What the server list shows.
    pub status: Arc<dyn StatusAdapter>,
    /// Who decides who a player is.
    pub authentication: Arc<dyn AuthenticationAdapter>,
    /// The words that players read.
    pub localization: Arc<dyn LocalizationAdapter>,
    /// How players are handed over.
    pub transfer: Transfer,
    /// How connections are relayed.
    pub relay: RelaySection,
    /// How players are carried by sessions.
    pub session: Session,
    /// The most players at once.
    pub max_players: Option<u32>,
    /// What is shown and said while it is being worked on.
    pub maintenance: Maintenance,
    /// The players carried to each target, of all routes, by its address.
    pub carried: Crowds,
    /// How targets are.
    pub health: RouteHealth,
    /// How often the log says that nobody can be authenticated.
    pub unauthenticated: Seldom,
    /// How often it says that a profile is too large for a cookie.
    pub too_large: Seldom,
    /// How often it says that a target has no address for players.
    pub unaddressed: Seldom,
    /// How often it says that there is no status to show.
    pub without_status: Seldom,
    placement: Placement,
    versions: Option<VersionRange>,
    names: Regex,
    _checks: Option<Running>,
}

impl Route {
    /// As the section says, which has been read without mistakes.
    pub(crate) fn new(section: &RouteSection, services: &Services) -> Self {
        let placement = section.placement(services);
        let health = services.health().of_route(&section.name);
        let checks = section.checks(&placement.discovery, &health);
        let status =
            section.status().build(services, section.post(), &placement.discovery, section.greeting());
        Self {
            name: section.name.to_string(),
            hosts: section.hosts.iter().map(|host| host.to_string()).collect(),
            mode: section.mode,
            access: AddressRules::from(&section.access),
            status,
            authentication: section.authentication.build(services, section.post()),
            localization: section.localization.build(services, section.post()),
            transfer: section.transfer.build(),
            relay: section.relay.clone(),
            session: section.session.build(),
            max_players: section.max_players,
            maintenance: Maintenance::new(section.maintenance.as_ref(), section.status().picture()),
            carried: services.carried().clone(),
            unauthenticated: Seldom::default(),
            too_large: Seldom::default(),
            unaddressed: Seldom::default(),
            without_status: Seldom::default(),
            placement,
            versions: section.versions.as_deref().cloned(),
            names: section.names.clone(),
            health,
            _checks: checks.map(|checks| services.run(checks)),
        }
    }

    /// Whether clients of this version may join: the mode can serve them, they can be offered the packs that they must take, there is a limbo
    /// of it where all are held in one, and the route wants them.
    #[must_use]
    pub fn takes_version(&self, version: ProtocolVersion) -> bool {
        let can_transfer =
            self.mode.delivery_to(version) != Delivery::Transfer || self.transfer.serves(version);
        let can_be_held =
            !self.is_session() || self.session.limbo != LimboKind::Always || World::exists(version);
        self.mode.serves(version)
            && can_transfer
            && can_be_held
            && self.versions.as_ref().is_none_or(|versions| versions.contains(version))
    }

    /// The versions that may join, in the form that players read, in any language: `1.20.5–26.3`, `1.21.4, 26.1–26.1.2`.
    #[must_use]
    pub fn versions_text(&self) -> String {
        let taken = |release: &Release| self.takes_version(release.version);
        let runs = RELEASES.chunk_by(|one, next| taken(one) == taken(next));
        let ends = runs.filter_map(|run| run.first().zip(run.last())).filter(|(first, _)| taken(first));
        let words = ends.map(|(first, last)| match (first.first, last.last) {
            (first, last) if first == last => first.to_owned(),
            (first, last) => format!("{first}–{last}"),
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// Whether its players are carried by sessions.
    #[must_use]
    pub const fn is_session(&self) -> bool {
        self.mode.is_session()
    }

    /// Whether a player of this name may join.
    #[must_use]
    pub fn takes_name(&self, name: &str) -> bool {
        self.names.is_match(name)
    }

    /// The targets that any player may be brought to; none where discovery finds each player one of their own.
    ///
    /// # Errors
    /// When discovery can't say.
    pub async fn shared_targets(&self, client: &Client) -> Result<Vec<Target>, AdapterError> {
        self.placement.discovery.shared_targets(client).await
    }

    /// Where the player may go, the first to be tried first; at least one target.
    ///
    /// # Errors
    /// [`Refusal::NoTarget`](drawbridge_model::Refusal::NoTarget) when there is none, and other reasons when nobody can say or
    /// an action turns the player away.
    pub async fn place(&self, client: &Client, identity: &Identity) -> Result<Vec<Target>, Refused> {
        self.placement.place(&self.name, client, identity).await
    }
}
