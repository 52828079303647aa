//! What the places are called where players are, and whether there is one of a name. [`PlaceName`] takes names apart.
//!
//! What must stay true: what somebody is told that a place is called brings them there.

use crate::passenger::LIMBO;
use drawbridge_model::{Client, PlaceName};
use drawbridge_routing::Snapshot;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::timeout;

/// How long it may take to find out whether there is a place.
const LOOKED_UP: Duration = Duration::from_secs(2);

/// What a place is called that is a target of a route, or its limbo, for somebody who came by the route `home`.
pub(crate) fn name_of(route: &str, identifier: &str, address: &str, home: &str) -> String {
    if address == LIMBO {
        route.to_owned()
    } else if route == home {
        identifier.to_owned()
    } else {
        format!("{route}/{identifier}")
    }
}

/// Whether anybody who came by one of these routes can know a place by this name.
pub(crate) async fn is_known(
    name: PlaceName<'_>,
    snapshot: &Snapshot,
    came_by: &BTreeSet<String>,
    client: &Client,
) -> bool {
    let all = || snapshot.routes().iter();
    if all().any(|route| route.is_session() && name.is(&route.name)) {
        return true;
    }
    let at_home = all().filter(|route| came_by.contains(&route.name)).map(|route| (route, name));
    let elsewhere = all().filter(|route| route.is_session());
    let elsewhere = elsewhere.filter_map(|route| Some((route, name.at(&route.name)?)));
    let looked_up = async {
        for (route, name) in at_home.chain(elsewhere) {
            let targets = route.shared_targets(client).await.unwrap_or_default();
            if targets.iter().any(|target| name.is(&target.identifier)) {
                return true;
            }
        }
        false
    };
    timeout(LOOKED_UP, looked_up).await.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_called_from_where_somebody_came() {
        for (route, address, home, name) in [
            ("lobby", "127.0.0.1:1", "lobby", "a"),
            ("arena", "127.0.0.1:1", "lobby", "arena/a"),
            ("arena", LIMBO, "lobby", "arena"),
            ("lobby", LIMBO, "lobby", "lobby"),
        ] {
            assert_eq!(name_of(route, "a", address, home), name);
        }
    }
}
