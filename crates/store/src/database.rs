//! The file of bans: one database of SQLite, in WAL mode, in which what was committed outlasts the process and a loss of power.
//!
//! What must stay true: a change and its line in the history are one transaction; what a function has returned `Ok` for is on disk.

use crate::error::StoreError;
use crate::file::{self, Stamp};
use crate::schema::{self, Format};
use drawbridge_model::ban::{LONGEST_REASON, is_readable};
use drawbridge_model::{Ban, Subject};
use rusqlite::{
    Connection, OpenFlags, OptionalExtension as _, Params, Row, Transaction, TransactionBehavior, params,
};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long others that write are waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a ban that has ended is kept beside the history: a clock that was set wrong for a while shall not be the end of bans.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The longest source, in characters.
const LONGEST_SOURCE: usize = 100;

/// An open file of bans.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
    path: PathBuf,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Somebody was banned, or their ban replaced by another.
    Ban,
    /// A ban was lifted.
    Unban,
}

impl Action {
    /// The word for it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ban => "ban",
            Self::Unban => "unban",
        }
    }
}

/// A line of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What was done.
    pub action: Action,
    /// To whom, by whom and when (`since`), and of a ban why and until when.
    pub ban: Ban,
}

impl Database {
    /// Opens the file, which is made where there is none.
    ///
    /// # Errors
    /// When it can't be made or written, or is none of Drawbridge's.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        let began = Instant::now();
        loop {
            match Self::try_create(path) {
                // Whoever else is making it right now has it for themselves, and SQLite doesn't wait for that.
                Err(StoreError::Busy { .. }) if began.elapsed() < PATIENCE => {
                    std::thread::park_timeout(Duration::from_millis(5));
                }
                created => return created,
            }
        }
    }

    fn try_create(path: &Path) -> Result<Self, StoreError> {
        file::make(path)?;
        let mut database = Self::connect(path)?;
        schema::look(&database.connection, path)?;
        database.prepare()?;
        Ok(database)
    }

    /// Opens the file; `None` where there is none, or one that nothing was ever written to.
    ///
    /// # Errors
    /// When it can't be opened, or is none of Drawbridge's.
    pub fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        if Stamp::of(path)?.is_none() {
            return Ok(None);
        }
        let mut database = Self::connect(path)?;
        match schema::look(&database.connection, path)? {
            Format::Empty => Ok(None),
            Format::Known(_) => {
                database.prepare()?;
                Ok(Some(database))
            }
        }
    }

    fn connect(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|error| StoreError::of(path, error))?;
        connection.busy_timeout(PATIENCE).map_err(|error| StoreError::of(path, error))?;
        Ok(Self { connection, path: path.to_path_buf() })
    }

    /// Sees to the promises, and to the newest format.
    fn prepare(&mut self) -> Result<(), StoreError> {
        let told = |error| StoreError::of(&self.path, error);
        let mode: String = self
            .connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
            .map_err(told)?;
        if mode != "wal" {
            return Err(StoreError::ReadOnly { path: self.path.clone() });
        }
        // A commit waits until the disk has it.
        self.connection.pragma_update(None, "synchronous", "FULL").map_err(told)?;
        self.connection.pragma_update(None, "trusted_schema", "OFF").map_err(told)?;
        if schema::look(&self.connection, &self.path)? != Format::Known(schema::NEWEST) {
            schema::upgrade(&mut self.connection, &self.path)?;
        }
        Ok(())
    }

    /// Bans somebody. A ban that was there before is replaced, and returned.
    ///
    /// # Errors
    /// When it can't be written, or a text can't be read by anybody.
    pub fn ban(&mut self, ban: &Ban) -> Result<Option<Ban>, StoreError> {
        Ok(self.ban_all(std::slice::from_ref(ban))?.pop())
    }

    /// Bans all of them or none. The bans that were there before are replaced, and returned.
    ///
    /// # Errors
    /// As [`Database::ban`].
    pub fn ban_all(&mut self, bans: &[Ban]) -> Result<Vec<Ban>, StoreError> {
        for ban in bans {
            readable("a reason", LONGEST_REASON, &ban.reason)?;
            readable("who bans", LONGEST_SOURCE, &ban.source)?;
        }
        self.write(|transaction| {
            let mut replaced = Vec::new();
            for ban in bans {
                replaced.extend(find(transaction, &ban.of)?);
                let (kind, subject) = (ban.of.kind(), ban.of.to_string());
                let (since, until) = (millis(ban.since), ban.until.map(millis));
                transaction.execute(
                    "INSERT OR REPLACE INTO bans (kind, subject, reason, source, since, until) VALUES (?, ?, ?, ?, ?, ?)",
                    params![kind, subject, &*ban.reason, &*ban.source, since, until],
                )?;
                log(transaction, Action::Ban, ban)?;
            }
            transaction.execute("DELETE FROM bans WHERE until <= ?", [millis(long_ended())])?;
            Ok(replaced)
        })
    }

    /// Lifts a ban, which is returned.
    ///
    /// # Errors
    /// When there is none that holds now, or it can't be written.
    pub fn unban(&mut self, of: &Subject, source: &str, now: SystemTime) -> Result<Ban, StoreError> {
        readable("who lifts a ban", LONGEST_SOURCE, source)?;
        let lifted = self.write(|transaction| {
            let Some(ban) = find(transaction, of)?.filter(|ban| ban.holds(now)) else { return Ok(None) };
            transaction.execute(
                "DELETE FROM bans WHERE kind = ? AND subject = ?",
                params![of.kind(), of.to_string()],
            )?;
            let line =
                Ban { of: of.clone(), reason: "".into(), source: source.into(), since: now, until: None };
            log(transaction, Action::Unban, &line)?;
            Ok(Some(ban))
        })?;
        lifted.ok_or_else(|| StoreError::NotBanned(of.clone()))
    }

    fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let told = |error| StoreError::of(&self.path, error);
        // Whoever reads first and writes then might have to begin anew.
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior).map_err(told)?;
        let done = work(&transaction).map_err(told)?;
        transaction.commit().map_err(told)?;
        Ok(done)
    }

    /// Every ban, those too that have ended of late.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn bans<C: FromIterator<Ban>>(&self) -> Result<C, StoreError> {
        let sql =
            "SELECT kind, subject, reason, source, since, until FROM bans ORDER BY since, kind, subject";
        let mut texts = Texts::default();
        self.rows(sql, [], |row| ban(row, &mut texts))
    }

    /// What was done, the oldest first.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn history(&self) -> Result<Vec<Event>, StoreError> {
        self.history_after(0)
    }

    /// What was done after the change of this number, the oldest first.
    pub(crate) fn history_after(&self, number: i64) -> Result<Vec<Event>, StoreError> {
        let sql =
            "SELECT kind, subject, reason, source, at, until, action FROM history WHERE id > ? ORDER BY id";
        let mut texts = Texts::default();
        self.rows(sql, [number], |row| {
            let action = if row.get_ref(6)?.as_str()? == "unban" { Action::Unban } else { Action::Ban };
            Ok(Event { action, ban: ban(row, &mut texts)? })
        })
    }

    fn rows<T, C: FromIterator<T>>(
        &self,
        sql: &str,
        parameters: impl Params,
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<C, StoreError> {
        let told = |error| StoreError::of(&self.path, error);
        let mut statement = self.connection.prepare(sql).map_err(told)?;
        let rows = statement.query_map(parameters, |row| read(row)).map_err(told)?;
        rows.collect::<rusqlite::Result<_>>().map_err(|error| match error {
            // Nobody but this crate writes there.
            rusqlite::Error::FromSqlConversionFailure(_, _, mistake) => {
                StoreError::Damaged { path: self.path.clone(), what: mistake.to_string() }
            }
            error => told(error),
        })
    }

    /// The number of the last line of the history: another after every change.
    pub(crate) fn latest(&self) -> Result<i64, StoreError> {
        let read =
            self.connection.query_row("SELECT coalesce(max(id), 0) FROM history", [], |row| row.get(0));
        read.map_err(|error| StoreError::of(&self.path, error))
    }
}

