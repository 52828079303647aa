//! A join on a route that relays: the claim, placement, a target that answers, and from then on bytes.
//!
//! A target gets what the client has said so far: the handshake and Login Start, with the host that the route wants. As long as it hasn't
//! answered nothing is lost, and the next target gets the same. The edge speaks no more of the protocol than that.
//!
//! What must stay true: who a player is stays a claim; a client that is turned away is told so in login's own packet, and nobody who has
//! heard a target is told anything.

use crate::conversation::Conversation;
use crate::dial;
use crate::ended::Ended;
use crate::greeting::Opening;
use crate::journey::Journey;
use crate::login::{self, Visit};
use crate::report::{Carried, Line};
use crate::shared::Shared;
use drawbridge_model::{Claim, Client, Identity, Refusal, Target, TargetAddress};
use drawbridge_net::relay::{Method, Options, Relay, Traffic};
use drawbridge_net::{Dialer, InCrowd, Socket, proxy_protocol};
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::profile::offline_uuid;
use drawbridge_protocol::stream::Outbound;
use drawbridge_routing::{RelayHost, RelaySection, Route};
use drawbridge_telemetry::metrics::{self, Phase};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval};

/// How often it is told how much has been carried.
const TOLD: Duration = Duration::from_secs(30);

/// A player whose target has answered.
struct Answered {
    target: Target,
    socket: Socket,
    /// The player's places in the crowds of the route and of the target.
    places: [Option<InCrowd>; 2],
}

/// Brings a client to a target and carries what they say; where that fails, tells the client and closes.
pub(crate) async fn serve(
    mut visit: Visit,
    mut conversation: Conversation,
    opening: &Opening,
    method: Method,
    journey: &mut Journey,
) {
    let mut name = None;
    let shared = Arc::clone(&visit.shared);
    let found = {
        let finding = Box::pin(find(&mut visit, &mut conversation, opening, &mut name, journey));
        tokio::select! {
            found = finding => found,
            () = shared.grace_over.cancelled() => Err(Ended::Refused(Refusal::ShuttingDown)),
        }
    };
    match found {
        Ok(answered) => {
            let (client, first) = conversation.into_relay();
            let idle = Some(visit.route.relay.idle).filter(|idle| !idle.is_zero());
            let options = Options { method, idle, ..Options::default() };
            let relay = Relay::new(client, answered.socket, first, options);
            if let Some(lease) = &answered.target.lease {
                lease.used();
            }
            let carriage = Carriage::begin(visit, name, answered.target, answered.places, journey);
            Box::pin(carriage.carry(relay, &shared)).await;
        }
        Err(ended) => login::turn_away(visit, conversation, ended, name.as_deref(), journey).await,
    }
}

/// The phases, in their order.
async fn find(
    visit: &mut Visit,
    conversation: &mut Conversation,
    opening: &Opening,
    name: &mut Option<String>,
    journey: &mut Journey,
) -> Result<Answered, Ended> {
    let (start, start_frame) = conversation.login_start().await?;
    *name = Some(start.name.clone());
    if !visit.route.takes_name(&start.name) {
        return Err(Refusal::Name.into());
    }
    let in_crowd = visit.shared.crowds.enter(visit.route.name.as_str(), visit.route.max_players);
    let on_route = in_crowd.ok_or(Refusal::RouteFull)?;
    journey.enter(Phase::Placement, Instant::now());
    let id = start.uuid.unwrap_or_else(|| offline_uuid(&start.name));
    let identity = Identity::Claimed(Claim { name: start.name, id });
    let (route, client) = (Arc::clone(&visit.route), journey.client(&visit.client));
    let placed = conversation.keeping(route.place(&client, &identity)).await;
    let targets = placed.map_err(|ended| late(ended, Refusal::PlacementTimeout))??;
    journey.enter(Phase::Delivery, Instant::now());
    let greeting = Greeting {
        relay: &route.relay,
        client: &visit.client,
        opening,
        start: &start_frame,
        local: conversation.local()?,
    };
    let (shared, dialer) = (Arc::clone(&visit.shared), conversation.dialer());
    let reaching = Box::pin(reach(&shared, &route, &dialer, targets, greeting));
    let reached = conversation.keeping(reaching).await.map_err(|ended| late(ended, Refusal::Unreachable))?;
    let (target, socket, at_target) = reached.ok_or(Refusal::Unreachable)?;
    Ok(Answered { target, socket, places: [Some(on_route), at_target] })
}

/// What it means that there is no time left: not the client is late, but what it waits for.
fn late(ended: Ended, refusal: Refusal) -> Ended {
    if ended == Ended::Refused(Refusal::TimedOut) { refusal.into() } else { ended }
}

