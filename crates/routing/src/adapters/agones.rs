//! What game servers on Kubernetes are needed for: discovery.

#[cfg(feature = "agones")]
pub use built::{AgonesSection, AgonesWatchSection};
#[cfg(not(feature = "agones"))]
pub use unbuilt::{NeedsAgones as AgonesSection, NeedsAgones as AgonesWatchSection};

#[cfg(feature = "agones")]
pub(super) use built::{Agones, attempts};
#[cfg(not(feature = "agones"))]
pub(super) use unbuilt::{Agones, attempts};

#[cfg(feature = "agones")]
mod built {
    use drawbridge_adapter::background::Background;
    use drawbridge_adapter::discovery::{Guarded, OnDiscoveryError};
    use drawbridge_adapter::guard::{Guard, MARGIN, Post};
    pub use drawbridge_adapter_agones::allocation::AgonesSection;
    use drawbridge_adapter_agones::allocation::{Allocated, OnAllocationError};
    pub use drawbridge_adapter_agones::watch::AgonesWatchSection;
    use drawbridge_adapter_agones::watch::Watched;
    use drawbridge_config::Located;
    use drawbridge_model::DiscoveryAdapter;
    use std::sync::Arc;
    use std::time::Duration;

    /// How long an allocation goes on trying.
    pub(in crate::adapters) fn attempts(section: &AgonesSection) -> &Located<Duration> {
        &section.timeout
    }

    /// The clusters that are asked.
    #[derive(Debug, Clone)]
    pub(in crate::adapters) struct Agones(drawbridge_adapter_agones::Agones);

    impl Agones {
        pub(in crate::adapters) fn new(background: &Arc<Background>) -> Self {
            Self(drawbridge_adapter_agones::Agones::new(Arc::clone(background)))
        }

        pub(in crate::adapters) fn allocated(
            &self,
            section: &AgonesSection,
            post: Post,
        ) -> Arc<dyn DiscoveryAdapter> {
            let on_error = match section.on_error {
                OnAllocationError::Refuse => OnDiscoveryError::Refuse,
                OnAllocationError::Next => OnDiscoveryError::Next,
            };
            let guard = Guard::new(post, "discovery", "agones", *section.timeout);
            Arc::new(Guarded::new(Allocated::new(section, &self.0), guard, on_error))
        }

        pub(in crate::adapters) fn watched(
            &self,
            section: &AgonesWatchSection,
            post: Post,
        ) -> Arc<dyn DiscoveryAdapter> {
            let guard = Guard::without_breaker(post, "discovery", "agones_watch", section.timeout + MARGIN);
            // It gives old answers itself where they are wanted.
            let on_error = section.on_error.without_stale();
            Arc::new(Guarded::new(Watched::new(section, &self.0), guard, on_error))
        }
    }
}

#[cfg(not(feature = "agones"))]
mod unbuilt {
    use drawbridge_adapter::background::Background;
    use drawbridge_adapter::guard::Post;
    use drawbridge_config::Located;
    use drawbridge_model::DiscoveryAdapter;
    use std::sync::Arc;
    use std::time::Duration;

    drawbridge_config::unbuilt!(
        "agones",
        NeedsAgones,
        "ask a Kubernetes cluster",
        "discovery may be \"fixed\""
    );

    pub(in crate::adapters) fn attempts(section: &NeedsAgones) -> &Located<Duration> {
        match *section {}
    }

    /// No cluster is asked.
    #[derive(Debug, Clone)]
    pub(in crate::adapters) struct Agones;

    impl Agones {
        pub(in crate::adapters) fn new(_: &Arc<Background>) -> Self {
            Self
        }

        #[expect(clippy::unused_self, reason = "the same as with Agones")]
        pub(in crate::adapters) fn allocated(
            &self,
            section: &NeedsAgones,
            _: Post,
        ) -> Arc<dyn DiscoveryAdapter> {
            match *section {}
        }

        #[expect(clippy::unused_self, reason = "the same as with Agones")]
        pub(in crate::adapters) fn watched(
            &self,
            section: &NeedsAgones,
            _: Post,
        ) -> Arc<dyn DiscoveryAdapter> {
            match *section {}
        }
    }
}
