//! An allocation: which game server is taken, and what is done with it.

use super::{Books, selector};
use serde_json::{Map, Value, json};

/// The keys that a specification may have here; the deprecated ones aren't among them.
const KEYS: [&str; 6] = ["scheduling", "metadata", "selectors", "priorities", "counters", "lists"];

impl Books {
    /// Allocates what the body asks for: the answer's body, or the status and words of an error.
    pub(super) fn allocate(&mut self, namespace: &str, body: &[u8]) -> Result<Value, (u16, String)> {
        let mut allocation: Value =
            serde_json::from_slice(body).map_err(|error| (400, format!("no JSON: {error}")))?;
        let spec = allocation["spec"].clone();
        check(&spec).map_err(|error| (422, error))?;
        let chosen = self.choose(namespace, &spec);
        let Some(mut server) = chosen else {
            allocation["status"] = json!({ "state": "UnAllocated" });
            return Ok(allocation);
        };
        apply(&spec, &mut server);
        allocation["status"] = json!({
            "state": "Allocated",
            "gameServerName": server["metadata"]["name"],
            "ports": server["status"]["ports"],
            "address": server["status"]["address"],
            "addresses": server["status"]["addresses"],
            "nodeName": server["status"]["nodeName"],
            "source": "local",
            "metadata": { "labels": server["metadata"]["labels"], "annotations": server["metadata"]["annotations"] },
            "counters": server["status"]["counters"],
            "lists": server["status"]["lists"],
        });
        self.record("MODIFIED", server);
        Ok(allocation)
    }

    fn choose(&self, namespace: &str, spec: &Value) -> Option<Value> {
        let everything = [json!({})];
        let selectors = spec["selectors"].as_array().map_or(&everything[..], Vec::as_slice);
        let in_namespace = || self.servers.values().filter(|it| it["metadata"]["namespace"] == namespace);
        let on_node = |server: &Value| {
            let same = |other: &&Value| {
                other["status"]["state"] == "Allocated"
                    && other["status"]["nodeName"] == server["status"]["nodeName"]
            };
            std::cmp::Reverse(in_namespace().filter(same).count())
        };
        selectors.iter().find_map(|selector| {
            let fitting = in_namespace().filter(|server| selector::takes(selector, server));
            let packed = spec["scheduling"] == "Packed";
            let order = |server: &&Value| (packed.then(|| on_node(server)), priorities(spec, server));
            fitting.min_by_key(order).cloned()
        })
    }
}

/// By what a game server is sorted: its available capacities, in the order of the priorities.
fn priorities(spec: &Value, server: &Value) -> Vec<i64> {
    let priority = |priority: &Value| {
        let key = priority["key"].as_str().unwrap_or_default();
        let (counter, list) = (&server["status"]["counters"][key], &server["status"]["lists"][key]);
        let available = if priority["type"] == "Counter" {
            counter["capacity"].as_i64().unwrap_or(0) - counter["count"].as_i64().unwrap_or(0)
        } else {
            list["capacity"].as_i64().unwrap_or(0) - list["values"].as_array().map_or(0, |it| it.len() as i64)
        };
        if priority["order"] == "Descending" { -available } else { available }
    };
    spec["priorities"].as_array().into_iter().flatten().map(priority).collect()
}

fn apply(spec: &Value, server: &mut Value) {
    server["status"]["state"] = json!("Allocated");
    for kind in ["labels", "annotations"] {
        for (key, value) in spec["metadata"][kind].as_object().into_iter().flatten() {
            server["metadata"][kind][key] = value.clone();
        }
    }
    for (name, action) in spec["counters"].as_object().into_iter().flatten() {
        let counter = &mut server["status"]["counters"][name];
        if let Some(capacity) = action["capacity"].as_i64() {
            counter["capacity"] = json!(capacity);
        }
        let amount = action["amount"].as_i64().unwrap_or(0);
        let count = counter["count"].as_i64().unwrap_or(0);
        let count = if action["action"] == "Decrement" { count - amount } else { count + amount };
        counter["count"] = json!(count.clamp(0, counter["capacity"].as_i64().unwrap_or(i64::MAX)));
    }
    for (name, action) in spec["lists"].as_object().into_iter().flatten() {
        let list = &mut server["status"]["lists"][name];
        if let Some(capacity) = action["capacity"].as_i64() {
            list["capacity"] = json!(capacity);
        }
        let mut values = list["values"].as_array().cloned().unwrap_or_default();
        values.retain(|value| !action["deleteValues"].as_array().is_some_and(|gone| gone.contains(value)));
        for value in action["addValues"].as_array().into_iter().flatten() {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        list["values"] = json!(values);
    }
}

fn check(spec: &Value) -> Result<(), String> {
    let spec = spec.as_object().ok_or("spec: Required value")?;
    let stranger = spec.keys().find(|key| !KEYS.contains(&key.as_str()));
    stranger.map_or(Ok(()), |key| Err(format!("spec.{key}: unknown field")))?;
    if !matches!(spec.get("scheduling").and_then(Value::as_str), Some("Packed" | "Distributed")) {
        return Err("spec.scheduling: Unsupported value".to_owned());
    }
    let empty = Map::new();
    let labels = spec.get("metadata").and_then(|metadata| metadata["labels"].as_object()).unwrap_or(&empty);
    let selectors = spec.get("selectors").and_then(Value::as_array).into_iter().flatten();
    let wanted = selectors.filter_map(|selector| selector["matchLabels"].as_object()).flatten();
    for (key, value) in labels.iter().chain(wanted) {
        check_label(value.as_str()).map_err(|error| format!("metadata.labels[{key}]: {error}"))?;
    }
    Ok(())
}

/// "Syntax and character set" of the documentation of labels.
fn check_label(value: Option<&str>) -> Result<(), &'static str> {
    let value = value.ok_or("must be a string")?;
    let end = |char: Option<char>| char.is_none_or(|char| char.is_ascii_alphanumeric());
    if value.len() > 63 {
        Err("must be no more than 63 characters")
    } else if !end(value.chars().next()) || !end(value.chars().next_back()) {
        Err("must start and end with an alphanumeric character")
    } else if !value.chars().all(|char| char.is_ascii_alphanumeric() || "-_.".contains(char)) {
        Err("must consist of alphanumeric characters, '-', '_' or '.'")
    } else {
        Ok(())
    }
}
