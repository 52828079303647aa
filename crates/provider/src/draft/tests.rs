use super::*;
use crate::labels::{NETWORK, PORT};
use drawbridge_config::{Diagnostics, Document, Root, Setting, Value as Read};
use drawbridge_routing::RouteSection;
use proptest::prelude::*;
use std::collections::BTreeSet;

const STYLE: Style =
    Style { prefix: "drawbridge.", noun: "label", wearer: "container", own: &[PORT, NETWORK] };

fn labels(all: &[(&str, &str)]) -> Labels {
    Labels::of(STYLE, all.iter().copied()).expect("marked")
}

fn draft(labels: &Labels) -> RouteDocument {
    let draft = Draft {
        name: "docker:lobby-1".to_owned(),
        style: STYLE,
        labels,
        bearer: "lobby-1",
        targets: vec![("lobby-1".to_owned(), "172.17.0.2:25565".to_owned())],
        troubles: Vec::new(),
    };
    draft.write()
}

#[test]
fn each_label_is_a_line_that_names_it() {
    let labels = labels(&[
        ("drawbridge.hosts", "play.example.com,\n *.play.example.com ,"),
        ("drawbridge.port", "25565"),
        ("drawbridge.name", "1.20"),
        ("drawbridge.max_players", "20"),
        ("drawbridge.relay.proxy_protocol", "v2"),
        ("drawbridge.relay.transfers", "true"),
        ("drawbridge.status.description", "1.5"),
        ("drawbridge.access.deny", "['10.0.0.0/8']"),
        ("drawbridge.actions", "[{ type = 'balance', by = 'least_connections' }]"),
        ("drawbridge.unknown.key", "12"),
        ("drawbridge.status.descripton", "no i"),
        ("com.docker.compose.project", "net"),
    ]);
    let document = draft(&labels);
    assert_eq!(
        document.text,
        r#"# Made from the labels of container lobby-1.
[[routes]]
access.deny = ["10.0.0.0/8"] # drawbridge.access.deny
actions = [{ by = "least_connections", type = "balance" }] # drawbridge.actions
hosts = ["play.example.com", "*.play.example.com"] # drawbridge.hosts
max_players = 20 # drawbridge.max_players
name = "1.20" # drawbridge.name
# drawbridge.port = "25565"
relay.proxy_protocol = "v2" # drawbridge.relay.proxy_protocol
relay.transfers = true # drawbridge.relay.transfers
status.description = "1.5" # drawbridge.status.description
# drawbridge.status.descripton = "no i"
# drawbridge.unknown.key = "12"
mode = "passthrough" # no label drawbridge.mode
discovery.type = "fixed"
discovery.targets = [{ address = "172.17.0.2:25565", identifier = "lobby-1" }]
"#
    );
    let remarks: Vec<_> =
        document.remarks.iter().map(|remark| (remark.line, remark.message.as_str())).collect();
    assert_eq!(remarks, [(12, "unknown key \"descripton\""), (13, "unknown key \"unknown\"")]);
    assert_eq!(document.remarks[0].help, "did you mean \"description\"?");
}

#[test]
fn what_may_be_meant_is_nothing_that_labels_cant_say() {
    let help = |key: &str| {
        let labels = labels(&[("drawbridge.hosts", "a.example.com"), (key, "x")]);
        let [remark]: [Remark; 1] =
            draft(&labels).remarks.try_into().unwrap_or_else(|all| panic!("{key}: {all:?}"));
        assert!(remark.fatal);
        remark.help
    };
    let all = help("drawbridge.something_else");
    for key in ["hosts", "mode", "relay", "port", "network"] {
        assert!(all.contains(&format!("\"{key}\"")), "{key} is missing: {all}");
    }
    for key in ["targets", "discovery", "authentication"] {
        assert!(!all.contains(key), "{key} is refused: {all}");
    }
    let transfer = help("drawbridge.transfer.something_else");
    assert!(transfer.contains("probe") && !transfer.contains("ticket"), "{transfer}");
    let session = help("drawbridge.session.something_else");
    assert!(session.contains("limbo"), "{session}");
    for key in ["trust_claims", "forwarding"] {
        assert!(!session.contains(key), "{key} is refused: {session}");
    }
    assert_eq!(help("drawbridge.target"), "drawbridge.targets isn't for labels: the target is what bears it");
    assert_eq!(help("drawbridge.prt"), "did you mean \"port\"?");
}

