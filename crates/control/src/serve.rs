//! Clients of the socket: a line in, a line out.
//!
//! What must stay true: a client who isn't the edge's user or root learns nothing; every line has a bound and a deadline, and so has
//! their number; a request under way is answered before the edge ends.

use crate::answer::{Answer, Failure};
use crate::control::Control;
use crate::request::Request;
use crate::socket::Socket;
use drawbridge_telemetry::metrics;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// The longest request, in bytes.
const LONGEST: usize = 64 * 1024;
/// The most clients at once.
const CLIENTS: usize = 16;
/// How long a client may take to say a line, from the last one on.
const LINE: Duration = Duration::from_secs(30);
/// How long a client may take to take an answer.
const TAKEN: Duration = Duration::from_secs(10);
/// How long a client who is turned away may take to hear it.
const TURNED_AWAY: Duration = Duration::from_millis(100);
/// How long a request under way is waited for when the edge ends.
const LAST_WORD: Duration = Duration::from_secs(1);
/// How long nobody is accepted after that has failed.
const BACK_OFF: Duration = Duration::from_millis(100);

/// A socket that is served. Dropping it ends that at once.
#[derive(Debug)]
pub struct Serving {
    clients: TaskTracker,
    over: CancellationToken,
    accepting: AbortOnDropHandle<()>,
}

impl Socket {
    /// Does what whoever comes asks for.
    ///
    /// # Errors
    /// When the runtime can't wait for it.
    pub fn serve(self, control: Control, runtime: &Handle) -> io::Result<Serving> {
        let _guard = runtime.enter();
        let listener = UnixListener::from_std(self.listener.try_clone()?)?;
        let (clients, over) = (TaskTracker::new(), CancellationToken::new());
        let house = House { control, over: over.clone(), user: rustix::process::geteuid().as_raw() };
        let accepting = accept(self, listener, Arc::new(house), clients.clone(), runtime.clone());
        Ok(Serving { clients, over, accepting: AbortOnDropHandle::new(runtime.spawn(accepting)) })
    }
}

impl Serving {
    /// Takes no more requests, and waits a moment for those under way.
    pub async fn end(self) {
        self.accepting.abort();
        // The socket goes with the task.
        let _ = self.accepting.await;
        self.over.cancel();
        self.clients.close();
        // Who isn't done by then has to go with the edge.
        let _ = timeout(LAST_WORD, self.clients.wait()).await;
    }
}

/// What all clients share.
#[derive(Debug)]
struct House {
    control: Control,
    over: CancellationToken,
    user: u32,
}

async fn accept(
    socket: Socket,
    listener: UnixListener,
    house: Arc<House>,
    clients: TaskTracker,
    runtime: Handle,
) {
    let path: PathBuf = socket.path().to_path_buf();
    let places = Arc::new(Semaphore::new(CLIENTS));
    loop {
        let mut stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, socket = %path.display(), "nobody can be accepted");
                sleep(BACK_OFF).await;
                continue;
            }
        };
        let refusal = match (house.permits(&stream), Arc::clone(&places).try_acquire_owned()) {
            (true, Ok(place)) => {
                clients.spawn_on(attend(stream, Arc::clone(&house), place), &runtime);
                continue;
            }
            (true, Err(_)) => failed("busy", format!("{CLIENTS} others are asking"), None),
            (false, _) => failed("denied", "only the edge's own user and root are answered".into(), None),
        };
        // There is room for it in every socket that is new.
        let _ = timeout(TURNED_AWAY, write(&mut stream, &refusal)).await;
    }
}

impl House {
    fn permits(&self, stream: &UnixStream) -> bool {
        stream.peer_cred().is_ok_and(|peer| peer.uid() == self.user || peer.uid() == 0)
    }
}

fn failed(error: &str, message: String, help: Option<String>) -> Answer {
    Answer::Failed(Failure { error: error.to_owned(), message, help })
}

/// Answers a client until there is nothing more.
async fn attend(mut stream: UnixStream, house: Arc<House>, _place: OwnedSemaphorePermit) {
    let mut buffer = Vec::new();
    loop {
        let line = tokio::select! {
            line = timeout(LINE, next_line(&mut stream, &mut buffer)) => line,
            () = house.over.cancelled() => return,
        };
        let answer = match line {
            Ok(Ok(Some(line))) => answer(&line, &house.control).await,
            Ok(Err(Trouble::TooLong)) => {
                let long = failed("too_long", format!("a request has at most {LONGEST} bytes"), None);
                let _ = timeout(TAKEN, write(&mut stream, &long)).await;
                return;
            }
            Ok(Ok(None) | Err(Trouble::Gone)) | Err(_) => return,
        };
        if !matches!(timeout(TAKEN, write(&mut stream, &answer)).await, Ok(Ok(()))) {
            return;
        }
    }
}

async fn answer(line: &[u8], control: &Control) -> Answer {
    let request = match Request::read(line) {
        Ok(request) => request,
        Err(error) => {
            metrics::controlled("unknown", false);
            return failed(error.kind(), error.to_string(), None);
        }
    };
    let kind = request.kind();
    tracing::debug!(request = kind, "asked by control");
    let answer = control.answer(request).await;
    metrics::controlled(kind, answer.is_done());
    answer
}

/// Why there is no further line.
enum Trouble {
    TooLong,
    Gone,
}

/// The next line, without its end. `None`: the client has said all, and what is left is none.
async fn next_line(stream: &mut UnixStream, buffer: &mut Vec<u8>) -> Result<Option<Vec<u8>>, Trouble> {
    let mut looked_at = 0;
    loop {
        if let Some(end) = buffer[looked_at..].iter().position(|byte| *byte == b'\n') {
            let mut line: Vec<u8> = buffer.drain(..=looked_at + end).collect();
            line.pop();
            return if line.len() > LONGEST { Err(Trouble::TooLong) } else { Ok(Some(line)) };
        }
        looked_at = buffer.len();
        if looked_at > LONGEST {
            return Err(Trouble::TooLong);
        }
        buffer.reserve(4096);
        match stream.read_buf(buffer).await {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(_) => return Err(Trouble::Gone),
        }
    }
}

async fn write(stream: &mut UnixStream, answer: &Answer) -> io::Result<()> {
    let line = answer.write().map_err(io::Error::other)?;
    stream.write_all(&line).await
}
