//! Where Passage finds targets: each kind has its like.

use super::super::draft::Draft;
use super::super::route::Route;
use super::super::source::Entry;
use super::super::text::Table;
use super::{actions, agones, complete, seconds, set_endpoint};
use serde_json::{Map, Value as Json, json};
use std::collections::HashSet;

/// Reads a route's discovery and its actions.
pub(super) fn read(entry: &Entry<'_>, route: &mut Route, draft: &mut Draft) {
    let mut table = Table::default();
    match entry.get("type") {
        Some(kind) => match draft.text(&kind).and_then(of_kind) {
            Some(to) => {
                table.set("type", to);
                fill(to, entry, &mut table, draft);
                draft.keep(&kind, "routes.discovery.type");
            }
            None => draft.leave(&kind, "finds no targets: give it as an action behind a discovery"),
        },
        None => fill("fixed", entry, &mut table, draft),
    }
    *route.table("discovery") = complete(table, entry, route, draft);
    for action in entry.get("actions").iter().flat_map(Entry::items) {
        if let Some(table) = actions::read(&action, draft) {
            route.action(table);
        }
    }
}

/// The type that a type of Passage has here.
pub(super) fn of_kind(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "fixed_discovery" => "fixed",
        "dns_discovery" => "dns",
        "agones_discovery" => "agones",
        "grpc_discovery" => "grpc",
        _ => return None,
    })
}

/// Sets the keys of a discovery of this type.
pub(super) fn fill(kind: &str, entry: &Entry<'_>, table: &mut Table, draft: &mut Draft) {
    match kind {
        "dns" => fill_dns(entry, table, draft),
        "agones" => agones::fill(entry, table, draft),
        "grpc" => set_endpoint(entry, table, draft),
        _ => {
            let mut identifiers = HashSet::new();
            for entry in entry.get("targets").iter().flat_map(Entry::items) {
                let Some(target) = read_target(&entry, draft) else { continue };
                let identifier = target.get("identifier").or(target.get("address")).map(Json::to_string);
                if identifiers.insert(identifier) {
                    table.add("targets", target);
                } else {
                    draft.change(&entry, "isn't written, since another target has its identifier");
                }
            }
        }
    }
}

fn read_target(target: &Entry<'_>, draft: &mut Draft) -> Option<Table> {
    let mut table = Table::default();
    if let Some(entry) = target.get("identifier")
        && let Some(identifier) = draft.text(&entry).filter(|text| !text.trim().is_empty())
    {
        table.set("identifier", identifier);
        draft.keep(&entry, "the target's identifier");
    }
    let entry = target.get("address")?;
    let text = draft.text(&entry)?;
    table.set("address", draft.address(&entry, text)?);
    draft.keep(&entry, "the target's address");
    if let Some(entry) = target.get("priority")
        && let Some(priority) = draft.count(&entry)
    {
        table.set("priority", priority);
        draft.keep(&entry, "the target's priority");
    }
    let mut meta = Map::new();
    for (key, entry) in target.get("meta").iter().flat_map(Entry::fields) {
        let value = match entry.value {
            Json::String(text) => text.clone(),
            Json::Number(_) | Json::Bool(_) => entry.value.to_string(),
            _ => {
                draft.leave(&entry, "metadata are texts");
                continue;
            }
        };
        meta.insert(key.to_owned(), json!(value));
        draft.keep(&entry, "the target's meta");
    }
    if !meta.is_empty() {
        table.set("meta", meta);
    }
    Some(table)
}

fn fill_dns(entry: &Entry<'_>, table: &mut Table, draft: &mut Draft) {
    if let Some(entry) = entry.get("domain")
        && let Some(domain) = draft.text(&entry)
    {
        table.set("domain", domain);
        draft.keep(&entry, "domain of the discovery");
    }
    if let Some(entry) = entry.get("record_type") {
        match draft.text(&entry) {
            Some(record @ ("srv" | "a")) => {
                table.set("record", record);
                draft.keep(&entry, "record of the discovery");
            }
            Some(_) => draft.leave(&entry, "is neither srv nor a"),
            None => {}
        }
    }
    if let Some(entry) = entry.get("port")
        && let Some(port) = draft.count(&entry)
    {
        let Some(port) = u16::try_from(port).ok().filter(|&port| port > 0) else {
            return draft.leave(&entry, "is no port");
        };
        table.set("port", port);
        draft.keep(&entry, "port of the discovery");
    }
    if let Some(entry) = entry.get("refresh_interval") {
        match seconds(&entry).filter(|duration| duration != "0s") {
            Some(duration) => {
                table.set("refresh", duration);
                draft.change(
                    &entry,
                    "refresh of the discovery; an answer that DNS gives a shorter life is asked for sooner",
                );
            }
            None => draft.leave(&entry, "needs a number of seconds, 1 at least"),
        }
    }
}
