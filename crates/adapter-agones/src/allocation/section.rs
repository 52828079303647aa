//! `type = "agones"`, as it is written. The keys are those of a GameServerAllocation, in the manner of this configuration.

use crate::orphans::{Fate, LABEL};
use crate::template::{Template, is_key, is_label_value};
use crate::watch::{ExpressionSection, check_cluster};
use drawbridge_config::{DocumentPath, Fields, Located, keywords, section};
use drawbridge_kubernetes::ClusterName;
use std::collections::BTreeMap;
use std::time::Duration;

keywords! {
    /// What becomes of a player when the cluster gives no answer. None is taken from another player's, so there is no "stale".
    pub enum OnAllocationError {
        /// The player is refused.
        "refuse" => Refuse,
        /// It goes on without targets from here: an action may have some.
        "next" => Next,
    }
}

keywords! {
    /// Which of the game servers that fit is allocated.
    pub enum Scheduling {
        /// One on the fullest node.
        "Packed" => Packed,
        /// Any.
        "Distributed" => Distributed,
    }
}

keywords! {
    /// The states of game servers that can be allocated.
    pub enum AllocatableState {
        "Ready" => Ready,
        /// A player joins others on a game server that was allocated before.
        "Allocated" => Allocated,
    }
}

keywords! {
    /// What game servers are sorted by.
    pub enum PriorityKind {
        "Counter" => Counter,
        "List" => List,
    }
}

keywords! {
    /// Which game servers come first, by their available capacity.
    pub enum PriorityOrder {
        "Ascending" => Ascending,
        "Descending" => Descending,
    }
}

keywords! {
    /// What is done with a counter.
    pub enum CounterChange {
        "Increment" => Increment,
        "Decrement" => Decrement,
    }
}

section! {
    /// A game server is allocated for each player through Agones.
    #[defaults]
    #[check(AgonesSection::check)]
    pub struct AgonesSection {
        /// Where the game servers are. When left out: the context's namespace or, in a pod, the pod's own; `default` where the
        /// context names none.
        pub namespace: Option<String>,
        /// How the cluster is reached from outside. When left out: the file that KUBECONFIG names, `~/.kube/config`, or in a pod its
        /// service account.
        pub kubeconfig: Option<DocumentPath>,
        /// The context in the kubeconfig; the current one when left out.
        pub context: Option<String>,
        /// Which game servers fit, the first selector that finds one counts; without any all do.
        pub selectors: Vec<SelectorSection> = Vec::new(),
        /// In which order those that fit are looked at.
        pub priorities: Vec<PrioritySection> = Vec::new(),
        /// Which node is preferred.
        pub scheduling: Scheduling = Scheduling::Packed,
        /// What is done with the game server's counters.
        pub counters: BTreeMap<String, CounterSection> = BTreeMap::new(),
        /// What is done with the game server's lists.
        pub lists: BTreeMap<String, ListSection> = BTreeMap::new(),
        /// What is written to the game server.
        pub metadata: MetadataSection,
        /// The name of the port that players go to; the first when left out.
        pub port: Option<String>,
        /// How long it may take, all attempts together. Less than `limits.placement_timeout`, also together with those of the route's
        /// other allocations.
        pub timeout: Located<Duration> = Located::built_in(Duration::from_secs(10)),
        /// How attempts follow one another.
        pub backoff: BackoffSection,
        /// What becomes of a player when the cluster gives no answer.
        pub on_error: OnAllocationError = OnAllocationError::Refuse,
        /// What becomes of a game server that was allocated for a player who then left.
        pub orphans: Fate = Fate::Report,
        /// The labels that such a game server is given with `orphans = "relabel"`.
        pub relabel: BTreeMap<String, String> = BTreeMap::new(),
    }
}

section! {
    /// Which game servers fit.
    #[defaults]
    #[check(SelectorSection::check)]
    pub struct SelectorSection {
        /// Labels and their values.
        pub match_labels: BTreeMap<String, Template> = BTreeMap::new(),
        /// What else holds of labels.
        pub match_expressions: Vec<ExpressionSection> = Vec::new(),
        /// Their state.
        pub state: AllocatableState = AllocatableState::Ready,
        /// Bounds on counters.
        pub counters: BTreeMap<String, CounterSelectorSection> = BTreeMap::new(),
        /// Bounds on lists.
        pub lists: BTreeMap<String, ListSelectorSection> = BTreeMap::new(),
    }
}

section! {
    /// Bounds on a counter; `0` is none.
    #[defaults]
    pub struct CounterSelectorSection {
        /// What it counts at least.
        pub min_count: u32 = 0,
        /// What it counts at most.
        pub max_count: u32 = 0,
        /// What is left to its capacity at least.
        pub min_available: u32 = 0,
        /// What is left to its capacity at most.
        pub max_available: u32 = 0,
    }
}

