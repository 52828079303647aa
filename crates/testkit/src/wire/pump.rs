//! One way of a connection.

use super::{Cut, Flow, Way};
use socket2::SockRef;
use std::collections::VecDeque;
use std::io;
use std::net::Shutdown;
use std::sync::atomic::Ordering;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How much is taken at once, and how much of what was taken waits to be given, in bytes.
const READ: usize = 16 * 1024;
const MOST: usize = 256 * 1024;

/// What was taken at once. Nothing: the end.
struct Piece {
    came: Instant,
    bytes: Vec<u8>,
    given: usize,
}

/// What was taken and not given yet.
struct Held {
    pieces: VecDeque<Piece>,
    bytes: usize,
    ended: bool,
}

/// Takes from one side and gives to the other, as it is told. The end of the one is told to the other; an error breaks both.
pub(super) async fn pump(from: &TcpStream, to: &TcpStream, way: &Way) -> Result<(), Cut> {
    let mut told = way.flow.subscribe();
    let mut held = Held { pieces: VecDeque::new(), bytes: 0, ended: false };
    let mut flow = *told.borrow_and_update();
    let (mut passed, mut last) = (0_u64, None);
    loop {
        let left = match flow {
            Flow::Breaks { after, by } if passed >= after => return Err(by),
            Flow::Stalls { after } | Flow::Breaks { after, .. } => after.saturating_sub(passed),
            Flow::Free | Flow::Late(_) | Flow::Trickles { .. } | Flow::Vanishes => u64::MAX,
        };
        let takes = left > 0 && !held.ended && held.bytes < MOST;
        let gives = held.pieces.front().filter(|_| left > 0).and_then(|piece| match flow {
            Flow::Late(delay) => Some(piece.came + delay),
            Flow::Trickles { every, .. } => Some(last.map_or(piece.came, |last| last + every)),
            Flow::Vanishes => None,
            Flow::Free | Flow::Stalls { .. } | Flow::Breaks { .. } => Some(piece.came),
        });
        tokio::select! {
            biased;
            changed = told.changed() => {
                // Who tells owns the wire.
                changed.map_err(|_| Cut::Reset)?;
                flow = *told.borrow_and_update();
                passed = 0;
            }
            ready = from.readable(), if takes => {
                let lost = ready.and_then(|()| held.take(from, &told)).map_err(|_| Cut::Reset)?;
                way.lost.fetch_add(lost as u64, Ordering::SeqCst);
            }
            ready = may_give(gives, to), if gives.is_some() => {
                let most = match flow {
                    Flow::Trickles { bytes, .. } => bytes,
                    _ => usize::try_from(left).unwrap_or(usize::MAX),
                };
                let given = ready.and_then(|()| held.give(to, most)).map_err(|_| Cut::Reset)?;
                let Some(given) = given else { return Ok(()) };
                passed += given as u64;
                way.carried.fetch_add(given as u64, Ordering::SeqCst);
                last = Some(Instant::now());
            }
        }
    }
}

/// Waits until it is time, and the other side takes something.
async fn may_give(due: Option<Instant>, to: &TcpStream) -> io::Result<()> {
    if let Some(due) = due.filter(|due| *due > Instant::now()) {
        sleep_until(due).await;
    }
    to.writable().await
}

impl Held {
    /// Takes what has come; so many bytes vanish by it.
    fn take(&mut self, from: &TcpStream, told: &watch::Receiver<Flow>) -> io::Result<usize> {
        let mut bytes = vec![0; READ];
        let read = match from.try_read(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            read => read?,
        };
        bytes.truncate(read);
        self.ended = read == 0;
        let mut lost = 0;
        // What was told before something was said counts for it: once that has been read, the other has been told.
        if *told.borrow() == Flow::Vanishes {
            self.pieces.clear();
            lost = std::mem::take(&mut self.bytes) + read;
            if read > 0 {
                return Ok(lost);
            }
        }
        self.bytes += read;
        self.pieces.push_back(Piece { came: Instant::now(), bytes, given: 0 });
        Ok(lost)
    }

    /// Gives some of the oldest; `None` when that was the end.
    fn give(&mut self, to: &TcpStream, most: usize) -> io::Result<Option<usize>> {
        let Some(piece) = self.pieces.front_mut() else { return Ok(Some(0)) };
        if piece.bytes.is_empty() {
            SockRef::from(to).shutdown(Shutdown::Write)?;
            return Ok(None);
        }
        let rest = &piece.bytes[piece.given..];
        let given = match to.try_write(&rest[..most.min(rest.len())]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            given => given?,
        };
        piece.given += given;
        self.bytes -= given;
        if piece.given == piece.bytes.len() {
            self.pieces.pop_front();
        }
        Ok(Some(given))
    }
}

/// Takes all that comes, to the end.
pub(super) async fn drain(from: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        from.readable().await?;
        match from.try_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
    }
}
