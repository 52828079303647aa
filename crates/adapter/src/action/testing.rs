//! What the tests of actions have in common.

use crate::fixtures::client;
use drawbridge_model::{ActionAdapter, ActionError, Claim, Identity, Profile, Target};
use uuid::Uuid;

/// Targets by identifier and metadata, at `<identifier>:25565`.
pub(super) fn targets(targets: &[(&str, &[(&str, &str)])]) -> Vec<Target> {
    let target = |(identifier, meta): &(&str, &[(&str, &str)])| Target {
        identifier: (*identifier).to_owned(),
        address: drawbridge_model::TargetAddress { host: (*identifier).to_owned(), port: 25565 },
        priority: 0,
        meta: std::sync::Arc::new(
            meta.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        ),
        lease: None,
    };
    targets.iter().map(target).collect()
}

pub(super) fn claimed(name: &str, id: &str) -> Identity {
    Identity::Claimed(Claim { name: name.to_owned(), id: id.parse().unwrap() })
}

pub(super) fn verified(name: &str, id: &str) -> Identity {
    Identity::Verified(Profile { name: name.to_owned(), id: id.parse().unwrap(), properties: Vec::new() })
}

/// The identifiers of what is left for a player who claims this name.
pub(super) async fn applied(
    action: &dyn ActionAdapter,
    name: &str,
    targets: Vec<Target>,
) -> Result<Vec<String>, ActionError> {
    applied_to(action, &claimed(name, &Uuid::nil().to_string()), targets).await
}

pub(super) async fn applied_to(
    action: &dyn ActionAdapter,
    identity: &Identity,
    targets: Vec<Target>,
) -> Result<Vec<String>, ActionError> {
    let left = action.apply(&client(), identity, targets).await?;
    Ok(left.into_iter().map(|target| target.identifier).collect())
}
