//! A wire between two peers that does what networks and peers do to what is said: it comes late, in drops, not at all, or breaks off.
//!
//! A [`Wire`] listens in the place of somebody else, and each connection to it leads to them. What becomes of what is said each way is told
//! while the test runs, and counts for connections under way and for those that come.
//!
//! What must stay true: no byte is changed, and none overtakes another; what isn't told to break stays open, and an end that one side says
//! comes to the other behind all that it has said.

mod pump;

use pump::pump;
use socket2::{Domain, SockRef, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// So many may call at the same moment.
const BACKLOG: i32 = 1_024;
/// How long both sides of a connection that was closed are listened to, so that no reset takes what they were told last.
const GOODBYE: Duration = Duration::from_secs(2);

/// What becomes of what is said one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// It goes on as it comes.
    Free,
    /// It goes on so much later.
    Late(Duration),
    /// So many bytes at most go on at a time, and the next so much later.
    Trickles {
        /// How many.
        bytes: usize,
        /// How much later; zero: each by itself, and as fast as they go.
        every: Duration,
    },
    /// So many bytes go on; then nothing is taken and nothing given, until something else is told.
    Stalls {
        /// How many of each connection, counted from when this was told, or from its beginning.
        after: u64,
    },
    /// All is taken and nothing given. What was taken so is gone for good.
    Vanishes,
    /// So many bytes go on; then the connection is broken, both ways.
    Breaks {
        /// How many of each connection, counted from when this was told, or from its beginning.
        after: u64,
        /// How.
        by: Cut,
    },
}

impl Flow {
    /// Nothing is taken and nothing given.
    pub const STALLED: Self = Self::Stalls { after: 0 };
}

/// How a connection is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Each side is told that nothing more comes, in the middle of whatever the other was saying.
    Close,
    /// Each side is told that the connection is no more: a reset, which may take what came before along.
    Reset,
}

/// What becomes of whoever calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// They are connected.
    Open,
    /// They are refused.
    Shut,
    /// They are accepted and hear nothing; when the door opens they are connected.
    Silent,
}

/// A wire to somebody; until it is dropped, which breaks all of its connections.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    ends: Arc<Ends>,
    /// Keeps the port, and accepts while the door isn't shut.
    door: Mutex<Porch>,
    runtime: Option<Runtime>,
}

/// What all of a wire's connections go by.
#[derive(Debug)]
struct Ends {
    to: SocketAddr,
    there: Way,
    back: Way,
    cut: watch::Sender<Cut>,
    silent: watch::Sender<bool>,
    came: AtomicUsize,
    open: AtomicUsize,
}

/// One of both ways.
#[derive(Debug)]
struct Way {
    flow: watch::Sender<Flow>,
    carried: AtomicU64,
    lost: AtomicU64,
}

#[derive(Debug)]
enum Porch {
    /// A port that nobody listens at.
    Shut(Socket),
    Accepting(JoinHandle<()>),
}

