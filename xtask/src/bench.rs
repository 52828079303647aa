//! `bench`: builds the edge and the benchmarks for release, and runs them.

use crate::command::cargo;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Builds and measures; `arguments` are the benchmarks' own, `--help` among them.
///
/// # Errors
/// When the build or a measurement fails, or with `--strict` a goal is missed.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (edge, bench) = (build("drawbridge")?, build("drawbridge-bench")?);
    // Standard output is the report's alone: it may be JSON.
    let status = Command::new(&bench).arg("--edge").arg(edge).args(arguments).status();
    let status = status.with_context(|| format!("running {}", bench.display()))?;
    ensure!(status.success(), "the benchmarks: {status}");
    Ok(())
}

/// Builds a package's program and gives its path, wherever cargo puts it.
fn build(package: &str) -> Result<PathBuf> {
    let output = cargo()
        .args(["build", "--release", "--message-format=json-render-diagnostics", "--package", package])
        .stderr(Stdio::inherit())
        .output()
        .context("running cargo build")?;
    ensure!(output.status.success(), "cargo build --release --package {package}: {}", output.status);
    executable(&String::from_utf8_lossy(&output.stdout), package)
        .with_context(|| format!("cargo names no program of {package}"))
}

/// The program among cargo's messages, one JSON object a line.
fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|message| {
        let program = message.get("executable")?.as_str()?;
        (message.pointer("/target/name")?.as_str()? == name).then(|| PathBuf::from(program))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_the_messages() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"serde"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"drawbridge"},"executable":"/t/release/drawbridge"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages, "drawbridge"), Some("/t/release/drawbridge".into()));
        assert_eq!(executable(messages, "serde"), None);
    }
}
