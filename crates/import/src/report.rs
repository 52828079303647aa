//! What became of each key: taken over, changed, or without equivalent.
//!
//! What must stay true: each key of each document stands in exactly one of the three lists. No value is shown that may be a
//! secret: notes are written here, and name keys, hosts and servers.

use super::source::{Document, Entry};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Drawbridge does the same.
    Kept,
    /// Drawbridge does something like it, or only a part of it.
    Changed,
    /// Drawbridge does nothing of the kind.
    Left,
}

impl Fate {
    const ALL: [Self; 3] = [Self::Kept, Self::Changed, Self::Left];

    const fn heading(self) -> &'static str {
        match self {
            Self::Kept => "Taken over",
            Self::Changed => "Changed",
            Self::Left => "Without equivalent",
        }
    }
}

/// What became of all keys.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// By document and path.
    notes: BTreeMap<(String, String), (Fate, Vec<String>)>,
}

impl Report {
    /// Notes what became of the keys at and below `entry`. What is said of a key more than once is joined: where it was
    /// partly kept and partly left, it was changed.
    pub(super) fn note(&mut self, entry: &Entry<'_>, fate: Fate, text: &str) {
        for leaf in entry.leaves() {
            let place = (entry.document.to_owned(), leaf.path);
            let (stands, texts) = self.notes.entry(place).or_insert_with(|| (fate, Vec::new()));
            if *stands != fate {
                *stands = Fate::Changed;
            }
            if !texts.iter().any(|other| other == text) {
                texts.push(text.to_owned());
            }
        }
    }

    /// Whether something was noted of any key at or below `entry`.
    pub(super) fn knows(&self, entry: &Entry<'_>) -> bool {
        let mut leaves = entry.leaves().into_iter();
        leaves.any(|leaf| self.notes.contains_key(&(entry.document.to_owned(), leaf.path)))
    }

    /// The three lists. What nothing was noted of has no equivalent.
    pub(super) fn render(&self, documents: &[Document]) -> String {
        let mut out = String::new();
        for fate in Fate::ALL {
            let mut part = String::new();
            for document in documents {
                let leaves = document.root().leaves();
                let lines: Vec<_> = leaves.iter().filter_map(|leaf| self.line(leaf, fate)).collect();
                if !lines.is_empty() {
                    let _ = writeln!(part, "  {}", document.name);
                    lines.iter().for_each(|line| part.push_str(line));
                }
            }
            if !part.is_empty() {
                let _ = write!(out, "{}{}:\n{part}", if out.is_empty() { "" } else { "\n" }, fate.heading());
            }
        }
        out
    }

    fn line(&self, leaf: &Entry<'_>, fate: Fate) -> Option<String> {
        let note = self.notes.get(&(leaf.document.to_owned(), leaf.path.clone()));
        let (stands, text) = match note {
            Some((stands, texts)) => (*stands, texts.join("; ")),
            None if leaf.is_empty() => (Fate::Kept, "nothing is set".to_owned()),
            None => (Fate::Left, "Drawbridge has nothing like it".to_owned()),
        };
        (stands == fate).then(|| format!("    {}: {text}\n", leaf.path))
    }
}
