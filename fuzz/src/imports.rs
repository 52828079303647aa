//! Other programs' configurations.
//!
//! What must hold: each key of each document stands in one list of the report, whoever is said to have written it; what is written is TOML; memory is bounded.

use crate::{Input, memory};
use drawbridge_import::fuzzing;

/// See the module.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let (program, syntax) = (input.byte(), input.byte());
    let text = String::from_utf8_lossy(input.rest());
    memory::within(memory::of_documents(data), || fuzzing::check(program, syntax, &text));
}

/// The examples.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    macro_rules! examples {
        ($($program:literal $syntax:literal $file:literal)*) => {
            [$(($program, $syntax, include_str!(concat!("../../crates/drawbridge/tests/import/", $file)))),*]
        };
    }
    let examples = examples! {
        0 0 "infrarust/source/infrarust.toml"
        0 0 "infrarust/source/servers/survival.toml"
        0 0 "infrarust-sessions/source/servers/arena.toml"
        0 0 "infrarust-sessions/source/servers/mines.toml"
        1 1 "passage/source/config.yaml"
        1 0 "passage-toml/source/config.toml"
        2 1 "mc-router-compose/source/compose.yml"
        2 2 "mc-router/source/routes.json"
        2 3 "mc-router-command/source/mc-router.txt"
        3 1 "gate/source/config.yml"
        4 1 "gate-lite/source/config.yml"
        5 0 "velocity/source/velocity.toml"
        5 0 "velocity-1/source/velocity.toml"
        6 1 "bungeecord/source/config.yml"
        6 1 "bungeecord-passing/source/config.yml"
        7 2 "infrared-1/source/creative.json"
        7 1 "infrared/source/config.yml"
    };
    examples.iter().map(|(program, syntax, text)| [&[*program, *syntax], text.as_bytes()].concat()).collect()
}
