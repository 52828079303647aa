//! A client's way: from connection to connection, as Transfer packets lead it, until it is gone.

use super::answers::Done;
use super::ledger::Ledger;
use super::resident::{Arrival, Passage, Place, Shared};
use super::tour::Tour;
use super::words;
use crate::play::fault::Fault;
use crate::play::line::{Heard, Line};
use crate::play::mark::{self, CHANNEL};
use crate::play::mods::has_mods;
use crate::session::Account;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::packet::handshake::Intent;
use drawbridge_protocol::packet::play::CustomPayload;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

/// Without a packet for so long, a vanilla client gives up.
const SILENCE: Duration = Duration::from_secs(30);

/// What the test wants a client to do.
#[derive(Debug)]
pub(super) enum Wish {
    Types(String),
    Tours(Tour),
    Leaves,
}

/// A client and where it comes from.
pub(super) struct Journey {
    pub(super) shared: Arc<Shared>,
    pub(super) account: Option<Account>,
    pub(super) wishes: UnboundedReceiver<Wish>,
    pub(super) gate: Arc<Semaphore>,
    pub(super) tour: Tour,
}

/// A client's connection.
pub(super) struct Stint<'a> {
    pub(super) shared: &'a Shared,
    pub(super) account: Option<&'a Account>,
    pub(super) line: Line,
    pub(super) ledger: &'a mut Ledger,
    pub(super) state: State,
    tour: &'a mut Tour,
    /// Whether registries have been told of in this configuration.
    pub(super) has_registries: bool,
    /// Marks that came and have no answer yet.
    pub(super) unanswered: bool,
    pub(super) passage: Passage,
    /// When what leads to the next Join Game began.
    pub(super) since: Instant,
    /// Whether that is something which was typed.
    pub(super) has_typed: bool,
    /// Its turn to join, until it has.
    pub(super) turn: Option<OwnedSemaphorePermit>,
    /// With Forge: whether it is through with its handshake.
    pub(super) is_modded: Option<bool>,
}

/// What leads to a connection.
struct Way {
    lead: Lead,
    passage: Passage,
    since: Instant,
    turn: Option<OwnedSemaphorePermit>,
}

/// Where a Transfer packet leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lead {
    pub(super) host: String,
    pub(super) port: u16,
}

impl Journey {
    /// Joins, and goes wherever it is sent.
    pub(super) async fn travel(mut self, host: String, address: SocketAddr) {
        let turn = Arc::clone(&self.gate).acquire_owned().await.ok();
        let (name, version) = {
            let resident = self.shared.lock();
            (resident.name.clone(), resident.version)
        };
        let mut ledger = Box::new(Ledger::new(mark::player(&name), version));
        let lead = Lead { host, port: address.port() };
        let mut way = Way { lead, passage: Passage::Join, since: Instant::now(), turn };
        let mut stream = TcpStream::connect(address).await;
        let done = loop {
            let lead = way.lead.clone();
            let done = match stream {
                Ok(stream) => self.stint(stream, &mut ledger, way).await,
                Err(error) => Done::Gone(format!("{}:{}: {error}", lead.host, lead.port)),
            };
            let Done::Transfer(lead) = done else { break done };
            self.shared.enter(Place::Underway);
            way = Way { lead, passage: Passage::Transfer, since: Instant::now(), turn: None };
            stream = TcpStream::connect((way.lead.host.as_str(), way.lead.port)).await;
        };
        if let Done::Gone(why) = done {
            self.shared.enter(Place::Gone(why));
        }
    }

    /// A connection from its begin to its end.
    async fn stint(&mut self, stream: TcpStream, ledger: &mut Ledger, way: Way) -> Done {
        let Way { lead, passage, since, turn } = way;
        let version = {
            let mut resident = self.shared.lock();
            resident.connections += 1;
            resident.place = Place::Login;
            resident.version
        };
        ledger.leave_play();
        let Ok(line) = Line::new(stream, version, Direction::Serverbound) else {
            return Done::Gone("no socket".to_owned());
        };
        let intent = if passage == Passage::Transfer { Intent::Transfer } else { Intent::Login };
        let mut stint = Stint {
            shared: &self.shared,
            account: self.account.as_ref(),
            line,
            ledger,
            state: State::Login,
            tour: &mut self.tour,
            has_registries: false,
            unanswered: false,
            passage,
            since,
            has_typed: false,
            turn,
            is_modded: has_mods(&lead.host).then_some(false),
        };
        let done = match stint.knock(&lead, intent) {
            Ok(()) => stint.live(&mut self.wishes).await,
            Err(fault) => fault.into(),
        };
        if let Done::Fault(fault) = done {
            let why = fault.to_string();
            self.shared.tell(fault);
            return Done::Gone(why);
        }
        done
    }
}