/// What is said of a label beside one of hosts, and the text of the line at which it is said.
fn said(key: &str, text: &str) -> (String, String) {
    let document = draft(&labels(&[("drawbridge.hosts", "a.example.com"), (key, text)]));
    let [remark] = document.remarks.as_slice() else { panic!("{key} = {text}: {document:#?}") };
    assert!(remark.fatal);
    (remark.message.clone(), document.text.lines().nth(remark.line - 1).unwrap().to_owned())
}

#[test]
fn labels_that_cant_be_keys_are_named() {
    for (key, text, words) in [
        ("drawbridge.targets", "10.0.0.1:25565", "the target is what bears it"),
        ("drawbridge.discovery.type", "dns", "the target is what bears it"),
        ("drawbridge.a b", "", "no path of keys"),
        ("drawbridge.", "", "no path of keys"),
        ("drawbridge..name", "", "no path of keys"),
        ("drawbridge.mode\nname", "", "no path of keys"),
        ("drawbridge.port.x", "", "no keys in it"),
        ("drawbridge.status.headers.Authorization.env", "TOKEN", "only files of the configuration"),
        ("drawbridge.relay", "{ host = 'a' }", "a label for each of its keys"),
        ("drawbridge.transfer", "{ ticket = true }", "a label for each of its keys"),
        ("drawbridge.transfer.ticket", "true", "only files of the configuration say who vouches"),
        ("drawbridge.authentication.type", "disabled", "only files of the configuration say who vouches"),
        ("drawbridge.session.trust_claims", "true", "only files of the configuration say who vouches"),
        ("drawbridge.session", "{ trust_claims = true }", "a label for each of its keys"),
        ("drawbridge.session.forwarding", "none", "the route belongs there"),
        ("drawbridge.session.forwarding", "bungeecord", "only files of the configuration have targets told"),
        ("drawbridge.mode", "offline", "only files of the configuration take players for who they claim"),
        (
            "drawbridge.actions",
            "[{ type = 'grpc', metadata = { a = { env = 'X' } } }]",
            "only files of the configuration",
        ),
        (
            "drawbridge.actions",
            "[{ type = 'agones', kubeconfig = '/tmp/kubeconfig' }]",
            "only files of the configuration name files",
        ),
        ("drawbridge.actions", "[{ type = 'agones' }]", "have the edge act at a cluster"),
        (
            "drawbridge.actions",
            "[{ type = 'balance' }, { type = 'agones_watch', namespace = 'others' }]",
            "have the edge act at a cluster",
        ),
        ("drawbridge.access.allow", "['10.0.0.0/8'", "not a list of TOML"),
        ("drawbridge.hosts.more", "x", "is a key in drawbridge.hosts"),
    ] {
        let (message, line) = said(key, text);
        assert!(message.contains(words), "{key}: {message}");
        assert!(line.starts_with("# drawbridge."), "{key}: {line}");
    }
}

#[test]
fn too_many_labels_are_told_and_what_marks_a_route_counts_all_the_same() {
    let many: Vec<_> =
        (0..1_000).map(|number| (format!("drawbridge.a{number:04}"), "x".to_owned())).collect();
    let mut all: Vec<_> = many.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
    all.push(("drawbridge.hosts", "a.example.com"));
    let document = draft(&labels(&all));
    assert!(document.text.contains("hosts = [\"a.example.com\"]"));
    assert_eq!(document.text.lines().filter(|line| line.contains("drawbridge.a")).count(), 129);
    assert!(
        document.remarks.iter().any(|remark| remark.message.contains("too many")),
        "{:?}",
        document.remarks
    );

    let long = "x".repeat(300 << 10);
    let (message, _) = said("drawbridge.status.description", &long);
    assert!(message.contains("too long"), "{message}");
}

#[test]
fn nothing_is_a_route_without_hosts() {
    assert!(Labels::of(STYLE, [("drawbridge.port", "1"), ("hosts", "a")].into_iter()).is_none());
}

