//! What is wrong with the syntax of a document, and how reading goes on behind it.
//!
//! The parser tells its errors apart by their words only; the tests of mistakes fail should these change.

use std::ops::Range;
use std::sync::Arc;

use toml::de::Error as SyntaxError;

use crate::origin::Source;
use crate::value::Table;
use crate::words::quoted;
use crate::{Data, Diagnostic, Diagnostics, Origin, Value};

/// A key that was given before.
const DUPLICATE: &str = "duplicate key";

/// Errors behind which the parser builds no more of the document: a key that isn't followed by `=`.
const STOPS: [&str; 2] = ["key with no value", "missing value for key"];

/// Errors behind which the parser skips the rest of the line.
const SKIPS: [&str; 2] = ["unexpected key or value", "unexpected content"];

/// Errors that come again on each line behind a bracket or brace that was left open.
const OPEN: &str = "missing comma between";

/// Errors for text without quotes.
const UNQUOTED: [&str; 2] = ["string values must be quoted", "invalid float"];

fn is_duplicate(error: &SyntaxError) -> bool {
    error.message() == DUPLICATE
}

fn is_stop(error: &SyntaxError) -> bool {
    STOPS.iter().any(|stop| error.message().starts_with(stop))
}

fn line(text: &str, error: &SyntaxError) -> Range<usize> {
    Source::line(text, error.span().map_or(0, |span| span.start))
}

/// The text with blanks for each line at which the parser stops, and the errors there: the rest is worth reading.
/// Nothing when it doesn't stop.
pub(super) fn without_stops(text: &str, errors: &[SyntaxError]) -> Option<(String, Vec<SyntaxError>)> {
    let stops: Vec<SyntaxError> = errors.iter().filter(|error| is_stop(error)).cloned().collect();
    if stops.is_empty() {
        return None;
    }
    let mut blanked = String::with_capacity(text.len());
    for error in &stops {
        let line = line(text, error);
        // Several errors of one line are next to each other.
        if line.start >= blanked.len() {
            blanked.push_str(&text[blanked.len()..line.start]);
            let whole = &text[line.start..line.end.min(text.len())];
            blanked.extend(whole.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        }
    }
    blanked.push_str(&text[blanked.len()..]);
    Some((blanked, stops))
}

/// The lines with errors that make what is read from them worthless.
pub(super) fn broken_lines(text: &str, errors: &[SyntaxError]) -> Vec<Range<usize>> {
    let mut lines: Vec<_> =
        errors.iter().filter(|error| !is_duplicate(error)).map(|error| line(text, error)).collect();
    lines.sort_by_key(|line| line.start);
    lines.dedup();
    lines
}

/// Whether keys may be missing because of the syntax.
pub(super) fn loses_keys(errors: &[SyntaxError]) -> bool {
    errors.iter().any(|error| !is_duplicate(error))
}

/// What stands in quotes where the parser skipped the rest of a line: nobody can tell whether it is a secret.
pub(super) fn unread_texts(errors: &[SyntaxError], source: &Arc<Source>) -> Vec<Origin> {
    let skips =
        |error: &&SyntaxError| is_stop(error) || SKIPS.iter().any(|skip| error.message().starts_with(skip));
    let quoted = |error: &SyntaxError| {
        let end = line(&source.text, error).end.min(source.text.len());
        let start = error.span()?.start;
        let quote = source.text.get(start..end)?.find(['"', '\''])?;
        Some(Origin::document(source, start + quote..end))
    };
    errors.iter().filter(skips).filter_map(quoted).collect()
}

/// Turns the parser's errors into diagnostics: one for each line, as a slip in one place makes the parser stumble on.
pub(super) fn mistakes(errors: &[SyntaxError], root: &Table, source: &Arc<Source>) -> Vec<Diagnostic> {
    let mut sorted: Vec<&SyntaxError> = errors.iter().collect();
    sorted.sort_by_key(|error| error.span().map_or(0, |span| span.start));
    let (mut last_line, mut open) = (None, false);
    let mut mistakes = Vec::new();
    for error in sorted {
        let span = error.span().unwrap_or(0..0);
        if is_duplicate(error) {
            let key = source.text.get(span.clone()).unwrap_or_default();
            // Looking for the first takes a walk through the document, so not beyond what is shown.
            let looked_through = (mistakes.len() < Diagnostics::MOST).then_some(root);
            mistakes.push(duplicate(key, &Origin::document(source, span), looked_through));
            continue;
        }
        let line = Some(line(&source.text, error).start);
        let follows = open && error.message().starts_with(OPEN);
        open = error.message().starts_with(OPEN);
        if line != last_line && !follows {
            mistakes.push(syntax(error, span, source));
        }
        last_line = line;
    }
    mistakes
}

fn syntax(error: &SyntaxError, span: Range<usize>, source: &Arc<Source>) -> Diagnostic {
    let mistake =
        Diagnostic::error(&Origin::document(source, span), "this is not TOML").label(error.message());
    if UNQUOTED.iter().any(|unquoted| error.message().starts_with(unquoted)) {
        mistake.help("text is written in quotes")
    } else if error.message().starts_with(OPEN) {
        mistake.help("is a bracket or brace before it left open?")
    } else {
        mistake
    }
}

/// A key given twice, with the place of the first if only one key of that name stands before it.
fn duplicate(key: &str, origin: &Origin, root: Option<&Table>) -> Diagnostic {
    let bare = key.trim_matches(['"', '\'']);
    let start = origin.rank().2;
    let mut earlier = Vec::new();
    root.into_iter().for_each(|root| keys_named(bare, root, &mut earlier));
    earlier.retain(|key| key.rank().2 < start);
    let mistake = Diagnostic::error(origin, format!("the key {} is given twice", quoted(bare)))
        .label("a key is given once");
    match earlier.as_slice() {
        [first] => mistake.related(first, "first given here"),
        _ => mistake,
    }
}

fn keys_named(name: &str, table: &Table, found: &mut Vec<Origin>) {
    for (key, entry) in &table.entries {
        if key == name {
            found.push(entry.key.clone());
        }
        let tables = match entry.value.data() {
            Data::Table(table) => vec![table],
            Data::Array(items) => items.iter().filter_map(Value::as_table).collect(),
            _ => Vec::new(),
        };
        for table in tables {
            keys_named(name, table, found);
        }
    }
}
