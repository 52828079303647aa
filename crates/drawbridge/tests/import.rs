//! `drawbridge import`: an example of each program, written after its public documentation, and what it becomes.
//!
//! `tests/import/<example>/source` is what is imported, `expected` what is written, `report.txt` what is said of each key.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod support;

use drawbridge_testkit::workspace;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The examples, each with the program that it is of.
const EXAMPLES: [(&str, &str); 15] = [
    ("bungeecord", "BungeeCord"),
    ("bungeecord-passing", "BungeeCord"),
    ("gate", "Gate"),
    ("gate-lite", "Gate Lite"),
    ("infrared", "Infrared"),
    ("infrared-1", "Infrared"),
    ("infrarust", "Infrarust"),
    ("infrarust-sessions", "Infrarust"),
    ("mc-router", "mc-router"),
    ("mc-router-command", "mc-router"),
    ("mc-router-compose", "mc-router"),
    ("passage", "Passage"),
    ("passage-toml", "Passage"),
    ("velocity", "Velocity"),
    ("velocity-1", "Velocity"),
];

/// What stands in what is expected where a file is named by its whole path, in place of the folder that is imported.
const SOURCE: &str = "/source/";

/// What stands in the examples where a secret would.
const SECRET: &str = "not-for-anybodys-eyes";

fn folder(example: &str) -> PathBuf {
    workspace().join("crates/drawbridge/tests/import").join(example)
}

/// What is imported of an example: its folder, or its file where the name tells nobody what it is.
fn source(example: &str) -> PathBuf {
    let folder = folder(example).join("source");
    let command = folder.join("mc-router.txt");
    if command.exists() { command } else { folder }
}

fn import(path: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drawbridge"));
    command.arg("import").arg(path).args(arguments).output().unwrap()
}

/// A text in which the folder that an example is imported from is [`SOURCE`].
fn anywhere(example: &str, text: &str) -> String {
    text.replace(&format!("{}/", folder(example).join("source").display()), SOURCE)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The files below a folder with their texts, by their names as seen from it.
fn texts(folder: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, texts: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, texts);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                texts.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

#[test]
fn each_example_becomes_what_is_expected() {
    for (example, program) in EXAMPLES {
        let output = tempfile::tempdir().unwrap();
        let written = output.path().join("new");
        let done = import(&source(example), &["--output", written.to_str().unwrap()]);
        assert!(done.status.success() && done.stderr.is_empty(), "{example}: {}", text(&done.stderr));
        let report = text(&done.stdout);
        assert!(report.starts_with(&format!("{program}: ")), "{example}: {report}");
        assert_eq!(report, fs::read_to_string(folder(example).join("report.txt")).unwrap(), "{example}");
        let written = texts(&written).into_iter().map(|(name, text)| (name, anywhere(example, &text)));
        assert_eq!(
            written.collect::<BTreeMap<_, _>>(),
            texts(&folder(example).join("expected")),
            "{example}"
        );
    }
    let examples = fs::read_dir(folder("")).unwrap().count();
    assert_eq!(examples, EXAMPLES.len(), "an example isn't looked at");
}

/// Without a folder, what would be written goes to standard output, where it is one configuration, and the report beside it.
#[test]
fn standard_output_is_a_configuration_as_well() {
    for (example, _) in EXAMPLES {
        let done = import(&source(example), &[]);
        assert!(done.status.success(), "{example}: {}", text(&done.stderr));
        assert_eq!(
            text(&done.stderr),
            fs::read_to_string(folder(example).join("report.txt")).unwrap(),
            "{example}"
        );
        let whole: toml::Table = toml::from_str(&anywhere(example, &text(&done.stdout))).unwrap();
        let mut routes = 0;
        for (name, text) in texts(&folder(example).join("expected")) {
            let table: toml::Table = toml::from_str(&text).unwrap();
            if name == "drawbridge.toml" {
                assert!(table.iter().all(|(key, value)| whole[key] == *value), "{example}");
            } else {
                routes += table["routes"].as_array().unwrap().len();
            }
        }
        assert_eq!(whole["routes"].as_array().unwrap().len(), routes, "{example}");
    }
}

/// The paths of whatever is no table in a document, with a list that holds no tables as one.
fn leaves(value: &Value, path: &str, out: &mut Vec<String>) {
    let bare =
        |key: &str| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                let key = if bare(key) { key.clone() } else { format!("{key:?}") };
                let dot = if path.is_empty() { "" } else { "." };
                leaves(value, &format!("{path}{dot}{key}"), out);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().enumerate().for_each(|(index, item)| leaves(item, &format!("{path}[{index}]"), out));
        }
        _ => out.push(path.to_owned()),
    }
}

