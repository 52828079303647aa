//! Kubernetes: a Service with annotations `drawbridge.dev/…` is a route.
//!
//! What must stay true: what is known of a namespace stays known while it can't be watched, and keeps no other namespace waiting.

#[cfg(feature = "kubernetes")]
mod follow;
#[cfg(feature = "kubernetes")]
mod found;
#[cfg(feature = "kubernetes")]
mod seat;
#[cfg(feature = "kubernetes")]
mod section;
#[cfg(feature = "kubernetes")]
mod service;
#[cfg(not(feature = "kubernetes"))]
mod unbuilt;

#[cfg(feature = "kubernetes")]
pub(crate) use follow::Kubernetes;
#[cfg(feature = "kubernetes")]
pub use section::KubernetesSection;
#[cfg(all(fuzzing, feature = "kubernetes"))]
pub(crate) use service::STYLE;
#[cfg(not(feature = "kubernetes"))]
pub(crate) use unbuilt::Kubernetes;
#[cfg(not(feature = "kubernetes"))]
pub use unbuilt::KubernetesSection;
