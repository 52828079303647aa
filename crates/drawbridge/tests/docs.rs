//! What the manual and `deploy/` show is what the program takes: every example of a configuration, and every command line.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use drawbridge_model::{Refusal, Severity};
use drawbridge_testkit::{Certificates, workspace};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use tempfile::TempDir;

/// The key of RFC 8032, section 7.1, test 1.
const TICKET_KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----";

/// Whom examples trust, and what their edge shows.
static CERTIFICATES: LazyLock<Certificates> = LazyLock::new(Certificates::new);

/// A route for examples that show a part of one.
const ROUTE: &str = "[[routes]]\nname = \"example\"\nhosts = [\"*\"]\nmode = \"transfer\"\n";

fn drawbridge(arguments: &[impl AsRef<std::ffi::OsStr>]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drawbridge"));
    command.args(arguments);
    command
}

/// Files below a folder whose names end so.
fn files(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, end, found);
        } else if path.to_str().is_some_and(|name| name.ends_with(end)) {
            found.push(path);
        }
    }
}

/// An example in a page.
struct Example {
    page: PathBuf,
    line: usize,
    text: String,
    /// The example before it that holds a whole route, which one that shows a part goes on from.
    route: Option<String>,
}

/// The blocks of a page that are marked as TOML.
fn examples(page: &Path) -> Vec<Example> {
    let text = fs::read_to_string(page).unwrap();
    let (mut found, mut route) = (Vec::new(), None);
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if line.trim() != "```toml" {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let block = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```");
        let text: String =
            block.map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect();
        found.push(Example {
            page: page.to_owned(),
            line: number + 1,
            text: text.clone(),
            route: route.clone(),
        });
        if text.contains("[[routes]]") {
            route = Some(text);
        }
    }
    found
}

/// What an example may stand for: itself; or, where it shows a part of a route, that part of the route before it or of another. Where
/// it shows defaults, what is required is commented out, and is needed here.
fn whole(example: &Example) -> Vec<String> {
    let part = |line: &str| line.starts_with("[routes.") || line.starts_with("[[routes.");
    let required = |line: &str| match line.strip_prefix("# ") {
        Some(key) if line.ends_with("# required") => format!("{key}\n"),
        _ => format!("{line}\n"),
    };
    let text: String = example.text.lines().map(required).collect();
    if text.contains("[[routes]]") || !text.lines().any(part) {
        return vec![text];
    }
    let routes = example.route.iter().map(String::as_str).chain([ROUTE]);
    routes.map(|route| format!("{route}\n{text}")).collect()
}

/// The words in quotes behind a key, such as `file = "…"`.
fn quoted_behind<'a>(text: &'a str, key: &str) -> impl Iterator<Item = &'a str> {
    text.split(key).skip(1).filter_map(|rest| rest.split('"').nth(1))
}

/// Checks a configuration beside which are the files that it names.
fn check(text: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    // Secrets that systemd or Kubernetes put elsewhere.
    let text = text.replace("/run/credentials/drawbridge.service/", "");
    // The file of bans need not be there.
    for name in quoted_behind(&text, "file = ").filter(|name| !name.ends_with(".db")) {
        secret_file(&folder, name);
    }
    fs::write(folder.path().join("icon.png"), include_bytes!("support/icon.png")).unwrap();
    for (name, certificate) in [("ca.pem", "ca.pem"), ("edge.pem", "client.pem")] {
        fs::copy(CERTIFICATES.file(certificate), folder.path().join(name)).unwrap();
    }
    let file = folder.path().join("drawbridge.toml");
    fs::write(&file, &text).unwrap();
    let mut command = drawbridge(&["check", "--config", file.to_str().unwrap()]);
    for name in quoted_behind(&text, "env = ") {
        command.env(name, secret(name));
    }
    command.output().unwrap()
}

/// What may be in a secret of this name: where it isn't said to be something of its own, anything that is long enough.
fn secret(name: &str) -> String {
    match name {
        "ticket.key" => TICKET_KEY.to_owned(),
        "permissions.toml" => String::new(),
        "edge.key" => fs::read_to_string(CERTIFICATES.file("client.key")).unwrap(),
        "SENTRY_DSN" => "https://key@sentry.example.com/1".to_owned(),
        _ => "k".repeat(48),
    }
}

/// A file with a secret that only its owner reads, since the edge warns of others.
fn secret_file(folder: &TempDir, name: &str) {
    let file = folder.path().join(name);
    fs::write(&file, secret(name)).unwrap();
    #[cfg(unix)]
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

#[test]
fn every_example_of_a_configuration_holds() {
    let mut pages = vec![workspace().join("README.md")];
    files(&workspace().join("docs"), ".md", &mut pages);
    let examples: Vec<_> = pages.iter().flat_map(|page| examples(page)).collect();
    assert!(examples.len() > 10, "{} examples only", examples.len());
    let mut wrong = Vec::new();
    for example in &examples {
        let outputs: Vec<_> = whole(example).iter().map(|text| check(text)).collect();
        if !outputs.iter().any(|output| output.status.success()) {
            let told =
                outputs.iter().map(|output| String::from_utf8_lossy(&output.stderr)).collect::<String>();
            wrong.push(format!("{}:{}\n{told}", example.page.display(), example.line));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// That an example is wrong is seen: the test above doesn't look past it.
#[test]
fn an_example_with_a_mistake_is_found() {
    let page = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.md");
        fs::write(&page, text).unwrap();
        examples(&page).iter().flat_map(whole).map(|text| check(&text).status.success()).collect::<Vec<_>>()
    };
    assert_eq!(page("```toml\nthreads = 1\n```\n"), [true]);
    assert_eq!(page("- so:\n\n  ```toml\n  thraeds = 1\n  ```\n"), [false]);
    assert_eq!(page("```toml\n[routes.transfer]\nprobe = true\n```\n"), [true]);
    assert_eq!(
        page("```toml\n[routes.authentication]\ntype = \"mojang\"\n# uri = 1 # required\n```\n"),
        [false]
    );
    assert_eq!(page("```toml\n[routes.transfer]\nprobes = true\n```\n"), [false]);
}

