//! `[[routes]]`: a route as it is written.

mod maintenance;
mod relay;
mod session;
mod transfer;
mod versions;

pub use drawbridge_adapter::setting::RelayHost;
pub use maintenance::MaintenanceSection;
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
use drawbridge_config::{
    Diagnostic, Fields, Json, Located, Named, Reader, Schemas, Setting, Value, json, keywords, parsed,
    section,
};
use drawbridge_model::DiscoveryAdapter;
use drawbridge_net::Access;
use drawbridge_net::relay::Method;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::version::RELEASES;
use drawbridge_telemetry::Seldom;
use regex::Regex;
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

keywords! {
    /// How a player reaches the target.
    pub enum Mode {
        /// Handed over by Transfer packet; clients from 1.20.5 on.
        "transfer" => Transfer,
        /// Relayed as bytes, copied or spliced by what flows; clients of every version. The target authenticates, or nobody does.
        "passthrough" => Passthrough,
        /// As `passthrough`, always by splice(2).
        "zero_copy" => ZeroCopy,
        /// As `passthrough`, under the name that says who authenticates.
        "server_only" => ServerOnly,
        /// A session: the edge authenticates, speaks the protocol with both sides, and tells the target who the player is.
        "client_only" => ClientOnly,
        /// A session in which nobody authenticates: players are who they claim to be.
        "offline" => Offline,
        /// As `transfer` for clients that can be handed over (from 1.20.5 on), as `passthrough` for all others, to the same targets.
        "auto" => Auto,
    }
}

/// What a mode comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Players are handed over.
    Transfer,
    /// Bytes are relayed, so.
    Relay(Method),
    /// Players are carried by a session; whether the edge authenticates them.
    Session {
        /// Otherwise they are who they claim to be.
        authenticates: bool,
    },
    /// Players whose version can be are handed over, those of others are relayed, so.
    ByVersion(Method),
}

impl Mode {
    /// What it comes to.
    #[must_use]
    pub const fn delivery(self) -> Delivery {
        match self {
            Self::Transfer => Delivery::Transfer,
            Self::Passthrough | Self::ServerOnly => Delivery::Relay(Method::Adaptive),
            Self::ZeroCopy => Delivery::Relay(Method::Splice),
            Self::ClientOnly => Delivery::Session { authenticates: true },
            Self::Offline => Delivery::Session { authenticates: false },
            Self::Auto => Delivery::ByVersion(Method::Adaptive),
        }
    }

    /// What it comes to for clients of this version: never [`Delivery::ByVersion`].
    #[must_use]
    pub fn delivery_to(self, version: ProtocolVersion) -> Delivery {
        match self.delivery() {
            Delivery::ByVersion(_) if Self::Transfer.serves(version) => Delivery::Transfer,
            Delivery::ByVersion(method) => Delivery::Relay(method),
            settled => settled,
        }
    }

    /// Whether clients of this version can reach a target so.
    #[must_use]
    pub fn serves(self, version: ProtocolVersion) -> bool {
        match self.delivery() {
            Delivery::Transfer => version.has_transfer() && version.is_known(),
            Delivery::Relay(_) | Delivery::ByVersion(_) => true,
            Delivery::Session { .. } => version.is_known(),
        }
    }

    /// Whether players stay connected to the edge, or some do.
    #[must_use]
    pub const fn carries(self) -> bool {
        !matches!(self.delivery(), Delivery::Transfer)
    }
}

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

