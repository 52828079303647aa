//! The first phases of every connection, on the reactor: accepted, admitted, greeted, routed; and the server list's answer.
//! Logins go on in [`crate::login`].

use crate::admission::Accepted;
use crate::conversation::Conversation;
use crate::ended::Ended;
use crate::greeting::{Greeted, Opening, Purpose};
use crate::journey::Journey;
use crate::login::{self, Visit};
use crate::refuse;
use crate::relay;
use crate::rules::refuses;
use crate::session;
use crate::shared::Shared;
use crate::status;
use drawbridge_model::{Refusal, Refused};
use drawbridge_net::{Continuation, Knock, Socket};
use drawbridge_routing::{Delivery, Route};
use drawbridge_telemetry::metrics::{self, Limit, Phase};
use std::net::SocketAddr;
use std::sync::Arc;

/// Who turns away a client that says what proxies say, as the log names it.
const FORWARDED: &str = "forwarding in its host, as a proxy's";

/// One connection, from the accepted socket on; a player who is to be carried goes on by themselves.
pub(crate) async fn receive(shared: Arc<Shared>, socket: Socket) -> Option<Continuation> {
    let mut client = socket.peer();
    let (house, now) = (Arc::clone(&shared), socket.now());
    let mut journey = Journey::begin(now);
    match way(shared, socket, &mut client, &mut journey).await {
        Ok(goes_on) => goes_on,
        Err(ended) => {
            journey.break_off((&ended).into());
            // Once in a while is enough to know that nobody more gets in.
            if ended == Ended::Refused(Refusal::Full) && house.full.permits(now) {
                let connections = house.gate.connections();
                tracing::warn!(%client, connections, reason = ended.label(), "turned away");
            } else {
                tracing::debug!(%client, reason = ended.label(), "turned away");
            }
            None
        }
    }
}

/// The way itself; `address` is the client's as soon as a load balancer has said it.
async fn way(
    shared: Arc<Shared>,
    socket: Socket,
    address: &mut SocketAddr,
    journey: &mut Journey,
) -> Result<Option<Continuation>, Ended> {
    let admitted = Accepted::new(socket, &shared).admit(&shared, address).await?;
    journey.enter(Phase::Greeting, admitted.socket.now());
    let greeted = admitted.greet().await?;
    match greeted.route(&shared) {
        Routed::Status { route, maintained } => {
            journey.enter(Phase::Status, greeted.socket.now());
            status::answer(greeted, route.as_deref(), maintained, journey).await?;
            Ok(None)
        }
        Routed::Login { route, opening } => {
            journey.enter(Phase::Login, greeted.socket.now());
            let delivery = route.mode.delivery_to(greeted.client.version);
            let (visit, conversation) = greeted.into_login(&shared, route, &opening);
            // Boxed, so that a connection that goes no further is no larger for it.
            Ok(match delivery {
                Delivery::Transfer => {
                    Box::pin(login::serve(visit, conversation, journey)).await;
                    None
                }
                Delivery::Relay(method) | Delivery::ByVersion(method) => {
                    let carriage =
                        Box::pin(relay::serve(visit, conversation, *opening, method, journey)).await;
                    carriage.map(|carriage| Continuation::new(carriage.carry(shared)))
                }
                Delivery::Session { authenticates } => {
                    let stay =
                        Box::pin(session::serve(visit, conversation, *opening, authenticates, journey)).await;
                    stay.map(|stay| Continuation::new(stay.carry(shared)))
                }
            })
        }
        Routed::Refused(route, refused) => {
            Box::pin(refuse::tell(greeted, route.as_deref(), &refused, journey)).await?;
            Ok(None)
        }
    }
}

/// The bound that knocks of this kind are under.
pub(crate) const fn limit(knock: Knock) -> Limit {
    match knock {
        Knock::Status => Limit::Status,
        Knock::Login => Limit::Login,
        Knock::Transfer => Limit::Transfer,
    }
}

/// Where a client goes from its greeting.
#[derive(Debug)]
pub(crate) enum Routed {
    /// The server list's answer; without a route the unknown host's, and of one that is under maintenance what it shows the while.
    Status { route: Option<Arc<Route>>, maintained: bool },
    /// A login on a route that takes the client.
    Login { route: Arc<Route>, opening: Box<Opening> },
    /// Away, in the words of the route where there is one. Boxed, so that a connection that says nothing is no larger for it.
    Refused(Option<Arc<Route>>, Box<Refused>),
}

impl Routed {
    fn refused(route: Option<Arc<Route>>, refused: impl Into<Refused>) -> Self {
        Self::Refused(route, Box::new(refused.into()))
    }
}

impl Greeted {
    /// Finds the client's route, and whether it may go there.
    fn route(&self, shared: &Shared) -> Routed {
        let route = self.snapshot.routes.lookup(&self.client.host).cloned();
        let address = self.client.address.ip();
        if !shared.gate.rate(self.purpose.knock(), address, self.socket.now()) {
            metrics::limited(limit(self.purpose.knock()));
            return Routed::refused(route, Refusal::Rate);
        }
        let refusal = route.as_ref().and_then(|route| refuses(route, &self.client, shared));
        if refusal == Some(Refusal::Access) {
            return Routed::refused(route, Refusal::Access);
        }
        let maintained = refusal == Some(Refusal::Maintenance);
        let opening = match &self.purpose {
            Purpose::Status | Purpose::LegacyPing(_) => return Routed::Status { route, maintained },
            Purpose::Login(opening) => opening,
        };
        // Before anything that a route under maintenance would tell of itself.
        if maintained {
            return Routed::refused(route, Refusal::Maintenance);
        }
        if opening.is_forwarded() {
            return Routed::refused(
                route,
                Refused { by: Some(FORWARDED.to_owned()), ..Refusal::Malformed.into() },
            );
        }
        if let Opening::Legacy { name } = &**opening
            && let Some(ban) = shared.bans.name(name)
        {
            return Routed::refused(route, &*ban);
        }
        match route {
            None => Routed::refused(None, Refusal::NoRoute),
            Some(route) if refusal.is_none() => Routed::Login { route, opening: opening.clone() },
            Some(route) => match self.stand_in(&route, shared) {
                None => Routed::refused(Some(route), Refusal::Version),
                Some((other, None)) => Routed::Login { route: other, opening: opening.clone() },
                Some((other, Some(refusal))) => Routed::refused(Some(other), refusal),
            },
        }
    }

    /// The route that takes clients of a version that the edge doesn't speak instead of `route`, and why it doesn't take this one, if so.
    fn stand_in(&self, route: &Route, shared: &Shared) -> Option<(Arc<Route>, Option<Refusal>)> {
        let other = self.snapshot.routes.beside(route).filter(|_| !self.client.version.is_known())?;
        Some((Arc::clone(other), refuses(other, &self.client, shared)))
    }

    /// What is settled about the visit, and the conversation that goes on.
    fn into_login(self, shared: &Arc<Shared>, route: Arc<Route>, opening: &Opening) -> (Visit, Conversation) {
        let Self { socket, snapshot, arrived, inbound, pass, client, .. } = self;
        let deadline = arrived + snapshot.limits.login_timeout;
        let conversation = Conversation::new(socket, opening, client.version, inbound).until(deadline);
        let presence = shared.players.enter(&client, &route.name);
        let visit = Visit {
            shared: Arc::clone(shared),
            snapshot,
            route,
            client,
            returning: opening.is_returning(),
            locale: None,
            arrived,
            pass,
            presence,
            _tracked: shared.logins.token(),
        };
        (visit, conversation)
    }
}
