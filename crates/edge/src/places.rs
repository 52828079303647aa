//! The places where players are, what they are called, and whether there is one of a name. [`PlaceName`] takes names apart.
//!
//! What must stay true: what somebody is told that a place is called brings them there.

use drawbridge_model::{Client, PlaceName, TargetAddress};
use drawbridge_routing::Snapshot;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;
use tokio::time::timeout;

/// How long it may take to find out whether there is a place.
const LOOKED_UP: Duration = Duration::from_secs(2);

/// Where a player is who is carried. As text its address, or that it is a limbo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whereabouts {
    /// On a target.
    Target {
        /// Its name.
        identifier: String,
        /// Where it is.
        address: TargetAddress,
        /// The route that it belongs to, where that may be another than the player came by.
        route: Option<String>,
    },
    /// In a limbo.
    Limbo {
        /// The route whose it is.
        route: String,
    },
}

impl Whereabouts {
    /// The target's name, or that of the limbo's route.
    #[must_use]
    pub fn identifier(&self) -> &str {
        match self {
            Self::Target { identifier, .. } => identifier,
            Self::Limbo { route } => route,
        }
    }

    /// Where the target is; a limbo is nowhere.
    #[must_use]
    pub const fn address(&self) -> Option<&TargetAddress> {
        match self {
            Self::Target { address, .. } => Some(address),
            Self::Limbo { .. } => None,
        }
    }

    /// What the place is called where somebody is who came by the route `came_by`, for whoever came by the route `home`.
    pub(crate) fn name(&self, came_by: &str, home: &str) -> String {
        match self {
            Self::Limbo { route } => route.clone(),
            Self::Target { identifier, route, .. } => match route.as_deref().unwrap_or(came_by) {
                route if route == home => identifier.clone(),
                route => format!("{route}/{identifier}"),
            },
        }
    }
}

impl fmt::Display for Whereabouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target { address, .. } => address.fmt(f),
            Self::Limbo { .. } => f.write_str("limbo"),
        }
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
    #![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

    use super::*;

    #[test]
    fn places_are_called_from_where_somebody_came() {
        let target = |route: Option<&str>| Whereabouts::Target {
            identifier: "a".into(),
            address: "127.0.0.1:1".parse().unwrap(),
            route: route.map(str::to_owned),
        };
        let limbo = |route: &str| Whereabouts::Limbo { route: route.into() };
        for (place, name, text) in [
            (target(None), "a", "127.0.0.1:1"),
            (target(Some("lobby")), "a", "127.0.0.1:1"),
            (target(Some("arena")), "arena/a", "127.0.0.1:1"),
            (limbo("arena"), "arena", "limbo"),
            (limbo("lobby"), "lobby", "limbo"),
        ] {
            assert_eq!((place.name("lobby", "lobby").as_str(), place.to_string().as_str()), (name, text));
        }
        assert_eq!(target(None).name("arena", "lobby"), "arena/a");
    }
}