impl Stint<'_> {
    /// Hears, answers and does as it is told, until it is done.
    async fn live(&mut self, wishes: &mut UnboundedReceiver<Wish>) -> Done {
        let mut silence = Instant::now() + SILENCE;
        loop {
            tokio::select! {
                turn = self.line.turn() => match turn {
                    Ok(true) => {}
                    // What came last may say why.
                    Ok(false) => return self.hear_all().await.err().unwrap_or_else(|| Done::Gone("closed".to_owned())),
                    Err(error) => return Done::Gone(error.to_string()),
                },
                wish = wishes.recv() => if let Some(done) = self.grant(wish) { return done },
                () = sleep_until(silence) => return Done::Gone("timed out".to_owned()),
            }
            match self.hear_all().await {
                Ok(0) => {}
                Ok(_) => silence = Instant::now() + SILENCE,
                Err(done) => return done,
            }
        }
    }

    /// All that has come; gives how many packets these were.
    async fn hear_all(&mut self) -> Result<usize, Done> {
        let mut count = 0;
        while let Some(heard) = self.line.next()? {
            count += 1;
            self.hear(&heard).await?;
        }
        if self.state == State::Play {
            if std::mem::take(&mut self.unanswered) {
                self.say_mark()?;
            }
            self.tour()?;
        }
        Ok(count)
    }

    async fn hear(&mut self, heard: &Heard) -> Result<(), Done> {
        let state = self.state;
        let kind = ids::kind(self.line.version, state, Direction::Clientbound, heard.id);
        let kind = kind.ok_or(Fault::Unknown { state, id: heard.id })?;
        match state {
            State::Login => self.hear_in_login(kind, heard).await,
            State::Configuration => self.hear_in_configuration(kind, heard),
            _ => self.hear_in_play(kind, heard),
        }
    }

    fn grant(&mut self, wish: Option<Wish>) -> Option<Done> {
        match wish {
            Some(Wish::Types(text)) if self.ledger.is_in_world() => self.types(&text).err().map(Done::Fault),
            Some(Wish::Types(_)) => None,
            Some(Wish::Tours(tour)) => {
                *self.tour = tour;
                self.tour().err().map(Done::Fault)
            }
            Some(Wish::Leaves) | None => Some(Done::Gone("left".to_owned())),
        }
    }

    fn types(&mut self, text: &str) -> Result<(), Fault> {
        (self.since, self.has_typed) = (Instant::now(), true);
        words::types(&mut self.line, text)
    }

    /// Types what is due by the tour.
    fn tour(&mut self) -> Result<(), Fault> {
        if !self.ledger.is_in_world() || self.has_typed {
            return Ok(());
        }
        let text = self.tour.due(self.ledger.heard_here()).map(str::to_owned);
        text.map_or(Ok(()), |text| self.types(&text))
    }

    /// Says a marked packet to the host where it is.
    fn say_mark(&mut self) -> Result<(), Fault> {
        let Some(mark) = self.ledger.take() else { return Ok(()) };
        let mut data = Vec::new();
        mark.write(20 + mark.sequence as usize * 37 % 281, &mut data);
        let mut body = Vec::new();
        let payload = CustomPayload { channel: CHANNEL, data: &data };
        if payload.write(self.line.version, State::Play, Direction::Serverbound, &mut body) {
            self.line.say(&body)?;
        }
        Ok(())
    }

    /// Notes that it has arrived where the ledger says.
    pub(super) fn arrive(&mut self) {
        self.turn = None;
        let spot = self.ledger.spot();
        let arrival = Arrival { spot, by: self.passage, took: self.since.elapsed() };
        (self.passage, self.has_typed) = (Passage::Switch, false);
        let mut resident = self.shared.lock();
        resident.arrivals.push(arrival);
        resident.place = spot.map_or(Place::Elsewhere, Place::At);
        resident.heard_here = 0;
    }

    /// Notes a fault that something sensible can follow.
    pub(super) fn judge(&self, heard: Result<(), Fault>) {
        if let Err(fault) = heard {
            self.shared.tell(fault);
        }
    }
}

/// Which packet of [`CHANNEL`] it is, if it is one.
pub(super) fn marked<'a>(payload: &CustomPayload<'a>) -> Option<&'a [u8]> {
    (payload.channel == CHANNEL).then_some(payload.data)
}

/// Whether the client is told of a kind that changes the world or ends it.
pub(super) const fn turns_over(kind: Kind) -> bool {
    matches!(kind, Kind::Login | Kind::StartConfiguration | Kind::Transfer | Kind::KickDisconnect)
}