/// Those who write a service read its definitions in the manual.
#[test]
fn the_manuals_definitions_are_those_that_are_spoken() {
    let mut paths = Vec::new();
    files(&workspace().join("crates/adapter-grpc/proto"), ".proto", &mut paths);
    // The standard's own, of which the manual tells where it stands.
    paths.retain(|path| !path.ends_with("health.proto"));
    let spoken: BTreeMap<_, _> = paths
        .iter()
        .map(|path| (path.file_name().unwrap().to_str().unwrap(), fs::read_to_string(path).unwrap()))
        .collect();
    let page = fs::read_to_string(workspace().join("docs/adapters/grpc.md")).unwrap();
    let shown: BTreeMap<_, _> = page
        .split("```proto\n")
        .collect::<Vec<_>>()
        .windows(2)
        .map(|parts| {
            let name = parts[0].trim_end().trim_end_matches("`:").rsplit('`').next().unwrap();
            (name, parts[1].split("```").next().unwrap().to_owned())
        })
        .collect();
    assert!(shown.len() >= 8, "{} definitions only", shown.len());
    assert_eq!(shown.keys().collect::<Vec<_>>(), spoken.keys().collect::<Vec<_>>());
    for (name, text) in &spoken {
        assert_eq!(&shown[name], text, "{name}");
    }
}

/// The tests that a row names: each behind its file, from the folder of this one or that of the workspace.
fn named(row: &str) -> Vec<(PathBuf, &str)> {
    let tests = row.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap_or_default();
    let mut file = PathBuf::new();
    let words = tests.split('`').skip(1).step_by(2);
    let named = words.filter_map(|word| {
        if word.ends_with(".rs") {
            let folder = if word.starts_with("crates/") { "" } else { "crates/drawbridge/tests" };
            file = workspace().join(folder).join(word);
            return None;
        }
        Some((file.clone(), word))
    });
    named.collect()
}

