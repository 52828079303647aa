//! A small reactor for connections: a few threads, each with its poller, its own listeners and a slab of tasks.
//!
//! A status ping is half a dozen system calls, and a general runtime spends half as much again on top of them. Here a
//! connection is read as soon as it is accepted and becomes known to the poller only when it has to wait; deadlines are
//! entries in a heap; nothing is shared between threads but the mailbox in which wakes arrive.
//! A task may open further sockets, which are polled with it.
//!
//! A turn: wait for events, translate all of them, look at deadlines, poll the tasks concerned, accept. Those that go on in the place of others, which
//! are players in play, are polled first and all of them; of the others some, and what is left over in the next turn, for whose events isn't waited then.
//! What must stay true: a task that panics ends alone; every task is polled and dropped on its own thread; no listener starves the tasks, no task the
//! others; no deadline passes a task by before it knows of all that had come by then.

mod accept;
mod deadlines;
#[cfg(fuzzing)]
mod loose;
mod slots;
mod socket;
mod wake;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Poll, Registry, Token};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

#[cfg(fuzzing)]
pub use loose::Loose;
pub use slots::Continuation;
pub use socket::{Dialer, LINGER_TIME, Socket};

use crate::listener::Bound;
use accept::Acceptor;
use deadlines::Clock;
use slots::{Slots, Task};

pub(crate) use slots::Directions;
use wake::Mailbox;

/// Tokens below are slots; those above are [`DOORBELL`] and, downwards from it, the listeners.
const TASK_TOKENS: u32 = u32::MAX - 65_536;
const DOORBELL: Token = Token(u32::MAX as usize);

/// Socket operations that succeed without waiting, after which a task lets others have a turn.
const BUDGET: u32 = 64;

/// Pause after running out of something.
const PAUSE: Duration = Duration::from_millis(50);

/// Events taken from the poller at once, and how many times in a turn while there are more: one of each of 65,536 sockets.
const EVENTS: usize = 256;
const BATCHES: usize = 256;

/// Tasks polled in a turn, beside those that go on in the place of others: a player in play waits for so many strangers at most.
const PER_TURN: usize = 16;

/// What the sockets of a reactor share with it.
struct Core {
    registry: Registry,
    slots: RefCell<Slots>,
    clock: Cell<Clock>,
    /// What is left of [`BUDGET`] to the task being polled.
    budget: Cell<u32>,
}

impl Bound {
    /// Starts accepting: `factory` makes the task of every connection, on the thread on which the task then stays. Within tasks
    /// `runtime` is entered, so they may use what belongs to it.
    ///
    /// # Errors
    /// When a poller or a thread can't be made; nothing is left running then.
    pub fn serve<F, T>(self, factory: F, runtime: &Handle) -> io::Result<Serving>
    where
        F: Fn(Socket) -> T + Send + Sync + 'static,
        T: Future<Output = Option<Continuation>> + 'static,
    {
        let factory = Arc::new(factory);
        let (alive, ended) = mpsc::channel(1);
        let mut serving = Serving { mailboxes: Vec::new(), threads: Vec::new(), ended };
        for (number, listeners) in self.into_threads().into_iter().enumerate() {
            let poll = Poll::new()?;
            let mailbox = Arc::new(Mailbox::new(mio::Waker::new(poll.registry(), DOORBELL)?));
            let acceptor = Acceptor::new(listeners, poll.registry())?;
            let registry = poll.registry().try_clone()?;
            let (factory, runtime, alive) = (Arc::clone(&factory), runtime.clone(), alive.clone());
            serving.mailboxes.push(Arc::clone(&mailbox));
            let thread = std::thread::Builder::new().name(format!("reactor-{number}")).spawn(move || {
                let _alive = alive;
                let _entered = runtime.enter();
                let make = move |socket| Box::pin(factory(socket)) as Task;
                Reactor::new(poll, registry, mailbox, acceptor).run(&make);
            })?;
            serving.threads.push(thread);
        }
        Ok(serving)
    }
}

/// The running reactors. Dropping it aborts them and waits for their threads.
#[derive(Debug)]
pub struct Serving {
    mailboxes: Vec<Arc<Mailbox>>,
    threads: Vec<JoinHandle<()>>,
    /// Closed when the last thread has ended.
    ended: mpsc::Receiver<()>,
}

