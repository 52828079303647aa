//! Adapters that need nothing but the configuration: one file each, with its section, its type and its tests.
//!
//! - [`status`], [`authentication`], [`discovery`], [`action`], [`localization`]: the adapters, by what a route asks them.
//! - [`background`], [`backoff`], [`breaker`], [`guard`], [`shelf`], [`waits`]: what adapters that ask others have in common.
//! - [`health`]: how targets are, as far as anybody knows. [`setting`]: settings that several sections share. [`profile`]: what a profile may hold.
//!
//! What must stay true: everything that can be wrong with a section is found while it is read, at its key; building an
//! adapter from a section never fails.

#![forbid(unsafe_code)]

pub mod action;
pub mod authentication;
pub mod background;
pub mod backoff;
pub mod breaker;
pub mod discovery;
#[cfg(test)]
mod fixtures;
pub mod guard;
pub mod health;
pub mod localization;
pub mod profile;
pub mod setting;
pub mod shelf;
pub mod status;
pub mod waits;