/// The names of the tests that a file has, whatever they run on.
fn tests_in(text: &str) -> impl Iterator<Item = &str> {
    let marked = text.split("#[test]").skip(1).chain(text.split("#[tokio::test").skip(1));
    marked.filter_map(|rest| rest.split("fn ").nth(1)?.split('(').next())
}

#[test]
fn every_promise_has_its_test() {
    have_tests(&fs::read_to_string(workspace().join("docs/promises.md")).unwrap(), 40);
}

#[test]
fn every_fault_that_others_shipped_has_its_test() {
    let page = fs::read_to_string(workspace().join("docs/security.md")).unwrap();
    have_tests(page.split("## What others shipped").nth(1).unwrap(), 30);
}

/// Whether each row of the tables names tests that there are, and there are as many rows at least.
fn have_tests(page: &str, least: usize) {
    let heads = ["| promise |", "| fault |", "|---"];
    let rows = page.lines().filter(|line| line.starts_with('|'));
    let rows: Vec<_> = rows.filter(|row| !heads.iter().any(|head| row.starts_with(head))).collect();
    assert!(rows.len() >= least, "{} rows only", rows.len());
    for row in rows {
        let tests = named(row);
        assert!(!tests.is_empty(), "no test: {row}");
        for (file, name) in tests {
            let text = fs::read_to_string(&file)
                .unwrap_or_else(|error| panic!("{}: {error}: {row}", file.display()));
            assert!(tests_in(&text).any(|test| test == name), "{} has no test {name}: {row}", file.display());
        }
    }
}

/// As they stand in logs, with the level.
#[test]
fn every_reason_to_turn_somebody_away_is_explained() {
    let page = fs::read_to_string(workspace().join("docs/operations.md")).unwrap();
    let table = page.split("| reason | level | meaning |\n|---|---|---|\n").nth(1).unwrap();
    let rows: Vec<_> = table.lines().take_while(|line| line.starts_with('|')).collect();
    for refusal in Refusal::ALL {
        let named = format!("`{}`", refusal.label());
        let row = rows.iter().find(|row| row.split(" | ").next().unwrap().contains(&named));
        let row = row.unwrap_or_else(|| panic!("{named} isn't explained"));
        let level = match refusal.severity() {
            Severity::Debug => "debug",
            Severity::Info => "info",
            Severity::Warning => "warn",
            Severity::Error => "error",
        };
        assert!(row.split(" | ").nth(1).unwrap().contains(level), "{row}");
    }
}

