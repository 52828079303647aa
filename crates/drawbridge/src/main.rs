//! The program: command line, and what it sets in motion.

#![forbid(unsafe_code)]

mod bans;
mod check;
mod ctl;
mod demo;
#[cfg(test)]
mod imported;
mod kept;
mod provided;
mod run;
mod settings;
mod told;
mod watch;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use settings::Source;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// What a flood took is given back to the machine some seconds after it: the C library's allocator keeps it for as long as the edge runs.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The edge of a Minecraft: Java Edition network
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    configuration: Configuration,

    #[command(subcommand)]
    command: Option<Command>,
}

/// Where the configuration is.
#[derive(Debug, Clone, clap::Args)]
struct Configuration {
    /// The main file; default: drawbridge.toml, where there is one, else the built-in defaults
    #[arg(long, short, value_name = "FILE", env = "DRAWBRIDGE_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the edge (the default)
    Run(Configuration),
    /// Run an edge with two worlds of its own, to join and look around: no set-up, no servers, no accounts
    Demo,
    /// Check the configuration and show every mistake in it
    Check {
        #[command(flatten)]
        configuration: Configuration,

        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// See what a running edge does, and tell it what to do
    Ctl(ctl::CtlArgs),
    /// Keep players, addresses or networks out
    Ban(bans::BanArgs),
    /// Lift bans
    Unban(bans::UnbanArgs),
    /// Show who is banned
    Bans(bans::BansArgs),
    /// Go a client's way into a server, step by step, and say what is wrong
    Probe(drawbridge_probe::ProbeArgs),
    /// Make a configuration of another program's, and say what became of each of its keys
    Import(drawbridge_import::ImportArgs),
    /// Print the JSON schema of the configuration
    Schema,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

fn main() -> ExitCode {
    let Arguments { configuration, command } = Arguments::parse();
    match command.unwrap_or(Command::Run(configuration)) {
        Command::Run(configuration) => run::run(Source::new(configuration.config)),
        Command::Demo => demo::run(),
        Command::Check { configuration, json } => check::run(configuration.config, json),
        Command::Ctl(arguments) => ctl::run(arguments),
        Command::Ban(arguments) => bans::ban(&arguments),
        Command::Unban(arguments) => bans::unban(&arguments),
        Command::Bans(arguments) => bans::list(&arguments),
        Command::Probe(arguments) => drawbridge_probe::run(arguments),
        Command::Import(arguments) => import(&arguments),
        Command::Schema => print_schema(),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "drawbridge", &mut text);
            print(&text)
        }
    }
}

fn import(arguments: &drawbridge_import::ImportArgs) -> ExitCode {
    match drawbridge_import::run(arguments) {
        Ok(text) => print(text.as_bytes()),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print_schema() -> ExitCode {
    print(format!("{:#}\n", drawbridge_config::schema::<settings::Settings>()).as_bytes())
}

/// Writes to standard output. A reader that has seen enough closes the pipe, which is no failure.
fn print(text: &[u8]) -> ExitCode {
    match io::stdout().write_all(text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("error: standard output can't be written: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}