impl Serving {
    /// Has the listeners closed, within a turn of the reactors; connections that were waiting to be accepted still are. Tasks go on.
    pub fn stop_accepting(&self) {
        for mailbox in &self.mailboxes {
            mailbox.stop();
        }
    }

    /// Tells whether they live.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        Pulse(self.mailboxes.clone())
    }

    /// Waits until the listeners are closed and all tasks have ended. Dropping the future changes nothing.
    pub async fn finished(&mut self) {
        while self.ended.recv().await.is_some() {}
        self.join();
    }

    /// Has the listeners closed and all tasks dropped, each on its own thread; [`Serving::finished`] tells when that is done.
    pub fn abort(&self) {
        for mailbox in &self.mailboxes {
            mailbox.abort();
        }
    }

    fn join(&mut self) {
        for thread in self.threads.drain(..) {
            // A task may own this very value; its thread can't wait for itself.
            if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
                tracing::error!("a reactor's thread panicked");
            }
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.abort();
        self.join();
    }
}

/// Asks reactors for a sign of life.
#[derive(Debug, Clone)]
pub struct Pulse(Vec<Arc<Mailbox>>);

impl Pulse {
    /// Waits until each reactor has begun another turn, or has ended as it should. For ever, when one hangs.
    pub async fn beat(&self) {
        let ask = |mailbox: &Arc<Mailbox>| {
            let (sign, given) = oneshot::channel();
            mailbox.ask(sign);
            given
        };
        let signs: Vec<_> = self.0.iter().map(ask).collect();
        for sign in signs {
            // The sign is that the sender goes away.
            let _ = sign.await;
        }
    }
}

struct Reactor {
    poll: Poll,
    core: Rc<Core>,
    mailbox: Arc<Mailbox>,
    acceptor: Acceptor,
}

impl Reactor {
    fn new(poll: Poll, registry: Registry, mailbox: Arc<Mailbox>, acceptor: Acceptor) -> Self {
        let core = Rc::new(Core {
            registry,
            slots: RefCell::new(Slots::new(Arc::clone(&mailbox))),
            clock: Cell::new(Clock::new(Instant::now())),
            budget: Cell::new(0),
        });
        Self { poll, core, mailbox, acceptor }
    }

    fn run(mut self, make: &dyn Fn(Socket) -> Task) {
        let mut events = Events::with_capacity(EVENTS);
        let (mut ahead, mut woken, mut wakers) = (Vec::new(), Vec::new(), Vec::new());
        while !self.mailbox.aborting() && (!self.acceptor.closed() || self.core.slots.borrow().occupied() > 0)
        {
            self.attend(&mut events, &mut woken, &mut wakers);
            for waker in wakers.drain(..) {
                contain(|| waker.wake());
            }
            self.core.slots.borrow_mut().take_ahead(&mut ahead);
            for index in ahead.drain(..) {
                self.poll_task(index);
            }
            for _ in 0..PER_TURN {
                let next = self.core.slots.borrow_mut().next_queued();
                let Some(index) = next else { break };
                self.poll_task(index);
            }
            let stopping = self.mailbox.stopping();
            if stopping {
                self.acceptor.begin_last_turn();
            }
            while let Some((stream, peer)) = self.acceptor.next(self.core.clock.get().now()) {
                self.begin(stream, peer, make);
            }
            if stopping {
                self.acceptor.close();
            }
        }
        let left = self.core.slots.borrow().all();
        for index in left {
            self.end(index);
        }
        self.mailbox.end();
    }

    /// Waits, and takes in all that has happened by the time at which deadlines are looked at: where the system has stopped the process for a
    /// while, whoever spoke meanwhile spoke in time, however many they are.
    fn attend(&mut self, events: &mut Events, woken: &mut Vec<u32>, wakers: &mut Vec<Waker>) {
        let mut all = self.wait(events);
        self.mailbox.live();
        self.translate(events, wakers);
        let now = self.core.clock.get().tick();
        // The clock was read after what has been told so far.
        let mut due = self.core.slots.borrow().next_reminder().is_some_and(|reminder| reminder <= now);
        for _ in 0..BATCHES {
            if all && !std::mem::take(&mut due) {
                break;
            }
            all = self.take_events(events, Some(Duration::ZERO));
            self.translate(events, wakers);
        }
        let mut slots = self.core.slots.borrow_mut();
        self.mailbox.take_woken(woken);
        for index in woken.drain(..) {
            slots.woken(index);
        }
        slots.expire(now, wakers);
    }

