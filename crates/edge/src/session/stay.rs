//! A session under way: who is carried by it, where they go from one target to the next, and what becomes of them when theirs sends them away
//! or is lost.
//!
//! What must stay true: nobody is disconnected while any place would take them that the route names, nor without a word that says why; a way
//! that leads nowhere leaves the player where they were.

mod asking;
mod ending;
mod refuge;

use super::Person;
use super::commands::{Desk, Done, Then};
use super::destination::{Guest, home_of};
use super::search::Reached;
use super::way_on::{Astray, Landing, Place, Walk, Walker};
use crate::passenger::{Berth, Passenger};
use crate::shared::Shared;
use drawbridge_model::{Notice, Refusal, Refused, Said};
use drawbridge_protocol::packet::configuration::Transfer;
use drawbridge_protocol::text::Component;
use drawbridge_routing::Route;
use drawbridge_session::{Event, Fault, Session};
use drawbridge_telemetry::metrics::CarriedEnd;
use ending::Ending;
use refuge::{Crossing, Lost, Shunned};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// So often in so long a time the edge goes where targets send a player on, lest two of them have it go to and fro.
const FOLLOWED: usize = 5;
const FOLLOWED_IN: Duration = Duration::from_secs(10);

/// So many characters of a target's words stand in the log.
const BRIEF: usize = 200;

/// A player who is carried by a session.
pub(crate) struct Stay {
    session: Session,
    passenger: Passenger,
    person: Arc<Person>,
    /// Where the player is going, and by what name they know it.
    going: Option<(Goal, Walk)>,
    /// Since when the player is where they are.
    since: Instant,
    /// When the edge followed a target's Transfer packets of late, instead of the client.
    followed: Vec<Instant>,
    /// When the player will have been slow enough about going elsewhere.
    unhurried: Instant,
    /// While no target can be reached: until when the next look at them is waited for.
    waits: Option<Duration>,
    /// From where to where the player was being brought when they came to be where they are, for as long as they haven't seen it.
    crossing: Option<Crossing>,
    /// How the player lost the target that they were on.
    lost: Option<Lost>,
    /// The addresses of targets that the player lost.
    shunned: Vec<Shunned>,
    /// How many reloads there had been when it was looked up what the player may do.
    reloads: u64,
    /// What the player has asked by commands.
    desk: Desk,
}

/// Why a player is going somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Goal {
    /// They, or an operator, want to this place.
    Wanted(String),
    /// They have lost the target that they were on.
    Refuge,
    /// They wait in limbo for a target.
    Home,
    /// Their target has sent them there.
    SentOn(Transfer),
}

/// What ends the wait for something to happen.
enum Happening {
    /// The session has come to something.
    Event(Event),
    /// The way on has led somewhere, or nowhere.
    Arrived(Goal, Box<Result<Landing, Astray>>),
    /// An operator has the player go to this place.
    Ordered(String),
    /// Something that the player has asked is known.
    Done(Done),
    /// There is another snapshot.
    Reloaded,
    /// The player may not stay.
    SentAway(Box<Refused>),
    /// The edge stops.
    Moving,
}

impl Stay {
    /// From here on frames flow.
    pub(super) fn begin(session: Session, mut passenger: Passenger, person: Person, shared: &Shared) -> Self {
        passenger.has_come();
        let since = session.now();
        let mut stay = Self {
            session,
            passenger,
            person: Arc::new(person),
            going: None,
            since,
            followed: Vec::new(),
            unhurried: since,
            waits: None,
            crossing: None,
            lost: None,
            shunned: Vec::new(),
            reloads: 0,
            desk: Desk::default(),
        };
        stay.learn_rights(shared);
        stay
    }

    /// Carries until one of both sides, or somebody else, ends it, and closes.
    pub(crate) async fn carry(mut self: Box<Self>, shared: Arc<Shared>) {
        // What follows upon something is boxed: nearly always nothing happens, and whoever is held or carried is no larger for it.
        let ending = loop {
            let happening = self.next(&shared).await;
            if let Some(ending) = Box::pin(self.decide(happening, &shared)).await {
                break ending;
            }
        };
        Box::pin(self.end(ending)).await;
    }

    /// Carries until something happens.
    async fn next(&mut self, shared: &Shared) -> Happening {
        let news = |this: &Self| {
            if shared.sessions_over.is_cancelled() {
                return Some(Happening::Moving);
            }
            let why = this.passenger.sent_away(shared);
            let refused = why.map(|why| Happening::SentAway(Box::new(why)));
            let ordered = || this.passenger.presence.take_order().map(Happening::Ordered);
            let reloaded = || (this.reloads != shared.reloads()).then_some(Happening::Reloaded);
            refused.or_else(ordered).or_else(reloaded)
        };
        shared.news.until(self, news, Self::poll).await
    }

