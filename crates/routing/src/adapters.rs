//! The kinds of adapters that a route may name. A kind is a line in its section's enum and a line in the function below it; what a kind
//! of a Cargo feature needs stands in that feature's own file, with what stands in for it in a build without.

mod agones;
mod dns;
mod grpc;
mod http;

pub use agones::{AgonesSection, AgonesWatchSection};
pub use dns::DnsSection;
pub use grpc::{
    GrpcActionSection, GrpcAuthenticationSection, GrpcDiscoverySection, GrpcLocalizationSection,
    GrpcStatusSection,
};
pub(crate) use http::default_authentication;
pub use http::{HttpStatusSection, MojangSection};

use drawbridge_adapter::action::{
    BalanceBy, BalanceSection, MetaFilterSection, PlayerFillSection, PlayerFilter, PlayerFilterSection, Rule,
    StickySection,
};
use drawbridge_adapter::authentication::FixedAuthenticationSection;
use drawbridge_adapter::background::{Background, Running};
use drawbridge_adapter::discovery::FixedDiscoverySection;
use drawbridge_adapter::guard::{Guard, Post};
use drawbridge_adapter::health::{Checks, Health};
use drawbridge_adapter::localization::FixedLocalizationSection;
use drawbridge_adapter::status::question::Greeting;
use drawbridge_adapter::status::{
    Cached, Caching, Favicon, FixedStatusSection, Relayed, RelayedStatusSection,
};
use drawbridge_adapter::{action, authentication, discovery, localization, status};
use drawbridge_config::{Diagnostic, Located, tagged};
use drawbridge_model::{
    ActionAdapter, AuthenticationAdapter, DiscoveryAdapter, LocalizationAdapter, StatusAdapter,
};
use drawbridge_net::Crowds;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// How many targets are asked for their status, one after the other, before it is given up.
const ASKED: u32 = 4;

/// What adapters need from outside. One for a process, so that what they share outlives a reload.
#[derive(Debug, Clone)]
pub struct Services {
    background: Arc<Background>,
    agones: agones::Agones,
    dns: dns::Dns,
    grpc: grpc::Grpc,
    http: http::Http,
    carried: Crowds,
    health: Health,
}

impl Default for Services {
    fn default() -> Self {
        let background = Arc::<Background>::default();
        Self {
            agones: agones::Agones::new(&background),
            dns: dns::Dns::new(&background),
            grpc: grpc::Grpc::new(&background),
            http: http::Http::new(&background),
            carried: Crowds::default(),
            health: Health::default(),
            background,
        }
    }
}

impl Services {
    /// The players carried to each target, by its address.
    pub(crate) const fn carried(&self) -> &Crowds {
        &self.carried
    }

    /// How targets are.
    pub(crate) const fn health(&self) -> &Health {
        &self.health
    }

    /// Begins checks, until the result is dropped.
    pub(crate) fn run(&self, checks: Checks) -> Running {
        checks.run(&self.background)
    }

    /// From now on, what adapters do in the background runs on `runtime`, tracked by `tasks`; also what adapters that were
    /// built before have to do. Without it they do nothing by themselves, which is right for a check.
    pub fn start(&self, runtime: &Handle, tasks: &TaskTracker) {
        self.background.start(runtime, tasks);
    }
}

tagged! {
    /// What the server list shows.
    pub enum StatusSection by "type" {
        "fixed" => Fixed(FixedStatusSection),
        "http" => Http(HttpStatusSection),
        "grpc" => Grpc(GrpcStatusSection),
        "relay" => Relay(RelayedStatusSection),
    } default "fixed"
}

tagged! {
    /// Who decides who a player is.
    pub enum AuthenticationSection by "type" {
        "mojang" => Mojang(MojangSection),
        "fixed" => Fixed(FixedAuthenticationSection),
        "grpc" => Grpc(GrpcAuthenticationSection),
        /// Nobody is asked: players are who they claim to be.
        "disabled" => Disabled,
    } default "mojang"
}

tagged! {
    /// Where targets come from.
    pub enum DiscoverySection by "type" {
        "fixed" => Fixed(FixedDiscoverySection),
        "dns" => Dns(DnsSection),
        "agones" => Agones(AgonesSection),
        "agones_watch" => AgonesWatch(AgonesWatchSection),
        "grpc" => Grpc(GrpcDiscoverySection),
    } default "fixed"
}

tagged! {
    /// What becomes of targets: some are left out, added, or put in another order.
    pub enum ActionSection by "type" {
        "meta_filter" => MetaFilter(MetaFilterSection),
        "player_allow_filter" => PlayerAllowFilter(PlayerFilterSection),
        "player_block_filter" => PlayerBlockFilter(PlayerFilterSection),
        "player_fill_strategy" => PlayerFillStrategy(PlayerFillSection),
        "balance" => Balance(BalanceSection),
        "sticky" => Sticky(StickySection),
        "grpc" => Grpc(GrpcActionSection),
        /// Adds targets behind those that are there.
        "fixed" => Fixed(FixedDiscoverySection),
        "dns" => Dns(DnsSection),
        "agones" => Agones(AgonesSection),
        "agones_watch" => AgonesWatch(AgonesWatchSection),
    }
}

tagged! {
    /// The words that players read.
    pub enum LocalizationSection by "type" {
        "fixed" => Fixed(FixedLocalizationSection),
        "grpc" => Grpc(GrpcLocalizationSection),
    } default "fixed"
}

