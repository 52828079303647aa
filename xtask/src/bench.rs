//! `bench`: builds the edge and the benchmarks for release, and runs them.

use crate::{command, program};
use anyhow::{Context as _, Result, ensure};
use std::process::Command;

/// Builds and measures; `arguments` are the benchmarks' own, `--help` among them.
///
/// # Errors
/// When the build or a measurement fails, or with `--strict` a goal is missed.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (edge, bench) = (program::release("drawbridge")?, program::release("drawbridge-bench")?);
    let docs = command::workspace().join("docs");
    // Standard output is the report's alone: it may be JSON.
    let status =
        Command::new(&bench).arg("--edge").arg(edge).arg("--docs").arg(docs).args(arguments).status();
    let status = status.with_context(|| format!("running {}", bench.display()))?;
    ensure!(status.success(), "the benchmarks: {status}");
    Ok(())
}
