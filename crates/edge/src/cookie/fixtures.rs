//! Jars, for the tests.

use super::{Jar, SHORTEST_SECRET};
use drawbridge_config::read_text;
use std::fs;

/// A jar whose secret is nothing but `byte`.
pub(super) fn jar(byte: u8) -> Jar {
    jar_with(byte, "")
}

/// The same, with this beside the secret in the configuration.
pub(super) fn jar_with(byte: u8, more: &str) -> Jar {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cookie.key");
    fs::write(&file, [byte; SHORTEST_SECRET]).unwrap();
    let text = format!("secrets = [{{ file = {file:?} }}]\n{more}");
    Jar::new(&read_text("drawbridge.toml", &text).unwrap()).unwrap()
}
