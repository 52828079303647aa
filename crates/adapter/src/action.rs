//! What becomes of the targets that a discovery found.

pub mod discovery;
pub mod guarded;

pub use discovery::Append;
pub use guarded::{Guarded, OnActionError};
