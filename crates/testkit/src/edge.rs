//! The edge as a process: the real binary, its configuration in a folder of its own, its log.

mod builder;
mod log;
mod process;

use crate::PATIENCE;
use crate::connection::ping;
use crate::wait::eventually;
use drawbridge_protocol::ProtocolVersion;
use rustix::process::{Pid, Signal, kill_process};
use std::cell::Cell;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

pub use builder::{EdgeBuilder, completed};
pub use log::Line;
pub use process::{Finished, Memory, need_descriptors, thread_times};

/// A running edge. It is killed when it goes, and tells its log if the test has failed.
#[derive(Debug)]
pub struct Edge {
    process: Child,
    folder: TempDir,
    log: Arc<log::Log>,
    address: SocketAddr,
    recipe: builder::Recipe,
}

impl Edge {
    /// Prepares an edge: `Edge::of(env!("CARGO_BIN_EXE_drawbridge"))`.
    ///
    /// # Panics
    /// When there is no temporary folder to be had.
    #[must_use]
    pub fn of(binary: impl Into<PathBuf>) -> EdgeBuilder {
        let folder = TempDir::new().unwrap_or_else(|error| panic!("no temporary folder: {error}"));
        EdgeBuilder::of(binary.into(), folder)
    }

    /// Where it listens, the first of its addresses.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder of its configuration.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes another configuration, completed as [`EdgeBuilder::config`] says; the edge goes on listening where it does.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn rewrite(&self, text: impl fmt::Display) {
        self.rewrite_file("drawbridge.toml", completed(text));
    }

    /// Writes a file beside the configuration, whole: what reads it sees the one before or this one.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn rewrite_file(&self, name: &str, content: impl AsRef<[u8]>) {
        let beside = format!("{name}.beside");
        write(self.folder(), &beside, content.as_ref());
        self.rename(&beside, name);
    }

    /// Makes a symbolic link beside the configuration, or lets the one of that name lead elsewhere, in one step.
    ///
    /// # Panics
    /// When it can't be made.
    pub fn relink(&self, name: &str, to: &str) {
        let beside = format!("{name}.beside");
        link(&self.folder().join(&beside), to);
        self.rename(&beside, name);
    }

    /// Renames a file or folder beside the configuration.
    ///
    /// # Panics
    /// When it can't be renamed.
    pub fn rename(&self, from: &str, to: &str) {
        let renamed = std::fs::rename(self.folder().join(from), self.folder().join(to));
        renamed.unwrap_or_else(|error| panic!("{from} can't become {to}: {error}"));
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> Vec<Line> {
        self.log.lines()
    }

    /// The first line that `is` recognises, waited for.
    ///
    /// # Panics
    /// When it doesn't come.
    pub fn wait_for(&self, what: &str, is: impl Fn(&Line) -> bool) -> Line {
        let found = self.log.wait_for(PATIENCE, is);
        found.unwrap_or_else(|| panic!("the edge did not log {what}; its log:\n{}", self.log))
    }

    /// The first line with this message, waited for.
    ///
    /// # Panics
    /// When it doesn't come.
    pub fn wait_for_message(&self, message: &str) -> Line {
        self.wait_for(&format!("{message:?}"), |line| line.message() == Some(message))
    }

    /// Waits until so many lines with this message have come.
    ///
    /// # Panics
    /// When they don't.
    pub fn wait_for_messages(&self, message: &str, count: usize) {
        let so_far = Cell::new(0);
        self.wait_for(&format!("{message:?} {count} times"), |line| {
            so_far.set(so_far.get() + usize::from(line.message() == Some(message)));
            so_far.get() == count
        });
    }

    /// The first line that tells of a refusal for this reason, waited for.
    ///
    /// # Panics
    /// When it doesn't come.
    pub fn wait_for_refusal(&self, label: &str) -> Line {
        self.wait_for(&format!("a refusal: {label}"), |line| {
            line.field("reason").is_some_and(|reason| reason == label)
        })
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it is gone.
    pub fn signal(&self, signal: Signal) {
        let sent = kill_process(self.pid(), signal);
        sent.unwrap_or_else(|error| panic!("the edge is gone: {error}; its log:\n{}", self.log));
    }

    /// Stops it where it is, all of its threads, until it is sent [`Signal::CONT`].
    ///
    /// # Panics
    /// When it goes on.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
        let stopped = || process::is_stopped(self.process.id()).is_ok_and(|stopped| stopped).then_some(());
        assert!(eventually(PATIENCE, stopped).is_some(), "the edge goes on");
    }

    /// Asks it to read its configuration anew: SIGHUP.
    pub fn reload(&self) {
        self.signal(Signal::HUP);
    }

    /// Asks it to end, as Kubernetes does: SIGTERM.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Starts it again once it has ended, in the same folder and at the same address, with a new log.
    ///
    /// # Panics
    /// When it doesn't end, or doesn't come to listen again.
    pub fn start_anew(&mut self) {
        // How it ended is the test's business.
        let _ = self.exit(PATIENCE);
        self.process = self.recipe.spawn(self.folder.path(), self.address);
        self.listens();
    }

    /// Follows its log until it listens.
    fn listens(&mut self) {
        let Some(stderr) = self.process.stderr.take() else { unreachable!("it was asked for") };
        self.log = log::Log::follow(stderr);
        // Nobody looks at standard output, but a full pipe would hold the edge up.
        drop(process::drain(self.process.stdout.take()));
        let line = self.wait_for("that it listens", |line| {
            line.text().contains("listening") && line.field("address").is_some()
        });
        let address = line.field("address").and_then(|address| address.parse().ok());
        self.address = address.unwrap_or_else(|| panic!("no address in {line}"));
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    /// When it doesn't end within `patience`.
    #[must_use]
    pub fn exit(&mut self, patience: Duration) -> ExitStatus {
        let status = process::exit(&mut self.process, patience);
        status.unwrap_or_else(|| panic!("the edge still runs after {patience:?}; its log:\n{}", self.log))
    }

    /// Whether it still runs.
    ///
    /// # Panics
    /// When that can't be found out.
    #[must_use]
    pub fn runs(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// What it takes of memory now.
    ///
    /// # Panics
    /// When it is gone, or the system has no `/proc`.
    #[must_use]
    pub fn memory(&self) -> Memory {
        Memory::of(self.process.id()).unwrap_or_else(|error| panic!("no memory to be read: {error}"))
    }

    /// How many bytes it has read so far, of files, pipes and the like.
    ///
    /// # Panics
    /// When it is gone, or the system has no `/proc`.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        let read = process::bytes_read(self.process.id());
        read.unwrap_or_else(|error| panic!("it can't be told what was read: {error}"))
    }

    /// How long its threads whose names begin so have had a core, all together.
    ///
    /// # Panics
    /// When it is gone, has no such thread, or the system tells nothing about threads.
    #[must_use]
    pub fn thread_time(&self, prefix: &str) -> Duration {
        let times = process::thread_times(self.process.id());
        let times =
            times.unwrap_or_else(|error| panic!("it can't be told what {prefix} threads did: {error}"));
        let mut times = times.into_iter().filter(|(name, _)| name.starts_with(prefix)).peekable();
        assert!(times.peek().is_some(), "there is no thread {prefix}");
        times.map(|(_, time)| time).sum()
    }

    /// How many descriptors it has open.
    ///
    /// # Panics
    /// When it is gone, or the system has no `/proc`.
    #[must_use]
    pub fn descriptors(&self) -> usize {
        let folder = std::fs::read_dir(format!("/proc/{}/fd", self.process.id()));
        folder.unwrap_or_else(|error| panic!("no descriptors to be read: {error}")).count()
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// Checks that another client's ping is answered within `patience`. The best of five counts: on a machine that is busy
    /// with other things a ping may have to wait for a core, while an edge of one thread (`threads = 1`) that somebody holds
    /// up answers none of the five in time; of several threads one may be free. Nor may any of them take longer than a
    /// second: no core is waited for that long.
    ///
    /// # Panics
    /// When it isn't.
    pub fn serves_others_within(&self, patience: Duration) {
        const LONGEST: Duration = Duration::from_secs(1);
        let mut best = Duration::MAX;
        for _ in 0..5 {
            match ping(self.address, ProtocolVersion::newest(), "localhost") {
                Ok((_, took)) if took > LONGEST => panic!("another client's ping took {took:?}"),
                Ok((_, took)) => best = best.min(took),
                Err(trouble) => panic!("another client's ping: {trouble}; the log:\n{}", self.log),
            }
            if best <= patience {
                return;
            }
        }
        panic!("another client's ping took {best:?} at best, more than {patience:?}");
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        // It may have ended by itself, and nothing is lost with it.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("the edge's log:\n{}", self.log);
        }
    }
}

fn write(folder: &Path, name: &str, content: &[u8]) {
    let path = folder.join(name);
    let folder = path.parent().unwrap_or(folder);
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, content));
    written.unwrap_or_else(|error| panic!("{} can't be written: {error}", path.display()));
}

fn link(path: &Path, to: &str) {
    let linked = std::os::unix::fs::symlink(to, path);
    linked.unwrap_or_else(|error| panic!("{} can't be linked to {to}: {error}", path.display()));
}
