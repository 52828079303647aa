//! Diagnostics for people. Only the line of a mistake is handed to the renderer: documents may be large.

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Diagnostics, Severity};
use crate::Origin;
use crate::origin::Source;

/// How diagnostics are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without escape sequences, for files and pipes.
    Plain,
    /// In colour, for terminals.
    Colour,
}

/// One line of a document, with the range of bytes that is marked in it.
struct Line<'a> {
    name: &'a str,
    number: usize,
    text: String,
    marked: Range<usize>,
}

impl Diagnostics {
    /// All of them as a compiler would show them, and a summary in the end. Empty when there are none.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        if self.is_empty() {
            return String::new();
        }
        let renderer = match style {
            Style::Plain => Renderer::plain(),
            Style::Colour => Renderer::styled(),
        };
        let mut text = String::new();
        for diagnostic in &self.kept {
            text.push_str(&renderer.render(&[self.group(diagnostic)]));
            text.push_str("\n\n");
        }
        if self.omitted() > 0 {
            text.push_str(&format!("{} more are not shown\n", self.omitted()));
        }
        text.push_str(&self.summary());
        text.push('\n');
        text
    }

    fn group<'a>(&self, diagnostic: &'a Diagnostic) -> Group<'a> {
        let level = match diagnostic.0.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(&diagnostic.0.message));
        let places = [(&diagnostic.0.origin, diagnostic.0.label.as_deref(), AnnotationKind::Primary)];
        let related = diagnostic
            .0
            .related
            .iter()
            .map(|(origin, label)| (origin, Some(label.as_str()), AnnotationKind::Context));
        for (origin, label, kind) in places.into_iter().chain(related) {
            group = match self.line(origin) {
                Some(line) => group.element(
                    Snippet::source(line.text)
                        .line_start(line.number)
                        .path(line.name)
                        .annotation(kind.span(line.marked).label(label)),
                ),
                None => group.element(Level::NOTE.message(without_line(origin, label))),
            };
        }
        match &diagnostic.0.help {
            Some(help) => group.element(Level::HELP.message(help)),
            None => group,
        }
    }

    /// The first line of what `origin` spans, with secrets covered.
    fn line<'a>(&self, origin: &'a Origin) -> Option<Line<'a>> {
        let (source, span) = origin.span()?;
        let whole = Source::line(&source.text, span.start);
        let whole = whole.start..whole.end.min(source.text.len());
        let line = source.text[whole.clone()].trim_end_matches(['\n', '\r']);
        let marked =
            span.start - whole.start..span.end.min(whole.start + line.len()).max(span.start) - whole.start;
        Some(Line {
            name: &source.name,
            number: source.position(span.start).line,
            text: self.covered(source, whole.start, line),
            marked: marked.start.min(line.len())..marked.end.min(line.len()),
        })
    }

    /// The line at byte `start` of the document, each byte of a secret replaced by an asterisk.
    fn covered(&self, source: &Arc<Source>, start: usize, line: &str) -> String {
        let hidden: Vec<Range<usize>> = self
            .concealed
            .iter()
            .filter_map(Origin::span)
            .filter(|(other, _)| Arc::ptr_eq(other, source))
            .map(|(_, span)| span)
            .collect();
        let mut covered = String::with_capacity(line.len());
        for (at, character) in line.char_indices() {
            if hidden.iter().any(|span| span.contains(&(start + at))) {
                covered.extend(std::iter::repeat_n('*', character.len_utf8()));
            } else {
                covered.push(character);
            }
        }
        covered
    }
}

fn without_line(origin: &Origin, label: Option<&str>) -> String {
    match label {
        Some(label) => format!("{origin}: {label}"),
        None => origin.to_string(),
    }
}
