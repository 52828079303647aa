//! `[[routes]]`: a route as it is written.

mod checks;
mod maintenance;
mod mode;
mod relay;
mod session;
mod transfer;
mod versions;

pub use drawbridge_adapter::setting::RelayHost;
pub use maintenance::MaintenanceSection;
pub use mode::{Delivery, Mode};
pub use relay::RelaySection;
pub use session::{ForwardingKind, LimboKind, OnTransfer, SessionSection};
pub use transfer::{AddressSection, ResourcePackSection, TransferSection};
pub use versions::Versions;

use crate::adapters::Services;
use crate::adapters::{
    ActionSection, AuthenticationSection, DiscoverySection, LocalizationSection, StatusSection,
    default_authentication,
};
use crate::pattern::{HostPattern, Matching};
use crate::placement::{Action, Placement};
use drawbridge_adapter::discovery::FixedDiscoverySection;
use drawbridge_adapter::guard::Post;
use drawbridge_adapter::health::{Checked, Checks, HealthSection, RouteHealth};
use drawbridge_adapter::localization::FixedLocalizationSection;
use drawbridge_adapter::setting::Address;
use drawbridge_adapter::status::question::Greeting;
use drawbridge_adapter::status::{FixedStatusSection, RelayedStatusSection};
use drawbridge_config::{Json, Located, Named, Reader, Schemas, Setting, Value, json, parsed, section};
use drawbridge_model::DiscoveryAdapter;
use drawbridge_net::Access;
use drawbridge_telemetry::Seldom;
use regex::Regex;
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

section! {
    /// A rule: these hosts, this mode, these adapters.
    #[check(RouteSection::check)]
    pub struct RouteSection {
        /// Names it in logs.
        pub name: Located<String>,
        /// The hosts that belong to it: `play.example.com`, `*.example.com` (one or more whole labels), `eu-?.example.com`,
        /// `~^lobby-\d+\.example\.com$` (a regular expression); `*` alone is the default route.
        pub hosts: Vec<Located<HostPattern>>,
        /// How its players reach the target.
        pub mode: Mode,
        /// Short for `[routes.discovery] type = "fixed"` with targets that are named by their addresses.
        pub targets: Option<Vec<Located<Address>>>,
        /// The versions that may join, of those that the mode can serve; others are told `disconnect_version`.
        pub versions: Option<Versions>,
        /// The names that may join; others are told `disconnect_name`.
        pub names: Regex = usual_names(),
        /// The addresses that may join, of those that `[access]` lets in.
        pub access: Access,
        /// What the server list shows; left out, the target's own where players are carried to one.
        pub status: Option<StatusSection>,
        /// Who decides who a player is.
        pub authentication: AuthenticationSection,
        /// Where targets come from.
        pub discovery: Option<DiscoverySection>,
        /// Whether targets are checked before players come to them.
        pub health: HealthSection,
        /// What becomes of the targets, in this order.
        pub actions: Vec<Named<ActionSection>> = Vec::new(),
        /// The words that players read.
        pub localization: LocalizationSection,
        /// How players are handed over.
        pub transfer: TransferSection,
        /// How connections are relayed.
        pub relay: RelaySection,
        /// How players are carried by a session that speaks the protocol.
        pub session: SessionSection,
        /// The most players at once, in modes that carry them; others are told `disconnect_full`.
        pub max_players: Option<u32>,
        /// The route is being worked on: players who want to join are told so, and the server list shows it.
        pub maintenance: Option<MaintenanceSection>,
    }
}

/// The names that accounts have.
fn usual_names() -> Regex {
    // Compiled once: routes by the thousand share it.
    static USUAL: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("^[A-Za-z0-9_]{1,16}$").expect("a regular expression"));
    USUAL.clone()
}

/// The route of a configuration without any: it answers the server list for every host, authenticates, and has no target.
pub(crate) fn built_in_route() -> RouteSection {
    RouteSection {
        name: Located::built_in("default".to_owned()),
        hosts: vec![Located::built_in(HostPattern::any())],
        mode: Mode::Transfer,
        targets: None,
        versions: None,
        names: usual_names(),
        access: Access::default(),
        status: None,
        authentication: default_authentication(),
        discovery: None,
        health: HealthSection::default(),
        actions: Vec::new(),
        localization: LocalizationSection::Fixed(FixedLocalizationSection::default()),
        transfer: TransferSection::default(),
        relay: RelaySection::default(),
        session: SessionSection::default(),
        max_players: None,
        maintenance: None,
    }
}

