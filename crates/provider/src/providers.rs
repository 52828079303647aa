//! The providers that run.
//!
//! What must stay true: nobody whose labels change without end has all routes built anew without end.

use crate::docker::{Docker, DockerSection};
use crate::kubernetes::{Kubernetes, KubernetesSection};
use crate::section::ProvidersSection;
use drawbridge_model::{Offer, RouteDocument, RouteSource};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::task::TaskTracker;

/// How long further news is waited for, so that a hundred containers that start are one reload.
const QUIET: Duration = Duration::from_millis(100);
/// How many reloads in a row are waited for no longer than that. Of as many further ones each has the gap before it, then twice the gap, up to
/// the longest. After as long without a change it begins anew.
const AT_ONCE: u32 = 5;
const GAP: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(10);

/// The providers that the configuration names, in the order in which their routes count. Each ends when it is dropped.
#[derive(Debug)]
pub struct Providers {
    runtime: Handle,
    tasks: TaskTracker,
    docker: Option<(DockerSection, Followed)>,
    kubernetes: Option<(KubernetesSection, Followed)>,
    pace: Pace,
}

/// When what providers have is taken over, so that changes without end are few reloads: each empties what is remembered for all routes.
#[derive(Debug, Default)]
struct Pace {
    /// The last one, and how many there were until then without a pause.
    last: Option<(Instant, u32)>,
}

impl Pace {
    /// From when on there may be another one, where there is news since `now`.
    fn next(&mut self, now: Instant) -> Instant {
        self.last = self.last.filter(|(last, _)| now.saturating_duration_since(*last) < LONGEST);
        let next = |(last, in_a_row)| last + GAP.saturating_mul(in_a_row / AT_ONCE).min(LONGEST);
        self.last.map_or(now, next)
    }

    /// There is one now.
    fn took(&mut self, now: Instant) {
        let before = self.last.map(|(_, in_a_row)| in_a_row).unwrap_or_default();
        self.last = Some((now, before.saturating_add(1)));
    }
}

/// A provider, and what it has told.
#[derive(Debug)]
struct Followed {
    source: Box<dyn RouteSource>,
    offers: watch::Receiver<Offer>,
    /// What the one before it had, which stays until this one has an answer: no route is gone in between.
    before: Offer,
}

impl Followed {
    fn new(source: impl RouteSource + 'static, before: Offer) -> Self {
        Self { offers: source.offers(), source: Box::new(source), before }
    }

    fn documents(&self) -> Offer {
        self.offers.borrow().clone().or_else(|| self.before.clone())
    }
}

impl Providers {
    /// None yet. What they do, they do on `runtime`, tracked by `tasks`.
    #[must_use]
    pub const fn new(runtime: Handle, tasks: TaskTracker) -> Self {
        Self { runtime, tasks, docker: None, kubernetes: None, pace: Pace { last: None } }
    }

    /// Runs those that the section names, from now on. Those of which it says the same as before go on as they are.
    pub fn follow(&mut self, section: &ProvidersSection) {
        let (runtime, tasks) = (&self.runtime, &self.tasks);
        change(&mut self.docker, &section.docker, |section| Docker::start(section, runtime, tasks));
        change(&mut self.kubernetes, &section.kubernetes, |section| {
            Kubernetes::start(section, runtime, tasks)
        });
    }

    /// Ends all of them.
    pub fn stop(&mut self) {
        (self.docker, self.kubernetes) = (None, None);
    }

