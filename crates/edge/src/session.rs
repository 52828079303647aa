//! A join on a route whose players are carried by sessions: the login, placement, a target that lets the player in, and from then on
//! frames.
//!
//! The client hears Login Success only when a target has let the player in: until then what a target asks of a login (plugins, cookies)
//! can be asked of the client, and a target that fails is followed by the next without the client's noticing.
//!
//! What must stay true: an identity that nobody vouched for is told to a target only where the route is `offline`; a client that is turned
//! away is told so, in the target's own words if a target did it.

mod commands;
mod destination;
mod search;
mod stay;
mod way_on;

use crate::authentication;
use crate::conversation::Conversation;
use crate::ended::Ended;
use crate::greeting::Opening;
use crate::journey::Journey;
use crate::login::{self, Identified, Login, Visit};
use crate::passenger::{Berth, Boarding, Passenger, Way};
use crate::rights::{Right, Rights};
use crate::snapshot::Snapshot;
use destination::{Asker, Destination};
use drawbridge_limbo::World;
use drawbridge_model::{Identity, Profile, Refusal, Refused, Target};
use drawbridge_protocol::frame::MAX_FRAME;
use drawbridge_protocol::packet::login::{LoginSuccess, PlayerKey, SetCompression};
use drawbridge_routing::{LimboKind, OnTransfer, Route};
use drawbridge_session::{Backend, Client, Options, Session, shakes_hands};
use drawbridge_telemetry::metrics::Phase;
use search::{Reached, Respondent, Search, Unreached};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use uuid::Uuid;

pub(crate) use stay::Stay;

/// How long a side may take none of what is kept for it.
const STALLED: Duration = Duration::from_secs(30);

/// The longest packet of a client during a login that targets take part in, in bytes: the answers of Forge hold lists of mods.
const ANSWERS: usize = 256 * 1024;

/// What every target is told of a player.
#[derive(Debug)]
struct Person {
    identity: Identity,
    /// What they sign chat with.
    key: Option<PlayerKey>,
    /// The host as they typed it.
    host: String,
    /// Where they are connected to.
    local: SocketAddr,
    /// When they last proved who they are, where somebody vouches for them.
    proved: Option<SystemTime>,
    /// Who vouched for them, where that has a name.
    realm: Option<String>,
}

impl Person {
    /// Whether whoever vouched for the player, who came by the route `came_by`, is whom this route asks. It is as routes are now, and they may
    /// have changed since.
    fn is_vouched_for(&self, route: &Route, came_by: &str) -> bool {
        let realm = route.authentication.realm();
        let same = self.realm.as_deref() == realm && (realm.is_some() || route.name == came_by);
        same && self.identity.verified().is_some()
    }

    /// What the player may do who came by `route`. Who merely claims to be somebody is nobody, unless the route says otherwise.
    fn rights(&self, snapshot: &Snapshot, route: Option<&Route>) -> Rights {
        let trusted = match &self.identity {
            Identity::Verified(_) => true,
            Identity::Claimed(_) => {
                snapshot.permissions.has_groups() && route.is_some_and(|route| route.session.trusts_claims)
            }
        };
        let profile = trusted.then(|| self.identity.told());
        snapshot.permissions.of(profile.as_deref())
    }
}