impl RouteSection {
    /// Where its targets come from: `discovery`, or the short form.
    #[must_use]
    pub fn discovery(&self) -> Cow<'_, DiscoverySection> {
        if let Some(discovery) = &self.discovery {
            return Cow::Borrowed(discovery);
        }
        let targets = self.targets.as_deref().unwrap_or_default();
        Cow::Owned(DiscoverySection::Fixed(FixedDiscoverySection::of_addresses(targets)))
    }

    /// What the server list shows: where nothing is written, the target's own status if the connection is carried to it. Where all are held
    /// in limbo there may be no target that could say.
    #[must_use]
    pub fn status(&self) -> Cow<'_, StatusSection> {
        match &self.status {
            Some(status) => Cow::Borrowed(status),
            None if self.mode.carries() && !(self.holds_all() && self.has_no_target()) => {
                Cow::Owned(StatusSection::Relay(RelayedStatusSection::default()))
            }
            None => Cow::Owned(StatusSection::Fixed(FixedStatusSection::default())),
        }
    }

    /// Whether limbo is where its players go.
    fn holds_all(&self) -> bool {
        self.mode.is_session() && self.session.limbo == LimboKind::Always
    }

    /// Whether nothing is written that could find one.
    fn has_no_target(&self) -> bool {
        let found = self.discovery();
        self.actions.is_empty()
            && matches!(found.as_ref(), DiscoverySection::Fixed(fixed) if fixed.targets.is_empty())
    }

    /// How targets are spoken to that are asked for their status.
    pub(crate) fn greeting(&self) -> Greeting {
        match self.mode.delivery() {
            Delivery::Session { .. } => {
                Greeting { proxy_protocol: self.session.proxy_protocol, host: RelayHost::Keep }
            }
            _ => Greeting { proxy_protocol: self.relay.proxy_protocol, host: self.relay.host.clone() },
        }
    }

    /// How long each of its adapters goes on trying that asks more than once for a player, in the order in which they do.
    pub fn attempts(&self) -> impl Iterator<Item = &Located<Duration>> {
        let discovery = self.discovery.as_ref().and_then(DiscoverySection::attempts);
        discovery.into_iter().chain(self.actions.iter().filter_map(|action| action.value.attempts()))
    }

    /// Its discovery and actions, ready to be used.
    pub(crate) fn placement(&self, services: &Services) -> Placement {
        let action = |action: &Named<ActionSection>| {
            let name =
                action.name.as_ref().map_or_else(|| action.value.kind().to_owned(), |name| name.to_string());
            let post = Post { action: Some(name.clone()), ..self.post() };
            Action { name, adapter: action.value.build(services, post), failing: Seldom::default() }
        };
        Placement {
            discovery: self.discovery().build(services, self.post()),
            actions: self.actions.iter().map(action).collect(),
            failing: Seldom::default(),
        }
    }

    /// Looks after its targets, if it is to.
    pub(crate) fn checks(
        &self,
        discovery: &Arc<dyn DiscoveryAdapter>,
        health: &RouteHealth,
    ) -> Option<Checks> {
        // Targets that look at the host are asked for one of the route's own.
        let exact = self.hosts.iter().find_map(|host| match host.matching() {
            Matching::Exact(host) => Some(host.to_owned()),
            _ => None,
        });
        let of = Checked {
            route: self.name.to_string(),
            host: exact.unwrap_or_default(),
            discovery: Arc::clone(discovery),
            greeting: self.greeting(),
        };
        Checks::new(&self.health, of, health)
    }

    /// Where its adapters stand.
    pub(crate) fn post(&self) -> Post {
        Post { route: self.name.to_string(), action: None }
    }
}

impl Setting for HostPattern {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        parsed(value, reader, "a host pattern such as \"play.example.com\" or \"*.example.com\"")
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({
            "type": "string",
            "minLength": 1,
            "examples": ["play.example.com", "*.play.example.com", "~^lobby-\\d+\\.example\\.com$", "*"],
        })
    }

    fn write(&self) -> Option<Json> {
        Some(json!(self.to_string()))
    }
}

#[cfg(test)]
mod tests;
