//! `[providers]`, as it is written.

use crate::docker::DockerSection;
use crate::kubernetes::KubernetesSection;
use drawbridge_config::section;

section! {
    /// Where routes come from beside files. Where two want a host, the one of a file keeps it, then Docker's, then
    /// Kubernetes'.
    #[defaults]
    #[derive(PartialEq)]
    pub struct ProvidersSection {
        /// Containers with labels `drawbridge.…`; asked where this table is there.
        pub docker: Option<DockerSection>,
        /// Services with annotations `drawbridge.dev/…`; asked where this table is there.
        pub kubernetes: Option<KubernetesSection>,
    }
}

impl ProvidersSection {
    /// The providers that are asked, by name, in the order in which their routes count.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let docker = self.docker.iter().map(|_| "docker");
        docker.chain(self.kubernetes.iter().map(|_| "kubernetes"))
    }
}
