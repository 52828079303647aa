//! Play by the hundreds: servers and clients that prove to each other who heard what, in this process and without Node.
//!
//! A [`Host`] pushes packets that say whose they are: of which server, for which player, in which of the player's visits, and which in
//! turn. Each resident of a [`Crowd`] checks them, and answers with such packets of its own, which the host checks. So whatever stands
//! between them can lose, repeat, mix up or spoil nothing without being told of by a [`Fault`]. Each side also knows what the other
//! asked of it: an answer that nobody asked for is a fault, as it is at vanilla.
//!
//! What must stay true: a fault is only what no vanilla client or server would do; each connection costs little memory while nothing
//! flows, since hundreds of them run beside the program that is measured.

mod crowd;
mod fault;
mod host;
mod line;
mod mark;
mod mods;

pub use crowd::{Arrival, Crowd, CrowdBuilder, Passage, Place, Resident};
pub use fault::Fault;
pub use host::{Host, HostBuilder, Misdeed, Order, Stage, Stay, Traffic};
pub use mark::Spot;

#[cfg(test)]
mod tests;
