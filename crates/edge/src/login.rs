//! From a greeting that asks to join to the player's being handed over.

use crate::authentication;
use crate::conversation::Conversation;
use crate::delivery;
use crate::ended::Ended;
use crate::journey::Journey;
use crate::placement;
use crate::players::Presence;
use crate::refuse;
use crate::report::Line;
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use drawbridge_model::{Claim, Client, Identity, Refusal, Refused, Target};
use drawbridge_net::Pass;
use drawbridge_protocol::packet::login::{LoginStart, PlayerKey};
use drawbridge_routing::Route;
use drawbridge_telemetry::metrics::Phase;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Instant, SystemTime};
use tokio_util::task::task_tracker::TaskTrackerToken;

/// What is settled about a client that wants to join, before it says who it is.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) shared: Arc<Shared>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) route: Arc<Route>,
    pub(crate) client: Client,
    /// Whether it says that a Transfer packet brought it.
    pub(crate) returning: bool,
    /// The client's language, once it has said it.
    pub(crate) locale: Option<String>,
    pub(crate) arrived: Instant,
    /// Counts the connection for as long as it lives.
    pub(crate) pass: Pass,
    /// Where operators see the player.
    pub(crate) presence: Presence,
    /// Counts the login for the shutdown.
    pub(crate) _tracked: TaskTrackerToken,
}

impl Visit {
    /// Turns the player away whom a ban keeps out by now.
    pub(crate) fn ask_bans(&self, identity: &Identity) -> Result<(), Ended> {
        match self.shared.bans.of(self.client.address.ip(), identity) {
            Some(ban) => Err(Refused::from(&*ban).into()),
            None => Ok(()),
        }
    }
}

/// A client that has said who it is.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) claim: Claim,
    /// What the client signs chat with.
    pub(crate) key: Option<PlayerKey>,
}

/// Brings a client through, tells it where that fails, and closes.
pub(crate) async fn serve(mut visit: Visit, mut conversation: Conversation, journey: &mut Journey) {
    let mut name = None;
    let (shared, summons) = (Arc::clone(&visit.shared), visit.presence.summons());
    let walked =
        shared.in_grace(&summons, pin!(walk(&mut visit, &mut conversation, &mut name, journey))).await;
    match walked {
        Ok(target) => {
            let route = Some(&*visit.route.name);
            let (client, player, arrived) = (&visit.client, name.as_deref(), visit.arrived);
            Line { client, route, player, arrived, now: Instant::now(), journey }.handed_over(&target);
            conversation.close().await;
        }
        Err(ended) => Box::pin(turn_away(visit, conversation, ended, name.as_deref(), journey)).await,
    }
}

/// Tells a client that it gets no further, and closes.
pub(crate) async fn turn_away(
    visit: Visit,
    mut conversation: Conversation,
    ended: Ended,
    player: Option<&str>,
    journey: &mut Journey,
) {
    let (client, route) = (&visit.client, Some(&*visit.route.name));
    let now = Instant::now();
    let line = Line { client, route, player, arrived: visit.arrived, now, journey };
    let refused = match ended {
        Ended::Left => return line.left(),
        Ended::Refused(refusal) => Refused::from(refusal),
        Ended::RefusedBy(refused) => *refused,
    };
    // There may be room for a player and none for the way to their target.
    let quietly = refused.refusal == Refusal::Full && !visit.shared.full.permits(now);
    line.refused(&refused, quietly);
    let told = refuse::Told { refused: &refused, client, player };
    let words =
        told.words(&*visit.snapshot.routes.localization, Some(&visit.route), visit.locale.as_deref()).await;
    if let Some(reason) = words {
        conversation.tell(reason);
    }
    conversation.close().await;
}

/// The phases, in their order. Each is boxed, so that who waits in one doesn't take what another needs.
async fn walk(
    visit: &mut Visit,
    conversation: &mut Conversation,
    name: &mut Option<String>,
    journey: &mut Journey,
) -> Result<Target, Ended> {
    let login = begin(visit, conversation, name).await?;
    journey.enter(Phase::Authentication, Instant::now());
    let identified = Box::pin(authentication::identify(login, visit, conversation, journey)).await?;
    visit.presence.learn_who(&identified.identity);
    journey.enter(Phase::Placement, Instant::now());
    let placed = Box::pin(placement::place(identified, visit, conversation, journey)).await?;
    journey.enter(Phase::Delivery, Instant::now());
    Box::pin(delivery::hand_over(placed, visit, conversation)).await
}

/// Reads Login Start, checks the name's form, and asks whether it is banned.
pub(crate) async fn begin(
    visit: &Visit,
    conversation: &mut Conversation,
    name: &mut Option<String>,
) -> Result<Login, Ended> {
    let start: LoginStart = conversation.expect().await?;
    let takes_name = visit.route.takes_name(&start.name);
    *name = Some(start.name.clone());
    if !takes_name {
        return Err(Ended::Refused(Refusal::Name));
    }
    let claim = Claim::new(start.name, start.uuid);
    visit.presence.learn_who(&Identity::Claimed(claim.clone()));
    match visit.shared.bans.name(&claim.name) {
        Some(ban) => Err(Refused::from(&*ban).into()),
        None => Ok(Login { claim, key: start.key }),
    }
}

/// A player who is who they are, as far as the route asks.
#[derive(Debug)]
pub(crate) struct Identified {
    pub(crate) identity: Identity,
    /// When they last proved it, where somebody vouches for them.
    pub(crate) proved: Option<SystemTime>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes a future of such a function takes.
    fn size<A, B, C, F>(_: impl FnOnce(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    /// The futures are nearly all that a login takes which waits: its goal is 10 KiB, with the connection's own 2.2 KiB.
    #[test]
    fn a_login_that_waits_is_small() {
        let served = size::<_, _, &'static mut Journey, _>(serve);
        assert!(served <= 2_048, "{served} bytes");
        let journeying = |login, visit: &'static mut Visit, rest: &'static mut (Conversation, Journey)| {
            authentication::identify(login, visit, &mut rest.0, &mut rest.1)
        };
        let identified = size(journeying);
        assert!(identified <= 2_048, "{identified} bytes");
    }
}
