//! `reference`: writes `docs/reference.md` from what `drawbridge schema` prints.
//!
//! What must stay true: every key of the schema is in the page, and the same schema gives the same page.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;

use crate::command::{self, workspace};
use crate::program;

const HEAD: &str = "# Configuration reference

<!-- Written by `cargo xtask reference` from `drawbridge schema`. Changes are made in the doc comments of the sections. -->

Every key, as the program itself describes it. [Configuration](configuration.md) has the same as one commented example, and says how durations,
sizes and variables of the environment are written. `routes[]` is a table written `[[routes]]`, `routes[].status` one written `[routes.status]` below
it, and `*` stands for a name of your own. Where a table may have a `type`, its other keys are those of that type.

";

/// Keywords of a schema under which other schemas stand that say what a value is.
const CHOICES: [&str; 2] = ["oneOf", "anyOf"];

/// Writes the page, or with `check` only fails when it would change.
///
/// # Errors
/// When the program can't be built or its schema isn't understood, the page can't be written, or `check` finds a difference.
pub(crate) fn run(check: bool) -> Result<()> {
    let schema = command::output(std::process::Command::new(program::debug("drawbridge")?).arg("schema"))?;
    let schema = schema.context("the program that was built isn't there")?;
    let page = page(&serde_json::from_str(&schema).context("reading the schema")?)?;
    command::write_or_check(&workspace().join("docs/reference.md"), &page, check, "reference")
}

/// A table that gets a heading of its own.
struct Section<'a> {
    /// Where it stands first, such as `routes.status`.
    path: String,
    schema: &'a Value,
}

/// The sections that are still to be written, and those that the page has already, by their definitions.
struct Sections<'a> {
    root: &'a Value,
    waiting: VecDeque<Section<'a>>,
    /// The names of definitions with the paths that they got, in the order of the page.
    named: Vec<(&'a str, String)>,
    /// The kinds of tables that the page has, with the paths of these.
    kinds: Vec<(String, &'a Value)>,
}

fn page(schema: &Value) -> Result<String> {
    let mut sections =
        Sections { root: schema, waiting: VecDeque::new(), named: Vec::new(), kinds: Vec::new() };
    let mut page = HEAD.to_owned();
    page.push_str("## The main file\n\n");
    sections.table(&mut page, "", schema)?;
    while let Some(section) = sections.waiting.pop_front() {
        sections.write(&mut page, &section)?;
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    Ok(page)
}

impl<'a> Sections<'a> {
    fn write(&mut self, page: &mut String, section: &Section<'a>) -> Result<()> {
        writeln!(page, "## `{}`\n", section.path)?;
        let schema = section.schema;
        if let Some(text) = text(schema, "description") {
            writeln!(page, "{text}\n")?;
        }
        let Some(kinds) = kinds(schema) else { return self.table(page, &section.path, schema) };
        for kind in kinds {
            let name = kind_name(kind).context("a kind without a name")?;
            let default =
                if kind.pointer("/properties/type/default").is_some() { ", the default" } else { "" };
            writeln!(page, "### `{}`, type `{name}`{default}\n", section.path)?;
            if let Some(text) = text(kind, "description") {
                writeln!(page, "{text}\n")?;
            }
            if let Some((path, _)) = self.kinds.iter().find(|(_, earlier)| has_all(kind, earlier)) {
                writeln!(page, "It has the keys of {} of this type{}.\n", link(path), besides(kind))?;
            } else {
                self.table(page, &section.path, kind)?;
            }
            self.kinds.push((section.path.clone(), kind));
        }
        Ok(())
    }

    /// The keys of a table, one a line.
    fn table(&mut self, page: &mut String, path: &str, schema: &'a Value) -> Result<()> {
        let properties = schema["properties"].as_object().into_iter().flatten();
        let keys: Vec<_> = properties.filter(|(_, key)| key.get("const").is_none()).collect();
        if keys.is_empty() {
            page.push_str("It has no keys of its own.\n\n");
            return Ok(());
        }
        let required: BTreeSet<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        page.push_str("| key | value | default | meaning |\n|---|---|---|---|\n");
        for (key, schema) in keys {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let value = self.value(&path, schema)?;
            let default = match schema.get("default") {
                Some(default) => format!("`{}`", toml(default)),
                None if required.contains(key.as_str()) => "required".to_owned(),
                None => String::new(),
            };
            let meaning = text(schema, "description").unwrap_or_default();
            writeln!(page, "| `{key}` | {} | {} | {} |", cell(&value), cell(&default), cell(meaning))?;
        }
        page.push('\n');
        Ok(())
    }

    /// What a value may be, in words. A table with keys of its own becomes a section.
    fn value(&mut self, path: &str, schema: &'a Value) -> Result<String> {
        if let Some(reference) = text(schema, "$ref") {
            let name =
                reference.strip_prefix("#/$defs/").with_context(|| format!("a reference to {reference}"))?;
            let definition = &self.root["$defs"][name];
            ensure!(definition.is_object(), "there is no definition of {name}");
            if !is_table(definition) {
                return self.value(path, definition);
            }
            if let Some((_, first)) = self.named.iter().find(|(named, _)| *named == name) {
                return Ok(link(first));
            }
            self.named.push((name, path.to_owned()));
            return Ok(self.section(path, definition));
        }
        if is_table(schema) {
            return Ok(self.section(path, schema));
        }
        if let Some(choices) = CHOICES.iter().find_map(|keyword| schema[*keyword].as_array()) {
            let choices: Result<Vec<_>> = choices.iter().map(|choice| self.value(path, choice)).collect();
            return Ok(choices?.join(" or "));
        }
        if let Some(words) = schema["enum"].as_array() {
            let words: Vec<_> = words.iter().map(|word| format!("`{}`", toml(word))).collect();
            return Ok(words.join(" or "));
        }
        if let Some(word) = schema.get("const") {
            return Ok(format!("`{}`", toml(word)));
        }
        if let Some(items) = schema.get("items") {
            return Ok(format!("list of: {}", self.value(&format!("{path}[]"), items)?));
        }
        if let Some(properties) = schema["properties"].as_object() {
            return Ok(format!("`{}`", shape(properties)));
        }
        if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
            return Ok(format!("table of names and: {}", self.value(&format!("{path}.*"), values)?));
        }
        Ok(scalar(schema))
    }

    fn section(&mut self, path: &str, schema: &'a Value) -> String {
        self.waiting.push_back(Section { path: path.to_owned(), schema });
        link(path)
    }
}

/// Whether a schema is that of a table worth a section: one of several kinds, or one whose keys are described.
fn is_table(schema: &Value) -> bool {
    let described = |key: &Value| key.get("description").is_some();
    kinds(schema).is_some()
        || schema["properties"].as_object().is_some_and(|keys| keys.values().any(described))
}

/// The kinds of a table that is read in several ways, by its key `type`.
fn kinds(schema: &Value) -> Option<&Vec<Value>> {
    schema["oneOf"].as_array().filter(|kinds| kinds.iter().all(|kind| kind_name(kind).is_some()))
}

/// What a kind of an action has that the same kind of discovery hasn't.
fn besides(kind: &Value) -> &'static str {
    if kind.pointer("/properties/name").is_some() { ", and `name`, which names it in logs" } else { "" }
}

