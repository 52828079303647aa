//! The two pumps, and what is done between their turns.

use super::down::Down;
use super::limits::Limit;
use super::up::Up;
use super::{Client, Event, Fault, Loss, SILENCE, Session};
use crate::backend::Backend;
use drawbridge_protocol::carry::Frames;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::task::{Context, Poll, ready};
use std::time::Instant;

/// Bytes that are read at once: some fifty packets, or a chunk.
const BUFFER: usize = 64 * 1024;

/// Bytes carried in one direction after which others have their turn.
const TURN: u64 = 1024 * 1024;

/// Bytes of packets, inflated, that are dealt with in one go, after which others have their turn: a few bytes may hold megabytes.
const PIECE: usize = 512 * 1024;

/// The most bytes that wait for a side before nothing is read from the other: more than a piece of that and a packet, so that they
/// are answers.
const MOST_KEPT: usize = 4 * 1024 * 1024;

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers { bytes: vec![0; BUFFER].into(), scratch: Vec::new() });
}

/// What all sessions of a thread read and inflate into, one after the other.
struct Buffers {
    bytes: Box<[u8]>,
    scratch: Vec<u8>,
}

impl Session {
    /// Carries until something happens. Polled once more after that it goes on.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        let now = self.now();
        let mut carried = 0;
        self.worked = 0;
        while self.events.is_empty() && carried < TURN && self.worked < PIECE {
            let down = self.pump_down(context);
            let up = self.pump_up(context);
            match (down, up) {
                (Poll::Pending, Poll::Pending) => break,
                (down, up) => {
                    carried += [down, up]
                        .iter()
                        .map(|bytes| if let Poll::Ready(bytes) = bytes { *bytes } else { 0 })
                        .sum::<u64>();
                }
            }
        }
        if carried >= TURN || self.worked >= PIECE {
            context.waker().wake_by_ref();
        }
        if self.events.is_empty() {
            self.tend(now);
            // What tending has written; whatever comes of that is noticed at the next turn.
            let _ = self.flush_client(context);
        }
        match self.events.pop_front() {
            Some(event) => Poll::Ready(event),
            None => Poll::Pending,
        }
    }

    /// Reads once from the backend, and hands on.
    fn pump_down(&mut self, context: &mut Context<'_>) -> Poll<u64> {
        ready!(self.flush_client(context));
        if self.backend.as_ref().is_some_and(|backend| backend.writer.len() > MOST_KEPT) {
            ready!(self.flush_backend(context));
        }
        let now = self.now();
        let read = ready!(self.hear_backend(context, now)).unwrap_or_else(|loss| {
            self.events.push_back(Event::Lost(loss));
            0
        });
        self.traffic.down += read;
        if read > 0 {
            self.heard = now;
        }
        if let Some(Event::Kicked(_) | Event::Lost(_)) = self.events.back()
            && let Some(lost) = self.backend.take()
        {
            self.packs.extend(lost.packs);
        }
        let _ = self.flush_client(context);
        let _ = self.flush_backend(context);
        Poll::Ready(read)
    }

    /// Reads once from the backend, and deals with what has come.
    #[inline]
    fn hear_backend(&mut self, context: &mut Context<'_>, now: Instant) -> Poll<Result<u64, Loss>> {
        let Self { version, ledger, options, client, standing, backend, events, worked, .. } = self;
        let Some(backend) = backend.as_mut().filter(|backend| backend.is_open()) else {
            return Poll::Pending;
        };
        BUFFERS.with_borrow_mut(|Buffers { bytes, scratch }| {
            let read = if std::mem::take(&mut backend.unread) {
                // What came along with the end of the login.
                0
            } else {
                match ready!(backend.socket.poll_receive(context, bytes)) {
                    Ok(0) => return Poll::Ready(Err(Loss::Closed)),
                    Ok(read) => read,
                    Err(error) => return Poll::Ready(Err(error.into())),
                }
            };
            let mut frames = backend.reader.frames(&mut bytes[..read]);
            let down = Down {
                version: *version,
                ledger,
                options,
                standing,
                client: &mut client.writer,
                backend: &mut backend.writer,
                asked: &mut backend.asked,
                packs: &mut backend.packs,
                speaks: &mut backend.speaks,
                hears: backend.hears,
                scratch,
                now,
            };
            backend.unread = take_down(&mut frames, down, events, worked)?;
            Poll::Ready(Ok(read as u64))
        })
    }

    /// Reads once from the client, and hands on.
    fn pump_up(&mut self, context: &mut Context<'_>) -> Poll<u64> {
        ready!(self.flush_backend(context));
        if self.client.writer.len() > MOST_KEPT {
            ready!(self.flush_client(context));
        }
        self.meter.fill(self.client.socket.now());
        let read = ready!(self.hear_client(context)).unwrap_or_else(|event| {
            self.events.push_back(event);
            0
        });
        self.traffic.up += read;
        self.play_limbo();
        let _ = self.flush_backend(context);
        let _ = self.flush_client(context);
        Poll::Ready(read)
    }

    /// Reads once from the client, and deals with what has come.
    #[inline]
    fn hear_client(&mut self, context: &mut Context<'_>) -> Poll<Result<u64, Event>> {
        let Self { version, ledger, options, client, meter, standing, backend, held, events, worked, .. } =
            self;
        let Client { socket, reader, writer } = client;
        BUFFERS.with_borrow_mut(|Buffers { bytes, scratch }| {
            let read = if std::mem::take(&mut standing.unread) {
                // What came along with the end of the login, or was too much at once.
                0
            } else {
                match ready!(socket.poll_receive(context, bytes)) {
                    Ok(0) | Err(_) => return Poll::Ready(Err(Event::Left)),
                    Ok(read) => read,
                }
            };
            if let Err(excess) = meter.take(Limit::Bytes, read as u64) {
                return Poll::Ready(Err(Event::Refused(excess.into())));
            }
            let mut frames = reader.frames(&mut bytes[..read]);
            let mut up = Up {
                version: *version,
                ledger,
                options,
                standing,
                client: writer,
                backend: backend.as_mut(),
                alone: held.is_some(),
                meter,
                scratch,
            };
            let taken = take_up(&mut frames, &mut up, events, worked);
            up.standing.unread = taken.map_err(Event::Refused)?;
            Poll::Ready(Ok(read as u64))
        })
    }

    /// Gives the client what is kept for it; pending while some is left.
    pub(super) fn flush_client(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let now = self.client.socket.now();
        let Client { socket, writer, .. } = &mut self.client;
        while !writer.is_empty() {
            match socket.poll_write_some(context, writer.unsent()) {
                Poll::Ready(Ok(written)) => {
                    writer.sent(written);
                    self.client_stuck = Some(now);
                }
                Poll::Ready(Err(_)) => {
                    self.events.push_back(Event::Left);
                    return Poll::Pending;
                }
                Poll::Pending => {
                    self.client_stuck.get_or_insert(now);
                    return Poll::Pending;
                }
            }
        }
        self.client_stuck = None;
        Poll::Ready(())
    }

    /// As [`Session::flush_client`], to the backend.
    fn flush_backend(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let now = self.client.socket.now();
        let Some(Backend { socket, writer, .. }) = &mut self.backend else { return Poll::Ready(()) };
        while !writer.is_empty() {
            match socket.poll_write_some(context, writer.unsent()) {
                Poll::Ready(Ok(written)) => {
                    writer.sent(written);
                    self.backend_stuck = Some(now);
                }
                Poll::Ready(Err(error)) => {
                    // What it has said before may still be there, such as why it turns the player away: reading goes on to its end.
                    writer.discard();
                    drop(error);
                    break;
                }
                Poll::Pending => {
                    self.backend_stuck.get_or_insert(now);
                    return Poll::Pending;
                }
            }
        }
        self.backend_stuck = None;
        Poll::Ready(())
    }

    /// Does what is due, and has the session looked at again in time.
    fn tend(&mut self, now: Instant) {
        let stalled = self.options.stalled;
        if self.client_stuck.is_some_and(|since| since + stalled <= now) {
            return self.events.push_back(Event::ClientStalled);
        }
        if self.backend_stuck.is_some_and(|since| since + stalled <= now) {
            self.packs.extend(self.backend.take().into_iter().flat_map(|lost| lost.packs));
            self.backend_stuck = None;
            return self.events.push_back(Event::Lost(Loss::Stalled));
        }
        // What isn't read, because one of both takes nothing, isn't missed.
        let flows = self.client_stuck.is_none() && self.backend_stuck.is_none();
        let listens = flows && self.backend.as_ref().is_some_and(Backend::is_open);
        if !listens {
            self.heard = now;
        } else if self.heard + SILENCE <= now {
            self.packs.extend(self.backend.take().into_iter().flat_map(|lost| lost.packs));
            return self.events.push_back(Event::Lost(Loss::Silent));
        }
        self.standing.say(self.version, &mut self.client.writer);
        let alone = self.standing.awaits_world || !self.backend.as_ref().is_some_and(Backend::is_open);
        let silent = self.standing.tend(alone, self.version, &mut self.client.writer, now);
        if silent {
            return self.events.push_back(Event::ClientSilent);
        }
        let stuck =
            [self.client_stuck, self.backend_stuck].into_iter().flatten().map(|since| since + stalled);
        let silent = listens.then(|| self.heard + SILENCE);
        let due = stuck.chain(self.standing.due(alone)).chain(silent).min();
        // One that is set too early is looked at again then: most of them are put off by each packet.
        if let Some(due) = due
            && self.due.is_none_or(|set| due < set || set <= now)
        {
            self.due = Some(due);
            self.client.socket.set_deadline(due);
        }
    }
}

