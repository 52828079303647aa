//! Discovery by DNS: SRV records with their priorities and weights, or the addresses of a name.
//!
//! - [`DnsDiscovery`] gives a player the targets, in an order of their own; [`DnsSection`] is its section.
//! - [`Dns`] is what they share across snapshots: the answers, each asked for in the background however many want it, and
//!   [`Counts`] of what became of the questions.
//!
//! What must stay true: a login waits for DNS only where no answer has come yet; that a name server fails never takes away
//! targets that were found; what an answer holds is bounded and checked before anybody is sent there.

#![forbid(unsafe_code)]

mod answers;
mod counts;
mod discovery;
mod names;
mod setting;
mod weights;

pub use counts::Counts;
pub use discovery::{DnsDiscovery, DnsSection, Record};
pub use setting::{Domain, NameServer};

use answers::{Answers, Question};
use counts::Counting;
use drawbridge_adapter::background::Background;
use drawbridge_adapter::shelf::Shelf;
use std::sync::Arc;

/// One for a process, cheap to clone: a reload finds the answers of the snapshot before.
#[derive(Debug, Clone, Default)]
pub struct Dns(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    background: Arc<Background>,
    answers: Shelf<Question, Answers>,
    counting: Arc<Counting>,
}

impl Dns {
    /// What it asks by itself, it asks in `background`.
    #[must_use]
    pub fn new(background: Arc<Background>) -> Self {
        Self(Arc::new(Shared { background, ..Shared::default() }))
    }

    /// What became of the questions of this process so far, for its metrics.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.counting.counts()
    }

    /// The answers to a question, which is asked while somebody keeps them.
    pub(crate) fn answers(&self, question: &Question) -> Arc<Answers> {
        let counting = &self.0.counting;
        self.0.answers.get(question, || Answers::new(question.clone(), counting, &self.0.background))
    }

    pub(crate) fn counting(&self) -> Arc<Counting> {
        Arc::clone(&self.0.counting)
    }
}
