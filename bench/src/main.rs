//! `cargo xtask bench`: what the edge costs, held against references that are measured in the same run, in turn with it.
//!
//! Everything is CPU time, from the scheduler's own count, but for what says otherwise; never time passed, which depends on
//! whoever else uses the machine. Of everything compared, the ratio is taken round by round, and the median of those counts.
//!
//! Linux only: it reads `/proc`.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod bans;
#[cfg(target_os = "linux")]
mod cipher;
#[cfg(target_os = "linux")]
mod cli;
#[cfg(target_os = "linux")]
mod connection;
#[cfg(target_os = "linux")]
mod edge;
#[cfg(target_os = "linux")]
mod login;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod ping;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod publish;
#[cfg(target_os = "linux")]
mod relay;
#[cfg(target_os = "linux")]
mod reload;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod rounds;
#[cfg(target_os = "linux")]
mod routes;
#[cfg(target_os = "linux")]
mod session;
#[cfg(target_os = "linux")]
mod start;

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<std::process::ExitCode> {
    cli::run()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("the benchmarks read /proc: they run on Linux only");
    std::process::ExitCode::FAILURE
}
