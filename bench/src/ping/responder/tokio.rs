//! The same on tokio, as it comes: its runtime of many threads, a task per connection.

use super::{Answer, announce, answer, listen};
use anyhow::Result;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Serves for ever.
///
/// # Errors
/// When it can't be set up, or accepting fails.
pub(crate) fn serve(status: &Path) -> Result<()> {
    let status: Arc<[u8]> = std::fs::read(status)?.into();
    let listener = listen()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_io().build()?;
    runtime.block_on(async {
        announce(&listener)?;
        let listener = TcpListener::from_std(listener)?;
        // On a worker thread: what `block_on` runs itself is woken at a higher price.
        spawn(accept(listener, status)).await?
    })
}

async fn accept(listener: TcpListener, status: Arc<[u8]>) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let status = status.clone();
        spawn(async move {
            // A client that breaks off is no concern of this server's.
            let _ = ping(stream, &status).await;
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "a bare server ends by being killed, with all its tasks")]
fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::spawn(task)
}

async fn ping(mut stream: TcpStream, status: &[u8]) -> std::io::Result<()> {
    let mut buffer = [0; 1024];
    let (mut filled, mut greeted) = (0, false);
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        match answer(&buffer[..filled], greeted) {
            Answer::Wait => continue,
            Answer::Status => stream.write_all(status).await?,
            Answer::Pong(pong) => stream.write_all(pong).await?,
            Answer::Refuse => return Ok(()),
        }
        greeted = true;
        filled = 0;
    }
}