section! {
    /// Bounds on a list; `0` is none.
    #[defaults]
    pub struct ListSelectorSection {
        /// A value that is in it.
        pub contains_value: Option<Template>,
        /// For how many values there is room at least.
        pub min_available: u32 = 0,
        /// For how many values there is room at most.
        pub max_available: u32 = 0,
    }
}

section! {
    /// What game servers are sorted by.
    pub struct PrioritySection {
        /// Whether it is a counter or a list.
        pub r#type: PriorityKind,
        /// Its name.
        pub key: String,
        /// Which come first.
        pub order: PriorityOrder = PriorityOrder::Ascending,
    }
}

section! {
    /// What is done with a counter.
    #[defaults]
    #[check(CounterSection::check)]
    pub struct CounterSection {
        /// Whether it counts up or down.
        pub action: Option<CounterChange>,
        /// By how much.
        pub amount: u32 = 1,
        /// Its capacity from then on.
        pub capacity: Option<u32>,
    }
}

section! {
    /// What is done with a list.
    #[defaults]
    pub struct ListSection {
        /// What is added.
        pub add_values: Vec<Template> = Vec::new(),
        /// What is taken out.
        pub delete_values: Vec<Template> = Vec::new(),
        /// Its capacity from then on, 1,000 at most.
        pub capacity: Option<u32>,
    }
}

section! {
    /// What is written to a game server.
    #[defaults]
    #[check(MetadataSection::check)]
    pub struct MetadataSection {
        /// Labels; what Kubernetes doesn't take in their values becomes `_`.
        pub labels: BTreeMap<String, Template> = BTreeMap::new(),
        /// Annotations.
        pub annotations: BTreeMap<String, Template> = BTreeMap::new(),
    }
}

section! {
    /// How attempts follow one another: on contention, conflict, throttling and errors of the cluster's own.
    #[defaults]
    #[check(BackoffSection::check)]
    pub struct BackoffSection {
        /// The wait after the first attempt, about; each further one is twice as long.
        pub first: Duration = Duration::from_millis(100),
        /// The longest wait.
        pub longest: Duration = Duration::from_secs(2),
        /// Whether it is tried again where no game server is free: a fleet may be growing.
        pub unallocated: bool = true,
    }
}

impl AgonesSection {
    pub(crate) fn cluster(&self) -> ClusterName {
        let kubeconfig = self.kubeconfig.as_ref().map(|path| path.as_path().to_path_buf());
        ClusterName { kubeconfig, context: self.context.clone() }
    }

    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        check_cluster(self.namespace.as_deref(), self.kubeconfig.as_deref(), *self.timeout, fields);
        for key in self.relabel.iter().filter(|(key, value)| !is_key(key) || !is_label_value(value)) {
            fields
                .error("relabel", format!("Kubernetes takes no label {:?} of the value {:?}", key.0, key.1));
        }
        if (self.orphans == Fate::Relabel) == self.relabel.is_empty() {
            fields.error("relabel", "orphans = \"relabel\" and the labels to give them belong together");
        }
        let shared = self.selectors.iter().any(|selector| selector.state == AllocatableState::Allocated);
        if shared && self.orphans == Fate::Delete {
            fields.error(
                "orphans",
                "a selector takes game servers that others play on: these can't be deleted",
            );
        }
    }
}

impl SelectorSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        check_labels("match_labels", &self.match_labels, fields);
    }
}

impl CounterSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.amount == 0 {
            fields.error("amount", "by nothing nothing changes: leave out the action");
        }
    }
}

impl MetadataSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        check_labels("labels", &self.labels, fields);
        if self.labels.contains_key(LABEL) {
            fields.error("labels", format!("the edge itself writes the label {LABEL:?}"));
        }
        for key in self.annotations.keys().filter(|key| !is_key(key)) {
            fields.error("annotations", format!("Kubernetes takes no annotation {key:?}"));
        }
    }
}

impl BackoffSection {
    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if self.first.is_zero() || self.longest < self.first {
            fields.error(
                "longest",
                "expected waits that are longer than nothing, the longest at least as long as the first",
            );
        }
    }
}

fn check_labels(key: &str, labels: &BTreeMap<String, Template>, fields: &mut Fields<'_, '_, '_>) {
    for (label, value) in labels {
        if !is_key(label) {
            fields.error(key, format!("Kubernetes takes no label {label:?}"));
        }
        if value.unfit_label() {
            fields.error(key, format!("Kubernetes takes no such value of the label {label:?}"));
        }
    }
}
