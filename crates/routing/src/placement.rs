//! Placement: discovery, then the actions in their order.

use drawbridge_model::{
    ActionAdapter, ActionError, Client, DiscoveryAdapter, Identity, Refusal, Refused, Target,
};
use drawbridge_telemetry::Seldom;
use drawbridge_telemetry::span::asked;
use std::sync::Arc;

/// How a route finds targets for a player.
#[derive(Debug)]
pub(crate) struct Placement {
    pub(crate) discovery: Arc<dyn DiscoveryAdapter>,
    pub(crate) actions: Vec<Action>,
    /// How often the log says that discovery fails.
    pub(crate) failing: Seldom,
}

/// An action, and how the log names it.
#[derive(Debug)]
pub(crate) struct Action {
    pub(crate) name: String,
    pub(crate) adapter: Arc<dyn ActionAdapter>,
    /// How often the log says that it fails.
    pub(crate) failing: Seldom,
}

impl Placement {
    /// Where the player may go, the first to be tried first; at least one target.
    pub(crate) async fn place(
        &self,
        route: &str,
        client: &Client,
        identity: &Identity,
    ) -> Result<Vec<Target>, Refused> {
        let found =
            asked("discovery", None, client, async |client| self.discovery.targets(client, identity).await);
        let mut targets = found.await.map_err(|error| {
            if self.failing.permits_now() {
                tracing::warn!(route, %error, "discovery failed");
            }
            Refused::from(Refusal::Discovery)
        })?;
        // Who left the player without a target: the action that took the last one.
        let mut emptied_by = None;
        for Action { name, adapter, failing } in &self.actions {
            let before = targets.len();
            let applied = asked("action", Some(name), client, async |client| {
                adapter.apply(client, identity, targets).await
            });
            targets = applied.await.map_err(|error| match error {
                ActionError::Refused(key) => {
                    Refused { key, by: Some(name.clone()), ..Refusal::Action.into() }
                }
                ActionError::Unavailable(error) => {
                    if failing.permits_now() {
                        tracing::warn!(route, action = name, %error, "an action failed");
                    }
                    Refused { by: Some(name.clone()), ..Refusal::ActionFailed.into() }
                }
            })?;
            if targets.is_empty() && before > 0 {
                emptied_by = Some(name);
            }
        }
        if targets.is_empty() {
            let by = emptied_by.cloned();
            return Err(Refused { by, ..Refusal::NoTarget.into() });
        }
        Ok(targets)
    }
}

#[cfg(test)]
mod tests;
