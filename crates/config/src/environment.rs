//! Settings from the environment: `DRAWBRIDGE__LIMITS__CONNECTIONS=5000` stands for `connections` in `[limits]`, and its
//! value is written as TOML. Values and lists only; whole tables are set key by key.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use toml::de::DeValue;

use crate::value::{Conversion, Entry, Table};
use crate::words::quoted;
use crate::{Data, Diagnostic, Origin, Value};

/// The variables that the process was started with.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    variables: BTreeMap<String, OsString>,
}

impl Environment {
    /// Keeps the pairs; names that aren't Unicode can't be meant and are passed over.
    pub(crate) fn new<K: Into<OsString>, V: Into<OsString>>(
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let variables = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.into().into_string().ok()?, value.into())))
            .collect();
        Self { variables }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(name).map(OsString::as_os_str)
    }

    /// Puts what is set under `prefix` into the root table. `lists` are the keys that only documents hold.
    pub(crate) fn apply(&self, prefix: &str, lists: &[&str], root: &mut Table) -> Vec<Diagnostic> {
        let start = format!("{prefix}__");
        let variables = self.variables.iter().filter(|(name, _)| name.starts_with(&start));
        variables.filter_map(|(name, text)| set(name, &start, text, lists, root).err()).collect()
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Environment({} variables)", self.variables.len())
    }
}

/// Puts one variable's value into the root table.
fn set(name: &str, start: &str, text: &OsStr, lists: &[&str], root: &mut Table) -> Result<(), Diagnostic> {
    let variable: Arc<str> = name.into();
    let place = Origin::variable_segment(&variable, 0);
    let path = path(name, start, &place)?;
    if let Some(list) = lists.iter().find(|list| path[0] == **list) {
        return Err(Diagnostic::error(&place, format!("\"{list}\" can't be set from the environment"))
            .help(format!("write [[{list}]] in a document; values and lists can be set here")));
    }
    let value = value(name, text, &variable, path.len() - 1)?;
    insert(root, &path, &variable, value)
}

/// The keys that the variable's name stands for.
fn path(name: &str, start: &str, place: &Origin) -> Result<Vec<String>, Diagnostic> {
    let parts: Vec<&str> = name[start.len()..].split("__").collect();
    if parts.iter().any(|part| part.is_empty()) {
        return Err(Diagnostic::error(place, "the variable's name doesn't name a key")
            .help(format!("write it as {start}SECTION__KEY")));
    }
    if name != name.to_uppercase() {
        return Err(Diagnostic::error(place, "the variable's name isn't in upper case")
            .help(format!("write it as {}", name.to_uppercase())));
    }
    Ok(parts.into_iter().map(str::to_lowercase).collect())
}

/// The variable's value. Messages never repeat it: it may be a secret that was put into the wrong variable.
fn value(name: &str, text: &OsStr, variable: &Arc<str>, segment: usize) -> Result<Value, Diagnostic> {
    let place = Origin::variable_segment(variable, segment);
    let text = text
        .to_str()
        .ok_or_else(|| Diagnostic::error(&place, "the variable's value is not UTF-8 text"))?
        .trim();
    let parsed = DeValue::parse(text)
        .map_err(|_| Diagnostic::error(&place, "the variable's value is not TOML").help(help(name, text)))?;
    let origin = |_| place.clone();
    let mut conversion = Conversion { origin: &origin, mistakes: Vec::new() };
    let value = conversion.value(&parsed);
    if let Some(mistake) = conversion.mistakes.pop() {
        return Err(mistake);
    }
    match value.data() {
        Data::Table(_) => Err(Diagnostic::error(&place, "a table can't be set from the environment")
            .help(format!("set its keys one by one: {name}__KEY"))),
        _ => Ok(value),
    }
}

fn help(name: &str, text: &str) -> String {
    if text.starts_with(['[', '{', '"', '\'']) {
        format!("values are written as in a document: {name}='[\"one\", \"two\"]'")
    } else {
        format!("text needs quotes: {name}='\"…\"'")
    }
}

fn insert(root: &mut Table, path: &[String], variable: &Arc<str>, value: Value) -> Result<(), Diagnostic> {
    let mut table = root;
    let last = path.len() - 1;
    for (segment, key) in path[..last].iter().enumerate() {
        let place = Origin::variable_segment(variable, segment);
        let entry = table
            .entries
            .entry(key.clone())
            .or_insert_with(|| Entry { key: place.clone(), value: Value::empty(place.clone()) });
        let found = entry.value.describe();
        let origin = entry.value.origin().clone();
        let Data::Table(inner) = &mut entry.value.data else {
            return Err(Diagnostic::error(&place, format!("{} is {found}, and has no keys", quoted(key)))
                .related(&origin, "written here")
                .help("set it as a whole"));
        };
        table = inner;
    }
    let entry = Entry { key: Origin::variable_segment(variable, last), value };
    table.entries.insert(path[last].clone(), entry);
    Ok(())
}
