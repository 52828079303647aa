//! What a key of a route takes, as the schema of routes has it: so that a label's text is read as its key wants it, and nobody has to quote
//! a version that looks like a number.

use drawbridge_config::Json;
use drawbridge_routing::RouteSection;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// What values a key takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Whether there is such a key.
    pub(crate) known: bool,
    /// Texts.
    pub(crate) text: bool,
    /// Lists.
    pub(crate) list: bool,
    /// Numbers, truth values or tables.
    pub(crate) other: bool,
}

static SCHEMA: LazyLock<Json> = LazyLock::new(drawbridge_config::schema::<RouteSection>);

/// What `path` takes below a route; nothing where routes know no such key.
pub(crate) fn of(path: &str) -> Shape {
    let mut shape = Shape::default();
    let segments: Vec<&str> = path.split('.').collect();
    walk(&SCHEMA, &SCHEMA, &segments, &mut |schema| note(schema, &mut shape));
    shape
}

/// The keys of the table at `path` below a route, or of the route itself where it is empty.
pub(crate) fn keys(path: &[&str]) -> BTreeSet<&'static str> {
    let mut keys = BTreeSet::new();
    walk(&SCHEMA, &SCHEMA, path, &mut |schema| {
        keys.extend(schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key.as_str()));
    });
    keys
}

/// Goes down all ways that the schema leaves open. It is a tree but for definitions, which a step of the path leads out of.
fn walk<'a>(whole: &'a Json, schema: &'a Json, path: &[&str], end: &mut impl FnMut(&'a Json)) {
    if let Some(name) = schema["$ref"].as_str() {
        walk(whole, &whole["$defs"][name.trim_start_matches("#/$defs/")], path, end);
    }
    let choices = ["oneOf", "anyOf"].into_iter().filter_map(|choice| schema[choice].as_array());
    choices.flatten().for_each(|choice| walk(whole, choice, path, end));
    match path {
        [] => end(schema),
        [key, rest @ ..] => match schema["properties"].get(*key) {
            Some(property) => walk(whole, property, rest, end),
            None => {
                let further = schema.get("additionalProperties").filter(|further| further.is_object());
                further.into_iter().for_each(|further| walk(whole, further, rest, end));
            }
        },
    }
}

fn note(schema: &Json, shape: &mut Shape) {
    shape.known = true;
    let words = schema["enum"].as_array().is_some_and(|words| words.iter().any(Json::is_string));
    match schema["type"].as_str() {
        Some("string") => shape.text = true,
        Some("array") => shape.list = true,
        Some(_) => shape.other = true,
        None => shape.text |= words || schema["const"].is_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_take_what_the_schema_says() {
        let text = Shape { known: true, text: true, ..Shape::default() };
        let list = Shape { known: true, list: true, ..Shape::default() };
        let other = Shape { known: true, other: true, ..Shape::default() };
        for (path, shape) in [
            ("mode", text),
            ("versions", text),
            ("hosts", list),
            ("access.deny", list),
            ("actions", list),
            ("max_players", other),
            ("relay", other),
            ("relay.proxy_protocol", text),
            ("relay.transfers", other),
            ("status.type", text),
            ("status.description", text),
            ("status.players.max", other),
            ("status.states.offline.description", text),
            ("localization.messages.de_de.disconnect_no_target", text),
            ("nothing", Shape::default()),
            ("relay.nothing.at.all", Shape::default()),
            ("mode.deeper", Shape::default()),
        ] {
            assert_eq!(of(path), shape, "{path}");
        }
        let either = of("status.headers.Authorization");
        assert!(either.text && either.other && !either.list);
    }

    #[test]
    fn tables_have_the_keys_that_the_schema_says() {
        assert!(keys(&[]).is_superset(&BTreeSet::from(["hosts", "mode", "targets", "discovery"])));
        assert!(keys(&["relay"]).contains("proxy_protocol"));
        assert!(
            keys(&["status"]).is_superset(&BTreeSet::from(["type", "description", "url"])),
            "of all types"
        );
        assert!(keys(&["mode"]).is_empty() && keys(&["nothing"]).is_empty());
    }
}
