//! The providers that run.

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
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;

/// How long further news is waited for, so that a hundred containers that start are one reload.
const QUIET: Duration = Duration::from_millis(100);

/// The providers that the configuration names, in the order in which their routes count. Each ends when it is dropped.
#[derive(Debug)]
pub struct Providers {
    runtime: Handle,
    tasks: TaskTracker,
    docker: Option<(DockerSection, Followed)>,
    kubernetes: Option<(KubernetesSection, Followed)>,
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
        Self { runtime, tasks, docker: None, kubernetes: None }
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

    /// Waits until one of them has others than those that were read last. May be dropped before: nothing is missed that
    /// [`documents`](Self::documents) doesn't give.
    pub async fn changed(&mut self) {
        let mut waits: Vec<_> = self.all_mut().map(|followed| Box::pin(followed.offers.changed())).collect();
        let news = poll_fn(|context| {
            let news = waits.iter_mut().any(|wait| wait.as_mut().poll(context).is_ready());
            if news { Poll::Ready(()) } else { Poll::Pending }
        });
        news.await;
        sleep(QUIET).await;
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
