//! The slab of tasks of one reactor, and what is known about each one's socket. A task that opens further sockets has a slot for
//! each beside its own.
//!
//! What must stay true: a slot is given to another task only after all events of a turn have been translated, so that no
//! event meant for the old socket reaches the new one; while a task is polled or dropped it is *out* of its slot, so
//! that whatever it does may borrow the slots.

use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Waker;

use super::deadlines::{Due, Reminders, Tick};
use super::wake::{Mailbox, SlotWaker};

pub(super) type Task = Pin<Box<dyn Future<Output = Option<Continuation>>>>;

/// A task that goes on in the place of one that has ended, so that nothing is kept of the way there.
pub struct Continuation(pub(super) Task);

impl Continuation {
    /// Does this.
    #[must_use]
    pub fn new(work: impl Future<Output = ()> + 'static) -> Self {
        Self(Box::pin(async move {
            work.await;
            None
        }))
    }
}

#[cfg(fuzzing)]
impl Continuation {
    /// What goes on.
    #[must_use]
    pub fn into_task(self) -> Pin<Box<dyn Future<Output = Option<Self>>>> {
        self.0
    }
}

/// A set of directions of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Directions(u8);

impl Directions {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const READ: Self = Self(1);
    pub(crate) const WRITE: Self = Self(2);
    pub(super) const BOTH: Self = Self(3);
    /// Set beside `READ` when the peer has closed its side: a short read no longer means that nothing is left.
    pub(super) const END: Self = Self(4);

