//! One thread, one epoll, and no more system calls than a ping needs this way: accept, register, read, write, read, write, read
//! the end, close.

use super::{Answer, announce, answer, listen};
use anyhow::Result;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::{AsRawFd as _, OwnedFd};
use rustix::io::Errno;
use rustix::net::SocketFlags;
use std::net::TcpListener;
use std::path::Path;

/// Stands for the listener among the events.
const LISTENER: u64 = u64::MAX;

#[derive(Debug)]
struct Connection {
    socket: OwnedFd,
    received: Vec<u8>,
    greeted: bool,
}

/// Serves for ever.
///
/// # Errors
/// When it can't be set up, or accepting fails.
pub(crate) fn serve(status: &Path) -> Result<()> {
    let status = std::fs::read(status)?;
    let listener = listen()?;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    announce(&listener)?;

    // By descriptor.
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut events = Vec::with_capacity(64);
    let mut buffer = [0; 1024];
    loop {
        epoll::wait(&epoll, spare_capacity(&mut events), None)?;
        for event in events.drain(..) {
            let data = event.data;
            if data.u64() == LISTENER {
                // One at a time: epoll says it again when more wait, which costs no call of its own.
                accept(&listener, &epoll, &mut connections)?;
                continue;
            }
            let index = usize::try_from(data.u64())?;
            if let Some(connection) = &mut connections[index]
                && !connection.advance(&status, &mut buffer)
            {
                connections[index] = None;
            }
        }
    }
}

fn accept(listener: &TcpListener, epoll: &OwnedFd, connections: &mut Vec<Option<Connection>>) -> Result<()> {
    let socket = match rustix::net::accept_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
        Ok(socket) => socket,
        Err(Errno::AGAIN | Errno::CONNABORTED | Errno::INTR) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let index = usize::try_from(socket.as_raw_fd())?;
    epoll::add(epoll, &socket, EventData::new_u64(index as u64), EventFlags::IN)?;
    if connections.len() <= index {
        connections.resize_with(index + 1, || None);
    }
    connections[index] = Some(Connection { socket, received: Vec::new(), greeted: false });
    Ok(())
}

impl Connection {
    /// Reads and answers once; whether the connection goes on.
    fn advance(&mut self, status: &[u8], buffer: &mut [u8]) -> bool {
        let read = match rustix::io::read(&self.socket, &mut *buffer) {
            Ok(read) => read,
            Err(Errno::AGAIN | Errno::INTR) => return true,
            Err(_) => return false,
        };
        if read == 0 {
            return false;
        }
        let whole = self.received.is_empty();
        if !whole {
            self.received.extend_from_slice(&buffer[..read]);
        }
        let received = if whole { &buffer[..read] } else { &self.received };
        let bytes = match answer(received, self.greeted) {
            Answer::Wait => {
                if whole {
                    self.received.extend_from_slice(&buffer[..read]);
                }
                return true;
            }
            Answer::Status => status,
            Answer::Pong(pong) => pong,
            Answer::Refuse => return false,
        };
        // Answers of this size fit a fresh socket's buffer; who lets it fill up isn't a ping's client.
        let written = rustix::io::write(&self.socket, bytes) == Ok(bytes.len());
        self.greeted = true;
        self.received.clear();
        written
    }
}
