//! Who says whether anything is left behind.
//!
//! The rule: what was looked at is cut into quarters. The first is for what is allocated once, and for the gaps in the heap that would hide a
//! leak. A line is flat if the median of the last quarter is no more above the median of the second than is allowed. Between the two lies half of
//! the time; so what leaks at a steady rate is found if it leaks more than is allowed in that half: of an hour, 1 MiB in 1,800 s, or 600 bytes a second
//! where hundreds of connections come and go in each. Medians don't move for bursts, whatever their height, as long as these take less than half of a
//! quarter; and they do for steps, wherever one lies between the two. A regression would find as small a leak, and be swayed by a burst at either end.
//!
//! Besides, of what is counted exactly nothing may be left when everybody has gone: descriptors, threads and tasks are no more than at the start. What is
//! kept for later is left out of that, and bounded: each reactor keeps four pipes for the next relays, and each route connections to its session server.
//! Memory is bounded then too, since most of it is given back, also what was taken too late for medians to move; what is left is code that was read
//! for the first time and tables that were made once.

use super::sample::Sample;
use crate::figures::{mebibytes, median, table};
use std::fmt;

/// What a reactor keeps of pipes, both ends of each counted, and a route of connections to the session server; two routes have one.
const PIPES: usize = 8;
const CONNECTIONS: usize = 2 * 32;

/// How much higher each line may end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// Bytes of PSS. Twice the gap that an allocator was seen to leave from one quarter to another.
    pub memory: f64,
    /// Descriptors, since those who come and go aren't as many at any moment.
    pub descriptors: f64,
    /// Threads: of those that wait for files, more or fewer are kept for ten seconds.
    pub threads: f64,
    /// Tasks; each login that asks somebody has some for a moment.
    pub tasks: f64,
    /// Bytes of PSS when all have left, above those before anybody came.
    pub kept: u64,
}

impl Default for Rule {
    fn default() -> Self {
        Self { memory: f64::from(1 << 20), descriptors: 8.0, threads: 2.0, tasks: 8.0, kept: 16 << 20 }
    }
}

/// The least that quarters can be made of.
const LEAST: usize = 8;

/// Something that was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub what: String,
    /// What was seen.
    pub seen: String,
    /// Whether it is as it must be.
    pub is_sound: bool,
}

/// All that was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// In the order in which it is told.
    pub findings: Vec<Finding>,
    /// Who came, and how often.
    pub came: String,
}

/// An edge before anybody came, the while, and after all have left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) start: &'a Sample,
    pub(super) samples: &'a [Sample],
    pub(super) end: &'a Sample,
}

impl Verdict {
    /// Judges what was seen, and what was wrong besides.
    #[must_use]
    pub(super) fn of(rule: &Rule, seen: &Seen<'_>, faults: &[String], came: String) -> Self {
        let Seen { start, samples, end } = *seen;
        let line = |what: &str, allowed, of: fn(&Sample) -> f64, shown: fn(f64) -> String| {
            flat(what, &samples.iter().map(of).collect::<Vec<_>>(), allowed, shown)
        };
        let count = |value: f64| format!("{value:.0}");
        let bytes = |value: f64| mebibytes(value as u64);
        let after = |what: &str, before: u64, after: u64| Finding {
            what: format!("{what}, when all have left"),
            seen: format!("{after}, {before} before anybody came"),
            is_sound: after <= before,
        };
        let findings = vec![
            line("memory", rule.memory, |sample| sample.pss as f64, bytes),
            line("descriptors", rule.descriptors, |sample| sample.descriptors as f64, count),
            line("threads", rule.threads, |sample| sample.threads as f64, count),
            line("tasks", rule.tasks, |sample| sample.tasks as f64, count),
            Finding {
                what: "memory, when all have left".to_owned(),
                seen: format!(
                    "{}, {} before anybody came, at most {} more",
                    mebibytes(end.pss),
                    mebibytes(start.pss),
                    mebibytes(rule.kept)
                ),
                is_sound: end.pss <= start.pss + rule.kept,
            },
            after("descriptors in use", start.in_use() as u64, end.in_use() as u64),
            Finding {
                what: "descriptors kept for later".to_owned(),
                seen: format!("{}, {} before anybody came", end.kept, start.kept),
                is_sound: end.kept <= start.kept + PIPES * start.reactors + CONNECTIONS,
            },
            after("threads", start.threads as u64, end.threads as u64),
            after("tasks", start.tasks, end.tasks),
            after("connections", 0, end.connections + end.carried),
            Finding {
                what: "reloads".to_owned(),
                seen: format!("{} taken over, {} failed", end.reloads, end.failed_reloads),
                is_sound: end.reloads > start.reloads && end.failed_reloads == 0,
            },
            Finding {
                what: "faults".to_owned(),
                seen: if faults.is_empty() { "none".to_owned() } else { faults.join("\n    ") },
                is_sound: faults.is_empty(),
            },
        ];
        Self { findings, came }
    }

