//! Route files, and documents of providers, that broke: the others are taken over all the same, and those go on as they were when they last held.
//!
//! What must stay true: a mistake is never silent, and a file is as it was as a whole or not at all.

use drawbridge_config::{Diagnostics, Document, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// The texts of route files when they last held, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<BTreeMap<String, String>>>);

/// The files that are read otherwise than they stand now.
#[derive(Debug, Default)]
pub(crate) struct StandIns(BTreeMap<String, Option<String>>);

impl Kept {
    /// These files hold: their texts by name.
    pub(crate) fn keep(&self, texts: BTreeMap<String, String>) {
        // Replaced whole, so that what a panic elsewhere left behind is sound.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = texts;
    }

    /// Has those files stand in that are to blame for the errors, as they last held or not at all. False: others are to blame, or these
    /// already have been replaced.
    pub(crate) fn replace(&self, errors: &Diagnostics, files: &BTreeSet<String>, by: &mut StandIns) -> bool {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let errors = errors.iter().filter(|diagnostic| diagnostic.severity() == Severity::Error);
        let blamed: Option<BTreeSet<&str>> =
            errors.map(|error| error.origin().file().filter(|file| files.contains(*file))).collect();
        let Some(blamed) = blamed else { return false };
        let before = by.0.len();
        by.0.extend(blamed.into_iter().map(|file| (file.to_owned(), kept.get(file).cloned())));
        by.0.len() > before
    }
}

impl StandIns {
    /// The document, or what stands in for it.
    pub(crate) fn of(&self, document: Document) -> Option<Document> {
        match self.0.get(document.name()) {
            None => Some(document),
            Some(kept) => kept.as_ref().map(|text| Document::parse(document.name(), text.as_str())),
        }
    }

    /// The files that aren't read as they stand now.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