/// Deals with a backend's frames until none is whole, one of them wants a decision, or it is others' turn; whether it is that.
#[inline]
fn take_down(
    frames: &mut Frames<'_>,
    mut down: Down<'_>,
    events: &mut VecDeque<Event>,
    worked: &mut usize,
) -> Result<bool, Fault> {
    let enough = *worked + PIECE;
    while let Some(frame) = frames.next_frame()? {
        *worked += frame.length();
        if let Some(event) = down.take(&frame)? {
            events.push_back(event);
            return Ok(false);
        }
        // A backend changes its threshold in play in 1.8 alone.
        if let Some(threshold) = down.standing.new_threshold.take() {
            frames.set_compression(threshold.is_some());
            down.backend.set_compression(threshold);
        }
        if *worked >= enough {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Deals with a client's frames until none is whole, or it is others' turn; whether it is that.
#[inline]
fn take_up(
    frames: &mut Frames<'_>,
    up: &mut Up<'_>,
    events: &mut VecDeque<Event>,
    worked: &mut usize,
) -> Result<bool, Fault> {
    let enough = *worked + PIECE;
    while let Some(frame) = frames.next_frame().map_err(|error| up.meter.fault(error))? {
        *worked += frame.length();
        events.extend(up.take(&frame)?);
        if *worked >= enough {
            return Ok(true);
        }
    }
    Ok(false)
}
