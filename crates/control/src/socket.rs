//! The socket of a running edge: made for its own user alone, and gone with it.
//!
//! What must stay true: at no moment may anybody else connect; the socket of an edge that runs isn't taken from it, and one that a killed
//! edge left is no hindrance.

use crate::error::SocketError;
use socket2::{Domain, SockAddr, Type};
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long another edge that starts in the same folder may take over its socket.
const PATIENCE: Duration = Duration::from_secs(2);

/// A socket that listens. Dropping it removes it.
#[derive(Debug)]
pub struct Socket {
    pub(crate) listener: UnixListener,
    path: PathBuf,
    /// Device and inode, by which it is known again.
    file: (u64, u64),
}

impl Socket {
    /// Makes it, in the place of one that nobody listens at any more.
    ///
    /// # Errors
    /// When somebody does, or it can't be made.
    pub fn open(path: &Path) -> Result<Self, SocketError> {
        let made = |source| SocketError::Make { path: path.to_path_buf(), source };
        let address = SockAddr::unix(path).map_err(|_| SocketError::TooLong { path: path.to_path_buf() })?;
        let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        // Of two edges that start at the same time, each looks and makes without the other in between.
        let _turn = turn(folder).map_err(made)?;
        look(path, &address)?;
        // Nobody gets into this folder before the socket has its own mode; then it is renamed to where it belongs.
        let closet = tempfile::Builder::new()
            .prefix(".")
            .rand_bytes(6)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(folder)
            .map_err(made)?;
        let hidden = closet.path().join("s");
        SockAddr::unix(&hidden).map_err(|_| SocketError::TooLong { path: path.to_path_buf() })?;
        let open = || {
            let listener = UnixListener::bind(&hidden)?;
            std::fs::set_permissions(&hidden, Permissions::from_mode(0o600))?;
            let metadata = hidden.symlink_metadata()?;
            listener.set_nonblocking(true)?;
            std::fs::rename(&hidden, path)?;
            Ok((listener, (metadata.dev(), metadata.ino())))
        };
        let (listener, file) = open().map_err(made)?;
        Ok(Self { listener, path: path.to_path_buf(), file })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let ours = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino()) == self.file;
        if self.path.symlink_metadata().is_ok_and(ours) {
            // One that stays is no hindrance.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Waits until nobody else makes a socket in the folder.
fn turn(folder: &Path) -> io::Result<File> {
    let (folder, began) = (File::open(folder)?, Instant::now());
    loop {
        match folder.try_lock() {
            Ok(()) => return Ok(folder),
            Err(std::fs::TryLockError::WouldBlock) if began.elapsed() < PATIENCE => {
                std::thread::park_timeout(Duration::from_millis(5));
            }
            Err(std::fs::TryLockError::WouldBlock) => return Err(io::ErrorKind::ResourceBusy.into()),
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Whether the name is free: nothing is there, or a socket that nobody listens at.
fn look(path: &Path, address: &SockAddr) -> Result<(), SocketError> {
    let made = |source| SocketError::Make { path: path.to_path_buf(), source };
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(made(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(SocketError::NoSocket { path: path.to_path_buf() });
        }
        Ok(_) => {}
    }
    let knock = || {
        let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
        // One whose edge is frozen may have a full queue.
        socket.set_nonblocking(true)?;
        socket.connect(address)
    };
    match knock() {
        Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => {
            Ok(())
        }
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(made(error)),
        _ => Err(SocketError::Taken { path: path.to_path_buf() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn it_is_for_its_user_alone_and_gone_when_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        let socket = Socket::open(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(UnixStream::connect(&path).is_ok());
        assert_eq!(folder.path().read_dir().unwrap().count(), 1, "nothing is left beside it");
        drop(socket);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn one_that_somebody_listens_at_isnt_taken_and_one_that_is_left_over_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "left over");
        let first = Socket::open(&path).unwrap();
        let second = Socket::open(&path).unwrap_err();
        assert!(matches!(second, SocketError::Taken { .. }), "{second}");
        assert!(UnixStream::connect(&path).is_ok());
        // Another one has taken the name in whatever way: it stays.
        std::fs::remove_file(&path).unwrap();
        let other = UnixListener::bind(&path).unwrap();
        drop(first);
        assert!(path.exists());
        drop(other);
    }

    #[test]
    fn what_isnt_a_socket_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("drawbridge.toml");
        std::fs::write(&path, "").unwrap();
        assert!(matches!(Socket::open(&path).unwrap_err(), SocketError::NoSocket { .. }));
        assert!(path.exists());
        let long = folder.path().join("x".repeat(120));
        assert!(matches!(Socket::open(&long).unwrap_err(), SocketError::TooLong { .. }));
        let nowhere = folder.path().join("nowhere/control.sock");
        assert!(matches!(Socket::open(&nowhere).unwrap_err(), SocketError::Make { .. }));
    }
}