/// A player who has somewhere to be.
struct Arrived {
    person: Person,
    boarding: Boarding,
    /// The target that has let them in; without, they are held in limbo.
    backend: Option<Backend>,
    /// As the target knows the player.
    profile: Profile,
    /// In limbo only until a target can be reached.
    waits: bool,
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
    let found = shared.in_grace(&summons, pin!(finding)).await;
    match found {
        Ok(arrived) => Some(Box::new(begin(visit, conversation, arrived, journey))),
        Err(unreached) => {
            let ended = match unreached {
                Unreached::Ended(ended) => ended,
                Unreached::Unreachable => Refusal::Unreachable.into(),
                Unreached::Kicked(words) => {
                    conversation.tell(*words);
                    Refusal::TargetRefused.into()
                }
            };
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
) -> Result<Arrived, Unreached> {
    let login = login::begin(visit, conversation, name).await?;
    let key = login.key.clone();
    let Identified { identity, proved } = if authenticates {
        journey.enter(Phase::Authentication, Instant::now());
        verified(login, visit, conversation, journey).await?
    } else {
        Identified { identity: Identity::Claimed(login.claim), proved: None }
    };
    visit.presence.learn_who(&identity);
    visit.ask_bans(&identity)?;
    conversation.raise_bound(ANSWERS);
    let in_crowd = visit.shared.crowds.enter(visit.route.name.as_str(), visit.route.max_players);
    let on_route = in_crowd.ok_or(Ended::Refused(Refusal::RouteFull))?;
    journey.enter(Phase::Placement, Instant::now());
    let client = journey.client(&visit.client);
    let realm = visit.route.authentication.realm().filter(|_| authenticates).map(ToOwned::to_owned);
    let (host, local) = (opening.host().to_owned(), conversation.local()?);
    let person = Person { key, host, local, identity, proved, realm };
    let wish = returns_to(visit, &person, conversation).await?;
    let placing = Placing { visit, client: &client, person: &person, wish: wish.as_deref() };
    let destination = conversation.keeping(pin!(placing.destination())).await;
    let destination =
        destination.map_err(|ended| ended.late(Refusal::PlacementTimeout))?.map_err(Ended::from)?;
    journey.enter(Phase::Delivery, Instant::now());
    let reached = placing.reach(&destination, conversation).await?;
    if reached.is_none() && World::of(visit.client.version).is_none() {
        return Err(Unreached::Unreachable);
    }
    let open = visit.shared.gate.enter_to_target().map_err(|_| Ended::Refused(Refusal::Full))?;
    // It may have taken a while.
    visit.ask_bans(&person.identity)?;
    let identity = person.identity.without_properties();
    let Destination { route, on_route: elsewhere, .. } = destination;
    let waits = reached.is_none() && route.session.limbo != LimboKind::Always;
    let (berth, at_target, backend, profile) = match reached {
        Some(Reached { target, at_target, backend, profile }) => {
            (Berth::on(target, Some(route.name.clone())), at_target, Some(backend), profile)
        }
        None => (Berth::limbo(&route.name), None, None, person.identity.told().into_owned()),
    };
    let boarding = Boarding { identity, berth, crowds: [Some(on_route), at_target, elsewhere], open };
    Ok(Arrived { person, boarding, backend, profile, waits })
}

/// Where a player wants to who was moved here by an edge that stops: as that edge has sealed it, or where nothing is sealed, if they could type as
/// much.
async fn returns_to(
    visit: &Visit,
    person: &Person,
    conversation: &mut Conversation,
) -> Result<Option<String>, Ended> {
    if !visit.returning || !visit.client.version.has_transfer() {
        return Ok(None);
    }
    let wish = authentication::ask_cookie(visit.snapshot.cookie_keys.way_back.clone(), conversation).await?;
    let Some(wish) = wish else { return Ok(None) };
    let (snapshot, address) = (&visit.snapshot, visit.client.address.ip());
    if let Some(jar) = &snapshot.cookies {
        let address = snapshot.limits.prefix.of(address);
        return Ok(jar.open_return(&wish, person.identity.name(), address, SystemTime::now()).ok());
    }
    let may = person.rights(snapshot, Some(&visit.route)).has(Right::Server);
    Ok(String::from_utf8(wish).ok().filter(|_| may))
}

/// What is known when a place is looked for.
struct Placing<'a> {
    visit: &'a Visit,
    client: &'a drawbridge_model::Client,
    person: &'a Person,
    /// Where the player was before an edge stopped.
    wish: Option<&'a str>,
}

impl Placing<'_> {
    /// Where the player was, as far as they may still go there, or else where the route has them go.
    async fn destination(&self) -> Result<Destination, Refused> {
        let Visit { shared, route, .. } = self.visit;
        let asker = Asker { shared, client: self.client, person: self.person, route: &route.name };
        if let Some(wish) = self.wish
            && let Ok(destination) = asker.find(wish).await
        {
            return Ok(destination);
        }
        let place = || route.place(self.client, &self.person.identity);
        let targets = match route.session.limbo {
            LimboKind::Always => Vec::new(),
            LimboKind::Never => place().await?,
            LimboKind::WhenUnreachable => place().await.or_else(|refused| waits_out(refused, self.client))?,
        };
        Ok(Destination { route: Arc::clone(route), targets, on_route: None })
    }

