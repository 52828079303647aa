//! Stands where players are sent to, and counts who comes.

use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A server that accepts connections and says nothing.
#[derive(Debug)]
pub struct Backend {
    address: SocketAddr,
    arrived: Arc<AtomicUsize>,
}

impl Backend {
    /// Listens on a free port of 127.0.0.1 until the test ends.
    ///
    /// # Errors
    /// When it can't listen.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let arrived = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&arrived);
        std::thread::spawn(move || {
            let mut open: Vec<TcpStream> = Vec::new();
            for stream in listener.incoming().flatten() {
                open.push(stream);
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Ok(Self { address, arrived })
    }

    /// An address of 127.0.0.1 that nobody listens at: a port that was free a moment ago.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn nobody() -> io::Result<SocketAddr> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has accepted.
    #[must_use]
    pub fn arrived(&self) -> usize {
        self.arrived.load(Ordering::SeqCst)
    }
}

/// Where everybody is refused, and which nobody else gets meanwhile.
#[derive(Debug)]
pub struct Closed(Socket);

impl Closed {
    /// Takes a free port of 127.0.0.1, and doesn't listen at it.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn start() -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        Ok(Self(socket))
    }

    /// Where it is.
    ///
    /// # Errors
    /// When the socket has no address any more.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }
}

/// Where nobody ever gets an answer: connecting to it takes for ever.
#[derive(Debug)]
pub struct Tarpit {
    listener: TcpListener,
    /// Those that fill its queue.
    _queue: Vec<TcpStream>,
}

impl Tarpit {
    /// Listens on a free port of 127.0.0.1 with a full queue.
    ///
    /// # Errors
    /// When it can't listen.
    pub fn start() -> io::Result<Self> {
        /// Who isn't let in within this time isn't let in at all.
        const LET_IN: Duration = Duration::from_millis(300);
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        socket.listen(0)?;
        let listener = TcpListener::from(socket);
        let address = listener.local_addr()?;
        let queue = std::iter::from_fn(|| TcpStream::connect_timeout(&address, LET_IN).ok()).collect();
        Ok(Self { listener, _queue: queue })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the socket has no address any more.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
