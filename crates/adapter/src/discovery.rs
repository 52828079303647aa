//! Where targets come from.

pub mod fixed;

pub use fixed::{Fixed, FixedDiscoverySection};