/// Whether a kind of a table is another one that may also be named, as discovery is where it serves as an action.
fn has_all(kind: &Value, other: &Value) -> bool {
    let (Some(keys), Some(others)) = (kind["properties"].as_object(), other["properties"].as_object()) else {
        return false;
    };
    let same = |(key, schema): (&String, &Value)| key == "type" || others.get(key) == Some(schema);
    kind_name(kind) == kind_name(other)
        && others.len() > 1
        && others.keys().all(|key| keys.contains_key(key))
        && keys.iter().filter(|(key, _)| *key != "name").all(same)
}

fn kind_name(kind: &Value) -> Option<&str> {
    kind.pointer("/properties/type/const")?.as_str()
}

/// A table so small that it is shown rather than described.
fn shape(properties: &Map<String, Value>) -> String {
    let keys: Vec<_> = properties.keys().map(|key| format!("{key} = …")).collect();
    format!("{{ {} }}", keys.join(", "))
}

/// A value that holds no others.
fn scalar(schema: &Value) -> String {
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let pattern = text(schema, "pattern").unwrap_or_default();
    let format = text(schema, "format").unwrap_or_default();
    let word = match (types.as_slice(), format) {
        _ if pattern.contains("(ms|s|m|h|d)") => "duration",
        _ if pattern.contains("KiB") => "size",
        (["boolean"], _) => "`true` or `false`",
        (["integer"], _) => return range(schema),
        (["number"], _) => "number",
        (["object"], _) => "table",
        (_, "uri") => "URL",
        (_, "regex") => "regular expression",
        (["string"], _) => return example(schema),
        _ => "value",
    };
    word.to_owned()
}

/// An integer with its bounds, where they aren't those of its type.
fn range(schema: &Value) -> String {
    let bound = |key: &str| schema[key].as_i64().filter(|bound| bound.unsigned_abs() < u64::from(u16::MAX));
    match (bound("minimum"), bound("maximum")) {
        (Some(low), Some(high)) => format!("number, {low} to {high}"),
        (Some(0), None) | (None, _) => "number".to_owned(),
        (Some(low), None) => format!("number, {low} or more"),
    }
}

