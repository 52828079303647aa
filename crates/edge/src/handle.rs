//! What operators see of a running edge and tell it, from any thread, while it serves or ends.

use crate::places::Whereabouts;
use crate::players::{Player, Whom, would_ban};
use crate::shared::Shared;
use drawbridge_model::{
    AdapterError, Ban, Client, MaintenanceOrder, Operator, Refusal, Refused, Subject, Target,
};
use drawbridge_routing::{Condition, Route};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long a discovery may take to say what targets there are.
const DISCOVERED: Duration = Duration::from_secs(2);

/// A target as the edge knows it, or a limbo that has players.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetState {
    /// Which.
    pub at: Whereabouts,
    /// Players of the route who are carried there.
    pub players: u32,
    /// How it is, as far as anybody knows.
    pub condition: Condition,
}

impl TargetState {
    const fn new(at: Whereabouts) -> Self {
        Self { at, players: 0, condition: Condition::Unknown }
    }

    /// Whether somebody who is there is on it, by whichever route.
    fn holds(&self, there: &Whereabouts) -> bool {
        (self.at.identifier(), self.at.address()) == (there.identifier(), there.address())
    }
}

/// A running edge, as operators know it; every clone is the same.
#[derive(Clone)]
pub struct EdgeHandle {
    shared: Arc<Shared>,
    addresses: Arc<[SocketAddr]>,
}

impl fmt::Debug for EdgeHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgeHandle").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl EdgeHandle {
    pub(crate) fn new(shared: Arc<Shared>, addresses: Vec<SocketAddr>) -> Self {
        Self { shared, addresses: addresses.into() }
    }

    /// Where it listens, or did.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// How many connections of clients are open: players' and pings'.
    #[must_use]
    pub fn connections(&self) -> u32 {
        self.shared.gate.connections()
    }

    /// The routes that count now, in the order in which they were written.
    #[must_use]
    pub fn routes(&self) -> Vec<Arc<Route>> {
        self.shared.snapshot.load().routes.routes().to_vec()
    }

    /// How many players a route carries.
    #[must_use]
    pub fn carried(&self, route: &str) -> u32 {
        self.shared.crowds.count(route)
    }

    /// Whether a route is under maintenance, and whether that is so because an operator has said it.
    #[must_use]
    pub fn maintenance(&self, route: &Route) -> (bool, bool) {
        (self.shared.switches.is_maintained(route), self.is_switched(&route.name))
    }

    /// Whether an operator has said something of the maintenance of whatever route has the name.
    #[must_use]
    pub fn is_switched(&self, route: &str) -> bool {
        self.shared.switches.of(route).is_some()
    }

    /// Puts whatever route has the name under maintenance or out of it.
    pub fn maintain(&self, route: &str, to: MaintenanceOrder) {
        self.shared.switches.switch(route, to);
    }

    /// The targets of a route: those that any player may be brought to, and those that carry players of it.
    ///
    /// The error says why the former aren't known.
    pub async fn targets(&self, route: &Route) -> (Vec<TargetState>, Option<AdapterError>) {
        let client = Client::on_own_behalf(route.hosts.first().cloned().unwrap_or_default());
        let asked = timeout(DISCOVERED, route.shared_targets(&client)).await;
        let (shared, error) = match asked.unwrap_or(Err(AdapterError::TimedOut(DISCOVERED))) {
            Ok(shared) => (shared, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let known = |Target { identifier, address, .. }| {
            TargetState::new(Whereabouts::Target { identifier, address, route: None })
        };
        let mut targets: Vec<_> = shared.into_iter().map(known).collect();
        for there in self.shared.players.of_route(&route.name) {
            let place = targets.iter().position(|target| target.holds(&there)).unwrap_or_else(|| {
                targets.push(TargetState::new(there));
                targets.len() - 1
            });
            targets[place].players += 1;
        }
        for TargetState { at, condition, .. } in &mut targets {
            if let Some(address) = at.address() {
                *condition = route.health.of(address, Instant::now());
            }
        }
        (targets, error)
    }

    /// Has `operator` do what players order who may do so. The first is the only one.
    pub fn operated_by(&self, operator: Arc<dyn Operator>) {
        let _ = self.shared.operator.set(operator);
    }

    /// Who is there: logins under way and players who are carried, in the order in which they came.
    #[must_use]
    pub fn players(&self) -> Vec<Player> {
        self.shared.players.all()
    }

    /// Ends the connections of all who are meant, and gives who that was. Logins are told, with the reason; who is carried is cut off.
    #[must_use]
    pub fn kick(&self, whom: &Whom, reason: &str) -> Vec<Player> {
        let parameters = vec![("reason", reason.to_owned())];
        let why = Refused { by: Some("control".to_owned()), parameters, ..Refusal::Kicked.into() };
        self.send_away(|player| whom.is(player), &why)
    }

    /// Has all who are meant, and are carried by sessions, go to the place of this name, and gives who that is; `None` where none of them knows
    /// such a place. Who can't go there stays where they are, and is told.
    pub async fn send_to(&self, whom: &Whom, place: &str) -> Option<Vec<Player>> {
        let is_meant = |player: &Player| whom.is(player);
        let routes = self.shared.came_by(is_meant);
        let Some(client) = self.shared.players.client(is_meant).filter(|_| !routes.is_empty()) else {
            return Some(Vec::new());
        };
        let known = self.shared.is_place(&routes, &client, place).await;
        known.then(|| self.shared.send_to(is_meant, place))
    }

    /// The players whom a ban of `subject` concerns.
    #[must_use]
    pub fn concerned(&self, subject: &Subject) -> Vec<Player> {
        self.players().into_iter().filter(|player| would_ban(subject, player)).collect()
    }

    /// Ends the connections of all whom the ban keeps out; logins are told.
    pub fn banish(&self, ban: &Ban) {
        let _ = self.send_away(|player| would_ban(&ban.of, player), &ban.into());
    }

    fn send_away(&self, is: impl Fn(&Player) -> bool, why: &Refused) -> Vec<Player> {
        let gone = self.shared.players.send_away(is, why);
        if !gone.is_empty() {
            self.shared.news.tell();
        }
        gone
    }
}
