//! Players in play, in sessions and in relays, and the targets that they are on. Each says a marked packet twenty times a second, which its target
//! says back: how long that takes is what a player would notice.
//!
//! What must stay true: a player's packets come back whole, each once and in their order, or it is told of; players have a thread of their own
//! (`players`), and so have targets (`targets`), so that floods don't hold them up but by taking cores.

mod targets;

pub use targets::Targets;

use crate::scene::{RELAY, SESSIONS};
use crate::wire::{Miss, VERSION, Wire, joining};
use anyhow::{Context as _, Result, bail};
use drawbridge_protocol::ids::{Direction, Kind, State};
use drawbridge_protocol::packet::configuration::FinishConfiguration;
use drawbridge_protocol::packet::login::{LoginAcknowledged, LoginSuccess};
use drawbridge_protocol::packet::play::CustomPayload;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

/// How often a player says something: a server's tick.
pub const TICK: Duration = Duration::from_millis(50);
/// The channel of their packets.
const CHANNEL: &str = "drawbridge:load";
/// Bytes of a packet behind the channel; the first of them are its mark.
const SIZE: usize = 160;
/// How long somebody may take to join.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many join at the same time.
const AT_ONCE: usize = 64;

/// In which way a player is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In a session.
    Session,
    /// In a relay.
    Relay,
}

impl Way {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Session, Self::Relay];

    /// How it is called in a report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "sessions",
            Self::Relay => "relays",
        }
    }
}

/// What players noticed.
#[derive(Debug, Default)]
pub struct Noticed {
    /// How long packets were under way and back, of each way.
    pub took: [Vec<Duration>; 2],
    /// Who lost something, and what.
    pub lost: Vec<String>,
}

/// Players who stay until they are dropped.
#[derive(Debug)]
pub struct Players {
    noticed: Arc<Mutex<Noticed>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Players {
    /// So many of each way join, and are in play. They say something so often.
    ///
    /// # Errors
    /// When one of them doesn't get in.
    pub fn join(edge: SocketAddr, count: [usize; 2], every: Duration) -> Result<Self> {
        let (players, turned_away) = Self::come(edge, count, every)?;
        match turned_away.first() {
            None => Ok(players),
            Some(why) => bail!("{} players don't get in: {why}", turned_away.len()),
        }
    }

    /// The same, where some may not get in: what became of those.
    ///
    /// # Errors
    /// When they take too long, or there is no thread to be had.
    pub fn come(
        edge: SocketAddr,
        [sessions, relays]: [usize; 2],
        every: Duration,
    ) -> Result<(Self, Vec<String>)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let noticed = Arc::<Mutex<Noticed>>::default();
        let (stop, stopped) = oneshot::channel::<()>();
        let (told, joined) = mpsc::channel();
        let kept = Arc::clone(&noticed);
        let thread = std::thread::Builder::new().name("players".to_owned()).spawn(move || {
            let ways = [(Way::Session, sessions), (Way::Relay, relays)];
            let ways = ways.into_iter().flat_map(|(way, count)| std::iter::repeat_n(way, count));
            let party = Party { edge, every, noticed: kept };
            runtime.block_on(async {
                tokio::select! {
                    // Whether it is told or dropped, it is over.
                    _ = stopped => {}
                    () = party.play(ways.collect(), told) => {}
                }
            });
        })?;
        let players = Self { noticed, stop: Some(stop), thread: Some(thread) };
        let turned_away = joined.recv_timeout(PATIENCE).context("players take too long to join")?;
        Ok((players, turned_away))
    }

    /// What they noticed since this was last asked.
    #[must_use]
    pub fn take(&self) -> Noticed {
        std::mem::take(&mut *lock(&self.noticed))
    }
}

impl Drop for Players {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("players don't panic");
        }
    }
}

fn lock(noticed: &Mutex<Noticed>) -> MutexGuard<'_, Noticed> {
    noticed.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Party {
    edge: SocketAddr,
    every: Duration,
    noticed: Arc<Mutex<Noticed>>,
}

impl Party {
    /// Has all of them join, tells who didn't get in, and plays on.
    async fn play(&self, ways: Vec<Way>, joined: mpsc::Sender<Vec<String>>) {
        let (count, mut in_play) = (ways.len(), Vec::with_capacity(ways.len()));
        let (mut joining, mut turned_away) = (JoinSet::new(), Vec::new());
        let mut left = ways.into_iter().enumerate();
        loop {
            while joining.len() < AT_ONCE
                && let Some((number, way)) = left.next()
            {
                joining.spawn(timeout(PATIENCE, join(self.edge, number, way)));
            }
            match joining.join_next().await {
                None => break,
                Some(Ok(Ok(Ok(player)))) => in_play.push(player),
                Some(Ok(Ok(Err(miss)))) => turned_away.push(format!("{miss:?}")),
                Some(Ok(Err(_)) | Err(_)) => turned_away.push("nothing came".to_owned()),
            }
        }
        let start = Instant::now();
        let mut playing = JoinSet::new();
        for (place, mut player) in in_play.into_iter().enumerate() {
            let (noticed, every) = (Arc::clone(&self.noticed), self.every);
            let first = start + every.mul_f64(place as f64 / count as f64);
            playing.spawn(async move {
                let Err(miss) = player.play(first, every, &noticed).await;
                let said = format!("player {} ({}): {miss:?}", player.number, player.way.name());
                lock(&noticed).lost.push(said);
            });
        }
        // Whoever waits for it may have lost patience.
        let _ = joined.send(turned_away);
        while playing.join_next().await.is_some() {}
    }
}

