//! Opening the addresses that players knock at.
//!
//! On Linux every reactor gets a listener of its own per address (`SO_REUSEPORT`), among which the kernel spreads the
//! connections. The first is bound *without* that option, which it only gets once it listens: so a second instance of the
//! program, which starts the same way, is refused the address instead of silently taking half of the players. Elsewhere the
//! option doesn't spread connections, and one thread serves one listener per address.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use listenfd::ListenFd;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::networks::canonical;

/// Connections that may wait to be accepted, per listener; the system has a bound of its own (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// Why an address can't be listened on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Nothing to bind.
    #[error("no address to listen on: name one in `bind`")]
    NoAddress,
    /// Another process listens there, perhaps another edge.
    #[error(
        "{address} is in use by another program: end that, if it is an edge too, or name another address in `bind`"
    )]
    InUse {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The process may not bind it: on Unix, ports below 1024 need a privilege.
    #[error(
        "{address} can't be bound without more privileges: name a port above 1023 in `bind`, or give the program CAP_NET_BIND_SERVICE"
    )]
    NotPermitted {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The machine doesn't have this address.
    #[error(
        "{address} is not an address of this machine: name one that is in `bind`, or [::] for all of them"
    )]
    NotAvailable {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What the system's service manager passed isn't a listening TCP socket.
    #[error("socket {index} of those that were passed (LISTEN_FDS) can't be listened on")]
    Passed {
        /// Which one, from 0.
        index: usize,
        /// What is wrong with it.
        #[source]
        source: io::Error,
    },
    /// Anything else.
    #[error("{address} can't be listened on: {source}")]
    Io {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl BindError {
    fn new(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::InUse { address, source },
            io::ErrorKind::PermissionDenied => Self::NotPermitted { address, source },
            io::ErrorKind::AddrNotAvailable => Self::NotAvailable { address, source },
            _ => Self::Io { address, source },
        }
    }
}

/// Opens addresses: see [`Listener::bind`].
#[derive(Debug)]
pub struct Listener;

impl Listener {
    /// Binds `addresses` and listens on them, with `threads` listeners each; 0 threads: one per core.
    ///
    /// `[::]` is dual-stack: it takes IPv4 too, so `0.0.0.0` with the same port beside it is left out; on a machine without
    /// IPv6 it becomes `0.0.0.0`. With port 0 the system chooses one, the same for all threads. Connections are taken in by
    /// the system from now on, and accepted by [`Bound::serve`].
    ///
    /// # Errors
    /// When one of the addresses can't be bound; none is held then.
    pub fn bind(addresses: &[SocketAddr], threads: usize) -> Result<Bound, BindError> {
        if addresses.is_empty() {
            return Err(BindError::NoAddress);
        }
        let mut bound = Bound::empty(threads);
        let addresses: Vec<_> = addresses.iter().copied().map(canonical).collect();
        for (index, address) in addresses.iter().enumerate() {
            if address.port() != 0 && (addresses[..index].contains(address) || covered(*address, &addresses))
            {
                tracing::debug!(%address, "already covered by another address");
            } else {
                bound.open(*address)?;
            }
        }
        Ok(bound)
    }
}

impl Listener {
    /// The sockets that a service manager passed by systemd's protocol (`LISTEN_FDS`, sd_listen_fds(3)), for as many threads; `None`
    /// where it passed none. They can be taken once in a process.
    ///
    /// All threads accept from the same queue, since the sockets of a group can't be made from one that is there: the first to
    /// be woken takes a connection.
    ///
    /// # Errors
    /// When one of them isn't a TCP socket.
    pub fn passed(threads: usize) -> Result<Option<Bound>, BindError> {
        let mut passed = ListenFd::from_env();
        if passed.len() == 0 {
            return Ok(None);
        }
        let mut bound = Bound::empty(threads);
        for index in 0..passed.len() {
            let error = |source| BindError::Passed { index, source };
            let listener = passed.take_tcp_listener(index).map_err(error)?;
            let listener = listener.ok_or_else(|| error(io::ErrorKind::NotFound.into()))?;
            bound.share(&listener).map_err(error)?;
        }
        Ok(Some(bound))
    }
}

/// Whether a dual-stack address among `all` takes the connections to `address` anyway.
fn covered(address: SocketAddr, all: &[SocketAddr]) -> bool {
    let any_v6 =
        |other: &SocketAddr| other.is_ipv6() && other.ip().is_unspecified() && other.port() == address.port();
    address.is_ipv4() && address.ip().is_unspecified() && all.iter().any(any_v6)
}

/// Listening sockets, not yet accepted from.
#[derive(Debug)]
pub struct Bound {
    /// Per thread one listener per address.
    threads: Vec<Vec<TcpListener>>,
    addresses: Vec<SocketAddr>,
}

impl Bound {
    /// The addresses listened on, with the port that the system chose where 0 was asked for.
    #[must_use]
    pub fn local_addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Listeners made otherwise, for one thread.
    #[cfg(test)]
    pub(crate) fn of(listener: TcpListener) -> Self {
        Self { addresses: vec![listener.local_addr().unwrap()], threads: vec![vec![listener]] }
    }

    pub(crate) fn into_threads(self) -> Vec<Vec<TcpListener>> {
        self.threads
    }

    fn empty(threads: usize) -> Self {
        let threads = if !cfg!(target_os = "linux") {
            1
        } else if threads == 0 {
            std::thread::available_parallelism().map_or(1, usize::from)
        } else {
            threads
        };
        let mut bound = Self { threads: Vec::new(), addresses: Vec::new() };
        bound.threads.resize_with(threads, Vec::new);
        bound
    }

    /// Has every thread accept from `listener`.
    fn share(&mut self, listener: &TcpListener) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        SockRef::from(listener).set_tcp_nodelay(true)?;
        self.addresses.push(listener.local_addr()?);
        for listeners in &mut self.threads {
            listeners.push(listener.try_clone()?);
        }
        Ok(())
    }

    fn open(&mut self, asked: SocketAddr) -> Result<(), BindError> {
        let (first, address) = match first(asked) {
            Err(error) if asked.is_ipv6() && asked.ip().is_unspecified() && no_ipv6(&error) => {
                let fallback = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), asked.port());
                tracing::warn!(%asked, %fallback, %error, "no IPv6 here: listening on IPv4 alone");
                (first(fallback), fallback)
            }
            other => (other, asked),
        };
        let error = |source| BindError::new(address, source);
        let first = first.map_err(error)?;
        // The system told the address in the form that it was given: an internet one.
        let local = first.local_addr().map_err(error)?.as_socket().unwrap_or(address);
        for listeners in self.threads.iter_mut().skip(1) {
            listeners.push(another(local).map_err(error)?.into());
        }
        if let Some(listeners) = self.threads.first_mut() {
            listeners.push(first.into());
        }
        self.addresses.push(local);
        Ok(())
    }
}

