//! `matrix`: real players of every version, in every way to come in.

use crate::command::Steps;
use crate::{node, test};
use anyhow::Result;

/// Installs the npm packages and runs.
///
/// # Errors
/// When a tool is missing, or somebody isn't carried.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut steps = Steps::default();
    steps.needed("npm packages", node::install)?;
    // Of the whole workspace, so that libraries have the features that `test` built them with.
    steps.step("matrix", || {
        let selection = ["relay_node", "session_node", "session_switch", "session_limbo", "session_commands"];
        let selection: Vec<_> = selection.into_iter().flat_map(|test| ["--test", test]).collect();
        test::tests(&[&["--workspace"], &selection[..]].concat(), true, arguments)
    });
    steps.finish()
}
