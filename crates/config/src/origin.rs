//! Where a key or a value was written. Every value keeps its origin, so that a mistake found long after parsing (a
//! favicon that is no picture) still points at the right key.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The text of one document under the name it was given, and the lines on which its syntax is wrong.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: Arc<str>,
    /// Byte ranges of the lines with syntax errors, sorted; they hide further mistakes on them.
    pub(crate) broken: Vec<Range<usize>>,
    /// Whether something of the document may have been lost while parsing it.
    pub(crate) incomplete: bool,
}

/// Where a key or value was written: a span of a document, an environment variable, or nowhere (a built-in default).
///
/// Cheap to clone. Its `Debug` form shows the place and never the text there.
#[derive(Clone)]
pub struct Origin(Place);

#[derive(Clone)]
enum Place {
    Document { source: Arc<Source>, start: usize, end: usize },
    Variable { name: Arc<str>, segment: usize },
    Nowhere,
}

/// A line and a column in characters, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Origin {
    /// What isn't written anywhere, such as a default of a program without documents.
    #[must_use]
    pub const fn nowhere() -> Self {
        Self(Place::Nowhere)
    }

    /// A span of a document; ends are moved onto character boundaries inside the text.
    pub(crate) fn document(source: &Arc<Source>, span: Range<usize>) -> Self {
        let start = source.text.floor_char_boundary(span.start);
        let end = source.text.ceil_char_boundary(span.end.min(source.text.len())).max(start);
        Self(Place::Document { source: Arc::clone(source), start, end })
    }

    /// The environment variable `name`; `segment` counts the parts between `__` behind the prefix.
    pub(crate) fn variable_segment(name: &Arc<str>, segment: usize) -> Self {
        Self(Place::Variable { name: Arc::clone(name), segment })
    }

    /// The document's name as it was given, when the origin is a document.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        match &self.0 {
            Place::Document { source, .. } => Some(&source.name),
            _ => None,
        }
    }

    /// The environment variable's name, when the origin is one.
    #[must_use]
    pub fn variable(&self) -> Option<&str> {
        match &self.0 {
            Place::Variable { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Which part of the environment variable's name stands for this key, counted from 0 behind the prefix.
    pub(crate) fn segment(&self) -> usize {
        match &self.0 {
            Place::Variable { segment, .. } => *segment,
            _ => 0,
        }
    }

    /// Where the span starts in its document.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.span().map(|(source, span)| source.position(span.start))
    }

    /// Where the span ends in its document.
    #[must_use]
    pub fn end(&self) -> Option<Position> {
        self.span().map(|(source, span)| source.position(span.end))
    }

    /// The document and the byte range in it.
    pub(crate) fn span(&self) -> Option<(&Arc<Source>, Range<usize>)> {
        match &self.0 {
            Place::Document { source, start, end } => Some((source, *start..*end)),
            _ => None,
        }
    }

    /// Whether keys may be missing here only because the document's syntax is wrong.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.span().is_some_and(|(source, _)| source.incomplete)
    }

    /// Whether the line is reported for its syntax already.
    pub(crate) fn is_broken(&self) -> bool {
        self.span().is_some_and(|(source, span)| {
            let next = source.broken.partition_point(|line| line.start <= span.start);
            next.checked_sub(1).is_some_and(|line| source.broken[line].contains(&span.start))
        })
    }

    /// The folder that the document lies in.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        self.file().map(|name| Path::new(name).parent().map(Path::to_path_buf).unwrap_or_default())
    }

    /// Orders diagnostics: documents by name and position, then variables by name, then the rest.
    pub(crate) fn rank(&self) -> (u8, &str, usize) {
        match &self.0 {
            Place::Document { source, start, .. } => (0, &source.name, *start),
            Place::Variable { name, segment } => (1, name, *segment),
            Place::Nowhere => (2, "", 0),
        }
    }
}

impl Source {
    /// The byte range of the line that holds the byte `at`, its line end included.
    pub(crate) fn line(text: &str, at: usize) -> Range<usize> {
        let at = text.floor_char_boundary(at);
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[at..].find('\n').map_or(text.len() + 1, |newline| at + newline + 1);
        start..end
    }

    /// The byte range of what stands on a line, counted from 1, without the blanks around it; the end of the text where there are fewer.
    pub(crate) fn line_of(&self, line: usize) -> Range<usize> {
        let starts = self.text.match_indices('\n').map(|(newline, _)| newline + 1);
        let start = std::iter::once(0).chain(starts).nth(line.saturating_sub(1)).unwrap_or(self.text.len());
        let whole = self.text[start..].lines().next().unwrap_or_default();
        let indent = whole.len() - whole.trim_start().len();
        start + indent..start + whole.trim_end().len().max(indent)
    }

    pub(crate) fn position(&self, at: usize) -> Position {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Document { source, start, .. } => {
                let Position { line, column } = source.position(*start);
                write!(f, "{}:{line}:{column}", source.name)
            }
            Place::Variable { name, .. } => write!(f, "environment variable {name}"),
            Place::Nowhere => f.write_str("built in"),
        }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self})")
    }
}
