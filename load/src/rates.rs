//! How many pings and logins a second an edge answers, at rates that rise until 99 of 100 take longer than [`TOO_LONG`] or somebody isn't served.
//! Errands count from the moment at which they were due.

use crate::cores::{Cores, Shares};
use crate::figures::{quantile, table, time};
use crate::flood::{Errand, Flood};
use crate::scene::{Scene, TRANSFER};
use anyhow::Result;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// What nobody waits for with a smile.
pub const TOO_LONG: Duration = Duration::from_millis(250);

/// The rate of the first step, and how much higher the next one is.
const PINGS: f64 = 1_000.0;
const LOGINS: f64 = 250.0;
const RISE: f64 = 1.25;
/// Whatever happens, it isn't gone beyond.
const MOST: f64 = 100_000.0;
/// Of a core, from which on a thread has no more to give.
const FULL: f64 = 0.93;
/// Of all cores, below which nobody gets another one.
const NONE_LEFT: f64 = 0.07;

/// What came of a rate.
struct Step {
    rate: f64,
    served: f64,
    half: Duration,
    most: Duration,
    missed: u64,
    shares: Shares,
    trouble: Option<String>,
}

impl Step {
    fn has_failed(&self) -> bool {
        self.missed > 0 || self.most > TOO_LONG || self.served < 0.9 * self.rate
    }

    fn row(&self) -> Vec<String> {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        vec![
            format!("{:.0}", self.rate),
            format!("{:.0}", self.served),
            time(self.half),
            time(self.most),
            self.missed.to_string(),
            percent(self.shares.of("reactor")),
            percent(self.shares.of("runtime")),
            percent(self.shares.of("keys")),
            percent(self.shares.of("flood")),
            percent(self.shares.own),
            percent(self.shares.idle),
        ]
    }

    /// What had nothing more to give.
    fn saturated(&self) -> String {
        let groups = ["reactor", "runtime", "keys", "flood"];
        let full: Vec<_> = groups.into_iter().filter(|group| self.shares.of(group) >= FULL).collect();
        let mut text = match full.as_slice() {
            [] => "no thread had a whole core".to_owned(),
            full => format!("a whole core each: {}", full.join(", ")),
        };
        if self.shares.idle < NONE_LEFT {
            text.push_str("; no core was left");
        }
        text
    }
}

/// Takes all the steps, each of which lasts so long; what came of them, as text.
///
/// # Errors
/// When something can't be started.
pub fn measure(program: &Path, each: Duration) -> Result<String> {
    let mut text = String::new();
    for (errand, first) in [(Errand::Ping, PINGS), (Errand::Login, LOGINS)] {
        let scene = Scene::start(program)?;
        let (mut steps, mut rate) = (Vec::new(), first);
        while rate < MOST {
            let mut tried = step(&scene, errand, rate, each)?;
            if tried.has_failed() {
                // Somebody else may have had the cores for a moment.
                tried = step(&scene, errand, rate, each)?;
            }
            let has_failed = tried.has_failed();
            steps.push(tried);
            if has_failed {
                break;
            }
            rate *= RISE;
        }
        text.push_str(&told(errand, &steps));
    }
    Ok(text)
}

fn step(scene: &Scene, errand: Errand, rate: f64, each: Duration) -> Result<Step> {
    let flood = Flood::of(errand).host(TRANSFER).a_second(rate, scene.edge.address())?;
    // What is begun isn't judged.
    std::thread::park_timeout(each / 4);
    let (before, _) = (Cores::look(&scene.edge)?, flood.take());
    std::thread::park_timeout(each);
    let (after, mut tally) = (Cores::look(&scene.edge)?, flood.take());
    let missed = tally.missed();
    tally.took.sort();
    drop(flood);
    Ok(Step {
        rate,
        served: tally.served as f64 / each.as_secs_f64(),
        half: quantile(&tally.took, 0.5),
        most: quantile(&tally.took, 0.99),
        missed,
        shares: after.since(&before),
        trouble: tally.trouble,
    })
}

fn told(errand: Errand, steps: &[Step]) -> String {
    let heads = [
        "a second",
        "served",
        "half within",
        "99 of 100",
        "not served",
        "reactor",
        "runtime",
        "keys",
        "flood",
        "all of this process",
        "idle",
    ];
    let rows: Vec<_> = steps.iter().map(Step::row).collect();
    let mut text = format!("{} a second\n{}", capital(errand.name()), table(&heads, &rows));
    let best = steps.iter().rfind(|step| !step.has_failed());
    if let Some(best) = best {
        let _ =
            writeln!(text, "  {:.0} a second are served, 99 of 100 within {}", best.served, time(best.most));
    }
    if let Some(broken) = steps.last().filter(|step| step.has_failed()) {
        let trouble = broken.trouble.as_deref().map(|trouble| format!(" ({trouble})")).unwrap_or_default();
        let _ = writeln!(
            text,
            "  at {:.0}: 99 of 100 within {}, {} not served{trouble}; {}\n",
            broken.rate,
            time(broken.most),
            broken.missed,
            broken.saturated()
        );
    }
    text
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
