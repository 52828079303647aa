//! What is wrong or unwise in a route, once all of it has been read.

use super::{Delivery, RouteSection};
use crate::adapters::{AuthenticationSection, DiscoverySection};
use drawbridge_adapter::discovery::FixedDiscoverySection;
use drawbridge_config::{Diagnostic, Fields};
use drawbridge_protocol::version::RELEASES;

impl RouteSection {
    pub(super) fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.name.trim().is_empty() {
            fields.error("name", "a route's name can't be empty");
        }
        if self.name.contains(char::is_control) {
            fields.error("name", "a route's name can't have control characters");
        }
        if self.hosts.is_empty() {
            let mistake = Diagnostic::error(fields.origin("hosts"), "no host belongs to this route");
            fields.report(mistake.help("\"*\" stands for every host that no other route has"));
        }
        self.check_mode(fields);
        self.check_versions(fields);
        self.check_targets(fields);
    }

    /// What the mode can't do, or nobody would read.
    fn check_mode(&self, fields: &mut Fields<'_, '_, '_>) {
        let delivery = self.mode.delivery();
        let (without_effect, why) = match delivery {
            Delivery::Transfer => (&["relay", "session", "max_players"][..], "who was handed over is gone"),
            Delivery::Relay(_) => (
                &["authentication", "transfer", "session"][..],
                "the edge only relays: the target authenticates",
            ),
            Delivery::Session { authenticates: true } => {
                (&["relay", "transfer"][..], "players are carried by a session: `session` says how")
            }
            Delivery::Session { authenticates: false } => {
                (&["authentication", "relay", "transfer"][..], "nobody authenticates, and a session carries")
            }
            Delivery::ByVersion(_) => (&["session"][..], "players are handed over or relayed"),
        };
        for key in without_effect {
            if !fields.has(key) {
                continue;
            }
            let mistake =
                Diagnostic::error(fields.origin(key), format!("\"{key}\" has no effect in this mode"));
            fields.report(mistake.label(why).related(fields.origin("mode"), "the mode"));
        }
        if delivery == (Delivery::Session { authenticates: true })
            && matches!(self.authentication, AuthenticationSection::Disabled)
        {
            let mistake = Diagnostic::error(fields.origin("authentication"), "this mode authenticates");
            let mistake = mistake.related(fields.origin("mode"), "the mode");
            fields.report(mistake.help("mode = \"offline\" takes players for who they claim to be"));
        }
        if delivery == (Delivery::Session { authenticates: true }) && *self.session.trust_claims {
            let origin = self.session.trust_claims.origin();
            let mistake = Diagnostic::error(origin, "nobody merely claims to be somebody in this mode");
            fields.report(mistake.related(fields.origin("mode"), "the mode").help("leave it out"));
        }
        if !self.mode.carries() && self.actions.iter().any(|action| action.value.counts_players()) {
            let mistake = Diagnostic::error(fields.origin("actions"), "nobody is counted in this mode");
            fields.report(mistake.help("\"least_connections\" goes by the players that the edge carries"));
        }
        if matches!(delivery, Delivery::Relay(method) if !method.is_available()) {
            let mistake = Diagnostic::error(fields.origin("mode"), "this system has no splice(2)");
            fields.report(mistake.help("mode = \"passthrough\" copies instead"));
        }
    }

    fn check_versions(&self, fields: &mut Fields<'_, '_, '_>) {
        let Some(versions) = &self.versions else { return };
        let mut taken =
            RELEASES.iter().map(|release| release.version).filter(|version| versions.contains(*version));
        let origin = fields.origin("versions");
        let oldest = taken.clone().next();
        let transfer = self.transfer.build();
        let is_session = match self.mode.delivery() {
            // Clients of whatever version are relayed, of one that nobody knows yet too.
            Delivery::Relay(_) => return,
            Delivery::ByVersion(_) if oldest.is_none() => return,
            delivery => matches!(delivery, Delivery::Session { .. }),
        };
        if is_session && oldest.is_none() {
            let mistake = Diagnostic::error(origin, "the edge knows none of these versions");
            fields.report(mistake.help(format!("it knows {}", known())));
        } else if is_session {
            self.session.check_versions(taken, origin).into_iter().for_each(|mistake| fields.report(mistake));
        } else if !taken.clone().any(|version| self.mode.serves(version)) {
            let mistake = Diagnostic::error(origin, "none of these versions can be transferred");
            fields.report(mistake.help("clients can be transferred since 1.20.5"));
        } else if !taken.any(|version| self.mode.serves(version) && transfer.serves(version)) {
            let mistake = Diagnostic::error(origin, "none of these versions can be offered a resource pack");
            fields.report(mistake.related(fields.origin("transfer"), "one is required here"));
        } else if oldest.is_some_and(|version| !self.mode.serves(version)) {
            let warning = Diagnostic::warning(origin, "some of these versions can't be transferred");
            fields.report(warning.label("clients before 1.20.5 are told disconnect_version all the same"));
        }
    }

    fn check_targets(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.targets.is_some() && self.discovery.is_some() {
            let mistake = Diagnostic::error(fields.origin("targets"), "targets are given twice");
            fields.report(
                mistake
                    .related(fields.origin("discovery"), "and here")
                    .help("targets is short for [routes.discovery] type = \"fixed\": use one of the two"),
            );
            return;
        }
        let discovery = self.discovery();
        if self.health.check.is_some() && !discovery.is_shared() {
            let mistake =
                Diagnostic::error(fields.origin("health"), "there is nothing to check before a player comes");
            fields.report(
                mistake.related(fields.origin("discovery"), "targets are found for one player at a time"),
            );
        }
        if let DiscoverySection::Fixed(fixed) = discovery.as_ref() {
            self.check_fixed(fixed, fields);
        }
    }

    fn check_fixed(&self, fixed: &FixedDiscoverySection, fields: &mut Fields<'_, '_, '_>) {
        if self.targets.is_some() {
            // In the long form the section itself has looked.
            fixed.mistakes().into_iter().for_each(|mistake| fields.report(mistake));
        }
        // Whoever writes that there are none has thought of it, or is a provider, who tells why.
        if self.has_no_target() && self.targets.is_none() && !self.holds_all() {
            let missing = Diagnostic::warning(fields.origin("targets"), "the route has no target");
            fields.report(missing.help("every player is refused: targets = [\"lobby.example.com:25565\"]"));
        }
        let transfer = self.transfer.build();
        for target in &fixed.targets {
            if let Err(error) = transfer.address_of(&target.target()) {
                let mistake = Diagnostic::error(target.origin(), error.to_string());
                fields.report(mistake.related(fields.origin("transfer"), "clients are sent to that address"));
            }
        }
    }
}

/// The versions that the edge speaks, as users read them.
fn known() -> String {
    let ends = RELEASES.first().zip(RELEASES.last());
    ends.map(|(first, last)| format!("{}–{}", first.first, last.last)).unwrap_or_default()
}
