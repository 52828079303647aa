//! The program's other commands: what an operator reads before, and beside, a running edge.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::SessionServer;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use support::{HUB, edge, lobby};

fn drawbridge(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_drawbridge")).args(arguments).output().unwrap()
}

fn checked(text: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("drawbridge.toml");
    fs::write(&file, text).unwrap();
    fs::write(folder.path().join("icon.png"), include_bytes!("support/icon.png")).unwrap();
    fs::write(folder.path().join("cookie.key"), [b'k'; 32]).unwrap();
    drawbridge(&["check", "--config", file.to_str().unwrap()])
}

/// Ten mistakes of ten kinds, each on the line that is named beside it.
const MISTAKES: &str = r#"bind = ["127.0.0.1"]
thraeds = 4
[limits]
handshake_timeout = 5
max_packet = "8 apples"
[proxy_protocol]
trusted = ["10.0.0.0/33"]
[unknown_host]
action = "dorp"
[[routes]]
name = "a"
hosts = ["a.example.com", "~("]
mode = "transfr"
versions = ">=1.99"
[routes.status]
favicon = "missing.png"
[routes.authentication]
type = "mojng"
"#;
const LINES: [u32; 10] = [1, 2, 4, 5, 7, 9, 12, 13, 14, 18];

#[test]
fn all_of_ten_mistakes_are_shown_each_with_its_line() {
    let output = checked(MISTAKES);
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8(output.stderr).unwrap();
    for line in LINES {
        assert!(shown.contains(&format!("drawbridge.toml:{line}:")), "nothing at line {line} in\n{shown}");
    }
    assert!(shown.contains("did you mean \"threads\"?"), "{shown}");
}

#[test]
fn the_manual_shows_a_configuration_that_holds() {
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let manual = fs::read_to_string(manual).unwrap();
    let block = manual.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let output = checked(block);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    for command in ["schema", "completions"] {
        let mut arguments = vec![command];
        arguments.extend((command == "completions").then_some("bash"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_drawbridge"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_probe_goes_all_the_way_to_the_transfer() {
    let session = SessionServer::start().unwrap();
    let edge = edge().config(lobby(&session)).start();
    let alice = session.account("Alice");
    let address = edge.address().to_string();
    let (id, url) = (alice.id().to_string(), session.url());
    let output = Command::new(env!("CARGO_BIN_EXE_drawbridge"))
        .args(["probe", &address, "--json", "--join", "Alice", "--uuid", &id, "--session-server", &url])
        .env("DRAWBRIDGE_PROBE_TOKEN", alice.token())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success(), "{report:#}");
    let steps = report["steps"].as_array().unwrap();
    let transfer = steps.iter().find(|step| step["name"] == "transfer").unwrap();
    assert_eq!(transfer["detail"], format!("{}:{}", HUB.0, HUB.1), "{report:#}");
    assert_eq!(session.asked(), 1);
}
