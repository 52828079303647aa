//! The words of Drawbridge as types, and the traits through which a route asks its adapters, routes come from elsewhere, bans are asked, and whoever
//! operates the edge is.
//!
//! What must stay true: nothing turns a [`Claim`] into a [`Profile`] but an authentication adapter or a valid cookie, and
//! [`Refusal`] alone maps a reason to its message, log level and metric label.

#![forbid(unsafe_code)]

pub mod adapter;
pub mod ban;
pub mod client;
pub mod identity;
pub mod notice;
pub mod operator;
pub mod place;
pub mod provider;
pub mod refusal;
pub mod status;
pub mod target;

pub use adapter::{
    ActionAdapter, ActionError, AdapterError, Authentication, AuthenticationAdapter, AuthenticationError,
    DiscoveryAdapter, LocalizationAdapter, Message, StatusAdapter,
};
pub use ban::{Ban, Bans, Subject, SubjectError};
pub use client::{Client, TraceContext};
pub use identity::{Claim, Identity, Profile, Property};
pub use notice::Notice;
pub use operator::{MaintenanceOrder, Operation, Operator, Said};
pub use place::PlaceName;
pub use provider::{Offer, Remark, RouteDocument, RouteSource};
pub use refusal::{Refusal, Refused, Severity};
pub use status::{Status, StatusDocument};
pub use target::{Lease, Target, TargetAddress};
