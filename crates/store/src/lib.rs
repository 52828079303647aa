//! What an edge keeps: bans and their history, in one file of SQLite that edges and commands share.
//!
//! - [`Database`] is the file: what was written there is there whatever ends the process.
//! - [`Index`] is what logins ask: in memory, immutable, made anew after each change.
//! - [`Store`] has both: a thread that writes what it is told to, and notices what others write.
//!
//! What must stay true: a ban counts only once it is committed, and from then on; no login waits for the file; while the file can't be
//! read, the bans that were read last go on counting, and no others.

#![forbid(unsafe_code)]

mod database;
mod error;
mod file;
mod index;
mod schema;
mod store;

use drawbridge_config::{DocumentPath, Located, section};

pub use database::{Action, Database, Event};
pub use error::StoreError;
pub use index::Index;
pub use store::Store;

section! {
    /// Who may not join, beside what `access` says: `drawbridge ban`.
    #[defaults]
    pub struct BansSection {
        /// The file that holds the bans, a database of SQLite; the first ban makes it. The edge has to be allowed to write in its
        /// folder, which can't be on a network file system. Read at start.
        pub file: Located<DocumentPath> = Located::built_in(DocumentPath::new("bans.db")),
    }
}
