//! Sessions: carried connections that speak the protocol.
//!
//! - [`LoggingIn`] logs a player in at a target, [`forwarding`] tells the target who that is; what comes of it is a [`Backend`].
//! - [`Session`] carries between a client and a backend: two pumps that look at frames and hand them on as they came, decoding only what has
//!   to be understood. The backend may be replaced by another while the client stays.
//!
//! What must stay true: nothing that either side sends makes the other's connection end without a word; what a backend says after it
//! was replaced reaches nobody; a frame that passes costs no allocation, no lock and no call through a pointer.

#![forbid(unsafe_code)]

mod backend;
mod bridge;
mod cookies;
mod forge;
pub mod forwarding;
mod ledger;
mod logging_in;
mod packets;
mod pending;

pub use backend::Backend;
pub use bridge::{Client, Event, Excess, Fault, HalfTyped, Limit, Loss, Options, Session};
pub use cookies::is_reserved;
pub use forge::shakes_hands;
pub use forwarding::Forwarding;
pub use logging_in::{Introduction, LoggingIn, LoginError, Question, Step};
