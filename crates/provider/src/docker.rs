//! Docker: a container with labels `drawbridge.…` is a route, and where several bear the same, they are its targets.
//!
//! What must stay true: the daemon's list is the truth, and its events only say when to ask for it, so that none of them has to be
//! understood, and one that is missed costs a minute at most.

#[cfg(feature = "docker")]
mod container;
#[cfg(feature = "docker")]
mod daemon;
#[cfg(feature = "docker")]
mod follow;
#[cfg(feature = "docker")]
mod roster;
#[cfg(feature = "docker")]
mod routes;
#[cfg(feature = "docker")]
mod section;
#[cfg(not(feature = "docker"))]
mod unbuilt;

#[cfg(all(fuzzing, feature = "docker"))]
pub(crate) use container::STYLE;
#[cfg(feature = "docker")]
pub(crate) use follow::Docker;
#[cfg(feature = "docker")]
pub use section::{DockerEndpoint, DockerSection};
#[cfg(not(feature = "docker"))]
pub(crate) use unbuilt::Docker;
#[cfg(not(feature = "docker"))]
pub use unbuilt::DockerSection;