    /// Waits for events. Whether these are all that there are.
    fn wait(&mut self, events: &mut Events) -> bool {
        let clock = self.core.clock.get();
        let timeout = if !self.mailbox.fall_asleep() || self.core.slots.borrow().has_queued() {
            Some(Duration::ZERO)
        } else {
            let reminder = self.core.slots.borrow().next_reminder();
            let deadline = reminder.map(|tick| clock.until(tick));
            [deadline, self.acceptor.timeout(clock.now())].into_iter().flatten().min()
        };
        let all = self.take_events(events, timeout);
        self.mailbox.awake();
        let mut clock = clock;
        clock.advance(Instant::now());
        self.core.clock.set(clock);
        all
    }

    fn take_events(&mut self, events: &mut Events, timeout: Option<Duration>) -> bool {
        let Err(error) = self.poll.poll(events, timeout) else { return events.iter().count() < EVENTS };
        events.clear();
        // As when the process was stopped: what there is hasn't been said.
        if error.kind() == io::ErrorKind::Interrupted {
            return false;
        }
        tracing::error!(%error, "a reactor's poller failed");
        pause();
        true
    }

    fn translate(&mut self, events: &Events, wakers: &mut Vec<Waker>) {
        let mut slots = self.core.slots.borrow_mut();
        for event in events {
            match u32::try_from(event.token().0) {
                Ok(slot) if slot < TASK_TOKENS => wakers.extend(slots.event(slot, directions(event))),
                _ if event.token() == DOORBELL => {}
                _ => self.acceptor.event(event.token()),
            }
        }
    }

    /// Makes the task of a connection and polls it at once: what the client sends first is often there already.
    fn begin(&self, stream: mio::net::TcpStream, peer: std::net::SocketAddr, make: &dyn Fn(Socket) -> Task) {
        let Some(index) = self.core.slots.borrow_mut().occupy(peer) else {
            return;
        };
        let socket = Socket::new(stream, Rc::clone(&self.core), index, peer);
        if let Some(task) = contain(|| make(socket)) {
            self.core.slots.borrow_mut().put(index, task);
            self.poll_task(index);
        } else {
            tracing::error!(%peer, "a connection was dropped because its task panicked");
            self.core.slots.borrow_mut().vacate(index);
        }
    }

    fn poll_task(&self, index: u32) {
        let (task, waker) = {
            let mut slots = self.core.slots.borrow_mut();
            (slots.take(index), slots.waker(index))
        };
        let Some(mut task) = task else {
            return;
        };
        self.core.budget.set(BUDGET);
        let poll = contain(|| task.as_mut().poll(&mut Context::from_waker(&waker)));
        self.core.slots.borrow_mut().put(index, task);
        match poll {
            Some(std::task::Poll::Pending) => {}
            Some(std::task::Poll::Ready(None)) => self.end(index),
            Some(std::task::Poll::Ready(Some(next))) => {
                let ended = self.core.slots.borrow_mut().take(index);
                contain(|| drop(ended));
                self.core.slots.borrow_mut().put_next(index, next);
                self.poll_task(index);
            }
            None => {
                let peer = self.core.slots.borrow_mut().peer(index);
                tracing::error!(%peer, "a connection was dropped because its task panicked");
                self.end(index);
            }
        }
    }

    /// Drops a task and frees its slot.
    fn end(&self, index: u32) {
        let task = self.core.slots.borrow_mut().take(index);
        contain(|| drop(task));
        self.core.slots.borrow_mut().vacate(index);
    }
}

#[expect(clippy::disallowed_methods, reason = "without a poller nothing can be waited for but time")]
fn pause() {
    std::thread::sleep(PAUSE);
}

fn directions(event: &Event) -> Directions {
    let mut ready = Directions::NONE;
    if event.is_readable() || event.is_read_closed() || event.is_error() {
        ready = ready.with(Directions::READ);
    }
    if event.is_read_closed() || event.is_error() {
        ready = ready.with(Directions::END);
    }
    if event.is_writable() || event.is_write_closed() || event.is_error() {
        ready = ready.with(Directions::WRITE);
    }
    ready
}

/// Runs what isn't ours; None when it panicked, which the panic hook has told of.
fn contain<R>(run: impl FnOnce() -> R) -> Option<R> {
    // What a panicking task leaves half done is its own, and dropped right after.
    catch_unwind(AssertUnwindSafe(run)).ok()
}

#[cfg(test)]
mod tests;
