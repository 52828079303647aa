//! What can keep a configuration from being used.

use std::io;
use std::path::PathBuf;

use crate::{Diagnostic, Diagnostics};

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder that can't be read.
    #[error("{path} can't be read", path = .path.display())]
    Unreadable {
        /// The file or folder, as given.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file that isn't UTF-8.
    #[error("{path} is not UTF-8 text", path = .path.display())]
    NotText {
        /// The file, as given.
        path: PathBuf,
    },
    /// A file larger than anybody writes.
    #[error("{path} has {size} bytes, and at most {most} are read", path = .path.display())]
    TooLarge {
        /// The file, as given.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// The largest size in bytes.
        most: u64,
    },
    /// Mistakes in the documents or the environment, all of them.
    #[error("{}", .0.summary())]
    Invalid(Diagnostics),
}

impl From<Diagnostic> for Error {
    fn from(mistake: Diagnostic) -> Self {
        let mut mistakes = Diagnostics::default();
        mistakes.push(mistake);
        Self::Invalid(mistakes)
    }
}
