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
    /// Players are carried by sessions.
    Sessions {
        /// The session server at this URL, and they are encrypted; or nobody, and they aren't.
        vouched_for_by: Option<String>,
        /// Where they are carried to; without, they are held in limbo.
        target: Option<SocketAddr>,
    },
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

    /// A route whose players are carried by sessions: to a target, or else into limbo; encrypted where a session server vouches for them.
    pub(crate) fn sessions(vouched_for_by: Option<String>, target: Option<SocketAddr>) -> Self {
        Self::new(Authentication::Sessions { vouched_for_by, target })
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
            Authentication::Sessions { vouched_for_by, target } => {
                sessions(vouched_for_by.as_deref(), *target)
            }
        };
        let threads = self.threads;
        // Players in sessions take cookies along when the edge stops.
        let is_session = matches!(self.authentication, Authentication::Sessions { .. });
        let cookies = if is_session { "[cookies]\nsecrets = [{ file = \"cookie.key\" }]\n" } else { "" };
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
play = {{ packets = 100000000, bytes = "100GiB", inflated = "100GiB" }}

{cookies}
[[routes]]
name = "bench"
hosts = ["{HOST}"]
{way}
"#
        )
    }
}

/// How players of a route are carried by sessions.
fn sessions(vouched_for_by: Option<&str>, target: Option<SocketAddr>) -> String {
    let targets = target.map(|target| format!("targets = [\"{target}\"]\n")).unwrap_or_default();
    let mode = if vouched_for_by.is_some() { "client_only" } else { "offline" };
    let url =
        vouched_for_by.map(|url| format!("[routes.authentication]\ntype = \"mojang\"\nurl = \"{url}\"\n"));
    let limbo = if target.is_some() { "when_unreachable" } else { "always" };
    format!("mode = \"{mode}\"\n{targets}{}[routes.session]\nlimbo = \"{limbo}\"\n", url.unwrap_or_default())
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
    std::fs::write(folder.path().join("cookie.key"), [7; 32])?;
    let server = Server::start(command.current_dir(&folder).arg("--config").arg(&path))?;
    Ok((server, folder))
}