    /// A target that lets the player in; none where they are to be held in limbo.
    async fn reach(
        &self,
        destination: &Destination,
        conversation: &mut Conversation,
    ) -> Result<Option<Reached>, Unreached> {
        let Destination { route, targets, .. } = destination;
        if route.session.limbo == LimboKind::Always {
            return Ok(None);
        }
        let (dialer, reserved) = (conversation.dialer(), self.visit.snapshot.reserved_cookies());
        let search = Search {
            route,
            client: &self.visit.client,
            person: self.person,
            reserved: &reserved,
            dialer: &dialer,
        };
        match Box::pin(search.reach(targets.clone(), Respondent::Client(conversation))).await {
            Ok(reached) => Ok(Some(reached)),
            Err(Unreached::Unreachable) if route.session.limbo == LimboKind::WhenUnreachable => Ok(None),
            Err(unreached) => Err(unreached),
        }
    }
}

/// No targets, where one may turn up while the player waits: discovery knows of none, or doesn't answer.
fn waits_out(refused: Refused, client: &drawbridge_model::Client) -> Result<Vec<Target>, Refused> {
    let may_turn_up = match refused.refusal {
        Refusal::Discovery => true,
        // What actions have taken away isn't for this player.
        Refusal::NoTarget => refused.by.is_none(),
        _ => false,
    };
    if may_turn_up && World::of(client.version).is_some() { Ok(Vec::new()) } else { Err(refused) }
}

/// Who the player is, as somebody vouches for it.
async fn verified(
    login: Login,
    visit: &mut Visit,
    conversation: &mut Conversation,
    journey: &mut Journey,
) -> Result<Identified, Ended> {
    let identified = Box::pin(authentication::vouch(login, visit, conversation, journey)).await?;
    match identified.identity {
        Identity::Verified(_) => Ok(identified),
        // The configuration has no such route.
        Identity::Claimed(_) => Err(Refusal::Internal.into()),
    }
}

/// Tells the client that it is in, and hands over to the session.
fn begin(visit: Visit, conversation: Conversation, arrived: Arrived, journey: &mut Journey) -> Stay {
    let Arrived { person, boarding, backend, profile, waits } = arrived;
    let (version, session) = (visit.client.version, &visit.route.session);
    let options = Options {
        stalled: STALLED,
        reserved: visit.snapshot.reserved_cookies(),
        commands: commands::NAMES,
        authenticated: matches!(person.identity, Identity::Verified(_)),
        shakes_hands: shakes_hands(version, &person.host),
        follows_transfers: session.on_transfer == OnTransfer::Switch,
        limits: visit.snapshot.limits.play.clone(),
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
    let held = backend.is_none().then(|| boarding.berth.at.identifier().to_owned());
    let shared = Arc::clone(&visit.shared);
    let session = Session::new(version, Client { socket, reader, writer }, backend, options);
    let passenger = Passenger::board(visit, boarding, Way::Session, journey);
    let mut stay = Stay::begin(session, passenger, person, &shared);
    if let Some(limbo) = held {
        stay.begin_in_limbo(&limbo, waits, &shared);
    }
    stay
}