    /// Whether nothing is left behind, and nobody was wronged.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.is_sound)
    }
}

/// Whether a line that was looked at again and again is flat, as the rule has it.
fn flat(what: &str, values: &[f64], allowed: f64, shown: fn(f64) -> String) -> Finding {
    let quarter = values.len() / 4;
    let (early, late) = (median(&values[quarter..2 * quarter]), median(&values[values.len() - quarter..]));
    Finding {
        what: format!("{what}, last quarter against second"),
        seen: format!("{} against {}, at most {} more", shown(late), shown(early), shown(allowed)),
        is_sound: values.len() >= LEAST && late - early <= allowed,
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |sound| if sound { "sound" } else { "LEFT BEHIND" };
        let row = |finding: &Finding| {
            vec![finding.what.clone(), word(finding.is_sound).to_owned(), finding.seen.clone()]
        };
        let rows: Vec<_> = self.findings.iter().map(row).collect();
        write!(f, "{}\n{}", self.came, table(&["judged", "", "seen"], &rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const MIB: u64 = 1 << 20;

    fn sample(number: u64) -> Sample {
        Sample {
            at: Duration::from_secs(5 * number),
            // An allocator breathes, and so does who is there.
            pss: 30 * MIB + number * 7_919 % 300_000,
            rss: 32 * MIB,
            descriptors: 150 + (number * 13 % 11) as usize,
            kept: 6,
            threads: 9,
            reactors: 1,
            tasks: 20 + number * 5 % 7,
            connections: 60,
            carried: 50,
            reloads: number / 4,
            failed_reloads: 0,
            core: number as f64,
        }
    }

    /// An hour, and the moments before and after; `change` is told which sample of how many it is given.
    fn judged(change: impl Fn(u64, &mut Sample)) -> Verdict {
        let start = Sample { descriptors: 20, tasks: 12, connections: 0, carried: 0, ..sample(0) };
        let mut samples: Vec<_> = (0..720).map(sample).collect();
        samples.iter_mut().zip(0..).for_each(|(sample, number)| change(number, sample));
        let mut end = Sample { reloads: 180, ..start };
        change(720, &mut end);
        let seen = Seen { start: &start, samples: &samples, end: &end };
        Verdict::of(&Rule::default(), &seen, &[], String::new())
    }

    fn wrong(verdict: &Verdict) -> Vec<&str> {
        let wrong = verdict.findings.iter().filter(|finding| !finding.is_sound);
        wrong.map(|finding| finding.what.as_str()).collect()
    }

    #[test]
    fn a_flat_hour_is_sound() {
        let verdict = judged(|_, _| ());
        assert!(verdict.is_sound(), "{verdict}");
    }

    #[test]
    fn what_grows_at_first_or_bursts_is_no_leak() {
        let warm = judged(|number, sample| sample.pss -= 8 * MIB * 180_u64.saturating_sub(number) / 180);
        assert!(warm.is_sound(), "{warm}");
        let burst = judged(|number, sample| {
            if (600..680).contains(&number) {
                sample.pss += 50 * MIB;
                sample.descriptors += 400;
            }
        });
        assert!(burst.is_sound(), "{burst}");
        let falling = judged(|number, sample| sample.pss -= number * 20_000);
        assert!(falling.is_sound(), "{falling}");
    }

    /// 4 KiB every five seconds: less than 820 bytes a second.
    #[test]
    fn a_leak_of_few_bytes_is_seen() {
        let verdict = judged(|number, sample| sample.pss += number * 4_096);
        assert_eq!(wrong(&verdict), ["memory, last quarter against second"]);
    }

    #[test]
    fn memory_that_is_never_given_back_is_seen_whenever_it_was_taken() {
        for since in [361, 450, 539] {
            let verdict = judged(|number, sample| sample.pss += if number >= since { 2 * MIB } else { 0 });
            assert_eq!(wrong(&verdict), ["memory, last quarter against second"], "{since}");
        }
    }

    /// In the last eighth, where medians don't tell any more: the end does.
    #[test]
    fn memory_that_is_taken_late_and_never_given_back_is_seen_at_the_end() {
        let most = Rule::default().kept;
        for (bytes, is_sound) in [(most, true), (most + 1, false)] {
            let verdict = judged(|number, sample| sample.pss += if number >= 640 { bytes } else { 0 });
            assert_eq!(wrong(&verdict).is_empty(), is_sound, "{verdict}");
            assert!(wrong(&verdict).iter().all(|what| *what == "memory, when all have left"), "{verdict}");
        }
    }

    /// One in three minutes, too few for the slope to tell: the end does.
    #[test]
    fn a_leak_of_few_descriptors_is_seen_at_the_end() {
        let verdict = judged(|number, sample| sample.descriptors += number as usize / 36 / 4);
        assert_eq!(wrong(&verdict), ["descriptors in use, when all have left"]);
        let verdict = judged(|number, sample| sample.descriptors += number as usize / 36);
        assert_eq!(
            wrong(&verdict),
            ["descriptors, last quarter against second", "descriptors in use, when all have left"]
        );
    }

    #[test]
    fn what_is_kept_for_later_is_no_leak_as_long_as_it_is_bounded() {
        let of = |kept| {
            judged(move |number, sample| {
                sample.descriptors += kept * (number / 720) as usize;
                sample.kept += kept * (number / 720) as usize;
            })
        };
        let few = of(PIPES + CONNECTIONS);
        assert!(few.is_sound(), "{few}");
        assert_eq!(wrong(&of(PIPES + CONNECTIONS + 1)), ["descriptors kept for later"]);
    }

    #[test]
    fn tasks_threads_and_connections_that_stay_are_seen() {
        let tasks = judged(|number, sample| sample.tasks += number / 30);
        assert_eq!(wrong(&tasks), ["tasks, last quarter against second", "tasks, when all have left"]);
        let threads = judged(|number, sample| sample.threads += number as usize / 100);
        assert_eq!(wrong(&threads), ["threads, last quarter against second", "threads, when all have left"]);
        let relay = judged(|number, sample| sample.carried += number / 720);
        assert_eq!(wrong(&relay), ["connections, when all have left"]);
    }

    #[test]
    fn faults_failed_reloads_and_too_few_looks_are_told() {
        let reloads = judged(|number, sample| sample.failed_reloads = number / 720);
        assert_eq!(wrong(&reloads), ["reloads"]);
        let (start, samples) = (sample(0), [sample(1)]);
        let (faults, end) = (["a packet is missing".to_owned()], sample(9));
        let seen = Seen { start: &start, samples: &samples, end: &end };
        let verdict = Verdict::of(&Rule::default(), &seen, &faults, String::new());
        assert!(wrong(&verdict).contains(&"memory, last quarter against second"), "{verdict}");
        assert!(wrong(&verdict).contains(&"faults") && verdict.to_string().contains("a packet is missing"));
    }
}
