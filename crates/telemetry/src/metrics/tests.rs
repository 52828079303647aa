use super::*;
use drawbridge_model::Refusal;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    // Kept for good, as the metrics are.
    let runtime: &'static _ = Box::leak(Box::new(tokio::runtime::Runtime::new().unwrap()));
    Metrics::start(SdkMeterProvider::builder(), Resource::builder_empty().build(), runtime.handle())
});

fn text() -> String {
    String::from_utf8(METRICS.text()).unwrap()
}

/// Everything that can be counted, once; what it gives is still there.
fn count_everything() -> CountedPassenger {
    let _ = METRICS.text();
    connection_accepted();
    let outcomes = [Outcome::Ok, Outcome::Left, Outcome::Refused(Refusal::Rate)];
    for (phase, outcome) in Phase::ALL.into_iter().flat_map(|phase| outcomes.map(|outcome| (phase, outcome)))
    {
        phase_ended(phase, outcome, Duration::from_millis(20));
        connection_ended(phase, outcome);
    }
    connection_closed();
    Asking::begin("discovery", "dns").end(Answer::Ok);
    drop(Asking::begin("discovery", "dns"));
    breaker_opened("discovery", "dns");
    discovery_stale("dns");
    allocation_orphaned("deleted");
    controlled("status", true);
    transferred("lobby", "hub-1");
    let passenger = passenger_boarded("lobby", "hub-1");
    carried("lobby", 1, 2);
    passenger_left("lobby", CarriedEnd::Closed);
    configured(3);
    passenger
}

/// The samples: name, labels, value.
fn samples(text: &str) -> Vec<(String, BTreeMap<String, String>, f64)> {
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = name.split_once('{').unwrap_or((name, "}"));
        let labels = labels.trim_end_matches('}').split("\",").filter_map(|label| {
            let (key, value) = label.split_once("=\"")?;
            Some((key.to_owned(), value.trim_end_matches('"').to_owned()))
        });
        (name.to_owned(), labels.collect(), value.parse().unwrap())
    };
    text.lines().filter(|line| !line.starts_with('#')).map(sample).collect()
}

#[test]
fn what_is_exported_is_what_is_listed() {
    let _passenger = count_everything();
    let text = text();
    let kinds: BTreeMap<_, _> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    let listed: BTreeMap<_, _> = FAMILIES.iter().map(|family| (family.name, family.kind.label())).collect();
    assert_eq!(kinds, listed);
    let mut labels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, of_sample, _) in samples(&text) {
        let suffixes = ["_bucket", "_sum", "_count"];
        let name = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(&name).to_owned();
        labels.entry(name).or_default().extend(of_sample.into_keys().filter(|label| label != "le"));
    }
    for family in FAMILIES {
        let seen: Vec<_> = labels[family.name].iter().map(String::as_str).collect();
        assert_eq!(seen, family.labels, "{}", family.name);
    }
}

#[test]
fn however_many_targets_there_are_only_so_many_are_told_apart() {
    let _ = METRICS.text();
    for number in 0..3_000 {
        transferred("many", &format!("game-{number}"));
    }
    for number in 0..3_000 {
        transferred(&format!("route-{number}"), "hub");
    }
    let text = text();
    let transfers: Vec<_> =
        samples(&text).into_iter().filter(|(name, ..)| name == "drawbridge_transfers_total").collect();
    assert!((500..=1_100).contains(&transfers.len()), "{}", transfers.len());
    let of = |route: &str, target: &str| {
        let is = |labels: &BTreeMap<String, String>| labels["route"] == route && labels["target"] == target;
        transfers.iter().filter(|(_, labels, _)| is(labels)).map(|(.., value)| *value).sum::<f64>()
    };
    assert!(
        of("many", "other") >= 2_500.0 && of("other", "other") >= 2_400.0,
        "the rest is counted together"
    );
    assert!(!text.contains("otel_metric_overflow"));
    let all: f64 = transfers.iter().map(|(.., value)| *value).sum();
    assert!((6_000.0..=6_001.0).contains(&all), "{all}");
}

fn beside(path: &str) -> String {
    // The one that cargo runs this in, for it may have been built in another checkout.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("run by cargo");
    let path = Path::new(&package).join("../..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_manual_lists_what_is_exported() {
    let manual = beside("docs/metrics.md");
    let rows: Vec<_> = manual
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>())
        .filter(|cells| cells[0].starts_with("drawbridge_") || cells[0].starts_with("process_"))
        .collect();
    let listed: Vec<_> = FAMILIES
        .iter()
        .map(|family| {
            let labels =
                family.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
            [family.name.to_owned(), family.kind.label().to_owned(), labels.trim_matches('`').to_owned()]
        })
        .collect();
    let shown: Vec<_> = rows.iter().map(|cells| [0, 1, 2].map(|cell| cells[cell].clone())).collect();
    assert_eq!(shown, listed);
}

#[test]
fn the_dashboard_asks_for_nothing_else() {
    let dashboard = beside("deploy/grafana/drawbridge.json");
    serde_json::from_str::<serde_json::Value>(&dashboard).unwrap();
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut used = BTreeSet::new();
    for word in dashboard.split(|character| !is_name(character)) {
        if word.starts_with("drawbridge_") || word.starts_with("process_") {
            let suffixes = ["_bucket", "_sum", "_count"];
            used.insert(suffixes.iter().find_map(|suffix| word.strip_suffix(suffix)).unwrap_or(word));
        }
    }
    let listed: BTreeSet<_> = FAMILIES.iter().map(|family| family.name).collect();
    let unknown: Vec<_> = used.difference(&listed).collect();
    assert!(unknown.is_empty(), "not exported: {unknown:?}");
    assert!(used.len() > 15, "{used:?}");
}