    /// What becomes of it.
    async fn decide(&mut self, happening: Happening, shared: &Arc<Shared>) -> Option<Ending> {
        match happening {
            Happening::SentAway(refused) => {
                let words = self.words(&refused, shared).await;
                Some(Ending::told(refused.refusal, words))
            }
            Happening::Moving => Some(self.moving(shared).await),
            Happening::Ordered(name) => {
                self.go(name, shared);
                None
            }
            Happening::Arrived(goal, arrived) => match *arrived {
                Ok(landing) => {
                    self.land(goal, landing, shared);
                    None
                }
                Err(astray) => self.astray(goal, astray, shared).await,
            },
            Happening::Done(done) => {
                match done {
                    Done::Answered(words) => words.into_iter().for_each(|words| self.session.say(words)),
                    Done::Waits(words) => words.iter().for_each(|words| self.session.show_waiting(words)),
                    Done::Completed(request, matches) => self.session.complete(&request, &matches),
                }
                None
            }
            Happening::Reloaded => {
                self.learn_rights(shared);
                None
            }
            Happening::Event(event) => self.event(event, shared).await,
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Happening> {
        if let Poll::Ready(event) = self.session.poll(context) {
            return Poll::Ready(Happening::Event(event));
        }
        let (now, traffic) = (self.session.now(), self.session.traffic());
        self.passenger.tell_now_and_then(now, traffic);
        if let Some((_, way)) = &mut self.going
            && let Poll::Ready(arrived) = way.as_mut().poll(context)
            && let Some((goal, _)) = self.going.take()
        {
            return Poll::Ready(Happening::Arrived(goal, Box::new(arrived)));
        }
        self.desk.poll(context).map(Happening::Done)
    }

    async fn event(&mut self, event: Event, shared: &Arc<Shared>) -> Option<Ending> {
        let words = match event {
            Event::Left => return Some(Ending::silent(CarriedEnd::Closed)),
            Event::ClientStalled => return Some(Ending::silent(CarriedEnd::ClientStalled)),
            Event::ClientSilent => {
                let words = self.words(&Refusal::TimedOut.into(), shared).await;
                return Some(Ending::told(Refusal::TimedOut, words));
            }
            Event::Refused(Fault::Excess(excess)) => return Some(self.sends_too_much(excess, shared).await),
            Event::Refused(fault) => {
                tracing::info!(client = %self.passenger.presence.client().address, player = self.person.identity.name(), %fault, "the client doesn't keep to the protocol");
                return Some(Ending::silent(CarriedEnd::Refused(Refusal::Malformed)));
            }
            Event::SentOn(transfer) => return self.sent_on(transfer, shared),
            Event::Command(line) => {
                self.command(&line, shared);
                return None;
            }
            Event::Completion(request) => {
                self.complete(request, shared);
                return None;
            }
            Event::Kicked(words) => {
                tracing::info!(
                    client = %self.passenger.presence.client().address,
                    route = self.passenger.presence.route(),
                    player = self.person.identity.name(),
                    target = self.passenger.presence.target(),
                    words = brief(&words),
                    "a target threw the player out"
                );
                Some(words)
            }
            Event::Lost(loss) => {
                tracing::info!(
                    client = %self.passenger.presence.client().address,
                    route = self.passenger.presence.route(),
                    player = self.person.identity.name(),
                    target = self.passenger.presence.target(),
                    error = %loss,
                    "a target was lost"
                );
                None
            }
        };
        self.lost(words, shared).await
    }

    /// The target sends the player elsewhere: the edge brings them there, unless they or an operator have chosen another place. A target that
    /// does so again and again has the client follow.
    fn sent_on(&mut self, transfer: Transfer, shared: &Arc<Shared>) -> Option<Ending> {
        if self.going.as_ref().is_some_and(|(goal, _)| matches!(goal, Goal::Wanted(_) | Goal::SentOn(_))) {
            return None;
        }
        let now = self.session.now();
        self.followed.retain(|followed| now.saturating_duration_since(*followed) < FOLLOWED_IN);
        if self.followed.len() >= FOLLOWED {
            return Some(Ending::moved(transfer));
        }
        self.followed.push(now);
        let here = self.passenger.presence.target_address();
        let way = self.walker(shared).follow(transfer.clone(), here);
        self.going = Some((Goal::SentOn(transfer), way));
        None
    }

    /// The route that the player came by, as it is now.
    fn route(&self, shared: &Shared) -> Option<Arc<Route>> {
        let presence = &self.passenger.presence;
        home_of(&shared.snapshot.load().routes, presence.route(), presence.client()).cloned()
    }

    fn guest(&self, shared: &Arc<Shared>) -> Guest {
        let presence = &self.passenger.presence;
        Guest {
            shared: Arc::clone(shared),
            person: Arc::clone(&self.person),
            client: presence.client().clone(),
            route: presence.route().to_owned(),
        }
    }

    fn walker(&self, shared: &Arc<Shared>) -> Walker {
        Walker { guest: self.guest(shared), dialer: self.session.dialer() }
    }

    /// Sets out for a place; where the player was going before, they no longer are.
    pub(super) fn go(&mut self, name: String, shared: &Arc<Shared>) {
        // Who has lost their target may go back to it.
        let here = self.passenger.presence.target_address().filter(|_| self.session.has_backend());
        let way = self.walker(shared).set_out(name.clone(), here);
        self.going = Some((Goal::Wanted(name), way));
    }

    /// The player is somewhere else from here on.
    fn land(&mut self, goal: Goal, landing: Landing, shared: &Arc<Shared>) {
        let Landing { route, place, on_route } = landing;
        let before = self.passenger.presence.place();
        let mut lost = self.lost.take();
        let is_refuge = goal == Goal::Refuge;
        match place {
            Place::Target(reached) => {
                let crossing = self.unseen(lost.as_mut());
                let Reached { target, at_target, backend, .. } = *reached;
                self.passenger.moved(Berth::on(target, Some(route)), at_target, on_route);
                self.session.take_over(backend);
                let (from, wanted) = match crossing {
                    Some(Crossing { from, to }) => (from, to),
                    None => (before.clone(), None),
                };
                let to = if let Goal::Wanted(name) = goal { Some(name) } else { wanted };
                self.crossing = Some(Crossing { from, to });
            }
            // Nobody is sent there whose version has none.
            Place::Limbo => self.enter_limbo(&route, on_route),
        }
        self.since = self.session.now();
        self.waits = None;
        self.log_switch(&before);
        if let Some(lost) = lost {
            self.tell_lost(lost, shared);
            if is_refuge {
                let here = self.passenger.presence.place();
                self.notice(Notice::BroughtTo, vec![("server", here)], Then::Nothing, shared);
            }
        }
    }

    /// The way on which the player was to where they were last, if they haven't seen it.
    fn unseen(&mut self, lost: Option<&mut Lost>) -> Option<Crossing> {
        let crossing = self.crossing.take().filter(|_| !self.session.has_arrived());
        crossing.or_else(|| lost?.crossing.take())
    }

    fn log_switch(&self, before: &str) {
        tracing::info!(
            client = %self.passenger.presence.client().address,
            route = self.passenger.presence.route(),
            player = self.person.identity.name(),
            from = before,
            target = self.passenger.presence.place(),
            "switched"
        );
    }

    /// The way led nowhere: the player stays where they are, if they still are anywhere.
    async fn astray(&mut self, goal: Goal, astray: Astray, shared: &Arc<Shared>) -> Option<Ending> {
        let name = match goal {
            // Reloads have left no route to wait on.
            Goal::Home if matches!(astray, Astray::Unknown) => {
                let words = self.words(&Refusal::NoRoute.into(), shared).await;
                return Some(Ending::told(Refusal::NoRoute, words));
            }
            Goal::Home => {
                self.still_waits(shared);
                return None;
            }
            Goal::Refuge => return self.without_refuge(shared).await,
            Goal::Wanted(_) | Goal::SentOn(_) if self.lost.is_some() => {
                return self.seek_refuge(shared).await;
            }
            Goal::SentOn(_) if matches!(astray, Astray::AlreadyThere) => return None,
            // It is no place of the edge's, or doesn't take them: the client may go there by itself.
            Goal::SentOn(transfer) => return Some(Ending::moved(transfer)),
            Goal::Wanted(name) => name,
        };
        if self.waits.is_some() {
            self.look_again(shared);
        }
        let (notice, then) = match astray {
            Astray::Unknown => (Notice::UnknownServer, Then::Nothing),
            Astray::AlreadyThere => (Notice::AlreadyThere, Then::Nothing),
            Astray::Unreachable => (Notice::ServerUnreachable, Then::Nothing),
            Astray::Refused(refused) => (Notice::ServerRefused, Then::Refused(refused)),
            Astray::Kicked(words) => (Notice::ServerRefused, Then::Said(words)),
        };
        self.notice(notice, vec![("server", name)], then, shared);
        None
    }

    /// Tells the player something in the chat, and why, once the words are found.
    fn notice(
        &mut self,
        notice: Notice,
        parameters: Vec<(&'static str, String)>,
        then: Then,
        shared: &Arc<Shared>,
    ) {
        let words = self.caller(shared).told(Said::new(notice, parameters), then);
        self.desk.tell(words);
    }
}

/// As much of a text as the log holds.
pub(super) fn brief(words: &Component) -> String {
    words.to_plain().chars().take(BRIEF).collect()
}