/// The first listener on an address, which nobody else may listen on.
fn first(address: SocketAddr) -> io::Result<Socket> {
    let socket = socket(address)?;
    listen(&socket, address)?;
    // Linux looks at the option as it is when another socket is bound, and forms the group then.
    #[cfg(target_os = "linux")]
    socket.set_reuse_port(true)?;
    Ok(socket)
}

/// A further listener on the address of the first.
#[cfg(target_os = "linux")]
fn another(address: SocketAddr) -> io::Result<Socket> {
    let socket = socket(address)?;
    socket.set_reuse_port(true)?;
    listen(&socket, address)?;
    Ok(socket)
}

/// There is one thread only, so none is asked for.
#[cfg(not(target_os = "linux"))]
fn another(_: SocketAddr) -> io::Result<Socket> {
    Err(io::ErrorKind::Unsupported.into())
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    // Accepted sockets have it from their listener on Linux, which spares a system call each.
    socket.set_tcp_nodelay(true)?;
    // Connections of an earlier run may still be closing. On Windows the option would mean something else: anybody could
    // take the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    Ok(socket)
}

fn listen(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)
}

/// Whether an error of opening `[::]` means that the machine doesn't speak IPv6.
fn no_ipv6(error: &io::Error) -> bool {
    #[cfg(unix)]
    if rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::AFNOSUPPORT) {
        return true;
    }
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_the_unspecified_ipv6_address_is_dual_stack() {
        assert!(!socket(address("[::]:0")).unwrap().only_v6().unwrap());
        assert!(socket(address("[::1]:0")).unwrap().only_v6().unwrap());
    }

    /// Accepted sockets have it from there, or are given it.
    #[test]
    fn listeners_send_small_packets_at_once() {
        assert!(socket(address("127.0.0.1:0")).unwrap().tcp_nodelay().unwrap());
    }

    #[test]
    fn any_ipv6_address_covers_any_ipv4_address_of_its_port() {
        let any = address("0.0.0.0:25565");
        assert!(covered(any, &[any, address("[::]:25565")]));
        assert!(!covered(any, &[any, address("[::]:25566")]));
        assert!(!covered(any, &[any, address("[::1]:25565")]));
        assert!(!covered(address("127.0.0.1:25565"), &[address("[::]:25565")]));
    }

    #[test]
    fn says_what_is_wrong_with_an_address() {
        let said = |kind: io::ErrorKind| BindError::new(address("192.0.2.1:25565"), kind.into()).to_string();
        for (kind, wrong) in [
            (io::ErrorKind::AddrInUse, "192.0.2.1:25565 is in use by another program: "),
            (io::ErrorKind::AddrNotAvailable, "192.0.2.1:25565 is not an address of this machine: "),
            (io::ErrorKind::PermissionDenied, "192.0.2.1:25565 can't be bound without more privileges: "),
        ] {
            let (said, remedy) = (said(kind), "in `bind`");
            assert!(said.starts_with(wrong) && said.contains(remedy), "{said}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn falls_back_to_ipv4_only_where_there_is_no_ipv6() {
        use rustix::io::Errno;
        assert!(no_ipv6(&Errno::AFNOSUPPORT.into()));
        assert!(no_ipv6(&Errno::ADDRNOTAVAIL.into()));
        assert!(!no_ipv6(&Errno::ADDRINUSE.into()));
        assert!(!no_ipv6(&Errno::ACCESS.into()));
    }
}
