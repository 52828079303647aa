//! How the edge is to be started.

use super::{Edge, Finished, link, log, process, write};
use crate::clock::Clock;
use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use tempfile::TempDir;

/// What is added to a test's configuration where it doesn't say anything about it itself: a free port of 127.0.0.1, a log
/// that can be read, and rates that a test from one address doesn't reach.
const BIND: &str = "bind = [\"127.0.0.1:0\"]\n";
const TELEMETRY: &str = "\n[telemetry]\nformat = \"json\"\nlog = \"debug\"\n";
const LIMITS_HEAD: &str = "[limits]\n";
const LIMITS: [&str; 4] = [
    "per_address = 100000\n",
    "status = { burst = 100000, per = \"1s\" }\n",
    "login = { burst = 100000, per = \"1s\" }\n",
    "transfer = { burst = 100000, per = \"1s\" }\n",
];

/// How the edge is to be started.
#[derive(Debug)]
pub struct EdgeBuilder {
    binary: PathBuf,
    folder: TempDir,
    /// `None`: no `drawbridge.toml`.
    config: Option<String>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    /// As `ulimit` takes them.
    limits: Vec<String>,
    /// Passed as a service manager does.
    socket: Option<TcpListener>,
}

/// What it takes to start an edge again.
#[derive(Debug)]
pub(super) struct Recipe {
    binary: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    limits: Vec<String>,
}

impl EdgeBuilder {
    pub(super) fn of(binary: PathBuf, folder: TempDir) -> Self {
        Self {
            binary,
            folder,
            config: Some(completed("")),
            arguments: Vec::new(),
            environment: Vec::new(),
            limits: Vec::new(),
            socket: None,
        }
    }

    /// The text of `drawbridge.toml`. What it says nothing of: `bind`, `[telemetry]` and rates are filled in, so that the
    /// edge listens on a free port of 127.0.0.1, logs as JSON, and knows no rates.
    #[must_use]
    pub fn config(mut self, text: impl fmt::Display) -> Self {
        self.config = Some(completed(text));
        self
    }

    /// A symbolic link beside the configuration, to a path as seen from it.
    ///
    /// # Panics
    /// When it can't be made.
    #[must_use]
    pub fn link(self, name: &str, to: &str) -> Self {
        link(&self.folder.path().join(name), to);
        self
    }

    /// A file beside the configuration, such as `cookie.key` or `routes/a.toml`.
    ///
    /// # Panics
    /// When it can't be written.
    #[must_use]
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        write(self.folder.path(), name, content.as_ref());
        self
    }

    /// A variable of the environment. Those of the test's own environment are passed on but for `DRAWBRIDGE__…`.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Goes by this clock.
    #[must_use]
    pub fn clock(mut self, clock: &Clock) -> Self {
        let variables =
            clock.environment().map(|(name, value)| (name.to_owned(), value.display().to_string()));
        self.environment.extend(variables);
        self
    }

    /// An argument on the command line, in the place of `run`.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// How many descriptors it may open.
    #[must_use]
    pub fn descriptor_limit(mut self, limit: u32) -> Self {
        self.limits.push(format!("-n {limit}"));
        self
    }

    /// How many bytes of addresses it may have in all, whether it uses the memory behind them or not.
    #[must_use]
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.limits.push(format!("-v {}", bytes >> 10));
        self
    }

    /// A listening socket that is passed to it as a service manager does, in place of `bind`.
    #[must_use]
    pub fn socket(self, listener: TcpListener) -> Self {
        Self { socket: Some(listener), ..self }
    }

    /// Starts the edge and waits until it listens.
    ///
    /// # Panics
    /// When it doesn't come to that; the panic tells its log.
    #[must_use]
    pub fn start(self) -> Edge {
        self.write_config();
        let process = self.spawn();
        let Self { binary, folder, arguments, environment, limits, .. } = self;
        let recipe = Recipe { binary, arguments, environment, limits };
        let log = log::Log::default().into();
        let address = SocketAddr::from(([0; 4], 0));
        let mut edge = Edge { process, folder, log, address, recipe };
        edge.listens();
        edge
    }

    /// Runs it until it ends by itself, such as with the argument `check`.
    ///
    /// # Panics
    /// When it doesn't end.
    #[must_use]
    pub fn finish(self) -> Finished {
        self.write_config();
        process::finish(self.spawn())
    }

    fn write_config(&self) {
        if let Some(config) = &self.config {
            write(self.folder.path(), "drawbridge.toml", config.as_bytes());
        }
    }

    fn spawn(&self) -> Child {
        let mut binary = process::shelled(&self.binary, &self.limits, self.socket.is_some());
        binary.stdin(match &self.socket {
            Some(socket) => {
                let copy = socket.try_clone();
                Stdio::from(OwnedFd::from(
                    copy.unwrap_or_else(|error| panic!("no copy of the socket: {error}")),
                ))
            }
            None => Stdio::null(),
        });
        process::spawn(binary, self.folder.path(), &self.arguments, &self.environment)
    }
}

impl Recipe {
    /// Starts it in that folder, to listen at that address whatever its configuration says.
    pub(super) fn spawn(&self, folder: &Path, address: SocketAddr) -> Child {
        let mut binary = process::shelled(&self.binary, &self.limits, false);
        binary.stdin(Stdio::null());
        let bind = ("DRAWBRIDGE__BIND".to_owned(), format!("[\"{address}\"]"));
        let environment: Vec<_> = self.environment.iter().cloned().chain([bind]).collect();
        process::spawn(binary, folder, &self.arguments, &environment)
    }
}

/// A test's configuration with what it leaves out, as [`EdgeBuilder::config`] says.
#[must_use]
pub fn completed(text: impl fmt::Display) -> String {
    let text = &text.to_string();
    let mut config = String::new();
    if !text.lines().any(|line| line.trim_start().starts_with("bind")) {
        config.push_str(BIND);
    }
    let says = |line: &&str| {
        let key = line.split_inclusive('=').next().unwrap_or_default();
        text.lines().any(|said| said.trim_start().starts_with(key))
    };
    let limits: String = LIMITS.into_iter().filter(|line| !says(line)).collect();
    if text.contains(LIMITS_HEAD) {
        config.push_str(&text.replacen(LIMITS_HEAD, &format!("{LIMITS_HEAD}{limits}"), 1));
    } else {
        config.push_str(&format!("{text}\n{LIMITS_HEAD}{limits}"));
    }
    if !text.contains("[telemetry]") {
        config.push_str(TELEMETRY);
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_leaves_out_is_filled_in() {
        let config =
            completed("[limits]\nlogin_timeout = \"1s\"\nlogin = { burst = 1, per = \"1s\" }\n[[routes]]\n");
        assert!(config.starts_with("bind = "));
        assert_eq!(config.matches("[limits]").count(), 1);
        assert_eq!(config.matches("login = ").count(), 1);
        assert!(config.find("status = ").unwrap() < config.find("[[routes]]").unwrap());
        let bare = completed("");
        assert!(bare.contains("[limits]\nper_address") && bare.ends_with(TELEMETRY));
    }
}