    fn all(&self) -> impl Iterator<Item = &Followed> {
        let docker = self.docker.iter().map(|(_, followed)| followed);
        docker.chain(self.kubernetes.iter().map(|(_, followed)| followed))
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Followed> {
        let docker = self.docker.iter_mut().map(|(_, followed)| followed);
        docker.chain(self.kubernetes.iter_mut().map(|(_, followed)| followed))
    }

    /// What each of them has now.
    pub fn documents(&self) -> Vec<Arc<[RouteDocument]>> {
        self.all().filter_map(Followed::documents).collect()
    }

    /// Waits for the first answer of each, and names those that haven't given any by then.
    pub async fn first(&mut self, patience: Duration) -> Vec<&'static str> {
        // Who has answered needn't do so again, so that one deadline is enough for all.
        let answered = async {
            for followed in self.all_mut() {
                // Only a provider that is gone would be waited for in vain.
                let _ = followed.offers.wait_for(Option::is_some).await;
            }
        };
        let _ = timeout(patience, answered).await;
        self.all()
            .filter(|followed| followed.offers.borrow().is_none())
            .map(|followed| followed.source.name())
            .collect()
    }

    /// Waits until one of them has others than those that were read last, and longer where that was so again and again. May be dropped
    /// before: nothing is missed that [`documents`](Self::documents) doesn't give.
    pub async fn changed(&mut self) {
        let mut waits: Vec<_> = self.all_mut().map(|followed| Box::pin(followed.offers.changed())).collect();
        let news = poll_fn(|context| {
            let news = waits.iter_mut().any(|wait| wait.as_mut().poll(context).is_ready());
            if news { Poll::Ready(()) } else { Poll::Pending }
        });
        news.await;
        drop(waits);
        let next = self.pace.next(Instant::now());
        sleep(QUIET).await;
        sleep_until(next).await;
        self.pace.took(Instant::now());
    }

    /// What there is now has been read.
    pub fn seen(&mut self) {
        self.all_mut().for_each(|followed| followed.offers.mark_unchanged());
    }
}

/// Runs the provider that the section asks for, where another one or none runs.
fn change<S: Clone + PartialEq, P: RouteSource + 'static>(
    running: &mut Option<(S, Followed)>,
    section: &Option<S>,
    start: impl FnOnce(&S) -> P,
) {
    if running.as_ref().map(|(section, _)| section) == section.as_ref() {
        return;
    }
    let before = running.take().and_then(|(_, followed)| followed.documents());
    *running = section.clone().map(|section| {
        let followed = Followed::new(start(&section), before);
        (section, followed)
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When there are reloads, in milliseconds, where news comes at these times.
    fn reloads(news: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let (begin, mut pace, mut all) = (Instant::now(), Pace::default(), Vec::new());
        for at in news {
            // What comes while one is waited for comes along.
            if all.last().is_none_or(|last| *last <= at) {
                let now = begin + Duration::from_millis(at);
                let due = pace.next(now).max(now);
                pace.took(due);
                all.push(u64::try_from((due - begin).as_millis()).unwrap());
            }
        }
        all
    }

    #[test]
    fn changes_without_end_are_ever_fewer_reloads() {
        let all = reloads((0..4_000).map(|turn| turn * 100));
        let (first, then) = ([0, 100, 200, 300, 400], [1_400, 2_400, 3_400, 4_400, 5_400, 7_400, 9_400]);
        assert_eq!(all[..12], [&first[..], &then[..]].concat());
        // Five each of every gap, and of the longest as many as there is time for.
        let gaps: Vec<u64> = all.windows(2).map(|two| two[1] - two[0]).skip(4).collect();
        assert!(gaps.is_sorted() && gaps.len() > 60, "{gaps:?}");
        assert!((1..10).all(|seconds| gaps.iter().filter(|gap| **gap == seconds * 1_000).count() == 5));
        assert_eq!(gaps.last(), Some(&10_000));
    }

    #[test]
    fn a_few_changes_wait_for_nothing() {
        let few = [0, 200, 400, 3_000, 5_000];
        assert_eq!(reloads(few), few);
        let after_a_pause = [few, few.map(|at| at + 15_000)].concat();
        assert_eq!(reloads(after_a_pause.clone()), after_a_pause);
        let seldom: Vec<u64> = (0..20).map(|turn| turn * 10_000).collect();
        assert_eq!(reloads(seldom.clone()), seldom);
    }
}
