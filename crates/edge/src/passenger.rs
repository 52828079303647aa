//! What is known of a player who is carried, in whichever way, and what ends it beside the two sides.
//!
//! What must stay true: it keeps neither snapshot nor route, since reloads come and go; whoever is banned or told to leave is gone at once.

use crate::journey::Journey;
use crate::login::Visit;
use crate::places::Whereabouts;
use crate::players::Presence;
use crate::report::{Carried, Line};
use crate::shared::Shared;
use drawbridge_model::{Identity, Lease, Refusal, Refused, Target};
use drawbridge_net::relay::Traffic;
use drawbridge_net::{EnteredToTarget, InCrowd, Pass};
use drawbridge_telemetry::metrics::{self, CarriedEnd, CountedPassenger};
use std::time::{Duration, Instant};
use tokio_util::task::task_tracker::TaskTrackerToken;

/// How often it is told how much has been carried.
const TOLD: Duration = Duration::from_secs(30);

/// A player who is carried.
#[derive(Debug)]
pub(crate) struct Passenger {
    pub(crate) identity: Identity,
    pub(crate) presence: Presence,
    /// What was set aside for the player, until it is known that they have come.
    lease: Option<Lease>,
    began: Instant,
    told: Traffic,
    told_at: Instant,
    way: Way,
    _counted: CountedPassenger,
    _pass: Pass,
    /// In the crowds of the route that they came by, of the target, and of another route that they are on.
    crowds: [Option<InCrowd>; 3],
    _open: EnteredToTarget,
    _tracked: TaskTrackerToken,
}

/// How a player is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// As bytes.
    Relay,
    /// By a session.
    Session,
}

/// Where a player is, and what was set aside there for them.
#[derive(Debug)]
pub(crate) struct Berth {
    pub(crate) at: Whereabouts,
    pub(crate) lease: Option<Lease>,
}

impl Berth {
    /// On a target, of this route where that may be another than the player came by.
    pub(crate) fn on(target: Target, route: Option<String>) -> Self {
        let Target { identifier, address, lease, .. } = target;
        Self { at: Whereabouts::Target { identifier, address, route }, lease }
    }

    /// In the limbo of a route.
    pub(crate) fn limbo(route: &str) -> Self {
        Self { at: Whereabouts::Limbo { route: route.to_owned() }, lease: None }
    }
}

/// What is settled about a player who has somewhere to be.
#[derive(Debug)]
pub(crate) struct Boarding {
    pub(crate) identity: Identity,
    pub(crate) berth: Berth,
    /// The player's places in the crowds of the route that they came by, of the target, and of another route that they are on.
    pub(crate) crowds: [Option<InCrowd>; 3],
    /// Counts the target's socket among all that are open.
    pub(crate) open: EnteredToTarget,
}

impl Passenger {
    /// From here on the player is carried.
    pub(crate) fn board(visit: Visit, boarding: Boarding, way: Way, journey: &mut Journey) -> Self {
        let Visit { shared, route, client, arrived, pass, presence, .. } = visit;
        let Boarding { identity, berth, crowds, open } = boarding;
        let (now, player) = (Instant::now(), Some(identity.name()));
        Line { client: &client, route: Some(&route.name), player, arrived, now, journey }
            .carried(&berth.at, way);
        let counted = metrics::passenger_boarded(&route.name, berth.at.identifier());
        presence.carried_to(berth.at, way);
        Self {
            identity,
            presence,
            lease: berth.lease,
            began: now,
            told: Traffic::default(),
            told_at: now,
            way,
            _counted: counted,
            _pass: pass,
            crowds,
            _open: open,
            _tracked: match way {
                Way::Relay => shared.relays.token(),
                Way::Session => shared.sessions.token(),
            },
        }
    }

    /// The player is somewhere else from here on, with places there and on its route.
    pub(crate) fn moved(&mut self, berth: Berth, at_target: Option<InCrowd>, on_route: Option<InCrowd>) {
        self._counted = metrics::passenger_moved(self.presence.route(), berth.at.identifier());
        self.presence.carried_to(berth.at, self.way);
        self.crowds[1] = at_target;
        self.crowds[2] = on_route;
        if let Some(lease) = berth.lease {
            lease.used();
        }
    }

    /// What was set aside for the player is in use.
    pub(crate) fn has_come(&mut self) {
        self.lease.take().iter().for_each(Lease::used);
    }

    /// Whether anything is set aside for a player of whom it isn't known yet whether they have come.
    pub(crate) const fn is_awaited(&self) -> bool {
        self.lease.is_some()
    }

    /// Why the player may not stay, if so.
    pub(crate) fn sent_away(&self, shared: &Shared) -> Option<Refused> {
        if shared.relays_over.is_cancelled() {
            return Some(Refusal::ShuttingDown.into());
        }
        if let Some(why) = self.presence.sent_away() {
            return Some(why.clone());
        }
        let ban = shared.bans.of(self.presence.client().address.ip(), &self.identity)?;
        Some(Refused::from(&*ban))
    }

    /// Counts what was carried, where that was long ago.
    pub(crate) fn tell_now_and_then(&mut self, now: Instant, traffic: Traffic) {
        if now.saturating_duration_since(self.told_at) >= TOLD {
            self.told_at = now;
            self.tell(traffic);
        }
    }

    /// The player is no longer carried; `end` says why.
    pub(crate) fn ended(&mut self, end: CarriedEnd, traffic: Traffic) {
        self.tell(traffic);
        metrics::passenger_left(self.presence.route(), end);
        Carried {
            client: self.presence.client(),
            route: self.presence.route(),
            player: self.identity.name(),
            target: &self.presence.target(),
            traffic,
            took: self.began.elapsed(),
            end,
        }
        .log(self.way);
    }

    /// Counts what was carried since it was told last.
    fn tell(&mut self, traffic: Traffic) {
        metrics::carried(self.presence.route(), traffic.up - self.told.up, traffic.down - self.told.down);
        self.told = traffic;
    }
}
