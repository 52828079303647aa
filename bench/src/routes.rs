//! Looking up the route of a host among 100,000, on one thread. Half of the routes have an exact host, half a wildcard; hosts are
//! asked in an order that no cache foresees.

use crate::cipher::thread_time;
use crate::report::{Goal, Line, Unit};
use crate::rounds::{Plan, Samples};
use anyhow::{Context as _, Result, ensure};
use drawbridge_routing::{HostPattern, Table, TableBuilder};
use std::hint::black_box;

const ROUTES: usize = 100_000;
const GOAL: Goal = Goal::AtMost(1e-6);

/// A host, and the position of the route that has to be found for it.
type Asked = (String, Option<usize>);

/// Measures all of it.
///
/// # Errors
/// When a lookup finds the wrong route.
pub(crate) fn measure(plan: &Plan) -> Result<Vec<Line>> {
    let table = table()?;
    // Even positions have exact hosts, odd ones wildcards; the factor is coprime to their number.
    let scattered = || (0..ROUTES / 2).map(|index| 2 * (index * 48_271 % (ROUTES / 2)));
    let kinds: [(&str, Vec<Asked>); 3] = [
        ("exact host", scattered().map(|route| (exact(route), Some(route))).collect()),
        (
            "wildcard",
            scattered().map(|route| (format!("a.b.{}", suffix(route + 1)), Some(route + 1))).collect(),
        ),
        (
            "unknown host",
            scattered().map(|route| (format!("a.b.c.nothing-{route}.example.net"), None)).collect(),
        ),
    ];
    let mut lines = Vec::new();
    for (name, hosts) in &kinds {
        for (host, route) in hosts {
            ensure!(table.lookup(host) == route.as_ref(), "{host} leads elsewhere");
        }
        let mut samples: Samples = Vec::new();
        for _ in 0..plan.rounds {
            let before = thread_time();
            for (host, _) in hosts.iter().cycle().take(plan.lookups) {
                black_box(table.lookup(black_box(host)));
            }
            samples.push((thread_time() - before).as_secs_f64() / plan.lookups as f64);
        }
        lines.push(Line::new(*name, Unit::Seconds, &samples).goal(GOAL));
    }
    Ok(lines)
}

fn table() -> Result<Table<usize>> {
    let mut builder = TableBuilder::default();
    for route in 0..ROUTES {
        let host = if route % 2 == 0 { exact(route) } else { format!("*.{}", suffix(route)) };
        let pattern: HostPattern = host.parse().with_context(|| host.clone())?;
        builder.insert(&pattern, route).ok().with_context(|| format!("{host} is there already"))?;
    }
    Ok(builder.build((0..ROUTES).collect())?)
}

fn exact(route: usize) -> String {
    format!("server-{route}.region-{}.example.com", route % 7)
}

fn suffix(route: usize) -> String {
    format!("network-{route}.region-{}.example.org", route % 7)
}
