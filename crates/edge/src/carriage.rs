//! A relay under way: what is known of the player, and what ends it beside the two sides.
//!
//! What must stay true: it keeps neither snapshot nor route, since reloads come and go; whoever is banned or told to leave is gone at once;
//! a packet costs no look at anything but one number.

use crate::conversation::Conversation;
use crate::journey::Journey;
use crate::login::Visit;
use crate::players::Presence;
use crate::relay::Answered;
use crate::report::{Carried, Line};
use crate::shared::Shared;
use drawbridge_model::{Identity, Lease};
use drawbridge_net::relay::{Options, Relay, Traffic};
use drawbridge_net::{InCrowd, PlaceAtTarget, Ticket};
use drawbridge_telemetry::metrics::{self, CountedRelay};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// How often it is told how much has been carried.
const TOLD: Duration = Duration::from_secs(30);

/// Bytes that only a player gets who is on the target: its world, or the way there.
const CAME: u64 = 4 * 1024;

/// Tells all who carry players that something has changed that may concern them.
///
/// The number counts the changes. It is raised before anybody is woken, so that whoever is polled for whatever reason sees by one look at it
/// whether there is more to ask.
#[derive(Debug, Default)]
pub(crate) struct News {
    changes: AtomicU64,
    wake: Notify,
}

impl News {
    /// There is something new.
    pub(crate) fn tell(&self) {
        self.changes.fetch_add(1, Ordering::Release);
        self.wake.notify_waiters();
    }

    fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    fn coming(&self) -> Notified<'_> {
        self.wake.notified()
    }
}

/// A player who is carried.
pub(crate) struct Carriage {
    relay: Relay,
    identity: Identity,
    /// What was set aside for the player, until it is known that they have come.
    lease: Option<Lease>,
    began: Instant,
    told: Traffic,
    told_at: Instant,
    _counted: CountedRelay,
    presence: Presence,
    _ticket: Ticket,
    _places: [Option<InCrowd>; 2],
    _open: PlaceAtTarget,
    _tracked: TaskTrackerToken,
}

impl Carriage {
    /// From here on bytes flow.
    pub(crate) fn begin(
        visit: Visit,
        conversation: Conversation,
        answered: Answered,
        options: Options,
        journey: &mut Journey,
    ) -> Self {
        let Visit { shared, route, client, arrived, ticket, presence, .. } = visit;
        let Answered { identity, target, socket, places, open } = answered;
        let (now, player) = (Instant::now(), Some(identity.name()));
        Line { client: &client, route: Some(&route.name), player, arrived, now, journey }.relayed(&target);
        let counted = metrics::relay_began(&route.name, &target.identifier);
        presence.carried_to(&target);
        let (client_socket, first) = conversation.into_relay();
        Self {
            relay: Relay::new(client_socket, socket, first, options),
            identity,
            lease: target.lease.clone(),
            began: now,
            told: Traffic::default(),
            told_at: now,
            _counted: counted,
            presence,
            _ticket: ticket,
            _places: places,
            _open: open,
            _tracked: shared.relays.token(),
        }
    }

    /// Carries until one of both sides, or somebody else, ends it, and closes.
    pub(crate) async fn carry(mut self: Box<Self>, shared: Arc<Shared>) {
        self.until_the_end(&shared).await;
        // Who is on their way out takes no place.
        Box::pin(self.into_relay().close()).await;
    }

    /// Nothing but the relay is left.
    fn into_relay(self) -> Relay {
        self.relay
    }

    async fn until_the_end(&mut self, shared: &Shared) {
        let end = loop {
            let mut news = pin!(shared.news.coming());
            news.as_mut().enable();
            let seen = shared.news.changes();
            if let Some(end) = self.sent_away(shared) {
                break end;
            }
            // Polled once, so that it knows whom to wake: this very task, whatever else it is woken for.
            let told = poll_fn(|context| Poll::Ready(news.as_mut().poll(context).is_ready())).await;
            if told {
                continue;
            }
            let ended = poll_fn(|context| {
                let ended = self.relay.poll(context);
                self.look_whether_they_came();
                if let Poll::Ready(end) = ended {
                    return Poll::Ready(Some(end));
                }
                self.tell_now_and_then();
                if shared.news.changes() == seen { Poll::Pending } else { Poll::Ready(None) }
            });
            if let Some(end) = ended.await {
                break end.label();
            }
        };
        self.tell();
        metrics::relay_ended(self.presence.route(), end);
        Carried {
            client: self.presence.client(),
            route: self.presence.route(),
            player: self.identity.name(),
            target: self.presence.target(),
            traffic: self.relay.traffic(),
            took: self.began.elapsed(),
            end,
        }
        .log();
    }

    /// A target that authenticates answers everybody; what follows, and the client's own next words, are for those alone who get in.
    fn look_whether_they_came(&mut self) {
        if self.lease.is_some() && self.relay.traffic().up > 0 && self.relay.traffic().down >= CAME {
            self.lease.take().iter().for_each(Lease::used);
        }
    }

    /// Why the player may not stay, if so.
    fn sent_away(&self, shared: &Shared) -> Option<&'static str> {
        if shared.relays_over.is_cancelled() {
            return Some("shutting_down");
        }
        if let Some(why) = self.presence.sent_away() {
            return Some(why.refusal.label());
        }
        shared.bans.of(self.presence.client().address.ip(), &self.identity).map(|_| "banned")
    }

    fn tell_now_and_then(&mut self) {
        let now = self.relay.now();
        if now.saturating_duration_since(self.told_at) >= TOLD {
            self.told_at = now;
            self.tell();
        }
    }

    /// Counts what was carried since it was told last.
    fn tell(&mut self) {
        let traffic = self.relay.traffic();
        metrics::relayed(self.presence.route(), traffic.up - self.told.up, traffic.down - self.told.down);
        self.told = traffic;
    }
}
