//! A discovery as an action: it adds its targets behind those that are there.

use async_trait::async_trait;
use drawbridge_model::{ActionAdapter, ActionError, Client, DiscoveryAdapter, Identity, Target};
use std::collections::HashSet;
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
        let found = self.0.targets(client, identity).await?;
        let there: HashSet<_> = targets.iter().map(|target| target.identifier.clone()).collect();
        targets.extend(found.into_iter().filter(|target| !there.contains(&target.identifier)));
        Ok(targets)
    }
}
