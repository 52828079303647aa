//! Lines on their way from whoever logs to standard error.
//!
//! A thread of its own writes them. Waking it costs several times what a line does, so it is woken for the first line only and then
//! gathers for a moment: a busy edge pays for a hundred wake-ups a second, however many players come.
//!
//! What must stay true: whoever logs never waits for whoever reads; lines keep their order and are written whole or not at all; how
//! many were lost is told.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// How many bytes may wait for whoever reads the log.
const MOST: usize = 1024 * 1024;

/// How long lines are gathered after some were written.
const PAUSE: Duration = Duration::from_millis(10);

/// How long the end of the process waits for what is left to be written.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Capacity that the buffers keep while nothing is logged, in bytes.
const KEPT: usize = 16 * 1024;

/// Where lines are put; every clone is the same place.
#[derive(Debug, Clone)]
pub(crate) struct Lines(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Tells the thread that there is something to do.
    wake: Condvar,
    /// Tells whoever ends the log that all is written.
    done: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// Lines for which there was no room since some were told of.
    lost: u64,
    /// The thread waits for the first line.
    asleep: bool,
    closing: bool,
    closed: bool,
}

/// The thread that writes. Dropping this waits until what is left is written, though not for long.
#[derive(Debug)]
pub(crate) struct Writing(Arc<Shared>);

/// Begins to write to `output`. `on_loss` is called, on the thread that writes, with how many lines were lost.
///
/// # Errors
/// When no thread can be made.
pub(crate) fn write_to(
    output: impl Write + Send + 'static,
    on_loss: impl Fn(u64) + Send + 'static,
) -> io::Result<(Lines, Writing)> {
    let shared = Arc::new(Shared::default());
    let of_thread = Arc::clone(&shared);
    thread::Builder::new().name("log".into()).spawn(move || of_thread.write_all(output, on_loss))?;
    Ok((Lines(Arc::clone(&shared)), Writing(shared)))
}

impl Shared {
    fn write_all(&self, mut output: impl Write, on_loss: impl Fn(u64)) {
        let mut batch = Vec::new();
        loop {
            let lost = self.take(&mut batch);
            if batch.is_empty() {
                break;
            }
            // There is nobody left to tell that the log can't be written.
            let _ = output.write_all(&batch).and_then(|()| output.flush());
            batch.clear();
            batch.shrink_to(KEPT);
            if lost > 0 {
                on_loss(lost);
            }
            drop(self.wake.wait_timeout_while(self.waiting(), PAUSE, |waiting| !waiting.closing));
        }
        self.waiting().closed = true;
        self.done.notify_all();
    }

    /// Waits for lines and exchanges them with `batch`, which stays empty only when the log has ended. Returns how many were lost.
    fn take(&self, batch: &mut Vec<u8>) -> u64 {
        let mut waiting = self.waiting();
        while waiting.bytes.is_empty() && !waiting.closing {
            waiting.asleep = true;
            waiting = self.wake.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.asleep = false;
        std::mem::swap(&mut waiting.bytes, batch);
        std::mem::take(&mut waiting.lost)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Each change is whole, so that what a panic elsewhere left behind is sound.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for &Lines {
    /// Takes one line, whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.0.waiting();
        if waiting.bytes.len() + line.len() > MOST {
            waiting.lost += 1;
        } else {
            waiting.bytes.extend_from_slice(line);
            if std::mem::take(&mut waiting.asleep) {
                drop(waiting);
                self.0.wake.notify_one();
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.closing = true;
        self.0.wake.notify_one();
        // Whoever reads the log may never do so again.
        drop(self.0.done.wait_timeout_while(waiting, LAST_WORD, |waiting| !waiting.closed));
    }
}

#[cfg(test)]
mod tests;
