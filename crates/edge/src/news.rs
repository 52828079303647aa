//! How those who carry players learn that something has changed that may concern them.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Tells all who carry players that something has changed that may concern them.
///
/// The number counts the changes. It is raised before anybody is woken, so that whoever is polled for whatever reason sees by one look at it
/// whether there is more to ask.
#[derive(Debug, Default)]
pub(crate) struct News {
    changes: AtomicU64,
    wake: Notify,
}

impl News {
    /// There is something new.
    pub(crate) fn tell(&self) {
        self.changes.fetch_add(1, Ordering::Release);
        self.wake.notify_waiters();
    }

    /// Does some work until it is done, or there is something new for which `ends` gives a reason to end it; that is asked before
    /// the work begins too.
    pub(crate) async fn until<S, T>(
        &self,
        state: &mut S,
        ends: impl Fn(&S) -> Option<T>,
        mut work: impl FnMut(&mut S, &mut Context<'_>) -> Poll<T>,
    ) -> T {
        loop {
            let mut news = pin!(self.coming());
            news.as_mut().enable();
            let seen = self.changes();
            if let Some(end) = ends(state) {
                return end;
            }
            // Polled once, so that it knows whom to wake: this very task, whatever else it is woken for.
            let told = poll_fn(|context| Poll::Ready(news.as_mut().poll(context).is_ready())).await;
            if told {
                continue;
            }
            let done = poll_fn(|context| match work(state, context) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending if self.changes() == seen => Poll::Pending,
                Poll::Pending => Poll::Ready(None),
            });
            if let Some(done) = done.await {
                return done;
            }
        }
    }

    fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    fn coming(&self) -> Notified<'_> {
        self.wake.notified()
    }
}
