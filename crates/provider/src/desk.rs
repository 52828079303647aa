//! What a provider knows, and how it is doing.
//!
//! What must stay true: it is told once that whoever is asked is away, and once that they are back; documents that are the same as before
//! are no news.

use drawbridge_model::{Offer, Remark, RouteDocument};
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// The most bytes of all texts together, as of one file.
const MOST: usize = 64 << 20;

/// What a provider has found, for those who read it.
#[derive(Debug)]
pub(crate) struct Desk {
    provider: &'static str,
    offer: watch::Sender<Offer>,
    much: Bound,
}

impl Desk {
    pub(crate) fn new(provider: &'static str) -> Self {
        let much = Bound::new(provider, None, MOST, "bytes of routes");
        Self { provider, offer: watch::Sender::default(), much }
    }

    pub(crate) const fn provider(&self) -> &'static str {
        self.provider
    }

    pub(crate) fn offers(&self) -> watch::Receiver<Offer> {
        self.offer.subscribe()
    }

    /// Whether there has been an answer yet.
    pub(crate) fn has_offer(&self) -> bool {
        self.offer.borrow().is_some()
    }

    /// This is all there is, in the order in which it came: where it is too much, what came last is left out.
    pub(crate) fn put(&self, documents: impl IntoIterator<Item = RouteDocument>) {
        let mut room = MOST;
        let mut left_out = None;
        let fits = |document: &RouteDocument| match room.checked_sub(bytes(document)) {
            Some(left) => {
                room = left;
                true
            }
            None => {
                left_out.get_or_insert_with(|| document.name.clone());
                false
            }
        };
        let mut documents: Vec<_> = documents.into_iter().filter(fits).collect();
        self.much.note(left_out.as_deref());
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

/// About how many bytes a document has: what is wrong with a short one may be told at length.
pub(crate) fn bytes(document: &RouteDocument) -> usize {
    let remarks = document.remarks.iter();
    let remarks = remarks.map(|remark| size_of::<Remark>() + remark.message.len() + remark.help.len());
    document.text.len() + remarks.sum::<usize>()
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

/// A bound on what is known: it is told once that something is beyond it, and once that nothing is any more.
#[derive(Debug)]
pub(crate) struct Bound {
    provider: &'static str,
    /// The part of what is asked that this is about, where there are several.
    namespace: Option<String>,
    most: usize,
    unit: &'static str,
    /// What becomes of those beyond it.
    fate: &'static str,
    exceeded: AtomicBool,
}

impl Bound {
    /// So many of this unit, such as 2,000 containers.
    pub(crate) const fn new(
        provider: &'static str,
        namespace: Option<String>,
        most: usize,
        unit: &'static str,
    ) -> Self {
        let fate = "those that came last are no routes";
        Self { provider, namespace, most, unit, fate, exceeded: AtomicBool::new(false) }
    }

    /// The same bound, where this becomes of those beyond it.
    pub(crate) const fn with_fate(mut self, fate: &'static str) -> Self {
        self.fate = fate;
        self
    }

    /// This is the first that is beyond it, if any is.
    pub(crate) fn note(&self, first: Option<&str>) {
        match first {
            Some(_) => self.exceeded(first),
            None => self.held(),
        }
    }

    /// There are more, of which this is the first where that is known.
    pub(crate) fn exceeded(&self, first: Option<&str>) {
        let Self { provider, namespace, most, unit, fate, .. } = self;
        if self.is_news(true) {
            let first = first.map(crate::labels::shown);
            tracing::warn!(provider, namespace, first, "there are more than {most} {unit}: {fate}");
        }
    }

    /// There are no more than that.
    pub(crate) fn held(&self) {
        let Self { provider, namespace, most, unit, .. } = self;
        if self.is_news(false) {
            tracing::info!(provider, namespace, "there are no more than {most} {unit} any more");
        }
    }

    fn is_news(&self, exceeded: bool) -> bool {
        self.exceeded.swap(exceeded, Ordering::Relaxed) != exceeded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_a_bound_is_told_once_and_so_is_its_end() {
        let bound = Bound::new("docker", None, 2, "containers");
        let told = [false, true, true, false, false, true].map(|exceeded| bound.is_news(exceeded));
        assert_eq!(told, [false, true, false, true, false, true]);
    }

    fn document(name: &str, bytes: usize) -> RouteDocument {
        RouteDocument { name: name.to_owned(), text: "#".repeat(bytes), remarks: Vec::new() }
    }

    #[test]
    fn what_is_there_has_an_order_and_a_bound_and_the_same_again_is_no_news() {
        let desk = Desk::new("docker");
        let mut offers = desk.offers();
        assert!(offers.borrow_and_update().is_none());
        desk.put(vec![document("c", MOST - 1), document("b", 2), document("a", 1)]);
        let offer = offers.borrow_and_update().clone().unwrap();
        let names: Vec<_> = offer.iter().map(|document| document.name.as_str()).collect();
        assert_eq!(names, ["a", "c"], "who came first stays");
        desk.put(vec![document("c", 1), document("a", 1)]);
        offers.mark_unchanged();
        desk.put(vec![document("c", 1), document("a", 1)]);
        assert!(!offers.has_changed().unwrap());
        desk.put(Vec::new());
        assert!(offers.has_changed().unwrap(), "none is something else than not known");
    }
}
