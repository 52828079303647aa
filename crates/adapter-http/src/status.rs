//! What the server list shows, from a URL.

mod header;
mod polled;

pub use drawbridge_adapter::status::{FieldsSection, Pointer};
pub use header::HeaderText;
pub use polled::{HttpStatusSection, Polled};

pub(crate) use polled::{Page, Question};