/// Texts of which each is kept once, since a thousand bans may have the same reason.
#[derive(Debug, Default)]
struct Texts(HashSet<Arc<str>>);

impl Texts {
    fn one(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let text = Arc::from(text);
        self.0.insert(Arc::clone(&text));
        text
    }
}

/// The ban in the first six columns of a row.
fn ban(row: &Row<'_>, texts: &mut Texts) -> rusqlite::Result<Ban> {
    let (kind, subject) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
    let unreadable = || {
        let mistake = format!("nobody can be banned as {kind} {subject:?}");
        rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, mistake.into())
    };
    let of = match kind {
        "network" => subject.parse().ok().filter(|of| matches!(of, Subject::Network(_))),
        "uuid" => subject.parse().ok().map(Subject::Id),
        "name" => Some(Subject::name(subject)),
        _ => None,
    };
    Ok(Ban {
        of: of.ok_or_else(unreadable)?,
        reason: texts.one(row.get_ref(2)?.as_str()?),
        source: texts.one(row.get_ref(3)?.as_str()?),
        since: time(row.get(4)?),
        until: row.get::<_, Option<i64>>(5)?.map(time),
    })
}

/// What had ended by then is in the history alone.
pub(crate) fn long_ended() -> SystemTime {
    SystemTime::now().checked_sub(KEPT).unwrap_or(UNIX_EPOCH)
}

fn find(transaction: &Transaction<'_>, of: &Subject) -> rusqlite::Result<Option<Ban>> {
    let sql = "SELECT kind, subject, reason, source, since, until FROM bans WHERE kind = ? AND subject = ?";
    let read = |row: &Row<'_>| ban(row, &mut Texts::default());
    transaction.query_row(sql, params![of.kind(), of.to_string()], read).optional()
}

fn log(transaction: &Transaction<'_>, action: Action, ban: &Ban) -> rusqlite::Result<usize> {
    let (kind, subject) = (ban.of.kind(), ban.of.to_string());
    let (at, until) = (millis(ban.since), ban.until.map(millis));
    transaction.execute(
        "INSERT INTO history (at, action, kind, subject, reason, source, until) VALUES (?, ?, ?, ?, ?, ?, ?)",
        params![at, action.label(), kind, subject, &*ban.reason, &*ban.source, until],
    )
}

fn readable(what: &'static str, most: usize, text: &str) -> Result<(), StoreError> {
    if is_readable(text, most) { Ok(()) } else { Err(StoreError::Text { what, most }) }
}

/// Milliseconds since 1970; what was before is 1970.
fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn time(millis: i64) -> SystemTime {
    let since = Duration::from_millis(u64::try_from(millis).unwrap_or_default());
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests;
