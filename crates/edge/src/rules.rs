//! What a route asks of whoever comes by it, whichever way that is: by its host, by a switch, or instead of another route.

use crate::shared::Shared;
use drawbridge_model::{Client, Refusal};
use drawbridge_routing::Route;

/// Why the route doesn't take the client, if so, as far as that is known before anybody has said who they are.
pub(crate) fn refuses(route: &Route, client: &Client, shared: &Shared) -> Option<Refusal> {
    if !route.access.permits(client.address.ip()) {
        Some(Refusal::Access)
    } else if shared.switches.is_maintained(route) {
        Some(Refusal::Maintenance)
    } else if !route.takes_version(client.version) {
        Some(Refusal::Version)
    } else {
        None
    }
}
