//! The socket of a daemon, which may go and come back.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The socket, while it is there.
#[derive(Debug)]
pub(super) struct Door {
    open: Arc<AtomicBool>,
    path: PathBuf,
    visitors: Arc<Mutex<Vec<UnixStream>>>,
}

impl Door {
    /// Carries whoever comes to the address behind it.
    pub(super) fn open(path: PathBuf, behind: SocketAddr) -> io::Result<Self> {
        let listener = UnixListener::bind(&path)?;
        let door = Self { open: Arc::new(AtomicBool::new(true)), path, visitors: Arc::default() };
        let (open, visitors) = (Arc::clone(&door.open), Arc::clone(&door.visitors));
        std::thread::spawn(move || {
            for visitor in listener.incoming().flatten() {
                if !open.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(inside) = TcpStream::connect(behind) else { return };
                visitors.lock().unwrap_or_else(PoisonError::into_inner).extend(visitor.try_clone());
                carry(visitor, inside);
            }
        });
        Ok(door)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.open.store(false, Ordering::SeqCst);
        // The last visitor only wakes whoever waits for visitors.
        let _ = UnixStream::connect(&self.path);
        let _ = std::fs::remove_file(&self.path);
        for visitor in self.visitors.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = visitor.shutdown(Shutdown::Both);
        }
    }
}

/// Moves bytes both ways until a side ends.
fn carry(visitor: UnixStream, inside: TcpStream) {
    let (Ok(mut from), Ok(mut to)) = (visitor.try_clone(), inside.try_clone()) else { return };
    std::thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let (mut from, mut to) = (inside, visitor);
    std::thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}
