//! What takes a flood in the edge's place: a process that answers each stranger's first words, and their second, with what the edge did, and
//! does nothing else. So a flood takes as much of the machine's cores for itself, and what players notice of that isn't the edge's fault.

use crate::flood::Errand;
use anyhow::{Context as _, Result};
use drawbridge_protocol::frame;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// How long the edge may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running sink. Dropping it kills the process.
#[derive(Debug)]
pub struct Sink {
    process: Child,
    address: SocketAddr,
    _answers: TempDir,
}

impl Sink {
    /// Hears what the edge answers to an errand, and starts a process that says the same: this program itself, as [`serve`] has it.
    ///
    /// # Errors
    /// When the edge answers nothing, or the process doesn't listen.
    pub fn like(edge: SocketAddr, errand: Errand, host: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        for (number, answer) in answers(edge, errand, host)?.iter().enumerate() {
            std::fs::write(folder.path().join(number.to_string()), answer)?;
        }
        let mut process = Command::new(std::env::current_exe()?)
            .arg("sink")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("the sink can't be started")?;
        let mut line = String::new();
        let said = process.stdout.take().context("no standard output")?;
        BufReader::new(said).read_line(&mut line)?;
        let address = line.trim().parse().with_context(|| format!("the sink said {line:?}"))?;
        Ok(Self { process, address, _answers: folder })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the edge says to the first and to the second words of an errand; it closes behind the last.
fn answers(edge: SocketAddr, errand: Errand, host: &str) -> Result<Vec<Vec<u8>>> {
    let mut stream = TcpStream::connect(edge)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&errand.first(host))?;
    let Some(second) = errand.second() else {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest)?;
        return Ok(vec![rest]);
    };
    let first = frame_of(&mut stream)?;
    stream.write_all(&second)?;
    Ok(vec![first, frame_of(&mut stream)?])
}

/// The bytes of the next frame, behind which nothing comes before more is said; or what comes before the edge closes.
fn frame_of(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(bytes);
        }
        bytes.extend_from_slice(&buffer[..read]);
        if let Some(body) = frame::split(&bytes, frame::MAX_FRAME)? {
            bytes.truncate(body.end);
            return Ok(bytes);
        }
    }
}

/// Answers with the files of a folder, `0` and then `1`, and closes, on one thread, until the process is killed; it dies with who started it.
///
/// # Errors
/// When it can't listen.
pub fn serve(folder: &Path) -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let mut answers = Vec::new();
    while let Ok(answer) = std::fs::read(folder.join(answers.len().to_string())) {
        answers.push(answer);
    }
    let answers = Arc::new(answers);
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?);
        let mut visits = JoinSet::new();
        loop {
            tokio::select! {
                Ok((mut stream, _)) = listener.accept() => {
                    let answers = Arc::clone(&answers);
                    visits.spawn(async move {
                        let mut buffer = [0; 4096];
                        for answer in answers.iter() {
                            // Whoever goes gets no answer.
                            if !matches!(stream.read(&mut buffer).await, Ok(1..)) { return }
                            if stream.write_all(answer).await.is_err() { return }
                        }
                    });
                }
                Some(_) = visits.join_next() => {}
            }
        }
    })
}
