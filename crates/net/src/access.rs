//! Which addresses may connect at all: asked before a byte is read.

use std::net::IpAddr;

use drawbridge_config::section;
use ipnet::IpNet;

use crate::networks::Networks;

section! {
    /// Who may connect, decided before a byte is read.
    #[defaults]
    pub struct Access {
        /// When not empty, only these networks may connect.
        pub allow: Vec<IpNet> = Vec::new(),
        /// Networks that may not, even where `allow` names them.
        pub deny: Vec<IpNet> = Vec::new(),
    }
}

/// [`Access`] in a form that is quick to ask, however many networks it has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressRules {
    allow: Option<Networks>,
    deny: Networks,
}

impl AddressRules {
    /// Whether the address may connect. Denying comes before allowing; with nothing to allow, all that isn't denied is allowed.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        !self.deny.contains(address) && self.allow.as_ref().is_none_or(|allow| allow.contains(address))
    }
}

impl From<&Access> for AddressRules {
    fn from(access: &Access) -> Self {
        let allow = (!access.allow.is_empty()).then(|| access.allow.iter().collect());
        Self { allow, deny: access.deny.iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allow: &[&str], deny: &[&str]) -> AddressRules {
        let networks = |of: &[&str]| of.iter().map(|network| network.parse().unwrap()).collect();
        AddressRules::from(&Access { allow: networks(allow), deny: networks(deny) })
    }

    #[track_caller]
    fn assert_permits(rules: &AddressRules, address: &str, expected: bool) {
        assert_eq!(rules.permits(address.parse().unwrap()), expected, "{address}");
    }

    #[test]
    fn without_rules_everybody_may() {
        let rules = rules(&[], &[]);
        assert_permits(&rules, "203.0.113.7", true);
        assert_permits(&rules, "2001:db8::7", true);
    }

    #[test]
    fn with_an_allow_list_only_those_on_it() {
        let rules = rules(&["10.0.0.0/8"], &[]);
        assert_permits(&rules, "10.9.8.7", true);
        assert_permits(&rules, "::ffff:10.9.8.7", true);
        assert_permits(&rules, "11.0.0.1", false);
        assert_permits(&rules, "2001:db8::7", false);
    }

    #[test]
    fn denying_wins() {
        let rules = rules(&["10.0.0.0/8"], &["::ffff:10.1.0.0/112", "2001:db8::/32"]);
        assert_permits(&rules, "10.1.2.3", false);
        assert_permits(&rules, "::ffff:10.1.2.3", false);
        assert_permits(&rules, "10.2.0.1", true);
    }

    #[test]
    fn rules_are_read_from_the_configuration() {
        let text = "allow = [\"10.0.0.0/8\"]\ndeny = [\"10.0.0.1\"]";
        let access: Access = drawbridge_config::read_text("access.toml", text).unwrap();
        let rules = AddressRules::from(&access);
        assert_permits(&rules, "10.0.0.1", false);
        assert_permits(&rules, "10.0.0.2", true);
        assert_permits(&rules, "192.0.2.1", false);
    }
}