/// A document of an example, parsed here: a command line as its options alone.
fn parsed(name: &str, text: &str) -> Value {
    match name.rsplit('.').next().unwrap() {
        "toml" => toml::from_str(text).unwrap(),
        "json" => serde_json::from_str(text).unwrap(),
        "yml" | "yaml" => serde_saphyr::from_str(text).unwrap(),
        _ => {
            let words = text.split([' ', '\n', '=']).filter(|word| word.starts_with('-'));
            words
                .map(|word| (word.trim_start_matches('-').to_owned(), Value::Null))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
    }
}

#[test]
fn every_key_of_every_example_stands_in_exactly_one_list() {
    for (example, _) in EXAMPLES {
        let report = fs::read_to_string(folder(example).join("report.txt")).unwrap();
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut document = String::new();
        for line in report.lines() {
            if let Some(key) = line.strip_prefix("    ") {
                told.entry(document.clone()).or_default().push(key.split(": ").next().unwrap().to_owned());
            } else if let Some(name) = line.strip_prefix("  ") {
                name.clone_into(&mut document);
            }
        }
        let sources = texts(&folder(example).join("source"));
        for (name, text) in sources.into_iter().filter(|(name, _)| !name.ends_with(".secret")) {
            let mut keys = Vec::new();
            leaves(&parsed(&name, &text), "", &mut keys);
            let mut told = told.remove(&name).unwrap_or_default();
            keys.sort();
            told.sort();
            assert!(!keys.is_empty());
            assert_eq!(told, keys, "{example}: {name}");
        }
        assert!(told.is_empty(), "{example}: {told:?}");
    }
}

#[test]
fn no_secret_is_shown_or_written() {
    let mut held = 0;
    for (example, _) in EXAMPLES {
        held += texts(&folder(example).join("source")).values().filter(|text| text.contains(SECRET)).count();
        let done = import(&source(example), &[]);
        for shown in [text(&done.stdout), text(&done.stderr)] {
            assert!(!shown.contains(SECRET), "{example}: {shown}");
        }
    }
    assert!(held >= 8, "{held} documents with a secret only");
    // A mistake beside a secret shows where it is, and not what stands there.
    for (name, content) in [
        ("velocity.toml", format!("config-version = \"2.7\"\nforwarding-secret = \"{SECRET}\" oops\n")),
        ("config.yml", format!("config:\n  bind: x\n  secret: \"{SECRET}\" oops: [\n")),
        ("routes.json", format!("{{\n \"mappings\": {{}},\n \"secret\": \"{SECRET}\" oops }}")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), content).unwrap();
        let done = import(folder.path(), &[]);
        let told = text(&done.stderr);
        assert!(!done.status.success() && told.contains(name) && told.contains("line "), "{told}");
        assert!(!told.contains(SECRET), "{told}");
    }
}

/// What hands players over is a configuration as it comes, with the services that it names left unasked.
#[test]
fn what_comes_of_passage_holds() {
    for example in ["passage", "passage-toml"] {
        let output = tempfile::tempdir().unwrap();
        let written = output.path().join("edge");
        assert!(import(&source(example), &["-o", written.to_str().unwrap()]).status.success());
        // An action that allocates reads a cluster's address, which stands in a kubeconfig.
        let kubeconfig = output.path().join("kubeconfig");
        fs::write(&kubeconfig, KUBECONFIG).unwrap();
        let config = written.join("drawbridge.toml");
        let mut check = Command::new(env!("CARGO_BIN_EXE_drawbridge"));
        let done =
            check.arg("check").arg("--config").arg(&config).env("KUBECONFIG", &kubeconfig).output().unwrap();
        assert!(done.status.success(), "{example}: {}", text(&done.stderr));
        assert!(!text(&done.stderr).contains("warning"), "{example}: {}", text(&done.stderr));
    }
}

