//! Adapters that ask services over gRPC: status, authentication, discovery, action and localization.
//!
//! - [`Grpc`] is what they share across snapshots: connections, and how the peers are doing.
//! - [`Endpoint`] names a service as it is configured; `peers` keeps connections to those that offer it, `peer` one of them.
//! - [`Service`] asks: each call has a deadline and a bound, and ends when nobody waits for it.
//!
//! What must stay true: nothing is loaded or opened before somebody asks; whatever runs by itself ends with the adapters
//! that it runs for; metadata and keys are never shown; no text of a peer's is shown unbounded.

#![forbid(unsafe_code)]

pub mod action;
pub mod authentication;
pub mod discovery;
mod endpoint;
mod error;
#[cfg(test)]
mod fixtures;
mod grpc;
mod health;
mod line;
pub mod localization;
mod peer;
mod peers;
mod proto;
mod service;
pub mod status;
mod target;

pub use endpoint::{Certificates, Endpoint, EndpointSection, Metadata, PeerUri, TlsSection};
pub use grpc::Grpc;
pub use service::Service;
