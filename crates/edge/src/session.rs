//! A join on a route whose players are carried by sessions: the login, placement, a target that lets the player in, and from then on
//! frames.
//!
//! The client hears Login Success only when a target has let the player in: until then what a target asks of a login (plugins, cookies)
//! can be asked of the client, and a target that fails is followed by the next without the client's noticing.
//!
//! What must stay true: an identity that nobody vouched for is told to a target only where the route is `offline`; a client that is turned
//! away is told so, in the target's own words if a target did it.

use crate::attempt::{Attempt, TRIED, is_targets_fault};
use crate::authentication;
use crate::conversation::Conversation;
use crate::dial;
use crate::ended::Ended;
use crate::greeting::Opening;
use crate::journey::Journey;
use crate::login::{self, Login, Visit};
use crate::passenger::{Boarding, Passenger, Way};
use crate::stay::Stay;
use drawbridge_model::{Claim, Identity, Profile, Refusal, Target};
use drawbridge_net::{Dialer, InCrowd, Socket, proxy_protocol};
use drawbridge_protocol::frame::MAX_FRAME;
use drawbridge_protocol::packet::Packet;
use drawbridge_protocol::packet::login::{
    CookieRequest, CookieResponse, LoginPluginResponse, LoginSuccess, PlayerKey, SetCompression,
};
use drawbridge_protocol::profile::offline_uuid;
use drawbridge_protocol::text::Component;
use drawbridge_routing::Route;
use drawbridge_session::forwarding::Traveller;
use drawbridge_session::{
    Backend, Client, Forwarding, Introduction, LoggingIn, LoginError, Options, Question, Session, Step,
};
use drawbridge_telemetry::metrics::Phase;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a side may take none of what is kept for it.
const STALLED: Duration = Duration::from_secs(30);

/// The longest packet of a client during a login that targets take part in, in bytes: the answers of Forge hold lists of mods.
const ANSWERS: usize = 256 * 1024;

/// A player whom a target has let in.
struct Arrived {
    boarding: Boarding,
    backend: Backend,
    /// As the target knows the player.
    profile: Profile,
}

/// Brings a client to a target; where that fails, tells the client and closes.
pub(crate) async fn serve(
    mut visit: Visit,
    mut conversation: Conversation,
    opening: Opening,
    authenticates: bool,
    journey: &mut Journey,
) -> Option<Box<Stay>> {
    let mut name = None;
    let (shared, summons) = (Arc::clone(&visit.shared), visit.presence.summons());
    let finding = find(&mut visit, &mut conversation, &opening, authenticates, (&mut name, journey));
    match shared.in_grace(&summons, Box::pin(finding)).await {
        Ok(arrived) => Some(Box::new(begin(visit, conversation, arrived, journey))),
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
    opening: &Opening,
    authenticates: bool,
    (name, journey): (&mut Option<String>, &mut Journey),
) -> Result<Arrived, Ended> {
    let login = login::begin(visit, conversation, name).await?;
    let key = login.key.clone();
    let identity = if authenticates {
        journey.enter(Phase::Authentication, Instant::now());
        verified(login, visit, conversation, journey).await?
    } else {
        Identity::Claimed(login.claim)
    };
    visit.presence.learn_who(&identity);
    visit.ask_bans(&identity)?;
    conversation.raise_bound(ANSWERS);
    let in_crowd = visit.shared.crowds.enter(visit.route.name.as_str(), visit.route.max_players);
    let on_route = in_crowd.ok_or(Refusal::RouteFull)?;
    journey.enter(Phase::Placement, Instant::now());
    let (route, client) = (Arc::clone(&visit.route), journey.client(&visit.client));
    let placed = conversation.keeping(route.place(&client, &identity)).await;
    let targets = placed.map_err(|ended| ended.late(Refusal::PlacementTimeout))??;
    journey.enter(Phase::Delivery, Instant::now());
    let open = visit.shared.gate.enter_to_target().map_err(|_| Refusal::Full)?;
    let known_as = known_as(&identity);
    let search = Search {
        route: &route,
        visit,
        opening,
        profile: &known_as,
        key: key.as_ref().filter(|_| tells_keys(&route.session.forwarding)),
    };
    let (target, at_target, backend, profile) = Box::pin(search.reach(targets, conversation)).await?;
    // It may have taken a while.
    visit.ask_bans(&identity)?;
    let boarding = Boarding { identity, target, places: [Some(on_route), at_target], open };
    Ok(Arrived { boarding, backend, profile })
}

/// Who the player is, as somebody vouches for it.
async fn verified(
    login: Login,
    visit: &mut Visit,
    conversation: &mut Conversation,
    journey: &mut Journey,
) -> Result<Identity, Ended> {
    let identified = Box::pin(authentication::vouch(login, visit, conversation, journey)).await?;
    match identified.identity {
        verified @ Identity::Verified(_) => Ok(verified),
        // The configuration has no such route.
        Identity::Claimed(_) => Err(Refusal::Internal.into()),
    }
}

/// A chat key is of use to targets alone that know the player by the UUID it was made for.
const fn tells_keys(forwarding: &Forwarding) -> bool {
    !matches!(forwarding, Forwarding::None)
}

/// How a target is to know the player: nobody's word is taken for a UUID.
fn known_as(identity: &Identity) -> Profile {
    match identity {
        Identity::Verified(profile) => profile.clone(),
        Identity::Claimed(Claim { name, .. }) => {
            Profile { id: offline_uuid(name), name: name.clone(), properties: Vec::new() }
        }
    }
}

/// Tells the client that it is in, and hands over to the session.
fn begin(visit: Visit, conversation: Conversation, arrived: Arrived, journey: &mut Journey) -> Stay {
    let Arrived { boarding, backend, profile } = arrived;
    let (version, session) = (visit.client.version, &visit.route.session);
    let options = Options {
        stalled: STALLED,
        reserved: visit.snapshot.reserved_cookies(),
        signs: tells_keys(&session.forwarding),
        commands: &[],
    };
    let (socket, mut reader, mut writer) = conversation.into_session(MAX_FRAME);
    if let Some(threshold) = session.compression.filter(|_| version.has_compression()) {
        // It is no longer than the longest packet.
        let _ = writer.packet(version, &SetCompression { threshold: threshold as i32 });
        writer.set_compression(Some(threshold));
        reader.set_compression(true);
    }
    let success = LoginSuccess { profile, session_id: Uuid::new_v4() };
    // A profile that was read is none that can't be written.
    let _ = writer.packet(version, &success);
    let session = Session::new(version, Client { socket, reader, writer }, backend, options);
    Stay::begin(session, Passenger::board(visit, boarding, Way::Session, journey))
}
