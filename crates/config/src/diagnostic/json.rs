//! Diagnostics for machines: editors, pipelines, `check --json`.

use serde_json::{Map, Value as Json, json};

use super::{Diagnostic, Diagnostics};
use crate::Origin;

impl Diagnostics {
    /// All that are kept, as `{ errors, warnings, diagnostics: [{ severity, message, file, line, column, end_line,
    /// end_column, variable, label, help, related: […] }] }`; what doesn't apply is left out. It holds no snippets.
    #[must_use]
    pub fn to_json(&self) -> Json {
        json!({
            "errors": self.errors,
            "warnings": self.warnings,
            "diagnostics": self.kept.iter().map(diagnostic).collect::<Vec<_>>(),
        })
    }
}

fn diagnostic(diagnostic: &Diagnostic) -> Json {
    let mut json = Map::new();
    json.insert("severity".to_owned(), diagnostic.0.severity.as_str().into());
    json.insert("message".to_owned(), diagnostic.0.message.as_str().into());
    place(&mut json, &diagnostic.0.origin);
    if let Some(label) = &diagnostic.0.label {
        json.insert("label".to_owned(), label.as_str().into());
    }
    if let Some(help) = &diagnostic.0.help {
        json.insert("help".to_owned(), help.as_str().into());
    }
    let related: Vec<_> = diagnostic.0.related.iter().map(|(origin, label)| related(origin, label)).collect();
    if !related.is_empty() {
        json.insert("related".to_owned(), related.into());
    }
    Json::Object(json)
}

fn related(origin: &Origin, label: &str) -> Json {
    let mut json = Map::new();
    place(&mut json, origin);
    json.insert("label".to_owned(), label.into());
    Json::Object(json)
}

fn place(json: &mut Map<String, Json>, origin: &Origin) {
    if let Some(variable) = origin.variable() {
        json.insert("variable".to_owned(), variable.into());
    }
    if let (Some(file), Some(start), Some(end)) = (origin.file(), origin.position(), origin.end()) {
        json.insert("file".to_owned(), file.into());
        json.insert("line".to_owned(), start.line.into());
        json.insert("column".to_owned(), start.column.into());
        json.insert("end_line".to_owned(), end.line.into());
        json.insert("end_column".to_owned(), end.column.into());
    }
}
