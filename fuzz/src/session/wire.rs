//! One end of a pair of sockets, which never waits.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;

/// Bytes that are written as far as the other side takes them.
pub(super) struct Wire {
    stream: Option<UnixStream>,
    unsent: Vec<u8>,
}

impl Wire {
    pub(super) const fn new(stream: UnixStream) -> Self {
        Self { stream: Some(stream), unsent: Vec::new() }
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        if self.stream.is_some() {
            self.unsent.extend_from_slice(bytes);
        }
    }

    pub(super) fn flush(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        while !self.unsent.is_empty() {
            match stream.write(&self.unsent) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.unsent.clear(),
            }
        }
    }

    /// Everything that has come.
    pub(super) fn receive(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(stream) = &mut self.stream {
            // That nothing more is there, or ever comes, is all that can go wrong.
            let _ = stream.read_to_end(&mut bytes);
        }
        bytes
    }

    pub(super) fn close(&mut self) {
        self.flush();
        self.stream = None;
    }
}
