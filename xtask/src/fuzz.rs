//! `fuzz`: builds the targets in `fuzz/` with the instrumentation that libFuzzer follows, and runs them one after the other.
//!
//! What must stay true: nothing in the repository changes but by `--merge`; what a run has found interesting is there for the next one, in the target
//! folder; a target that fails doesn't keep the others from running.

mod corpus;
mod spent;

use crate::command;
use anyhow::{Context as _, Result, bail, ensure};
use spent::{Clock, Spent};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What the compiler is told: counters on each edge, and comparisons seen with what they compare. The stable one has all of it.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// The longest that one input may take, in seconds, and the most memory of the process, in MiB.
const TIMEOUT: u32 = 10;
const MEMORY: u32 = 1_024;

/// How many lines of a target that fails are shown.
const SHOWN: usize = 60;

/// Where things are.
struct Folders {
    /// The crate.
    source: PathBuf,
    /// What is built, and what runs leave behind.
    target: PathBuf,
    /// The programs.
    programs: PathBuf,
}

/// Runs targets, or all, for so many seconds each; with `merge` brings what they have found back into the repository instead.
///
/// # Errors
/// When the build fails, or a target finds something.
pub(crate) fn run(targets: &[String], seconds: u64, merge: bool) -> Result<()> {
    let folders = Folders::find()?;
    let all = folders.targets()?;
    let unknown = targets.iter().find(|target| !all.contains(target));
    ensure!(
        unknown.is_none(),
        "there is no target {}; there are {}",
        unknown.map_or("", String::as_str),
        all.join(", ")
    );
    let targets = if targets.is_empty() { &all } else { targets };
    folders.build(targets)?;
    let mut failed = Vec::new();
    for target in targets {
        let outcome = if merge { folders.merge(target) } else { folders.fuzz(target, seconds) };
        if let Err(error) = outcome {
            println!("{target}: {error:#}");
            failed.push(target.as_str());
        }
    }
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

impl Folders {
    fn find() -> Result<Self> {
        let metadata =
            command::output(command::cargo().args(["metadata", "--no-deps", "--format-version=1"]))?;
        let metadata: serde_json::Value = serde_json::from_str(&metadata.context("there is no cargo")?)?;
        let target = metadata["target_directory"].as_str().context("cargo doesn't say where it builds")?;
        let target = Path::new(target).join("fuzz");
        let versions = command::output(Command::new("rustc").arg("-vV"))?.context("there is no rustc")?;
        let host =
            versions.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
        let programs = target.join(host).join("release");
        Ok(Self { source: command::workspace().join("fuzz"), target, programs })
    }

    /// The names of all targets, in order.
    fn targets(&self) -> Result<Vec<String>> {
        let folder = self.source.join("fuzz_targets");
        let files = fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
        let mut names = Vec::new();
        for file in files {
            let path = file?.path();
            if path.extension() == Some(OsStr::new("rs")) {
                names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn build(&self, targets: &[String]) -> Result<()> {
        let host = self.programs.parent().and_then(Path::file_name).context("a host")?;
        let mut cargo = command::cargo();
        cargo
            .args(["build", "--release", "--all-features", "--manifest-path"])
            .arg(self.source.join("Cargo.toml"));
        // Flags of a target named expressly are not those of build scripts and macros, which couldn't be linked with them.
        cargo.arg("--target").arg(host);
        cargo.args(targets.iter().flat_map(|target| ["--bin", target]));
        cargo
            .env("CARGO_TARGET_DIR", &self.target)
            .env("RUSTFLAGS", "--cfg fuzzing")
            .env("DRAWBRIDGE_FUZZ_FLAGS", FLAGS)
            .env("RUSTC_WRAPPER", self.source.join("instrument.sh"))
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        command::run(&mut cargo)
    }

    /// What a target has found interesting so far: what was packed, seeds, and what runs have added.
    fn corpus(&self, target: &str) -> Result<PathBuf> {
        let folder = self.target.join("corpus").join(target);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        corpus::unpack(&self.packed(target), &folder)?;
        let sown = Command::new(self.programs.join(target)).env("DRAWBRIDGE_FUZZ_SEEDS", &folder).output();
        ensure!(
            sown.with_context(|| format!("running {target}"))?.status.success(),
            "its seeds can't be written"
        );
        Ok(folder)
    }

    fn packed(&self, target: &str) -> PathBuf {
        self.source.join("corpus").join(format!("{target}.pack"))
    }

    /// The program with libFuzzer's arguments. Its stack is that of the edge's threads, so that what nests too deep shows.
    fn program(&self, target: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -s 2048; exec \"$0\" \"$@\""]).arg(self.programs.join(target));
        shell.args([format!("-timeout={TIMEOUT}"), format!("-rss_limit_mb={MEMORY}")]);
        shell
    }

    fn fuzz(&self, target: &str, seconds: u64) -> Result<()> {
        let corpus = self.corpus(target)?;
        let found = self.target.join("artifacts").join(target);
        fs::create_dir_all(&found).with_context(|| format!("making {}", found.display()))?;
        let mut program = self.program(target);
        program.args([format!("-max_total_time={seconds}"), "-print_final_stats=1".to_owned()]);
        program.arg(format!("-artifact_prefix={}/", found.display())).arg(&corpus);
        let clock = Clock::start();
        let output = program.output().with_context(|| format!("running {target}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        let executions = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
        let executions = executions.and_then(|number| number.trim().parse().ok()).unwrap_or(0);
        let spent = clock.spent(executions);
        Spent::add(&self.target.join("spent.json"), target, spent)?;
        let inputs = fs::read_dir(&corpus)?.count();
        println!(
            "{target:>12}: {executions} executions in {:.1} s of CPU time, {inputs} inputs",
            spent.seconds
        );
        succeed(&output)
    }

    /// Packs the fewest inputs that reach all that the corpus reaches, and adds up what was spent.
    fn merge(&self, target: &str) -> Result<()> {
        let corpus = self.corpus(target)?;
        let fewest = self.target.join("merged").join(target);
        let _ = fs::remove_dir_all(&fewest);
        fs::create_dir_all(&fewest).with_context(|| format!("making {}", fewest.display()))?;
        let output = self.program(target).arg("-merge=1").args([&fewest, &corpus]).output()?;
        succeed(&output)?;
        let size = corpus::pack(&fewest, &self.packed(target))?;
        fs::remove_dir_all(&corpus)?;
        fs::rename(&fewest, &corpus)?;
        Spent::bring_home(&self.target.join("spent.json"), &self.source.join("spent.json"), target)?;
        println!("{target:>12}: {} inputs, packed into {size} bytes", fs::read_dir(&corpus)?.count());
        Ok(())
    }
}

/// Shows what a target that has failed said last.
fn succeed(output: &Output) -> Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let from = said.lines().position(|line| line.contains("panicked at")).unwrap_or(usize::MAX);
    let lines: Vec<_> = said.lines().collect();
    let last = lines.len().saturating_sub(SHOWN).min(from);
    lines.iter().skip(last).take(SHOWN).for_each(|line| println!("    {line}"));
    let file = lines.iter().rev().find_map(|line| line.split_once("Test unit written to "));
    match file {
        Some((_, file)) => bail!("{}; run the program with {file} alone to see it again", output.status),
        None => bail!("{}", output.status),
    }
}
