//! How places are called: where a session's player can be, by the names that they and operators use. A target of the route that the player came
//! by goes by its identifier, another route by its name, and a target of that by both: `route/target`.
//!
//! What must stay true: what somebody is told that a place is called brings them there; a name counts in whatever case.

use crate::passenger::LIMBO;
use drawbridge_model::{Client, Target};
use drawbridge_routing::{Route, Snapshot};
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

/// What somebody calls a place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlaceName<'a>(pub(crate) &'a str);

impl<'a> PlaceName<'a> {
    /// Whether it is this one.
    pub(crate) fn is(self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name)
    }

    /// Whether it is this target of the route that they came by.
    pub(crate) fn is_target(self, target: &Target) -> bool {
        self.is(&target.identifier)
    }

    /// Whether it is this route as a whole.
    pub(crate) fn is_route(self, route: &Route) -> bool {
        self.is(&route.name)
    }

    /// If it is a target of the route of this name, what those call it who came by that.
    pub(crate) fn at(self, route: &str) -> Option<Self> {
        let (name, target) = self.0.split_at_checked(route.len())?;
        target.strip_prefix('/').filter(|_| name.eq_ignore_ascii_case(route)).map(Self)
    }

    /// Whether anybody who came by one of these routes can know a place by this name.
    pub(crate) async fn is_known(
        self,
        snapshot: &Snapshot,
        came_by: &BTreeSet<String>,
        client: &Client,
    ) -> bool {
        let all = || snapshot.routes().iter();
        if all().any(|route| route.is_session() && self.is_route(route)) {
            return true;
        }
        let at_home = all().filter(|route| came_by.contains(&route.name)).map(|route| (route, self));
        let elsewhere = all().filter(|route| route.is_session());
        let elsewhere = elsewhere.filter_map(|route| Some((route, self.at(&route.name)?)));
        let looked_up = async {
            for (route, name) in at_home.chain(elsewhere) {
                let targets = route.shared_targets(client).await.unwrap_or_default();
                if targets.iter().any(|target| name.is_target(target)) {
                    return true;
                }
            }
            false
        };
        timeout(LOOKED_UP, looked_up).await.unwrap_or_default()
    }
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

    #[test]
    fn names_are_taken_apart_as_they_were_put_together() {
        for (name, route, target) in [
            ("arena/a", "arena", Some("a")),
            ("ARENA/a/b", "arena", Some("a/b")),
            ("arena/a/b", "arena/a", Some("b")),
            ("arena", "arena", None),
            ("arena2/a", "arena", None),
            ("lobby/a", "arena", None),
            ("\u{e4}/a", "a", None),
        ] {
            assert_eq!(PlaceName(name).at(route).map(|name| name.0), target, "{name} {route}");
        }
    }
}
