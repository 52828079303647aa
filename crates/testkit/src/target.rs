//! A target that does as it is told, and keeps what it hears.

use crate::PATIENCE;
use crate::wait::eventually;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What a target does with each connection.
#[derive(Debug, Clone)]
pub enum Manner {
    /// Says this as soon as it hears something, and from then on all that it hears after that.
    Echoes(Vec<u8>),
    /// The same with the first connection, and says nothing to those after it.
    EchoesOnce(Vec<u8>),
    /// Says the same, and all that it hears after that so much later.
    EchoesLater(Vec<u8>, Duration),
    /// Listens and says nothing.
    Silent,
    /// Closes as soon as it hears something.
    Closes,
    /// Says this as soon as it hears something, and closes.
    Breaks(Vec<u8>),
}

/// A server that speaks no protocol.
#[derive(Debug)]
pub struct Target {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Target {
    /// Listens on a free port of 127.0.0.1 until the test ends.
    ///
    /// # Errors
    /// When it can't listen.
    pub fn start(manner: Manner) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let heard = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let book = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let number = {
                    let mut book = lock(&book);
                    book.push(Vec::new());
                    book.len() - 1
                };
                let manner = match &manner {
                    Manner::EchoesOnce(greeting) if number == 0 => Manner::Echoes(greeting.clone()),
                    Manner::EchoesOnce(_) => Manner::Silent,
                    manner => manner.clone(),
                };
                let book = Arc::clone(&book);
                thread::spawn(move || converse(stream, &manner, |bytes| lock(&book)[number].extend(bytes)));
            }
        });
        Ok(Self { address, heard })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What each connection has said so far, in the order in which they came.
    #[must_use]
    pub fn heard(&self) -> Vec<Vec<u8>> {
        lock(&self.heard).clone()
    }

    /// Waits until somebody has said this much, and gives what the first one of them said.
    ///
    /// # Panics
    /// When nobody does.
    #[must_use]
    pub fn wait_for(&self, bytes: usize) -> Vec<u8> {
        let said = eventually(PATIENCE, || self.heard().into_iter().find(|heard| heard.len() >= bytes));
        said.unwrap_or_else(|| panic!("nobody says {bytes} bytes: {:?}", self.heard()))
    }
}

fn lock(book: &Mutex<Vec<Vec<u8>>>) -> MutexGuard<'_, Vec<Vec<u8>>> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

fn converse(mut stream: TcpStream, manner: &Manner, mut note: impl FnMut(&[u8])) {
    let mut buffer = [0; 16 * 1024];
    let mut greeted = false;
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        note(&buffer[..read]);
        let answer = match manner {
            Manner::Echoes(greeting) | Manner::EchoesLater(greeting, _) if !greeted => greeting,
            Manner::Echoes(_) => &buffer[..read],
            Manner::EchoesLater(_, delay) => {
                thread::park_timeout(*delay);
                &buffer[..read]
            }
            Manner::Silent | Manner::EchoesOnce(_) => continue,
            Manner::Closes => break,
            Manner::Breaks(words) => {
                // Who has gone already hears nothing.
                let _ = stream.write_all(words);
                break;
            }
        };
        greeted = true;
        if stream.write_all(answer).is_err() {
            return;
        }
    }
    // Who has nothing more to say may be gone.
    let _ = stream.shutdown(Shutdown::Write);
}
