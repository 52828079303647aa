//! A running reactor and clients for it.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test binary uses its part of this"
)]

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::pin::Pin;
use std::time::{Duration, Instant};

use drawbridge_net::{Continuation, Listener, Serving, Socket};
use tokio::runtime::{Builder, Runtime};

/// How long a test waits for something that should happen soon, on a machine that has other things to do.
pub const SOON: Duration = Duration::from_secs(20);

pub struct Edge {
    pub serving: Serving,
    pub address: SocketAddr,
    pub runtime: Runtime,
}

impl Edge {
    /// Serves `task` on one thread.
    pub fn start<T>(task: impl Fn(Socket) -> T + Send + Sync + 'static) -> Self
    where
        T: Future<Output = ()> + 'static,
    {
        Self::start_on("127.0.0.1:0", 1, task)
    }

    pub fn start_on<T>(
        address: &str,
        threads: usize,
        task: impl Fn(Socket) -> T + Send + Sync + 'static,
    ) -> Self
    where
        T: Future<Output = ()> + 'static,
    {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let bound = Listener::bind(&[address.parse().unwrap()], threads).unwrap();
        let address = bound.local_addresses()[0];
        let serving = bound.serve(only(task), runtime.handle()).unwrap();
        Self { serving, address, runtime }
    }

    pub fn connect(&self) -> TcpStream {
        connect(self.address).unwrap()
    }

    /// Waits until all tasks have ended.
    #[track_caller]
    pub fn finish(&mut self) {
        let finished = self.serving.finished();
        self.runtime.block_on(async { tokio::time::timeout(SOON, finished).await }).expect("finished");
    }
}

/// Tasks that nothing follows on.
pub fn only<T: Future<Output = ()> + 'static>(
    task: impl Fn(Socket) -> T + Send + Sync + 'static,
) -> impl Fn(Socket) -> Pin<Box<dyn Future<Output = Option<Continuation>>>> + Send + Sync + 'static {
    move |socket| {
        let work = task(socket);
        Box::pin(async move {
            work.await;
            None
        })
    }
}

pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(SOON))?;
    stream.set_write_timeout(Some(SOON))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Writes back what comes, until the client closes.
pub async fn echo(mut socket: Socket) {
    socket.set_deadline(Instant::now() + 2 * SOON);
    let mut buffer = [0; 512];
    while let Ok(read @ 1..) = socket.read(&mut buffer).await {
        if socket.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

#[track_caller]
pub fn assert_echoes(client: &mut TcpStream) {
    client.write_all(b"knock").unwrap();
    let mut answer = [0; 5];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"knock");
}

/// Connects until it is refused.
#[track_caller]
pub fn wait_refused(address: SocketAddr) {
    let deadline = Instant::now() + SOON;
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < deadline, "still accepting");
    }
}
