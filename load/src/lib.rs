//! Load on the edge, which runs as a process of its own beside.
//!
//! - [`soak`]: all that comes by an edge at once, within bounds, for as long as wanted; and the judge who says whether anything is left behind.
//! - [`flood`]: strangers by the thousand with one errand, at a rate or as many as get through.
//! - [`players`]: players in play whose packets are timed.
//! - [`held`], [`rates`], [`beside`]: how much of one thing the edge bears, and what players notice of it.
//!
//! What must stay true: everything stays within 127.0.0.0/8 and is bounded in number and time; whoever loads shares the machine's cores with the
//! edge, so that each figure is told with what both took of them.
//!
//! Linux only: it reads `/proc`.

#![forbid(unsafe_code)]

pub mod beside;
pub mod cores;
pub mod figures;
pub mod flood;
pub mod held;
pub mod players;
pub mod rates;
pub mod scene;
pub mod sink;
pub mod soak;
mod wire;
