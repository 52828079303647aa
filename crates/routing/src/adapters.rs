//! The kinds of adapters that a route may name. A kind is a line in its section's enum and a line in the function below it.

use drawbridge_adapter::action::{
    BalanceSection, MetaFilterSection, PlayerFillSection, PlayerFilter, PlayerFilterSection, Rule,
    StickySection,
};
use drawbridge_adapter::authentication::FixedAuthenticationSection;
use drawbridge_adapter::background::Background;
use drawbridge_adapter::discovery::FixedDiscoverySection;
use drawbridge_adapter::localization::FixedLocalizationSection;
use drawbridge_adapter::status::{Favicon, FaviconLoader, FixedStatusSection};
use drawbridge_adapter::{action, authentication, discovery, localization, status};
#[cfg(feature = "dns")]
use drawbridge_adapter::{discovery::OnDiscoveryError, guard::Guard};
use drawbridge_config::{Diagnostic, tagged};
use drawbridge_model::{
    ActionAdapter, AuthenticationAdapter, DiscoveryAdapter, LocalizationAdapter, StatusAdapter,
};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

#[cfg(not(feature = "dns"))]
use crate::unbuilt::NeedsDns as DnsSection;
#[cfg(not(feature = "http"))]
use crate::unbuilt::{NeedsHttp as HttpStatusSection, NeedsSessionServer as MojangSection};
#[cfg(feature = "dns")]
use drawbridge_adapter_dns::{Dns, DnsSection};
#[cfg(feature = "http")]
use drawbridge_adapter_http::{Http, Location, authentication::MojangSection, status::HttpStatusSection};

/// What adapters need from outside. One for a process, so that what they share outlives a reload.
#[derive(Debug, Clone)]
pub struct Services {
    background: Arc<Background>,
    #[cfg(feature = "dns")]
    dns: Dns,
    #[cfg(feature = "http")]
    http: Http,
}

impl Default for Services {
    fn default() -> Self {
        let background = Arc::<Background>::default();
        Self {
            #[cfg(feature = "dns")]
            dns: Dns::new(Arc::clone(&background)),
            #[cfg(feature = "http")]
            http: Http::new(Arc::clone(&background)),
            background,
        }
    }
}

impl Services {
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
    } default "fixed"
}

tagged! {
    /// Who decides who a player is.
    pub enum AuthenticationSection by "type" {
        "mojang" => Mojang(MojangSection),
        "fixed" => Fixed(FixedAuthenticationSection),
        /// Nobody is asked: players are who they claim to be.
        "disabled" => Disabled,
    } default "mojang"
}

tagged! {
    /// Where targets come from.
    pub enum DiscoverySection by "type" {
        "fixed" => Fixed(FixedDiscoverySection),
        "dns" => Dns(DnsSection),
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
        /// Adds targets behind those that are there.
        "fixed" => Fixed(FixedDiscoverySection),
        "dns" => Dns(DnsSection),
    }
}

tagged! {
    /// The words that players read.
    pub enum LocalizationSection by "type" {
        "fixed" => Fixed(FixedLocalizationSection),
    } default "fixed"
}

impl StatusSection {
    pub(crate) fn build(&self, services: &Services) -> Arc<dyn StatusAdapter> {
        match self {
            Self::Fixed(section) => Arc::new(status::Fixed::new(section, services.favicons())),
            Self::Http(section) => services.http_status(section),
        }
    }

    /// What is wrong with it beyond what its own keys show.
    pub(crate) fn mistake(&self) -> Option<Diagnostic> {
        let Self::Fixed(section) = self else { return None };
        match section.favicon.as_deref() {
            Some(Favicon::Url(url)) => {
                let reason = unfit_url(url)?;
                let origin = section.favicon.as_ref()?.origin();
                Some(Diagnostic::error(origin, "this favicon can't be loaded").label(reason))
            }
            _ => None,
        }
    }
}

impl AuthenticationSection {
    pub(crate) fn build(&self, services: &Services) -> Arc<dyn AuthenticationAdapter> {
        match self {
            Self::Mojang(section) => services.mojang(section),
            Self::Fixed(section) => Arc::new(authentication::Fixed::new(section)),
            Self::Disabled => Arc::new(authentication::Disabled),
        }
    }
}

impl DiscoverySection {
    pub(crate) fn build(&self, services: &Services) -> Arc<dyn DiscoveryAdapter> {
        match self {
            Self::Fixed(section) => Arc::new(discovery::Fixed::new(section)),
            Self::Dns(section) => services.dns(section),
        }
    }
}

