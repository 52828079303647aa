//! Documents of other programs: files parsed into trees without knowing what their keys mean, and places in these trees.
//!
//! What must stay true: a place is told by its keys as they are written; no text makes reading panic; no message shows a
//! line of a file, since it may hold a secret.

use super::ImportError;
use super::text::key_text;
use serde_json::Value as Json;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The largest file that is read, in bytes.
pub(super) const LARGEST: u64 = 8 << 20;

/// A parsed file.
#[derive(Debug)]
pub struct Document {
    /// As it is told in the report.
    pub name: String,
    /// Where it is, for files that it names.
    pub folder: PathBuf,
    /// What it is written in.
    pub syntax: Syntax,
    /// What it holds.
    pub tree: Json,
}

/// What a file is written in, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// TOML.
    Toml,
    /// YAML.
    Yaml,
    /// JSON.
    Json,
    /// Anything else: variables of an environment, or a command line.
    Words,
}

impl Syntax {
    /// The syntax that a file's name tells of.
    pub(super) fn of(path: &Path) -> Self {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "toml" => Self::Toml,
            "yml" | "yaml" => Self::Yaml,
            "json" => Self::Json,
            _ => Self::Words,
        }
    }
}

impl Document {
    /// Reads a file; `name` is what the report calls it.
    ///
    /// # Errors
    /// When it can't be read, is too large, or isn't what its name says.
    pub(super) fn open(path: &Path, name: String) -> Result<Self, ImportError> {
        let text = read(path)?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let syntax = Syntax::of(path);
        let tree =
            parse(syntax, &text).map_err(|reason| ImportError::Syntax { path: path.to_owned(), reason })?;
        Ok(Self { name, folder, syntax, tree })
    }

    /// The whole of it.
    pub(super) fn root(&self) -> Entry<'_> {
        Entry { document: &self.name, path: String::new(), value: &self.tree }
    }
}

fn read(path: &Path) -> Result<String, ImportError> {
    let unreadable = |source| ImportError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    // A device or a pipe may never end.
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(ImportError::NoFile { path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(ImportError::TooLarge { path: path.to_owned() });
    }
    let text = String::from_utf8(bytes).map_err(|_| ImportError::NotText { path: path.to_owned() })?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// The tree of a text.
///
/// # Errors
/// What is wrong with it, and where.
pub fn parse(syntax: Syntax, text: &str) -> Result<Json, String> {
    match syntax {
        Syntax::Toml => toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count() + 1;
            format!("line {line}: {}", error.message())
        }),
        // A document of comments alone is an empty one.
        Syntax::Yaml if text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#')) => {
            Ok(Json::Object(serde_json::Map::new()))
        }
        Syntax::Yaml => serde_saphyr::from_str(text).map_err(|error| error.without_snippet().to_string()),
        Syntax::Json => serde_json::from_str(text).map_err(|error| error.to_string()),
        Syntax::Words => Ok(super::words::parse(text)),
    }
}

/// A place in a document.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    /// The document's name.
    pub document: &'a str,
    /// The keys that lead to it.
    pub path: String,
    /// What stands there.
    pub value: &'a Json,
}

impl<'a> Entry<'a> {
    /// What stands at a key of this table, or at several joined by dots. `None` where nothing does, or null.
    pub(super) fn get(&self, keys: &str) -> Option<Self> {
        keys.split('.').try_fold(self.clone(), |entry, key| {
            let value = entry.value.as_object()?.get(key).filter(|value| !value.is_null())?;
            Some(entry.below(key, value))
        })
    }

    /// The keys of this table and what stands there; nothing for what is no table.
    pub(super) fn fields(&self) -> Vec<(&'a str, Self)> {
        let fields = self.value.as_object().into_iter().flatten();
        fields.map(|(key, value)| (key.as_str(), self.below(key, value))).collect()
    }

    /// The elements of this list, or the value itself where it is none. An element that is no table has the list's own path:
    /// a key with a list of texts is one key.
    pub(super) fn items(&self) -> Vec<Self> {
        let Some(items) = self.value.as_array() else { return vec![self.clone()] };
        let has_tables = holds_tables(items);
        let items = items.iter().enumerate();
        items
            .map(|(index, value)| {
                let path = if has_tables { format!("{}[{index}]", self.path) } else { self.path.clone() };
                Entry { document: self.document, path, value }
            })
            .collect()
    }

    /// Everything below that holds no table.
    pub(super) fn leaves(&self) -> Vec<Self> {
        let mut leaves = Vec::new();
        self.collect_leaves(&mut leaves);
        leaves
    }

    /// Whether nothing is set here.
    pub(super) fn is_empty(&self) -> bool {
        match self.value {
            Json::Null => true,
            Json::Array(items) => items.is_empty(),
            Json::Object(fields) => fields.is_empty(),
            _ => false,
        }
    }

    fn collect_leaves(&self, leaves: &mut Vec<Self>) {
        match self.value {
            Json::Object(fields) if !fields.is_empty() => {
                self.fields().iter().for_each(|(_, entry)| entry.collect_leaves(leaves));
            }
            Json::Array(items) if holds_tables(items) => {
                self.items().iter().for_each(|entry| entry.collect_leaves(leaves));
            }
            // An empty document has no keys.
            Json::Object(_) if self.path.is_empty() => {}
            _ => leaves.push(self.clone()),
        }
    }

    fn below(&self, key: &str, value: &'a Json) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        Entry { document: self.document, path: format!("{}{dot}{}", self.path, key_text(key)), value }
    }

    /// What kind of thing stands there, in the words of a report.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Json::Null => "nothing",
            Json::Bool(_) => "true or false",
            Json::Number(_) => "a number",
            Json::String(_) => "a text",
            Json::Array(_) => "a list",
            Json::Object(_) => "a table",
        }
    }
}

fn holds_tables(items: &[Json]) -> bool {
    items.iter().any(|item| item.is_object() || item.as_array().is_some_and(|items| holds_tables(items)))
}
