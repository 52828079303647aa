//! What tests from outside need: the edge as a process, and everybody who talks to it.
//!
//! - [`Edge`]: the binary, started on a free port of 127.0.0.1, with its log to wait on.
//! - [`Player`]: a scripted client for any protocol number, which can also misbehave; [`Connection`] is the socket below it.
//! - [`NodeClient`]: real clients, node-minecraft-protocol; [`NodeWorld`]: servers of every version made with it, in a process of their own.
//! - [`Squid`] and [`Walker`]: a server with a world, flying-squid, and a player who walks on it, mineflayer.
//! - [`SessionServer`]: stands in for Mojang's, over HTTP, with its real semantics and a number of faults.
//! - [`Web`]: a page, such as a favicon's or a status's.
//! - [`NameServer`]: DNS over UDP and TCP, with its failures on demand.
//! - [`DockerApi`]: stands in for a Docker daemon, on a socket, with lists, events and a number of faults.
//! - [`KubernetesApi`]: stands in for a cluster with Agones, over HTTP, with the API's documented behaviour and a number of faults.
//! - [`GrpcService`]: every service that the edge asks over gRPC, in Node or Python; [`Certificates`] for it.
//! - [`Host`]: a server of play that proves what it hears; [`Crowd`]: clients by the hundreds that prove what they hear.
//! - [`Scrape`]: what the edge tells of itself by `/metrics`.
//! - [`Target`]: where relays lead, which says what it is told and keeps what it hears.
//! - [`Wire`] leads to any of them, and is late, slow, stalled or broken on demand.
//! - [`Clock`] is a clock on the wall that an edge goes by, and jumps.
//! - [`Backend`] counts who arrives at a target, [`Tarpit`] lets nobody arrive, [`Closed`] refuses everybody.
//!
//! What must stay true: no wait without a deadline and no sleeping; a tool that is missing is an error that says how to get
//! it; only addresses of 127.0.0.0/8 are used. All is blocking: a test reads from top to bottom.

#![forbid(unsafe_code)]

mod backend;
mod certificates;
mod clock;
mod connection;
mod desk;
mod dns;
mod docker;
mod edge;
mod grpc;
mod kubernetes;
mod mistaken;
mod node;
mod play;
mod player;
mod scrape;
mod script;
mod session;
mod target;
mod wait;
mod web;
mod wire;

pub use backend::{Backend, Closed, Tarpit};
pub use certificates::Certificates;
pub use clock::Clock;
pub use connection::{Connection, Received, Trouble, ping};
pub use dns::{Mood, NameServer, Record};
pub use docker::{DockerApi, Temper};
pub use edge::{Edge, EdgeBuilder, Finished, Line, Memory, completed, need_descriptors, thread_times};
pub use grpc::{Answer, GrpcService};
pub use kubernetes::{ApiCall, KubernetesApi, Turn};
pub use mistaken::mistaken;
pub use node::{
    Forwarded, Join, NodeClient, NodePlayer, NodeServer, NodeVisit, NodeWorld, Served, Squid, Tour, Walker,
};
pub use play::{
    Arrival, Crowd, CrowdBuilder, Fault, Host, HostBuilder, Misdeed, Order, Passage, Place, Resident, Spot,
    Stage, Stay, Traffic,
};
pub use player::{Deviation, Jar, Outcome, PackAnswer, Player, Visit};
pub use rustix::process::Signal;
pub use scrape::{Scrape, ask, ask_deaf};
pub use script::Event;
pub use session::{Account, Mode, SessionServer};
pub use target::{Manner, Target};
pub use wait::eventually;
pub use web::{Reply, Request, Web};
pub use wire::{Cut, Door, Flow, Wire};

/// How long a test waits for what should come at once, on a machine that is busy with other things.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(15);

/// The folder of the workspace: the one that cargo runs the test in, for the test may have been built in another checkout.
///
/// # Panics
/// When it isn't cargo that runs the test.
#[must_use]
pub fn workspace() -> std::path::PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR");
    let package = std::path::PathBuf::from(package.unwrap_or_else(|| panic!("tests are run by cargo")));
    let root = package.ancestors().find(|folder| folder.join("Cargo.lock").exists());
    root.unwrap_or_else(|| panic!("{} is in no workspace", package.display())).to_owned()
}

/// Names a key of the configuration whose effect this test sees, in the schema's words: `sees!("limits.per_address")`.
///
/// Does nothing when it runs, but refuses to compile with what can't be a key. A test compares all of them with the schema.
#[macro_export]
macro_rules! sees {
    ($($key:literal),+ $(,)?) => {
        $(const _: () = assert!($crate::is_key($key), "not a key of the configuration");)+
    };
}

/// Whether `key` looks like a dotted path of the schema, such as `routes[].status(fixed).favicon`.
#[must_use]
pub const fn is_key(key: &str) -> bool {
    let bytes = key.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        if !matches!(bytes[index], b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'[' | b']' | b'(' | b')' | b'*')
        {
            return false;
        }
        index += 1;
    }
    !bytes.is_empty()
}
