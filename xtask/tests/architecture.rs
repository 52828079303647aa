//! The rules of the house that a compiler doesn't know: which crate may depend on which, and who may use `unsafe`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on has failed")]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The rooms, top row first; see docs/architecture.md. A crate may depend on crates of lower rows only.
const ROWS: &[&[&str]] = &[
    &["drawbridge"],
    &["drawbridge-control", "drawbridge-import", "drawbridge-probe"],
    &["drawbridge-edge", "drawbridge-provider"],
    &["drawbridge-routing"],
    &[
        "drawbridge-adapter-agones",
        "drawbridge-adapter-dns",
        "drawbridge-adapter-grpc",
        "drawbridge-adapter-http",
    ],
    &["drawbridge-kubernetes"],
    &["drawbridge-adapter"],
    &["drawbridge-session", "drawbridge-store"],
    &["drawbridge-net"],
    &["drawbridge-telemetry"],
    &["drawbridge-model"],
    &["drawbridge-config"],
    &["drawbridge-limbo"],
    &["drawbridge-protocol"],
    &["drawbridge-rsa"],
];

/// Beside the house: they may use every room, and nobody may depend on them but tests.
const BESIDE: &[&str] = &["drawbridge-testkit", "drawbridge-bench", "drawbridge-load", "xtask"];

/// Crates that use `unsafe`, each with the reason at its top.
const UNSAFE: &[&str] = &["drawbridge-protocol", "drawbridge-rsa"];

struct Package {
    name: String,
    folder: PathBuf,
    dependencies: Vec<Dependency>,
}

/// A crate of the workspace that another names in its manifest.
struct Dependency {
    name: String,
    /// For tests and examples alone, rather than for the crate itself or its build script.
    dev: bool,
}

/// The folder of this package: the one that cargo runs this in, for it may have been built in another checkout.
fn xtask() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").expect("run by cargo").into()
}

fn packages() -> Vec<Package> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(xtask())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let list = |value: &Value| value.as_array().unwrap().clone();
    let package = |package: &Value| Package {
        name: text(&package["name"]),
        folder: Path::new(&text(&package["manifest_path"])).parent().unwrap().to_owned(),
        dependencies: list(&package["dependencies"])
            .iter()
            .filter(|dependency| dependency["path"].is_string())
            .map(|dependency| Dependency {
                name: text(&dependency["name"]),
                dev: dependency["kind"] == "dev",
            })
            .collect(),
    };
    list(&metadata["packages"]).iter().map(package).collect()
}

fn row(name: &str) -> usize {
    ROWS.iter()
        .position(|row| row.contains(&name))
        .unwrap_or_else(|| panic!("{name} has no row: give it one here and in docs/architecture.md"))
}

#[test]
fn dependencies_point_downwards_only() {
    for package in packages().iter().filter(|package| !BESIDE.contains(&package.name.as_str())) {
        for Dependency { name, dev } in &package.dependencies {
            if BESIDE.contains(&name.as_str()) {
                assert!(*dev, "{} uses {name}, which is for tests", package.name);
            } else {
                let lower = row(&package.name) < row(name);
                assert!(lower, "{} depends on {name}, which isn't in a lower row", package.name);
            }
        }
    }
}

#[test]
fn unsafe_is_forbidden_but_where_the_design_allows_it() {
    for package in packages() {
        let root = ["src/lib.rs", "src/main.rs"].map(|root| package.folder.join(root));
        let root = root.iter().find(|root| root.exists()).unwrap();
        let source = fs::read_to_string(root).unwrap();
        let rule = if UNSAFE.contains(&package.name.as_str()) { "deny" } else { "forbid" };
        assert!(
            source.contains(&format!("#![{rule}(unsafe_code)]")),
            "{} has to say #![{rule}(unsafe_code)]",
            root.display()
        );
    }
}

#[test]
fn the_house_plan_names_every_room() {
    let plan = xtask().join("../docs/architecture.md");
    let plan = fs::read_to_string(plan).unwrap();
    for package in packages() {
        let name = package.name.trim_start_matches("drawbridge-");
        assert!(plan.contains(&format!("`{name}`")), "docs/architecture.md doesn't name {name}");
    }
}
