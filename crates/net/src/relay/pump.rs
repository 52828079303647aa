//! One direction of a relay.

use super::Method;
#[cfg(target_os = "linux")]
use super::pipe::{self, Pipe};
use crate::reactor::{Directions, Socket};
use std::cell::RefCell;
use std::io::{self, Write as _};
use std::task::{Context, Poll, ready};
use std::time::Instant;

/// Bytes that are copied at once.
const BUFFER: usize = 16 * 1024;

/// Bytes carried in one direction after which other tasks have their turn, which is some 1.5 ms of splicing: as much as a socket holds, so that
/// both peers are woken seldom.
const TURN: u64 = 4 * 1024 * 1024;

/// Buffers that have to come full, one after the other, before splice(2) takes over.
const FULL: u8 = 2;

/// What is little for splice(2), in bytes, and how often so little has to come before it is copied again.
const LITTLE: usize = 2 * 1024;
const LITTLES: u8 = 8;

thread_local! {
    /// What all pumps of a thread copy through, one after the other.
    static BUFFERS: RefCell<Box<[u8]>> = RefCell::new(vec![0; BUFFER].into());
}

/// What was taken from the source and not yet by the sink.
#[derive(Debug)]
enum Kept {
    Nothing,
    Bytes {
        bytes: Vec<u8>,
        start: usize,
    },
    #[cfg(target_os = "linux")]
    Pipe(Pipe),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Flowing,
    /// The source has ended; what is kept goes on before that is carried over.
    Ending,
    Over,
}

/// Carries bytes from a source to a sink.
#[derive(Debug)]
pub(super) struct Pump {
    kept: Kept,
    stage: Stage,
    broken: bool,
    method: Method,
    /// The sink gets them by splice(2) now.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "there is no splice(2)"))]
    splices: bool,
    /// How often in a row more came than is copied well, or less than is spliced well.
    telling: u8,
    /// What the sink has taken in this turn, in bytes.
    carried: u64,
    /// When the sink took something last, or something was kept for it.
    taken: Instant,
}

impl Pump {
    /// Carries `first`, and then what the source says.
    pub(super) fn new(method: Method, first: Vec<u8>, now: Instant) -> Self {
        let kept = if first.is_empty() { Kept::Nothing } else { Kept::Bytes { bytes: first, start: 0 } };
        let splices = method == Method::Splice && method.is_available();
        Self {
            kept,
            stage: Stage::Flowing,
            broken: false,
            method,
            splices,
            telling: 0,
            carried: 0,
            taken: now,
        }
    }

    /// Nothing more is carried.
    pub(super) fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// A connection broke, rather than being closed.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Since when the sink has taken none of what is kept for it.
    pub(super) fn stalled_since(&self) -> Option<Instant> {
        (self.stage != Stage::Over && !matches!(self.kept, Kept::Nothing)).then_some(self.taken)
    }

