//! Waking tasks from anywhere.
//!
//! One [`SlotWaker`] per slot, kept as long as the reactor and shared by the tasks that use the slot one after another. A
//! waker that outlived its task therefore wakes the next one in the slot, which finds nothing to do: a spurious poll.
//!
//! What must stay true: a wake is never lost. The reactor says that it sleeps *before* it looks at the queue for the last
//! time, and whoever wakes looks at that *after* adding to the queue; the queue's lock orders the two.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;
use tokio::sync::oneshot;

/// What other threads may touch of a reactor.
#[derive(Debug)]
pub(super) struct Mailbox {
    /// Slots woken since the reactor looked last; each at most once, so no longer than the slots are many.
    woken: Mutex<Vec<u32>>,
    /// The reactor is in its poll, or about to be, and needs the doorbell.
    sleeping: AtomicBool,
    doorbell: mio::Waker,
    stop: AtomicBool,
    abort: AtomicBool,
    /// Somebody asked for a sign of life.
    asked: AtomicBool,
    /// Whom to give it; `None` when the reactor has ended as it should.
    asking: Mutex<Option<Vec<oneshot::Sender<()>>>>,
}

impl Mailbox {
    pub(super) fn new(doorbell: mio::Waker) -> Self {
        Self {
            woken: Mutex::default(),
            sleeping: AtomicBool::new(false),
            doorbell,
            stop: AtomicBool::new(false),
            abort: AtomicBool::new(false),
            asked: AtomicBool::new(false),
            asking: Mutex::new(Some(Vec::new())),
        }
    }

    /// Asks for a sign of life; one that has ended as it should gives it at once, by the sender's being dropped.
    pub(super) fn ask(&self, sign: oneshot::Sender<()>) {
        if let Some(asking) = &mut *self.asking.lock().unwrap_or_else(PoisonError::into_inner) {
            asking.push(sign);
            self.asked.store(true, Ordering::Release);
            self.ring();
        }
    }

    /// Gives whoever asked a sign of life.
    pub(super) fn live(&self) {
        if self.asked.load(Ordering::Relaxed) && self.asked.swap(false, Ordering::Acquire) {
            let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
            // Dropping them is the sign.
            asking.iter_mut().for_each(Vec::clear);
        }
    }

    /// From now on nobody need ask.
    pub(super) fn end(&self) {
        *self.asking.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Asks the reactor to close its listeners.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.ring();
    }

    /// Asks the reactor to close its listeners and drop its tasks.
    pub(super) fn abort(&self) {
        self.abort.store(true, Ordering::Release);
        self.stop();
    }

    pub(super) fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    pub(super) fn aborting(&self) -> bool {
        self.abort.load(Ordering::Acquire)
    }

    /// Announces that the reactor is going to sleep; false when it must not, because something waits.
    pub(super) fn fall_asleep(&self) -> bool {
        self.sleeping.store(true, Ordering::SeqCst);
        self.woken().is_empty()
    }

    pub(super) fn awake(&self) {
        self.sleeping.store(false, Ordering::SeqCst);
    }

    /// Exchanges the slots woken since the last call with `into`, which is emptied first.
    pub(super) fn take_woken(&self, into: &mut Vec<u32>) {
        into.clear();
        std::mem::swap(&mut *self.woken(), into);
    }

    fn add(&self, slot: u32) {
        self.woken().push(slot);
        if self.sleeping.swap(false, Ordering::SeqCst) {
            self.ring();
        }
    }

    fn ring(&self) {
        if let Err(error) = self.doorbell.wake() {
            tracing::error!(%error, "a reactor could not be woken");
        }
    }

    fn woken(&self) -> MutexGuard<'_, Vec<u32>> {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The waker of whatever task is in a slot.
#[derive(Debug)]
pub(super) struct SlotWaker {
    mailbox: Arc<Mailbox>,
    slot: u32,
    /// In the mailbox already.
    queued: AtomicBool,
}

impl SlotWaker {
    pub(super) fn new(mailbox: Arc<Mailbox>, slot: u32) -> Self {
        Self { mailbox, slot, queued: AtomicBool::new(false) }
    }

    /// Says that the mailbox has been emptied of this slot; to be called before the task is polled.
    pub(super) fn taken(&self) {
        // An exchange rather than a store: it must see what was written before a wake that found the flag set.
        self.queued.swap(false, Ordering::AcqRel);
    }
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.mailbox.add(self.slot);
        }
    }
}
