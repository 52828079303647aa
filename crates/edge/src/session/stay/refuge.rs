//! Where players go who are nowhere: to the first place that takes them, or into limbo until one does.

use super::{Ending, Goal, Stay};
use crate::passenger::Berth;
use crate::session::commands::Then;
use crate::shared::Shared;
use drawbridge_limbo::{World, WorldName};
use drawbridge_model::{Notice, Refusal, Said, TargetAddress};
use drawbridge_net::InCrowd;
use drawbridge_protocol::text::Component;
use drawbridge_routing::LimboKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// For how long a target that turned the player away, or was lost, isn't gone back to by itself: players would be thrown to and fro.
const SHUNNED: Duration = Duration::from_secs(10);

/// Who lost a target within so long isn't brought back to it from limbo for as long.
const SOON: Duration = Duration::from_secs(5);

/// How long a player who waits in limbo waits for the next look at the targets: at first, and at most.
const FIRST_LOOK: Duration = Duration::from_secs(1);
const LAST_LOOK: Duration = Duration::from_secs(10);

/// A target that the player lost.
pub(super) struct Lost {
    /// With which it threw the player out, if it did.
    words: Option<Component>,
    /// Its name.
    place: String,
    /// On the way to it, if the player never saw it.
    pub(super) crossing: Option<Crossing>,
}

/// The way from one place to another, by their names.
pub(super) struct Crossing {
    pub(super) from: String,
    /// Where the player wanted to, if they did.
    pub(super) to: Option<String>,
}

/// A target that the player lost, by its address.
pub(super) struct Shunned {
    address: TargetAddress,
    since: Instant,
    /// They hadn't been there for long.
    soon: bool,
}

impl Stay {
    /// The target has thrown the player out, with these words, or is gone: to the first place that takes them.
    pub(super) async fn lost(&mut self, words: Option<Component>, shared: &Arc<Shared>) -> Option<Ending> {
        let now = self.session.now();
        self.shunned.retain(|shunned| now < shunned.since + SHUNNED);
        let soon = now.saturating_duration_since(self.since) < SOON;
        self.shunned.extend(self.passenger.presence.target_address().map(|address| Shunned {
            address,
            since: now,
            soon,
        }));
        // Who has seen where they are wants back to nowhere.
        let crossing = self.crossing.take().filter(|_| !self.session.has_arrived());
        self.lost = Some(Lost { words, place: self.passenger.presence.place(), crossing });
        if self.going.is_some() {
            // They are on their way somewhere already.
            return None;
        }
        self.seek_refuge(shared).await
    }

    /// To the first place that takes a player who has lost theirs.
    pub(super) async fn seek_refuge(&mut self, shared: &Arc<Shared>) -> Option<Ending> {
        // Who was on their way goes to where they wanted, if there is more than one target, or back.
        let crossing = self.lost.as_ref().and_then(|lost| lost.crossing.as_ref());
        let mut places: Vec<_> = crossing
            .into_iter()
            .flat_map(|crossing| crossing.to.iter().chain([&crossing.from]))
            .cloned()
            .collect();
        places.extend(self.route(shared).into_iter().flat_map(|route| route.session.fallback.clone()));
        if places.is_empty() {
            return self.without_refuge(shared).await;
        }
        let way = self.walker(shared).seek(places, self.shunned(SHUNNED, |_| true));
        self.going = Some((Goal::Refuge, way));
        None
    }

    /// No place takes the player: limbo does, if the route has them held rather than disconnected. Whom a target turned away that they were
    /// on isn't held: they were told to go.
    pub(super) async fn without_refuge(&mut self, shared: &Arc<Shared>) -> Option<Ending> {
        let holds = self.route(shared).is_some_and(|route| route.session.limbo != LimboKind::Never);
        let lost = self.lost.take()?;
        let has_limbo = World::of(self.passenger.presence.client().version).is_some();
        let was_told_to_go = lost.words.is_some() && lost.crossing.is_none();
        if holds && has_limbo && !was_told_to_go {
            self.hold_for_target(shared);
            self.tell_lost(lost, shared);
            return None;
        }
        Some(match lost.words {
            Some(words) => Ending::told(Refusal::TargetRefused, Some(words)),
            None => {
                let words = self.words(&Refusal::TargetLost.into(), shared).await;
                Ending::told(Refusal::TargetLost, words)
            }
        })
    }

    /// Tells a player who is somewhere else by now how they came to be there.
    pub(super) fn tell_lost(&mut self, lost: Lost, shared: &Arc<Shared>) {
        match lost.words {
            Some(words) => self.session.say(words),
            None => self.notice(Notice::TargetLost, vec![("server", lost.place)], Then::Nothing, shared),
        }
    }

    /// The player begins in the limbo of the route of this name: until a target can be reached, or for good.
    pub(in super::super) fn begin_in_limbo(&mut self, route: &str, waits: bool, shared: &Arc<Shared>) {
        self.enter_limbo(route, None);
        if waits {
            self.look_again(shared);
        }
    }

    /// Has the player wait in their route's limbo until a target can be reached. Their version has to have one.
    fn hold_for_target(&mut self, shared: &Arc<Shared>) {
        let (name, before) = (self.passenger.presence.route().to_owned(), self.passenger.presence.place());
        self.enter_limbo(&name, None);
        self.since = self.session.now();
        self.log_switch(&before);
        self.look_again(shared);
    }

    /// Brings the player into the limbo of the route of this name.
    pub(super) fn enter_limbo(&mut self, route: &str, on_route: Option<InCrowd>) {
        if let Some(world) = World::of(self.passenger.presence.client().version) {
            self.session.hold(world, world_name(route));
            self.passenger.moved(Berth::limbo(route), None, on_route);
        }
    }

    /// Has a player who waits in limbo look for a target, in a while.
    pub(super) fn look_again(&mut self, shared: &Arc<Shared>) {
        let pause = self.waits.map_or(FIRST_LOOK, |pause| (pause * 2).min(LAST_LOOK));
        self.waits = Some(pause);
        // A target that is back is gone back to at once, but not one that loses its players as soon as they come.
        let way = self.walker(shared).wait(pause, self.shunned(SOON, |shunned| shunned.soon));
        self.going = Some((Goal::Home, way));
    }

    /// Tells a player who waits in limbo so, and looks again.
    pub(super) fn still_waits(&mut self, shared: &Arc<Shared>) {
        let words = self.caller(shared).told(Said::new(Notice::Waiting, Vec::new()), Then::Nothing);
        self.desk.show(words);
        self.look_again(shared);
    }

    /// The addresses that aren't gone back to yet, and until when.
    fn shunned(&self, time: Duration, are: impl Fn(&Shunned) -> bool) -> Vec<(TargetAddress, Instant)> {
        let shunned = self.shunned.iter().filter(|shunned| are(shunned));
        shunned.map(|Shunned { address, since, .. }| (address.clone(), *since + time)).collect()
    }
}

/// The name of a route's limbo: clients take no others than these letters.
fn world_name(route: &str) -> WorldName {
    let fits = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '_' | '-' | '.');
    let name: String =
        route.to_lowercase().chars().map(|letter| if fits(letter) { letter } else { '_' }).take(64).collect();
    // A route's name is never empty.
    WorldName::new(&name).unwrap_or_default()
}
