//! A discovery that asks somebody else, behind a guard: what happens when it fails.

use crate::guard::Guard;
use async_trait::async_trait;
use drawbridge_config::keywords;
use drawbridge_model::{AdapterError, Client, DiscoveryAdapter, Identity, Target};
use drawbridge_telemetry::metrics;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

keywords! {
    /// What becomes of a player when a discovery fails.
    pub enum OnDiscoveryError {
        /// The player is refused.
        "refuse" => Refuse,
        /// The targets that were found last, for whomever it was; without any the player is refused.
        "stale" => Stale,
        /// It goes on without targets from here: an action may have some.
        "next" => Next,
    }
}

impl OnDiscoveryError {
    /// What is left to a guard where the adapter gives the last targets itself.
    #[must_use]
    pub const fn without_stale(self) -> Self {
        match self {
            Self::Stale => Self::Refuse,
            other => other,
        }
    }
}

/// A guarded discovery.
#[derive(Debug)]
pub struct Guarded<A> {
    adapter: A,
    guard: Guard,
    on_error: OnDiscoveryError,
    last: ArcSwapOption<Vec<Target>>,
}

impl<A> Guarded<A> {
    /// `adapter`, behind `guard`.
    #[must_use]
    pub const fn new(adapter: A, guard: Guard, on_error: OnDiscoveryError) -> Self {
        Self { adapter, guard, on_error, last: ArcSwapOption::const_empty() }
    }
}

impl<A> Guarded<A> {
    /// What becomes of an answer, or of none.
    fn settle(&self, found: Result<Vec<Target>, AdapterError>) -> Result<Vec<Target>, AdapterError> {
        match (found, self.on_error) {
            (Ok(targets), OnDiscoveryError::Stale) => {
                // What was set aside for one player is nothing for another.
                let kept = targets.iter().cloned().map(|target| Target { lease: None, ..target });
                self.last.store(Some(Arc::new(kept.collect())));
                Ok(targets)
            }
            (Err(error), OnDiscoveryError::Stale) => match self.last.load_full() {
                Some(last) => {
                    metrics::discovery_stale(self.guard.kind());
                    self.guard.tell(&error, "discovery failed: the last targets are used");
                    Ok(last.to_vec())
                }
                None => Err(error),
            },
            (Err(error), OnDiscoveryError::Next) => {
                self.guard.tell(&error, "discovery failed: it goes on without");
                Ok(Vec::new())
            }
            (found, _) => found,
        }
    }
}

#[async_trait]
impl<A: DiscoveryAdapter> DiscoveryAdapter for Guarded<A> {
    async fn targets(&self, client: &Client, identity: &Identity) -> Result<Vec<Target>, AdapterError> {
        self.settle(self.guard.ask(self.adapter.targets(client, identity)).await)
    }

    async fn shared_targets(&self, client: &Client) -> Result<Vec<Target>, AdapterError> {
        self.guard.ask(self.adapter.shared_targets(client)).await
    }
}
