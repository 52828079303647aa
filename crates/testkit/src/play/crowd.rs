//! Many clients at once, each as a vanilla one behaves, on a few threads.
//!
//! What must stay true: a resident does by itself only what a vanilla client does by itself, and its marks.

mod answers;
mod forge;
mod journey;
mod ledger;
mod login;
mod resident;
mod tour;
mod words;

use super::fault::Fault;
use super::host::Host;
use super::mark::Spot;
use crate::PATIENCE;
use crate::edge::need_descriptors;
use crate::session::{Account, SessionServer};
use crate::wait::eventually;
use drawbridge_protocol::ProtocolVersion;
use journey::{Journey, Wish};
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{self, UnboundedSender};
use tour::Tour;

use resident::Shared;
pub use resident::{Arrival, Passage, Place, Resident};

/// So many join at once; the others wait for their turn.
const AT_ONCE: usize = 32;
/// The threads that all of a crowd's clients share, and those on which they tell the session server that they join.
const THREADS: usize = 2;
const CALLS: usize = 4;
/// Descriptors for all else that a test opens.
const SPARE_DESCRIPTORS: u64 = 512;

/// Who is to come.
#[derive(Debug, Clone)]
pub struct CrowdBuilder {
    count: usize,
    versions: Vec<ProtocolVersion>,
    prefix: String,
    host: String,
    accounts: Vec<Account>,
}

/// Clients that stay until they are told to leave, are disconnected, or the crowd is dropped.
#[derive(Debug)]
pub struct Crowd {
    residents: Vec<Arc<Shared>>,
    wishes: Vec<UnboundedSender<Wish>>,
    runtime: Option<Runtime>,
}

impl CrowdBuilder {
    /// Several versions, which the residents take in turn.
    #[must_use]
    pub fn versions(self, versions: &[i32]) -> Self {
        Self { versions: versions.iter().copied().map(ProtocolVersion).collect(), ..self }
    }

    /// What names begin with, in front of a number; `p` otherwise. Crowds at the same server need different ones.
    #[must_use]
    pub fn called(self, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..self }
    }

    /// The host to say in the handshake; `127.0.0.1` otherwise. With Forge's mark of 1.7 to 1.12 behind it, `\0FML\0`, they shake hands with
    /// servers that do.
    #[must_use]
    pub fn host(self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self }
    }

    /// Gives each of them an account at this session server.
    #[must_use]
    pub fn online(mut self, server: &SessionServer) -> Self {
        self.accounts = (0..self.count).map(|index| server.account(&self.name(index))).collect();
        self
    }

    fn name(&self, index: usize) -> String {
        format!("{}{index}", self.prefix)
    }

    /// Has them join, and doesn't wait for it: see [`Crowd::all_at`].
    ///
    /// # Errors
    /// When there are no threads to be had.
    ///
    /// # Panics
    /// When the system doesn't allow as many connections.
    pub fn join(self, address: SocketAddr) -> io::Result<Crowd> {
        // The clients' ends, those of hosts in the same process, and those of connections that are being closed.
        need_descriptors(self.count as u64 * 3 + SPARE_DESCRIPTORS);
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(THREADS).max_blocking_threads(CALLS).thread_name("crowd").enable_all();
        let runtime = runtime.build()?;
        let gate = Arc::new(Semaphore::new(AT_ONCE));
        let (mut residents, mut wishes) = (Vec::new(), Vec::new());
        for index in 0..self.count {
            let version = self.versions[index % self.versions.len()];
            let shared = Arc::new(Shared::new(self.name(index), version));
            let (wish, heard) = mpsc::unbounded_channel();
            let account = self.accounts.get(index).cloned();
            let (shared_too, gate) = (Arc::clone(&shared), Arc::clone(&gate));
            let journey = Journey { shared: shared_too, account, wishes: heard, gate, tour: Tour::default() };
            runtime.spawn(journey.travel(self.host.clone(), address));
            residents.push(shared);
            wishes.push(wish);
        }
        Ok(Crowd { residents, wishes, runtime: Some(runtime) })
    }
}

impl Crowd {
    /// So many clients of one version, with names of their own.
    ///
    /// # Panics
    /// When there are none.
    #[must_use]
    pub fn of(count: usize, version: impl Into<ProtocolVersion>) -> CrowdBuilder {
        assert!(count > 0, "a crowd is somebody");
        CrowdBuilder {
            count,
            versions: vec![version.into()],
            prefix: "p".to_owned(),
            host: "127.0.0.1".to_owned(),
            accounts: Vec::new(),
        }
    }

    /// Has so many clients without accounts join.
    ///
    /// # Errors
    /// As [`CrowdBuilder::join`].
    pub fn join(count: usize, version: impl Into<ProtocolVersion>, address: SocketAddr) -> io::Result<Self> {
        Self::of(count, version).join(address)
    }

