//! The messages of `proto/`, compiled, and the paths of the calls.

#![allow(missing_docs, reason = "described in the definitions")]
#![allow(clippy::all, unreachable_pub, reason = "generated")]

tonic::include_proto!("scrayosnet.passage.adapter");

/// The request of `discovery_nested.proto`, written out: its other messages are those of `discovery.proto`, and one package can't
/// have two of a name.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct NestedTargetRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) client: Option<ClientInfo>,
}

/// Whether a server serves.
pub(crate) mod health {
    tonic::include_proto!("grpc.health.v1");
}

/// The calls, as they stand in the definitions.
pub(crate) mod path {
    pub(crate) const STATUS: &str = "/scrayosnet.passage.adapter.Status/GetStatus";
    pub(crate) const AUTHENTICATION: &str = "/scrayosnet.passage.adapter.Authentication/Authenticate";
    pub(crate) const DISCOVERY: &str = "/scrayosnet.passage.adapter.Discovery/GetTargets";
    pub(crate) const ACTION: &str = "/scrayosnet.passage.adapter.DiscoveryAction/Apply";
    pub(crate) const STRATEGY: &str = "/scrayosnet.passage.adapter.Strategy/SelectTarget";
    pub(crate) const LOCALIZATION: &str = "/scrayosnet.passage.adapter.Localization/Localize";
    pub(crate) const HEALTH: &str = "/grpc.health.v1.Health/Watch";
}
