//! Asking a running edge.

use crate::answer::Answer;
use crate::error::AskError;
use crate::request::Request;
use socket2::{Domain, SockAddr, Type};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long an answer may take: a reload of many files takes a while.
const ANSWER: Duration = Duration::from_secs(60);
/// How long an edge may take to take a request.
const TAKEN: Duration = Duration::from_secs(10);

/// A connection to a running edge.
#[derive(Debug)]
pub struct Line {
    stream: BufReader<UnixStream>,
    path: PathBuf,
}

impl Line {
    /// Connects.
    ///
    /// # Errors
    /// When no edge listens there, or it is another user's.
    pub fn connect(path: &Path) -> Result<Self, AskError> {
        let connected = || {
            let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
            // An edge that is frozen may have a full queue, and whoever waits there has no deadline.
            socket.set_nonblocking(true)?;
            socket.connect(&SockAddr::unix(path)?)?;
            socket.set_nonblocking(false)?;
            let stream = UnixStream::from(OwnedFd::from(socket));
            stream.set_read_timeout(Some(ANSWER))?;
            stream.set_write_timeout(Some(TAKEN))?;
            Ok(stream)
        };
        let path = path.to_path_buf();
        match connected() {
            Ok(stream) => Ok(Self { stream: BufReader::new(stream), path }),
            Err(error) => Err(match io::Error::kind(&error) {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => AskError::NoEdge { path },
                io::ErrorKind::PermissionDenied => AskError::Denied { path },
                io::ErrorKind::WouldBlock => AskError::Silent { path },
                _ => AskError::Broken { path, source: error },
            }),
        }
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// When there is none, or none that is understood.
    pub fn ask(&mut self, request: &Request) -> Result<Answer, AskError> {
        let path = || self.path.clone();
        let wrong = |source| AskError::Answer { path: self.path.clone(), source };
        let line = request.write().map_err(wrong)?;
        // An edge that turns its client away has said so, and hears nothing.
        let written = self.stream.get_mut().write_all(&line);
        let mut answer = Vec::new();
        match self.stream.read_until(b'\n', &mut answer) {
            Ok(_) if answer.ends_with(b"\n") => {
                serde_json::from_slice(&answer).map_err(|source| AskError::Answer { path: path(), source })
            }
            Ok(_) => Err(match written {
                Err(source) => AskError::Broken { path: path(), source },
                Ok(()) => AskError::Closed { path: path() },
            }),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                Err(AskError::Silent { path: path() })
            }
            Err(source) => Err(AskError::Broken { path: path(), source }),
        }
    }
}
