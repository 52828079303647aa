//! Notices when the files of the configuration change.
//!
//! Folders are watched, not files: editors replace a file by another, Kubernetes replaces a link beside it, and the routes'
//! folder may appear later. Whatever happens there, only a change in the texts counts.

use crate::settings::{Fingerprint, Source};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// How long files have to be left alone before they are read: an editor writes several times.
const QUIET: Duration = Duration::from_millis(150);

/// The folders that are watched, and what was read there last.
pub(crate) struct Watch {
    watcher: Option<RecommendedWatcher>,
    events: mpsc::Receiver<()>,
    folders: BTreeSet<PathBuf>,
    source: Source,
    fingerprint: Option<Fingerprint>,
}

impl Watch {
    /// Watches where `source` reads, which gave `fingerprint`.
    pub(crate) fn start(source: Source, fingerprint: Option<Fingerprint>) -> Self {
        let (sender, events) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading is an event too: that of this very program would wake it for ever.
            if event.is_ok_and(|event| event.kind.is_access()) {
                return;
            }
            // One event waiting is enough.
            let _ = sender.try_send(());
        });
        let watcher = watcher
            .inspect_err(|error| tracing::warn!(%error, "files can't be watched: reload with SIGHUP"))
            .ok();
        let mut watch = Self { watcher, events, folders: BTreeSet::new(), source, fingerprint: None };
        watch.follow(fingerprint);
        watch
    }

    /// Goes on from other texts, and other folders where the configuration names others.
    pub(crate) fn follow(&mut self, fingerprint: Option<Fingerprint>) {
        self.fingerprint = fingerprint;
        self.rewatch();
    }

    /// Of the texts that were read last.
    pub(crate) const fn fingerprint(&self) -> &Option<Fingerprint> {
        &self.fingerprint
    }

    fn rewatch(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        let routes = self.source.routes_dir();
        let permissions = self.source.permissions_file().map(|file| parent(&file));
        let wanted: BTreeSet<_> = [parent(self.source.main()), parent(&routes), routes]
            .into_iter()
            .chain(permissions)
            .filter(|folder| folder.is_dir())
            .collect();
        for folder in std::mem::take(&mut self.folders) {
            // Those that stay too: another folder may stand under the name by now. A watch that is gone needs no end.
            let _ = watcher.unwatch(&folder);
        }
        for folder in wanted {
            match watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.folders.insert(folder)),
                Err(error) => {
                    tracing::warn!(%error, folder = %folder.display(), "can't be watched: reload with SIGHUP");
                }
            }
        }
    }

    /// Waits until the texts are others than those that were read last.
    pub(crate) async fn changed(&mut self) {
        // What was written after they were read and before the folders were watched again gave no event.
        let mut missed = self.source.fingerprint() != self.fingerprint;
        loop {
            if !std::mem::take(&mut missed) && self.events.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
            sleep(QUIET).await;
            while self.events.try_recv().is_ok() {}
            self.rewatch();
            let fingerprint = self.source.fingerprint();
            if fingerprint != self.fingerprint {
                // Even where they can't be taken over: what is wrong with them is said once.
                self.fingerprint = fingerprint;
                return;
            }
        }
    }
}

/// The folder that a path is in.
pub(crate) fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}