/// The keys of all tables, by their paths.
fn keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    if let Value::Table(table) = value {
        for (key, value) in table {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            keys(value, &path, found);
            found.insert(path);
        }
    }
}

/// Texts that somebody might write who wants to break out of theirs.
fn hostile() -> impl Strategy<Value = String> {
    let bits = prop::sample::select(vec![
        "\"",
        "'",
        "\"\"\"",
        "'''",
        "\n",
        "\r\n",
        "[[routes]]",
        "name = 'x'",
        "#",
        "\\",
        "=",
        "{",
        "}",
        "[",
        "]",
        ",",
        ".",
        "a",
        " ",
        "\u{0}",
        "\u{7f}",
        "é",
        "\u{2028}",
        "~^a",
        "*",
    ]);
    prop::collection::vec(bits, 0..12).prop_map(|bits| bits.concat())
}

proptest! {
    #[test]
    fn whatever_labels_hold_the_document_has_their_keys_and_no_others(
        texts in prop::collection::btree_map(
            prop::sample::select(vec!["name", "mode", "versions", "status.description", "access.deny", "max_players", "relay.host", "names", "x"]),
            hostile(), 0..8),
        odd in prop::collection::vec((hostile(), hostile()), 0..4),
        hosts in hostile(),
    ) {
        let mut all: Vec<(String, String)> = vec![("drawbridge.hosts".to_owned(), hosts)];
        all.extend(texts.iter().map(|(path, text)| (format!("drawbridge.{path}"), text.clone())));
        all.extend(odd.iter().map(|(path, text)| (format!("drawbridge.{path}"), text.clone())));
        let all: Vec<_> = all.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
        let labels = labels(&all);
        let document = draft(&labels);
        let read: Table = document.text.parse().map_err(|error| TestCaseError::fail(format!("{error}: {}", document.text)))?;
        prop_assert_eq!(read.keys().collect::<Vec<_>>(), vec!["routes"]);
        let [route] = read["routes"].as_array().unwrap().as_slice() else { panic!("{}", document.text) };
        let mut found = BTreeSet::new();
        keys(route, "", &mut found);
        let own = ["name", "mode", "discovery", "discovery.type", "discovery.targets"];
        let labelled = |path: &String| labels.iter().any(|(label, _)| label == path || label.starts_with(&format!("{path}.")) || path.starts_with(&format!("{label}.")));
        prop_assert!(found.iter().all(|path| own.contains(&path.as_str()) || labelled(path)), "{:?} in {}", found, document.text);
        let lines = document.text.lines().count();
        prop_assert!(document.remarks.iter().all(|remark| (1..=lines).contains(&remark.line)));
        // Whoever reads it finds mistakes, and doesn't fall over them.
        let mut root = Root::new(None, &["routes"]);
        root.append(vec![Document::parse("docker:x", document.text)]);
        let _ = root.read::<Anything>();
    }
}

/// Routes that are read as the program reads them.
struct Anything;

impl Setting for Anything {
    fn read(value: &Read, reader: &mut drawbridge_config::Reader<'_>) -> Option<Self> {
        let routes = value.as_table()?.get("routes")?;
        Vec::<RouteSection>::read(routes, reader).map(|_| Self)
    }

    fn schema(_: &mut drawbridge_config::Schemas) -> drawbridge_config::Json {
        drawbridge_config::Json::Bool(true)
    }
}

#[test]
fn an_example_of_everything_is_a_route_that_holds() {
    let labels = labels(&[
        ("drawbridge.hosts", "[\"~^a{1,2}$\", \"b.example.com\"]"),
        ("drawbridge.versions", "1.20"),
        ("drawbridge.status.type", "relay"),
        ("drawbridge.status.states.offline.description", "gone"),
        ("drawbridge.access.deny", "10.0.0.0/8, 192.0.2.1"),
    ]);
    let mut root = Root::new(None, &["routes"]);
    root.append(vec![Document::parse("docker:x", draft(&labels).text)]);
    let diagnostics: Diagnostics = match root.read::<Anything>() {
        Ok(loaded) => loaded.diagnostics,
        Err(error) => panic!("{error:?}"),
    };
    assert_eq!(diagnostics.errors(), 0);
}
