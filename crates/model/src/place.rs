//! How the places are called where a session's player can be, by the names that players and operators use.
//!
//! What must stay true: a name counts in whatever case.

/// What somebody calls a place who came by some route: a target of that by its identifier, another route by its name, and a target of another
/// by both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceName<'a>(pub &'a str);

impl<'a> PlaceName<'a> {
    /// Whether it is this identifier, or this name of a route.
    #[must_use]
    pub fn is(self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name)
    }

    /// If it is `route/target` of the route of this name, what those call the target who came by that.
    ///
    /// ```
    /// # use drawbridge_model::PlaceName;
    /// assert_eq!(PlaceName("Arena/east").at("arena"), Some(PlaceName("east")));
    /// assert_eq!(PlaceName("arena").at("arena"), None);
    /// ```
    #[must_use]
    pub fn at(self, route: &str) -> Option<Self> {
        let (name, target) = self.0.split_at_checked(route.len())?;
        target.strip_prefix('/').filter(|_| name.eq_ignore_ascii_case(route)).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_two_parts_are_taken_apart_behind_the_route() {
        for (name, route, target) in [
            ("arena/a", "arena", Some("a")),
            ("ARENA/a/b", "arena", Some("a/b")),
            ("arena/a/b", "arena/a", Some("b")),
            ("arena/", "arena", Some("")),
            ("arena", "arena", None),
            ("arena2/a", "arena", None),
            ("lobby/a", "arena", None),
            ("\u{e4}/a", "a", None),
        ] {
            assert_eq!(PlaceName(name).at(route), target.map(PlaceName), "{name} {route}");
        }
    }
}
