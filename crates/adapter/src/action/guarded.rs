//! An action that asks somebody else, behind a guard: what happens when it fails.

use crate::guard::Guard;
use async_trait::async_trait;
use drawbridge_config::keywords;
use drawbridge_model::{ActionAdapter, ActionError, Client, Identity, Target};

keywords! {
    /// What becomes of a player when an action fails.
    pub enum OnActionError {
        /// The player is refused.
        "refuse" => Refuse,
        /// It goes on as if the action weren't there.
        "skip" => Skip,
    }
}

/// A guarded action.
#[derive(Debug)]
pub struct Guarded<A> {
    adapter: A,
    guard: Guard,
    on_error: OnActionError,
}

impl<A> Guarded<A> {
    /// `adapter`, behind `guard`.
    #[must_use]
    pub const fn new(adapter: A, guard: Guard, on_error: OnActionError) -> Self {
        Self { adapter, guard, on_error }
    }
}

#[async_trait]
impl<A: ActionAdapter> ActionAdapter for Guarded<A> {
    async fn apply(
        &self,
        client: &Client,
        identity: &Identity,
        targets: Vec<Target>,
    ) -> Result<Vec<Target>, ActionError> {
        let kept = (self.on_error == OnActionError::Skip).then(|| targets.clone());
        match (self.guard.ask(self.adapter.apply(client, identity, targets)).await, kept) {
            (Err(ActionError::Unavailable(error)), Some(kept)) => {
                self.guard.tell(&error, "an action failed: it goes on without");
                Ok(kept)
            }
            (outcome, _) => outcome,
        }
    }
}
