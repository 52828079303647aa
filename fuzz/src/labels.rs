//! Labels of containers and annotations of Services, as a document of routes.
//!
//! What must hold: whatever the labels say, the document is TOML with one route, whose keys are those of labels that may be keys and what says where the
//! target is; each remark shows a line that there is; reading the document has each of its mistakes in a place; memory is bounded.

use crate::house::program::settings::Settings;
use crate::memory;
use drawbridge_config::{Document, Error, Root, Style};
use drawbridge_provider::fuzzing::Wearer;
use std::collections::BTreeSet;

/// What the provider says itself, whatever the labels say.
const OWN: [&str; 5] = ["hosts", "name", "mode", "discovery", "discovery.type"];

/// See the module.
pub fn check(data: &[u8]) {
    memory::within(memory::of_documents(data), || wear(data));
}

fn wear(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\u{1}');
    let bearer = lines.next().unwrap_or_default();
    // Services have their namespace before their name.
    let wearer = if bearer.contains('/') { Wearer::Service } else { Wearer::Container };
    let prefix = wearer.prefix();
    let keys: Vec<_> = lines
        .map(|line| line.split_once('=').unwrap_or((line, "")))
        .map(|(key, value)| (format!("{prefix}{key}"), value))
        .collect();
    let labels: Vec<_> = keys.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let Some(made) = wearer.document(bearer, &labels) else { return };
    let table: toml::Table =
        toml::from_str(&made.text).unwrap_or_else(|error| panic!("{error}: {}", made.text));
    assert_eq!(table.keys().collect::<Vec<_>>(), ["routes"], "{}", made.text);
    let routes = table["routes"].as_array().expect("a list of routes");
    assert_eq!(routes.len(), 1);
    let said: BTreeSet<&str> = labels.iter().filter_map(|(key, _)| key.strip_prefix(prefix)).collect();
    for key in routes[0].as_table().expect("a route").keys() {
        let is_labels = said.iter().any(|path| path.split('.').next() == Some(key));
        assert!(is_labels && key != "targets" || OWN.contains(&key.as_str()), "{key}: {}", made.text);
    }
    let count = made.text.lines().count();
    assert!(made.remarks.iter().all(|remark| (1..=count).contains(&remark.line)), "{:?}", made.remarks);
    let mut root = Root::new(None, &["routes"]);
    root.append(vec![Document::parse(made.name.as_str(), made.text.as_str())]);
    if let Err(Error::Invalid(diagnostics)) = root.read::<Settings>() {
        assert!(diagnostics.errors() > 0 && !diagnostics.render(Style::Plain).is_empty());
    }
}

/// Labels as the manual has them, and mistaken ones.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let seeds = [
        "lobby-1\u{1}hosts=play.example.com,\n *.play.example.com ,\u{1}port=25565\u{1}name=1.20\u{1}max_players=20",
        "a\u{1}hosts=a\u{1}relay.proxy_protocol=v2\u{1}relay.transfers=true\u{1}status.description=1.5",
        "a\u{1}hosts=a\u{1}access.deny=['10.0.0.0/8']\u{1}actions=[{ type = 'balance', by = 'least_connections' }]",
        "a\u{1}hosts=a\u{1}unknown.key=12\u{1}status.descripton=no i\u{1}targets=x\u{1}discovery.type=dns",
        "a\u{1}hosts=a\u{1}mode=offline\u{1}transfer.host=b\u{1}session.compression=256\u{1}hosts.more=x",
        "games/lobby\u{1}hosts=a,b\u{1}port=25566\u{1}network=x\u{1}relay.proxy_protocol=v2",
        "\"\n#\u{1}hosts=~(a|b)\\.example\\.com\u{1}status={ type = 'fixed' }\u{1}max_players=-1",
    ];
    seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect()
}
