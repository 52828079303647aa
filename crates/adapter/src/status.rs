//! What the server list shows.

pub mod favicon;
pub mod fixed;

pub use favicon::{Favicon, FaviconError, FaviconLoader, FaviconSlot, Loading};
pub use fixed::{Fixed, FixedStatusSection};
