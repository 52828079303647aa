//! The hand-over: resource packs, cookies, Transfer.

use crate::conversation::Conversation;
use crate::ended::Ended;
use crate::login::Visit;
use crate::placement::{Placed, Waiting};
use crate::ticket::Passage;
use drawbridge_model::{Refusal, Target, TargetAddress};
use drawbridge_net::race;
use drawbridge_protocol::packet::Packet as _;
use drawbridge_protocol::packet::configuration::{AddResourcePack, StoreCookie, Transfer};
use drawbridge_routing::Route;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::time::timeout;
use uuid::Uuid;

/// How long a target may take to accept a connection where the route asks for a probe.
const PROBE: Duration = Duration::from_secs(2);
/// How long a client may take over its resource packs, all together.
const PACKS: Duration = Duration::from_secs(300);

/// Hands the player over to the first target that will have them.
pub(crate) async fn hand_over(
    placed: Placed,
    visit: &mut Visit,
    conversation: &mut Conversation,
) -> Result<Target, Ended> {
    let Placed { targets, identity, mut cookies, mut waiting } = placed;
    let route = Arc::clone(&visit.route);
    let reachable = waiting.wait_for(pin!(first_reachable(&route, targets)), visit, conversation).await?;
    let Some((target, address)) = reachable else {
        waiting.learn_locale(visit, conversation).await?;
        return Err(Refusal::Unreachable.into());
    };
    offer_packs(&route, &mut waiting, visit, conversation).await?;
    // Minutes may have passed since the player was identified.
    visit.ask_bans(&identity)?;
    if route.transfer.ticket
        && let Some(office) = &visit.snapshot.tickets
    {
        let passage = Passage {
            identity: &identity,
            address: visit.client.address.ip(),
            target: &target,
            sent_to: &address,
        };
        cookies.push((office.cookie_key(), office.ticket(passage, SystemTime::now())));
    }
    for (key, payload) in cookies {
        conversation.send(&StoreCookie { key, payload })?;
    }
    conversation.send(&Transfer { host: address.host, port: address.port })?;
    conversation.flush_last().await?;
    if let Some(lease) = &target.lease {
        lease.used();
    }
    Ok(target)
}

/// The first target with an address for players, and where the route probes, one that accepts a connection there. Those that
/// had better not be tried come last.
async fn first_reachable(route: &Route, targets: Vec<Target>) -> Option<(Target, TargetAddress)> {
    // Checks look at the target's own address, a probe where players are sent to.
    let mut candidates = with_addresses(route, route.health.last(targets, |target| &target.address));
    if !route.transfer.probe {
        return candidates.next();
    }
    for (target, address) in route.health.last(candidates, |(_, address)| address) {
        if probe(route, &target, &address).await {
            return Some((target, address));
        }
    }
    None
}

/// The targets that players can be sent to.
fn with_addresses(
    route: &Route,
    targets: impl Iterator<Item = Target>,
) -> impl Iterator<Item = (Target, TargetAddress)> {
    targets.filter_map(|target| match route.transfer.address_of(&target) {
        Ok(address) => Some((target, address)),
        Err(error) => {
            if let Some(times) = route.unaddressed.due() {
                tracing::warn!(route = route.name, target = target.identifier, %error, times, "players can't be sent to the target");
            }
            None
        }
    })
}

/// Whether a target accepts connections; what is found out is remembered.
async fn probe(route: &Route, target: &Target, address: &TargetAddress) -> bool {
    let connecting = race::connect(&address.host, address.port);
    if matches!(timeout(PROBE, connecting).await, Ok(Ok(_))) {
        route.health.answered(address);
        return true;
    }
    if route.health.failed(address, Instant::now()) {
        tracing::warn!(route = route.name, target = target.identifier, %address, "the target doesn't accept connections");
    }
    false
}

/// Offers the route's resource packs and waits until the client has said what became of each.
async fn offer_packs(
    route: &Route,
    waiting: &mut Waiting,
    visit: &mut Visit,
    conversation: &mut Conversation,
) -> Result<(), Ended> {
    let packs = &route.transfer.resource_packs;
    // Whom packs can't be offered has none to take: a route with such a pack doesn't take the version.
    if packs.is_empty() || AddResourcePack::id(visit.client.version).is_none() {
        return Ok(());
    }
    for pack in packs {
        let id = Uuid::new_v4();
        waiting.expect_pack(id, pack.required);
        conversation.send(&AddResourcePack {
            id,
            url: pack.url.clone(),
            hash: pack.sha1.clone(),
            forced: pack.required,
            prompt: pack.prompt.clone(),
        })?;
    }
    conversation.flush().await?;
    // The download takes as long as the player's line does, which the time for placement doesn't know.
    conversation.set_deadline(Instant::now() + PACKS);
    waiting.for_packs(visit, conversation).await
}
