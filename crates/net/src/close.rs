//! Closing a connection so that the peer surely reads the last packet.
//!
//! Closing a socket while something that the peer sent is still unread makes the system send RST, and RST makes the peer's
//! system throw away what its program hasn't read yet: the Transfer or Disconnect packet. So the write side is
//! shut down first, what still comes is read and discarded until the peer closes too, and only then is the socket closed.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout_at;

/// How long a peer may take to read the last packet and close.
pub const LINGER_TIME: Duration = Duration::from_secs(2);

/// How many bytes a peer may still send, while it is waited for.
pub const LINGER_BYTES: usize = 256 * 1024;

/// Closes a connection of tokio's as [`Socket::close`](crate::Socket::close) does one of the reactor's: returns when the peer
/// has closed, at the deadline, or after [`LINGER_BYTES`].
pub async fn linger(mut stream: TcpStream, deadline: Instant) {
    // At the deadline the stream is dropped, which is all that is left to do.
    let _ = timeout_at(deadline.into(), async {
        if stream.shutdown().await.is_ok() {
            discard(&stream).await;
        }
    })
    .await;
}

async fn discard(stream: &TcpStream) {
    let mut left = LINGER_BYTES;
    while left > 0 && stream.readable().await.is_ok() {
        match read_once(stream) {
            Ok(0) => return,
            Ok(bytes) => left = left.saturating_sub(bytes),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// Apart from the waiting, so that the buffer isn't part of the future.
fn read_once(stream: &TcpStream) -> io::Result<usize> {
    stream.try_read(&mut [0; 4096])
}
