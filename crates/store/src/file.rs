//! The file as the system sees it: made so that only its owner reads it, and looked at from outside.

use crate::error::StoreError;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How long a file can have changed once more without having become any newer, by the coarsest clock of a file system.
const COARSEST: Duration = Duration::from_secs(2);

/// What the file looks like from outside: another whenever something was written to it, or another file has taken its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The file itself.
    file: Look,
    /// The file beside it that SQLite writes first.
    log: Option<Look>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    inode: u64,
    size: u64,
    changed: Option<SystemTime>,
}

impl Stamp {
    /// Of the file that has this name now; `None`: there is none.
    pub(crate) fn of(path: &Path) -> Result<Option<Self>, StoreError> {
        let mut beside = path.as_os_str().to_owned();
        beside.push("-wal");
        let looks = look(path).and_then(|file| Ok((file, look(Path::new(&beside))?)));
        let (file, log) = looks.map_err(|source| StoreError::Open { path: path.to_path_buf(), source })?;
        Ok(file.map(|file| Self { file, log }))
    }

    /// Whether both are of the same file.
    pub(crate) fn is_of_same_file(&self, other: &Self) -> bool {
        self.file.inode == other.file.inode
    }

    /// Whether everything that was written before `now` shows in it: files don't tell of two changes in one moment.
    pub(crate) fn is_settled(&self, now: SystemTime) -> bool {
        let changes = [Some(self.file), self.log].into_iter().flatten().map(|look| look.changed);
        let settled = |changed: SystemTime| now.duration_since(changed).is_ok_and(|ago| ago > COARSEST);
        changes.into_iter().all(|changed| changed.is_some_and(settled))
    }
}

fn look(path: &Path) -> io::Result<Option<Look>> {
    match path.metadata() {
        Ok(metadata) => {
            let changed = metadata.modified().ok();
            Ok(Some(Look { inode: inode(&metadata), size: metadata.len(), changed }))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

/// Makes an empty file where there is none.
pub(crate) fn make(path: &Path) -> Result<(), StoreError> {
    let made = new_file().open(path).and_then(|file| settle(&file, folder(path)));
    match made {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(StoreError::Open { path: path.to_path_buf(), source }),
        Ok(()) => Ok(()),
    }
}

fn new_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// Sees to it that the name outlasts a loss of power too, and that who runs the edge owns what an administrator makes in its folder:
/// SQLite gives the files beside it to the same owner.
#[cfg(unix)]
fn settle(file: &File, folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let (owner, own) = (folder.metadata()?, file.metadata()?);
    if own.uid() != owner.uid() {
        // Only an administrator may; of anybody else's file nobody but them should have it.
        let _ = fchown(file, Some(owner.uid()), Some(owner.gid()));
    }
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn settle(file: &File, _: &Path) -> io::Result<()> {
    file.sync_all()
}

/// The folder that a file is in.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}
