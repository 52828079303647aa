//! Who comes by: some stay for the whole time, some come and go, and strangers do what strangers do.

mod brief;

pub(super) use brief::ask_once_more;

use super::Plan;
use super::town::{LIMBO, OFFLINE, ONLINE, Town};
use crate::flood::{Errand, Flood, FloodBuilder, Tally};
use crate::scene::TRANSFER;
use drawbridge_testkit::{Crowd, CrowdBuilder, Passage, Place, eventually};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

/// A version of each way to switch, and those that have been handed over since Transfer is there.
const OLD_AND_NEW: [i32; 6] = [47, 340, 404, 758, 763, 775];
const NEW: [i32; 3] = [766, 769, 775];
/// How many marked packets a player hears before they type `/server`: some three seconds' worth.
const MARKS: u32 = 60;
/// How long all may take to get in, on a machine that does other things too.
const LONG: Duration = Duration::from_secs(60);
/// How long those stay who come and go, and how often a file of routes changes.
const STAY: Duration = Duration::from_secs(6);
const CHANGE: Duration = Duration::from_secs(4);
/// Players who come and go together.
const PARTY: usize = 4;
/// Whoever pings from here does it more often than one address may.
const GREEDY: Ipv4Addr = Ipv4Addr::new(127, 90, 0, 1);

/// Strangers a second, of a plan of 1.
const STRANGERS: [(Errand, f64); 6] = [
    (Errand::Ping, 800.0),
    (Errand::LegacyPing, 100.0),
    (Errand::BadLogin, 80.0),
    (Errand::Garbage, 300.0),
    (Errand::Oversized, 100.0),
    (Errand::HalfOpen, 20.0),
];
/// Pings a second from one address, whatever the plan.
const TOO_OFTEN: f64 = 6.0;

/// What all visitors have in common: whether they are to go, what was wrong, and how many came.
#[derive(Debug, Default)]
pub(super) struct Visitors {
    gone: AtomicBool,
    faults: Mutex<Vec<String>>,
    transfers: AtomicU64,
    relays: AtomicU64,
    relayed: AtomicU64,
    guests: AtomicU64,
    told: Mutex<String>,
}

/// Who stays for the whole time.
pub(super) struct Staying<'a> {
    /// Has all others go, also when this is dropped because of a panic.
    _gone: Going<'a>,
    crowds: Vec<Crowd>,
    strangers: Vec<(Errand, Flood)>,
    greedy: Flood,
}

struct Going<'a>(&'a AtomicBool);

