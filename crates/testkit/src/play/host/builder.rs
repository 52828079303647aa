//! How a host is to be.

use super::{Book, Host, House, Misdeed, Traffic, listen};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How a host is to be.
#[derive(Debug, Clone)]
pub struct HostBuilder {
    pub(super) number: u16,
    pub(super) compression: Option<usize>,
    pub(super) secret: Option<Vec<u8>>,
    pub(super) takes_transfers: bool,
    pub(super) shakes_hands: bool,
    pub(super) beat: Duration,
    pub(super) traffic: Traffic,
    pub(super) misdeeds: Vec<Misdeed>,
}

impl HostBuilder {
    pub(super) const fn new(number: u16) -> Self {
        Self {
            number,
            compression: None,
            secret: None,
            takes_transfers: false,
            shakes_hands: false,
            beat: Duration::from_secs(2),
            traffic: Traffic::QUIET,
            misdeeds: Vec::new(),
        }
    }

    /// Compresses packets of at least so many bytes; none otherwise.
    #[must_use]
    pub fn compress(self, threshold: usize) -> Self {
        Self { compression: Some(threshold), ..self }
    }

    /// Asks who the player is by Velocity's forwarding with this secret (since 393), and lets nobody in without.
    #[must_use]
    pub fn velocity(self, secret: &[u8]) -> Self {
        Self { secret: Some(secret.to_vec()), ..self }
    }

    /// Lets players in who say that they come by a Transfer packet, as a server with `accepts-transfers`.
    #[must_use]
    pub fn takes_transfers(self) -> Self {
        Self { takes_transfers: true, ..self }
    }

    /// Shakes hands with players whose host says that they have Forge of 1.7 to 1.12.
    #[must_use]
    pub fn shakes_hands(self) -> Self {
        Self { shakes_hands: true, ..self }
    }

    /// How long after an answer the next keep-alive is said; 2 s otherwise.
    #[must_use]
    pub fn beat(self, beat: Duration) -> Self {
        Self { beat, ..self }
    }

    /// What it pushes from the start; nothing otherwise.
    #[must_use]
    pub fn pushes(self, traffic: Traffic) -> Self {
        Self { traffic, ..self }
    }

    /// Departs from what a server does; may be said several times.
    #[must_use]
    pub fn but(mut self, misdeed: Misdeed) -> Self {
        self.misdeeds.push(misdeed);
        self
    }

    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When it can't listen, or has no thread to run on.
    pub fn start(self) -> io::Result<Host> {
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).thread_name("host").enable_all().build()?;
        let book = Book { traffic: self.traffic, ..Book::default() };
        let house = Arc::new(House { rules: self, book: Mutex::new(book) });
        let host = Host { address, house, accepting: Mutex::new(None), runtime: Some(runtime) };
        host.accept(listener)?;
        Ok(host)
    }
}
