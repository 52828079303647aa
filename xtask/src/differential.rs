//! `differential`: random packets of node-minecraft-protocol's, as the suite compares them with the edge's, but others and more of them.

use crate::command::{self, Steps, cargo};
use crate::node;
use anyhow::Result;
use std::time::{SystemTime, UNIX_EPOCH};

/// Installs the npm packages and runs. Without a seed it is the time.
///
/// # Errors
/// When a tool is missing, or both sides differ.
pub(crate) fn run(seed: Option<String>, rounds: usize) -> Result<()> {
    let mut steps = Steps::default();
    steps.needed("npm packages", node::install)?;
    let seed = match seed {
        Some(seed) => seed,
        None => SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().to_string(),
    };
    // Not by nextest, which would end what takes minutes.
    steps.step("differential", || {
        let mut command = cargo();
        command.args([
            "test",
            "--package",
            "drawbridge-protocol",
            "--test",
            "differential",
            "--",
            "--nocapture",
        ]);
        let variables = [("SEED", seed), ("ROUNDS", rounds.to_string())];
        command.envs(variables.map(|(name, value)| (format!("DRAWBRIDGE_DIFFERENTIAL_{name}"), value)));
        command::run(&mut command)
    });
    steps.finish()
}
