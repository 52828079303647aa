//! What adapters that speak HTTP share across snapshots.

use crate::favicon::LastPicture;
use crate::location::BaseUrl;
use crate::session_server::SessionServer;
use crate::status::{Page, Question};
use crate::tls::Tls;
use drawbridge_adapter::background::Background;
use drawbridge_adapter::shelf::Shelf;
use std::sync::Arc;

/// One for a process, cheap to clone: a reload finds the connections of the snapshot before, and how its servers were doing.
/// Nothing is loaded or opened, nor does anything run, before somebody asks.
#[derive(Debug, Clone, Default)]
pub struct Http(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    background: Arc<Background>,
    tls: Arc<Tls>,
    session_servers: Shelf<BaseUrl, SessionServer>,
    pictures: Shelf<String, LastPicture>,
    pages: Shelf<Question, Page>,
}

impl Http {
    /// What it does by itself, it does in `background`.
    #[must_use]
    pub fn new(background: Arc<Background>) -> Self {
        Self(Arc::new(Shared { background, ..Shared::default() }))
    }

    /// The session server at `url`, the same for all who ask while one of them keeps it.
    pub(crate) fn session_server(&self, url: &BaseUrl) -> Arc<SessionServer> {
        self.0.session_servers.get(url, || SessionServer::new(url.clone(), self.tls()))
    }

    /// The picture that was at `url` last, the same for all who ask while one of them keeps it.
    pub(crate) fn last_picture(&self, url: &str) -> Arc<LastPicture> {
        self.0.pictures.get(&url.to_owned(), LastPicture::default)
    }

    /// The page of this question, asked for once however many want it, while one of them keeps it.
    pub(crate) fn page(&self, question: &Question) -> Arc<Page> {
        self.0.pages.get(question, || Page::new(question.clone(), self.tls(), self.background()))
    }

    pub(crate) fn tls(&self) -> Arc<Tls> {
        Arc::clone(&self.0.tls)
    }

    pub(crate) fn background(&self) -> &Background {
        &self.0.background
    }
}
