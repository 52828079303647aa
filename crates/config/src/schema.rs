//! JSON Schema (draft 2020-12) of settings, for editors and for the tests that want every key covered.

mod keys;

pub use keys::schema_keys;

use std::any::type_name;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, json};

use crate::{Json, Setting};

/// The definitions that a schema refers to, while it is made.
#[derive(Debug, Default)]
pub struct Schemas {
    definitions: Map<String, Json>,
    /// The names of the definitions by the full names of their types.
    names: BTreeMap<&'static str, String>,
}

impl Schemas {
    /// Defines the schema of `T` once, under the type's name, and refers to it.
    pub fn define<T>(&mut self, build: impl FnOnce(&mut Self) -> Json) -> Json {
        let full = type_name::<T>();
        if let Some(name) = self.names.get(full) {
            return reference(name);
        }
        let short = full.rsplit("::").next().unwrap_or(full).to_owned();
        let taken = |name: &String| self.names.values().any(|other| other == name);
        let name = std::iter::once(short.clone())
            .chain((2_u32..).map(|number| format!("{short}{number}")))
            .find(|name| !taken(name))
            .unwrap_or(short);
        self.names.insert(full, name.clone());
        let schema = build(self);
        self.definitions.insert(name.clone(), schema);
        reference(&name)
    }

    /// What a reference refers to; anything else as it is.
    pub(crate) fn resolved(&self, schema: Json) -> Json {
        let definition = target(&schema).and_then(|name| self.definitions.get(name)).cloned();
        definition.unwrap_or(schema)
    }
}

const DEFINITIONS: &str = "#/$defs/";

fn reference(name: &str) -> Json {
    json!({ "$ref": format!("{DEFINITIONS}{name}") })
}

/// The name of the definition that a schema refers to.
fn target(schema: &Json) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(DEFINITIONS)
}

/// The schema of a whole configuration.
#[must_use]
pub fn schema<T: Setting>() -> Json {
    let mut schemas = Schemas::default();
    let root = T::schema(&mut schemas);
    let Json::Object(root) = schemas.resolved(root) else { return Json::Bool(true) };
    let mut whole = Map::new();
    whole.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    whole.extend(root);
    let mut used = BTreeSet::new();
    for part in whole.values() {
        referenced(part, &schemas.definitions, &mut used);
    }
    let mut definitions = schemas.definitions;
    definitions.retain(|name, _| used.contains(name));
    definitions.sort_keys();
    whole.insert("$defs".to_owned(), Json::Object(definitions));
    Json::Object(whole)
}

/// Collects the definitions that are referred to, by others among them too.
fn referenced(schema: &Json, definitions: &Map<String, Json>, used: &mut BTreeSet<String>) {
    match schema {
        Json::Array(items) => items.iter().for_each(|item| referenced(item, definitions, used)),
        Json::Object(object) => {
            if let Some(name) = target(schema)
                && used.insert(name.to_owned())
            {
                definitions.get(name).into_iter().for_each(|found| referenced(found, definitions, used));
            }
            object.values().for_each(|value| referenced(value, definitions, used));
        }
        _ => {}
    }
}

/// The schema of a table with fixed keys, while it is made.
#[derive(Debug)]
pub struct ObjectSchema {
    description: String,
    properties: Map<String, Json>,
    required: Vec<&'static str>,
}

impl ObjectSchema {
    /// A table without keys; `docs` are the lines of its doc comment.
    #[must_use]
    pub fn new(docs: &[&str]) -> Self {
        Self { description: prose(docs), properties: Map::new(), required: Vec::new() }
    }

    /// Adds a key without default: required, unless its type may be left out.
    pub fn property<T: Setting>(&mut self, schemas: &mut Schemas, key: &'static str, docs: &[&str]) {
        if !T::OPTIONAL {
            self.required.push(key);
        }
        self.insert(T::schema(schemas), key, docs, None);
    }

    /// Adds a key with its default.
    pub fn property_or<T: Setting>(
        &mut self,
        schemas: &mut Schemas,
        key: &'static str,
        docs: &[&str],
        default: &T,
    ) {
        self.insert(T::schema(schemas), key, docs, default.write());
    }

