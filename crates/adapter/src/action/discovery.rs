//! A discovery as an action: it adds its targets behind those that are there.

use async_trait::async_trait;
use drawbridge_model::{ActionAdapter, ActionError, Client, DiscoveryAdapter, Identity, Target};
use std::sync::Arc;

/// Adds the targets of a discovery; one that is there already, by its identifier, stays where it is.
#[derive(Debug)]
pub struct Append(pub Arc<dyn DiscoveryAdapter>);

#[async_trait]
impl ActionAdapter for Append {
    async fn apply(
        &self,
        client: &Client,
        identity: &Identity,
        mut targets: Vec<Target>,
    ) -> Result<Vec<Target>, ActionError> {
        for found in self.0.targets(client, identity).await? {
            if !targets.iter().any(|target| target.identifier == found.identifier) {
                targets.push(found);
            }
        }
        Ok(targets)
    }
}
