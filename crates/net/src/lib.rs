//! Sockets: everything between the operating system and the phases of a connection.
//!
//! - [`listener`] opens the addresses, [`reactor`] accepts on them and runs one task per connection on a few threads.
//! - [`limits`] counts connections and knocks, per address and in all; [`access`] says which addresses may come at all.
//! - [`names`] finds the addresses of hosts, [`race`] connects to one of them; [`relay`] carries bytes between a client and a target.
//! - [`proxy_protocol`] reads the header in which a load balancer names the client that it speaks for.
//!
//! What must stay true: nothing here waits on a peer without a deadline or keeps what a peer sent without a bound, and an
//! address is in its canonical form everywhere (IPv4-mapped IPv6 is IPv4).
#![forbid(unsafe_code)]

pub mod access;
pub mod crowds;
pub mod limits;
pub mod listener;
pub mod names;
mod networks;
pub mod proxy_protocol;
pub mod race;
pub mod reactor;
pub mod relay;

pub use access::{Access, AddressRules};
pub use crowds::{Crowds, InCrowd};
pub use limits::{Denied, Entered, EnteredToTarget, Gate, Knock, Limits, Pass, PlayLimits};
pub use listener::{BindError, Bound, Listener};
pub use networks::Networks;
pub use proxy_protocol::{ProxyError, ProxyProtocol};
#[cfg(fuzzing)]
pub use reactor::Loose;
pub use reactor::{Continuation, Dialer, Pulse, Serving, Socket};
pub use relay::Relay;
