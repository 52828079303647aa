//! `type = "agones_watch"`, as it is written.

use super::Fleet;
use crate::template::{is_key, is_label_value};
use drawbridge_adapter::discovery::OnDiscoveryError;
use drawbridge_config::{DocumentPath, Fields, keywords, section};
use drawbridge_kubernetes::{ClusterName, is_namespace};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

keywords! {
    /// The states of game servers that players can be on.
    pub enum ServerState {
        "Ready" => Ready,
        "Allocated" => Allocated,
        "Reserved" => Reserved,
    }
}

keywords! {
    /// What holds of a label.
    pub enum Operator {
        "In" => In,
        "NotIn" => NotIn,
        "Exists" => Exists,
        "DoesNotExist" => DoesNotExist,
    }
}

section! {
    /// The game servers of a fleet, for players who share them.
    #[defaults]
    #[check(AgonesWatchSection::check)]
    pub struct AgonesWatchSection {
        /// Where the game servers are. When left out: the context's namespace or, in a pod, the pod's own; `default` where the
        /// context names none.
        pub namespace: Option<String>,
        /// How the cluster is reached from outside. When left out: the file that KUBECONFIG names, `~/.kube/config`, or in a pod its
        /// service account.
        pub kubeconfig: Option<DocumentPath>,
        /// The context in the kubeconfig; the current one when left out.
        pub context: Option<String>,
        /// Which game servers are watched; all when left out.
        pub selector: WatchSelectorSection,
        /// The states in which they are targets.
        pub states: Vec<ServerState> = vec![ServerState::Ready, ServerState::Allocated],
        /// The name of the port that players go to; the first when left out.
        pub port: Option<String>,
        /// How long a player waits for the first list.
        pub timeout: Duration = Duration::from_secs(5),
        /// What becomes of a player while the cluster gives no answer.
        pub on_error: OnDiscoveryError = OnDiscoveryError::Stale,
    }
}

section! {
    /// Which game servers are watched, by their labels.
    #[defaults]
    #[check(WatchSelectorSection::check)]
    pub struct WatchSelectorSection {
        /// Labels and their values.
        pub match_labels: BTreeMap<String, String> = BTreeMap::new(),
        /// What else holds of labels.
        pub match_expressions: Vec<ExpressionSection> = Vec::new(),
    }
}

section! {
    /// What holds of a label.
    #[check(ExpressionSection::check)]
    pub struct ExpressionSection {
        /// The label.
        pub key: String,
        /// What holds of it.
        pub operator: Operator,
        /// The values that `In` and `NotIn` mean.
        pub values: Vec<String> = Vec::new(),
    }
}

impl AgonesWatchSection {
    pub(super) fn fleet(&self) -> Fleet {
        let kubeconfig = self.kubeconfig.as_ref().map(|path| path.as_path().to_path_buf());
        Fleet {
            cluster: ClusterName { kubeconfig, context: self.context.clone() },
            namespace: self.namespace.clone(),
            selector: self.selector.written(),
        }
    }

    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        check_cluster(self.namespace.as_deref(), self.kubeconfig.as_deref(), self.timeout, fields);
        if self.states.is_empty() {
            fields.error("states", "a game server in no state is no target: name at least one");
        }
    }
}

impl WatchSelectorSection {
    /// In the API's words.
    fn written(&self) -> String {
        let labels = self.match_labels.iter().map(|(key, value)| format!("{key}={value}"));
        let expressions = self.match_expressions.iter().map(ExpressionSection::written);
        labels.chain(expressions).collect::<Vec<_>>().join(",")
    }

    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        for (key, value) in
            self.match_labels.iter().filter(|(key, value)| !is_key(key) || !is_label_value(value))
        {
            fields.error("match_labels", format!("Kubernetes has no label {key:?} of the value {value:?}"));
        }
    }
}

impl ExpressionSection {
    fn written(&self) -> String {
        let (key, values) = (&self.key, self.values.join(","));
        match self.operator {
            Operator::In => format!("{key} in ({values})"),
            Operator::NotIn => format!("{key} notin ({values})"),
            Operator::Exists => key.clone(),
            Operator::DoesNotExist => format!("!{key}"),
        }
    }

    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        if !is_key(&self.key) {
            fields.error("key", format!("Kubernetes has no label {:?}", self.key));
        }
        let wants_values = matches!(self.operator, Operator::In | Operator::NotIn);
        if wants_values == self.values.is_empty() {
            fields.error("values", "In and NotIn want values, Exists and DoesNotExist none");
        }
        for value in self.values.iter().filter(|value| !is_label_value(value)) {
            fields.error("values", format!("Kubernetes has no label of the value {value:?}"));
        }
    }
}

/// What may be wrong with where the game servers are, whatever is done with them.
pub(crate) fn check_cluster(
    namespace: Option<&str>,
    kubeconfig: Option<&Path>,
    timeout: Duration,
    fields: &mut Fields<'_, '_, '_>,
) {
    if namespace.is_some_and(|namespace| !is_namespace(namespace)) {
        fields.error(
            "namespace",
            "expected the name of a namespace: lower-case letters, digits and hyphens, 63 at most",
        );
    }
    if kubeconfig.is_some_and(|path| !path.is_file()) {
        fields.error("kubeconfig", "there is no such file");
    }
    if timeout.is_zero() {
        fields.error("timeout", "nobody answers in no time");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use drawbridge_config::read_text;

    #[test]
    fn selectors_are_written_as_the_api_reads_them() {
        let section: AgonesWatchSection = read_text(
            "watch.toml",
            "selector = { match_labels = { 'agones.dev/fleet' = 'hub', b = '' }, match_expressions = [
                { key = 'tier', operator = 'In', values = ['a', 'b'] }, { key = 'old', operator = 'DoesNotExist' },
                { key = 'tier', operator = 'NotIn', values = ['c'] }, { key = 'new', operator = 'Exists' } ] }",
        )
        .unwrap();
        let written = section.fleet().selector;
        assert_eq!(written, "agones.dev/fleet=hub,b=,tier in (a,b),!old,tier notin (c),new");
    }

    #[test]
    fn mistakes_stand_at_their_keys() {
        for (text, words) in [
            ("namespace = 'a/b'", "expected the name of a namespace"),
            ("kubeconfig = '/nowhere/kubeconfig'", "there is no such file"),
            ("timeout = '0s'", "nobody answers in no time"),
            ("states = []", "name at least one"),
            ("states = ['Shutdown']", "is not one of the words here"),
            ("selector.match_labels = { a = 'b c' }", "no label \\\"a\\\" of the value"),
            ("selector.match_expressions = [{ key = 'a', operator = 'In' }]", "want values"),
            ("selector.match_expressions = [{ key = 'a b', operator = 'Exists' }]", "no label \\\"a b\\\""),
        ] {
            let error = format!("{:?}", read_text::<AgonesWatchSection>("watch.toml", text).unwrap_err());
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
