//! No key of the configuration goes unread: each is named, by `sees!`, in a test that sees its effect.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The folders whose tests count.
const TESTS: [&str; 2] = ["crates/drawbridge/tests", "crates/edge/src"];

fn schema_keys() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_drawbridge")).arg("schema").output().unwrap();
    let schema = serde_json::from_slice(&output.stdout).unwrap();
    drawbridge_config::schema_keys(&schema).into_iter().collect()
}

/// The keys named in `sees!("…")` below a folder.
fn seen_keys(folder: &Path, seen: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            seen_keys(&path, seen);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("keys.rs") {
            let source = fs::read_to_string(path).unwrap();
            let named = source.split("sees!(").skip(1).filter_map(|rest| rest.split(");").next());
            for list in named {
                seen.extend(list.split('"').skip(1).step_by(2).map(str::to_owned));
            }
        }
    }
}

#[test]
fn every_key_is_in_a_test_that_sees_its_effect() {
    let root = drawbridge_testkit::workspace();
    let mut seen = BTreeSet::new();
    for folder in TESTS {
        seen_keys(&root.join(folder), &mut seen);
    }
    let keys = schema_keys();
    // A table is seen when a key in it is.
    let holds = |table: &str, key: &str| {
        key.strip_prefix(table).is_some_and(|rest| rest.starts_with(['.', '(', '[']))
    };
    let is_seen = |key: &String| seen.contains(key) || keys.iter().any(|other| holds(key, other));
    let unseen: Vec<_> = keys.iter().filter(|key| !is_seen(key)).collect();
    assert!(unseen.is_empty(), "no test sees the effect of: {unseen:#?}");
    let unknown: Vec<_> = seen.difference(&keys).collect();
    assert!(unknown.is_empty(), "tests name keys that don't exist: {unknown:#?}");
}
