//! Relays that do nothing else: one thread, epoll, and either a buffer or a pipe for each direction. Edge-triggered, so that what flows costs
//! no further system call; the half that every relay has to do anyway.

use super::GREETING;
use anyhow::{Context as _, Result};
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;

/// How bytes are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Copy,
    Splice,
}

/// What is copied at once.
const BUFFER: usize = 64 * 1024;
/// What a pipe holds: as much as Linux lets everybody have.
const PIPE: usize = 1024 * 1024;

/// One direction.
struct Flow {
    /// What was read and couldn't be written.
    kept: Vec<u8>,
    pipe: Option<(OwnedFd, OwnedFd)>,
    in_pipe: usize,
    ended: bool,
    over: bool,
}

/// A client, its target, and both directions.
struct Pair {
    ends: [TcpStream; 2],
    flows: [Flow; 2],
}

/// Relays all who come to `target`, for ever.
///
/// # Errors
/// When it can't listen or accept.
pub(crate) fn serve(way: Way, target: SocketAddr) -> Result<()> {
    crate::process::die_with_parent()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let poller = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&poller, &listener, EventData::new_u64(u64::MAX), EventFlags::IN)?;
    eprintln!("listening {}", listener.local_addr()?);
    let mut pairs: Vec<Option<Pair>> = Vec::new();
    let mut buffer = vec![0; BUFFER];
    let mut events = Vec::with_capacity(256);
    loop {
        events.clear();
        match epoll::wait(&poller, rustix::buffer::spare_capacity(&mut events), None) {
            Err(Errno::INTR) => continue,
            other => drop(other.context("the poller failed")?),
        }
        for event in &events {
            let token = event.data.u64();
            if token == u64::MAX {
                while let Ok((client, _)) = listener.accept() {
                    let pair = Pair::new(client, target, way)?;
                    for end in &pair.ends {
                        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
                        epoll::add(&poller, end, EventData::new_u64(pairs.len() as u64), flags)?;
                    }
                    pairs.push(Some(pair));
                }
            } else if let Some(place) = pairs.get_mut(usize::try_from(token)?)
                && let Some(pair) = place
                && pair.carry(&mut buffer)
            {
                *place = None;
            }
        }
    }
}

impl Pair {
    fn new(client: TcpStream, target: SocketAddr, way: Way) -> Result<Self> {
        let target = TcpStream::connect(target)?;
        for stream in [&client, &target] {
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
        }
        let flow = || -> Result<Flow> {
            let pipe = match way {
                Way::Copy => None,
                Way::Splice => {
                    let ends = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
                    let _ = fcntl_setpipe_size(&ends.1, PIPE);
                    Some(ends)
                }
            };
            Ok(Flow { kept: Vec::new(), pipe, in_pipe: 0, ended: false, over: false })
        };
        Ok(Self { ends: [client, target], flows: [flow()?, flow()?] })
    }

    /// Carries what there is; whether both directions are over.
    fn carry(&mut self, buffer: &mut [u8]) -> bool {
        let [client, target] = &self.ends;
        let [up, down] = &mut self.flows;
        up.carry(client, target, buffer);
        down.carry(target, client, buffer);
        up.over && down.over
    }
}

impl Flow {
    fn carry(&mut self, from: &TcpStream, to: &TcpStream, buffer: &mut [u8]) {
        while !self.over {
            let step = if self.pipe.is_some() { self.splice(from, to) } else { self.copy(from, to, buffer) };
            match step {
                Ok(()) if self.ended => {
                    let _ = to.shutdown(Shutdown::Write);
                    self.over = true;
                }
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.over = true,
            }
        }
    }

    fn copy(&mut self, mut from: &TcpStream, mut to: &TcpStream, buffer: &mut [u8]) -> io::Result<()> {
        while !self.kept.is_empty() {
            let written = to.write(&self.kept)?;
            self.kept.drain(..written);
        }
        let read = from.read(buffer)?;
        self.ended = read == 0;
        let mut rest = &buffer[..read];
        while !rest.is_empty() {
            match to.write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) => {
                    self.kept = rest.to_vec();
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn splice(&mut self, from: &TcpStream, to: &TcpStream) -> io::Result<()> {
        let Some((read, write)) = &self.pipe else { return Ok(()) };
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        while self.in_pipe > 0 {
            self.in_pipe -= splice(read, None, to, None, self.in_pipe, flags)?;
        }
        self.in_pipe = splice(from, None, write, None, PIPE, flags)?;
        self.ended = self.in_pipe == 0;
        Ok(())
    }
}

/// What a target says before anything else, so that the edge knows that somebody is there.
pub(crate) fn greet(mut stream: &TcpStream) -> Result<()> {
    // The handshake and what follows it come in one piece or two; what is there is enough.
    let read = stream.read(&mut [0; 512])?;
    anyhow::ensure!(read > 0, "a relay hung up");
    stream.write_all(GREETING)?;
    Ok(())
}
