//! What gRPC is needed for: services that answer for every kind of adapter.

#[cfg(feature = "grpc")]
pub(super) use built::Grpc;
#[cfg(feature = "grpc")]
pub use built::{
    GrpcActionSection, GrpcAuthenticationSection, GrpcDiscoverySection, GrpcLocalizationSection,
    GrpcStatusSection,
};
#[cfg(not(feature = "grpc"))]
pub(super) use unbuilt::Grpc;
#[cfg(not(feature = "grpc"))]
pub use unbuilt::{
    NeedsGrpc as GrpcActionSection, NeedsGrpc as GrpcAuthenticationSection,
    NeedsGrpc as GrpcDiscoverySection, NeedsGrpc as GrpcLocalizationSection, NeedsGrpc as GrpcStatusSection,
};

#[cfg(feature = "grpc")]
mod built {
    use drawbridge_adapter::background::Background;
    use drawbridge_adapter::guard::{Guard, Post};
    use drawbridge_adapter::status::{Cached, Caching};
    use drawbridge_adapter::{action, authentication, discovery};
    use drawbridge_adapter_grpc::action::GrpcAction;
    pub use drawbridge_adapter_grpc::action::GrpcActionSection;
    use drawbridge_adapter_grpc::authentication::GrpcAuthentication;
    pub use drawbridge_adapter_grpc::authentication::GrpcAuthenticationSection;
    use drawbridge_adapter_grpc::discovery::GrpcDiscovery;
    pub use drawbridge_adapter_grpc::discovery::GrpcDiscoverySection;
    pub use drawbridge_adapter_grpc::localization::GrpcLocalizationSection;
    use drawbridge_adapter_grpc::localization::{self, GrpcLocalization};
    use drawbridge_adapter_grpc::status::GrpcStatus;
    pub use drawbridge_adapter_grpc::status::GrpcStatusSection;
    use drawbridge_model::{
        ActionAdapter, AuthenticationAdapter, DiscoveryAdapter, LocalizationAdapter, StatusAdapter,
    };
    use std::sync::Arc;
    use std::time::Duration;

    /// The services that are asked.
    #[derive(Debug, Clone)]
    pub(in crate::adapters) struct Grpc(drawbridge_adapter_grpc::Grpc);

    impl Grpc {
        pub(in crate::adapters) fn new(background: &Arc<Background>) -> Self {
            Self(drawbridge_adapter_grpc::Grpc::new(Arc::clone(background)))
        }

        pub(in crate::adapters) fn status(
            &self,
            section: &GrpcStatusSection,
            background: &Arc<Background>,
            post: Post,
        ) -> Arc<dyn StatusAdapter> {
            // Without a cache a ping waits for the answer itself; a guard that waits longer would never see who hangs.
            let patience = if section.cache.is_zero() { section.patience } else { Duration::MAX };
            let guard = Guard::new(post, "status", "grpc", section.endpoint.patience().min(patience));
            let caching = Caching {
                cache: section.cache,
                patience: section.patience,
                on_error: section.on_error,
                unreachable: section.states.unreachable.clone(),
            };
            let adapter = GrpcStatus::new(section, &self.0);
            Arc::new(Cached::new(adapter, guard, caching, Arc::clone(background)))
        }

        pub(in crate::adapters) fn authentication(
            &self,
            section: &GrpcAuthenticationSection,
            post: Post,
        ) -> Arc<dyn AuthenticationAdapter> {
            let guard = Guard::new(post, "authentication", "grpc", section.endpoint.patience());
            Arc::new(authentication::Guarded::new(GrpcAuthentication::new(section, &self.0), guard))
        }

        pub(in crate::adapters) fn discovery(
            &self,
            section: &GrpcDiscoverySection,
            post: Post,
        ) -> Arc<dyn DiscoveryAdapter> {
            let guard = Guard::new(post, "discovery", "grpc", section.endpoint.patience());
            Arc::new(discovery::Guarded::new(GrpcDiscovery::new(section, &self.0), guard, section.on_error))
        }

        pub(in crate::adapters) fn action(
            &self,
            section: &GrpcActionSection,
            post: Post,
        ) -> Arc<dyn ActionAdapter> {
            let guard = Guard::new(post, "action", "grpc", section.endpoint.patience());
            Arc::new(action::Guarded::new(GrpcAction::new(section, &self.0), guard, section.on_error))
        }

        pub(in crate::adapters) fn localization(
            &self,
            section: &GrpcLocalizationSection,
            post: Post,
        ) -> Arc<dyn LocalizationAdapter> {
            let guard = Guard::new(
                post,
                "localization",
                "grpc",
                section.endpoint.patience().min(localization::PATIENCE),
            );
            Arc::new(GrpcLocalization::new(section, &self.0, guard))
        }
    }
}

#[cfg(not(feature = "grpc"))]
mod unbuilt {
    use drawbridge_adapter::background::Background;
    use drawbridge_adapter::guard::Post;
    use drawbridge_model::{
        ActionAdapter, AuthenticationAdapter, DiscoveryAdapter, LocalizationAdapter, StatusAdapter,
    };
    use std::sync::Arc;

    drawbridge_config::unbuilt!("grpc", NeedsGrpc, "ask a service over gRPC", "name another type");

    /// Nobody is asked.
    #[derive(Debug, Clone)]
    pub(in crate::adapters) struct Grpc;

    #[expect(clippy::unused_self, reason = "the same as with gRPC")]
    impl Grpc {
        pub(in crate::adapters) fn new(_: &Arc<Background>) -> Self {
            Self
        }

        pub(in crate::adapters) fn status(
            &self,
            section: &NeedsGrpc,
            _: &Arc<Background>,
            _: Post,
        ) -> Arc<dyn StatusAdapter> {
            match *section {}
        }

        pub(in crate::adapters) fn authentication(
            &self,
            section: &NeedsGrpc,
            _: Post,
        ) -> Arc<dyn AuthenticationAdapter> {
            match *section {}
        }

        pub(in crate::adapters) fn discovery(
            &self,
            section: &NeedsGrpc,
            _: Post,
        ) -> Arc<dyn DiscoveryAdapter> {
            match *section {}
        }

        pub(in crate::adapters) fn action(&self, section: &NeedsGrpc, _: Post) -> Arc<dyn ActionAdapter> {
            match *section {}
        }

        pub(in crate::adapters) fn localization(
            &self,
            section: &NeedsGrpc,
            _: Post,
        ) -> Arc<dyn LocalizationAdapter> {
            match *section {}
        }
    }
}