    /// Carries what there is, as far as the sink takes it, and says how much that was.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        source: &mut Socket,
        sink: &mut Socket,
        now: Instant,
    ) -> u64 {
        self.carried = 0;
        while self.stage != Stage::Over {
            match self.step(context, source, sink, now) {
                Poll::Ready(Ok(())) if self.carried < TURN => {}
                Poll::Ready(Ok(())) => {
                    context.waker().wake_by_ref();
                    break;
                }
                Poll::Ready(Err(_)) => {
                    self.broken = true;
                    self.stage = Stage::Over;
                    self.kept = Kept::Nothing;
                    // Whoever is left learns that nothing more comes.
                    sink.shut_down();
                }
                Poll::Pending => break,
            }
        }
        self.carried
    }

    /// Hands on what is kept, or else takes something.
    fn step(
        &mut self,
        context: &mut Context<'_>,
        source: &mut Socket,
        sink: &mut Socket,
        now: Instant,
    ) -> Poll<io::Result<()>> {
        while !matches!(self.kept, Kept::Nothing) {
            let handed_on = ready!(self.hand_on(context, sink))?;
            self.taken = now;
            self.carried += handed_on as u64;
        }
        if self.stage == Stage::Ending {
            sink.shut_down();
            self.stage = Stage::Over;
            return Poll::Ready(Ok(()));
        }
        self.taken = now;
        #[cfg(target_os = "linux")]
        if self.splices {
            return self.splice(context, source);
        }
        let copied = ready!(self.copy(context, source, sink))?;
        self.carried += copied as u64;
        Poll::Ready(Ok(()))
    }

    /// Gives the sink some of what is kept for it.
    fn hand_on(&mut self, context: &mut Context<'_>, sink: &mut Socket) -> Poll<io::Result<usize>> {
        let (given, left) = match &mut self.kept {
            Kept::Nothing => return Poll::Ready(Ok(0)),
            Kept::Bytes { bytes, start } => {
                let rest = &bytes[*start..];
                let given = ready!(sink.poll_send(context, rest.len(), |mut stream| stream.write(rest)))?;
                *start += given;
                (given, bytes.len() - *start)
            }
            #[cfg(target_os = "linux")]
            Kept::Pipe(pipe) => {
                let given =
                    ready!(sink.poll_try(context, Directions::WRITE, |stream| pipe.empty_into(stream)))?;
                (given, pipe.held())
            }
        };
        if left == 0 {
            #[cfg_attr(not(target_os = "linux"), expect(unused_variables, reason = "there are no pipes"))]
            let kept = std::mem::replace(&mut self.kept, Kept::Nothing);
            #[cfg(target_os = "linux")]
            if let Kept::Pipe(pipe) = kept {
                pipe::give_back(pipe);
            }
        }
        Poll::Ready(Ok(given))
    }

    /// Takes a buffer full and hands it on at once; what the sink doesn't take is kept. Returns how much it took.
    fn copy(
        &mut self,
        context: &mut Context<'_>,
        source: &mut Socket,
        sink: &mut Socket,
    ) -> Poll<io::Result<usize>> {
        BUFFERS.with_borrow_mut(|buffer| {
            let read = ready!(source.poll_receive(context, buffer))?;
            if read == 0 {
                self.stage = Stage::Ending;
                return Poll::Ready(Ok(0));
            }
            self.copied(read);
            let bytes = &buffer[..read];
            let written = match sink.poll_send(context, read, |mut stream| stream.write(bytes)) {
                Poll::Ready(written) => written?,
                Poll::Pending => 0,
            };
            if written < read {
                self.kept = Kept::Bytes { bytes: bytes[written..].to_vec(), start: 0 };
            }
            Poll::Ready(Ok(written))
        })
    }

    /// Takes what there is into a pipe. Without a pipe it is copied from now on.
    #[cfg(target_os = "linux")]
    fn splice(&mut self, context: &mut Context<'_>, source: &mut Socket) -> Poll<io::Result<()>> {
        let Ok(mut pipe) = pipe::take() else {
            self.splices = false;
            return Poll::Ready(Ok(()));
        };
        let taken = source.poll_try(context, Directions::READ, |stream| pipe.fill_from(stream));
        match taken {
            Poll::Ready(Ok(0)) => self.stage = Stage::Ending,
            Poll::Ready(Ok(taken)) => {
                self.spliced(taken);
                self.kept = Kept::Pipe(pipe);
                return Poll::Ready(Ok(()));
            }
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => {
                pipe::give_back(pipe);
                return Poll::Pending;
            }
        }
        pipe::give_back(pipe);
        Poll::Ready(Ok(()))
    }

    /// Notes how much was read into the buffer at once.
    fn copied(&mut self, bytes: usize) {
        self.learn(bytes == BUFFER, FULL, true);
    }

    /// Notes how much was taken into a pipe at once.
    #[cfg(target_os = "linux")]
    fn spliced(&mut self, bytes: usize) {
        self.learn(bytes < LITTLE, LITTLES, false);
    }

    /// Notes whether this much speaks for the other way, which is taken once it has done so `often` in a row.
    fn learn(&mut self, speaks_for_other: bool, often: u8, other: bool) {
        self.telling = if speaks_for_other { self.telling + 1 } else { 0 };
        if self.telling >= often {
            self.telling = 0;
            self.splices = other && cfg!(target_os = "linux") || self.method == Method::Splice;
            self.splices &= self.method != Method::Copy;
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// What the pump learns of buffers that come full or not, while it copies; then of how much is spliced at once.
    fn after(method: Method, copied: &[usize], spliced: &[usize]) -> bool {
        let mut pump = Pump::new(method, Vec::new(), Instant::now());
        copied.iter().for_each(|bytes| pump.copied(*bytes));
        spliced.iter().for_each(|bytes| pump.spliced(*bytes));
        pump.splices
    }

    #[test]
    fn small_packets_are_copied_and_bulk_is_spliced() {
        let adaptive = |copied: &[usize], spliced: &[usize]| after(Method::Adaptive, copied, spliced);
        assert!(!adaptive(&[200; 1_000], &[]));
        assert!(!adaptive(&[BUFFER, 200, BUFFER, 200], &[]), "bursts are no bulk");
        assert!(adaptive(&[200, BUFFER, BUFFER], &[]));
        assert!(adaptive(&[BUFFER, BUFFER], &[64 * 1024; 1_000]));
        assert!(adaptive(&[BUFFER, BUFFER], &[200, 200, 64 * 1024, 200, 200, 200, 200, 200, 200, 200]));
        assert!(!adaptive(&[BUFFER, BUFFER], &[200; 8]), "what is small again is copied again");
    }

    #[test]
    fn a_route_may_fix_the_way() {
        assert!(!after(Method::Copy, &[BUFFER; 1_000], &[]));
        assert!(after(Method::Splice, &[], &[200; 1_000]));
    }
}
