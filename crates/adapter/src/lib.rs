//! Adapters that need nothing but the configuration: one file each, with its section, its type and its tests.
//!
//! - [`status`], [`authentication`], [`discovery`], [`localization`]: the adapters, by what a route asks them.
//! - [`setting`]: settings that several sections share. [`profile`]: what a profile may hold.
//!
//! What must stay true: everything that can be wrong with a section is found while it is read, at its key; building an
//! adapter from a section never fails.

#![forbid(unsafe_code)]

pub mod authentication;
pub mod discovery;
pub mod localization;
pub mod profile;
pub mod setting;
pub mod status;
