//! Mistakes with their places, collected over all documents and shown as a compiler shows them.
//!
//! What was marked as concealed (a secret written where it doesn't belong) is covered in every snippet, no matter which
//! diagnostic shows the line.

mod json;
mod render;

pub use render::Style;

use std::fmt;

use crate::Origin;
use crate::words::quoted;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration can't be used.
    Error,
    /// The configuration can be used, but something about it is unwise.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One mistake: where it is, what is wrong, and how it is put right.
#[derive(Debug, Clone)]
pub struct Diagnostic(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    severity: Severity,
    message: String,
    origin: Origin,
    label: Option<String>,
    help: Option<String>,
    related: Vec<(Origin, String)>,
}

impl Diagnostic {
    /// A mistake that keeps the configuration from being used.
    #[must_use]
    pub fn error(origin: &Origin, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, origin, message.into())
    }

    /// Something unwise.
    #[must_use]
    pub fn warning(origin: &Origin, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, origin, message.into())
    }

    fn new(severity: Severity, origin: &Origin, message: String) -> Self {
        let origin = origin.clone();
        Self(Box::new(Parts { severity, message, origin, label: None, help: None, related: Vec::new() }))
    }

    /// Words beside the marked place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.0.label = Some(label.into());
        self
    }

    /// How to put it right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Another place that has to do with it.
    #[must_use]
    pub fn related(mut self, origin: &Origin, label: impl Into<String>) -> Self {
        self.0.related.push((origin.clone(), label.into()));
        self
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.0.severity
    }

    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it is.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// The words beside the marked place, if there are any.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.0.label.as_deref()
    }

    /// How to put it right, if known.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.0.help.as_deref()
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.0.origin, self.0.severity.as_str(), self.0.message)?;
        if let Some(help) = &self.0.help {
            write!(f, " ({help})")?;
        }
        Ok(())
    }
}

/// Mistakes, sorted by document and position. At most [`MOST`](Self::MOST) are kept; the others are counted.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    kept: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
    concealed: Vec<Origin>,
}

impl Diagnostics {
    /// As many diagnostics are kept. Errors take the place of warnings.
    pub const MOST: usize = 200;

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        match diagnostic.0.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        if self.kept.len() == Self::MOST {
            let warning = self.kept.iter().rposition(|kept| kept.0.severity == Severity::Warning);
            match warning {
                Some(warning) if diagnostic.0.severity == Severity::Error => drop(self.kept.remove(warning)),
                _ => return,
            }
        }
        // Behind its equals, so that what was found first at a place stays first.
        let place = self.kept.partition_point(|kept| kept.0.origin.rank() <= diagnostic.0.origin.rank());
        self.kept.insert(place, diagnostic);
    }

    /// Covers what was written at `origin` in every snippet.
    pub fn conceal(&mut self, origin: &Origin) {
        self.concealed.push(origin.clone());
    }

    /// Adds all that was found elsewhere.
    pub fn include(&mut self, other: Self) {
        self.adopt(other.kept, &other.concealed);
    }

    /// Adds mistakes that were found elsewhere, and covers what they must not show.
    pub(crate) fn adopt(&mut self, mistakes: Vec<Diagnostic>, concealed: &[Origin]) {
        mistakes.into_iter().for_each(|mistake| self.push(mistake));
        self.concealed.extend_from_slice(concealed);
    }

    /// Those that were kept, sorted by document and position.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.kept.iter()
    }

    /// How many errors there are, kept or not.
    #[must_use]
    pub const fn errors(&self) -> usize {
        self.errors
    }

    /// How many warnings there are, kept or not.
    #[must_use]
    pub const fn warnings(&self) -> usize {
        self.warnings
    }

    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many aren't kept.
    fn omitted(&self) -> usize {
        self.errors + self.warnings - self.kept.len()
    }

    /// The counts in words: `the configuration has 2 errors and 1 warning`.
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |number: usize, word: &str| match number {
            0 => None,
            1 => Some(format!("1 {word}")),
            _ => Some(format!("{number} {word}s")),
        };
        let counts: Vec<_> =
            [count(self.errors, "error"), count(self.warnings, "warning")].into_iter().flatten().collect();
        if counts.is_empty() {
            "the configuration has no mistakes".to_owned()
        } else {
            format!("the configuration has {}", counts.join(" and "))
        }
    }

    pub(crate) fn wrong_kind(origin: &Origin, expected: &str, found: &str) -> Diagnostic {
        Diagnostic::error(origin, format!("expected {expected}, found {found}"))
            .label(format!("expected {expected}"))
    }

    pub(crate) fn unfit(origin: &Origin, text: &str, what: &str, reason: impl Into<String>) -> Diagnostic {
        Diagnostic::error(origin, format!("{} is not {what}", quoted(text))).label(reason)
    }
}
