//! A GameServerAllocation for one player, as the API reads it: <https://agones.dev/site/docs/reference/gameserverallocation/>.

use super::section::{AgonesSection, CounterSection, ListSection, SelectorSection};
use crate::orphans::LABEL;
use crate::template::{Facts, Template};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The body of the call.
pub(super) fn body(section: &AgonesSection, facts: Facts<'_>, id: Uuid) -> Value {
    let mut labels = labels(&section.metadata.labels, facts);
    labels.insert(LABEL.to_owned(), json!(id.to_string()));
    let annotations: Map<_, _> = section
        .metadata
        .annotations
        .iter()
        .map(|(key, template)| (key.clone(), json!(template.fill(facts))))
        .collect();
    let mut spec = json!({
        "scheduling": section.scheduling.as_str(),
        "metadata": { "labels": labels, "annotations": annotations },
    });
    // What needs the feature CountsAndLists is said only where it is wanted.
    let mut say = |key: &str, value: Value| {
        let empty =
            value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
        if !empty && let Some(spec) = spec.as_object_mut() {
            spec.insert(key.to_owned(), value);
        }
    };
    say("selectors", section.selectors.iter().map(|it| selector(it, facts)).collect());
    let priority = |it: &super::section::PrioritySection| json!({ "type": it.r#type.as_str(), "key": it.key, "order": it.order.as_str() });
    say("priorities", section.priorities.iter().map(priority).collect());
    say("counters", table(&section.counters, counter));
    say("lists", table(&section.lists, |it| list(it, facts)));
    json!({ "apiVersion": "allocation.agones.dev/v1", "kind": "GameServerAllocation", "spec": spec })
}

fn selector(section: &SelectorSection, facts: Facts<'_>) -> Value {
    let mut selector = json!({
        "matchLabels": labels(&section.match_labels, facts),
        "gameServerState": section.state.as_str(),
    });
    let Some(said) = selector.as_object_mut() else { return selector };
    if !section.match_expressions.is_empty() {
        let expressions = section.match_expressions.iter().map(|it| {
            let mut said = json!({ "key": it.key, "operator": it.operator.as_str() });
            if let Some(said) = said.as_object_mut().filter(|_| !it.values.is_empty()) {
                said.insert("values".to_owned(), json!(it.values));
            }
            said
        });
        said.insert("matchExpressions".to_owned(), expressions.collect());
    }
    if !section.counters.is_empty() {
        let bounds = table(&section.counters, |it| {
            json!({
                "minCount": it.min_count, "maxCount": it.max_count,
                "minAvailable": it.min_available, "maxAvailable": it.max_available,
            })
        });
        said.insert("counters".to_owned(), bounds);
    }
    if !section.lists.is_empty() {
        let bounds = table(&section.lists, |it| {
            let contained = it.contains_value.as_ref().map(|value| value.fill(facts)).unwrap_or_default();
            json!({
                "containsValue": contained, "minAvailable": it.min_available, "maxAvailable": it.max_available,
            })
        });
        said.insert("lists".to_owned(), bounds);
    }
    selector
}

fn counter(section: &CounterSection) -> Value {
    let mut said = Map::new();
    if let Some(action) = section.action {
        said.insert("action".to_owned(), json!(action.as_str()));
        said.insert("amount".to_owned(), json!(section.amount));
    }
    if let Some(capacity) = section.capacity {
        said.insert("capacity".to_owned(), json!(capacity));
    }
    Value::Object(said)
}

fn list(section: &ListSection, facts: Facts<'_>) -> Value {
    let mut said = Map::new();
    for (key, values) in [("addValues", &section.add_values), ("deleteValues", &section.delete_values)] {
        if !values.is_empty() {
            let values = values.iter().map(|value| json!(value.fill(facts)));
            said.insert(key.to_owned(), values.collect());
        }
    }
    if let Some(capacity) = section.capacity {
        said.insert("capacity".to_owned(), json!(capacity));
    }
    Value::Object(said)
}

fn labels(templates: &BTreeMap<String, Template>, facts: Facts<'_>) -> Map<String, Value> {
    templates.iter().map(|(key, template)| (key.clone(), json!(template.fill_label(facts)))).collect()
}

fn table<T>(of: &BTreeMap<String, T>, write: impl Fn(&T) -> Value) -> Value {
    of.iter().map(|(key, value)| (key.clone(), write(value))).collect()
}
