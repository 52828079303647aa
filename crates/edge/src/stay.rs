//! A session under way: who is carried by it, and what becomes of them when their target sends them away or is lost.
//!
//! What must stay true: nobody is disconnected without a word that says why.

use crate::passenger::Passenger;
use crate::refuse::Told;
use crate::shared::Shared;
use drawbridge_model::{Refusal, Refused};
use drawbridge_net::relay::Traffic;
use drawbridge_protocol::text::Component;
use drawbridge_session::{Event, Session};
use std::sync::Arc;
use std::task::{Context, Poll};

/// A player who is carried by a session.
pub(crate) struct Stay {
    session: Session,
    passenger: Passenger,
}

/// What ends the wait for something to happen.
enum Happening {
    /// The session has come to something.
    Event(Event),
    /// The player may not stay.
    SentAway(Box<Refused>),
}

/// How a session ends: the word for it, and what the player reads.
struct Ending {
    label: &'static str,
    words: Option<Component>,
}

impl Stay {
    /// From here on frames flow.
    pub(crate) fn begin(session: Session, mut passenger: Passenger) -> Self {
        passenger.has_come();
        Self { session, passenger }
    }

    /// Carries until one of both sides, or somebody else, ends it, and closes.
    pub(crate) async fn carry(mut self: Box<Self>, shared: Arc<Shared>) {
        let ending = loop {
            if let Some(ending) = self.next(&shared).await {
                break ending;
            }
        };
        let traffic = self.traffic();
        self.passenger.ended(ending.label, traffic);
        // Who is on their way out takes no place.
        Box::pin(self.into_session().close(ending.words.as_ref())).await;
    }

    /// Nothing but the session is left.
    fn into_session(self) -> Session {
        self.session
    }

    fn traffic(&self) -> Traffic {
        let carried = self.session.traffic();
        Traffic { up: carried.up, down: carried.down }
    }

    /// Carries until something happens, and decides what becomes of it.
    async fn next(&mut self, shared: &Shared) -> Option<Ending> {
        let sent_away =
            |this: &Self| this.passenger.sent_away(shared).map(|why| Happening::SentAway(Box::new(why)));
        let happening = shared.news.until(self, sent_away, Self::poll).await;
        let refused = match happening {
            Happening::SentAway(refused) => *refused,
            Happening::Event(event) => match event {
                Event::Left => return Some(Ending { label: "closed", words: None }),
                Event::ClientStalled => return Some(Ending { label: "client_stalled", words: None }),
                Event::ClientSilent => Refusal::TimedOut.into(),
                Event::Refused(fault) => {
                    tracing::debug!(client = %self.passenger.presence.client().address, %fault, "not the protocol");
                    return Some(Ending { label: Refusal::Malformed.label(), words: None });
                }
                Event::Kicked(words) => {
                    return Some(Ending { label: Refusal::TargetRefused.label(), words: Some(words) });
                }
                Event::Lost(loss) => {
                    let (route, target) = (self.passenger.presence.route(), self.passenger.presence.target());
                    tracing::info!(route, target, error = %loss, "a target was lost");
                    Refusal::TargetLost.into()
                }
            },
        };
        let words = self.words(&refused, shared).await;
        Some(Ending { label: refused.refusal.label(), words })
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Happening> {
        let polled = self.session.poll(context);
        let (now, traffic) = (self.session.now(), self.traffic());
        self.passenger.tell_now_and_then(now, traffic);
        polled.map(Happening::Event)
    }

    /// The words for a refusal, as the routes have them now.
    async fn words(&self, refused: &Refused, shared: &Shared) -> Option<Component> {
        let snapshot = shared.snapshot.load_full();
        let client = self.passenger.presence.client();
        let route = snapshot
            .routes
            .lookup(&client.host)
            .filter(|route| route.name == self.passenger.presence.route());
        let told = Told { refused, client, player: Some(self.passenger.identity.name()) };
        told.words(&*snapshot.routes.localization, route.map(|route| &**route), None).await
    }
}
