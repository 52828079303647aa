//! What stands for Kubernetes in a build without it.

use crate::unbuilt::source;

drawbridge_config::unbuilt!(
    "kubernetes",
    KubernetesSection,
    "ask a Kubernetes cluster",
    "routes may stand in files"
);
source!(Kubernetes, KubernetesSection);
