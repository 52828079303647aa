//! Actions `player_allow_filter` and `player_block_filter`: who may go on to the targets.
//!
//! What must stay true: a UUID counts only where somebody vouches for it. A name counts also as a claim, since that is what such a
//! route goes by; where nobody authenticates, lists of names keep nobody out who means harm.

use crate::setting::Id;
use async_trait::async_trait;
use drawbridge_config::{Diagnostic, Fields, section};
use drawbridge_model::identity::folded;
use drawbridge_model::{ActionAdapter, ActionError, Client, Identity, Target};
use regex::Regex;
use std::collections::HashSet;
use uuid::Uuid;

section! {
    /// Which players; one that any of these names is meant.
    #[defaults]
    #[check(PlayerFilterSection::check)]
    pub struct PlayerFilterSection {
        /// Names, in any letter case.
        pub usernames: Vec<String> = Vec::new(),
        /// A regular expression that names match.
        pub username: Option<Regex>,
        /// UUIDs, of players who are authenticated.
        pub ids: Vec<Id> = Vec::new(),
        /// The key of the message for those who are turned away; without one, `disconnect_action`.
        pub message: Option<String>,
    }
}

impl PlayerFilterSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.usernames.is_empty() && self.username.is_none() && self.ids.is_empty() {
            let warning = Diagnostic::warning(fields.origin("usernames"), "the filter names no player");
            fields.report(warning.help("give usernames, username or ids"));
        }
    }
}

/// Whether those that are named may go on, or all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Only they may.
    Allow,
    /// All others may.
    Block,
}

/// Turns players away by who they are.
#[derive(Debug)]
pub struct PlayerFilter {
    rule: Rule,
    usernames: HashSet<String>,
    username: Option<Regex>,
    ids: HashSet<Uuid>,
    message: Option<String>,
}

impl PlayerFilter {
    /// As the section says.
    #[must_use]
    pub fn new(section: &PlayerFilterSection, rule: Rule) -> Self {
        Self {
            rule,
            usernames: section.usernames.iter().map(|name| folded(name)).collect(),
            username: section.username.clone(),
            ids: section.ids.iter().map(|id| id.0).collect(),
            message: section.message.clone(),
        }
    }

    fn names(&self, identity: &Identity) -> bool {
        let name = identity.name();
        self.usernames.contains(&folded(name))
            || self.username.as_ref().is_some_and(|expression| expression.is_match(name))
            || identity.verified().is_some_and(|profile| self.ids.contains(&profile.id))
    }
}

#[async_trait]
impl ActionAdapter for PlayerFilter {
    async fn apply(
        &self,
        _: &Client,
        identity: &Identity,
        targets: Vec<Target>,
    ) -> Result<Vec<Target>, ActionError> {
        let may = self.names(identity) == (self.rule == Rule::Allow);
        if may { Ok(targets) } else { Err(ActionError::Refused(self.message.clone())) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{applied_to, claimed, targets, verified};
    use super::*;
    use drawbridge_config::read_text;

    const ID: &str = "069a79f4-44e9-4726-a5be-fca90e38aaf5";

    async fn passes(rule: Rule, text: &str, identity: &Identity) -> bool {
        let section: PlayerFilterSection = read_text("a.toml", text).unwrap();
        let targets = targets(&[("a", &[])]);
        match applied_to(&PlayerFilter::new(&section, rule), identity, targets).await {
            Ok(left) => left == ["a"],
            Err(error) => {
                assert_eq!(error, ActionError::Refused(section.message));
                false
            }
        }
    }

    #[tokio::test]
    async fn players_are_known_by_name_pattern_and_uuid() {
        let notch = verified("Notch", ID);
        for (text, named) in [
            ("usernames = ['nOTCH', 'jeb_']", true),
            ("usernames = ['jeb_']", false),
            ("username = '^No'", true),
            ("username = '^no'", false),
            (&format!("ids = ['{ID}']"), true),
            ("usernames = ['jeb_']\nusername = 'h$'", true),
            ("message = 'banned'", false),
        ] {
            assert_eq!(passes(Rule::Allow, text, &notch).await, named, "{text}");
            assert_eq!(passes(Rule::Block, text, &notch).await, !named, "{text}");
        }
    }

    #[tokio::test]
    async fn a_claimed_uuid_is_nobodys() {
        let claim = claimed("Notch", ID);
        assert!(!passes(Rule::Allow, &format!("ids = ['{ID}']"), &claim).await);
        assert!(passes(Rule::Allow, "usernames = ['Notch']", &claim).await);
    }
}
