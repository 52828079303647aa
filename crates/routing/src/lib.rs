//! The snapshot of routes: which route a host belongs to, and where a route's players are placed.
//!
//! - [`Snapshot`] is built from the sections of [`section`] and holds a [`Table`] of [`Route`]s.
//! - [`adapters`] has the kinds of adapters that a route may name: whoever adds one adds a line there.
//! - [`clean_host`] is the one place where a typed host is cleaned.
//!
//! What must stay true: a snapshot never changes; a connection keeps the one that it started with. A snapshot that can't be
//! built says why at the keys that are wrong, and leaves nothing running.

#![forbid(unsafe_code)]

pub mod adapters;
#[cfg(test)]
mod fixtures;
mod host;
mod maintenance;
mod pattern;
mod placement;
mod precedence;
mod route;
pub mod section;
mod session;
mod snapshot;
mod table;
mod transfer;

pub use adapters::Services;
pub use drawbridge_adapter::health::Condition;
pub use host::{clean_host, is_forwarded};
pub use maintenance::Maintenance;
pub use pattern::{HostPattern, HostPatternError, Matching};
pub use precedence::settle;
pub use route::Route;
pub use section::{Delivery, LimboKind, Mode, OnTransfer, RelayHost, RelaySection, RouteSection};
pub use session::Session;
pub use snapshot::Snapshot;
pub use table::{Conflict, Table, TableBuilder};
pub use transfer::{ResourcePack, Transfer, TransferAddressError};
