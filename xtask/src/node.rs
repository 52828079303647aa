//! The npm packages in `tests/node`.

use crate::command;
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// The oldest major version of Node that the packages run on.
const OLDEST: u32 = 20;

/// Where the scripts, their `package.json` and the lock file are.
pub(crate) fn folder() -> PathBuf {
    command::workspace().join("tests/node")
}

/// Installs what the lock file says, unless that has been done.
///
/// # Errors
/// When Node or npm is missing or too old, or the installation fails.
pub(crate) fn install() -> Result<()> {
    install_in(&folder())
}

/// As [`install`], in a copy of [`folder`].
///
/// # Errors
/// As [`install`].
pub(crate) fn install_in(folder: &Path) -> Result<()> {
    let hint = format!(
        "install Node.js {OLDEST} or newer with npm: https://nodejs.org, or your system's package `nodejs`"
    );
    let version = command::output(Command::new("node").arg("--version"))?;
    let version = version.with_context(|| format!("node is missing: {hint}"))?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    ensure!(major.is_some_and(|major: u32| major >= OLDEST), "node {} is too old: {hint}", version.trim());
    if is_current(folder)? {
        return Ok(());
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    ensure!(command::exists(npm, &["--version"]), "npm is missing: {hint}");
    let mut command = Command::new(npm);
    // The packages hold no native code: nothing of theirs needs to run to be installed.
    command::run(command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder))
}

/// Whether npm has written its own record of what is installed after the lock file was last changed.
fn is_current(folder: &Path) -> Result<bool> {
    let lock =
        changed(&folder.join("package-lock.json"))?.context("tests/node/package-lock.json is missing")?;
    let installed = changed(&folder.join("node_modules/.package-lock.json"))?;
    Ok(installed.is_some_and(|installed| installed >= lock))
}

fn changed(file: &Path) -> Result<Option<SystemTime>> {
    match fs::metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        metadata => Ok(Some(metadata.and_then(|metadata| metadata.modified())?)),
    }
}
