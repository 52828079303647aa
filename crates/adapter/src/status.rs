//! What the server list shows.

pub mod cached;
pub mod favicon;
pub mod fixed;
pub mod states;

pub use cached::{Cached, Caching};
pub use favicon::{Favicon, FaviconError, FaviconLoader, FaviconSlot, Loading};
pub use fixed::{Fixed, FixedStatusSection};
pub use states::{OnStatusError, StateSection, StatesSection};
