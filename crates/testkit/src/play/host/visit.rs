//! A connection of a player's, from the handshake to its end.

use super::asked::Asked;
use super::{Book, House, Misdeed, Order, Stage, Stay};
use crate::PATIENCE;
use crate::play::fault::Fault;
use crate::play::line::{Heard, Line};
use crate::play::mark::{self, Spot, Turn};
use crate::play::mods::has_mods;
use drawbridge_protocol::ProtocolVersion;
use drawbridge_protocol::ids::{self, Direction, Kind, State};
use drawbridge_protocol::profile::offline_uuid;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::timeout;

/// Why a visit is over.
pub(super) enum End {
    /// The other side closed.
    Left,
    /// This side has said its last word.
    Said,
    /// The connection is cut without a word.
    Cut,
    /// What came is such that nothing sensible can follow.
    Fault(Fault),
}

impl From<Fault> for End {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Left
    }
}

/// A stay's place in the book, for as long as the connection lives.
pub(super) struct Entry {
    pub(super) house: Arc<House>,
    pub(super) name: String,
    pub(super) orders: UnboundedReceiver<Order>,
    /// Whether it has to tell of its mods before it joins.
    pub(super) shakes_hands: bool,
    index: usize,
}

/// A player's connection, once it has said Login Start.
pub(super) struct Visit {
    pub(super) entry: Entry,
    pub(super) line: Line,
    pub(super) state: State,
    pub(super) asked: Asked,
    pub(super) said: Turn,
    pub(super) heard: Turn,
    pub(super) has_information: bool,
    pub(super) bundle_is_open: bool,
    /// What is left of the host's misdeeds.
    pub(super) misdeeds: Vec<Misdeed>,
    /// Ticks of play so far.
    pub(super) ticks: u32,
    /// Questions so far, for numbers that no other host asks with.
    questions: i32,
}

/// Serves whoever calls.
pub(super) async fn receive(stream: TcpStream, house: Arc<House>) {
    // What the version is, the handshake will say.
    let Ok(mut line) = Line::new(stream, ProtocolVersion(0), Direction::Clientbound) else { return };
    let entered = timeout(PATIENCE, super::login::enter(&mut line, &house)).await;
    let end = match entered {
        Ok(Ok(entry)) => {
            let mut visit = Box::new(Visit::new(line, entry));
            let Err(end) = visit.run().await;
            visit.is_over(&end);
            if matches!(end, End::Said) {
                let Visit { line, .. } = *visit;
                line.close().await;
            }
            return;
        }
        Ok(Err(end)) => end,
        Err(_) => End::Cut,
    };
    if let End::Fault(fault) = end {
        return house.book().faults.push(("?".to_owned(), fault));
    }
    if matches!(end, End::Said) {
        line.close().await;
    }
}

impl Visit {
    fn new(line: Line, entry: Entry) -> Self {
        let mut spot = Spot { server: entry.house.rules.number, visit: 0 };
        entry.stay(|stay| spot = stay.spot);
        let turn = Turn::new(spot, mark::player(&entry.name));
        Self {
            misdeeds: entry.house.rules.misdeeds.clone(),
            entry,
            line,
            state: State::Login,
            asked: Asked::default(),
            said: turn,
            heard: turn,
            has_information: false,
            bundle_is_open: false,
            ticks: 0,
            questions: 0,
        }
    }

    async fn run(&mut self) -> Result<Infallible, End> {
        self.log_in().await?;
        if self.entry.shakes_hands {
            self.shake_hands().await?;
        }
        loop {
            if self.line.version.has_configuration() {
                self.configure().await?;
            }
            self.play().await?;
            let turn = Turn::new(self.entry.anew(), mark::player(&self.entry.name));
            (self.said, self.heard) = (turn, turn);
        }
    }

    fn is_over(&self, end: &End) {
        if let End::Fault(fault) = end {
            self.entry.tell(fault.clone());
        }
        let old = !self.line.version.has_configuration();
        if old && !self.has_information && self.heard.count() > 0 {
            self.entry.tell(Fault::Missing(Kind::Settings));
        }
    }

