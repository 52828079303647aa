//! The program's other commands: what an operator reads before, and beside, a running edge.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::SessionServer;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use support::{HUB, edge, lobby};

fn drawbridge(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_drawbridge")).args(arguments).output().unwrap()
}

/// The key of RFC 8032, section 7.1, test 1.
const PUBLISHED_KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----";

fn checked(text: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("drawbridge.toml");
    fs::write(&file, text).unwrap();
    fs::write(folder.path().join("icon.png"), include_bytes!("support/icon.png")).unwrap();
    fs::write(folder.path().join("cookie.key"), [b'k'; 32]).unwrap();
    let key = folder.path().join("ticket.key");
    fs::write(&key, PUBLISHED_KEY).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
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
[routes.authentication]
type = "mojng"
"#;
const LINES: [u32; 10] = [1, 2, 4, 5, 7, 9, 12, 13, 14, 16];

#[test]
fn all_of_ten_mistakes_are_shown_each_with_its_line() {
    let output = checked(MISTAKES);
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8(output.stderr).unwrap();
    for line in LINES {
        assert!(shown.contains(&format!("drawbridge.toml:{line}:")), "nothing at line {line} in\n{shown}");
    }
    assert_eq!(shown.matches("error: ").count(), LINES.len(), "{shown}");
    assert!(shown.contains("did you mean \"threads\"?"), "{shown}");
}

#[test]
fn a_check_is_told_as_json_too() {
    let check = |text: &str, arguments: &[&str]| {
        let edge = edge().file("etc/edge.toml", text).env("DRAWBRIDGE_CONFIG", "etc/edge.toml");
        let finished =
            arguments.iter().fold(edge.argument("check"), |edge, argument| edge.argument(argument)).finish();
        let report: Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!(finished.stderr, "");
        (finished.status.code(), report)
    };
    let (code, report) = check(MISTAKES, &["--json"]);
    assert_eq!((code, &report["errors"]), (Some(1), &json!(LINES.len())));
    let told = report["diagnostics"].as_array().unwrap();
    for line in LINES {
        let here = |mistake: &&Value| mistake["line"] == line && mistake["file"] == "etc/edge.toml";
        let mistake = told.iter().find(here).unwrap_or_else(|| panic!("nothing at line {line}: {report:#}"));
        assert_eq!(mistake["severity"], "error");
    }
    let (code, report) = check("threads = 2\n", &["--json"]);
    assert_eq!((code, report), (Some(0), json!({ "errors": 0, "warnings": 0, "diagnostics": [] })));
    // A file that is named on the command line comes before the one of the environment.
    let (code, report) = check("", &["--json", "--config", "nowhere.toml"]);
    assert_eq!((code, &report["errors"]), (Some(1), &json!(1)));
    assert!(report["diagnostics"][0]["message"].as_str().unwrap().contains("nowhere.toml"), "{report:#}");
}

/// What reads no configuration takes none; before a command stands none either, where it would be unclear whose it is.
#[test]
fn a_configuration_is_given_to_what_reads_one() {
    for arguments in [
        &["schema", "--config", "x.toml"][..],
        &["completions", "bash", "--config", "x.toml"],
        &["probe", "localhost", "--config", "x.toml"],
        &["--config", "x.toml", "schema"],
        &["--config", "x.toml", "check"],
    ] {
        let output = drawbridge(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    for arguments in
        [&["--config", "nowhere.toml"][..], &["run", "-c", "nowhere.toml"], &["check", "-c", "nowhere.toml"]]
    {
        let output = drawbridge(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("nowhere.toml"), "{arguments:?}");
    }
}

/// The manual's folder.
fn docs() -> PathBuf {
    drawbridge_testkit::workspace().join("docs")
}

/// The pieces of configuration in a page of the manual.
fn examples(page: &Path) -> Vec<String> {
    let page = fs::read_to_string(page).unwrap();
    let examples = page.split("```toml\n").skip(1);
    examples.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// The configuration in the manual.
fn manual() -> String {
    examples(&docs().join("configuration.md")).swap_remove(0)
}

#[test]
fn the_first_example_of_every_adapter_holds() {
    let mut pages = 0;
    for page in fs::read_dir(docs().join("adapters")).unwrap() {
        let page = page.unwrap().path();
        let output = checked(&examples(&page)[0]);
        let shown = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !shown.contains("warning: "), "{}: {shown}", page.display());
        pages += 1;
    }
    assert!(pages > 0);
}

#[test]
fn the_manual_shows_a_configuration_that_holds() {
    let as_it_stands = manual();
    // Of the two ways to write targets the examples show both, and a route takes one.
    let short_form = |line: &&str| !line.contains("short for");
    let with_examples: Vec<_> =
        as_it_stands.lines().filter(short_form).map(|line| line.trim_start_matches("# ")).collect();
    // By default a route has no target, which is right but unwise.
    for (text, warnings) in [(as_it_stands.as_str(), 1), (&with_examples.join("\n"), 0)] {
        let output = checked(text);
        let shown = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{shown}");
        assert_eq!(shown.matches("warning: ").count(), warnings, "{shown}");
    }
}

/// What the manual gives as defaults are the schema's; what a route must have is an example.
#[test]
fn the_manual_shows_the_defaults() {
    let schema: Value = serde_json::from_slice(&drawbridge(&["schema"]).stdout).unwrap();
    let mut shown = toml::from_str::<toml::Table>(&manual()).unwrap();
    let routes = shown.remove("routes").unwrap();
    let mut compared = 0;
    compare(&schema, &schema, "", &json!(shown), &mut compared);
    compare(&schema, &schema["$defs"]["RouteSection"], "routes", &json!(routes[0]), &mut compared);
    assert!(compared > 35, "{compared} values only");
    let others = examples(&docs().join("configuration.md"));
    for others in others.iter().skip(1) {
        let others = json!(toml::from_str::<toml::Table>(others).unwrap());
        let before = compared;
        let route = others["routes"].get(0).unwrap_or(&others["routes"]);
        compare(&schema, &schema["$defs"]["RouteSection"], "routes", route, &mut compared);
        assert!(compared >= before + 5, "{} values only: {others:#}", compared - before);
    }
}

/// Compares each value with the default in the part of the schema that describes its table.
fn compare(schema: &Value, part: &Value, path: &str, table: &Value, compared: &mut usize) {
    let resolved = |part: &Value| -> Value {
        let reference =
            part["$ref"].as_str().and_then(|reference| schema.pointer(reference.strip_prefix('#')?));
        reference.unwrap_or(part).clone()
    };
    let part = resolved(part);
    let of_kind = |kind: &&Value| kind["properties"]["type"]["const"] == table["type"];
    let part = part["oneOf"].as_array().map_or(&part, |kinds| kinds.iter().find(of_kind).unwrap());
    let required = part["required"].as_array().cloned().unwrap_or_default();
    for (key, value) in table.as_object().unwrap() {
        let described = &part["properties"][key];
        match (described.get("default"), value) {
            (Some(default), value) => {
                assert_eq!(value, default, "{path}.{key}");
                *compared += 1;
            }
            (None, Value::Object(_)) => compare(schema, described, &format!("{path}.{key}"), value, compared),
            (None, _) => {
                assert!(required.contains(&json!(key)), "{path}.{key} has no default: {described:#}");
            }
        }
    }
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

#[test]
fn a_level_that_is_none_and_a_route_without_targets_are_told() {
    let output = checked("[telemetry]\nlog = \"inof\"\n");
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8(output.stderr).unwrap();
    assert!(shown.contains("did you mean \"info\"?"), "{shown}");
    let output = checked("[[routes]]\nname = \"a\"\nhosts = [\"*\"]\nmode = \"transfer\"\n");
    assert_eq!(output.status.code(), Some(0));
    let shown = String::from_utf8(output.stderr).unwrap();
    assert!(shown.contains("warning: the route has no target"), "{shown}");
}
