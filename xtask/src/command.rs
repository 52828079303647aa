//! Running other programs.

use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The folder of the workspace: the one that cargo runs this in, for it may have been built in another checkout.
///
/// # Panics
/// When it isn't cargo that runs this.
pub(crate) fn workspace() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("this is run as `cargo xtask`");
    Path::new(&package).join("..")
}

/// The cargo that runs this.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace());
    command
}

/// Runs a command with its output shown.
///
/// # Errors
/// When it can't be run, or fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    println!("$ {line}");
    let status = command.status().with_context(|| format!("running {line}"))?;
    ensure!(status.success(), "{line}: {status}");
    Ok(())
}

/// Runs a command and gives what it writes to standard output, or `None` where the program doesn't exist.
///
/// # Errors
/// When it can't be run for another reason, or fails.
pub(crate) fn output(command: &mut Command) -> Result<Option<String>> {
    let output = match command.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        output => output.with_context(|| format!("running {}", line(command)))?,
    };
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {}\n{stderr}", line(command), output.status);
    Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// Writes a file that a task makes, or with `check` fails where it would change.
///
/// # Errors
/// When the file can't be written, or isn't what is to be written.
pub(crate) fn write_or_check(file: &Path, text: &str, check: bool, task: &str) -> Result<()> {
    if !check {
        return fs::write(file, text).with_context(|| format!("writing {}", file.display()));
    }
    let present = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    ensure!(present == text, outdated(file, task));
    Ok(())
}

/// What is wrong with a file that isn't what its task would write.
pub(crate) fn outdated(file: &Path, task: &str) -> String {
    format!("{} is not up to date: run `cargo xtask {task}`", file.display())
}

/// Whether a program answers to `arguments` with success.
pub(crate) fn exists(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Steps of a task, each with its result and time, told together at the end.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(&'static str, Duration, Result<()>)>,
}

impl Steps {
    /// Does a step. One that fails doesn't keep the next from being done.
    pub(crate) fn step(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) {
        let start = Instant::now();
        let result = step();
        self.done.push((name, start.elapsed(), result));
    }

    /// Does a step that nothing can follow when it fails.
    ///
    /// # Errors
    /// The step's.
    pub(crate) fn needed(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) -> Result<()> {
        let start = Instant::now();
        step().with_context(|| name)?;
        self.done.push((name, start.elapsed(), Ok(())));
        Ok(())
    }

    /// Tells what became of the steps.
    ///
    /// # Errors
    /// When one has failed.
    pub(crate) fn finish(self) -> Result<()> {
        println!();
        let mut failed = Vec::new();
        for (name, took, result) in self.done {
            let word = if result.is_ok() { "ok" } else { "FAILED" };
            println!("{word:>8}  {:>7.1} s  {name}", took.as_secs_f64());
            if let Err(error) = result {
                println!("{:>21}{error:#}", "");
                failed.push(name);
            }
        }
        ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
        Ok(())
    }
}
