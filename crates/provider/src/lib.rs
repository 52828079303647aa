//! Where routes come from beside files. A provider follows what somebody else keeps, and makes documents of it that are read as route files
//! are: with the same checks, the same words for mistakes, and the same mercy for one that breaks.
//!
//! - [`Providers`] runs those that the configuration names, and knows what they have.
//! - [`docker`]: containers with labels. [`kubernetes`]: services with annotations.
//!
//! What must stay true: a provider that loses whoever it asks keeps its documents; nobody who writes a label writes keys of the
//! configuration that they weren't given; all that is read has a bound, and all that is waited for a deadline.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(all(feature = "docker", feature = "kubernetes")),
    allow(dead_code, reason = "what providers share is used by those that are built")
)]

mod desk;
pub mod docker;
mod draft;
#[cfg(all(fuzzing, feature = "docker", feature = "kubernetes"))]
pub mod fuzzing;
pub mod kubernetes;
mod labels;
mod providers;
mod section;
mod shape;
mod unbuilt;

pub use providers::Providers;
pub use section::ProvidersSection;
