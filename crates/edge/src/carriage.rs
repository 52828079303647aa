//! A relay under way.
//!
//! What must stay true: a packet costs no look at anything but one number.

use crate::conversation::Conversation;
use crate::passenger::Passenger;
use crate::shared::Shared;
use drawbridge_net::Socket;
use drawbridge_net::relay::{End, Options, Relay};
use drawbridge_telemetry::metrics::CarriedEnd;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Bytes that only a player gets who is on the target: its world, or the way there.
const CAME: u64 = 4 * 1024;

/// A player whose bytes are relayed.
pub(crate) struct Carriage {
    relay: Relay,
    passenger: Passenger,
}

impl Carriage {
    /// From here on bytes flow.
    pub(crate) fn begin(
        conversation: Conversation,
        target: Socket,
        passenger: Passenger,
        options: Options,
    ) -> Self {
        let (client, first) = conversation.into_relay();
        Self { relay: Relay::new(client, target, first, options), passenger }
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
        let sent_away =
            |this: &Self| this.passenger.sent_away(shared).map(|why| CarriedEnd::Refused(why.refusal));
        let end = shared.news.until(self, sent_away, Self::poll).await;
        self.passenger.ended(end, self.relay.traffic());
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<CarriedEnd> {
        let ended = self.relay.poll(context);
        let traffic = self.relay.traffic();
        // A target that authenticates answers everybody; what follows, and the client's own next words, are for those alone who get in.
        if self.passenger.is_awaited() && traffic.up > 0 && traffic.down >= CAME {
            self.passenger.has_come();
        }
        self.passenger.tell_now_and_then(self.relay.now(), traffic);
        ended.map(carried)
    }
}

const fn carried(end: End) -> CarriedEnd {
    match end {
        End::Closed => CarriedEnd::Closed,
        End::Broken => CarriedEnd::Broken,
        End::Idle => CarriedEnd::Idle,
        End::ClientStalled => CarriedEnd::ClientStalled,
        End::TargetStalled => CarriedEnd::TargetStalled,
    }
}
