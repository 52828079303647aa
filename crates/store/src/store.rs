//! The bans of a running edge: a thread that reads and writes the file, and the index that everybody else asks.
//!
//! The thread writes what it is told to, and looks every half second whether the file is another than it was: a ban by another process
//! counts within a second. Of a file that it knows it reads what was done since, so that a hundred thousand bans are read once. It holds the file open no longer than it reads or writes: so the file is whole whenever nobody is at it, and
//! can be copied or replaced.

use crate::database::{Database, long_ended};
use crate::error::StoreError;
use crate::file::Stamp;
use crate::index::Index;
use arc_swap::ArcSwap;
use drawbridge_model::{Ban, Bans, Subject};
use drawbridge_telemetry::{Seldom, in_full, metrics};
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, SystemTime};
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

/// How often it is looked whether somebody else has written.
const INTERVAL: Duration = Duration::from_millis(500);
/// How much may wait to be written.
const WAITING: usize = 256;

/// The bans of a running edge. Dropping it ends its thread, after what was to be written.
pub struct Store {
    shown: Arc<Shown>,
    path: PathBuf,
    /// `None` only while it is dropped.
    work: Option<SyncSender<Work>>,
    thread: Option<JoinHandle<()>>,
}

/// What everybody reads.
struct Shown {
    index: ArcSwap<Index>,
    changes: watch::Sender<u64>,
}

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What is to be written, and who wants to know what came of it.
enum Work {
    Ban(Ban, Reply<Option<Ban>>),
    Unban(Subject, String, Reply<Ban>),
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.path)
            .field("bans", &self.shown.index.load().len())
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Reads the file, which need not be there yet, and goes on watching it.
    ///
    /// # Errors
    /// When it can't be read or is none of Drawbridge's, or there is no thread to be had.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let shown = Arc::new(Shown { index: ArcSwap::default(), changes: watch::Sender::new(0) });
        let mut keeper = Keeper {
            path: path.to_path_buf(),
            seen: None,
            shown: Arc::clone(&shown),
            failing: None,
            faults: Seldom::default(),
        };
        keeper.refresh()?;
        let (work, waiting) = sync_channel(WAITING);
        let thread = Builder::new()
            .name("store".to_owned())
            .spawn(move || keeper.keep(&waiting))
            .map_err(|source| StoreError::Open { path: path.to_path_buf(), source })?;
        Ok(Self { shown, path: path.to_path_buf(), work: Some(work), thread: Some(thread) })
    }

    /// Bans somebody. When this has returned, the ban is on disk and counts; the one that it replaces is returned.
    ///
    /// # Errors
    /// When it can't be written: then nothing has changed.
    pub async fn ban(&self, ban: Ban) -> Result<Option<Ban>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.give(Work::Ban(ban, reply))?;
        answer.await.unwrap_or(Err(StoreError::Closing))
    }

    /// Lifts a ban, in the name of `source`. When this has returned, that is on disk and counts; the ban is returned.
    ///
    /// # Errors
    /// When there is none, or it can't be written: then nothing has changed.
    pub async fn unban(&self, of: Subject, source: &str) -> Result<Ban, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.give(Work::Unban(of, source.to_owned(), reply))?;
        answer.await.unwrap_or(Err(StoreError::Closing))
    }

    fn give(&self, work: Work) -> Result<(), StoreError> {
        let given = self.work.as_ref().map_or(Err(TrySendError::Disconnected(())), |sender| {
            sender.try_send(work).map_err(|refused| match refused {
                TrySendError::Full(_) => TrySendError::Full(()),
                TrySendError::Disconnected(_) => TrySendError::Disconnected(()),
            })
        });
        given.map_err(|refused| match refused {
            TrySendError::Full(()) => StoreError::Busy { path: self.path.clone() },
            TrySendError::Disconnected(()) => StoreError::Closing,
        })
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            // If it panicked, it has ended as well.
            let _ = thread.join();
        }
    }
}

impl Bans for Store {
    fn address(&self, address: IpAddr) -> Option<Arc<Ban>> {
        self.shown.index.load().address(address, SystemTime::now).cloned()
    }

    fn name(&self, name: &str) -> Option<Arc<Ban>> {
        self.shown.index.load().name(name, SystemTime::now).cloned()
    }

    fn id(&self, id: Uuid) -> Option<Arc<Ban>> {
        self.shown.index.load().id(id, SystemTime::now).cloned()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.shown.changes.subscribe()
    }
}