fn example(schema: &Value) -> String {
    let example = schema["examples"].as_array().and_then(|examples| examples.first());
    example.map_or_else(|| "text".to_owned(), |example| format!("text such as `{}`", toml(example)))
}

/// A value as it is written in a document.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(table) if table.is_empty() => "{}".to_owned(),
        Value::Object(table) => {
            let keys: Vec<_> = table.iter().map(|(key, value)| format!("{key} = {}", toml(value))).collect();
            format!("{{ {} }}", keys.join(", "))
        }
        other => other.to_string(),
    }
}

/// A link to a section, by the anchor that Markdown's renderers make of its heading.
fn link(path: &str) -> String {
    let kept = |letter: &char| letter.is_alphanumeric() || ['-', '_'].contains(letter);
    let anchor: String = path.to_lowercase().chars().filter(kept).collect();
    format!("[`{path}`](#{anchor})")
}

/// Text in a cell of a table: in one line, lists of words among it.
fn cell(text: &str) -> String {
    text.replace("\n- ", " · ").replace('\n', " ").replace('|', "\\|")
}

fn text<'a>(schema: &'a Value, key: &str) -> Option<&'a str> {
    schema.get(key)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Value {
        json!({
            "properties": {
                "wait": { "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$", "default": "5s", "description": "How\nlong." },
                "slow": { "$ref": "#/$defs/Rate", "default": { "burst": 1, "per": "1s" } },
                "fast": { "$ref": "#/$defs/Rate" },
                "word": { "$ref": "#/$defs/Word", "default": "a" },
                "asked": { "type": "array", "items": { "oneOf": [
                    { "properties": { "type": { "const": "x", "default": "x" }, "secret": { "oneOf": [
                        { "properties": { "file": { "type": "string" } } },
                        { "properties": { "env": { "type": "string" } } },
                    ] } } },
                    { "properties": { "type": { "const": "y" } }, "required": ["type"] },
                ] } },
            },
            "$defs": {
                "Rate": { "required": ["burst"], "properties": {
                    "burst": { "type": "integer", "minimum": 0, "maximum": 65535, "description": "At | once." },
                } },
                "Word": { "type": "string", "enum": ["a", "b"] },
            },
        })
    }

    #[test]
    fn tables_become_sections_once_and_are_linked() {
        let page = page(&schema()).unwrap();
        assert!(page.contains("| `wait` | duration | `\"5s\"` | How long. |"), "{page}");
        assert!(page.contains("| `slow` | [`slow`](#slow) | `{ burst = 1, per = \"1s\" }` |"), "{page}");
        assert!(page.contains("| `fast` | [`slow`](#slow) |"), "the same table as above: {page}");
        assert_eq!(page.matches("| `burst` | number | required | At \\| once. |").count(), 1, "{page}");
        assert!(page.contains("| `word` | `\"a\"` or `\"b\"` | `\"a\"` |"), "{page}");
    }

    #[test]
    fn kinds_stand_below_one_another() {
        let page = page(&schema()).unwrap();
        assert!(page.contains("| `asked` | list of: [`asked[]`](#asked) |"), "{page}");
        let (x, y) =
            (page.find("### `asked[]`, type `x`, the default"), page.find("### `asked[]`, type `y`\n"));
        assert!(x.is_some() && x < y, "{page}");
        assert!(page.contains("| `secret` | `{ file = … }` or `{ env = … }` |"), "{page}");
        assert!(page.contains("type `y`\n\nIt has no keys of its own.\n"), "{page}");
    }

    #[test]
    fn a_kind_that_serves_elsewhere_too_is_described_once() {
        let kind = |more: Value| {
            let mut keys =
                json!({ "type": { "const": "x" }, "hosts": { "type": "string", "description": "Many." } });
            keys.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({ "oneOf": [{ "properties": keys }] })
        };
        let (plain, named) = (kind(json!({})), kind(json!({ "name": { "type": "string" } })));
        let other = kind(json!({ "port": { "type": "integer" } }));
        let page = page(&json!({ "properties": { "a": plain, "b": named, "c": other } })).unwrap();
        let sentence = "It has the keys of [`a`](#a) of this type, and `name`, which names it in logs.\n";
        assert_eq!(page.matches(sentence).count(), 1, "{page}");
        assert_eq!(page.matches("Many.").count(), 2, "the third has another key: {page}");
    }

    #[test]
    fn a_reference_that_leads_nowhere_is_a_mistake() {
        assert!(page(&json!({ "properties": { "a": { "$ref": "#/$defs/B" } } })).is_err());
    }
}
