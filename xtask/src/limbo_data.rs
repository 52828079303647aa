//! `limbo-data`: writes the crate `limbo`'s `data/worlds.bin` with the scripts in `tests/node/limbo`.
//!
//! What must stay true: the same packages give the same bytes. What is compared is unpacked, since a newer compressor may
//! pack the same more tightly.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::{command, node};

/// Writes the file, or with `check` fails when it would change; then has it read by clients' packages.
///
/// # Errors
/// When a script fails, the file can't be read or written, or `check` finds a difference.
pub(crate) fn run(check: bool) -> Result<()> {
    let file = command::workspace().join("crates/limbo/data/worlds.bin");
    let bytes = generate()?;
    if check {
        let present = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
        let mut unpacked = Vec::new();
        ZlibDecoder::new(&*present)
            .read_to_end(&mut unpacked)
            .with_context(|| format!("unpacking {}", file.display()))?;
        ensure!(unpacked == bytes, command::outdated(&file, "limbo-data"));
    } else {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&bytes)?;
        fs::write(&file, encoder.finish()?).with_context(|| format!("writing {}", file.display()))?;
    }
    command::run(script("check.mjs").arg(fs::canonicalize(&file)?))
}

/// What the generator writes.
fn generate() -> Result<Vec<u8>> {
    let folder = command::workspace().join("target");
    fs::create_dir_all(&folder)?;
    let file = fs::canonicalize(&folder)?.join("limbo.raw");
    command::run(script("generate.mjs").arg(&file))?;
    let bytes = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
    fs::remove_file(&file)?;
    Ok(bytes)
}

fn script(name: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(Path::new("limbo").join(name)).current_dir(node::folder());
    command
}
