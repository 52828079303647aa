//! What DNS is needed for: discovery.

#[cfg(feature = "dns")]
pub(super) use built::Dns;
#[cfg(feature = "dns")]
pub use built::DnsSection;
#[cfg(not(feature = "dns"))]
pub(super) use unbuilt::Dns;
#[cfg(not(feature = "dns"))]
pub use unbuilt::DnsSection;

#[cfg(feature = "dns")]
mod built {
    use drawbridge_adapter::background::Background;
    use drawbridge_adapter::discovery::Guarded;
    use drawbridge_adapter::guard::{Guard, Post};
    use drawbridge_adapter_dns::DnsDiscovery;
    pub use drawbridge_adapter_dns::DnsSection;
    use drawbridge_model::DiscoveryAdapter;
    use std::sync::Arc;

    /// The name servers that are asked.
    #[derive(Debug, Clone)]
    pub(in crate::adapters) struct Dns(drawbridge_adapter_dns::Dns);

    impl Dns {
        pub(in crate::adapters) fn new(background: &Arc<Background>) -> Self {
            Self(drawbridge_adapter_dns::Dns::new(Arc::clone(background)))
        }

        pub(in crate::adapters) fn discovery(
            &self,
            section: &DnsSection,
            post: Post,
        ) -> Arc<dyn DiscoveryAdapter> {
            // It answers from what it has asked by itself, and gives old answers itself where they are wanted.
            let guard = Guard::without_breaker(post, "discovery", "dns", section.timeout);
            let on_error = section.on_error.without_stale();
            Arc::new(Guarded::new(DnsDiscovery::new(section, &self.0), guard, on_error))
        }
    }
}

#[cfg(not(feature = "dns"))]
mod unbuilt {
    use drawbridge_adapter::background::Background;
    use drawbridge_adapter::guard::Post;
    use drawbridge_model::DiscoveryAdapter;
    use std::sync::Arc;

    drawbridge_config::unbuilt!("dns", DnsSection, "ask DNS", "discovery may be \"fixed\"");

    /// Nobody is asked.
    #[derive(Debug, Clone)]
    pub(in crate::adapters) struct Dns;

    #[expect(clippy::unused_self, reason = "the same as with DNS")]
    impl Dns {
        pub(in crate::adapters) fn new(_: &Arc<Background>) -> Self {
            Self
        }

        pub(in crate::adapters) fn discovery(
            &self,
            section: &DnsSection,
            _: Post,
        ) -> Arc<dyn DiscoveryAdapter> {
            match *section {}
        }
    }
}
