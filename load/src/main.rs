//! `cargo xtask soak` and `cargo xtask load`.

#![forbid(unsafe_code)]

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand, ValueEnum};
use drawbridge_load::soak::{self, Plan};
use drawbridge_load::{beside, cores, figures, held, rates, sink};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Loads the edge.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    /// The edge's program, built for release.
    #[arg(long, hide = true, default_value = "target/release/drawbridge")]
    edge: PathBuf,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// All that comes by an edge, at once; exit code 1 when anything is left behind.
    Soak {
        /// For how long.
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
        minutes: u64,
    },
    /// As much of one thing as it takes until the edge breaks, and what players in play notice.
    Load {
        /// Seconds instead of minutes; figures for a glance.
        #[arg(long)]
        quick: bool,
        /// Exit code 1 when players notice more than they should.
        #[arg(long)]
        strict: bool,
        /// Only these.
        #[arg(long, value_delimiter = ',')]
        only: Vec<Part>,
        /// Strangers at any time while players are watched.
        #[arg(long, default_value_t = 64)]
        strangers: usize,
    },
    /// Takes a flood in the edge's place.
    #[command(hide = true)]
    Sink {
        /// What to answer.
        answers: PathBuf,
    },
}

/// What `load` has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Connections held at once.
    Held,
    /// Pings and logins a second.
    Rates,
    /// What players in play notice of floods.
    Play,
}

fn main() -> Result<ExitCode> {
    let Arguments { edge, task } = Arguments::parse();
    if let Task::Sink { answers } = task {
        return sink::serve(&answers).map(|()| ExitCode::SUCCESS);
    }
    let edge = edge.canonicalize().with_context(|| format!("no edge at {}", edge.display()))?;
    println!("{}\n", cores::described());
    let is_sound = match task {
        Task::Soak { minutes } => soak(&edge, minutes),
        Task::Load { quick, strict, only, strangers } => {
            let wanted = |part| only.is_empty() || only.contains(&part);
            load(&edge, quick, strangers, wanted)? || !strict
        }
        Task::Sink { .. } => true,
    };
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints a row each minute, and the verdict.
fn soak(edge: &Path, minutes: u64) -> bool {
    const EVERY: Duration = Duration::from_secs(60);
    let (mut rows, mut due) = (Vec::new(), Duration::ZERO);
    let verdict = soak::run(edge, Plan::minutes(minutes), |sample| {
        // The last one too, when all have left.
        if sample.at >= due || sample.carried == 0 {
            due = sample.at + EVERY - Duration::from_secs(1);
            rows.push(sample.cells());
            // The last row, under heads as wide as all so far.
            let table = figures::table(&soak::HEADS, &rows);
            let mut lines = table.lines();
            let head = lines.next().filter(|_| rows.len() == 1);
            head.into_iter().chain(lines.last()).for_each(|line| println!("{line}"));
        }
    });
    println!("\n{verdict}");
    verdict.is_sound()
}

/// Whether players noticed no more than they should.
fn load(edge: &Path, quick: bool, strangers: usize, wanted: impl Fn(Part) -> bool) -> Result<bool> {
    if wanted(Part::Held) {
        println!("{}", held::measure(edge)?);
    }
    if wanted(Part::Rates) {
        println!("{}", rates::measure(edge, Duration::from_secs(if quick { 1 } else { 4 }))?);
    }
    if !wanted(Part::Play) {
        return Ok(true);
    }
    let rounds = if quick { 10 } else { 40 };
    let (text, all_hit) = beside::measure(edge, beside::Plan { rounds, strangers })?;
    println!("{text}");
    Ok(all_hit)
}
