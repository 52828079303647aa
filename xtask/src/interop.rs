//! `interop`: the tests that need system packages, marked `#[ignore]` so that nobody else runs them.

use crate::command::{self, Steps, workspace};
use crate::test;
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Installs what is missing and runs.
///
/// # Errors
/// When something is missing and can't be installed, or a test fails.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut steps = Steps::default();
    steps.needed("HAProxy", || package("haproxy", &["haproxy", "-v"]))?;
    steps.needed("dnsmasq", || package("dnsmasq-base", &["dnsmasq", "--version"]))?;
    steps.needed("Docker", || package("docker.io", &["dockerd", "--version"]))?;
    steps.needed("Java", || package("default-jdk-headless", &["javac", "-version"]))?;
    steps.needed("Go", || package("golang-go", &["go", "version"]))?;
    steps.needed("Prometheus", || package("prometheus", &["prometheus", "--version"]))?;
    let folder = workspace().join("tests/python");
    steps.needed("Python packages", || python(&folder.join("requirements.txt"), &folder.join(".venv")))?;
    // Of the whole workspace, so that libraries have the features that `test` built them with.
    steps.step("tests", || test::tests(&["--workspace", "--test", "interop"], true, arguments));
    steps.finish()
}

/// Makes sure that a program runs, by apt where there is one and it may.
///
/// # Errors
/// When it doesn't.
pub(crate) fn package(name: &str, answers: &[&str]) -> Result<()> {
    let Some((program, arguments)) = answers.split_first() else { return Ok(()) };
    if command::exists(program, arguments) {
        return Ok(());
    }
    let root = command::output(Command::new("id").arg("-u"))?.is_some_and(|id| id.trim() == "0");
    ensure!(
        root && command::exists("apt-get", &["--version"]),
        "`{program}` is missing: install it (Debian, Ubuntu: `sudo apt-get install {name}`) and run this again"
    );
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    command::run(apt().args(["update", "--quiet"]))?;
    command::run(apt().args(["install", "--yes", "--quiet", "--no-install-recommends", name]))?;
    ensure!(command::exists(program, arguments), "apt installed {name}, but `{program}` still doesn't run");
    Ok(())
}

/// A virtual environment with the packages of a file of requirements, each checked by its hash.
///
/// # Errors
/// When it can't be made.
pub(crate) fn python(requirements: &Path, environment: &Path) -> Result<()> {
    let wanted = fs::read(requirements).with_context(|| format!("reading {}", requirements.display()))?;
    let installed = environment.join("installed.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    package("python3", &["python3", "--version"])?;
    if !command::exists("python3", &["-c", "import ensurepip, venv"]) {
        package("python3-venv", &["python3", "-c", "import ensurepip, venv"])?;
    }
    command::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment))?;
    let pip: PathBuf = environment.join("bin/pip");
    let mut install = Command::new(pip);
    install.args(["install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement"]);
    command::run(install.arg(requirements))?;
    fs::write(&installed, wanted).context("noting what is installed")
}
