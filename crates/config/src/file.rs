//! Files that an operator names.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;

/// What the system knows of a file. To be asked before opening: a pipe would be waited for.
///
/// # Errors
/// Those of `stat(2)`; and when it is something else than a file.
pub fn file_metadata(path: &Path) -> io::Result<Metadata> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() { Ok(metadata) } else { Err(io::Error::other("it is not a file")) }
}
