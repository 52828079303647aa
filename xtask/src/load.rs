//! `soak` and `load`: builds the edge and what loads it for release, and runs them.

use crate::program;
use anyhow::{Context as _, Result, ensure};
use std::process::Command;

/// Builds, and loads the edge by this task; `arguments` are its own, `--help` among them.
///
/// # Errors
/// When the build or the task fails, or a soak leaves something behind.
pub(crate) fn run(task: &str, arguments: &[String]) -> Result<()> {
    let (edge, load) = (program::release("drawbridge")?, program::release("drawbridge-load")?);
    let status = Command::new(&load).arg("--edge").arg(edge).arg(task).args(arguments).status();
    let status = status.with_context(|| format!("running {}", load.display()))?;
    ensure!(status.success(), "{task}: {status}");
    Ok(())
}
