//! Programs of the workspace, built and found.

use crate::command::cargo;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Stdio;

/// Builds a package's program for release and gives its path.
///
/// # Errors
/// When it can't be built.
pub(crate) fn release(package: &str) -> Result<PathBuf> {
    build(&["--release", "--package", package], package)
}

/// Builds a program as the tests have it and gives its path: of the whole workspace, so that libraries have the same features.
///
/// # Errors
/// When it can't be built.
pub(crate) fn debug(name: &str) -> Result<PathBuf> {
    build(&["--workspace", "--bin", name], name)
}

/// Wherever cargo puts it.
fn build(arguments: &[&str], name: &str) -> Result<PathBuf> {
    let output = cargo()
        .args(["build", "--message-format=json-render-diagnostics"])
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .context("running cargo build")?;
    ensure!(output.status.success(), "cargo build {}: {}", arguments.join(" "), output.status);
    executable(&String::from_utf8_lossy(&output.stdout), name)
        .with_context(|| format!("cargo names no program {name}"))
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