/// Who reads and writes the file.
struct Keeper {
    path: PathBuf,
    /// What the index shows; `None` while there was no file yet.
    seen: Option<Seen>,
    shown: Arc<Shown>,
    /// Why the last look failed, if it did.
    failing: Option<String>,
    faults: Seldom,
}

/// A state of the file.
struct Seen {
    stamp: Stamp,
    /// The number of the last change.
    latest: i64,
}

impl Keeper {
    fn keep(mut self, waiting: &Receiver<Work>) {
        loop {
            match waiting.recv_timeout(INTERVAL) {
                Ok(work) => self.write(work, waiting),
                Err(RecvTimeoutError::Timeout) => self.look(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Writes all that waits. Who asked for it is answered when it counts, and the index is made once for all of it.
    fn write(&mut self, first: Work, waiting: &Receiver<Work>) {
        let mut answers: Vec<Box<dyn FnOnce()>> = Vec::new();
        let mut file = None;
        for work in std::iter::once(first).chain(waiting.try_iter()).take(WAITING) {
            match work {
                Work::Ban(ban, reply) => {
                    let done = self.writable(&mut file).and_then(|database| database.ban(&ban));
                    answers.push(answer(reply, done));
                }
                Work::Unban(of, source, reply) => {
                    let now = SystemTime::now();
                    let lift = |database: &mut Database| database.unban(&of, &source, now);
                    answers.push(answer(reply, self.writable(&mut file).and_then(lift)));
                }
            }
        }
        drop(file);
        self.look();
        answers.into_iter().for_each(|tell| tell());
    }

    /// The file, opened once. One that is gone isn't made anew: its bans count, and wouldn't be in it.
    fn writable<'a>(&self, file: &'a mut Option<Database>) -> Result<&'a mut Database, StoreError> {
        if self.seen.is_some() && Stamp::of(&self.path)?.is_none() {
            return Err(StoreError::Gone { path: self.path.clone() });
        }
        match file {
            Some(database) => Ok(database),
            none => Ok(none.insert(Database::create(&self.path)?)),
        }
    }

    /// Takes over what is new; what can't be read leaves everything as it was.
    fn look(&mut self) {
        match self.refresh() {
            Ok(()) => {
                if self.failing.take().is_some() {
                    tracing::info!(path = %self.path.display(), "bans can be read again");
                }
            }
            Err(error) => {
                metrics::bans_unread();
                let error = in_full(&error);
                let known = self.failing.as_ref() == Some(&error);
                if self.faults.permits_now() || !known {
                    tracing::warn!(%error, "bans can't be read: those that were read last go on counting");
                }
                self.failing = Some(error);
            }
        }
    }

    fn refresh(&mut self) -> Result<(), StoreError> {
        // Looked at before it is read: what is written meanwhile is found at the next look.
        let Some(stamp) = Stamp::of(&self.path)? else {
            let gone = self.seen.is_some();
            return if gone { Err(StoreError::Gone { path: self.path.clone() }) } else { Ok(()) };
        };
        if self.seen.as_ref().is_some_and(|seen| seen.stamp == stamp) && stamp.is_settled(SystemTime::now()) {
            return Ok(());
        }
        let Some(database) = Database::open(&self.path)? else { return Ok(()) };
        let latest = database.latest()?;
        let continued = self.seen.as_ref().filter(|seen| {
            // Of a file that was rolled back, or is another, nothing is known.
            seen.latest <= latest && seen.stamp.is_of_same_file(&stamp)
        });
        match continued {
            Some(seen) if seen.latest == latest => {}
            Some(seen) => {
                let done = database.history_after(seen.latest)?;
                self.shown.show(self.shown.index.load().after(done, long_ended()));
            }
            None => self.shown.show(database.bans()?),
        }
        self.seen = Some(Seen { stamp, latest });
        Ok(())
    }
}

impl Shown {
    fn show(&self, index: Index) {
        let bans = index.len();
        self.index.store(Arc::new(index));
        metrics::banned(bans);
        self.changes.send_modify(|change| *change = change.wrapping_add(1));
        tracing::info!(bans, "bans read");
    }
}

fn answer<T: Send + 'static>(reply: Reply<T>, done: Result<T, StoreError>) -> Box<dyn FnOnce()> {
    // Whoever asked may have gone.
    Box::new(move || drop(reply.send(done)))
}

#[cfg(test)]
mod tests;
