//! What the server list shows.

pub mod cached;
pub mod document;
pub mod favicon;
pub mod fixed;
pub mod pointer;
pub mod question;
pub mod relayed;
pub mod states;

pub use cached::{Cached, Caching, shown_to_class};
pub use document::{DocumentError, FieldsSection, Reading};
pub use favicon::{Favicon, FaviconError, FaviconLoader, FaviconSlot, Loading};
pub use fixed::{Fixed, FixedStatusSection};
pub use pointer::Pointer;
pub use relayed::{Relayed, RelayedStatusSection};
pub use states::{OnStatusError, StateSection, StatesSection};