#[test]
fn the_configurations_of_the_image_and_of_compose_hold() {
    let docker = workspace().join("deploy/docker");
    for file in ["drawbridge.toml", "edge/drawbridge.toml"] {
        let output =
            drawbridge(&["check".as_ref(), "--config".as_ref(), docker.join(file).as_os_str()]).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The words of a JSON array behind an instruction of the Dockerfile, or a key of another file.
fn words(text: &str, key: &str) -> Vec<String> {
    let line = text.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap();
    serde_json::from_str(line.trim()).unwrap()
}

/// Runs the edge by a command line as it is deployed, with a configuration of the test in the place of `/etc/drawbridge`, until it says
/// that it listens.
fn listens(arguments: &[String]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("drawbridge.toml"), "bind = [\"127.0.0.1:0\"]\n").unwrap();
    let moved = |argument: &String| argument.replace("/etc/drawbridge", folder.path().to_str().unwrap());
    let moved: Vec<_> = arguments.iter().map(moved).collect();
    assert_ne!(moved, arguments, "it names no configuration");
    let mut process = drawbridge(&moved).stderr(Stdio::piped()).spawn().unwrap();
    // The log ends when the process does; one that neither listens nor ends is ended by the runner of the tests.
    let log = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut before = Vec::new();
    let listening = log.inspect(|line| before.push(line.clone())).any(|line| line.contains("listening"));
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(listening, "{arguments:?}: {}", before.join("\n"));
}

#[test]
fn the_image_starts_the_edge_by_a_command_line_that_it_knows() {
    let file = fs::read_to_string(workspace().join("deploy/docker/Dockerfile")).unwrap();
    assert_eq!(words(&file, "ENTRYPOINT"), ["/usr/bin/drawbridge"]);
    assert!(file.contains("install -D target/release/drawbridge /image/usr/bin/drawbridge"));
    listens(&words(&file, "CMD"));
    // What doesn't run at all is no image.
    assert!(file.contains("&& /image/usr/bin/drawbridge --version"));
}

#[test]
fn with_musl_the_allocator_has_no_thread_of_its_own() {
    let read = |manifest: &str| -> toml::Table {
        fs::read_to_string(workspace().join(manifest)).unwrap().parse().unwrap()
    };
    let allocator = &read("Cargo.toml")["workspace"]["dependencies"]["tikv-jemallocator"];
    assert_eq!((allocator["default-features"].as_bool(), allocator.get("features")), (Some(false), None));
    let manifest = read("crates/drawbridge/Cargo.toml");
    let targets = manifest["target"].as_table().unwrap();
    let with_features = targets.iter().filter(|(_, target)| {
        let allocator = target.get("dependencies").and_then(|all| all.get("tikv-jemallocator"));
        allocator.is_some_and(|allocator| allocator.get("features").is_some())
    });
    let named: Vec<_> = with_features.map(|(target, _)| target.as_str()).collect();
    assert_eq!(named, ["cfg(all(target_os = \"linux\", target_env = \"gnu\"))"]);
}

#[test]
fn the_chart_starts_the_edge_by_the_same_command_line_as_the_image() {
    let image = fs::read_to_string(workspace().join("deploy/docker/Dockerfile")).unwrap();
    let chart =
        fs::read_to_string(workspace().join("deploy/helm/drawbridge/templates/deployment.yaml")).unwrap();
    assert_eq!(words(&chart, "args:"), words(&image, "CMD"));
}

#[test]
fn the_service_starts_the_edge_by_a_command_line_that_it_knows() {
    let unit = fs::read_to_string(workspace().join("deploy/systemd/drawbridge.service")).unwrap();
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let arguments: Vec<_> = start.split(' ').skip(1).map(str::to_owned).collect();
    listens(&arguments);
}

/// The default of `grace` is 30 s; what stops an edge waits longer.
#[test]
fn what_stops_the_edge_waits_longer_than_it_takes() {
    let seconds = |file: &str, key: &str| -> u32 {
        let text = fs::read_to_string(workspace().join("deploy").join(file)).unwrap();
        let value = text.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap();
        value.trim().trim_end_matches('s').parse().unwrap()
    };
    let schema: serde_json::Value =
        serde_json::from_slice(&drawbridge(&["schema"]).output().unwrap().stdout).unwrap();
    let shutdown = &schema["$defs"]["Shutdown"]["properties"];
    let default = |key: &str| -> u32 {
        shutdown[key]["default"].as_str().unwrap().trim_end_matches('s').parse().unwrap()
    };
    let needed = default("delay") + default("grace");
    assert!(needed > 0);
    assert!(seconds("systemd/drawbridge.service", "TimeoutStopSec=") > needed);
    assert!(seconds("docker/compose.yaml", "stop_grace_period:") > needed);
}

#[test]
fn the_check_of_the_example_with_compose_is_a_command_line_that_it_knows() {
    let compose = fs::read_to_string(workspace().join("deploy/docker/compose.yaml")).unwrap();
    let words = words(&compose, "test:");
    assert_eq!(words[..2], ["CMD", "/usr/bin/drawbridge"]);
    // Nobody listens at port 1: it is reached, and the answer is no.
    let arguments: Vec<_> = words[2..].iter().map(|word| word.replace(":25565", ":1")).collect();
    let output = drawbridge(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("connect"), "it went no client's way");
}