impl Drop for Going<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Visitors {
    /// Has all of them come.
    pub(super) fn come<'s>(&'s self, scope: &'s Scope<'s, '_>, town: &'s Town, plan: Plan) -> Staying<'s> {
        let going = Going(&self.gone);
        let edge = town.edge.address();
        let crowds = [
            Crowd::of(plan.players, 47).versions(&OLD_AND_NEW).called("offline").host(OFFLINE),
            Crowd::of(plan.players, 766).versions(&NEW).called("online").host(ONLINE).online(&town.session),
        ];
        let crowds: Vec<_> = crowds.map(|crowd| joined(crowd, town)).into_iter().collect();
        for crowd in &crowds {
            crowd.until("are there", LONG, |resident| matches!(resident.place, Place::At(_)));
            crowd.everyone_tours(&["/server island", "/server hub"], usize::MAX, MARKS);
        }
        for thread in 0..2 {
            scope.spawn(move || self.hand_over(town, thread));
        }
        scope.spawn(move || self.hold_relays(town, plan.players));
        scope.spawn(move || self.relay(town));
        scope.spawn(move || self.come_and_go(town));
        scope.spawn(move || self.reload(town));
        let a_second =
            |flood: FloodBuilder, rate| flood.host(TRANSFER).a_second(rate, edge).expect("a thread");
        let strangers = STRANGERS.into_iter().zip(101..).map(|((errand, rate), net)| {
            (errand, a_second(Flood::of(errand).net(net), rate * plan.strangers))
        });
        let greedy = a_second(Flood::of(Errand::Ping).from(GREEDY), TOO_OFTEN);
        Staying { _gone: going, crowds, strangers: strangers.collect(), greedy }
    }

    /// Has all of them go; what was wrong with those who stayed.
    pub(super) fn leave(&self, staying: Staying<'_>) -> Vec<String> {
        let Staying { _gone: going, crowds, strangers, greedy } = staying;
        let mut faults = Vec::new();
        let mut told = String::new();
        for crowd in crowds {
            faults.extend(wrong(&crowd));
            let mut took = crowd.took(Passage::Switch);
            took.sort();
            let (count, middle) = (took.len(), took.get(took.len() / 2).copied().unwrap_or_default());
            told.push_str(&format!("{count} switches (half of them within {middle:.0?}), "));
            crowd.everyone_leaves();
        }
        for (errand, flood) in strangers {
            let tally = flood.stop();
            told.push_str(&format!("{} {}, ", tally.served, errand.name()));
            if tally.served == 0 || tally.missed() > 0 {
                faults.push(format!("{}: {}", errand.name(), shown(&tally)));
            }
        }
        let tally = greedy.stop();
        if tally.served == 0 || tally.refused == 0 || tally.failed > 0 {
            faults.push(format!("pings from one address: {}", shown(&tally)));
        }
        told.push_str(&format!("{} pings beyond the rate", tally.refused));
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = told;
        drop(going);
        faults
    }

    /// What was wrong with those who came and went.
    pub(super) fn faults(&self) -> Vec<String> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Who came.
    pub(super) fn told(&self) -> String {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        format!(
            "{} hand-overs, {} relays and {} MiB through them, {} players who came and went, {told}",
            count(&self.transfers),
            count(&self.relays),
            count(&self.relayed) >> 20,
            count(&self.guests),
        )
    }

    fn fault(&self, what: impl Into<String>) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        // What follows a fault is often more of the same.
        if faults.len() < 20 {
            faults.push(what.into());
        }
    }

    /// Waits until it is time for the `turn`th of what is done so often; false: it is time to go.
    fn turn(&self, begun: Instant, every: Duration, turn: u32) -> bool {
        let due = begun + every * turn;
        while !self.gone.load(Ordering::Relaxed) {
            let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else {
                return true;
            };
            thread::park_timeout(left.min(Duration::from_millis(100)));
        }
        false
    }

    /// Parties who join, switch, and leave: offline, online and in limbo in turn.
    fn come_and_go(&self, town: &Town) {
        let begun = Instant::now();
        for turn in 0.. {
            if !self.turn(begun, STAY + STAY / 3, turn) {
                return;
            }
            let name = format!("g{turn}x");
            let crowd = match turn % 3 {
                0 => Crowd::of(PARTY, 47).versions(&OLD_AND_NEW).called(&name).host(OFFLINE),
                1 => Crowd::of(PARTY, 766).versions(&NEW).called(&name).host(ONLINE).online(&town.session),
                _ => Crowd::of(PARTY, 47).versions(&OLD_AND_NEW).called(&name).host(LIMBO),
            };
            let crowd = joined(crowd, town);
            let is_in = || {
                let there = |place: &Place| matches!(place, Place::At(_) | Place::Elsewhere);
                crowd.residents().iter().all(|resident| there(&resident.place)).then_some(())
            };
            if eventually(LONG, is_in).is_none() {
                self.fault(format!("a party doesn't get in: {:?}", crowd.residents()));
            }
            crowd.everyone_tours(&["/server island", "/server hub"], 2, MARKS);
            self.turn(Instant::now(), STAY, 1);
            wrong(&crowd).into_iter().for_each(|fault| self.fault(fault));
            crowd.everyone_leaves();
            self.guests.fetch_add(PARTY as u64, Ordering::Relaxed);
        }
    }
}

fn joined(crowd: CrowdBuilder, town: &Town) -> Crowd {
    crowd.join(town.edge.address()).expect("threads for a crowd")
}

/// What was wrong with players who are all to be there still.
fn wrong(crowd: &Crowd) -> Vec<String> {
    let faults = crowd.faults().into_iter().map(|(name, fault)| format!("{name}: {fault}"));
    faults.chain(crowd.gone().into_iter().map(|(name, why)| format!("{name} is gone: {why}"))).collect()
}

fn shown(tally: &Tally) -> String {
    let Tally { served, refused, failed, unsent, trouble, .. } = tally;
    format!("{served} served, {refused} refused, {failed} failed, {unsent} unsent, {trouble:?}")
}
