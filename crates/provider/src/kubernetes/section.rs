//! `[providers.kubernetes]`, as it is written.

use drawbridge_config::{DocumentPath, Fields, section};
use drawbridge_kubernetes::{ClusterName, Scope, is_namespace};

/// What stands for all namespaces.
const ALL: &str = "*";

section! {
    /// Routes by the annotations of a Kubernetes cluster's Services. The table alone is enough to ask for them.
    #[defaults]
    #[check(KubernetesSection::check)]
    #[derive(PartialEq)]
    pub struct KubernetesSection {
        /// The namespaces whose Services are watched; `["*"]`: all, which takes a ClusterRole. When left out: the context's
        /// namespace or, in a pod, the pod's own; `default` where the context names none.
        pub namespaces: Vec<String> = Vec::new(),
        /// How the cluster is reached from outside. When left out: the file that KUBECONFIG names, `~/.kube/config`, or in a pod its
        /// service account.
        pub kubeconfig: Option<DocumentPath>,
        /// The context in the kubeconfig; the current one when left out.
        pub context: Option<String>,
    }
}

impl KubernetesSection {
    pub(super) fn cluster(&self) -> ClusterName {
        let kubeconfig = self.kubeconfig.as_ref().map(|path| path.as_path().to_path_buf());
        ClusterName { kubeconfig, context: self.context.clone() }
    }

    /// What is watched, each by itself.
    pub(super) fn scopes(&self) -> Vec<Scope> {
        match self.namespaces.as_slice() {
            [] => vec![Scope::Home],
            [all] if all == ALL => vec![Scope::All],
            named => named.iter().cloned().map(Scope::Named).collect(),
        }
    }

    fn check(&self, fields: &mut Fields<'_, '_, '_>) {
        let all = self.namespaces.iter().any(|namespace| namespace == ALL);
        let named = self.namespaces.iter().filter(|namespace| *namespace != ALL);
        if all && self.namespaces.len() > 1 {
            fields.error("namespaces", "\"*\" stands for all namespaces: no other is named beside it");
        }
        for namespace in named.clone().filter(|namespace| !is_namespace(namespace)) {
            let what = "lower-case letters, digits and hyphens, 63 at most";
            fields.error("namespaces", format!("{namespace:?} is no namespace: {what}"));
        }
        if (1..).zip(named.clone()).any(|(next, one)| named.clone().skip(next).any(|other| one == other)) {
            fields.error("namespaces", "a namespace is named twice");
        }
        if self.kubeconfig.as_deref().is_some_and(|path| !path.is_file()) {
            fields.error("kubeconfig", "there is no such file");
        }
    }
}