/// The first target that answers. Those that failed of late are tried last.
async fn reach(
    shared: &Shared,
    route: &Route,
    dialer: &Dialer,
    targets: Vec<Target>,
    greeting: Greeting<'_>,
) -> Option<(Target, Socket, Option<InCrowd>)> {
    let now = Instant::now();
    let (failed, fresh): (Vec<_>, Vec<_>) =
        targets.into_iter().partition(|target| shared.unreachable.has(&target.address, now));
    for target in fresh.into_iter().chain(failed) {
        // From here on, so that many who come at once don't all find it empty.
        let at_target = route.carried.enter(target.address.to_string(), None);
        match greeting.answered_by(dialer, &target.address).await {
            Ok(socket) => {
                shared.unreachable.remove(&target.address);
                return Some((target, socket, at_target));
            }
            Err(error) => {
                if shared.unreachable.add(&target.address, Instant::now()) {
                    let Target { identifier, address, .. } = &target;
                    tracing::warn!(route = %route.name, target = %identifier, %address, %error, "a target can't be reached");
                }
            }
        }
    }
    None
}

/// What a target is told first.
#[derive(Clone, Copy)]
struct Greeting<'a> {
    relay: &'a RelaySection,
    client: &'a Client,
    opening: &'a Opening,
    /// The frame of Login Start.
    start: &'a [u8],
    /// Where the client is connected to.
    local: SocketAddr,
}

impl Greeting<'_> {
    /// Connects to a target, tells it, and waits until it says something.
    async fn answered_by(&self, dialer: &Dialer, target: &TargetAddress) -> io::Result<Socket> {
        let mut socket = dial::connect(dialer, target, Instant::now() + self.relay.connect).await?;
        socket.set_deadline(Instant::now() + self.relay.answer);
        socket.write_all(&self.bytes(target)).await?;
        if socket.speaks().await? { Ok(socket) } else { Err(io::ErrorKind::ConnectionAborted.into()) }
    }

    fn bytes(&self, target: &TargetAddress) -> Vec<u8> {
        let version = self.relay.proxy_protocol;
        let mut bytes = version
            .map(|version| proxy_protocol::header(version, self.client.address, self.local))
            .unwrap_or_default();
        let handshake = self.handshake(target);
        if handshake == self.opening.handshake {
            bytes.extend_from_slice(&self.opening.frame);
        } else {
            // It was read, and what is written into it is no longer than that.
            let _ = Outbound::new().write(self.client.version, &handshake, &mut bytes);
        }
        bytes.extend_from_slice(self.start);
        bytes
    }

    /// The handshake as this target is to see it.
    fn handshake(&self, target: &TargetAddress) -> Handshake {
        let mut handshake = self.opening.handshake.clone();
        if handshake.intent == Intent::Transfer && !self.relay.transfers {
            handshake.intent = Intent::Login;
        }
        let host = match &self.relay.host {
            RelayHost::Keep => return handshake,
            RelayHost::Target => {
                handshake.port = target.port;
                &target.host
            }
            RelayHost::Fixed(host) => host,
        };
        let typed = &handshake.host;
        let marks = [typed.find('\0'), typed.find("///")].into_iter().flatten().min();
        handshake.host = format!("{host}{}", &typed[marks.unwrap_or(typed.len())..]);
        handshake
    }
}

/// A relay under way, and what is known of it. It keeps neither snapshot nor route: reloads come and go.
struct Carriage {
    client: Client,
    route: String,
    player: Option<String>,
    target: String,
    began: Instant,
    told: Traffic,
    _ticket: drawbridge_net::Ticket,
    _places: [Option<InCrowd>; 2],
    _tracked: tokio_util::task::task_tracker::TaskTrackerToken,
}

impl Carriage {
    fn begin(
        visit: Visit,
        player: Option<String>,
        target: Target,
        places: [Option<InCrowd>; 2],
        journey: &mut Journey,
    ) -> Self {
        let Visit { shared, route, client, arrived, ticket, .. } = visit;
        let now = Instant::now();
        Line { client: &client, route: Some(&route.name), player: player.as_deref(), arrived, now, journey }
            .relayed(&target);
        metrics::relay_began(&route.name);
        Self {
            client,
            route: route.name.clone(),
            player,
            target: target.identifier,
            began: now,
            told: Traffic::default(),
            _ticket: ticket,
            _places: places,
            _tracked: shared.relays.token(),
        }
    }

    async fn carry(mut self, mut relay: Relay, shared: &Shared) {
        let mut tell = interval(TOLD);
        tell.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = loop {
            tokio::select! {
                biased;
                end = relay.run() => break end.label(),
                () = shared.relays_over.cancelled() => break "shutting_down",
                _ = tell.tick() => self.tell(relay.traffic()),
            }
        };
        self.tell(relay.traffic());
        metrics::relay_ended(&self.route, end);
        Carried {
            client: &self.client,
            route: &self.route,
            player: self.player.as_deref(),
            target: &self.target,
            traffic: relay.traffic(),
            took: self.began.elapsed(),
            end,
        }
        .log();
    }

    /// Counts what was carried since it was told last.
    fn tell(&mut self, traffic: Traffic) {
        metrics::relayed(&self.route, traffic.up - self.told.up, traffic.down - self.told.down);
        self.told = traffic;
    }
}