    /// Notes a fault that something sensible can follow, and ends the visit on another.
    pub(super) fn judge(&self, heard: Result<(), Fault>) -> Result<(), End> {
        match heard {
            Ok(()) => Ok(()),
            Err(
                fault @ (Fault::Fields { .. }
                | Fault::Unknown { .. }
                | Fault::Misplaced { .. }
                | Fault::Frame(_)),
            ) => Err(End::Fault(fault)),
            Err(fault) => {
                self.entry.tell(fault);
                Ok(())
            }
        }
    }

    /// Goes on in a state.
    pub(super) fn enter(&mut self, state: State, stage: Stage) {
        self.state = state;
        self.entry.stay(|stay| stay.stage = stage);
    }

    /// A number for a question that no other host asks with, so that an answer that goes astray shows.
    pub(super) fn question(&mut self) -> i32 {
        self.questions += 1;
        i32::from(self.said.spot().server) << 16 | (self.questions & 0xffff)
    }

    /// The next packet, and which one it is; orders are obeyed meanwhile.
    pub(super) async fn next(&mut self) -> Result<(Kind, Heard), End> {
        loop {
            if let Some(heard) = self.line.next()? {
                return Ok((self.kind(&heard)?, heard));
            }
            tokio::select! {
                turn = self.line.turn() => if !turn? { return Err(End::Left) },
                order = self.entry.orders.recv() => self.obey(order.unwrap_or(Order::Cut))?,
                () = tokio::time::sleep(PATIENCE) => return Err(End::Cut),
            }
        }
    }

    /// Which packet it is.
    pub(super) fn kind(&self, heard: &Heard) -> Result<Kind, Fault> {
        let kind = ids::kind(self.line.version, self.state, Direction::Serverbound, heard.id);
        kind.ok_or(Fault::Unknown { state: self.state, id: heard.id })
    }
}

impl Entry {
    /// Enters a stay into the book.
    pub(super) fn new(house: &Arc<House>, version: ProtocolVersion, host: String, name: String) -> Self {
        let (orders, heard) = mpsc::unbounded_channel();
        let shakes_hands = house.rules.shakes_hands && has_mods(&host);
        let mut book = house.book();
        let stay = Stay {
            id: offline_uuid(&name),
            spot: book.next_visit(&name, house.rules.number),
            name: name.clone(),
            version,
            host,
            stage: Stage::Login,
            address: None,
            properties: Vec::new(),
            locale: None,
            brand: None,
            typed: Vec::new(),
            cookies: Vec::new(),
            said: 0,
            heard: 0,
        };
        let index = book.stays.len();
        book.stays.push(stay);
        book.orders.insert(index, orders);
        drop(book);
        Self { house: Arc::clone(house), name, orders: heard, shakes_hands, index }
    }

    /// Notes a fault.
    pub(super) fn tell(&self, fault: Fault) {
        self.house.book().faults.push((self.name.clone(), fault));
    }

    /// Changes what stands of the stay.
    pub(super) fn stay(&self, change: impl FnOnce(&mut Stay)) {
        if let Some(stay) = self.house.book().stays.get_mut(self.index) {
            change(stay);
        }
    }

    /// Counts the stay as another visit from here on.
    fn anew(&self) -> Spot {
        let spot = self.house.book().next_visit(&self.name, self.house.rules.number);
        self.stay(|stay| stay.spot = spot);
        spot
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut book = self.house.book();
        book.orders.remove(&self.index);
        if let Some(stay) = book.stays.get_mut(self.index) {
            stay.stage = Stage::Over;
        }
    }
}

impl Book {
    fn next_visit(&mut self, player: &str, server: u16) -> Spot {
        let visit = self.visits.entry(player.to_owned()).or_default();
        *visit = visit.wrapping_add(1);
        Spot { server, visit: *visit }
    }
}
