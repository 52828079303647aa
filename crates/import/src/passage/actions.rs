//! What Passage does with targets: its actions have their names here too.

use super::super::draft::Draft;
use super::super::source::Entry;
use super::super::text::Table;
use super::{discovery, is_uuid, lacks, set_endpoint};
use regex::Regex;
use serde_json::{Map, Value as Json, json};

/// Reads an action; nothing for one that is of no known type.
pub(super) fn read(action: &Entry<'_>, draft: &mut Draft) -> Option<Table> {
    let kind = action.get("type")?;
    let name = draft.text(&kind)?;
    let mut table = Table::default();
    let discovery = discovery::of_kind(name);
    match (name, discovery) {
        (_, Some(to)) => {
            table.set("type", to);
            if to == "grpc" {
                table.set("service", "discovery");
            }
            discovery::fill(to, action, &mut table, draft);
        }
        ("grpc", _) => {
            table.set("type", "grpc");
            table.set("service", "action");
            set_endpoint(action, &mut table, draft);
        }
        ("meta_filter", _) => {
            table.set("type", name);
            read_rules(action, &mut table, draft);
        }
        ("player_allow_filter" | "player_block_filter", _) => {
            table.set("type", name);
            read_players(action, &mut table, draft);
        }
        ("player_fill_strategy", _) => {
            table.set("type", name);
            read_fill(action, &mut table, draft);
        }
        _ => {
            draft.leave(action, "is no action that is known here");
            return None;
        }
    }
    if let Some(needed) = lacks(&table) {
        draft.leave(action, &format!("isn't written, since it has no {needed}"));
        return None;
    }
    draft.keep(&kind, "routes.actions.type");
    if let Some(entry) = action.get("name")
        && let Some(name) = draft.text(&entry)
    {
        table.set("name", name);
        draft.keep(&entry, "routes.actions.name");
    }
    Some(table)
}

/// Sets the rules of a filter; one that isn't whole is left out.
fn read_rules(action: &Entry<'_>, table: &mut Table, draft: &mut Draft) {
    let mut rules = Vec::new();
    for rule in action.get("rules").iter().flat_map(Entry::items) {
        if let Some(fields) = read_rule(&rule) {
            rules.push(fields);
            draft.keep(&rule, "routes.actions.rules");
        } else {
            let needs = "isn't written: needs a key, an op of equals, not_equals, exists, not_exists, in or not_in, and its value";
            draft.leave(&rule, needs);
        }
    }
    if !rules.is_empty() {
        table.set("rules", rules);
    }
}

fn read_rule(rule: &Entry<'_>) -> Option<Json> {
    let [key, operation] = ["key", "op"].map(|key| rule.get(key).and_then(|entry| entry.value.as_str()));
    let value = rule.get("value").map(|entry| entry.value);
    let value = match operation? {
        "exists" | "not_exists" => None,
        "equals" | "not_equals" => Some(value.filter(|value| value.is_string())?),
        "in" | "not_in" => {
            let are_texts = |items: &Vec<Json>| !items.is_empty() && items.iter().all(Json::is_string);
            Some(value.filter(|value| value.as_array().is_some_and(are_texts))?)
        }
        _ => return None,
    };
    let mut fields = Map::new();
    fields.insert("key".to_owned(), json!(key?));
    fields.insert("op".to_owned(), json!(operation));
    fields.extend(value.map(|value| ("value".to_owned(), value.clone())));
    Some(Json::Object(fields))
}

fn read_players(action: &Entry<'_>, table: &mut Table, draft: &mut Draft) {
    if let Some(entry) = action.get("usernames") {
        let names = draft.texts(&entry);
        table.set("usernames", json!(names));
        draft.keep(&entry, "routes.actions.usernames");
    }
    if let Some(entry) = action.get("ids") {
        let (ids, others): (Vec<_>, Vec<_>) = draft.texts(&entry).into_iter().partition(|text| is_uuid(text));
        for other in others {
            draft.leave(&entry, &format!("{other:?} is no UUID"));
        }
        table.set("ids", json!(ids));
        draft.keep(&entry, "routes.actions.ids");
    }
    if let Some(entry) = action.get("username")
        && let Some(expression) = draft.text(&entry)
    {
        match Regex::new(expression) {
            Ok(_) => {
                table.set("username", expression);
                draft.keep(&entry, "routes.actions.username");
            }
            Err(_) => draft.leave(&entry, "is no regular expression that is understood here"),
        }
    }
}

fn read_fill(action: &Entry<'_>, table: &mut Table, draft: &mut Draft) {
    if let Some(entry) = action.get("field")
        && let Some(field) = draft.text(&entry)
    {
        table.set("field", field);
        draft.keep(&entry, "routes.actions.field");
    }
    if let Some(entry) = action.get("max_players")
        && let Some(count) = draft.count(&entry)
    {
        table.set("max_players", count);
        if count == 0 {
            draft.change(&entry, "routes.actions.max_players: 0 is no bound here");
        } else {
            draft.keep(&entry, "routes.actions.max_players");
        }
    }
}