impl StatusSection {
    /// `discovery` and `greeting`: the targets of the route, and how they are spoken to.
    pub(crate) fn build(
        &self,
        services: &Services,
        post: Post,
        discovery: &Arc<dyn DiscoveryAdapter>,
        greeting: Greeting,
    ) -> Arc<dyn StatusAdapter> {
        match self {
            Self::Fixed(section) => Arc::new(status::Fixed::new(section, services.http.favicons())),
            Self::Http(section) => services.http.status(section),
            Self::Grpc(section) => services.grpc.status(section, &services.background, post),
            Self::Relay(section) => {
                let health = services.health.of_route(&post.route);
                // All targets may have to be asked, each in its time.
                let guard = Guard::without_breaker(post, "status", "relay", section.timeout * ASKED);
                let caching = Caching {
                    cache: section.cache,
                    patience: section.patience,
                    on_error: section.on_error,
                    unreachable: section.states.unreachable.clone(),
                };
                let adapter = Relayed::new(section, Arc::clone(discovery), greeting, &health);
                Arc::new(Cached::new(adapter, guard, caching, Arc::clone(&services.background)))
            }
        }
    }

    /// The picture that it always shows, where the configuration itself has it.
    pub(crate) fn picture(&self) -> Option<&str> {
        let favicon = match self {
            Self::Fixed(section) => section.favicon.as_deref(),
            Self::Relay(section) => section.favicon.as_deref(),
            Self::Http(_) | Self::Grpc(_) => None,
        };
        match favicon? {
            Favicon::Picture(uri) => Some(uri),
            Favicon::Url(_) => None,
        }
    }

    /// What is wrong with it beyond what its own keys show.
    pub(crate) fn mistake(&self) -> Option<Diagnostic> {
        let Self::Fixed(section) = self else { return None };
        match section.favicon.as_deref() {
            Some(Favicon::Url(url)) => {
                let reason = http::unfit_url(url)?;
                let origin = section.favicon.as_ref()?.origin();
                Some(Diagnostic::error(origin, "this favicon can't be loaded").label(reason))
            }
            _ => None,
        }
    }
}

impl AuthenticationSection {
    pub(crate) fn build(&self, services: &Services, post: Post) -> Arc<dyn AuthenticationAdapter> {
        match self {
            Self::Mojang(section) => services.http.mojang(section),
            Self::Fixed(section) => Arc::new(authentication::Fixed::new(section)),
            Self::Grpc(section) => services.grpc.authentication(section, post),
            Self::Disabled => Arc::new(authentication::Disabled),
        }
    }
}

impl DiscoverySection {
    /// Whether its targets are the same for all players, so that they can be checked before anybody comes.
    pub(crate) const fn is_shared(&self) -> bool {
        match self {
            Self::Fixed(_) | Self::Dns(_) | Self::AgonesWatch(_) => true,
            Self::Agones(_) | Self::Grpc(_) => false,
        }
    }

    /// How long it goes on trying for a player, where that is more than one question.
    pub(crate) fn attempts(&self) -> Option<&Located<Duration>> {
        match self {
            Self::Agones(section) => Some(agones::attempts(section)),
            _ => None,
        }
    }

    pub(crate) fn build(&self, services: &Services, post: Post) -> Arc<dyn DiscoveryAdapter> {
        match self {
            Self::Fixed(section) => Arc::new(discovery::Fixed::new(section)),
            Self::Dns(section) => services.dns.discovery(section, post),
            Self::Agones(section) => services.agones.allocated(section, post),
            Self::AgonesWatch(section) => services.agones.watched(section, post),
            Self::Grpc(section) => services.grpc.discovery(section, post),
        }
    }
}

impl ActionSection {
    /// How long it goes on trying for a player, where that is more than one question.
    pub(crate) fn attempts(&self) -> Option<&Located<Duration>> {
        match self {
            Self::Agones(section) => Some(agones::attempts(section)),
            _ => None,
        }
    }

    /// Whether it has to know how many players a target has, which only modes that carry them know.
    pub(crate) fn counts_players(&self) -> bool {
        matches!(self, Self::Balance(section) if section.by == BalanceBy::LeastConnections)
    }

    pub(crate) fn build(&self, services: &Services, post: Post) -> Arc<dyn ActionAdapter> {
        match self {
            Self::MetaFilter(section) => Arc::new(action::MetaFilter::new(section)),
            Self::PlayerAllowFilter(section) => Arc::new(PlayerFilter::new(section, Rule::Allow)),
            Self::PlayerBlockFilter(section) => Arc::new(PlayerFilter::new(section, Rule::Block)),
            Self::PlayerFillStrategy(section) => Arc::new(action::PlayerFill::new(section)),
            Self::Balance(section) => Arc::new(action::Balance::new(section, services.carried())),
            Self::Sticky(StickySection {}) => Arc::new(action::Sticky),
            Self::Grpc(section) => services.grpc.action(section, post),
            Self::Fixed(section) => Arc::new(action::Append(Arc::new(discovery::Fixed::new(section)))),
            Self::Dns(section) => Arc::new(action::Append(services.dns.discovery(section, post))),
            Self::Agones(section) => Arc::new(action::Append(services.agones.allocated(section, post))),
            Self::AgonesWatch(section) => Arc::new(action::Append(services.agones.watched(section, post))),
        }
    }
}

impl LocalizationSection {
    pub(crate) fn build(&self, services: &Services, post: Post) -> Arc<dyn LocalizationAdapter> {
        match self {
            Self::Fixed(section) => Arc::new(localization::Fixed::new(section)),
            Self::Grpc(section) => services.grpc.localization(section, post),
        }
    }
}
