//! Allocations through Agones: Passage passes the parts of an allocation on as Kubernetes has them; here their keys are written
//! with underscores, and known.

use super::super::draft::Draft;
use super::super::source::Entry;
use super::super::text::Table;
use super::super::time::{self, Unit};
use serde_json::{Map, Value as Json, json};

/// A key of an allocation: what it is called there and here, and what stands there.
type Key = (&'static str, &'static str, Kind);

/// What stands at a key of an allocation.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    /// A name as Kubernetes has them.
    Label,
    Texts,
    Count,
    /// One of these.
    Word(&'static [&'static str]),
    /// Texts under names of somebody's own.
    Names,
    /// The same, of what Kubernetes takes for the value of a label.
    Labels,
    /// Tables under names of somebody's own.
    Named(&'static [Key]),
    /// A list of tables, which need the first so many of these keys.
    Tables(&'static [Key], usize),
}

const BOUNDS: &[Key] = &[
    ("minCount", "min_count", Kind::Count),
    ("maxCount", "max_count", Kind::Count),
    ("minAvailable", "min_available", Kind::Count),
    ("maxAvailable", "max_available", Kind::Count),
];

const LIST_BOUNDS: &[Key] = &[
    ("containsValue", "contains_value", Kind::Text),
    ("minAvailable", "min_available", Kind::Count),
    ("maxAvailable", "max_available", Kind::Count),
];

const EXPRESSION: &[Key] = &[
    ("key", "key", Kind::Text),
    ("operator", "operator", Kind::Word(&["In", "NotIn", "Exists", "DoesNotExist"])),
    ("values", "values", Kind::Texts),
];

const SELECTOR: &[Key] = &[
    ("matchLabels", "match_labels", Kind::Labels),
    ("matchExpressions", "match_expressions", Kind::Tables(EXPRESSION, 2)),
    ("gameServerState", "state", Kind::Word(&["Ready", "Allocated"])),
    ("counters", "counters", Kind::Named(BOUNDS)),
    ("lists", "lists", Kind::Named(LIST_BOUNDS)),
];

const PRIORITY: &[Key] = &[
    ("type", "type", Kind::Word(&["Counter", "List"])),
    ("key", "key", Kind::Text),
    ("order", "order", Kind::Word(&["Ascending", "Descending"])),
];

const METADATA: &[Key] = &[("labels", "labels", Kind::Labels), ("annotations", "annotations", Kind::Names)];

/// What is said of keys that are written as they were.
const SAME: &str = "the same, under names with underscores";

/// Sets the keys of an allocation.
pub(super) fn fill(entry: &Entry<'_>, table: &mut Table, draft: &mut Draft) {
    for (key, kind) in [
        ("namespace", Kind::Label),
        ("scheduling", Kind::Word(&["Packed", "Distributed"])),
        ("selectors", Kind::Tables(SELECTOR, 0)),
        ("priorities", Kind::Tables(PRIORITY, 2)),
    ] {
        if let Some(entry) = entry.get(key)
            && let Some(value) = value(kind, &entry, draft)
        {
            table.set(key, value);
        }
    }
    if let Some(metadata) = entry.get("metadata") {
        let metadata = renamed(&metadata, METADATA, draft);
        table.set("metadata", metadata);
    }
    if let Some(backoff) = entry.get("backoff") {
        read_backoff(&backoff, table, draft);
    }
}

/// A table with keys as they are called here. A key that isn't known is left out.
fn renamed(entry: &Entry<'_>, keys: &[Key], draft: &mut Draft) -> Map<String, Json> {
    let mut out = Map::new();
    for (key, entry) in entry.fields() {
        match keys.iter().find(|(there, ..)| *there == key) {
            Some((_, here, kind)) => {
                out.extend(value(*kind, &entry, draft).map(|value| ((*here).to_owned(), value)));
            }
            None => draft.leave_rest(&entry, "isn't known of an allocation here"),
        }
    }
    out
}

/// What stands at a key, if it is of its kind.
fn value(kind: Kind, entry: &Entry<'_>, draft: &mut Draft) -> Option<Json> {
    let value = match kind {
        Kind::Text => json!(draft.text(entry)?),
        Kind::Label => {
            let text = draft.text(entry)?;
            let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            if text.is_empty()
                || text.len() > 63
                || !text.bytes().all(is_plain)
                || text.starts_with('-')
                || text.ends_with('-')
            {
                draft.leave(entry, "is no name of a namespace");
                return None;
            }
            json!(text)
        }
        Kind::Texts => json!(draft.texts(entry)),
        Kind::Count => json!(draft.count(entry)?),
        Kind::Word(words) => {
            let word = draft.text(entry)?;
            if !words.contains(&word) {
                draft.leave(entry, &format!("is none of {}", words.join(", ")));
                return None;
            }
            json!(word)
        }
        Kind::Names => return Some(names(entry, |_| true, draft)),
        Kind::Labels => return Some(names(entry, is_label, draft)),
        Kind::Named(keys) => {
            let tables = entry.fields().into_iter();
            let tables =
                tables.map(|(name, entry)| (name.to_owned(), Json::Object(renamed(&entry, keys, draft))));
            return Some(Json::Object(tables.collect()));
        }
        Kind::Tables(keys, needed) => {
            let tables: Vec<_> =
                entry.items().iter().filter_map(|item| needing(item, keys, needed, draft)).collect();
            return (!tables.is_empty()).then(|| json!(tables));
        }
    };
    draft.keep(entry, SAME);
    Some(value)
}

/// Texts under names of somebody's own, as far as they are fit.
fn names(entry: &Entry<'_>, is_fit: impl Fn(&str) -> bool, draft: &mut Draft) -> Json {
    let mut out = Map::new();
    for (name, entry) in entry.fields() {
        match draft.text(&entry) {
            Some(text) if is_fit(text) => {
                out.insert(name.to_owned(), json!(text));
                draft.keep(&entry, SAME);
            }
            Some(_) => draft.leave(&entry, "is no value that Kubernetes takes for a label"),
            None => {}
        }
    }
    Json::Object(out)
}

/// A value of a label, or what is put in its place for each player.
fn is_label(text: &str) -> bool {
    let is_alphanumeric = |character: char| character.is_ascii_alphanumeric();
    let is_plain = |character: char| is_alphanumeric(character) || "-_.".contains(character);
    let is_value = text.len() <= 63
        && text.chars().all(is_plain)
        && text.chars().next().is_none_or(is_alphanumeric)
        && text.chars().next_back().is_none_or(is_alphanumeric);
    is_value || (text.starts_with("{{") && text.ends_with("}}"))
}

/// A table of a list, if it has the keys that it needs.
fn needing(item: &Entry<'_>, keys: &[Key], needed: usize, draft: &mut Draft) -> Option<Json> {
    let table = renamed(item, keys, draft);
    let missing = keys[..needed].iter().find(|(_, here, _)| !table.contains_key(*here));
    if let Some((there, ..)) = missing {
        draft.leave(item, &format!("isn't written, since it has no {there}"));
        return None;
    }
    Some(Json::Object(table))
}

fn read_backoff(backoff: &Entry<'_>, table: &mut Table, draft: &mut Draft) {
    let [first, longest] = ["initial_secs", "max_secs"].map(|key| backoff.get(key));
    // Passage's own defaults stand for what is left out.
    let wait = |entry: &Option<Entry<'_>>, usual| match entry {
        Some(entry) => entry.value.as_f64().and_then(|number| Unit::Seconds.milliseconds(number)),
        None => Some(usual),
    };
    let waits = wait(&first, 2_000).zip(wait(&longest, 60_000));
    match waits.filter(|(first, longest)| *first > 0 && first <= longest) {
        Some((least, most)) => {
            table.set("backoff", json!({ "first": time::written(least), "longest": time::written(most) }));
            for (entry, to) in [(&first, "backoff.first"), (&longest, "backoff.longest")] {
                entry.iter().for_each(|entry| draft.keep(entry, to));
            }
        }
        None => draft.leave_all(
            backoff,
            &["initial_secs", "max_secs"],
            "the first wait is above 0 and no longer than the longest",
        ),
    }
    draft.leave_all(backoff, &["max_attempts"], "attempts end after a time: timeout");
    draft.leave_all(backoff, &["factor", "jitter"], "each wait is about twice as long as the one before");
}
