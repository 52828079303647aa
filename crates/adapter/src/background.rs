//! What adapters do by themselves, while nobody waits for it. They may be built before there is a runtime to do it on.
//!
//! What must stay true: dropping the [`Running`] that stands for a piece of work ends it, whether or not it has begun.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::runtime::Handle;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// A piece of work.
type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Ends the work when it is dropped; empty until the work begins.
type Hold = Mutex<Option<AbortOnDropHandle<()>>>;

/// Where work is done.
#[derive(Default)]
pub struct Background(Mutex<State>);

/// Stands for a piece of work, which ends when this is dropped.
#[derive(Debug)]
#[must_use = "dropping it ends the work"]
pub struct Running(#[expect(dead_code, reason = "held, never looked at")] Arc<Hold>);

enum State {
    /// Work waits for a runtime.
    Waiting(Vec<(Weak<Hold>, Work)>),
    Running(Handle, TaskTracker),
}

impl Default for State {
    fn default() -> Self {
        Self::Waiting(Vec::new())
    }
}

impl Background {
    /// Begins all work that waits and is still wanted; further work begins at once.
    pub fn start(&self, runtime: &Handle, tasks: &TaskTracker) {
        let before = std::mem::replace(&mut *self.state(), State::Running(runtime.clone(), tasks.clone()));
        let State::Waiting(waiting) = before else { return };
        for (hold, work) in waiting {
            if let Some(hold) = hold.upgrade() {
                let task = AbortOnDropHandle::new(tasks.spawn_on(work, runtime));
                *hold.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
            }
        }
    }

    /// Does the work, until the result is dropped.
    pub fn run(&self, work: impl Future<Output = ()> + Send + 'static) -> Running {
        let hold = match &mut *self.state() {
            State::Waiting(waiting) => {
                waiting.retain(|(hold, _)| hold.strong_count() > 0);
                let hold = Arc::<Hold>::default();
                waiting.push((Arc::downgrade(&hold), Box::pin(work)));
                hold
            }
            State::Running(runtime, tasks) => {
                Arc::new(Mutex::new(Some(AbortOnDropHandle::new(tasks.spawn_on(work, runtime)))))
            }
        };
        Running(hold)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is whole, so that what a panic elsewhere left behind is sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.state() {
            State::Waiting(_) => "Waiting",
            State::Running(..) => "Running",
        })
    }
}
