//! Pipes that splice(2) moves bytes through, shared by all pumps of a thread.
//!
//! What must stay true: a pipe that is given back is empty, so that nobody's bytes reach anybody else; both ends are closed in programs
//! that this one starts.

use mio::net::TcpStream;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with, splice};
use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;

/// How many bytes a pipe holds, where the system allows so many. Bulk costs a quarter less than by pipes of 256 KiB, since both peers are woken
/// less often. Linux gives a user 64 such pipes (`fs.pipe-user-pages-soft`), then smaller ones, and tiny ones in the end.
const SIZE: usize = 1024 * 1024;

/// With pipes smaller than this copying is cheaper.
const LEAST: usize = 64 * 1024;

/// The most pipes kept for later by a thread: a pump holds one only as long as its sink is behind.
const KEPT: usize = 4;

thread_local! {
    static PIPES: RefCell<Vec<Pipe>> = const { RefCell::new(Vec::new()) };
}

/// A pipe, and how many bytes are in it.
#[derive(Debug)]
pub(super) struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
    held: usize,
}

/// An empty pipe.
///
/// # Errors
/// When the system gives none, or a tiny one.
pub(super) fn take() -> io::Result<Pipe> {
    if let Some(pipe) = PIPES.with_borrow_mut(Vec::pop) {
        return Ok(pipe);
    }
    let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    if fcntl_setpipe_size(&write, SIZE).is_err() && fcntl_getpipe_size(&write)? < LEAST {
        return Err(io::ErrorKind::QuotaExceeded.into());
    }
    Ok(Pipe { read, write, held: 0 })
}

/// Keeps a pipe for later, if it is empty.
pub(super) fn give_back(pipe: Pipe) {
    PIPES.with_borrow_mut(|pipes| {
        if pipe.held == 0 && pipes.len() < KEPT {
            pipes.push(pipe);
        }
    });
}

impl Pipe {
    /// How many bytes are in it.
    pub(super) const fn held(&self) -> usize {
        self.held
    }

    /// Takes what a socket has received; 0: its peer has closed its side.
    pub(super) fn fill_from(&mut self, socket: &TcpStream) -> io::Result<usize> {
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        let taken = splice(socket, None, &self.write, None, SIZE, flags)?;
        self.held += taken;
        Ok(taken)
    }

    /// Gives a socket as much as it takes.
    pub(super) fn empty_into(&mut self, socket: &TcpStream) -> io::Result<usize> {
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        let given = splice(&self.read, None, socket, None, self.held, flags)?;
        if given == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.held -= given;
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::{FdFlags, fcntl_getfd};

    #[test]
    fn no_other_program_gets_them() {
        let pipe = take().unwrap();
        for end in [&pipe.read, &pipe.write] {
            assert_eq!(fcntl_getfd(end).unwrap(), FdFlags::CLOEXEC);
        }
    }
}
