//! Starting the edge's process, waiting for its end, and reading what the kernel knows of it.

use crate::PATIENCE;
use crate::wait::eventually;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// Lets this process open so many descriptors, for tests that hold many connections.
///
/// # Panics
/// When the system doesn't allow it.
pub fn need_descriptors(count: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= count) {
        return;
    }
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(count), maximum: limit.maximum });
    raised.unwrap_or_else(|error| {
        panic!("this test needs {count} descriptors, of which {limit:?} are allowed ({error}): raise `ulimit -Hn`")
    });
}

/// An edge that has ended by itself.
#[derive(Debug)]
pub struct Finished {
    /// How.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

/// What a process takes of memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Resident set.
    pub rss: u64,
    /// The most that the resident set has ever been.
    pub peak: u64,
    /// The same, with what several processes share counted proportionally.
    pub pss: u64,
    /// What it has asked the system for, whether it has ever written to it or not.
    pub reserved: u64,
}

impl Memory {
    /// Reads `/proc/<pid>/smaps_rollup` and `/proc/<pid>/status`.
    ///
    /// # Errors
    /// When the process is gone, or the system has no such files.
    pub fn of(pid: u32) -> io::Result<Self> {
        let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let bytes = |text: &str, name: &str| field(text, name).map(|kibibytes| kibibytes * 1024);
        Ok(Self {
            rss: bytes(&rollup, "Rss:")?,
            peak: bytes(&status, "VmHWM:")?,
            pss: bytes(&rollup, "Pss:")?,
            reserved: bytes(&status, "VmSize:")?,
        })
    }
}

/// How many bytes a process has read by `read(2)` and its like, wherever they came from: `/proc/<pid>/io`.
pub(super) fn bytes_read(pid: u32) -> io::Result<u64> {
    field(&std::fs::read_to_string(format!("/proc/{pid}/io"))?, "rchar:")
}

/// The threads of a process: their names, and how long each has had a core (the first number of `/proc/<pid>/task/*/schedstat`).
///
/// # Errors
/// When the process is gone, or the system tells nothing about threads.
pub fn thread_times(pid: u32) -> io::Result<Vec<(String, Duration)>> {
    let mut times = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let task = task?.path();
        let read = |file| std::fs::read_to_string(task.join(file));
        // A thread may end between being listed and being read.
        let (Ok(name), Ok(told)) = (read("comm"), read("schedstat")) else { continue };
        let time = told.split_whitespace().next().and_then(|time| time.parse().ok());
        let time = Duration::from_nanos(time.ok_or_else(|| io::Error::other("no time"))?);
        times.push((name.trim_end().to_owned(), time));
    }
    Ok(times)
}

/// Whether all threads of a process are stopped: the letter behind the name in `/proc/<pid>/task/*/stat`.
pub(super) fn is_stopped(pid: u32) -> io::Result<bool> {
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let told = std::fs::read_to_string(task?.path().join("stat"))?;
        if !told.rsplit(')').next().is_some_and(|rest| rest.starts_with(" T")) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The number behind a name at the start of a line, in what `/proc` tells.
fn field(text: &str, name: &str) -> io::Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| io::Error::other(format!("there is no {name}")))
}

/// The binary, or a shell that becomes it: under lower limits, since a process can't lower another's; with standard input passed as a
/// service manager passes a listening socket, which names the process that it is for.
pub(super) fn shelled(binary: &Path, limits: &[String], socket: bool) -> Command {
    let pass = socket.then_some("exec 3<&0 && LISTEN_PID=$$ LISTEN_FDS=1 ");
    if limits.is_empty() && pass.is_none() {
        return Command::new(binary);
    }
    let mut command = Command::new("sh");
    let limits: String = limits.iter().map(|limit| format!("ulimit {limit} && ")).collect();
    let pass = pass.unwrap_or_default();
    command.arg("-c").arg(format!("{limits}{pass}exec \"$0\" \"$@\"")).arg(binary);
    command
}

/// Starts the binary in `folder`, where it finds its `drawbridge.toml`.
pub(super) fn spawn(
    mut command: Command,
    folder: &Path,
    arguments: &[String],
    environment: &[(String, String)],
) -> Child {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("DRAWBRIDGE") {
            command.env_remove(name);
        }
    }
    command
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap_or_else(|error| panic!("{command:?} can't be run: {error}"))
}

/// Waits for the end of a process.
pub(super) fn exit(process: &mut Child, patience: Duration) -> Option<ExitStatus> {
    eventually(patience, || process.try_wait().ok().flatten())
}

/// Waits for the end of a process, reading all that it writes.
pub(super) fn finish(mut process: Child) -> Finished {
    let stdout = drain(process.stdout.take());
    let stderr = drain(process.stderr.take());
    let Some(status) = exit(&mut process, PATIENCE) else {
        // Whether it can be killed or not, the test has failed.
        let _ = process.kill();
        let _ = process.wait();
        panic!("it did not end by itself: {}{}", text(stdout), text(stderr));
    };
    Finished { status, stdout: text(stdout), stderr: text(stderr) }
}

/// What a stream holds, once it has ended.
pub(super) type Drained = std::thread::JoinHandle<String>;

/// Reads a stream to its end, beside everything else.
pub(super) fn drain(source: Option<impl Read + Send + 'static>) -> Option<Drained> {
    let mut source = source?;
    Some(std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error is what there is.
        let _ = source.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }))
}

fn text(drained: Option<Drained>) -> String {
    drained.and_then(|drained| drained.join().ok()).unwrap_or_default()
}
