//! Access to a Kubernetes cluster, for those who ask its API: calls that end with whoever waits for them, and watches.
//!
//! - [`Cluster`] makes calls; where it is and who we are there comes from a kubeconfig or, in a pod, from the service account.
//! - [`follow`] keeps what is there up to date: a list, then what changes.
//!
//! What must stay true: everything that a cluster answers is read within a bound; nothing is read or opened before somebody asks.

#![forbid(unsafe_code)]

mod cluster;
mod error;
mod follow;

pub use cluster::{Call, Cluster, ClusterName, Resource, Scope, is_namespace, shown};
pub use error::{ApiError, Effect};
pub use follow::{Keeper, MOST, follow};
