//! How a session ends: the word for it, what the client is told last, and where it goes from there.

use super::Stay;
use crate::authentication;
use crate::refuse::Told;
use crate::session::Person;
use crate::shared::Shared;
use drawbridge_model::{Refusal, Refused};
use drawbridge_protocol::packet::configuration::Transfer;
use drawbridge_protocol::text::Component;
use drawbridge_routing::Route;
use drawbridge_session::{Excess, Session};
use drawbridge_telemetry::metrics::{self, CarriedEnd, Limit};
use std::sync::Arc;
use std::time::SystemTime;

/// How a session ends, and what the player is told last.
pub(super) struct Ending {
    why: CarriedEnd,
    words: Option<Component>,
    /// Where the client is sent instead, and with what.
    moved: Option<Moved>,
}

/// A client that comes back by itself.
struct Moved {
    transfer: Transfer,
    /// In the order in which they are stored: key and payload.
    cookies: Vec<(String, Vec<u8>)>,
}

impl Ending {
    /// The client follows a Transfer packet by itself.
    pub(super) const fn moved(transfer: Transfer) -> Self {
        let moved = Moved { transfer, cookies: Vec::new() };
        Self { why: CarriedEnd::SentOn, words: None, moved: Some(moved) }
    }

    /// Without any more to tell.
    pub(super) const fn silent(why: CarriedEnd) -> Self {
        Self { why, words: None, moved: None }
    }

    /// With these words.
    pub(super) const fn told(refusal: Refusal, words: Option<Component>) -> Self {
        Self { why: CarriedEnd::Refused(refusal), words, moved: None }
    }
}

impl Stay {
    /// Tells what there is to tell, and closes.
    pub(super) async fn end(mut self: Box<Self>, ending: Ending) {
        let traffic = self.session.traffic();
        self.passenger.ended(ending.why, traffic);
        // Who is on their way out takes no place.
        let mut session = self.into_session();
        if let Some(Moved { transfer, cookies }) = ending.moved {
            session.hand_over(transfer, cookies);
        }
        session.close(ending.words.as_ref()).await;
    }

    /// Nothing but the session is left.
    fn into_session(self) -> Session {
        self.session
    }

    /// The client sends more than it may.
    pub(super) async fn sends_too_much(&self, excess: Excess, shared: &Shared) -> Ending {
        metrics::limited(Limit::Play);
        let Excess { limit, allowed } = excess;
        tracing::info!(
            client = %self.passenger.presence.client().address,
            route = self.passenger.presence.route(),
            player = self.person.identity.name(),
            target = self.passenger.presence.target(),
            limit = limit.key(),
            allowed,
            "the client sends too much"
        );
        let words = self.words(&Refusal::PlayLimit.into(), shared).await;
        Ending::told(Refusal::PlayLimit, words)
    }

    /// The edge stops: who can be handed over comes back by the address that they came by, to the place that they are at, and is asked no
    /// more than a cookie who they are; all others are told.
    pub(super) async fn moving(&self, shared: &Shared) -> Ending {
        let client = self.passenger.presence.client();
        if !client.version.has_transfer() {
            let words = self.words(&Refusal::ShuttingDown.into(), shared).await;
            return Ending::told(Refusal::ShuttingDown, words);
        }
        let transfer = Transfer { host: client.host.clone(), port: client.port };
        let here = self.passenger.presence.place();
        let snapshot = shared.snapshot.load();
        let Person { identity, proved, .. } = &*self.person;
        let place = match &snapshot.cookies {
            Some(jar) => {
                let address = snapshot.limits.prefix.of(client.address.ip());
                jar.seal_return(&here, identity.name(), address, SystemTime::now())
            }
            None => Some(here.into_bytes()),
        };
        let place = place.map(|place| (snapshot.cookie_keys.way_back.clone(), place));
        let vouched = |route: &Arc<Route>| self.person.is_vouched_for(route, self.passenger.presence.route());
        let proof = self.route(shared).filter(vouched);
        let proof = proof.map(|route| authentication::cookies(identity, *proved, &snapshot, &route, client));
        let cookies = proof.into_iter().flatten().chain(place).collect();
        let why = CarriedEnd::Refused(Refusal::ShuttingDown);
        Ending { why, words: None, moved: Some(Moved { transfer, cookies }) }
    }

    /// The words for a refusal, as the routes have them now.
    pub(super) async fn words(&self, refused: &Refused, shared: &Shared) -> Option<Component> {
        let snapshot = shared.snapshot.load_full();
        let client = self.passenger.presence.client();
        let route = self.route(shared);
        let told = Told { refused, client, player: Some(self.person.identity.name()) };
        told.words(&*snapshot.routes.localization, route.as_deref(), None).await
    }
}
