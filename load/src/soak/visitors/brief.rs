//! Those who come for a moment: players who are handed over, and connections that are relayed; and changes of the routes.

use super::{CHANGE, Visitors};
use crate::scene::{RELAY, TRANSFER};
use crate::soak::town::{ONLINE, Town, changing};
use crate::wire::joining;
use drawbridge_testkit::{Jar, Outcome, Player, Visit};
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Between two hand-overs, two relays, and two packets through a relay that is held.
const HAND_OVER: Duration = Duration::from_millis(250);
const BRIEF: Duration = Duration::from_millis(250);
const TICK: Duration = Duration::from_millis(50);
/// How long a target may take to say something back.
const PATIENCE: Duration = Duration::from_secs(30);
/// What goes through a relay: small packets, and as much at once as is worth splicing.
const PACKET: usize = 200;
const BULK: usize = 64 * 1024;
/// How many times as much.
const BULKS: u64 = 4;

/// A connection through a relay, with a target that says everything back.
struct Relayed {
    stream: TcpStream,
    /// So many bytes were said, which tells what the next ones are.
    said: usize,
}

impl Relayed {
    fn open(edge: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(edge)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut relayed = Self { stream, said: 0 };
        relayed.echoes(&joining(RELAY, "Relayed"))?;
        Ok(relayed)
    }

    /// Says so many bytes, and hears the same.
    fn exchange(&mut self, size: usize) -> io::Result<()> {
        let bytes: Vec<u8> = (self.said..self.said + size).map(|place| (place / 8 * 31) as u8).collect();
        self.echoes(&bytes)
    }

    fn echoes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)?;
        let mut heard = vec![0; bytes.len()];
        self.stream.read_exact(&mut heard)?;
        self.said += bytes.len();
        if heard == bytes { Ok(()) } else { Err(io::Error::other("other bytes come back")) }
    }
}

/// Has each route that asks the session server ask once more: it then drops those of its connections that have ended, or that nobody has used for long.
pub(in crate::soak) fn ask_once_more(town: &Town) {
    for (host, name) in [(TRANSFER, "Last"), (ONLINE, "Latest")] {
        let account = town.session.account(name);
        let visit = Player::with_account(&account, 767).host(host).join(town.edge.address());
        drop(visit);
    }
}

impl Visitors {
    /// Players who join by the session server, and come back with the cookies that they got.
    pub(super) fn hand_over(&self, town: &Town, thread: u32) {
        let account = town.session.account(&format!("Transferred{thread}"));
        let (begun, mut jar) = (Instant::now(), Jar::new());
        for turn in 0.. {
            if !self.turn(begun, HAND_OVER, turn) {
                return;
            }
            let player = Player::with_account(&account, 767).host(TRANSFER);
            let player = if turn % 2 == 0 { player } else { player.sent_on(&jar) };
            let Visit { outcome, jar: kept, .. } = player.join(town.edge.address());
            match outcome {
                Outcome::Transfer { close: None, .. } => jar = kept,
                outcome => self.fault(format!("a player isn't handed over: {outcome:?}")),
            }
            self.transfers.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Relays that are held from the first moment to the last, with a packet every tick.
    pub(super) fn hold_relays(&self, town: &Town, count: usize) {
        let open = || Relayed::open(town.edge.address());
        let held: io::Result<Vec<_>> = (0..count).map(|_| open()).collect();
        let mut held = match held {
            Ok(held) => held,
            Err(error) => return self.fault(format!("a relay doesn't come about: {error}")),
        };
        let begun = Instant::now();
        for turn in 0.. {
            if !self.turn(begun, TICK, turn) {
                return;
            }
            for relayed in &mut held {
                if let Err(error) = relayed.exchange(PACKET) {
                    return self.fault(format!("a relay that was held: {error}"));
                }
            }
            self.relayed.fetch_add((count * PACKET * 2) as u64, Ordering::Relaxed);
        }
    }

    /// Relays that come, carry bulk, and go in each of the ways to.
    pub(super) fn relay(&self, town: &Town) {
        let begun = Instant::now();
        for turn in 0.. {
            if !self.turn(begun, BRIEF, turn) {
                return;
            }
            if let Err(error) = self.carry(town.edge.address(), turn) {
                self.fault(format!("a relay: {error}"));
            }
            self.relays.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn carry(&self, edge: SocketAddr, turn: u32) -> io::Result<()> {
        let mut relayed = Relayed::open(edge)?;
        for _ in 0..BULKS {
            relayed.exchange(BULK)?;
        }
        self.relayed.fetch_add(2 * BULKS * BULK as u64, Ordering::Relaxed);
        match turn % 3 {
            // The target's end comes back.
            0 => {
                relayed.stream.shutdown(Shutdown::Write)?;
                let rest = relayed.stream.read(&mut [0; 16])?;
                if rest > 0 { Err(io::Error::other("more comes than was said")) } else { Ok(()) }
            }
            // With bytes that nobody reads any more, so that it is reset.
            1 => relayed.stream.write_all(&[7; PACKET]),
            _ => Ok(()),
        }
    }

    /// Files of routes that change, and every other time a signal.
    pub(super) fn reload(&self, town: &Town) {
        let begun = Instant::now();
        for turn in 0.. {
            if !self.turn(begun, CHANGE, turn) {
                return;
            }
            town.edge.rewrite_file("routes/changing.toml", changing(turn));
            if turn % 2 == 0 {
                town.edge.reload();
            }
        }
    }
}
