//! The format of the file, and how older ones become it.
//!
//! What must stay true: a format that was released is never changed, but followed by another; each step is whole or not done.

use crate::error::StoreError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// Each turns the format before it into the next. The first begins with nothing.
const STEPS: &[&str] = &["
    CREATE TABLE bans (
        kind TEXT NOT NULL CHECK (kind IN ('network', 'name', 'uuid')),
        subject TEXT NOT NULL,
        reason TEXT NOT NULL,
        source TEXT NOT NULL,
        since INTEGER NOT NULL,
        until INTEGER,
        PRIMARY KEY (kind, subject)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE history (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        action TEXT NOT NULL CHECK (action IN ('ban', 'unban')),
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        reason TEXT NOT NULL,
        source TEXT NOT NULL,
        until INTEGER
    ) STRICT;
"];

/// The newest format.
pub(crate) const NEWEST: i64 = STEPS.len() as i64;

/// Marks the file as one of Drawbridge's: the letters `DRAW`.
const APPLICATION: i64 = 0x4452_4157;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Nothing at all.
    Empty,
    /// Ours, as old as that.
    Known(i64),
}

/// Looks at the file without changing it, and at one state of it: another process may be making it right now.
pub(crate) fn look(connection: &Connection, path: &Path) -> Result<Format, StoreError> {
    let told = |error| StoreError::of(path, error);
    let whole =
        connection.is_autocommit().then(|| connection.unchecked_transaction()).transpose().map_err(told)?;
    let format = look_within(connection, path)?;
    if let Some(whole) = whole {
        whole.finish().map_err(told)?;
    }
    Ok(format)
}

/// The same within a transaction.
fn look_within(connection: &Connection, path: &Path) -> Result<Format, StoreError> {
    let number = |sql: &str| {
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|error| StoreError::of(path, error))
    };
    let (application, version) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
    if (application, version) == (0, 0) && number("SELECT count(*) FROM sqlite_schema")? == 0 {
        return Ok(Format::Empty);
    }
    match version {
        _ if application != APPLICATION => Err(StoreError::Foreign { path: path.to_path_buf() }),
        1..=NEWEST => Ok(Format::Known(version)),
        found => Err(StoreError::Newer { path: path.to_path_buf(), found, known: NEWEST }),
    }
}

/// Brings the file to the newest format. Several processes may try at once: one does it.
pub(crate) fn upgrade(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let told = |error| StoreError::of(path, error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(told)?;
    let from = match look(&transaction, path)? {
        Format::Empty => 0,
        Format::Known(version) => version,
    };
    let done = usize::try_from(from).unwrap_or_default();
    for step in STEPS.iter().skip(done) {
        transaction.execute_batch(step).map_err(told)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION).map_err(told)?;
    transaction.pragma_update(None, "user_version", NEWEST).map_err(told)?;
    transaction.commit().map_err(told)
}
