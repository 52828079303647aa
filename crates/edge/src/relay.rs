//! A join on a route that relays: the claim, placement, a target that answers, and from then on bytes.
//!
//! A target gets what the client has said so far: the handshake and Login Start, with the host that the route wants. As long as it hasn't
//! answered nothing is lost, and the next target gets the same. The edge speaks no more of the protocol than that.
//!
//! What must stay true: who a player is stays a claim; a client that is turned away is told so in login's own packet, and nobody who has
//! heard a target is told anything.

use crate::attempt::{Attempt, TRIED, is_targets_fault};
use crate::carriage::Carriage;
use crate::conversation::Conversation;
use crate::dial;
use crate::ended::Ended;
use crate::greeting::Opening;
use crate::journey::Journey;
use crate::login::{self, Visit};
use crate::passenger::{Berth, Boarding, Passenger, Way};
use drawbridge_model::{Claim, Client, Identity, Refusal, Target, TargetAddress};
use drawbridge_net::relay::{Method, Options};
use drawbridge_net::{Dialer, InCrowd, Socket, proxy_protocol};
use drawbridge_protocol::packet::handshake::{Handshake, Intent};
use drawbridge_protocol::packet::login::AnyLoginStart;
use drawbridge_protocol::stream::Outbound;
use drawbridge_routing::{RelayHost, RelaySection, Route};
use drawbridge_telemetry::metrics::Phase;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

/// Brings a client to a target; where that fails, tells the client and closes.
pub(crate) async fn serve(
    mut visit: Visit,
    mut conversation: Conversation,
    opening: Opening,
    method: Method,
    journey: &mut Journey,
) -> Option<Box<Carriage>> {
    let mut name = None;
    let (shared, summons) = (Arc::clone(&visit.shared), visit.presence.summons());
    let found = shared
        .in_grace(&summons, pin!(find(&mut visit, &mut conversation, opening, &mut name, journey)))
        .await;
    match found {
        Ok((boarding, target)) => {
            let idle = Some(visit.route.relay.idle).filter(|idle| !idle.is_zero());
            let options = Options { method, idle, ..Options::default() };
            let passenger = Passenger::board(visit, boarding, Way::Relay, journey);
            Some(Box::new(Carriage::begin(conversation, target, passenger, options)))
        }
        Err(ended) => {
            login::turn_away(visit, conversation, ended, name.as_deref(), journey).await;
            None
        }
    }
}

/// The phases, in their order.
async fn find(
    visit: &mut Visit,
    conversation: &mut Conversation,
    opening: Opening,
    name: &mut Option<String>,
    journey: &mut Journey,
) -> Result<(Boarding, Socket), Ended> {
    let (claim, said) = said(conversation, opening).await?;
    *name = Some(claim.name.clone());
    if !visit.route.takes_name(&claim.name) {
        return Err(Refusal::Name.into());
    }
    let identity = Identity::Claimed(claim);
    visit.presence.learn_who(&identity);
    visit.ask_bans(&identity)?;
    let in_crowd = visit.shared.crowds.enter(visit.route.name.as_str(), visit.route.max_players);
    let on_route = in_crowd.ok_or(Refusal::RouteFull)?;
    journey.enter(Phase::Placement, Instant::now());
    let (route, client) = (Arc::clone(&visit.route), journey.client(&visit.client));
    let placed = conversation.keeping(pin!(route.place(&client, &identity))).await;
    let targets = placed.map_err(|ended| ended.late(Refusal::PlacementTimeout))??;
    journey.enter(Phase::Delivery, Instant::now());
    let open = visit.shared.gate.enter_to_target().map_err(|_| Refusal::Full)?;
    let greeting =
        Greeting { relay: &route.relay, client: &visit.client, said: &said, local: conversation.local()? };
    let dialer = conversation.dialer();
    let reaching = pin!(reach(&route, &dialer, targets, greeting));
    let reached = conversation.keeping(reaching).await.map_err(|ended| ended.late(Refusal::Unreachable))?;
    let (target, socket, at_target) = reached.ok_or(Refusal::Unreachable)?;
    // It may have taken a while.
    visit.ask_bans(&identity)?;
    Ok((
        Boarding {
            identity,
            berth: Berth::on(target, None),
            crowds: [Some(on_route), at_target, None],
            open,
        },
        socket,
    ))
}

/// What a client has said, for targets to hear.
enum Said {
    Modern {
        handshake: Handshake,
        /// The frame that it came in.
        frame: Vec<u8>,
        /// The frame of Login Start.
        start: Vec<u8>,
    },
    /// A packet of 1.6 or older, which stays as it is.
    Legacy(Vec<u8>),
}

/// Who the client says it is.
async fn said(conversation: &mut Conversation, opening: Opening) -> Result<(Claim, Said), Ended> {
    let (name, uuid, said) = match opening {
        Opening::Modern { handshake, frame } => {
            let (AnyLoginStart { name, uuid }, start) = conversation.login_start().await?;
            (name, uuid, Said::Modern { handshake, frame, start })
        }
        Opening::Legacy { name } => (name, None, Said::Legacy(conversation.take_rest())),
    };
    Ok((Claim::new(name, uuid), said))
}

/// The first target that answers. Those that had better not be tried come last.
async fn reach(
    route: &Route,
    dialer: &Dialer,
    targets: Vec<Target>,
    greeting: Greeting<'_>,
) -> Option<(Target, Socket, Option<InCrowd>)> {
    for target in route.health.last(targets, |target| &target.address).take(TRIED) {
        // From here on, so that many who come at once don't all find it empty.
        let at_target = route.carried.enter(target.address.to_string(), None);
        let attempt = Attempt::begin(route, &target, *greeting.relay.answer);
        match greeting.answered_by(dialer, &target.address).await {
            Ok(socket) => {
                attempt.answered();
                return Some((target, socket, at_target));
            }
            Err(error) => attempt.failed(&error, is_targets_fault(&error)),
        }
    }
    None
}

/// What a target is told first.
#[derive(Clone, Copy)]
struct Greeting<'a> {
    relay: &'a RelaySection,
    client: &'a Client,
    said: &'a Said,
    /// Where the client is connected to.
    local: SocketAddr,
}

impl Greeting<'_> {
    /// Connects to a target, tells it, and waits until it says something.
    async fn answered_by(&self, dialer: &Dialer, target: &TargetAddress) -> io::Result<Socket> {
        let mut socket = dial::connect(dialer, target, Instant::now() + *self.relay.connect).await?;
        socket.set_deadline(Instant::now() + *self.relay.answer);
        socket.write_all(&self.bytes(target)).await?;
        if socket.speaks().await? { Ok(socket) } else { Err(io::ErrorKind::ConnectionAborted.into()) }
    }

    fn bytes(&self, target: &TargetAddress) -> Vec<u8> {
        let version = self.relay.proxy_protocol;
        let mut bytes = version
            .map(|version| proxy_protocol::header(version, self.client.address, self.local))
            .unwrap_or_default();
        match self.said {
            Said::Modern { handshake: typed, frame, start } => {
                let handshake = self.handshake(typed, target);
                if handshake == *typed {
                    bytes.extend_from_slice(frame);
                } else {
                    // It was read, and what is written into it is no longer than that.
                    let _ = Outbound::new().write(self.client.version, &handshake, &mut bytes);
                }
                bytes.extend_from_slice(start);
            }
            Said::Legacy(said) => bytes.extend_from_slice(said),
        }
        bytes
    }

    /// The handshake as this target is to see it.
    fn handshake(&self, typed: &Handshake, target: &TargetAddress) -> Handshake {
        let mut handshake = typed.clone();
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
