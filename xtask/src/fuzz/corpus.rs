//! The inputs of a target in one file: thousands of small files are nobody's to look through.
//!
//! Compressed by zlib; each input has its length in front, four bytes, little-endian. They stand in order, so that the same inputs give the same file.

use anyhow::{Context as _, Result};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

/// Writes the inputs of a packed file into a folder; where there is no such file there are none.
///
/// # Errors
/// When it can't be read, or they can't be written.
pub(super) fn unpack(packed: &Path, folder: &Path) -> Result<()> {
    let file = match File::open(packed) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file.with_context(|| format!("reading {}", packed.display()))?,
    };
    let mut bytes = Vec::new();
    ZlibDecoder::new(file)
        .read_to_end(&mut bytes)
        .with_context(|| format!("reading {}", packed.display()))?;
    let mut rest = &bytes[..];
    while let Some((length, behind)) = rest.split_first_chunk() {
        let (input, behind) = behind
            .split_at_checked(u32::from_le_bytes(*length) as usize)
            .with_context(|| format!("{} is cut off", packed.display()))?;
        rest = behind;
        fs::write(folder.join(name(input)), input)?;
    }
    Ok(())
}

/// Packs the files of a folder, and says how many bytes that takes.
///
/// # Errors
/// When they can't be read, or the file can't be written.
pub(super) fn pack(folder: &Path, packed: &Path) -> Result<usize> {
    let mut inputs = Vec::new();
    for file in fs::read_dir(folder)? {
        inputs.push(fs::read(file?.path())?);
    }
    inputs.sort_unstable();
    inputs.dedup();
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    for input in inputs {
        encoder.write_all(&u32::try_from(input.len())?.to_le_bytes())?;
        encoder.write_all(&input)?;
    }
    let bytes = encoder.finish()?;
    if let Some(folder) = packed.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(packed, &bytes).with_context(|| format!("writing {}", packed.display()))?;
    Ok(bytes.len())
}

/// Tells inputs apart, and nothing else.
fn name(input: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(input);
    format!("packed-{:016x}", hasher.finish())
}
