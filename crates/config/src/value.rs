//! Configuration as a tree in which every key and value knows where it was written.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::{Diagnostic, Origin};

/// A value of a document or of an environment variable.
#[derive(Debug, Clone)]
pub struct Value {
    pub(crate) data: Data,
    origin: Origin,
}

/// What a [`Value`] holds.
#[derive(Debug, Clone)]
pub enum Data {
    /// Text.
    String(String),
    /// A whole number; wider than any setting, so that a setting can say its own range.
    Integer(i128),
    /// A number with a fraction.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A date or time, which no setting is written as.
    Datetime,
    /// A list.
    Array(Vec<Value>),
    /// Keys with their values.
    Table(Table),
}

/// Keys with their values.
#[derive(Debug, Clone, Default)]
pub struct Table {
    pub(crate) entries: BTreeMap<String, Entry>,
    /// The key that chose how this table is read, and what it said.
    pub(crate) kind: Option<(&'static str, &'static str)>,
}

/// A key's origin and its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Origin,
    pub(crate) value: Value,
}

impl Value {
    /// A value that was written at `origin`.
    #[must_use]
    pub const fn new(data: Data, origin: Origin) -> Self {
        Self { data, origin }
    }

    /// A table without keys, for what is left out at `origin`.
    #[must_use]
    pub fn empty(origin: Origin) -> Self {
        Self::new(Data::Table(Table::default()), origin)
    }

    /// What the value holds.
    #[must_use]
    pub const fn data(&self) -> &Data {
        &self.data
    }

    /// Where it was written. A table's origin is its header, or the whole of an inline table.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::String(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    #[must_use]
    pub const fn as_integer(&self) -> Option<i128> {
        match self.data {
            Data::Integer(number) => Some(number),
            _ => None,
        }
    }

    /// The list, if it is one.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match &self.data {
            Data::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The table, if it is one.
    #[must_use]
    pub const fn as_table(&self) -> Option<&Table> {
        match &self.data {
            Data::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The kind of value in words, as in "expected a string, found an integer".
    #[must_use]
    pub const fn describe(&self) -> &'static str {
        match self.data {
            Data::String(_) => "a string",
            Data::Integer(_) => "an integer",
            Data::Float(_) => "a float",
            Data::Boolean(_) => "a boolean",
            Data::Datetime => "a date",
            Data::Array(_) => "a list",
            Data::Table(_) => "a table",
        }
    }
}

impl Table {
    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// Where `key` itself was written.
    #[must_use]
    pub fn key_origin(&self, key: &str) -> Option<&Origin> {
        self.entries.get(key).map(|entry| &entry.key)
    }

    /// The keys with their values, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.entries.iter().map(|(key, entry)| (key.as_str(), &entry.value))
    }

    /// Whether it has no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Makes the tree from what the TOML parser found. `origin` turns a byte range into an origin; numbers that can't be
/// held are reported into `mistakes`. The parser bounds the depth, so recursion is bounded too.
pub(crate) struct Conversion<'a> {
    pub(crate) origin: &'a dyn Fn(Range<usize>) -> Origin,
    pub(crate) mistakes: Vec<Diagnostic>,
}

impl Conversion<'_> {
    pub(crate) fn value(&mut self, value: &Spanned<DeValue<'_>>) -> Value {
        let origin = (self.origin)(value.span());
        let data = match value.get_ref() {
            DeValue::String(text) => Data::String(text.to_string()),
            DeValue::Integer(number) => Data::Integer(self.integer(number.as_str(), number.radix(), &origin)),
            DeValue::Float(number) => Data::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(truth) => Data::Boolean(*truth),
            DeValue::Datetime(_) => Data::Datetime,
            DeValue::Array(items) => Data::Array(items.iter().map(|item| self.value(item)).collect()),
            DeValue::Table(table) => Data::Table(self.table(table)),
        };
        Value::new(data, origin)
    }

    pub(crate) fn table(&mut self, table: &DeTable<'_>) -> Table {
        let entries = table
            .iter()
            .map(|(key, value)| {
                let entry = Entry { key: (self.origin)(key.span()), value: self.value(value) };
                (key.get_ref().to_string(), entry)
            })
            .collect();
        Table { entries, kind: None }
    }

    fn integer(&mut self, digits: &str, radix: u32, origin: &Origin) -> i128 {
        // What does not fit is reported here, so no range needs to be checked against the number that stands in for it.
        i128::from_str_radix(digits, radix).unwrap_or_else(|_| {
            self.mistakes.push(Diagnostic::error(origin, "this number is out of every range"));
            0
        })
    }
}