impl Wire {
    /// A wire to an address, on a free port of 127.0.0.1, on which all flows.
    ///
    /// # Errors
    /// When it can't listen, or has no thread to run on.
    pub fn to(to: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        // From here on: before, the system might give it a port that somebody else has with the same option.
        socket.set_reuse_address(true)?;
        let address = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
        let way = || Way {
            flow: watch::Sender::new(Flow::Free),
            carried: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        };
        let ends = Ends {
            to,
            there: way(),
            back: way(),
            cut: watch::Sender::new(Cut::Close),
            silent: watch::Sender::new(false),
            came: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
        };
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).thread_name("wire").enable_all().build()?;
        let wire = Self {
            address,
            ends: Arc::new(ends),
            door: Mutex::new(Porch::Shut(socket)),
            runtime: Some(runtime),
        };
        wire.door(Door::Open)?;
        Ok(wire)
    }

    /// Where it listens, also while its door is shut.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What becomes from now on of what those say who call.
    pub fn there(&self, flow: Flow) {
        self.ends.there.flow.send_replace(flow);
    }

    /// What becomes from now on of what they are answered.
    pub fn back(&self, flow: Flow) {
        self.ends.back.flow.send_replace(flow);
    }

    /// The same of both.
    pub fn both(&self, flow: Flow) {
        self.there(flow);
        self.back(flow);
    }

    /// Breaks all connections.
    pub fn cut(&self, how: Cut) {
        self.ends.cut.send_replace(how);
    }

    /// What becomes from now on of whoever calls. Connections under way go on.
    ///
    /// # Errors
    /// When it can't listen any more.
    pub fn door(&self, door: Door) -> io::Result<()> {
        let mut porch = self.porch();
        self.ends.silent.send_replace(door == Door::Silent);
        let Some(runtime) = &self.runtime else { return Ok(()) };
        match (&mut *porch, door) {
            (Porch::Shut(socket), Door::Open | Door::Silent) => {
                socket.listen(BACKLOG)?;
                let listener: std::net::TcpListener = socket.try_clone()?.into();
                listener.set_nonblocking(true)?;
                let _in_runtime = runtime.enter();
                let listener = TcpListener::from_std(listener)?;
                *porch = Porch::Accepting(runtime.spawn(accept(listener, Arc::clone(&self.ends))));
            }
            (Porch::Accepting(accepting), Door::Shut) => {
                accepting.abort();
                // It has ended by being aborted, which is what was wanted.
                let _ = runtime.block_on(accepting);
                *porch = Porch::Shut(port(self.address)?);
            }
            (Porch::Shut(_), Door::Shut) | (Porch::Accepting(_), Door::Open | Door::Silent) => {}
        }
        Ok(())
    }

    /// How many have called, and were let in.
    #[must_use]
    pub fn came(&self) -> usize {
        self.ends.came.load(Ordering::SeqCst)
    }

    /// How many connections there are.
    #[must_use]
    pub fn open(&self) -> usize {
        self.ends.open.load(Ordering::SeqCst)
    }

    /// How many bytes have gone there, and back, on all connections so far.
    #[must_use]
    pub fn carried(&self) -> (u64, u64) {
        let Ends { there, back, .. } = &*self.ends;
        (there.carried.load(Ordering::SeqCst), back.carried.load(Ordering::SeqCst))
    }

    /// How many bytes have vanished there, and back, of all connections so far.
    #[must_use]
    pub fn lost(&self) -> (u64, u64) {
        let Ends { there, back, .. } = &*self.ends;
        (there.lost.load(Ordering::SeqCst), back.lost.load(Ordering::SeqCst))
    }

    fn porch(&self) -> MutexGuard<'_, Porch> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Takes a port again, and doesn't listen at it yet.
fn port(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the runtime is the wire's own, and ends all of them with itself"
)]
async fn accept(listener: TcpListener, ends: Arc<Ends>) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            ends.came.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(connect(stream, Arc::clone(&ends)));
        }
    }
}

/// Counts a connection while it is there.
struct Present<'a>(&'a AtomicUsize);

impl<'a> Present<'a> {
    fn count(open: &'a AtomicUsize) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        Self(open)
    }
}

impl Drop for Present<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A connection, from its call to its end.
async fn connect(caller: TcpStream, ends: Arc<Ends>) {
    let _present = Present::count(&ends.open);
    let mut cut = ends.cut.subscribe();
    let mut silent = ends.silent.subscribe();
    let told = tokio::select! {
        // The sender is in `ends`.
        _ = silent.wait_for(|silent| !silent) => None,
        _ = cut.changed() => Some(*cut.borrow()),
    };
    if let Some(how) = told {
        return end(&[&caller], how).await;
    }
    let Ok(called) = TcpStream::connect(ends.to).await else { return end(&[&caller], Cut::Reset).await };
    // Each drop is to be one on the way.
    let _ = caller.set_nodelay(true).and_then(|()| called.set_nodelay(true));
    let there = pump(&caller, &called, &ends.there);
    let back = pump(&called, &caller, &ends.back);
    let both = async { tokio::try_join!(there, back) };
    let how = tokio::select! {
        over = both => over.err(),
        _ = cut.changed() => Some(*cut.borrow()),
    };
    if let Some(how) = how {
        end(&[&caller, &called], how).await;
    }
}

/// Breaks a connection. Who is gone already can't be told.
async fn end(sides: &[&TcpStream], how: Cut) {
    if how == Cut::Reset {
        for side in sides {
            let _ = SockRef::from(*side).set_linger(Some(Duration::ZERO));
        }
        return;
    }
    for side in sides {
        let _ = SockRef::from(*side).shutdown(Shutdown::Write);
    }
    for side in sides {
        let _ = timeout(GOODBYE, pump::drain(side)).await;
    }
}

#[cfg(test)]
mod tests;
