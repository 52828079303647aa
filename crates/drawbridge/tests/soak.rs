//! All that comes by an edge, at once, for less than a minute: `cargo xtask soak` does the same for an hour.

use drawbridge_load::figures::table;
use drawbridge_load::soak::{HEADS, Plan, run};
use std::path::Path;

#[test]
fn a_mixed_load_leaves_nothing_behind() {
    let mut rows = Vec::new();
    let verdict =
        run(Path::new(env!("CARGO_BIN_EXE_drawbridge")), Plan::SHORT, |sample| rows.push(sample.cells()));
    eprintln!("{}\n{verdict}", table(&HEADS, &rows));
    assert!(verdict.is_sound(), "{verdict}");
}
