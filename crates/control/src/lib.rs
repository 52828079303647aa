//! What an operator can do to a running edge: see who is there, kick, ban, reload, drain, put a route under maintenance.
//!
//! - [`Control`] is the one facade: signals, the socket and whatever else gives orders call it.
//! - [`Request`] and [`Answer`] are what it understands, also as lines of JSON.
//! - [`Socket`] is where an edge takes them, and [`Line`] asks there.
//!
//! What must stay true: whoever isn't the edge's own user or root is told nothing; whatever comes over the socket costs players nothing;
//! an order is answered when it is carried out, or says why it isn't.

#![forbid(unsafe_code)]

mod answer;
#[cfg(unix)]
mod client;
mod control;
mod error;
mod in_game;
mod orders;
mod request;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod socket;
#[cfg(not(unix))]
mod unbuilt;

use drawbridge_config::{DocumentPath, Located, section};

pub use answer::{
    Answer, Banned, Connection, Failure, Kept, Maintained, Place, Reloaded, RouteState, Status, TargetHealth,
    Unknown, exactly, lasting,
};
#[cfg(unix)]
pub use client::Line;
pub use control::Control;
pub use error::{AskError, ControlError, SocketError};
pub use orders::{Order, Orders};
pub use request::{Request, RequestError, VERSION};
#[cfg(unix)]
pub use serve::Serving;
#[cfg(unix)]
pub use socket::Socket;
#[cfg(not(unix))]
pub use unbuilt::{Line, Serving, Socket};

section! {
    /// How an operator reaches a running edge: `drawbridge ctl`.
    #[defaults]
    #[derive(PartialEq)]
    pub struct ControlSection {
        /// Whether there is a socket. Read at start.
        pub enabled: bool = true,
        /// The Unix socket, for the edge's own user and root alone; beside the main file and named as it is, `drawbridge.sock` for `drawbridge.toml`, where nothing is said. An edge
        /// that can't make the one of that name runs without. Systems without Unix sockets have none. Read at start.
        pub socket: Option<Located<DocumentPath>>,
    }
}

/// What the socket's name ends in where nothing is said; it begins as the main file's.
pub const EXTENSION: &str = "sock";
