//! Discovery `fixed`: the targets that the configuration names.

use crate::setting::Address;
use async_trait::async_trait;
use drawbridge_config::{Diagnostic, Fields, Located, section};
use drawbridge_model::{AdapterError, Client, DiscoveryAdapter, Identity, Target};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

section! {
    /// Targets from the configuration.
    #[defaults]
    #[check(FixedDiscoverySection::check)]
    pub struct FixedDiscoverySection {
        /// The targets; those of the lowest priority are tried first, then in this order.
        pub targets: Vec<Located<TargetSection>> = Vec::new(),
    }
}

section! {
    /// One backend server.
    pub struct TargetSection {
        /// Names it in logs, and to players in sessions, who type it behind `/server`; its address, when left out.
        pub identifier: Option<String>,
        /// Where it is.
        pub address: Address,
        /// The lower, the earlier it is tried.
        pub priority: u32 = 0,
        /// What else is known about it.
        pub meta: BTreeMap<String, String> = BTreeMap::new(),
    }
}

impl FixedDiscoverySection {
    /// The short form: targets that are named by their addresses.
    #[must_use]
    pub fn of_addresses(addresses: &[Located<Address>]) -> Self {
        let target = |address: &Located<Address>| {
            let section = TargetSection {
                identifier: None,
                address: Address::clone(address),
                priority: 0,
                meta: BTreeMap::new(),
            };
            Located::new(section, address.origin().clone())
        };
        Self { targets: addresses.iter().map(target).collect() }
    }

    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        self.mistakes().into_iter().for_each(|mistake| fields.report(mistake));
    }

    /// What is wrong between targets: identifiers that are given twice, or are empty.
    #[must_use]
    pub fn mistakes(&self) -> Vec<Diagnostic> {
        let mut mistakes = Vec::new();
        let mut first = HashMap::new();
        for target in &self.targets {
            let identifier = target.identifier();
            if identifier.trim().is_empty() {
                mistakes.push(Diagnostic::error(target.origin(), "an identifier can't be empty"));
            }
            if let Some(other) = first.insert(identifier.clone(), target.origin()) {
                let mistake = Diagnostic::error(target.origin(), format!("a second target {identifier:?}"));
                let help = "give each target an identifier of its own";
                mistakes.push(mistake.related(other, "the first is here").help(help));
            }
        }
        mistakes
    }
}

impl TargetSection {
    fn identifier(&self) -> String {
        self.identifier.clone().unwrap_or_else(|| self.address.0.to_string())
    }

    /// The target that the section describes.
    #[must_use]
    pub fn target(&self) -> Target {
        Target {
            identifier: self.identifier(),
            address: self.address.0.clone(),
            priority: self.priority,
            meta: Arc::new(self.meta.clone()),
            lease: None,
        }
    }
}

/// Finds the same targets for everybody.
#[derive(Debug, Clone)]
pub struct Fixed {
    targets: Vec<Target>,
}

impl Fixed {
    /// As the section says.
    #[must_use]
    pub fn new(section: &FixedDiscoverySection) -> Self {
        let mut targets: Vec<Target> = section.targets.iter().map(|target| target.target()).collect();
        // Stable: within a priority the order of the document stays.
        targets.sort_by_key(|target| target.priority);
        Self { targets }
    }
}

#[async_trait]
impl DiscoveryAdapter for Fixed {
    async fn targets(&self, _: &Client, _: &Identity) -> Result<Vec<Target>, AdapterError> {
        Ok(self.targets.clone())
    }

    async fn shared_targets(&self, _: &Client) -> Result<Vec<Target>, AdapterError> {
        Ok(self.targets.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::client;
    use drawbridge_config::{Error, Style, read_text};
    use drawbridge_model::Claim;
    use uuid::Uuid;

    async fn found(section: &FixedDiscoverySection) -> Vec<String> {
        let identity = Identity::Claimed(Claim { name: "Notch".into(), id: Uuid::nil() });
        let targets = Fixed::new(section).targets(&client(), &identity).await.unwrap();
        targets.into_iter().map(|target| target.identifier).collect()
    }

    #[tokio::test]
    async fn targets_come_by_priority_and_then_as_written() {
        let section: FixedDiscoverySection = read_text(
            "fixed.toml",
            "targets = [
                { identifier = 'b', address = 'b.internal:25565', priority = 1 },
                { identifier = 'z', address = '10.0.0.1:25565' },
                { address = '[::1]:25566', meta = { region = 'eu' } },
                { identifier = 'a', address = 'a.internal:25565', priority = 1 },
            ]",
        )
        .unwrap();
        assert_eq!(found(&section).await, ["z", "[::1]:25566", "b", "a"]);
        assert_eq!(section.targets[2].target().meta["region"], "eu");
    }

    #[tokio::test]
    async fn without_targets_none_is_found() {
        assert!(found(&FixedDiscoverySection::default()).await.is_empty());
    }

    #[test]
    fn an_identifier_given_twice_is_a_mistake() {
        let text = "targets = [\n{ address = 'a:1' },\n{ address = 'b:1', identifier = 'a:1' },\n\
                    { address = 'c:1', identifier = '' }]";
        let Error::Invalid(diagnostics) = read_text::<FixedDiscoverySection>("fixed.toml", text).unwrap_err()
        else {
            panic!("another error")
        };
        let shown = diagnostics.render(Style::Plain);
        assert_eq!(diagnostics.errors(), 2, "{shown}");
        assert!(shown.contains("a second target") && shown.contains("the first is here"), "{shown}");
        assert!(shown.contains("can't be empty"), "{shown}");
    }
}
