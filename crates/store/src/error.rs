//! What can go wrong with the file of bans.

use drawbridge_model::Subject;
use rusqlite::ErrorCode;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why something wasn't done. Nothing was changed then.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The file can't be made, looked for or opened.
    #[error("{} can't be opened", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is something else.
    #[error("{} isn't a file of bans", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of the program wrote it.
    #[error("{} was written by a newer version: its format is {found}, and this one knows {known}", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format that it has.
        found: i64,
        /// The newest format that is known.
        known: i64,
    },
    /// It is damaged.
    #[error("{} is damaged: {what}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where, or how that showed.
        what: String,
    },
    /// The disk is full.
    #[error("{} can't be written: the disk is full", .path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// It may not be written.
    #[error("{} can't be written: the file or its folder is read-only", .path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// Somebody else has been writing it for longer than is waited, or too much waits to be written.
    #[error("{} is busy", .path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// It was there, and is no more.
    #[error("{} is gone", .path.display())]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// Anything else that SQLite complains of, such as a disk that doesn't answer.
    #[error("{} can't be used", .path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: rusqlite::Error,
    },
    /// There is no ban that could be lifted.
    #[error("{0} isn't banned")]
    NotBanned(Subject),
    /// A reason or source that nobody could read.
    #[error("{what} has at most {most} characters, and no line feeds or other control characters")]
    Text {
        /// What it is.
        what: &'static str,
        /// How long it may be.
        most: usize,
    },
    /// The store is closing.
    #[error("the store is closing")]
    Closing,
}

impl StoreError {
    /// What an error of SQLite means for the file.
    pub(crate) fn of(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_path_buf();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::NotADatabase) => Self::Foreign { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, what: source.to_string() },
            _ => Self::Sqlite { path, source },
        }
    }

    /// How it can be mended, where that isn't plain.
    #[must_use]
    pub const fn advice(&self) -> Option<&'static str> {
        Some(match self {
            Self::Open { .. } | Self::ReadOnly { .. } | Self::Sqlite { .. } => {
                "the user that the edge runs as has to be allowed to write the file and in its folder; [bans] file names another"
            }
            Self::Foreign { .. } => "name another file in [bans] file",
            Self::Newer { .. } => "run the version that wrote it, or name another file in [bans] file",
            Self::Damaged { .. } => {
                "put a copy in its place; `sqlite3 FILE .recover` saves what there is to save"
            }
            Self::Full { .. } => "make room on the disk",
            Self::Busy { .. } => "try again; another process holds the file",
            Self::Gone { .. } | Self::NotBanned(_) | Self::Text { .. } | Self::Closing => return None,
        })
    }
}
