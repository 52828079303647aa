use super::*;
use crate::clean_host;
use proptest::prelude::*;

fn table(routes: &[&[&str]]) -> Table<usize> {
    let mut builder = TableBuilder::default();
    for (route, patterns) in routes.iter().enumerate() {
        for pattern in *patterns {
            builder.insert(&pattern.parse().unwrap(), route).unwrap();
        }
    }
    builder.build((0..routes.len()).collect()).unwrap()
}

#[test]
fn the_order_is_exact_wildcard_glob_regex_default() {
    let table = table(&[
        &["*"],
        &["~^play"],
        &["pla?.example.com"],
        &["*.example.com"],
        &["play.example.com"],
        &["*.eu.example.com"],
    ]);
    for (host, route) in [
        ("play.example.com", 4),
        ("Play.Example.Com.\0FML\0", 4),
        ("plax.example.com", 3),
        ("a.b.example.com", 3),
        ("a.eu.example.com", 5),
        ("a.b.eu.example.com", 5),
        ("eu.example.com", 3),
        ("example.com", 0),
        ("play.example.org", 1),
        ("xplay.example.org", 0),
        ("", 0),
        ("play..example.com", 0),
        ("play example com", 0),
        ("notexample.com", 0),
    ] {
        assert_eq!(table.lookup(&clean_host(host)), Some(&route), "{host}");
    }
}

#[test]
fn globs_come_after_wildcards_and_before_regexes() {
    let table = table(&[&["~."], &["a*.example.com"], &["a?.example.com"], &["*.b.example.com"]]);
    for (host, route) in
        [("ab.example.com", 1), ("a.example.com", 1), ("a.b.example.com", 3), ("b.example.com", 0)]
    {
        assert_eq!(table.lookup(host), Some(&route), "{host}");
    }
}

#[test]
fn nothing_is_found_without_a_default_route() {
    let table = table(&[&["play.example.com", "*.play.example.com"]]);
    for host in
        ["example.com", "", ".", "com", "xplay.example.com", ".play.example.com", "ü.play.example.com"]
    {
        assert_eq!(table.lookup(host), None, "{host}");
    }
}

#[test]
fn the_first_of_many_expressions_wins() {
    let patterns: Vec<String> = (0..200).map(|n| format!("~^h{n}[0-9]*$")).collect();
    let routes: Vec<Vec<&str>> = patterns.iter().map(|pattern| vec![pattern.as_str()]).collect();
    let routes: Vec<&[&str]> = routes.iter().map(Vec::as_slice).collect();
    let table = table(&routes);
    for (host, route) in [("h0", 0), ("h7", 7), ("h77", 7), ("h99", 9), ("h199", 1)] {
        assert_eq!(table.lookup(host), Some(&route), "{host}");
    }
    assert_eq!(table.lookup("x1"), None);
}

#[test]
fn conflicts_name_the_route_that_was_first() {
    for pattern in ["play.example.com", "*.example.com", "mc?.example.com", "~^a", "*"] {
        let mut builder = TableBuilder::default();
        let pattern = pattern.parse().unwrap();
        builder.insert(&pattern, 3).unwrap();
        assert_eq!(builder.insert(&pattern, 5), Err(Conflict { route: 3 }), "{pattern}");
    }
}

/// The rules in their plainest form: every pattern is looked at.
fn naive(patterns: &[HostPattern], host: &str) -> Option<usize> {
    let labels: Vec<&str> = host.split('.').collect();
    let sane = labels.iter().all(|label| !label.is_empty());
    let found = |class: fn(&Matching<'_>) -> bool, matches: &dyn Fn(&Matching<'_>) -> bool| {
        let fits = |pattern: &HostPattern| {
            let matching = pattern.matching();
            class(&matching) && matches(&matching)
        };
        patterns.iter().position(fits).filter(|_| sane)
    };
    let wildcard = |labels_left: usize| {
        found(|m| matches!(m, Matching::Wildcard(_)), &|m| {
            matches!(m, Matching::Wildcard(suffix)
                if suffix.split('.').eq(labels[labels.len() - labels_left..].iter().copied()))
        })
    };
    let expression = |m: &Matching<'_>| match m {
        Matching::Glob(text) | Matching::Regex(text) => regex::Regex::new(text).unwrap().is_match(host),
        _ => false,
    };
    found(|m| matches!(m, Matching::Exact(_)), &|m| *m == Matching::Exact(host))
        .or_else(|| (1..labels.len()).rev().find_map(wildcard))
        .or_else(|| found(|m| matches!(m, Matching::Glob(_)), &expression))
        .or_else(|| found(|m| matches!(m, Matching::Regex(_)), &expression))
        .or_else(|| patterns.iter().position(|pattern| pattern.matching() == Matching::Any))
}

prop_compose! {
    fn host()(labels in prop::collection::vec("[ab]{1,2}", 1..5)) -> String {
        labels.join(".")
    }
}

fn pattern() -> impl Strategy<Value = HostPattern> {
    prop_oneof![
        3 => host(),
        3 => host().prop_map(|host| format!("*.{host}")),
        2 => "[ab*?]{1,3}(\\.[ab*?]{1,2}){0,2}",
        2 => "~\\^?[ab.]{1,3}\\$?",
        1 => Just("*".to_owned()),
    ]
    .prop_map(|text| text.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_table_equals_a_naive_lookup(
        patterns in prop::collection::vec(pattern(), 0..12),
        hosts in prop::collection::vec(prop_oneof![9 => host(), 1 => "[ab.]{0,6}"], 1..8),
    ) {
        let mut builder = TableBuilder::default();
        let mut kept = Vec::new();
        for pattern in patterns {
            if builder.insert(&pattern, kept.len()).is_ok() {
                kept.push(pattern);
            }
        }
        let table = builder.build((0..kept.len()).collect()).unwrap();
        for host in hosts {
            prop_assert_eq!(table.lookup(&host).copied(), naive(&kept, &host), "{}", host);
        }
    }
}
