//! A server as a process of its own: the edge, or a reference. Started, found listening, read from `/proc`, and killed in the end.
//!
//! CPU time is what the scheduler counted in nanoseconds (`/proc/<pid>/task/*/schedstat`): it holds user and system time and
//! doesn't depend on the timer tick.

use anyhow::{Context as _, Result, bail};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a server may take until it listens.
const START: Duration = Duration::from_secs(20);

/// A running server. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    started_in: Duration,
    /// CPU time by thread, in nanoseconds; threads that have ended keep the last figure seen.
    threads: HashMap<String, u64>,
}

impl Server {
    /// Starts `command` and waits for the line on its standard error that says `listening` and names an address of 127.0.0.1.
    ///
    /// # Errors
    /// When it can't be started, or ends or falls silent instead; with what it wrote.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let before = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{program} can't be started"))?;
        let errors = child.stderr.take().context("no standard error")?;
        match await_listening(errors, before) {
            Ok((address, started_in)) => Ok(Self { child, address, started_in, threads: HashMap::new() }),
            Err(said) => {
                let _ = child.kill();
                let _ = child.wait();
                bail!("{program} does not listen; it said:\n{said}")
            }
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Time from before the process was made until it said that it listens.
    pub(crate) fn started_in(&self) -> Duration {
        self.started_in
    }

    /// CPU time of all its threads since their start, once they are at rest: a thread that runs is counted with delay.
    pub(crate) fn cpu_time(&mut self) -> Result<Duration> {
        let mut last = self.read_threads()?;
        for _ in 0..100 {
            // Longer than the timer tick at which a running thread's figure is brought up to date.
            pause(Duration::from_millis(8));
            let now = self.read_threads()?;
            if now == last {
                break;
            }
            last = now;
        }
        Ok(last)
    }

    fn read_threads(&mut self) -> Result<Duration> {
        for task in std::fs::read_dir(self.proc("task"))? {
            let task = task?;
            // A thread may end between being listed and being read.
            let Ok(text) = std::fs::read_to_string(task.path().join("schedstat")) else { continue };
            let nanoseconds = text.split(' ').next().unwrap_or_default().parse().context("schedstat")?;
            self.threads.insert(task.file_name().to_string_lossy().into_owned(), nanoseconds);
        }
        Ok(Duration::from_nanos(self.threads.values().sum()))
    }

    /// Proportional set size in bytes: its own memory, and its share of what it shares.
    pub(crate) fn memory(&self) -> Result<f64> {
        self.pages("Pss:")
    }

    /// The part of it that isn't the pages of files, in bytes.
    pub(crate) fn own_memory(&self) -> Result<f64> {
        self.pages("Pss_Anon:")
    }

    fn pages(&self, kind: &str) -> Result<f64> {
        let text = std::fs::read_to_string(self.proc("smaps_rollup")).context("smaps_rollup")?;
        let kilobytes = text
            .lines()
            .find_map(|line| line.strip_prefix(kind))
            .and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok())
            .with_context(|| format!("smaps_rollup has no {kind}"))?;
        Ok(kilobytes * 1024.0)
    }

    /// Waits until it has at least `count` open descriptors.
    ///
    /// # Errors
    /// When it hasn't within ten seconds.
    pub(crate) fn await_descriptors(&self, count: usize) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let open = self.descriptors()?;
            if open >= count {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("{open} open descriptors after 10 s where {count} were expected");
            }
            pause(Duration::from_millis(2));
        }
    }

    /// How many descriptors it has open.
    pub(crate) fn descriptors(&self) -> Result<usize> {
        Ok(std::fs::read_dir(self.proc("fd"))?.count())
    }

    fn proc(&self, entry: &str) -> String {
        format!("/proc/{}/{entry}", self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Has this process killed when the one that started it ends, in whatever way.
///
/// # Errors
/// When the system can't do that.
pub(crate) fn die_with_parent() -> Result<()> {
    Ok(rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?)
}

/// Reads the lines on a thread that goes on reading, so that the server never waits for its log to be read.
fn await_listening(errors: ChildStderr, before: Instant) -> Result<(SocketAddr, Duration), String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(errors).lines().map_while(Result::ok) {
            // Nobody listens any more once the address is known; the lines are still to be read.
            let _ = sender.send((line, before.elapsed()));
        }
    });
    let mut said = String::new();
    while let Ok((line, elapsed)) = receiver.recv_timeout(START.saturating_sub(before.elapsed())) {
        if let Some(address) = listening(&line) {
            return Ok((address, elapsed));
        }
        said.push_str(&line);
        said.push('\n');
    }
    Err(said)
}

/// The address in a line that says `listening`.
fn listening(line: &str) -> Option<SocketAddr> {
    if !line.contains("listening") {
        return None;
    }
    let start = line.find("127.0.0.1:")?;
    let end = line[start + "127.0.0.1:".len()..].find(|other: char| !other.is_ascii_digit());
    let end = end.map_or(line.len(), |end| start + "127.0.0.1:".len() + end);
    line[start..end].parse().ok()
}

/// Lets a little time pass. `/proc` has no events to wait for.
fn pause(time: Duration) {
    std::thread::park_timeout(time);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_either_format_of_the_log() {
        let address = Some(([127, 0, 0, 1], 4711).into());
        assert_eq!(listening("INFO listening address=127.0.0.1:4711"), address);
        assert_eq!(listening(r#"{"message":"listening","address":"127.0.0.1:4711","x":1}"#), address);
        assert_eq!(listening("connected to 127.0.0.1:4711"), None);
        assert_eq!(listening("listening"), None);
    }

    #[test]
    fn a_server_that_ends_is_an_error_with_its_words() {
        let error = Server::start(Command::new("sh").args(["-c", "echo alas >&2"])).unwrap_err();
        assert!(error.to_string().contains("alas"), "{error}");
    }
}
