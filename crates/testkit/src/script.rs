//! Scripts of other hands, as processes: they read JSON commands line by line, and write JSON events.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The npm packages that scripts use.
const PACKAGES: [&str; 4] = ["minecraft-protocol", "@grpc/grpc-js", "mineflayer", "flying-squid"];

/// Something that happened to whom a script plays.
#[derive(Debug, Clone)]
pub struct Event(pub(crate) Value);

impl Event {
    /// What happened, such as `transfer`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0["event"].as_str().unwrap_or_default()
    }

    /// One of its fields; null where there is none.
    #[must_use]
    pub fn field(&self, name: &str) -> &Value {
        &self.0[name]
    }
}

/// A running script and what it has said.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) process: Child,
    input: ChildStdin,
    said: Arc<Mutex<Vec<Event>>>,
}

/// A folder of `tests`.
fn folder(name: &str) -> PathBuf {
    crate::workspace().join("tests").join(name)
}

impl Script {
    /// A script of `tests/node`.
    ///
    /// # Panics
    /// When Node or the packages are missing; the text says how to get them.
    pub(crate) fn node(name: &str, arguments: &[String]) -> Self {
        let folder = folder("node");
        assert!(
            PACKAGES.iter().all(|package| folder.join("node_modules").join(package).is_dir()),
            "the npm packages of tests/node are missing: `cargo xtask test` installs them, as does `npm ci` in that folder"
        );
        let started = Self::start(Command::new("node").arg(folder.join(name)).args(arguments));
        started.unwrap_or_else(|error| {
            panic!("Node can't be run ({error}): install Node.js 20 or newer, https://nodejs.org")
        })
    }

    /// A script of `tests/python`.
    ///
    /// # Panics
    /// When Python or the packages are missing; the text says how to get them.
    pub(crate) fn python(name: &str, arguments: &[String]) -> Self {
        let folder = folder("python");
        let python = folder.join(".venv/bin/python");
        let started = Self::start(Command::new(&python).arg(folder.join(name)).args(arguments));
        started.unwrap_or_else(|error| {
            panic!("{} can't be run ({error}): `cargo xtask interop` makes it", python.display())
        })
    }

    fn start(command: &mut Command) -> std::io::Result<Self> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            unreachable!("both were asked for");
        };
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Ok(event) = serde_json::from_str(&line) {
                    heard.lock().unwrap_or_else(PoisonError::into_inner).push(Event(event));
                }
            }
        });
        Ok(Self { process, input, said })
    }

    /// What it has said so far.
    pub(crate) fn said(&self) -> MutexGuard<'_, Vec<Event>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells it to do something.
    ///
    /// # Panics
    /// When it has ended.
    pub(crate) fn order(&self, order: &Value) {
        // In one piece, since others may give orders at the same time.
        let sent = (&self.input).write_all(format!("{order}\n").as_bytes());
        assert!(sent.is_ok(), "the script has ended; its standard error says why");
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // Nothing is lost with it, and it may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
