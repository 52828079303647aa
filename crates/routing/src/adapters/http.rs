//! What HTTP is needed for: authentication by a session server, a status or favicons from a URL.

use super::AuthenticationSection;

#[cfg(feature = "http")]
pub(super) use built::{Http, unfit_url};
#[cfg(feature = "http")]
pub use built::{HttpStatusSection, MojangSection};
#[cfg(not(feature = "http"))]
pub(super) use unbuilt::{Http, unfit_url};
#[cfg(not(feature = "http"))]
pub use unbuilt::{HttpStatusSection, MojangSection};

/// Mojang's session server.
#[cfg(feature = "http")]
pub(crate) fn default_authentication() -> AuthenticationSection {
    AuthenticationSection::Mojang(MojangSection::default())
}

/// Without a session server nobody can be believed.
#[cfg(not(feature = "http"))]
pub(crate) fn default_authentication() -> AuthenticationSection {
    AuthenticationSection::Fixed(drawbridge_adapter::authentication::FixedAuthenticationSection::default())
}

#[cfg(feature = "http")]
mod built {
    use drawbridge_adapter::background::Background;
    use drawbridge_adapter::status::FaviconLoader;
    use drawbridge_adapter_http::Location;
    use drawbridge_adapter_http::authentication::Mojang;
    pub use drawbridge_adapter_http::authentication::MojangSection;
    pub use drawbridge_adapter_http::status::HttpStatusSection;
    use drawbridge_adapter_http::status::Polled;
    use drawbridge_model::{AuthenticationAdapter, StatusAdapter};
    use std::sync::Arc;

    /// The servers that are asked.
    #[derive(Debug, Clone)]
    pub(in crate::adapters) struct Http(drawbridge_adapter_http::Http);

    impl Http {
        pub(in crate::adapters) fn new(background: &Arc<Background>) -> Self {
            Self(drawbridge_adapter_http::Http::new(Arc::clone(background)))
        }

        pub(in crate::adapters) fn favicons(&self) -> Option<&dyn FaviconLoader> {
            Some(&self.0)
        }

        pub(in crate::adapters) fn status(&self, section: &HttpStatusSection) -> Arc<dyn StatusAdapter> {
            Arc::new(Polled::new(section, &self.0))
        }

        pub(in crate::adapters) fn mojang(&self, section: &MojangSection) -> Arc<dyn AuthenticationAdapter> {
            Arc::new(Mojang::new(section, &self.0))
        }
    }

    /// Why a URL can't be asked.
    pub(in crate::adapters) fn unfit_url(url: &str) -> Option<String> {
        url.parse::<Location>().err().map(|error| error.to_string())
    }
}

#[cfg(not(feature = "http"))]
mod unbuilt {
    use drawbridge_adapter::background::Background;
    use drawbridge_adapter::status::FaviconLoader;
    use drawbridge_model::{AuthenticationAdapter, StatusAdapter};
    use std::sync::Arc;

    drawbridge_config::unbuilt!(
        "http",
        MojangSection,
        "ask a session server",
        "authentication may be \"fixed\" or \"disabled\""
    );
    drawbridge_config::unbuilt!("http", HttpStatusSection, "ask for a status", "status may be \"fixed\"");

    /// Nobody is asked.
    #[derive(Debug, Clone)]
    pub(in crate::adapters) struct Http;

    #[expect(clippy::unused_self, reason = "the same as with HTTP")]
    impl Http {
        pub(in crate::adapters) fn new(_: &Arc<Background>) -> Self {
            Self
        }

        pub(in crate::adapters) fn favicons(&self) -> Option<&dyn FaviconLoader> {
            None
        }

        pub(in crate::adapters) fn status(&self, section: &HttpStatusSection) -> Arc<dyn StatusAdapter> {
            match *section {}
        }

        pub(in crate::adapters) fn mojang(&self, section: &MojangSection) -> Arc<dyn AuthenticationAdapter> {
            match *section {}
        }
    }

    pub(in crate::adapters) fn unfit_url(_: &str) -> Option<String> {
        Some("this build speaks no HTTP: it was built without the feature \"http\"".to_owned())
    }
}
