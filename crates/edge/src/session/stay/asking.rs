//! What a player asks of the edge by commands, and what they may.

use super::Stay;
use crate::rights::Rights;
use crate::session::commands::{self, Caller, Command};
use crate::shared::Shared;
use drawbridge_model::Identity;
use drawbridge_routing::Route;
use drawbridge_session::Request;
use std::sync::Arc;

impl Stay {
    /// Does what the player typed, or has it done.
    pub(super) fn command(&mut self, line: &str, shared: &Arc<Shared>) {
        if self.session.is_behind() {
            return;
        }
        let caller = self.caller(shared);
        match Command::read(line, caller.rights) {
            Command::Go(name) if !name.eq_ignore_ascii_case(&caller.here) => self.go(name, shared),
            command => self.desk.take(caller.answer(command)),
        }
    }

    /// Looks for what completes what the player has half-typed.
    pub(super) fn complete(&mut self, request: Request, shared: &Arc<Shared>) {
        if !self.session.is_behind() {
            let matches = self.caller(shared).complete(request.command().to_owned());
            self.desk.complete(request, matches);
        }
    }

    fn caller(&self, shared: &Arc<Shared>) -> Caller {
        Caller {
            shared: Arc::clone(shared),
            person: Arc::clone(&self.person),
            client: self.passenger.presence.client().clone(),
            route: self.passenger.presence.route().to_owned(),
            here: self.passenger.presence.target(),
            rights: self.rights(shared),
        }
    }

    /// What the player may do. Who merely claims to be somebody is nobody, unless their route says otherwise.
    fn rights(&self, shared: &Shared) -> Rights {
        let snapshot = shared.snapshot.load();
        let trusted = match &self.person.identity {
            Identity::Verified(_) => true,
            Identity::Claimed(_) => {
                let trusts = |route: Arc<Route>| route.session.trusts_claims;
                snapshot.permissions.has_groups() && self.route(shared).is_some_and(trusts)
            }
        };
        let profile = trusted.then(|| self.person.profile());
        snapshot.permissions.of(profile.as_deref())
    }

    /// Shows the player the commands that they may use.
    pub(super) fn learn_rights(&mut self, shared: &Shared) {
        // Asked first: what changes in between is learned anew.
        self.reloads = shared.reloads();
        self.session.permit(&commands::permitted(self.rights(shared)));
    }
}
