//! A document of one route, made of labels: a key a line, with the label that it comes from beside it, so that a mistake shows which
//! label is wrong.
//!
//! What must stay true: nothing but the writer of TOML writes values, and nothing but checked paths and escaped texts stands beside them.

use crate::labels::{self, Labels, Style};
use drawbridge_model::{Remark, RouteDocument};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use toml::{Table, Value};

/// What the route is made of.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    /// The name of the document.
    pub(crate) name: String,
    pub(crate) style: Style,
    pub(crate) labels: &'a Labels,
    /// What bears the labels, whose name the route has where no label says another.
    pub(crate) bearer: &'a str,
    /// The targets: what names each, and its address.
    pub(crate) targets: Vec<(String, String)>,
    pub(crate) troubles: Vec<Trouble>,
}

/// Something that doesn't fit where the labels are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// The label that it has to do with.
    pub(crate) label: &'static str,
    /// Whether there is no target because of it.
    pub(crate) fatal: bool,
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Draft<'_> {
    /// The document.
    pub(crate) fn write(self) -> RouteDocument {
        let mut page = Page::default();
        let Style { prefix, noun, wearer, own } = self.style;
        page.comment(&format!("Made from the {noun}s of {wearer} {}.", labels::shown(self.bearer)));
        page.line("[[routes]]");
        for (path, why) in self.labels.unfit() {
            let line = page.comment(&format!("{prefix}{path}"));
            page.remark(line, true, format!("the {noun} {prefix}{path} can't be used: {why}"), noun);
        }
        let mut lines = BTreeMap::new();
        for (path, text) in self.labels.iter() {
            let line = if own.contains(&path) {
                page.comment(&format!("{prefix}{path} = \"{}\"", labels::shown(text)))
            } else {
                self.write_key(path, text, &mut page)
            };
            lines.insert(path, line);
        }
        if self.labels.get("name").is_none() {
            page.key("name", &Value::String(self.bearer.to_owned()), &format!("the {wearer}'s own"));
        }
        if self.labels.get("mode").is_none() {
            page.key("mode", &Value::String("passthrough".to_owned()), &format!("no {noun} {prefix}mode"));
        }
        self.write_targets(&mut page);
        for trouble in &self.troubles {
            page.remarks.push(Remark {
                line: lines.get(trouble.label).copied().unwrap_or(1),
                fatal: trouble.fatal,
                message: format!("{wearer} {}: {}", labels::shown(self.bearer), trouble.message),
                help: trouble.help.clone(),
            });
        }
        RouteDocument { name: self.name, text: page.text, remarks: page.remarks }
    }

    fn write_key(&self, path: &str, text: &str, page: &mut Page) -> usize {
        let Style { prefix, noun, .. } = self.style;
        let label = format!("{prefix}{path}");
        if let Some(above) = self.labels.above(path) {
            let line = page.comment(&label);
            let message =
                format!("the {noun} {label} is a key in {prefix}{above}, which has a value of its own");
            page.remark(line, true, message, noun);
            return line;
        }
        if let Some((message, help)) = labels::unknown(path, self.style) {
            let line = page.comment(&format!("{label} = \"{}\"", labels::shown(text)));
            page.remarks.push(Remark { line, fatal: true, message, help });
            return line;
        }
        match labels::value(path, text) {
            Ok(value) => page.key(path, &value, &label),
            Err(why) => {
                let line = page.comment(&format!("{label} = \"{}\"", labels::shown(text)));
                page.remark(line, true, format!("the {noun} {label} can't be used: {why}"), noun);
                line
            }
        }
    }

    fn write_targets(&self, page: &mut Page) {
        if self.targets.is_empty() {
            // Written like this, it isn't taken for something that was forgotten.
            page.key("targets", &Value::Array(Vec::new()), "");
            return;
        }
        let target = |(identifier, address): &(String, String)| {
            let mut table = Table::new();
            table.insert("identifier".to_owned(), Value::String(identifier.clone()));
            table.insert("address".to_owned(), Value::String(address.clone()));
            Value::Table(table)
        };
        let targets = Value::Array(self.targets.iter().map(target).collect());
        page.key("discovery.type", &Value::String("fixed".to_owned()), "");
        page.key("discovery.targets", &targets, "");
    }
}

/// A document while it is written.
#[derive(Debug, Default)]
struct Page {
    text: String,
    /// How many lines it has.
    lines: usize,
    remarks: Vec<Remark>,
}

impl Page {
    /// Adds whole lines, and says where they begin.
    fn line(&mut self, text: &str) -> usize {
        let first = self.lines + 1;
        self.text.push_str(text);
        self.text.push('\n');
        self.lines = first + text.matches('\n').count();
        first
    }

    fn comment(&mut self, text: &str) -> usize {
        self.line(&format!("# {text}"))
    }

    fn key(&mut self, path: &str, value: &Value, comment: &str) -> usize {
        let mut line = format!("{path} = {value}");
        if !comment.is_empty() {
            // Writing to a string doesn't fail.
            let _ = write!(line, " # {comment}");
        }
        self.line(&line)
    }

    fn remark(&mut self, line: usize, fatal: bool, message: String, noun: &str) {
        self.remarks.push(Remark { line, fatal, message, help: format!("change or remove the {noun}") });
    }
}

#[cfg(test)]
mod tests;
