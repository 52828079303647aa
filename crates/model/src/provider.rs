//! Where routes come from beside files: a provider turns what somebody else keeps into documents, which are read as route files are.
//!
//! What must stay true: a document's text is TOML whatever stood where it comes from, so that nobody writes keys of the configuration
//! that they weren't given.

use std::fmt::Debug;
use std::sync::Arc;
use tokio::sync::watch;

/// One or more routes as `[[routes]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteDocument {
    /// Names it in mistakes and warnings: `docker:lobby`. No file has a name like it.
    pub name: String,
    /// The text in TOML.
    pub text: String,
    /// What the provider itself found wrong.
    pub remarks: Vec<Remark>,
}

/// What is wrong in a document that its text alone doesn't show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The line that shows it, counted from 1.
    pub line: usize,
    /// Whether the document can't be used.
    pub fatal: bool,
    /// What is wrong.
    pub message: String,
    /// How it is put right.
    pub help: String,
}

/// All documents of a provider, in the order of their names; `None` while it hasn't had an answer yet.
pub type Offer = Option<Arc<[RouteDocument]>>;

/// A provider of routes. What it knows stays known while whoever it asks is away.
pub trait RouteSource: Debug + Send + Sync {
    /// Names it in logs and in the names of its documents.
    fn name(&self) -> &'static str;

    /// What it has now, and word when that is something else. The channel stays open for as long as the provider lives.
    fn offers(&self) -> watch::Receiver<Offer>;
}
