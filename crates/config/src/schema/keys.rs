//! Every key that a schema knows, as dotted paths.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::target;

/// Every key path of a schema made by [`schema`](super::schema), sorted: `limits.connections`, `routes[].name`; with the
/// kind where a key chooses it, as in `routes[].status(fixed).favicon`; with `*` for free keys. The choosing key itself
/// stands without kind: `routes[].status.type`. Tables are listed by their keys only; a secret is one key.
#[must_use]
pub fn schema_keys(schema: &Json) -> Vec<String> {
    let mut walk = Walk { root: schema, keys: BTreeSet::new(), open: Vec::new() };
    walk.schema(schema, "");
    walk.keys.into_iter().collect()
}

struct Walk<'a> {
    root: &'a Json,
    keys: BTreeSet<String>,
    /// The definitions on the way to here: one that holds itself is followed once.
    open: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    fn schema(&mut self, schema: &'a Json, path: &str) {
        let Some(name) = target(schema) else {
            return self.inline(schema, path);
        };
        if self.open.contains(&name) {
            return;
        }
        self.open.push(name);
        let definition = self.root.get("$defs").and_then(|definitions| definitions.get(name));
        definition.into_iter().for_each(|definition| self.inline(definition, path));
        self.open.pop();
    }

    fn inline(&mut self, schema: &'a Json, path: &str) {
        if schema.get("writeOnly").is_some() {
            self.keys.insert(path.to_owned());
        } else if let Some(Json::Array(kinds)) = schema.get("oneOf") {
            kinds.iter().for_each(|kind| self.kind(kind, path));
        } else if let Some(Json::Object(properties)) = schema.get("properties") {
            properties.iter().for_each(|(key, value)| self.schema(value, &joined(path, key)));
        } else if let Some(free @ Json::Object(_)) = schema.get("additionalProperties") {
            self.schema(free, &joined(path, "*"));
        } else if let Some(items) = schema.get("items").filter(|items| self.is_table(items)) {
            self.schema(items, &format!("{path}[]"));
        } else {
            self.keys.insert(path.to_owned());
        }
    }

    /// One of several forms: a kind chosen by a key with a constant, or simply another way to write it.
    fn kind(&mut self, schema: &'a Json, path: &str) {
        let properties = schema.get("properties").and_then(Json::as_object);
        let choice = properties.and_then(|properties| {
            properties.iter().find_map(|(key, value)| Some((key, value.get("const")?.as_str()?)))
        });
        let (Some(properties), Some((by, kind))) = (properties, choice) else {
            return self.schema(schema, path);
        };
        self.keys.insert(joined(path, by));
        for (key, value) in properties.iter().filter(|(key, _)| *key != by) {
            self.schema(value, &joined(&format!("{path}({kind})"), key));
        }
    }

    /// Whether the items of a list have keys of their own.
    fn is_table(&self, schema: &Json) -> bool {
        let definition = target(schema).and_then(|name| self.root.get("$defs")?.get(name));
        let schema = definition.unwrap_or(schema);
        schema.get("writeOnly").is_none()
            && ["properties", "oneOf", "additionalProperties"].iter().any(|key| schema.get(key).is_some())
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