/// A player in play.
struct Player {
    number: usize,
    way: Way,
    wire: Wire,
    said: u64,
    heard: u64,
}

async fn join(edge: SocketAddr, number: usize, way: Way) -> Result<Player, Miss> {
    // Some hundreds at each address.
    let from = IpAddr::from(Ipv4Addr::new(127, 2, (number / 500) as u8, 1));
    let mut wire = Wire::open(from, edge).await?;
    let host = if way == Way::Session { SESSIONS } else { RELAY };
    let first = joining(host, &format!("Player_{number}"));
    wire.raw(&first).await?;
    match way {
        Way::Session => {
            wire.hear_packet::<LoginSuccess>().await?;
            wire.say(&LoginAcknowledged {}).await?;
            wire.pass_until::<FinishConfiguration>().await?;
            wire.say_kind(State::Configuration, Kind::FinishConfiguration, |_| ()).await?;
        }
        Way::Relay => {
            let mut heard = vec![0; first.len()];
            wire.exactly(&mut heard).await?;
            if heard != first {
                return Err(Miss::Failed("the target hears something else".to_owned()));
            }
        }
    }
    Ok(Player { number, way, wire, said: 0, heard: 0 })
}

impl Player {
    /// Says and hears until something is wrong.
    async fn play(
        &mut self,
        first: Instant,
        every: Duration,
        noticed: &Mutex<Noticed>,
    ) -> Result<std::convert::Infallible, Miss> {
        let epoch = first;
        let mut tick = interval_at(first, every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        loop {
            tokio::select! {
                due = tick.tick() => {
                    let body = self.mark(due.duration_since(epoch));
                    self.said += 1;
                    self.wire.say_body(&body).await?;
                }
                filled = self.wire.fill() => {
                    filled?;
                    self.hear_all(epoch, noticed)?;
                }
            }
        }
    }

    /// The next packet, which was due then.
    fn mark(&self, due: Duration) -> Vec<u8> {
        let nanoseconds = u64::try_from(due.as_nanos()).unwrap_or(u64::MAX);
        let mut data = [self.number as u64, self.said, nanoseconds].map(u64::to_be_bytes).concat();
        data.resize(SIZE, self.said as u8);
        let mut body = Vec::with_capacity(SIZE + 32);
        let payload = CustomPayload { channel: CHANNEL, data: &data };
        // The version has plugin messages.
        let _ = payload.write(VERSION, State::Play, Direction::Serverbound, &mut body);
        body
    }

    fn hear_all(&mut self, epoch: Instant, noticed: &Mutex<Noticed>) -> Result<(), Miss> {
        let now = epoch.elapsed();
        // A relay's target says the very bytes.
        let direction = if self.way == Way::Relay { Direction::Serverbound } else { Direction::Clientbound };
        let id = drawbridge_protocol::ids::id(VERSION, State::Play, direction, Kind::CustomPayload);
        while let Some(mark) = self.wire.next(|packet| {
            if Some(packet.id) != id {
                return None;
            }
            let payload = CustomPayload::read(VERSION, packet.fields).ok()?;
            (payload.channel == CHANNEL).then(|| payload.data.to_vec())
        })? {
            let Some(mark) = mark else { continue };
            let due = self.judge(&mark)?;
            lock(noticed).took[self.way as usize].push(now.saturating_sub(due));
        }
        Ok(())
    }

    /// When a packet was due that came back in its turn.
    fn judge(&mut self, mark: &[u8]) -> Result<Duration, Miss> {
        let mut words =
            mark.chunks_exact(8).map(|word| word.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)));
        let (number, sequence, due) = (words.next(), words.next(), words.next().unwrap_or_default());
        let expected = self.heard;
        self.heard += 1;
        let is_whole = mark.len() == SIZE && mark[24..].iter().all(|&byte| byte == expected as u8);
        if number == Some(self.number as u64) && sequence == Some(expected) && is_whole {
            return Ok(Duration::from_nanos(due));
        }
        Err(Miss::Failed(format!(
            "packet {sequence:?} of {number:?}, whole: {is_whole}, where {expected} was due"
        )))
    }
}

/// Whether nobody has lost anything.
///
/// # Errors
/// When somebody has.
pub fn all_sound(noticed: &Noticed) -> Result<()> {
    match noticed.lost.first() {
        None => Ok(()),
        Some(first) => bail!("{} players lost something; {first}", noticed.lost.len()),
    }
}
