//! The command line, and the order of the sections.

use crate::publish::publish;
use crate::relay::bare::Way;
use crate::report::{Line, Report};
use crate::rounds::Plan;
use crate::{bans, cipher, login, memory, ping, process, relay, reload, routes, session, start};
use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Measures the edge against references in the same run.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", disable_help_subcommand = true, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// The edge's program, built for release.
    #[arg(long, hide = true, default_value = "target/release/drawbridge")]
    edge: PathBuf,
    /// A few seconds instead of minutes; figures for a glance, not for publishing.
    #[arg(long)]
    quick: bool,
    /// JSON on standard output instead of a table; base units.
    #[arg(long)]
    json: bool,
    /// Writes what was measured into the manual, `docs/benchmarks.md`, with figures.
    #[arg(long, conflicts_with = "quick")]
    report: bool,
    /// The manual's folder.
    #[arg(long, hide = true, default_value = "docs")]
    docs: PathBuf,
    /// Exit code 1 when a goal is missed.
    #[arg(long)]
    strict: bool,
    /// Only these sections.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Section>,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Section {
    /// CPU time a status ping.
    Ping,
    /// CPU time a login.
    Login,
    /// Bytes a second through the cipher.
    Cipher,
    /// Memory at rest, and a connection.
    Memory,
    /// Looking up a route.
    Routes,
    /// What bans cost a login.
    Bans,
    /// Time until the edge listens.
    Start,
    /// Time until a changed route counts.
    Reload,
    /// CPU time of what is carried.
    Relay,
    /// CPU time a frame, where frames are looked at.
    Session,
    /// The same through the edge.
    SessionEdge,
    /// What players in sessions take of the edge's memory.
    SessionMemory,
}

/// What the program runs itself as.
#[derive(Debug, Subcommand)]
enum Role {
    /// Becomes another program, which dies with the benchmarks.
    #[command(hide = true)]
    Run {
        /// The program.
        program: PathBuf,
        /// What it is given.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Becomes HAProxy with this configuration, which listens at the address.
    #[command(hide = true)]
    RunHaproxy {
        /// Where it listens.
        address: SocketAddr,
        /// The file.
        config: PathBuf,
    },
    /// Relays by copying.
    #[command(hide = true)]
    RelayCopy {
        /// Where to.
        target: SocketAddr,
    },
    /// Relays by splice(2).
    #[command(hide = true)]
    RelaySplice {
        /// Where to.
        target: SocketAddr,
    },
    /// Answers pings with the status frame in a file.
    #[command(hide = true)]
    RespondEpoll {
        /// The file.
        status: PathBuf,
    },
    /// The same, on tokio.
    #[command(hide = true)]
    RespondTokio {
        /// The file.
        status: PathBuf,
    },
}

/// Runs what the command line says.
///
/// # Errors
/// When something can't be measured: a tool is missing, or a server doesn't do what it must.
pub(crate) fn run() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(role) = arguments.role {
        return play(role).map(|()| ExitCode::SUCCESS);
    }
    let edge =
        arguments.edge.canonicalize().with_context(|| format!("no edge at {}", arguments.edge.display()))?;
    let plan = if arguments.quick { Plan::QUICK } else { Plan::FULL };
    let wanted = |section: &Section| arguments.only.is_empty() || arguments.only.contains(section);
    if wanted(&Section::Login) {
        // Said before minutes have gone into the sections in front.
        login::openssl::check()?;
    }
    if wanted(&Section::Relay) {
        relay::check()?;
    }
    let mut report = Report::default();
    for &section in Section::value_variants().iter().filter(|section| wanted(section)) {
        let (key, title) = section.names();
        report.add(key, title, section.measure(&edge, &plan)?);
    }
    if arguments.json {
        println!("{:#}", report.json(&machine()));
    } else {
        println!("{}\n\n{}", machine(), report.table());
        println!(
            "Repeat with `cargo xtask bench`, on a machine at rest: who shares its caches and cores shifts ratios too."
        );
    }
    if arguments.report {
        publish(&report, &machine(), &arguments.docs)?;
    }
    let missed = arguments.strict && !report.all_hit();
    Ok(if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn play(role: Role) -> Result<()> {
    match role {
        Role::Run { program, arguments } => {
            process::die_with_parent()?;
            // Returns only where it fails.
            Err(Command::new(&program).args(arguments).exec()).with_context(|| program.display().to_string())
        }
        Role::RunHaproxy { address, config } => {
            process::die_with_parent()?;
            // Whoever connects waits until it does.
            eprintln!("listening {address}");
            Err(Command::new("haproxy").arg("-db").arg("-f").arg(config).exec()).context("haproxy")
        }
        Role::RelayCopy { target } => relay::bare::serve(Way::Copy, target),
        Role::RelaySplice { target } => relay::bare::serve(Way::Splice, target),
        Role::RespondEpoll { status } => ping::responder::epoll::serve(&status),
        Role::RespondTokio { status } => ping::responder::tokio::serve(&status),
    }
}

impl Section {
    /// Its name on the command line, and for people.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Ping => ("ping", "Status ping, CPU time of the server"),
            Self::Login => ("login", "Login until Transfer, CPU time of the edge"),
            Self::Cipher => ("cipher", "AES-128-CFB8, bytes a second of CPU time"),
            Self::Memory => ("memory", "Memory (PSS)"),
            Self::Routes => ("routes", "Route lookup among 100,000, CPU time"),
            Self::Bans => ("bans", "Bans, 100,000 of them, CPU time"),
            Self::Start => ("start", "Start-up"),
            Self::Reload => ("reload", "Reload of routes"),
            Self::Relay => ("relay", "Relays"),
            Self::Session => ("session", "Frames that are looked at and handed on, CPU time"),
            Self::SessionEdge => {
                ("session-edge", "Frames of sessions through the edge, CPU time of its process")
            }
            Self::SessionMemory => ("session-memory", "Players in sessions, memory of the edge (PSS)"),
        }
    }

    fn measure(self, edge: &Path, plan: &Plan) -> Result<Vec<Line>> {
        match self {
            Self::Ping => ping::measure(edge, plan),
            Self::Login => login::measure(edge, plan),
            Self::Cipher => cipher::measure(plan),
            Self::Memory => memory::measure(edge, plan),
            Self::Routes => routes::measure(plan),
            Self::Bans => bans::measure(plan),
            Self::Start => start::measure(edge, plan),
            Self::Reload => reload::measure(edge, plan),
            Self::Relay => relay::measure(edge, plan),
            Self::Session => session::measure(plan),
            Self::SessionEdge => session::through::measure(edge, plan),
            Self::SessionMemory => session::held::measure(edge, plan),
        }
    }
}

/// Processor, cores and kernel, in one line.
fn machine() -> String {
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{model}, {cores} cores, Linux {}", kernel.trim())
}
