//! The edge as it is measured: its defaults, with one route, and with limits wide enough that a single address may load it.

use crate::process::Server;
use anyhow::Result;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// The host of the one route.
pub(crate) const HOST: &str = "play.example.com";

/// Who says that players are who they claim to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Authentication {
    /// The session server at this URL.
    SessionServer(String),
    /// Nobody.
    Disabled,
    /// Nobody either: players are carried to this target.
    Carried(SocketAddr),
}

/// How an edge is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    authentication: Authentication,
    /// 0: as many as there are cores.
    threads: usize,
}

impl Settings {
    /// With the default number of threads.
    pub(crate) fn new(authentication: Authentication) -> Self {
        Self { authentication, threads: 0 }
    }

    /// A route that carries players there.
    pub(crate) fn relaying(target: SocketAddr) -> Self {
        Self::new(Authentication::Carried(target))
    }

    /// The same with another number of threads.
    pub(crate) fn with_threads(&self, threads: usize) -> Self {
        Self { threads, ..self.clone() }
    }

    fn text(&self) -> String {
        let transfer = |authentication: &str| {
            format!(
                "mode = \"transfer\"\ntargets = [\"backend.example.com:25566\"]\n[routes.authentication]\n{authentication}"
            )
        };
        let way = match &self.authentication {
            Authentication::SessionServer(url) => transfer(&format!("type = \"mojang\"\nurl = \"{url}\"")),
            Authentication::Disabled => transfer("type = \"disabled\""),
            Authentication::Carried(target) => format!("mode = \"passthrough\"\ntargets = [\"{target}\"]"),
        };
        let threads = self.threads;
        format!(
            r#"
bind = ["127.0.0.1:0"]
threads = {threads}

[limits]
per_address = 1000000
login_timeout = "5m"
handshake_timeout = "5m"
status = {{ burst = 1000000, per = "1s" }}
login = {{ burst = 1000000, per = "1s" }}

[[routes]]
name = "bench"
hosts = ["{HOST}"]
{way}
"#
        )
    }
}

/// Starts an edge with a configuration of its own, which lives as long as the folder that is returned. It dies with this process.
///
/// # Errors
/// When it doesn't listen.
pub(crate) fn start(program: &Path, settings: &Settings) -> Result<(Server, TempDir)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("run").arg(program);
    configured(command, settings)
}

/// The same without anything in between, so that [`Server::started_in`] is the edge's time alone.
///
/// # Errors
/// When it doesn't listen.
pub(crate) fn start_directly(program: &Path, settings: &Settings) -> Result<(Server, TempDir)> {
    configured(Command::new(program), settings)
}

fn configured(mut command: Command, settings: &Settings) -> Result<(Server, TempDir)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("drawbridge.toml");
    std::fs::write(&path, settings.text())?;
    let server = Server::start(command.current_dir(&folder).arg("--config").arg(&path))?;
    Ok((server, folder))
}
