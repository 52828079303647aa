//! Sessions: carried connections that speak the protocol.
//!
//! - [`backend`] logs a player in at a target, [`forwarding`] tells the target who that is.
//! - [`Session`] carries between a client and a backend: two pumps that look at frames and hand them on as they came, decoding only what has
//!   to be understood. The backend may be replaced by another while the client stays.
//!
//! What must stay true: nothing that either side sends makes the other's connection end without a word; what a backend says after it
//! was replaced reaches nobody; a frame that passes costs no allocation, no lock and no call through a pointer.

#![forbid(unsafe_code)]

pub mod backend;
mod bridge;
mod cookies;
mod forge;
pub mod forwarding;
mod ledger;
mod packets;
mod pending;

pub use backend::{Backend, Introduction, LoggingIn, LoginError, Question, Step};
pub use bridge::{Client, Event, Excess, Fault, Limit, Loss, Options, Request, Session, Traffic};
pub use cookies::is_reserved;
pub use forge::shakes_hands;
pub use forwarding::Forwarding;
