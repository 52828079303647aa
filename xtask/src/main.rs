//! The project's own commands: `cargo xtask …`.

#![forbid(unsafe_code)]

mod bench;
mod breaks;
mod command;
mod deploy;
mod differential;
mod fuzz;
mod interop;
mod limbo_data;
mod load;
mod matrix;
mod node;
mod packet_ids;
mod play_vectors;
mod program;
mod reference;
mod test;

use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Installs the npm packages that the tests need, and runs everything that Rust and Node suffice for.
    Test {
        /// Passed on to `cargo nextest run`, or `cargo test` where there is no nextest: filters, for instance.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Runs the tests that need system packages (Python, HAProxy, dnsmasq), and installs those with apt where it may.
    Interop {
        /// Passed on as those of `test`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Has node-minecraft-protocol join through the edge in every version and in every way, which takes some minutes.
    Matrix {
        /// Passed on as those of `test`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Compares packets with random values, in every release, with node-minecraft-protocol's: what it writes, and what it reads.
    Differential {
        /// Any word; the same one makes the same packets. Default: the time.
        #[arg(long)]
        seed: Option<String>,
        /// How often each packet that the edge knows is written, in each release.
        #[arg(long, default_value_t = 100)]
        rounds: usize,
    },
    /// Holds what is in `deploy/`, and the manual, to the tools that will read them, and installs these with pip and apt.
    Deploy,
    /// Feeds whatever meets a peer or an operator with hostile input, guided by coverage.
    Fuzz {
        /// The targets, files of `fuzz/fuzz_targets`; default: all, one after the other.
        targets: Vec<String>,
        /// How long each runs.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Runs nothing, and brings what runs have found back into the repository, in the fewest inputs.
        #[arg(long)]
        merge: bool,
    },
    /// Breaks what is promised, one thing at a time, and fails where no test notices; takes half an hour.
    Breaks {
        /// Entries of `xtask/breaks.toml`; default: all.
        names: Vec<String>,
    },
    /// Measures the edge against references in the same run; `cargo xtask bench --help` names the arguments.
    #[command(disable_help_flag = true)]
    Bench {
        /// Passed on to the benchmarks.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Puts all that comes by an edge on one at once, and fails when anything is left behind; `cargo xtask soak --help` names the arguments.
    #[command(disable_help_flag = true)]
    Soak {
        /// Passed on.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Has as much of one thing come as it takes until the edge breaks; `cargo xtask load --help` names the arguments.
    #[command(disable_help_flag = true)]
    Load {
        /// Passed on.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Writes the table of packet ids from the npm package minecraft-data.
    PacketIds {
        /// Changes nothing, and fails where the table would change.
        #[arg(long)]
        check: bool,
    },
    /// Writes the packets of play that the protocol's tests compare with, as node-minecraft-protocol makes them.
    PlayVectors {
        /// Changes nothing, and fails where the packets would change.
        #[arg(long)]
        check: bool,
    },
    /// Writes the packets of limbos from the npm packages minecraft-data and minecraft-protocol.
    LimboData {
        /// Changes nothing, and fails where the file would change, or clients made by other hands don't find it sound.
        #[arg(long)]
        check: bool,
    },
    /// Writes the reference of the configuration, docs/reference.md, from `drawbridge schema`.
    Reference {
        /// Changes nothing, and fails where the page would change.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Test { arguments } => test::run(&arguments),
        Task::Interop { arguments } => interop::run(&arguments),
        Task::Matrix { arguments } => matrix::run(&arguments),
        Task::Differential { seed, rounds } => differential::run(seed, rounds),
        Task::Deploy => deploy::run(),
        Task::Fuzz { targets, seconds, merge } => fuzz::run(&targets, seconds, merge),
        Task::Breaks { names } => breaks::run(&names),
        Task::Bench { arguments } => bench::run(&arguments),
        Task::Soak { arguments } => load::run("soak", &arguments),
        Task::Load { arguments } => load::run("load", &arguments),
        Task::Reference { check } => reference::run(check),
        Task::PlayVectors { check } => {
            node::install()?;
            play_vectors::run(check)
        }
        Task::PacketIds { check } => {
            node::install()?;
            packet_ids::run(&node::folder().join(packet_ids::DATA), check)
        }
        Task::LimboData { check } => {
            node::install()?;
            limbo_data::run(check)
        }
    }
}