/// A copy of an example in which secrets are nobody else's.
fn copied(example: &str, to: &Path) {
    for (name, text) in texts(&folder(example).join("source")) {
        let path = to.join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        if name.ends_with(".secret") {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}

/// What carries players is a configuration as it comes. That a route has no target, where none could be had, is told.
#[test]
fn what_comes_of_the_others_holds() {
    for (example, _) in EXAMPLES.into_iter().filter(|(_, program)| *program != "Passage") {
        let folder = tempfile::tempdir().unwrap();
        let (copy, output) = (folder.path().join("source"), folder.path().join("edge"));
        copied(example, &copy);
        let command = copy.join("mc-router.txt");
        let source = if command.exists() { &command } else { &copy };
        assert!(import(source, &["-o", output.to_str().unwrap()]).status.success(), "{example}");
        let config = output.join("drawbridge.toml");
        let mut check = Command::new(env!("CARGO_BIN_EXE_drawbridge"));
        let done = check.args(["check", "--json", "--config"]).arg(&config).output().unwrap();
        let report: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert!(done.status.success(), "{example}: {report:#}");
        for told in report["diagnostics"].as_array().unwrap() {
            assert_eq!(told["message"], "the route has no target", "{example}: {told:#}");
        }
    }
}

const KUBECONFIG: &str = "apiVersion: v1\nkind: Config\ncurrent-context: here\nclusters:\n- name: here\n  cluster:\n    server: http://127.0.0.1:1\n\
                          contexts:\n- name: here\n  context:\n    cluster: here\n    user: me\nusers:\n- name: me\n  user: {}\n";

#[test]
fn nothing_is_written_over() {
    let output = tempfile::tempdir().unwrap();
    let routes = output.path().join("routes");
    fs::create_dir(&routes).unwrap();
    fs::write(routes.join("velocity.toml"), "mine").unwrap();
    let done = import(&source("velocity"), &["--output", output.path().to_str().unwrap()]);
    let told = text(&done.stderr);
    assert_eq!(done.status.code(), Some(1));
    assert!(told.contains("velocity.toml exists") && told.contains("help: "), "{told}");
    assert!(done.stdout.is_empty());
    assert_eq!(
        texts(output.path()),
        BTreeMap::from([("routes/velocity.toml".to_owned(), "mine".to_owned())])
    );
    // A link that leads nowhere is something too.
    fs::remove_file(routes.join("velocity.toml")).unwrap();
    std::os::unix::fs::symlink("elsewhere.toml", output.path().join("drawbridge.toml")).unwrap();
    let done = import(&source("velocity"), &["--output", output.path().to_str().unwrap()]);
    assert!(text(&done.stderr).contains("drawbridge.toml exists"), "{}", text(&done.stderr));
    assert!(!output.path().join("elsewhere.toml").exists());
}

#[test]
fn what_nobody_can_tell_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let refused = |path: &Path, arguments: &[&str], words: &str| {
        let done = import(path, arguments);
        let told = text(&done.stderr);
        assert_eq!(done.status.code(), Some(1), "{told}");
        assert!(told.starts_with("error: ") && told.contains(words), "{words:?}: {told}");
    };
    refused(&folder.path().join("absent.toml"), &[], "absent.toml can't be read: No such file");
    refused(folder.path(), &[], "no configuration that is known");
    let unknown = file("some.yml", b"colour: red\n");
    refused(&unknown, &[], "--from velocity");
    refused(&file("latin.toml", b"motd = \"\xe4\"\n"), &[], "isn't UTF-8");
    refused(&file("large.json", &vec![b' '; (8 << 20) + 1]), &[], "more than 8 MiB");
    refused(Path::new("/dev/zero"), &[], "is no file");
    // Two programs in one folder: the file has to be named, or the program.
    file("velocity.toml", b"config-version = \"2.7\"\nbind = \"0.0.0.0:25577\"\n");
    let gate = file("config.yml", b"config:\n  bind: 0.0.0.0:25565\n  try: []\n");
    refused(folder.path(), &[], "configurations of Velocity and of Gate");
    for (path, arguments, program) in [
        (folder.path(), &["--from", "velocity"][..], "Velocity: velocity.toml"),
        (folder.path(), &["--from", "gate"], "Gate: config.yml"),
        (&gate, &[], "Gate: config.yml"),
        (&gate, &["--from", "gate-lite"], "Gate Lite: config.yml"),
        (&unknown, &["--from", "infrared"], "Infrared: some.yml"),
    ] {
        let done = import(path, arguments);
        assert!(done.status.success() && text(&done.stderr).starts_with(program), "{}", text(&done.stderr));
    }
    let done = import(&gate, &["--from", "nginx"]);
    assert_eq!(done.status.code(), Some(2));
}

/// What is made to hurt a parser is turned down, or imported, within a short time.
#[test]
fn hostile_files_are_turned_down() {
    let folder = tempfile::tempdir().unwrap();
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned()
        + &(b'b'..b'k')
            .map(|letter| {
                let (this, before) = (letter as char, (letter - 1) as char);
                format!("{this}: &{this} [{}]\n", vec![format!("*{before}"); 9].join(","))
            })
            .collect::<String>();
    for (name, content, program) in [
        ("bomb.yml", bomb, "infrared"),
        ("deep.yml", "[".repeat(200_000), "infrared"),
        ("deep.json", "[".repeat(200_000), "mc-router"),
        ("deep.toml", format!("a = {}", "[".repeat(200_000)), "velocity"),
        ("quote.txt", "--mapping '".repeat(10_000), "mc-router"),
        ("list.json", "[1, 2]".to_owned(), "passage"),
        ("text.yml", "just words".to_owned(), "gate"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let done = import(&path, &["--from", program]);
        assert!(
            done.status.code().is_some_and(|code| code <= 1),
            "{name}: {:?} {}",
            done.status,
            text(&done.stderr)
        );
        assert!(!text(&done.stderr).contains("panicked"), "{name}: {}", text(&done.stderr));
    }
}
