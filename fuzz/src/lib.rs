//! What fuzzing feeds, one module a target: what is done with the bytes, what must hold then, and the seeds that a corpus begins with.
//!
//! What must stay true: a target asserts more than that nothing panics wherever there is something to compare with; it takes any bytes, and the
//! same bytes do the same; its input ends with what the parser itself reads, so that vectors are seeds as they are.

#![forbid(unsafe_code)]
#![warn(missing_docs, unreachable_pub)]

pub mod config;
pub mod cookies;
#[cfg(feature = "program")]
pub mod edge;
pub mod frames;
pub mod greeting;
mod house;
#[cfg(feature = "program")]
pub mod imports;
mod input;
#[cfg(feature = "program")]
pub mod labels;
pub mod login;
mod memory;
pub mod nbt;
pub mod packets;
pub mod peek;
pub mod play;
pub mod session;
#[cfg(feature = "program")]
pub mod settings;
pub mod status;
pub mod text;
pub mod trees;
mod vectors;

pub use input::Input;

use std::fs;
use std::path::PathBuf;

/// Writes the seeds into the folder that `DRAWBRIDGE_FUZZ_SEEDS` names, and ends the process; where it names none nothing happens.
///
/// # Panics
/// When they can't be written.
pub fn sow(seeds: fn() -> Vec<Vec<u8>>) {
    let Some(folder) = std::env::var_os("DRAWBRIDGE_FUZZ_SEEDS").map(PathBuf::from) else { return };
    for (number, seed) in seeds().iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed).expect("the folder can be written to");
    }
    std::process::exit(0);
}

/// Declares the target of a module.
#[macro_export]
macro_rules! target {
    ($module:ident) => {
        libfuzzer_sys::fuzz_target!(init: $crate::sow($crate::$module::seeds), |data: &[u8]| $crate::$module::check(data));
    };
}