    pub(super) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// One task's place, or that of a further socket of a task.
pub(super) struct Slot {
    /// None while it is being polled, when the slot is free, and where it is a further socket's.
    task: Option<Task>,
    occupied: bool,
    /// The slot of the task that is polled for the socket: this one, or another.
    owner: u32,
    /// Stands in one of the queues.
    queued: bool,
    /// The task is one that another has left its place to.
    goes_on: bool,
    /// Directions in which the socket is worth trying.
    pub(super) ready: Directions,
    /// Directions that the poller watches.
    pub(super) watched: Directions,
    pub(super) due: Due,
    /// Whoever waits on the socket, when it isn't the task itself but something inside it with a waker of its own.
    inner: Option<Waker>,
    peer: SocketAddr,
    waker: Waker,
    wake: Arc<SlotWaker>,
}

/// All slots of a reactor.
pub(super) struct Slots {
    slots: Vec<Slot>,
    free: Vec<u32>,
    reminders: Reminders,
    /// Slots to poll, of tasks that go on in the place of others: all of them in this turn. No slot stands in both queues, or twice in one.
    ahead: Vec<u32>,
    /// Slots to poll, of all other tasks: as soon as it is their turn.
    queue: VecDeque<u32>,
    mailbox: Arc<Mailbox>,
}

impl Slots {
    pub(super) fn new(mailbox: Arc<Mailbox>) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            reminders: Reminders::default(),
            ahead: Vec::new(),
            queue: VecDeque::new(),
            mailbox,
        }
    }

    /// How many tasks there are.
    pub(super) fn occupied(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(super) fn get(&mut self, slot: u32) -> &mut Slot {
        &mut self.slots[slot as usize]
    }

    /// Takes a free slot for a connection from `peer`; None when there are more than the poller's tokens can tell apart.
    pub(super) fn occupy(&mut self, peer: SocketAddr) -> Option<u32> {
        let index = self.occupy_beside(None, peer)?;
        self.get(index).ready = Directions::BOTH;
        Some(index)
    }

    /// Takes a free slot for a further socket of the task in the slot `owner`, to `peer`, which isn't worth trying yet.
    pub(super) fn occupy_beside(&mut self, owner: Option<u32>, peer: SocketAddr) -> Option<u32> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => self.grow(peer)?,
        };
        let slot = self.get(index);
        slot.occupied = true;
        slot.goes_on = false;
        slot.owner = owner.unwrap_or(index);
        slot.ready = Directions::NONE;
        slot.watched = Directions::NONE;
        slot.peer = peer;
        Some(index)
    }

    fn grow(&mut self, peer: SocketAddr) -> Option<u32> {
        let index = u32::try_from(self.slots.len()).ok().filter(|index| *index < super::TASK_TOKENS)?;
        let wake = Arc::new(SlotWaker::new(Arc::clone(&self.mailbox), index));
        self.slots.push(Slot {
            task: None,
            occupied: false,
            owner: index,
            queued: false,
            goes_on: false,
            ready: Directions::NONE,
            watched: Directions::NONE,
            due: Due::NEVER,
            inner: None,
            peer,
            waker: Waker::from(Arc::clone(&wake)),
            wake,
        });
        Some(index)
    }

    /// Frees the slot of a task that has ended and was dropped.
    pub(super) fn vacate(&mut self, index: u32) {
        let slot = self.get(index);
        slot.occupied = false;
        slot.inner = None;
        slot.due.deadline = Tick::NEVER;
        self.free.push(index);
    }

    /// Frees the slot of a further socket that is gone; not that of a task.
    pub(super) fn vacate_further(&mut self, index: u32) {
        if self.get(index).owner != index {
            self.vacate(index);
        }
    }

    /// Puts a task (back) into its slot.
    pub(super) fn put(&mut self, index: u32, task: Task) {
        self.get(index).task = Some(task);
    }

    /// Remembers whom to wake for a socket; the task itself is always woken.
    pub(super) fn wait(&mut self, index: u32, waker: &Waker) {
        let owner = self.get(index).owner;
        if !self.get(owner).waker.will_wake(waker) {
            self.get(index).inner = Some(waker.clone());
        }
    }

    /// Puts a task into the place of one that has ended.
    pub(super) fn put_next(&mut self, index: u32, next: Continuation) {
        let slot = self.get(index);
        slot.task = Some(next.0);
        slot.goes_on = true;
    }

    /// Takes the task out to poll or drop it.
    pub(super) fn take(&mut self, index: u32) -> Option<Task> {
        self.slots.get_mut(index as usize)?.task.take()
    }

    pub(super) fn waker(&mut self, index: u32) -> Waker {
        self.get(index).waker.clone()
    }

    pub(super) fn peer(&mut self, index: u32) -> SocketAddr {
        self.get(index).peer
    }

    /// Notes what the poller said about a socket; the answer, if any, is to be woken once the slots aren't borrowed.
    #[must_use]
    pub(super) fn event(&mut self, index: u32, ready: Directions) -> Option<Waker> {
        let slot = self.slots.get_mut(index as usize).filter(|slot| slot.occupied)?;
        slot.ready = slot.ready.with(ready);
        let (inner, owner) = (slot.inner.take(), slot.owner);
        self.enqueue(owner);
        inner
    }

    /// Has the task polled that was woken through the mailbox.
    pub(super) fn woken(&mut self, index: u32) {
        if let Some(slot) = self.slots.get(index as usize) {
            slot.wake.taken();
            self.enqueue(index);
        }
    }

    /// Has the tasks polled whose deadline has passed; those in `wake` are to be woken once the slots aren't borrowed.
    pub(super) fn expire(&mut self, now: Tick, wake: &mut Vec<Waker>) {
        while let Some(entry) = self.reminders.pop(now) {
            let slot = &mut self.slots[entry.1 as usize];
            if self.reminders.reached(entry, &mut slot.due, now) {
                wake.extend(slot.inner.take());
                let owner = slot.owner;
                self.enqueue(owner);
            }
        }
    }

    pub(super) fn set_deadline(&mut self, index: u32, deadline: Tick) {
        self.reminders.set(index, &mut self.slots[index as usize].due, deadline);
        self.reminders.sweep(self.slots.len(), |slot| self.slots[slot as usize].due);
    }

    /// When the next deadline may pass.
    pub(super) fn next_reminder(&self) -> Option<Tick> {
        self.reminders.next()
    }

    /// Each socket is worth trying.
    #[cfg(fuzzing)]
    pub(super) fn revive_all(&mut self) {
        for slot in &mut self.slots {
            slot.ready = slot.ready.with(Directions::BOTH);
        }
    }

    fn enqueue(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        if slot.occupied && !slot.queued {
            slot.queued = true;
            if slot.goes_on {
                self.ahead.push(index);
            } else {
                self.queue.push_back(index);
            }
        }
    }

    /// Exchanges the slots that are to be polled ahead of all others with `into`, which is emptied first.
    pub(super) fn take_ahead(&mut self, into: &mut Vec<u32>) {
        into.clear();
        std::mem::swap(&mut self.ahead, into);
        for index in &*into {
            self.slots[*index as usize].queued = false;
        }
    }

    /// The next of the others to be polled. Its task may have ended meanwhile, and the slot be another's.
    pub(super) fn next_queued(&mut self) -> Option<u32> {
        let index = self.queue.pop_front()?;
        self.slots[index as usize].queued = false;
        Some(index)
    }

    /// Whether others are still to be polled.
    pub(super) fn has_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The slots with a task in them.
    pub(super) fn all(&self) -> Vec<u32> {
        let tasks = (0u32..).zip(&self.slots).filter(|(index, slot)| slot.occupied && slot.owner == *index);
        tasks.map(|(index, _)| index).collect()
    }
}
