//! The desk of a stand-in: books that all of its connections share, and word of what changes in them.

use crate::web::http::has_left;
use std::io;
use std::net::TcpStream;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often it is looked whether whoever waits is still there.
const LOOK: Duration = Duration::from_millis(5);

/// Books that are shared.
#[derive(Debug, Default)]
pub(crate) struct Desk<B> {
    books: Mutex<B>,
    changed: Condvar,
}

impl<B> Desk<B> {
    /// The books as they are. Who changes in them what others wait for, does it by [`change`](Self::change).
    pub(crate) fn books(&self) -> MutexGuard<'_, B> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the books, and wakes whoever waits for that.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut B) -> T) -> T {
        let changed = change(&mut self.books());
        self.changed.notify_all();
        changed
    }

    /// Waits for books that are `ready`; `None` where whoever asks by this connection has hung up before.
    pub(crate) fn wait(
        &self,
        asking: &TcpStream,
        mut ready: impl FnMut(&B) -> bool,
    ) -> io::Result<Option<MutexGuard<'_, B>>> {
        let mut books = self.books();
        while !ready(&books) {
            if has_left(asking)? {
                return Ok(None);
            }
            books = self.changed.wait_timeout(books, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(Some(books))
    }
}
