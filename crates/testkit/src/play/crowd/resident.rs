//! What is known of one client of a crowd.

use crate::play::fault::Fault;
use crate::play::mark::Spot;
use crate::player::Jar;
use drawbridge_protocol::ProtocolVersion;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many faults of one client are kept: what follows a fault is often more of the same.
const FAULTS: usize = 20;
/// So many texts are kept, the latest ones.
const TEXTS: usize = 20;

/// Where a client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Connecting, or waiting for its turn to.
    Underway,
    /// In login.
    Login,
    /// In configuration, at first or again.
    Configuration,
    /// In play at a host.
    At(Spot),
    /// In play at no host: in a waiting world, say.
    Elsewhere,
    /// At the disconnect screen, which says this; `left`: it went of its own accord.
    Gone(String),
}

/// How a client has come to where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// It joined from its server list.
    Join,
    /// It was told of another world on the same connection.
    Switch,
    /// It was sent there by a Transfer packet.
    Transfer,
}

/// A Join Game.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Where; `None`: at none of the hosts.
    pub spot: Option<Spot>,
    /// How.
    pub by: Passage,
    /// From the connect, the Transfer packet or, of a switch, what was typed last (or else what began the switch) to the Join Game.
    pub took: Duration,
}

/// A client as it is now.
#[derive(Debug, Clone)]
pub struct Resident {
    /// Its name.
    pub name: String,
    /// The version that it speaks.
    pub version: ProtocolVersion,
    /// Where it is.
    pub place: Place,
    /// All Join Games, in order.
    pub arrivals: Vec<Arrival>,
    /// Connections so far.
    pub connections: usize,
    /// What was wrong, in order; the first twenty.
    pub faults: Vec<Fault>,
    /// What it read in the chat, the latest twenty.
    pub texts: Vec<String>,
    /// Its cookies.
    pub jar: Jar,
    /// Marked packets that it has heard, in all visits.
    pub heard: u64,
    /// Marked packets that it has heard in this visit.
    pub heard_here: u32,
}

impl Resident {
    /// Whether it is in play at the host of this number.
    #[must_use]
    pub fn is_at(&self, number: u16) -> bool {
        matches!(self.place, Place::At(spot) if spot.server == number)
    }
}

/// What a client and the test both look at.
#[derive(Debug)]
pub(super) struct Shared(Mutex<Resident>);

impl Shared {
    pub(super) const fn new(name: String, version: ProtocolVersion) -> Self {
        Self(Mutex::new(Resident {
            name,
            version,
            place: Place::Underway,
            arrivals: Vec::new(),
            connections: 0,
            faults: Vec::new(),
            texts: Vec::new(),
            jar: Jar::new(),
            heard: 0,
            heard_here: 0,
        }))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Resident> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn look(&self) -> Resident {
        self.lock().clone()
    }

    pub(super) fn is(&self, look: impl Fn(&Resident) -> bool) -> bool {
        look(&self.lock())
    }

    pub(super) fn enter(&self, place: Place) {
        self.lock().place = place;
    }

    pub(super) fn tell(&self, fault: Fault) {
        let faults = &mut self.lock().faults;
        if faults.len() < FAULTS {
            faults.push(fault);
        }
    }

    pub(super) fn reads(&self, text: String) {
        let texts = &mut self.lock().texts;
        if texts.len() == TEXTS {
            texts.remove(0);
        }
        texts.push(text);
    }
}
