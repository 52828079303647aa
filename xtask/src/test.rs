//! `test`: everything that Rust and Node suffice for.

use crate::command::{self, Steps, cargo};
use crate::{node, packet_ids, play_vectors, reference};
use anyhow::Result;
use std::thread;

/// Installs, builds and runs.
///
/// # Errors
/// When a tool is missing, or anything fails.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut steps = Steps::default();
    steps.needed("npm packages", node::install)?;
    steps.needed("build", || command::run(cargo().args(["build", "--workspace", "--all-targets"])))?;
    steps.step("packet ids", || packet_ids::run(&node::folder().join(packet_ids::DATA), true));
    steps.step("packets of play", || play_vectors::run(true));
    steps.step("reference of the configuration", || reference::run(true));
    steps.step("tests", || tests(&["--workspace"], false, arguments));
    if arguments.is_empty() {
        steps.step("examples in the documentation", || {
            command::run(cargo().args(["test", "--workspace", "--doc", "--quiet"]))
        });
    }
    steps.finish()
}

/// Runs tests with nextest where that is installed, else with cargo itself; `ignored`: those alone that are marked so.
///
/// # Errors
/// When one fails.
pub(crate) fn tests(selection: &[&str], ignored: bool, arguments: &[String]) -> Result<()> {
    let mut command = cargo();
    if command::output(cargo().args(["nextest", "--version"])).is_ok_and(|version| version.is_some()) {
        // How many of them each test takes stands in `.config/nextest.toml`.
        let halves = 2 * thread::available_parallelism()?.get();
        command.args(["nextest", "run"]).args(selection).env("NEXTEST_TEST_THREADS", halves.to_string());
        if ignored {
            command.args(["--run-ignored", "only"]);
        }
        command.args(arguments);
    } else {
        command.arg("test").args(selection);
        if selection == ["--workspace"] {
            command.args(["--lib", "--bins", "--tests"]);
        }
        command.args(arguments);
        if ignored {
            command.args(["--", "--ignored"]);
        }
    }
    command::run(&mut command)
}
