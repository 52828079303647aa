//! Reading settings out of values: what every [`Setting`](crate::Setting) is given, and the keys of a section.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::environment::Environment;
use crate::value::Table;
use crate::words::{quoted, suggestion};
use crate::{Data, Diagnostic, Diagnostics, Origin, Setting, Value};

/// Collects mistakes while settings are read, and knows what they may need: the environment and the main document's
/// folder.
#[derive(Debug)]
pub struct Reader<'a> {
    environment: &'a Environment,
    folder: &'a Path,
    diagnostics: Diagnostics,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(
        environment: &'a Environment,
        folder: &'a Path,
        diagnostics: Diagnostics,
    ) -> Self {
        Self { environment, folder, diagnostics }
    }

    pub(crate) fn finish(self) -> Diagnostics {
        self.diagnostics
    }

    /// Adds a mistake; one on a line whose syntax is wrong anyway is dropped.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        if !diagnostic.origin().is_broken() {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Reports that `value` should be something else. Always `None`, for returning.
    pub fn expected<T>(&mut self, value: &Value, expected: &str) -> Option<T> {
        self.report(Diagnostics::wrong_kind(value.origin(), expected, value.describe()));
        None
    }

    /// Reports that the text of `value` isn't `what`, for this reason. Always `None`, for returning.
    pub fn unfit<T>(&mut self, value: &Value, what: &str, reason: impl Into<String>) -> Option<T> {
        let text = value.as_str().unwrap_or_default();
        self.report(Diagnostics::unfit(value.origin(), text, what, reason));
        None
    }

    /// The text of `value`, or a report that it should be `expected`.
    pub fn text<'v>(&mut self, value: &'v Value, expected: &str) -> Option<&'v str> {
        match value.as_str() {
            Some(text) => Some(text),
            None => self.expected(value, expected),
        }
    }

    /// Covers what was written at `origin` in every snippet.
    pub fn conceal(&mut self, origin: &Origin) {
        self.diagnostics.conceal(origin);
    }

    /// The folder that paths written at `origin` are relative to: the document's, otherwise the main document's.
    #[must_use]
    pub fn folder(&self, origin: &Origin) -> PathBuf {
        origin.folder().unwrap_or_else(|| self.folder.to_path_buf())
    }

    /// The value of an environment variable.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&'a OsStr> {
        self.environment.get(name)
    }

    /// How many errors were reported up to now.
    #[must_use]
    pub const fn errors(&self) -> usize {
        self.diagnostics.errors()
    }
}

/// Reads text by [`FromStr`], for settings whose type is made elsewhere. `what` names it with its article and perhaps an
/// example: "a host pattern such as \"*.example.com\"".
pub fn parsed<T>(value: &Value, reader: &mut Reader<'_>, what: &str) -> Option<T>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    match reader.text(value, what)?.parse() {
        Ok(parsed) => Some(parsed),
        Err(error) => reader.unfit(value, what, error.to_string()),
    }
}

/// The keys of one table while a section is read from it. Keys that nobody takes are mistakes.
#[derive(Debug)]
pub struct Fields<'v, 'r, 'e> {
    value: &'v Value,
    table: &'v Table,
    known: &'static [&'static str],
    reader: &'r mut Reader<'e>,
    errors_before: usize,
}

impl<'v, 'r, 'e> Fields<'v, 'r, 'e> {
    /// Begins to read a section with the `known` keys; reports when `value` is no table.
    pub fn of(value: &'v Value, known: &'static [&'static str], reader: &'r mut Reader<'e>) -> Option<Self> {
        let errors_before = reader.errors();
        match value.as_table() {
            Some(table) => Some(Self { value, table, known, reader, errors_before }),
            None => reader.expected(value, "a table"),
        }
    }

    /// Reads a key without a default: required, unless its type can be left out.
    pub fn take<T: Setting>(&mut self, key: &str) -> Option<T> {
        if let Some(value) = self.table.get(key) {
            return T::read(value, self.reader);
        }
        if T::OPTIONAL {
            return T::absent(self.value.origin(), self.reader);
        }
        // In a document that the parser stumbled over, the key may be there after all.
        if !self.value.origin().is_incomplete() {
            let mistake = Diagnostic::error(self.value.origin(), format!("missing key \"{key}\""))
                .label(format!("\"{key}\" is required here"));
            self.reader.report(mistake);
        }
        None
    }

    /// Reads a key with a default.
    pub fn take_or<T: Setting>(&mut self, key: &str, default: impl FnOnce() -> T) -> Option<T> {
        match self.table.get(key) {
            Some(value) => T::read(value, self.reader),
            None => Some(default().defaulted(self.value.origin(), self.reader)),
        }
    }

    /// Where the value of `key` stands; where the section stands, if the key isn't written.
    #[must_use]
    pub fn origin(&self, key: &str) -> &'v Origin {
        self.table.get(key).unwrap_or(self.value).origin()
    }

    /// Whether `key` is written.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    /// Reports a mistake about `key`, at its value.
    pub fn error(&mut self, key: &str, message: impl Into<String>) {
        let mistake = Diagnostic::error(self.origin(key), message);
        self.reader.report(mistake);
    }

    /// Reports any diagnostic.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.reader.report(diagnostic);
    }

    /// Reports the keys that nobody knows and asks `check`; the section, if nothing in it was wrong.
    pub fn finish<T>(mut self, section: Option<T>, check: impl FnOnce(&T, &mut Self)) -> Option<T> {
        for (key, entry) in &self.table.entries {
            if !self.known.contains(&key.as_str()) {
                self.unknown(key, &entry.key, &entry.value);
            }
        }
        let section = section?;
        check(&section, &mut self);
        (self.reader.errors() == self.errors_before).then_some(section)
    }

    fn unknown(&mut self, key: &str, origin: &Origin, value: &Value) {
        let mut names = self.known.to_vec();
        let of = match self.table.kind {
            Some((by, kind)) => {
                names.push(by);
                format!(" of the {by} \"{kind}\"")
            }
            None => String::new(),
        };
        let help = suggestion(key, &names, "keys here");
        let message = format!("unknown key {}{of}", quoted(key));
        if origin.variable().is_none() {
            self.reader.report(Diagnostic::error(origin, message).label("nothing reads this").help(help));
            return;
        }
        let mut leaves = Vec::new();
        variables(value, &mut leaves);
        for leaf in leaves {
            let help = renamed(leaf, origin.segment(), key, &names).unwrap_or_else(|| help.clone());
            self.reader
                .report(Diagnostic::error(leaf, message.clone()).label("nothing reads this").help(help));
        }
    }
}

/// The environment variables that a value came from.
fn variables<'v>(value: &'v Value, found: &mut Vec<&'v Origin>) {
    match value.data() {
        Data::Table(table) if !table.is_empty() => {
            table.iter().for_each(|(_, value)| variables(value, found));
        }
        _ => found.push(value.origin()),
    }
}

/// The variable's name with the part that nobody knows replaced by what was probably meant.
fn renamed(origin: &Origin, segment: usize, key: &str, known: &[&str]) -> Option<String> {
    let nearest = crate::words::nearest(key, known.iter().copied())?.to_uppercase();
    let name = origin.variable()?;
    // The prefix stands before the first separator, so the parts are counted from one.
    let parts: Vec<&str> = name.split("__").collect();
    let mended: Vec<&str> = parts
        .iter()
        .enumerate()
        .map(|(at, part)| if at == segment + 1 { nearest.as_str() } else { part })
        .collect();
    Some(format!("did you mean {}?", mended.join("__")))
}