/// The versions that the edge speaks, as users read them.
fn known() -> String {
    let ends = RELEASES.first().zip(RELEASES.last());
    ends.map(|(first, last)| format!("{}–{}", first.first, last.last)).unwrap_or_default()
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
        matches!(self.mode.delivery(), Delivery::Session { .. }) && self.session.limbo == LimboKind::Always
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

    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.name.trim().is_empty() {
            fields.error("name", "a route's name can't be empty");
        }
        if self.hosts.is_empty() {
            let mistake = Diagnostic::error(fields.origin("hosts"), "no host belongs to this route");
            fields.report(mistake.help("\"*\" stands for every host that no other route has"));
        }
        self.check_mode(fields);
        self.check_versions(fields);
        self.check_targets(fields);
    }

    /// What the mode can't do, or nobody would read.
    fn check_mode(&self, fields: &mut Fields<'_, '_, '_>) {
        let delivery = self.mode.delivery();
        let (without_effect, why) = match delivery {
            Delivery::Transfer => (&["relay", "session", "max_players"][..], "who was handed over is gone"),
            Delivery::Relay(_) => (
                &["authentication", "transfer", "session"][..],
                "the edge only relays: the target authenticates",
            ),
            Delivery::Session { authenticates: true } => {
                (&["relay", "transfer"][..], "players are carried by a session: `session` says how")
            }
            Delivery::Session { authenticates: false } => {
                (&["authentication", "relay", "transfer"][..], "nobody authenticates, and a session carries")
            }
            Delivery::ByVersion(_) => (&["session"][..], "players are handed over or relayed"),
        };
        for key in without_effect {
            if !fields.has(key) {
                continue;
            }
            let mistake =
                Diagnostic::error(fields.origin(key), format!("\"{key}\" has no effect in this mode"));
            fields.report(mistake.label(why).related(fields.origin("mode"), "the mode"));
        }
        if delivery == (Delivery::Session { authenticates: true })
            && matches!(self.authentication, AuthenticationSection::Disabled)
        {
            let mistake = Diagnostic::error(fields.origin("authentication"), "this mode authenticates");
            let mistake = mistake.related(fields.origin("mode"), "the mode");
            fields.report(mistake.help("mode = \"offline\" takes players for who they claim to be"));
        }
        if delivery == (Delivery::Session { authenticates: true }) && *self.session.trust_claims {
            let origin = self.session.trust_claims.origin();
            let mistake = Diagnostic::error(origin, "nobody merely claims to be somebody in this mode");
            fields.report(mistake.related(fields.origin("mode"), "the mode").help("leave it out"));
        }
        if !self.mode.carries() && self.actions.iter().any(|action| action.value.counts_players()) {
            let mistake = Diagnostic::error(fields.origin("actions"), "nobody is counted in this mode");
            fields.report(mistake.help("\"least_connections\" goes by the players that the edge carries"));
        }
        if matches!(delivery, Delivery::Relay(method) if !method.is_available()) {
            let mistake = Diagnostic::error(fields.origin("mode"), "this system has no splice(2)");
            fields.report(mistake.help("mode = \"passthrough\" copies instead"));
        }
    }

    fn check_versions(&self, fields: &mut Fields<'_, '_, '_>) {
        let Some(versions) = &self.versions else { return };
        let mut taken =
            RELEASES.iter().map(|release| release.version).filter(|version| versions.contains(*version));
        let origin = fields.origin("versions");
        let oldest = taken.clone().next();
        let transfer = self.transfer.build();
        let is_session = match self.mode.delivery() {
            // Clients of whatever version are relayed, of one that nobody knows yet too.
            Delivery::Relay(_) => return,
            Delivery::ByVersion(_) if oldest.is_none() => return,
            delivery => matches!(delivery, Delivery::Session { .. }),
        };
        if is_session && oldest.is_none() {
            let mistake = Diagnostic::error(origin, "the edge knows none of these versions");
            fields.report(mistake.help(format!("it knows {}", known())));
        } else if is_session {
            self.session.check_versions(taken, origin).into_iter().for_each(|mistake| fields.report(mistake));
        } else if !taken.clone().any(|version| self.mode.serves(version)) {
            let mistake = Diagnostic::error(origin, "none of these versions can be transferred");
            fields.report(mistake.help("clients can be transferred since 1.20.5"));
        } else if !taken.any(|version| self.mode.serves(version) && transfer.serves(version)) {
            let mistake = Diagnostic::error(origin, "none of these versions can be offered a resource pack");
            fields.report(mistake.related(fields.origin("transfer"), "one is required here"));
        } else if oldest.is_some_and(|version| !self.mode.serves(version)) {
            let warning = Diagnostic::warning(origin, "some of these versions can't be transferred");
            fields.report(warning.label("clients before 1.20.5 are told disconnect_version all the same"));
        }
    }

    fn check_targets(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.targets.is_some() && self.discovery.is_some() {
            let mistake = Diagnostic::error(fields.origin("targets"), "targets are given twice");
            fields.report(
                mistake
                    .related(fields.origin("discovery"), "and here")
                    .help("targets is short for [routes.discovery] type = \"fixed\": use one of the two"),
            );
            return;
        }
        let discovery = self.discovery();
        if self.health.check.is_some() && !discovery.is_shared() {
            let mistake =
                Diagnostic::error(fields.origin("health"), "there is nothing to check before a player comes");
            fields.report(
                mistake.related(fields.origin("discovery"), "targets are found for one player at a time"),
            );
        }
        if let DiscoverySection::Fixed(fixed) = discovery.as_ref() {
            self.check_fixed(fixed, fields);
        }
    }

    fn check_fixed(&self, fixed: &FixedDiscoverySection, fields: &mut Fields<'_, '_, '_>) {
        if self.targets.is_some() {
            // In the long form the section itself has looked.
            fixed.mistakes().into_iter().for_each(|mistake| fields.report(mistake));
        }
        // Whoever writes that there are none has thought of it, or is a provider, who tells why.
        if self.has_no_target() && self.targets.is_none() && !self.holds_all() {
            let missing = Diagnostic::warning(fields.origin("targets"), "the route has no target");
            fields.report(missing.help("every player is refused: targets = [\"lobby.example.com:25565\"]"));
        }
        let transfer = self.transfer.build();
        for target in &fixed.targets {
            if let Err(error) = transfer.address_of(&target.target()) {
                let mistake = Diagnostic::error(target.origin(), error.to_string());
                fields.report(mistake.related(fields.origin("transfer"), "clients are sent to that address"));
            }
        }
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
pub(crate) mod tests;
