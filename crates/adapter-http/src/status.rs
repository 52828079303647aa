//! What the server list shows, from a URL.

mod document;
mod header;
mod pointer;
mod polled;

pub use document::FieldsSection;
pub use header::HeaderText;
pub use pointer::Pointer;
pub use polled::{HttpStatusSection, Polled};

pub(crate) use polled::{Page, Question};
