//! `deploy`: holds what is in `deploy/`, and the manual, to the tools that will read them.

use crate::command::{self, Steps, workspace};
use crate::{interop, program};
use anyhow::{Result, ensure};
use std::path::Path;
use std::process::Command;

/// Installs the tools and lets each look at what is its own.
///
/// # Errors
/// When a tool is missing and can't be installed, or finds a mistake.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::default();
    let tools = workspace().join("tests/python/.venv-deploy");
    let requirements = workspace().join("tests/python/deploy.txt");
    steps.needed("Python packages", || interop::python(&requirements, &tools))?;
    steps.needed("systemd", || interop::package("systemd", &["systemd-analyze", "--version"]))?;
    let tools = tools.join("bin");
    let deploy = workspace().join("deploy");
    steps.step("Dockerfile", || {
        command::run(Command::new(tools.join("hadolint")).arg(deploy.join("docker/Dockerfile")))
    });
    steps.step("Docker Compose", || {
        compose(&tools.join("docker-compose"), &deploy.join("docker/compose.yaml"))
    });
    steps.step("systemd units", || systemd(&deploy.join("systemd")));
    steps.step("Helm chart", || {
        let mut chart = Command::new(tools.join("python"));
        chart.arg(workspace().join("tests/python/chart.py")).arg(deploy.join("helm/drawbridge"));
        command::run(chart.arg(program::debug("drawbridge")?))
    });
    steps.step("manual", || book(&tools.join("mdbook")));
    steps.finish()
}

fn compose(program: &Path, file: &Path) -> Result<()> {
    command::run(Command::new(program).arg("--file").arg(file).args([
        "--profile",
        "monitoring",
        "config",
        "--quiet",
    ]))
}

/// The worst exposure that `systemd-analyze security` may find, in tenths. What is left is what an edge is for: the network.
const EXPOSURE: &str = "15";

/// Units are checked as they will be installed: with the program where they say it is.
fn systemd(units: &Path) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("drawbridge-units-{}", std::process::id()));
    let root = folder.join("root");
    let installed = root.join("etc/systemd/system");
    std::fs::create_dir_all(&installed)?;
    for unit in ["drawbridge.service", "drawbridge.socket"] {
        std::fs::copy(units.join(unit), installed.join(unit))?;
    }
    for program in ["usr/local/bin/drawbridge", "bin/kill"] {
        let program = root.join(program);
        std::fs::create_dir_all(program.parent().unwrap_or(&root))?;
        std::fs::copy("/bin/true", program)?;
    }
    let result = verified(&root).and_then(|()| shut_in(&units.join("drawbridge.service")));
    std::fs::remove_dir_all(&folder)?;
    result
}

/// `systemd-analyze verify` warns of keys that it doesn't know, and is content all the same; here that is a mistake.
fn verified(root: &Path) -> Result<()> {
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--recursive-errors=no", "--man=no"]).arg(format!("--root={}", root.display()));
    let output = verify.args(["drawbridge.service", "drawbridge.socket"]).output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success() && told.trim().is_empty(), "systemd-analyze verify: {told}");
    Ok(())
}

fn shut_in(service: &Path) -> Result<()> {
    let mut security = Command::new("systemd-analyze");
    security.args(["security", "--offline=true", "--no-pager", "--threshold", EXPOSURE]);
    let output = security.arg(service).output()?;
    let told = String::from_utf8_lossy(&output.stdout);
    println!("{}", told.trim().lines().last().unwrap_or_default());
    ensure!(output.status.success(), "systemd-analyze security: {told}");
    Ok(())
}

/// Builds the manual into `target/book`.
fn book(program: &Path) -> Result<()> {
    command::run(Command::new(program).arg("build").arg(workspace().join("docs")))
}
