//! Where targets come from.

pub mod fixed;
pub mod guarded;

pub use fixed::{Fixed, FixedDiscoverySection};
pub use guarded::{Guarded, OnDiscoveryError};