    /// How they all are.
    #[must_use]
    pub fn residents(&self) -> Vec<Resident> {
        self.residents.iter().map(|shared| shared.look()).collect()
    }

    /// How one of them is, counted from 0.
    ///
    /// # Panics
    /// When there aren't as many.
    #[must_use]
    pub fn resident(&self, index: usize) -> Resident {
        self.residents[index].look()
    }

    /// Waits until every one of them is as `look` wants it.
    ///
    /// # Panics
    /// When they aren't within that time; the text says who is where, and what was wrong so far.
    pub fn until(&self, what: &str, within: Duration, look: impl Fn(&Resident) -> bool) {
        let all = || self.residents.iter().all(|shared| shared.is(&look)).then_some(());
        if eventually(within, all).is_none() {
            panic!("not all of them {what} within {within:?}:\n{}", self.report(&look));
        }
    }

    /// Waits until every one of them is in play at the host.
    ///
    /// # Panics
    /// As [`Self::until`].
    pub fn all_at(&self, host: &Host, within: Duration) {
        let number = host.number();
        self.until(&format!("are at host {number}"), within, |resident| resident.is_at(number));
    }

    /// Waits until every one of them has arrived so many times, by joining, switching or being transferred.
    ///
    /// # Panics
    /// As [`Self::until`].
    pub fn all_arrived(&self, times: usize, within: Duration) {
        let is_there = |resident: &Resident| {
            resident.arrivals.len() >= times && matches!(resident.place, Place::At(_) | Place::Elsewhere)
        };
        self.until(&format!("have arrived {times} times"), within, is_there);
    }

    /// Has one of them type a text, or a command with its `/`.
    pub fn types(&self, index: usize, text: &str) {
        self.wish(index, Wish::Types(text.to_owned()));
    }

    /// Has all of them type.
    pub fn everyone_types(&self, text: &str) {
        for index in 0..self.wishes.len() {
            self.types(index, text);
        }
    }

    /// Has all of them type these texts, one after the other and over again, so many times in all: each time once they have arrived and
    /// have heard so many marked packets of the visit. Nothing is waited for: see [`Self::all_arrived`].
    pub fn everyone_tours(&self, texts: &[&str], times: usize, marks: u32) {
        for index in 0..self.wishes.len() {
            self.wish(index, Wish::Tours(Tour::new(texts, times, marks)));
        }
    }

    /// Has all of them leave, and waits until they have.
    ///
    /// # Panics
    /// As [`Self::until`].
    pub fn everyone_leaves(&self) {
        for index in 0..self.wishes.len() {
            self.wish(index, Wish::Leaves);
        }
        self.until("have left", PATIENCE, |resident| matches!(resident.place, Place::Gone(_)));
    }

    fn wish(&self, index: usize, wish: Wish) {
        // Who has gone wishes nothing more, and its place says so.
        let _ = self.wishes[index].send(wish);
    }

    /// What was wrong so far, and with whom.
    #[must_use]
    pub fn faults(&self) -> Vec<(String, Fault)> {
        let all = self.residents().into_iter();
        all.flat_map(|resident| resident.faults.into_iter().map(move |fault| (resident.name.clone(), fault)))
            .collect()
    }

    /// Who is gone, and why.
    #[must_use]
    pub fn gone(&self) -> Vec<(String, String)> {
        let all = self.residents().into_iter();
        all.filter_map(|resident| match resident.place {
            Place::Gone(why) => Some((resident.name, why)),
            _ => None,
        })
        .collect()
    }

    /// How long each arrival of this kind took, in no order.
    #[must_use]
    pub fn took(&self, passage: Passage) -> Vec<Duration> {
        let all = self.residents().into_iter().flat_map(|resident| resident.arrivals);
        all.filter(|arrival| arrival.by == passage).map(|arrival| arrival.took).collect()
    }

    /// What to read when something is wrong: the first few of whom it concerns.
    fn report(&self, look: &impl Fn(&Resident) -> bool) -> String {
        let mut text = String::new();
        let concerned: Vec<_> = self.residents().into_iter().filter(|resident| !look(resident)).collect();
        for resident in concerned.iter().take(10) {
            let Resident { name, version, place, faults, arrivals, texts, .. } = resident;
            let (count, read) = (arrivals.len(), texts.last());
            let _ = writeln!(
                text,
                "{name} ({version}) is {place:?} after {count} arrivals, read {read:?}, faults: {faults:?}"
            );
        }
        let _ = write!(text, "{} of {}", concerned.len(), self.residents.len());
        text
    }

    /// Spots of all who are at a host.
    #[must_use]
    pub fn spots(&self) -> Vec<Spot> {
        let all = self.residents().into_iter();
        all.filter_map(|resident| if let Place::At(spot) = resident.place { Some(spot) } else { None })
            .collect()
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
