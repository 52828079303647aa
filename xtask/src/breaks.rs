//! `breaks`: shows of each promise that its test fails without the code behind it.
//!
//! `xtask/breaks.toml` lists edits that each break one promise. All are put into a copy of the checkout, which is built once; each counts where
//! the environment has its name. So each test meets the program as it is, but for the one thing that is taken away.

use crate::command::{self, cargo, workspace};
use crate::node;
use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The variable of the environment that says what is broken.
const VARIABLE: &str = "BROKEN";

/// What [`VARIABLE`] stands for in edits: whether this entry counts.
fn counts(name: &str) -> String {
    format!("std::env::var_os({VARIABLE:?}).is_some_and(|broken| broken == {name:?})")
}

#[derive(Debug, Deserialize)]
struct List {
    r#break: Vec<Break>,
}

/// Something that is taken away, and the test that has to fail then.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Break {
    name: String,
    test: String,
    #[serde(default)]
    edits: Vec<Edit>,
    /// Variables that break it without an edit.
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

/// A place in a file, and what stands there instead.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: PathBuf,
    was: String,
    is: String,
}

fn list() -> Result<Vec<Break>> {
    let path = workspace().join("xtask/breaks.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    Ok(toml::from_str::<List>(&text).context("xtask/breaks.toml")?.r#break)
}

/// Breaks what is named, or everything, one after the other.
///
/// # Errors
/// When a test notices nothing, or anything else fails.
pub(crate) fn run(names: &[String]) -> Result<()> {
    let nextest = command::exists("cargo", &["nextest", "--version"]);
    ensure!(nextest, "cargo-nextest is missing: https://nexte.st says how to install it");
    let mut breaks = list()?;
    if let Some(unknown) = names.iter().find(|name| !breaks.iter().any(|each| each.name == **name)) {
        bail!("{unknown} isn't in xtask/breaks.toml");
    }
    let house = House::build(&breaks)?;
    breaks.retain(|each| names.is_empty() || names.contains(&each.name));
    let tests: BTreeSet<_> = breaks.iter().map(|each| &*each.test).collect();
    let sound = house.test(&tests, None)?;
    ensure!(
        sound.status.success(),
        "a test fails though nothing is broken:\n{}",
        String::from_utf8_lossy(&sound.stderr)
    );
    let mut unnoticed = Vec::new();
    for each in &breaks {
        let noticed = house.notices(each)?;
        println!("{:>9}  {:<24} {}", if noticed { "noticed" } else { "UNNOTICED" }, each.name, each.test);
        if !noticed {
            unnoticed.push(&*each.name);
        }
    }
    ensure!(unnoticed.is_empty(), "no test fails without: {}", unnoticed.join(", "));
    Ok(())
}

/// A copy of the checkout with all edits in it.
struct House {
    checkout: PathBuf,
    target: PathBuf,
}

impl House {
    fn build(breaks: &[Break]) -> Result<Self> {
        let house = Self::beside(&target()?);
        house.copy(breaks)?;
        node::install_in(&house.checkout.join("tests/node"))?;
        command::run(house.nextest().arg("--no-run"))?;
        Ok(house)
    }

    fn beside(target: &Path) -> Self {
        let folder = target.join("breaks");
        Self { checkout: folder.join("checkout"), target: folder.join("target") }
    }

    /// Only what differs is written, so that only that is built anew.
    fn copy(&self, breaks: &[Break]) -> Result<()> {
        let edited = edited(breaks)?;
        let files = command::output(Command::new("git").current_dir(workspace()).args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]))?
        .context("git isn't installed: which files belong to the checkout isn't known")?;
        for file in files.split('\0').filter(|file| !file.is_empty()) {
            let (from, to) = (workspace().join(file), self.checkout.join(file));
            // One that was deleted and isn't committed yet.
            let Ok(text) = fs::read(&from) else { continue };
            let text = edited.get(Path::new(file)).map_or(text, |edited| edited.clone().into_bytes());
            if fs::read(&to).is_ok_and(|there| there == text) {
                continue;
            }
            fs::create_dir_all(to.parent().unwrap_or(&self.checkout))?;
            fs::write(&to, text)?;
            fs::set_permissions(&to, fs::metadata(&from)?.permissions())?;
        }
        Ok(())
    }

    fn nextest(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.checkout).env("CARGO_TARGET_DIR", &self.target);
        // Those of the crate that runs this.
        command.env_remove("CARGO_MANIFEST_DIR");
        command.args(["nextest", "run", "--workspace", "--locked"]);
        command
    }

    fn test(&self, tests: &BTreeSet<&str>, broken: Option<&Break>) -> Result<Output> {
        let filter: Vec<_> = tests.iter().map(|test| format!("test(/(^|::){test}$/)")).collect();
        let mut command = self.nextest();
        command.args(["--no-fail-fast", "--retries", "0", "-E", &filter.join(" | ")]);
        if let Some(broken) = broken {
            command.env(VARIABLE, &broken.name).envs(&broken.environment);
        }
        command.output().context("running cargo nextest")
    }

    /// Whether the test fails, and not for another reason.
    fn notices(&self, broken: &Break) -> Result<bool> {
        /// As nextest ends when a test has failed.
        const FAILED: i32 = 100;
        let output = self.test(&BTreeSet::from([&*broken.test]), Some(broken))?;
        match output.status.code() {
            Some(0) => Ok(false),
            Some(FAILED) => Ok(true),
            _ => bail!("{}: {}", broken.test, String::from_utf8_lossy(&output.stderr)),
        }
    }
}

/// The folder of what cargo builds.
fn target() -> Result<PathBuf> {
    let metadata =
        command::output(cargo().args(["metadata", "--format-version", "1", "--no-deps", "--offline"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata.context("there is no cargo")?)?;
    let target = metadata.get("target_directory").and_then(serde_json::Value::as_str);
    Ok(target.context("cargo names no target folder")?.into())
}

/// The files that edits change, with all of them.
fn edited(breaks: &[Break]) -> Result<BTreeMap<PathBuf, String>> {
    let mut edited = BTreeMap::new();
    for Break { name, edits, .. } in breaks {
        for Edit { file, was, is } in edits {
            if !edited.contains_key(file) {
                let text = fs::read_to_string(workspace().join(file));
                edited.insert(file.clone(), text.with_context(|| format!("{name}: {}", file.display()))?);
            }
            let Some(text) = edited.get_mut(file) else { continue };
            let times = text.matches(was.as_str()).count();
            ensure!(times == 1, "{name}: {} has this {times} times: {was}", file.display());
            *text = text.replace(was.as_str(), &is.replace(VARIABLE, &counts(name)));
        }
    }
    Ok(edited)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

    use super::*;

    #[test]
    fn every_edit_has_its_place() {
        assert!(edited(&list().unwrap()).unwrap().len() > 40);
    }

    #[test]
    fn every_promise_can_be_broken() {
        let page = fs::read_to_string(workspace().join("docs/promises.md")).unwrap();
        let breaks = list().unwrap();
        let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| promise |"));
        for row in rows {
            let broken = breaks.iter().any(|each| row.contains(&format!("`{}`", each.test)));
            assert!(broken, "nothing in xtask/breaks.toml breaks: {row}");
        }
        for Break { name, test, edits, environment } in &breaks {
            assert!(!edits.is_empty() || !environment.is_empty(), "{name} breaks nothing");
            assert!(page.contains(&format!("`{test}`")), "{name}: no promise names {test}");
        }
    }
}
