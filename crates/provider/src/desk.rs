//! What a provider knows, and how it is doing.
//!
//! What must stay true: it is told once that whoever is asked is away, and once that they are back; documents that are the same as before
//! are no news.

use drawbridge_model::{Offer, RouteDocument};
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// What a provider has found, for those who read it.
#[derive(Debug)]
pub(crate) struct Desk {
    provider: &'static str,
    offer: watch::Sender<Offer>,
}

impl Desk {
    pub(crate) fn new(provider: &'static str) -> Self {
        Self { provider, offer: watch::Sender::default() }
    }

    pub(crate) const fn provider(&self) -> &'static str {
        self.provider
    }

    pub(crate) fn offers(&self) -> watch::Receiver<Offer> {
        self.offer.subscribe()
    }

    /// This is all there is.
    pub(crate) fn put(&self, mut documents: Vec<RouteDocument>) {
        documents.sort_by(|one, other| one.name.cmp(&other.name));
        self.offer.send_if_modified(|offer| {
            let news = offer.as_deref() != Some(&documents);
            if news {
                *offer = Some(Arc::from(documents));
            }
            news
        });
    }
}

/// Whether whoever is asked answers.
#[derive(Debug)]
pub(crate) struct Health {
    provider: &'static str,
    /// The part of what is asked that this is about, where there are several.
    namespace: Option<String>,
    failing: AtomicBool,
}

impl Health {
    pub(crate) const fn of(provider: &'static str, namespace: Option<String>) -> Self {
        Self { provider, namespace, failing: AtomicBool::new(false) }
    }

    /// It is known how things are.
    pub(crate) fn well(&self) {
        if self.failing.swap(false, Ordering::Relaxed) {
            let Self { provider, namespace, .. } = self;
            tracing::info!(provider, namespace, "routes are followed again");
        }
    }

    /// Nobody knows how things are; what was known stays.
    pub(crate) fn failing(&self, error: &dyn Display, help: Option<&str>) {
        if !self.failing.swap(true, Ordering::Relaxed) {
            let Self { provider, namespace, .. } = self;
            tracing::warn!(provider, namespace, %error, help, "routes can't be followed: those that are known stay");
        }
    }
}
