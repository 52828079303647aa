//! Who decides who a player is, over HTTP.

pub mod mojang;

pub use mojang::{Mojang, MojangSection};
