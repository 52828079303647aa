//! What a player asks of the edge by commands, and what they may.

use super::Stay;
use crate::rights::Rights;
use crate::session::commands::{self, Caller, Command, Then};
use crate::shared::Shared;
use drawbridge_model::{Notice, PlaceName};
use drawbridge_session::HalfTyped;
use drawbridge_telemetry::metrics::{self, Limit};
use std::sync::Arc;
use std::time::Duration;

impl Stay {
    /// Does what the player typed, or has it done.
    pub(super) fn command(&mut self, line: &str, shared: &Arc<Shared>) {
        if self.session.is_behind() {
            return;
        }
        let caller = self.caller(shared);
        match Command::read(line, caller.rights) {
            Command::Go(name) if !PlaceName(&name).is(&caller.here) => self.hurry(name, shared),
            command => self.desk.take(caller.answer(command)),
        }
    }

    /// Looks for what completes what the player has half-typed.
    pub(super) fn complete(&mut self, request: HalfTyped, shared: &Arc<Shared>) {
        if !self.session.is_behind() {
            let matches = self.caller(shared).complete(request.command().to_owned());
            self.desk.complete(request, matches);
        }
    }

    /// Sets out for a place, unless the player has done so too often of late.
    fn hurry(&mut self, name: String, shared: &Arc<Shared>) {
        let now = self.session.now();
        let limits = &shared.snapshot.load().limits.play;
        if let Some(pause) = Duration::from_secs(1).checked_div(limits.switches) {
            let unhurried = self.unhurried.max(now);
            if unhurried.saturating_duration_since(now) > limits.burst.saturating_sub(pause) {
                metrics::limited(Limit::Play);
                return self.notice(Notice::TooFast, vec![("server", name)], Then::Nothing, shared);
            }
            self.unhurried = unhurried + pause;
        }
        self.go(name, shared);
    }

    pub(super) fn caller(&self, shared: &Arc<Shared>) -> Caller {
        Caller {
            guest: self.guest(shared),
            here: self.passenger.presence.place(),
            rights: self.rights(shared),
        }
    }

    fn rights(&self, shared: &Shared) -> Rights {
        self.person.rights(&shared.snapshot.load(), self.route(shared).as_deref())
    }

    /// Shows the player the commands that they may use.
    pub(super) fn learn_rights(&mut self, shared: &Shared) {
        // Asked first: what changes in between is learned anew.
        self.reloads = shared.reloads();
        self.session.permit(&commands::permitted(self.rights(shared)));
    }
}
