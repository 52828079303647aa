//! Strangers by the thousand, all with the same errand: at a rate, or so many at any time.
//!
//! At a rate, an errand counts from the moment at which it was due, so that a slow answer can't hide those behind it. What must stay true: no more
//! than [`MOST`] are under way at once; they come from addresses of 127.0.0.0/8; one thread makes all of them, named `flood`, so that what
//! they take of the cores can be told.

mod errand;

pub use errand::Errand;

use crate::wire::Miss;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// The most that are under way at once; what is due beyond that is counted as unsent.
pub const MOST: usize = 4_000;

/// Addresses that strangers come from in turn.
const ADDRESSES: u64 = 250 * 250;

/// How often it is looked what is due, at a high rate and at a low one.
const OFTEN: Duration = Duration::from_millis(1);
const SELDOM: Duration = Duration::from_millis(100);

/// When strangers come.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Pace {
    /// So many at any time, each as soon as the one before is done.
    AtOnce(usize),
    /// So many a second, whatever becomes of them.
    ASecond(f64),
}

/// What became of strangers.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Got what they came for.
    pub served: u64,
    /// Were closed on instead.
    pub refused: u64,
    /// Got no connection, something else, or nothing for as long as they waited.
    pub failed: u64,
    /// Never set out, since too many were under way.
    pub unsent: u64,
    /// How long it took those who were served.
    pub took: Vec<Duration>,
    /// What was wrong with the last one that failed.
    pub trouble: Option<String>,
}

impl Tally {
    /// Who didn't get what they came for.
    #[must_use]
    pub const fn missed(&self) -> u64 {
        self.refused + self.failed + self.unsent
    }
}

/// Strangers to come.
#[derive(Debug, Clone)]
pub struct FloodBuilder {
    errand: Errand,
    pace: Pace,
    host: String,
    from: From,
}

/// Where strangers come from.
#[derive(Debug, Clone, Copy)]
enum From {
    /// From all of 127.n.0.0/16 in turn.
    Net(u8),
    /// From this address.
    One(Ipv4Addr),
}

impl From {
    fn address(self, number: u64) -> IpAddr {
        match self {
            Self::One(address) => address.into(),
            Self::Net(net) => {
                let [high, low] = [number % ADDRESSES / 250, number % 250].map(|part| part as u8);
                Ipv4Addr::new(127, net, high, low + 1).into()
            }
        }
    }
}

/// Strangers who come until this is stopped or dropped.
#[derive(Debug)]
pub struct Flood {
    tally: Arc<Mutex<Tally>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FloodBuilder {
    /// The host that they type; `localhost` otherwise.
    #[must_use]
    pub fn host(self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self }
    }

    /// They come from 127.`net`.0.0/16; from 127.100.0.0/16 otherwise.
    #[must_use]
    pub fn net(self, net: u8) -> Self {
        Self { from: From::Net(net), ..self }
    }

    /// They all come from one address.
    #[must_use]
    pub fn from(self, address: Ipv4Addr) -> Self {
        Self { from: From::One(address), ..self }
    }

    /// So many a second.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn a_second(self, rate: f64, to: SocketAddr) -> io::Result<Flood> {
        Self { pace: Pace::ASecond(rate), ..self }.start(to)
    }

    /// So many at any time, as fast as they are served.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn at_once(self, count: usize, to: SocketAddr) -> io::Result<Flood> {
        Self { pace: Pace::AtOnce(count.min(MOST)), ..self }.start(to)
    }

    fn start(self, to: SocketAddr) -> io::Result<Flood> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let tally = Arc::<Mutex<Tally>>::default();
        let (stop, stopped) = oneshot::channel::<()>();
        let source =
            Source { errand: self.errand.ready(&self.host), to, from: self.from, tally: Arc::clone(&tally) };
        let pace = self.pace;
        let thread = std::thread::Builder::new().name("flood".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let source = Arc::new(source);
                tokio::select! {
                    // Whether it is told or dropped, it is over.
                    _ = stopped => {}
                    () = async { match pace {
                        Pace::AtOnce(count) => at_once(source, count).await,
                        Pace::ASecond(rate) => a_second(source, rate).await,
                    } } => {}
                }
            });
        })?;
        Ok(Flood { tally, stop: Some(stop), thread: Some(thread) })
    }
}

impl Flood {
    /// Strangers with this errand.
    #[must_use]
    pub fn of(errand: Errand) -> FloodBuilder {
        FloodBuilder { errand, pace: Pace::AtOnce(1), host: "localhost".to_owned(), from: From::Net(100) }
    }

    /// What became of them since this was last asked.
    #[must_use]
    pub fn take(&self) -> Tally {
        std::mem::take(&mut *self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has no more come; those under way are dropped.
    #[must_use]
    pub fn stop(mut self) -> Tally {
        self.end();
        self.take()
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("strangers don't panic");
        }
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whom strangers go to, and how.
struct Source {
    errand: errand::Ready,
    to: SocketAddr,
    from: From,
    tally: Arc<Mutex<Tally>>,
}

impl Source {
    /// The errand of one stranger, which was due at `due`.
    async fn send(&self, number: u64, due: Instant) {
        let errand = self.errand.run(self.from.address(number), self.to, number);
        let end = timeout(errand::PATIENCE, errand).await;
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        match end {
            Ok(Ok(())) => {
                tally.served += 1;
                tally.took.push(due.elapsed());
            }
            Ok(Err(Miss::Closed)) => tally.refused += 1,
            Ok(Err(Miss::Failed(why))) => {
                tally.failed += 1;
                tally.trouble = Some(why);
            }
            Err(_) => {
                tally.failed += 1;
                tally.trouble = Some("nothing came for too long".to_owned());
            }
        }
    }
}

async fn at_once(source: Arc<Source>, count: usize) {
    let mut lanes = JoinSet::new();
    for lane in 0..count as u64 {
        let source = Arc::clone(&source);
        lanes.spawn(async move {
            for number in (lane..).step_by(count) {
                source.send(number, Instant::now()).await;
            }
        });
    }
    while lanes.join_next().await.is_some() {}
}

async fn a_second(source: Arc<Source>, rate: f64) {
    let mut tick = interval(Duration::from_secs_f64(1.0 / rate).clamp(OFTEN, SELDOM));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let start = Instant::now();
    let (mut begun, mut under_way) = (0_u64, JoinSet::new());
    loop {
        tokio::select! {
            Some(_) = under_way.join_next() => {}
            _ = tick.tick() => {
                let due = (start.elapsed().as_secs_f64() * rate) as u64;
                while begun < due {
                    if under_way.len() >= MOST {
                        source.tally.lock().unwrap_or_else(PoisonError::into_inner).unsent += due - begun;
                        begun = due;
                        break;
                    }
                    let (source, number) = (Arc::clone(&source), begun);
                    let at = start + Duration::from_secs_f64(begun as f64 / rate);
                    under_way.spawn(async move { source.send(number, at).await });
                    begun += 1;
                }
            }
        }
    }
}
