//! From an identity to a target, in configuration: the client is kept alive while discovery runs.

use crate::authentication;
use crate::conversation::{Conversation, Incoming};
use crate::ended::Ended;
use crate::journey::Journey;
use crate::login::{Identified, Visit};
use drawbridge_model::{Identity, Refusal, Target};
use drawbridge_protocol::ids::Kind;
use drawbridge_protocol::packet::configuration::{
    ClientInformation, KeepAlive, KeepAliveResponse, PackResult, ResourcePackResponse,
};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How often a waiting client is asked for a sign of life; it gives up after 30 s without a packet.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// How long a client that is refused may still take to say its language.
const LOCALE: Duration = Duration::from_secs(2);
/// How many packets a client may send in configuration before it is taken for a flood. Vanilla sends about five.
const MOST_PACKETS: u32 = 256;

/// A player with somewhere to go.
#[derive(Debug)]
pub(crate) struct Placed {
    /// The first is tried first; never empty.
    pub(crate) targets: Vec<Target>,
    pub(crate) identity: Identity,
    pub(crate) cookies: Vec<(String, Vec<u8>)>,
    pub(crate) waiting: Waiting,
}

/// Finds targets while the client waits.
pub(crate) async fn place(
    identified: Identified,
    visit: &mut Visit,
    conversation: &mut Conversation,
    journey: &Journey,
) -> Result<Placed, Ended> {
    let Identified { identity, proved } = identified;
    let mut waiting = Waiting::new();
    let route = Arc::clone(&visit.route);
    let client = journey.client(&visit.client);
    let found = {
        let discovery = pin!(route.place(&client, &identity));
        waiting.wait_for(discovery, visit, conversation).await
    };
    match found {
        Ok(Ok(targets)) => {
            let cookies = authentication::cookies(&identity, proved, &visit.snapshot, &route, &visit.client);
            Ok(Placed { targets, identity, cookies, waiting })
        }
        Ok(Err(refused)) => {
            waiting.learn_locale(visit, conversation).await?;
            Err(refused.into())
        }
        Err(ended) => Err(ended),
    }
}

/// What is known of a client that waits in configuration.
#[derive(Debug)]
pub(crate) struct Waiting {
    packets: u32,
    next_keep_alive: Instant,
    /// The one that isn't answered yet.
    keep_alive: Option<i64>,
    keep_alives: i64,
    /// Resource packs of which the last word hasn't come, and whether they are required.
    packs: Vec<(Uuid, bool)>,
}

impl Waiting {
    fn new() -> Self {
        Self {
            packets: 0,
            next_keep_alive: Instant::now() + KEEP_ALIVE,
            keep_alive: None,
            keep_alives: 0,
            packs: Vec::new(),
        }
    }

    /// A resource pack has been offered.
    pub(crate) fn expect_pack(&mut self, id: Uuid, required: bool) {
        self.packs.push((id, required));
    }

    /// Waits until the client has said of all packs what became of them.
    pub(crate) async fn for_packs(
        &mut self,
        visit: &mut Visit,
        conversation: &mut Conversation,
    ) -> Result<(), Ended> {
        while !self.packs.is_empty() {
            self.listen(visit, conversation).await?;
        }
        Ok(())
    }

    /// Waits for `work`, listening to the client and keeping it alive the while. The client's leaving drops the work. Pinned as for
    /// [`Conversation::meanwhile`].
    pub(crate) async fn wait_for<T>(
        &mut self,
        mut work: Pin<&mut impl Future<Output = T>>,
        visit: &mut Visit,
        conversation: &mut Conversation,
    ) -> Result<T, Ended> {
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                heard = self.listen(visit, conversation) => heard.map_err(|ended| {
                    // Not the client is late here, but what it waits for.
                    let late = ended == Ended::Refused(Refusal::TimedOut) && Instant::now() >= conversation.deadline();
                    if late { Ended::Refused(Refusal::PlacementTimeout) } else { ended }
                })?,
            }
        }
    }

    /// Gives a client that is about to be refused a moment to say its language.
    pub(crate) async fn learn_locale(
        &mut self,
        visit: &mut Visit,
        conversation: &mut Conversation,
    ) -> Result<(), Ended> {
        let placement_deadline = conversation.deadline();
        conversation.set_deadline(placement_deadline.min(Instant::now() + LOCALE));
        while visit.locale.is_none() {
            match self.listen(visit, conversation).await {
                Ok(()) => {}
                Err(Ended::Refused(Refusal::TimedOut)) => break,
                Err(ended) => return Err(ended),
            }
        }
        conversation.set_deadline(placement_deadline);
        Ok(())
    }

    /// Deals with the client's next packet, or with its next keep-alive if that is due first.
    async fn listen(&mut self, visit: &mut Visit, conversation: &mut Conversation) -> Result<(), Ended> {
        let due = self.next_keep_alive;
        match conversation.next_before(due, |incoming| self.take(&incoming, visit)).await? {
            Some(()) => Ok(()),
            None => self.send_keep_alive(conversation).await,
        }
    }

    fn take(&mut self, incoming: &Incoming<'_>, visit: &mut Visit) -> Result<(), Ended> {
        self.packets += 1;
        if self.packets > MOST_PACKETS {
            return Err(Ended::MALFORMED);
        }
        match incoming.kind() {
            Some(Kind::Settings) => {
                let ClientInformation { locale } = incoming.read()?;
                visit.locale = Some(locale);
                Ok(())
            }
            Some(Kind::KeepAlive) => {
                let KeepAliveResponse { id } = incoming.read()?;
                if self.keep_alive.take() == Some(id) { Ok(()) } else { Err(Ended::MALFORMED) }
            }
            Some(Kind::ResourcePackReceive) => self.take_pack(&incoming.read()?),
            // The brand and other plugin messages: a vanilla client may send them any time.
            Some(Kind::CustomPayload) => Ok(()),
            _ => Err(Ended::MALFORMED),
        }
    }

    fn take_pack(&mut self, response: &ResourcePackResponse) -> Result<(), Ended> {
        let place = self.packs.iter().position(|(id, _)| *id == response.id).ok_or(Ended::MALFORMED)?;
        if response.result.is_final() {
            let (_, required) = self.packs.swap_remove(place);
            if required && response.result != PackResult::Loaded {
                return Err(Ended::Refused(Refusal::ResourcePack));
            }
        }
        Ok(())
    }

    async fn send_keep_alive(&mut self, conversation: &mut Conversation) -> Result<(), Ended> {
        if self.keep_alive.is_some() {
            return Err(Ended::Refused(Refusal::TimedOut));
        }
        self.next_keep_alive = Instant::now() + KEEP_ALIVE;
        self.keep_alives += 1;
        self.keep_alive = Some(self.keep_alives);
        conversation.send(&KeepAlive { id: self.keep_alives })?;
        conversation.flush().await
    }
}