    fn insert(&mut self, schema: Json, key: &str, docs: &[&str], default: Option<Json>) {
        let Json::Object(mut schema) = schema else { return };
        let description = prose(docs);
        if !description.is_empty() {
            schema.insert("description".to_owned(), description.into());
        }
        if let Some(default) = default {
            schema.insert("default".to_owned(), default);
        }
        self.properties.insert(key.to_owned(), Json::Object(schema));
    }

    /// The finished schema.
    #[must_use]
    pub fn build(self) -> Json {
        let mut schema = Map::new();
        if !self.description.is_empty() {
            schema.insert("description".to_owned(), self.description.into());
        }
        schema.insert("type".to_owned(), "object".into());
        schema.insert("properties".to_owned(), self.properties.into());
        if !self.required.is_empty() {
            schema.insert("required".to_owned(), self.required.into());
        }
        schema.insert("additionalProperties".to_owned(), false.into());
        Json::Object(schema)
    }
}

/// The schema of a table that is read in one of several ways, chosen by the key `by`, while it is made.
#[derive(Debug)]
pub struct KindsSchema {
    by: &'static str,
    default: Option<&'static str>,
    kinds: Vec<Json>,
}

impl KindsSchema {
    /// Without kinds yet. `default` is the kind of a table without the key `by`.
    #[must_use]
    pub const fn new(by: &'static str, default: Option<&'static str>) -> Self {
        Self { by, default, kinds: Vec::new() }
    }

    /// Adds the kind named `kind`, whose other keys are those of `payload`.
    pub fn kind(&mut self, schemas: &Schemas, kind: &'static str, payload: Json) {
        let Json::Object(mut schema) = schemas.resolved(payload) else { return };
        let mut choice = json!({ "const": kind });
        if self.default == Some(kind) {
            choice["default"] = kind.into();
        } else if let Json::Array(required) = schema.entry("required").or_insert_with(|| json!([])) {
            required.insert(0, self.by.into());
        }
        if let Some(Json::Object(properties)) = schema.get_mut("properties") {
            properties.shift_insert(0, self.by.to_owned(), choice);
        }
        self.kinds.push(Json::Object(schema));
    }

    /// The finished schema; `docs` are the lines of the doc comment.
    #[must_use]
    pub fn build(self, docs: &[&str]) -> Json {
        json!({ "description": prose(docs), "oneOf": self.kinds })
    }
}

/// The schema of one word of several; `words` are the words with the lines of their doc comments.
#[must_use]
pub fn words_schema(docs: &[&str], words: &[(&'static str, &[&str])]) -> Json {
    let mut description = prose(docs);
    for (word, docs) in words {
        let docs = prose(docs);
        if !docs.is_empty() {
            description.push_str(&format!("\n- `{word}`: {docs}"));
        }
    }
    let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
    json!({ "description": description, "type": "string", "enum": words })
}

/// Doc comments as text: each line without the space that it begins with.
fn prose(docs: &[&str]) -> String {
    let lines: Vec<_> = docs.iter().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end()).collect();
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    mod one {
        crate::section! {
            /// One.
            pub(super) struct Fixed {
                /// A key.
                pub one: u8,
            }
        }
    }

    mod other {
        crate::section! {
            /// Another of the same name.
            pub(super) struct Fixed {
                /// A key.
                pub other: u8,
            }
        }
    }

    crate::section! {
        /// Both.
        struct Both {
            /// The first.
            one: one::Fixed,
            /// The second.
            other: other::Fixed,
            /// The first again.
            r#type: Vec<one::Fixed> = Vec::new(),
        }
    }

    #[test]
    fn types_of_one_name_are_told_apart() {
        let schema = schema::<Both>();
        assert_eq!(schema_keys(&schema), ["one.one", "other.other", "type[].one"]);
        assert_eq!(schema["properties"]["one"]["$ref"], "#/$defs/Fixed");
        assert_eq!(schema["properties"]["other"]["$ref"], "#/$defs/Fixed2");
        assert_eq!(schema["required"], json!(["one", "other"]));
        let both: Both =
            crate::read_text("both.toml", "one.one = 1\nother.other = 2\ntype = [{ one = 3 }]").unwrap();
        assert_eq!((both.one.one, both.other.other, both.r#type[0].one), (1, 2, 3));
    }
}