impl ActionSection {
    /// Its `type`, which names it in logs where it has no name.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::MetaFilter(_) => "meta_filter",
            Self::PlayerAllowFilter(_) => "player_allow_filter",
            Self::PlayerBlockFilter(_) => "player_block_filter",
            Self::PlayerFillStrategy(_) => "player_fill_strategy",
            Self::Balance(_) => "balance",
            Self::Sticky(_) => "sticky",
            Self::Fixed(_) => "fixed",
            Self::Dns(_) => "dns",
        }
    }

    pub(crate) fn build(&self, services: &Services) -> Arc<dyn ActionAdapter> {
        match self {
            Self::MetaFilter(section) => Arc::new(action::MetaFilter::new(section)),
            Self::PlayerAllowFilter(section) => Arc::new(PlayerFilter::new(section, Rule::Allow)),
            Self::PlayerBlockFilter(section) => Arc::new(PlayerFilter::new(section, Rule::Block)),
            Self::PlayerFillStrategy(section) => Arc::new(action::PlayerFill::new(section)),
            Self::Balance(section) => Arc::new(action::Balance::new(section)),
            Self::Sticky(StickySection {}) => Arc::new(action::Sticky),
            Self::Fixed(section) => Arc::new(action::Append(Arc::new(discovery::Fixed::new(section)))),
            Self::Dns(section) => Arc::new(action::Append(services.dns(section))),
        }
    }
}

impl LocalizationSection {
    pub(crate) fn build(&self) -> Arc<dyn LocalizationAdapter> {
        match self {
            Self::Fixed(section) => Arc::new(localization::Fixed::new(section)),
        }
    }
}

#[cfg(feature = "http")]
impl Services {
    fn favicons(&self) -> Option<&dyn FaviconLoader> {
        Some(&self.http)
    }

    fn http_status(&self, section: &HttpStatusSection) -> Arc<dyn StatusAdapter> {
        Arc::new(drawbridge_adapter_http::status::Polled::new(section, &self.http))
    }

    fn mojang(&self, section: &MojangSection) -> Arc<dyn AuthenticationAdapter> {
        Arc::new(drawbridge_adapter_http::authentication::Mojang::new(section, &self.http))
    }
}

/// Mojang's session server.
#[cfg(feature = "http")]
pub(crate) fn default_authentication() -> AuthenticationSection {
    AuthenticationSection::Mojang(MojangSection::default())
}

/// Without a session server nobody can be believed.
#[cfg(not(feature = "http"))]
pub(crate) fn default_authentication() -> AuthenticationSection {
    AuthenticationSection::Fixed(FixedAuthenticationSection::default())
}

/// Why a URL can't be asked.
#[cfg(feature = "http")]
fn unfit_url(url: &str) -> Option<String> {
    url.parse::<Location>().err().map(|error| error.to_string())
}

#[cfg(not(feature = "http"))]
impl Services {
    #[expect(clippy::unused_self, reason = "the same as with HTTP")]
    fn favicons(&self) -> Option<&dyn FaviconLoader> {
        None
    }

    #[expect(clippy::unused_self, reason = "the same as with HTTP")]
    fn http_status(&self, section: &HttpStatusSection) -> Arc<dyn StatusAdapter> {
        match *section {}
    }

    #[expect(clippy::unused_self, reason = "the same as with HTTP")]
    fn mojang(&self, section: &MojangSection) -> Arc<dyn AuthenticationAdapter> {
        match *section {}
    }
}

#[cfg(not(feature = "http"))]
fn unfit_url(_: &str) -> Option<String> {
    Some("this build speaks no HTTP: it was built without the feature \"http\"".to_owned())
}

#[cfg(feature = "dns")]
impl Services {
    fn dns(&self, section: &DnsSection) -> Arc<dyn DiscoveryAdapter> {
        // It answers from what it has asked by itself, and gives old answers itself where they are wanted.
        let guard = Guard::without_breaker("discovery", "dns", section.timeout);
        let on_error = match section.on_error {
            OnDiscoveryError::Stale => OnDiscoveryError::Refuse,
            other => other,
        };
        let discovery = drawbridge_adapter_dns::DnsDiscovery::new(section, &self.dns);
        Arc::new(discovery::Guarded::new(discovery, guard, on_error))
    }
}

#[cfg(not(feature = "dns"))]
impl Services {
    #[expect(clippy::unused_self, reason = "the same as with DNS")]
    fn dns(&self, section: &DnsSection) -> Arc<dyn DiscoveryAdapter> {
        match *section {}
    }
}
