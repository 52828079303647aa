//! `play-vectors`: writes what node-minecraft-protocol makes of the packets of play, for the protocol crate's tests.
//!
//! What must stay true: the same packages give the same file.

use crate::{command, node};
use anyhow::{Context as _, Result, ensure};
use std::process::Command;

/// Writes the file, or with `check` only fails when it would change.
///
/// # Errors
/// When the script fails, the file can't be written, or `check` finds a difference.
pub(crate) fn run(check: bool) -> Result<()> {
    let file = command::workspace().join("crates/protocol/src/packet/play/vectors/packets.jsonl");
    let mut script = Command::new("node");
    let output = script.arg("vectors.mjs").current_dir(node::folder()).output().context("starting node")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "tests/node/vectors.mjs failed: {complaint}");
    let vectors = String::from_utf8(output.stdout).context("vectors.mjs wrote no text")?;
    command::write_or_check(&file, &vectors, check, "play-vectors")
}
